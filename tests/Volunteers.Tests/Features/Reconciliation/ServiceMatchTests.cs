using CsCheck;
using Volunteers.Features.Reconciliation;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>Random files against random records: nothing is lost, nothing is counted twice, and the minutes add up.</summary>
public sealed class ServiceMatchTests(TestDatabases databases) : ReconciliationTest(databases)
{
    private static readonly Guid[] People = [.. Enumerable.Range(1, 3).Select(i => new Guid(i, 0, 0, new byte[8]))];
    private static readonly DateTimeOffset Start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<(int Person, int Day, int Minutes, int Activity, int Reference)> AnyService =
        Gen.Select(Gen.Int[0, 2], Gen.Int[1, 2], Gen.Int[1, 3], Gen.Int[0, 2], Gen.Int[0, 8]);

    [Fact]
    public void Whatever_is_matched_each_row_and_each_record_is_once_in_one_list() =>
        Gen.Select(AnyService.Array[0, 12], AnyService.Array[0, 12]).Sample((file, kept) =>
        {
            var there = file.Select((s, i) => new ServiceThere(i, People[s.Person], Day(s.Day), s.Minutes * 30, Title(s.Activity), $"R{s.Reference}")).DistinctBy(t => t.Reference).ToArray();
            var here = kept.Select((s, i) => new ServiceHere(new Guid(i, 0, 0, new byte[8]), People[s.Person], Day(s.Day), Start.AddHours(i), s.Minutes * 30, Title(s.Activity) ?? "",
                s.Reference > 4 ? $"R{s.Reference}" : null, default)).ToArray();

            var match = ServiceMatch.Of(there, here);
            var again = ServiceMatch.Of([.. there.Reverse()], [.. here.Reverse()]);

            Assert.Equal(there.OrderBy(t => t.Row), match.Pairs.Select(pair => pair.There).Concat(match.OnlyThere).OrderBy(t => t.Row));
            Assert.Equal(here.OrderBy(h => h.RecordId), match.Pairs.Select(pair => pair.Here).Concat(match.OnlyHere).OrderBy(h => h.RecordId));
            Assert.Equal(here.Sum(h => h.Minutes) - there.Sum(t => t.Minutes),
                match.Pairs.Sum(pair => pair.Here.Minutes - pair.There.Minutes) + match.OnlyHere.Sum(h => h.Minutes) - match.OnlyThere.Sum(t => t.Minutes));
            Assert.All(match.Pairs, pair => Assert.True(pair.There.VolunteerId == pair.Here.VolunteerId
                && (pair.There.Day == pair.Here.Day || pair.There.Reference == pair.Here.Reference)));
            // Nobody is missing on both sides on one day.
            Assert.Empty(match.OnlyThere.Select(t => (t.VolunteerId, t.Day)).Intersect(match.OnlyHere.Select(h => (h.VolunteerId, h.Day))));
            Assert.Equal(match.Pairs.OrderBy(pair => pair.There.Row), again.Pairs.OrderBy(pair => pair.There.Row));
        });

    [Fact]
    public async Task Whatever_the_file_says_every_row_and_record_is_once_in_one_list_and_importing_leaves_nothing_missing_here()
    {
        for (var i = 0; i < 3; i++) await Person($"A-{i}", $"人{i}");
        var seen = new HashSet<string>();
        var month = 0;

        await Gen.Select(AnyRow.Array[0, 25], AnyService.Array[0, 8]).SampleAsync(async (lines, kept) =>
        {
            // A month for each sample, so that one sample's records are not in the next.
            var first = new DateOnly(2020, 1, 1).AddMonths(month++);
            var numbers = (await Admin.Get("/volunteers")).Items.ToDictionary(person => (string)person!["number"]!, person => (string)person!["id"]!);
            var here = 0;
            foreach (var (index, s) in kept.Index())
            {
                var from = new DateTimeOffset(first.AddDays(s.Day - 1).ToDateTime(new TimeOnly(7 + index, 0)), TimeSpan.FromHours(8));
                await O.Record(Activity, numbers[$"A-{s.Person}"], from.ToString("O"), from.AddMinutes(s.Minutes * 20).ToString("O"));
                here += s.Minutes * 20;
            }
            var file = string.Concat(lines.Select(line => string.Format(null, line, $"{first:yyyy-MM}", $"{first.AddMonths(1):yyyy-MM}") + "\r\n"));
            var query = $"mapping=sz&from={first:yyyy-MM-dd}&to={first.AddMonths(1).AddDays(-1):yyyy-MM-dd}";

            var made = await Reconcile(file, query);
            var rows = await Rows(made);

            Assert.Equal(Enumerable.Range(2, lines.Length), rows.Select(row => (int?)row["row"]).OfType<int>());
            Assert.Equal(kept.Length, rows.Select(row => (string?)row["recordId"]).OfType<string>().Distinct().Count());
            Assert.Equal(kept.Length, rows.Count(row => row["recordId"] is not null));
            Assert.Equal((here, here - Number(made, "minutesThere")), (Number(made, "minutesHere"), Number(made, "difference")));
            Assert.Equal(Number(made, "difference"), rows.Sum(row => (int)row["difference"]!));
            foreach (var row in rows) seen.Add((string)row["list"]!);

            var import = await Import(made, new { teamId = Team, category = "patrol", skipRefused = true });
            var again = await Reconcile(file, query);
            Assert.Equal(Refusals(import.ShouldBe(200)).Length, Counts(again).MissingHere);
            Assert.Equal(Counts(made).Unmatched, Counts(again).Unmatched);
            Assert.Equal(Counts(made).Same + Number(import, "imported"), Counts(again).Same);
        }, iter: 12, threads: 1);

        Assert.Equal(5, seen.Count);
        await VerifiedPosition();
    }

    /// <summary>Good rows, strangers, other months, unreadable cells, and numbers that come twice; {0} is the month, {1} the next.</summary>
    private static readonly Gen<string> AnyRow =
        from kind in Gen.Int[0, 11]
        from s in AnyService
        select kind switch
        {
            0 => $"X-{s.Person},,,{{0}}-01,60,,",
            1 => $"A-{s.Person},,,{{1}}-01,60,,",
            2 => $"A-{s.Person},,,{{0}}-99,60,,",
            3 => $"A-{s.Person},,,{{0}}-01,x,,",
            4 => $"A-{s.Person},,,{{0}}-0{s.Day},{s.Minutes * 20},,R{s.Reference}-{{0}}",
            _ => $"A-{s.Person},,,{{0}}-0{s.Day},{s.Minutes * 20},{Title(s.Activity)},",
        };

    private static DateOnly Day(int day) => new(2026, 6, day);

    private static string? Title(int activity) => activity == 0 ? null : $"活动{activity}";
}
