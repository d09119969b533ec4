using System.Text.Json.Nodes;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Reports;

/// <summary>
/// A ledger with something of everything: two teams, a volunteer in both, service with and without a project, entered by a
/// coordinator and by the volunteer, a headcount partly claimed, a correction to another month, a voided record beside one
/// that stands, a New Year's night.
/// </summary>
internal sealed record LedgerScenario(OrganizationSteps Organization, string Drivers, string Dancers, string[] Volunteers, string Patrol, string Class, string Moved)
{
    public static async Task<LedgerScenario> Make(Given given)
    {
        var o = await given.Organization();
        var (drivers, dancers) = (await o.Team(), await o.Team());
        var volunteers = await o.Volunteers(3, inTeam: drivers);
        await o.Member(dancers, volunteers[1]);
        await o.Member(dancers, volunteers[2]);
        var patrol = await o.Activity(drivers, projectId: await o.Project());
        var lesson = await o.Activity(dancers, category: "culture");

        await o.Record(patrol, volunteers[0], "2026-06-07T14:30:00+08:00", "2026-06-07T17:00:00+08:00");
        await o.Record(patrol, volunteers[1], "2026-06-07T14:30:00+08:00", "2026-06-07T18:30:00+08:00", minutes: 100);
        await o.Record(lesson, volunteers[1], "2026-06-07T19:00:00+08:00", "2026-06-07T20:10:00+08:00");
        await o.Record(lesson, volunteers[2], "2025-12-31T22:00:00+08:00", "2026-01-01T02:00:00+08:00");
        await o.Record(patrol, volunteers[2], "2026-06-30T23:30:00+08:00", "2026-07-01T00:30:00+08:00");

        var headcount = (await o.Admin.Post("/service-records", new
        {
            activityId = lesson, headcount = new { personTimes = 21, method = "counted" },
            startsAt = "2026-05-02T14:00:00+08:00", endsAt = "2026-05-02T15:00:00+08:00", minutes = 1200,
        })).ShouldBe(201).Id;
        (await o.Admin.Post($"/service-records/{headcount}/claims", new { volunteerId = volunteers[2], minutes = 57 })).ShouldBe(201);

        var moved = await o.Record(lesson, volunteers[1], "2026-03-01T09:00:00+08:00", "2026-03-01T11:00:00+08:00");
        (await o.Admin.Post($"/service-records/{moved}/correct", new { reason = "Another day", startsAt = "2026-05-01T09:00:00+08:00", endsAt = "2026-05-01T10:01:00+08:00" }))
            .ShouldBe(200);
        var voided = await o.Record(patrol, volunteers[0], "2026-04-04T09:00:00+08:00", "2026-04-04T11:00:00+08:00");
        (await o.Admin.Post($"/service-records/{voided}/void", new { reason = "Entered twice" })).ShouldBe(200);
        await o.Record(patrol, volunteers[2], "2026-04-04T09:00:00+08:00", "2026-04-04T11:00:00+08:00");

        var self = await o.SignedInAs(volunteers[0]);
        var own = (await self.Post("/service-records",
            new { activityId = patrol, volunteerId = volunteers[0], startsAt = "2026-06-08T08:00:00+08:00", endsAt = "2026-06-08T08:50:00+08:00" })).ShouldBe(201).Id;
        (await o.Admin.Post($"/service-records/{own}/approve")).ShouldBe(200);
        return new LedgerScenario(o, drivers, dancers, volunteers, patrol, lesson, moved);
    }

    public async Task<List<Line>> Ledger() =>
        [.. (await Organization.Admin.Get("/ledger?limit=200")).ShouldBe(200).Items.Select(posting => new Line(posting!))];

    /// <summary>What the report must say, added up from the feed of postings.</summary>
    public static Dictionary<string, Sums> Expected(IEnumerable<Line> lines, IReadOnlyList<string> groups) => lines
        .GroupBy(line => string.Join(" | ", groups.Select(line.Key)))
        .Select(group => (group.Key, Sums: Sums.Of(group)))
        .Where(row => row.Sums.Minutes != 0)
        .ToDictionary(row => row.Key, row => row.Sums);

    public static Dictionary<string, Sums> Rows(Answer report, IReadOnlyList<string> groups) => report["rows"]!.AsArray().ToDictionary(row => KeyOf(row!, groups), row => Sums.Of(row!));

    public static string KeyOf(JsonNode row, IReadOnlyList<string> groups) =>
        string.Join(" | ", groups.Select(group => row[group] is JsonObject named ? (string)named["id"]! : row[group]?.ToString() ?? "none"));
}

/// <summary>One posting of the feed.</summary>
internal sealed record Line(JsonNode Posting)
{
    public DateOnly Day => DateOnly.Parse((string)Posting["serviceDate"]!, System.Globalization.CultureInfo.InvariantCulture);

    public string? Volunteer => (string?)Posting["volunteerId"];

    public string Key(string group) => group switch
    {
        "month" => Day.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture),
        "year" => Day.Year.ToString(System.Globalization.CultureInfo.InvariantCulture),
        "day" => (string)Posting["serviceDate"]!,
        "category" or "evidence" => (string)Posting[group]!,
        _ => (string?)Posting[group + "Id"] ?? "none",
    };
}

internal sealed record Sums(long Persons, long PersonTimes, long Minutes)
{
    public static Sums Of(JsonNode row) => new((long)row["persons"]!, (long)row["personTimes"]!, (long)row["minutes"]!);

    public static Sums Of(IEnumerable<Line> lines)
    {
        var all = lines.ToArray();
        return new Sums(
            all.Where(line => line.Volunteer is not null).GroupBy(line => line.Volunteer).Count(person => person.Sum(line => (long)line.Posting["personTimes"]!) > 0),
            all.Sum(line => (long)line.Posting["personTimes"]!), all.Sum(line => (long)line.Posting["minutes"]!));
    }
}
