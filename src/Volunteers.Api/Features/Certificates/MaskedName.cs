using System.Globalization;
using System.Text;

namespace Volunteers.Features.Certificates;

/// <summary>
/// A name as a stranger may see it: who knows the person recognizes it, who does not learns nothing. The first character of
/// each word stays, a family name of two characters whole; a name of one character is hidden.
/// </summary>
internal static class MaskedName
{
    private static readonly HashSet<string> LongFamilyNames =
    [
        "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "司徒", "司空", "司寇", "夏侯", "皇甫", "东方", "東方", "尉迟", "尉遲", "公孙", "公孫", "慕容", "令狐",
        "宇文", "长孙", "長孫", "端木", "南宫", "南宮", "独孤", "獨孤", "轩辕", "軒轅", "呼延", "闻人", "聞人", "东郭", "東郭", "西门", "西門", "百里", "鲜于", "鮮于",
        "申屠", "太史", "太叔", "澹台", "澹臺", "濮阳", "濮陽", "公冶", "公羊", "公西", "宗政", "淳于", "单于", "單于", "钟离", "鍾離", "赫连", "赫連", "拓跋", "万俟",
        "闾丘", "閭丘", "仲孙", "仲孫", "颛孙", "顓孫", "乐正", "樂正", "漆雕", "谷梁", "穀梁", "第五", "巫马", "巫馬", "亓官", "完颜", "完顏", "纳兰", "納蘭", "羊舌",
    ];

    public static string Of(string name)
    {
        var masked = new StringBuilder();
        var word = new List<string>();
        var characters = StringInfo.GetTextElementEnumerator(name.Trim());
        while (characters.MoveNext())
        {
            var character = (string)characters.Current;
            if (!IsBetweenWords(character))
            {
                word.Add(character);
                continue;
            }
            End(word, masked);
            masked.Append(character);
        }
        End(word, masked);
        return masked.ToString();
    }

    private static void End(List<string> word, StringBuilder masked)
    {
        var shown = word.Count switch { 1 => 0, >= 3 when LongFamilyNames.Contains(word[0] + word[1]) => 2, _ => 1 };
        masked.AppendJoin("", word.Take(shown)).Append('*', Math.Max(0, word.Count - shown));
        word.Clear();
    }

    private static bool IsBetweenWords(string character) => character is "·" or "•" or "・" or "-" || string.IsNullOrWhiteSpace(character);
}
