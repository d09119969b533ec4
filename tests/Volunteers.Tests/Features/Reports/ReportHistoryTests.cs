using CsCheck;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>Random histories of service, corrections, new names and moves, and what reports and exports must say of each position of theirs for ever.</summary>
public sealed class ReportHistoryTests(TestDatabases databases) : HoursTest(databases)
{
    private const string Period = "from=2026-05-01&to=2026-07-31";

    private static readonly string[] Groups = ["team", "volunteer", "activity", "project", "category", "evidence", "month", "day", "year"];

    /// <summary>All of two and of three, in the order of the list above.</summary>
    private static readonly string[][] Composites =
    [
        .. from first in Groups from second in Groups.SkipWhile(name => name != first).Skip(1) select new[] { first, second },
        .. from first in Groups from second in Groups.SkipWhile(name => name != first).Skip(1) from third in Groups.SkipWhile(name => name != second).Skip(1) select new[] { first, second, third },
    ];

    private static readonly string[] Verbs = ["record", "submit", "headcount", "claim", "correct", "void", "rename", "move"];

    private sealed record Step(string Verb, int Who, int Which, int Hour, int Length);

    private static readonly Gen<Step> AnyStep =
        from verb in Gen.Int[0, Verbs.Length - 1]
        from who in Gen.Int[0, 2]
        from which in Gen.Int[0, 1000]
        from hour in Gen.Int[0, 24 * 59]
        from length in Gen.Int[1, 16]
        select new Step(Verbs[verb], who, which, hour, length);

    /// <summary>A report as it was drawn at some position.</summary>
    private sealed record Drawn(string Path, long Position, string Text, string? Language);

    private string[] teams = [], volunteers = [], activities = [], projects = [];
    private Api[] selves = [];
    private int names, turn;

    [Fact]
    public async Task Every_position_says_the_same_for_ever_and_changes_lead_from_one_to_the_next()
    {
        teams = [Team, await O.Team()];
        volunteers = await O.Volunteers(3, inTeam: Team);
        foreach (var volunteer in volunteers) await O.Member(teams[1], volunteer);
        selves = await Task.WhenAll(volunteers.Select(O.SignedInAs));
        projects = [await O.Project()];
        activities = [Activity, await O.Activity(teams[1], category: "culture"), await O.Activity(Team, projectId: projects[0])];

        // A history in which nothing is booked and nothing renamed would prove nothing, so all of it comes first.
        foreach (var verb in (string[])["record", "correct", "void", "headcount", "claim"]) Assert.InRange((await Take(new Step(verb, 1, 0, 0, 4))).Status, 200, 201);
        for (var which = 0; which < 4; which++) (await Take(new Step("rename", 1, which, 0, 4))).ShouldBe(200);
        (await Take(new Step("move", 1, 1, 0, 4))).ShouldBe(200);
        var known = 1L;

        await AnyStep.Array[20, 40].SampleAsync(async steps =>
        {
            var drawn = new List<Drawn>();
            var position = await VerifiedPosition();
            foreach (var step in steps)
            {
                var done = await Take(step);
                Assert.True(done.Status is < 500, done.Text);
                var now = await Count("select coalesce(max(position), 0) from hour_postings");
                if (now == position) continue;
                position = now;
                drawn.AddRange(await Draw(position));
            }
            foreach (var report in drawn) Assert.Equal(report.Text, await Text($"{report.Path}&asOf={report.Position}", report.Language));
            await ShouldAddUp(known, position);
            known = position;
        }, iter: 3, threads: 1);
        while (turn < Composites.Length) await ShouldAddUp(known, known);
    }

    private async Task<IEnumerable<Drawn>> Draw(long position)
    {
        (string Path, string? Language)[] forms =
        [
            ($"/reports/hours?{Period}&groupBy=team,volunteer,month", null), ($"/reports/hours?{Period}&groupBy=project,activity&format=csv", "zh-CN"),
            ($"/reports/hours/changes?{Period}&groupBy=team,evidence&since={position / 2}", null), ($"/reports/activities?{Period}&groupBy=team", null),
            ($"/reports/activities?{Period}&groupBy=category&format=csv", "zh-CN"), ($"/service-records/export?{Period}&format=csv", "zh-CN"),
        ];
        return await Task.WhenAll(forms.Select(async form => new Drawn(form.Path, position, await Text(form.Path, form.Language), form.Language)));
    }

    private async Task<string> Text(string path, string? language) =>
        (await Admin.Send(HttpMethod.Get, path, null, ("Accept-Language", language ?? "en"))).ShouldBe(200).Text;

