using System.Globalization;
using UglyToad.PdfPig;
using Volunteers.Platform.Pdf;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>What was drawn, read back with a reader that did not write it.</summary>
public sealed class PdfTests
{
    [Fact]
    public void Rare_ideographs_are_drawn_in_the_second_font_and_read_back_whole()
    {
        using var document = Read(flow => flow.Paragraph("𠮷野𠮷子、陈䶮、李喆 ABC 12.50"));

        Assert.Equal("𠮷野𠮷子、陈䶮、李喆ABC12.50", Text(document));
        Assert.Equal(["HanaMinB", "NotoSansSC-Regular"],
            document.GetPage(1).Letters.Select(letter => letter.FontName!.Split('+')[1]).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("王😀明", "王[U+1F600]明")]
    [InlineData("甲\u202E乙丙", "甲[U+202E]乙丙")]
    [InlineData("甲\u0007乙\u200D丙\uFEFF丁", "甲[U+0007]乙[U+200D]丙[U+FEFF]丁")]
    [InlineData("שלום", "[U+05E9][U+05DC][U+05D5][U+05DD]")]
    public void Nothing_vanishes_and_nothing_turns_the_line_around(string text, string shown)
    {
        using var document = Read(flow => flow.Paragraph(text));

        Assert.Equal(shown, Text(document));
    }

    [Fact]
    public void Half_a_character_does_not_break_the_document()
    {
        using var document = Read(flow => flow.Paragraph("甲" + '\uD842' + "乙"));

        Assert.Equal("甲[U+FFFD]乙", Text(document));
    }

    [Fact]
    public void A_long_cell_goes_on_over_pages_under_its_heading_and_loses_no_character()
    {
        var note = string.Concat(Enumerable.Range(0, 10_000).Select(i => char.ConvertFromUtf32(0x4E00 + i)));
        using var document = Read(flow => flow.Table([new("栏甲", 1), new("栏乙", 3)], [["前", "短"], ["中", note], ["后", "短"]]));

        Assert.True(document.NumberOfPages > 2);
        var text = string.Concat(document.GetPages().Select(page => Sorted(page).Replace("栏甲栏乙", "", StringComparison.Ordinal)));
        Assert.Equal("前短中" + note + "后短", text);
        Assert.All(document.GetPages(), page => Assert.StartsWith("栏甲栏乙", Sorted(page), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_letter_is_on_the_page()
    {
        using var document = Read(flow =>
        {
            flow.Paragraph(string.Concat(Enumerable.Repeat("一二三，四五（六）", 200)), 14);
            flow.Paragraph(new string('w', 500));
            flow.Table([.. Enumerable.Range(0, 9).Select(i => new PdfColumn("栏" + i, 1, PdfAlign.Right))],
                Enumerable.Range(0, 200).Select(i => Enumerable.Repeat("1234567890123456789" + i, 9).ToArray()));
        });

        Assert.All(document.GetPages(), page => Assert.All(page.Letters, letter =>
        {
            Assert.InRange(letter.StartBaseLine.X, 47, page.Width - 47);
            Assert.InRange(letter.EndBaseLine.X, 47, page.Width - 47);
            Assert.InRange(letter.StartBaseLine.Y, 47, page.Height - 47);
        }));
    }

    [Fact]
    public void A_line_neither_begins_with_a_closing_mark_nor_ends_with_an_opening_one()
    {
        const string words = "十字（路口）值守。陈䶮·李喆";
        var lines = PdfText.Wrap(string.Concat(Enumerable.Repeat(words, 40)), 10, 101);

        Assert.All(lines, line => Assert.DoesNotContain(line[0], "）。·"));
        Assert.All(lines, line => Assert.NotEqual('（', line[^1]));
        Assert.Equal(string.Concat(Enumerable.Repeat(words, 40)), string.Concat(lines));
    }

    [Fact]
    public void Words_are_kept_whole_where_they_fit()
    {
        Assert.Equal(["several", "words", "here"], PdfText.Wrap("several words here", 10, 45));
        Assert.Equal(["first", "", "second"], PdfText.Wrap("first\r\n\nsecond", 10, 100));
    }

    [Fact]
    public void The_same_content_gives_the_same_bytes_and_says_what_it_is()
    {
        var first = Draw(flow => flow.Paragraph("甲"));

        Assert.Equal(first, Draw(flow => flow.Paragraph("甲")));
        using var document = PdfDocument.Open(first);
        Assert.Equal("志愿服务", document.Information.Title);
        Assert.Equal("石厦社区", document.Information.Author);
        Assert.Contains($"/Lang <FEFF{Convert.ToHexString(System.Text.Encoding.BigEndianUnicode.GetBytes("zh-CN"))}>", System.Text.Encoding.Latin1.GetString(first), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_page_says_which_of_how_many_it_is()
    {
        using var document = Read(flow =>
        {
            for (var i = 0; i < 100; i++) flow.Paragraph("行");
            flow.Footer("账目第 12 号", (page, pages) => string.Create(CultureInfo.InvariantCulture, $"第{page}页共{pages}页"));
        });

        Assert.True(document.NumberOfPages > 1);
        Assert.All(document.GetPages(), page => Assert.EndsWith($"账目第12号第{page.Number}页共{document.NumberOfPages}页", Sorted(page), StringComparison.Ordinal));
    }

    private static byte[] Draw(Action<PdfFlow> draw)
    {
        var file = new PdfFile("志愿服务", "石厦社区", "zh-CN");
        draw(new PdfFlow(file));
        return file.ToArray();
    }

    private static PdfDocument Read(Action<PdfFlow> draw) => PdfDocument.Open(Draw(draw));

    private static string Text(PdfDocument document) => string.Concat(document.GetPages().Select(Sorted));

    /// <summary>Letters as they stand on the page, without the spaces.</summary>
    private static string Sorted(UglyToad.PdfPig.Content.Page page) => string.Concat(page.Letters
        .GroupBy(letter => Math.Round(letter.StartBaseLine.Y, 1)).OrderByDescending(line => line.Key)
        .SelectMany(line => line.OrderBy(letter => letter.StartBaseLine.X)).Select(letter => letter.Value).Where(value => value != " "));
}