    private async Task<Answer> Take(Step step)
    {
        var from = new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.FromHours(8)).AddHours(step.Hour);
        var (starts, ends) = (from.ToString("O"), from.AddMinutes(step.Length * 15).ToString("O"));
        var activity = activities[step.Which % activities.Length];
        var records = (await Admin.Get("/service-records?limit=200&status=approved")).ShouldBe(200).Items;
        var known = records.Count == 0 ? Guid.NewGuid().ToString() : (string)records[step.Which % records.Count]!["id"]!;
        switch (step.Verb)
        {
            case "record": return await Record(Admin, volunteers[step.Who], starts, ends, activity: activity);
            case "submit":
                var own = await Record(selves[step.Who], volunteers[step.Who], starts, ends, activity: activity);
                return own.Status == 201 ? await Do(Admin, "approve", own.Id) : own;
            case "headcount": return await Headcount(Admin, 2 + step.Who, starts, ends);
            case "claim":
                var headcount = records.FirstOrDefault(r => r!["volunteerId"] is null && (int)r["creditedPersonTimes"]! > 1);
                return await Do(Admin, "claims", (string?)headcount?["id"] ?? known, new { volunteerId = volunteers[step.Who] });
            case "correct": return await Do(Admin, "correct", known, new { reason = "Other.", startsAt = starts, endsAt = ends });
            case "void": return await Do(Admin, "void", known);
            case "move": return await Admin.Patch($"/activities/{activity}", new { teamId = teams[step.Which % 2], category = $"Category {step.Who}" });
            default:
                var name = $"Name {++names}";
                return (step.Which % 4) switch
                {
                    0 => await Admin.Patch($"/teams/{teams[step.Who % 2]}", new { name }),
                    1 => await Admin.Patch($"/volunteers/{volunteers[step.Who]}", new { name, number = $"N-{names}" }),
                    2 => await Admin.Patch($"/activities/{activity}", new { title = name }),
                    _ => await Admin.Patch($"/projects/{projects[0]}", new { title = name }),
                };
        }
    }

    /// <summary>
    /// At every position of a history: each single grouping, and two of the composite ones in turn, against the feed of postings;
    /// the changes since some earlier position, applied to the report of then, against the report of now; the records' minutes.
    /// </summary>
    private async Task ShouldAddUp(long first, long last)
    {
        var ledger = new List<Line>();
        for (var after = 0L; after < last; after += 200)
            ledger.AddRange((await Admin.Get($"/ledger?limit=200&after={after}")).ShouldBe(200).Items.Select(posting => new Line(posting!)));
        for (var position = first; position <= last; position++)
        {
            var until = ledger.Take((int)position).ToList();
            string[][] composites = [Composites[turn++ % Composites.Length], Composites[turn++ % Composites.Length]];
            foreach (var grouping in Groups.Select(group => new[] { group }).Concat(composites))
            {
                var report = (await Admin.Get($"/reports/hours?{Period}&groupBy={string.Join(',', grouping)}&asOf={position}")).ShouldBe(200);
                Assert.Equivalent(LedgerScenario.Expected(until, grouping), LedgerScenario.Rows(report, grouping), strict: true);
                Assert.Equal(Sums.Of(until), Sums.Of(report["total"]!));
            }
            foreach (var grouping in composites.Append([Groups[turn % Groups.Length]])) await ChangesShouldLead(ledger, grouping, since: turn % (position + 1), position);
            var records = ReportFile.Read((await Text($"/service-records/export?{Period}&format=csv&asOf={position}", null)).TrimStart('\ufeff'));
            Assert.Equal(Sums.Of(until).Minutes, records.Rows.SkipLast(1).Sum(row => long.Parse(row["Minutes"], System.Globalization.CultureInfo.InvariantCulture)));
        }
    }

    private async Task ChangesShouldLead(List<Line> ledger, string[] grouping, long since, long position)
    {
        var (before, after) = (ledger.Take((int)since).ToList(), ledger.Take((int)position).ToList());
        var query = $"{Period}&groupBy={string.Join(',', grouping)}";
        var rows = LedgerScenario.Rows((await Admin.Get($"/reports/hours?{query}&asOf={since}")).ShouldBe(200), grouping);

        var changes = (await Admin.Get($"/reports/hours/changes?{query}&since={since}&asOf={position}")).ShouldBe(200);

        foreach (var change in changes["rows"]!.AsArray())
        {
            var key = LedgerScenario.KeyOf(change!, grouping);
            Assert.Equal(rows.GetValueOrDefault(key), change!["before"] is { } was ? Sums.Of(was) : null);
            if (change["after"] is { } becomes) rows[key] = Sums.Of(becomes);
            else rows.Remove(key);
            // The postings named under a row are those that made its difference, to the minute.
            Assert.Equal(
                after.Skip((int)since).Where(line => string.Join(" | ", grouping.Select(line.Key)) == key).Select(line => (long)line.Posting["position"]!),
                change["positions"]!.AsArray().Select(at => (long)at!));
        }
        Assert.Equivalent(LedgerScenario.Expected(after, grouping), rows, strict: true);
        Assert.Equal(after.Skip((int)since).Select(line => (long)line.Posting["position"]!), changes["postings"]!.AsArray().Select(posting => (long)posting!["position"]!));
        Assert.Equal(Total(before), changes["total"]!["before"] is { } beforehand ? Sums.Of(beforehand) : null);
        Assert.Equal(Total(after), changes["total"]!["after"] is { } afterwards ? Sums.Of(afterwards) : null);
    }

    private static Sums? Total(List<Line> lines) => Sums.Of(lines) is var sums && sums == new Sums(0, 0, 0) ? null : sums;
}
