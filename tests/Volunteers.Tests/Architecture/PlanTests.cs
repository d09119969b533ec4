using System.Globalization;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>What is asked of PostgreSQL costs what its answer is worth, however much else there is. The costs are its own estimates, so nothing here depends on the machine.</summary>
public sealed class PlanTests(PlansOfACity city) : IClassFixture<PlansOfACity>
{
    /// <summary>A page of 50: each row found by an index, with a handful of look-ups beside it.</summary>
    private const double CostOfAPage = 1_500;

    /// <summary>All rows of one organization in the largest table, read in the order of an index.</summary>
    private const double CostOfAnOrganization = 100_000;

    /// <summary>A table of so many rows is never read from end to end.</summary>
    private const int Large = 10_000;

    /// <summary>More rows than these are not sorted for one page.</summary>
    private const double ManyToSort = 2_000;

    /// <summary>What may cost more than a page or an organization, and why.</summary>
    private static readonly Excuse[] Excuses =
    [
        new("getOverdueReport", "asOf=", 20_000_000, "each activity and record is put together from its states until then, and whether it was overdue is only seen from that"),
        new("getOverdueReport", "", 15_000, "each activity on the page comes with six figures out of all its records and sign-ups"),
        new("getActivityReport", "asOf=", 400_000, "the postings of each activity are counted up to a position"),
        new("listActivities", "openFor=", 8_000, "what is open is decided shift by shift, for those to come"),
        new("listActivities", "status=", 3_000, "nearly all are published or completed: the few others are looked for in the order of time"),
        new("listAuditEvents", "volunteer=", 10_000, "how often one person is named, PostgreSQL guesses as one in two hundred") { Sorts = true },
        new("listAuditEvents", "kind=look", 100_000, "looks are most of it, which a world that nobody has looked at yet does not show"),
        new("listServiceRecords", "evidence=", 20_000, "rare evidence is looked for in the order of time, within one organization"),
        new("listServiceRecords", "flag=", 20_000, "flagged records are looked for in the order of time, within one organization"),
        new("listServiceRecordsToReview", "flag=", 20_000, "flagged records are looked for among those that wait, which are few"),
        new("listServiceRecordsToReview", "evidence=", 20_000, "rare evidence is looked for among those that wait, which are few"),
        new("listAttendanceExceptions", "from=", 20_000, "what was exceptional is looked for among all who came in the days that are asked for"),
        new("listPostings", "", 5_000, "who sees one team's postings reads past the others' of their organization"),
        new("listSignUps", "", 8_000, "who sees only their own reads past the others' of the shift"),
        new("listVolunteers", "", 15_000, "a volunteer sees who is in a team with them, and reads past the others of their organization"),
        new("listChanges", "", 200_000, "as many as are asked for are read at once, with all that is shown of each") { Sorts = true },
        new("listMySessions", "", 5_000, "each session is asked whether a token of it is still good"),
    ];

    [Fact]
    public async Task Every_list_report_and_export_touches_rows_in_proportion_to_its_answer()
    {
        Assert.SkipWhen(city.Skip is not null, city.Skip ?? "");
        var asked = await city.Ask(await city.Asks());

        Assert.True(asked.Count > 200 && asked.Sum(one => one.Plans.Count) > 1_000, $"Only {asked.Count} requests were made.");
        None(asked.Where(one => one.Answer.Status is not (200 or 403)).Select(one => $"{one.Ask} was answered {one.Answer.Status}: {one.Answer.Text}"));
        None(asked.Where(one => one.Answer.Status == 200 && one.Plans.Count == 0).Select(one => $"{one.Ask} was answered without a statement."));
        None(asked.SelectMany(Faults));
    }

    [Theory]
    [InlineData("ix_service_records_organization_id_starts_at_id", "listServiceRecords", "")]
    [InlineData("ix_service_records_not_approved", "listServiceRecords", "status=rejected")]
    [InlineData("ix_shifts_organization_id_starts_at", "listAttendanceExceptions", "")]
    [InlineData("ix_activities_organization_id_ends_at_id", "getOverdueReport", "")]
    [InlineData("ix_audit_events_refused", "listAuditEvents", "outcome=refused")]
    public async Task A_list_costs_too_much_without_its_index(string index, string operation, string query)
    {
        Assert.SkipWhen(city.Skip is not null, city.Skip ?? "");
        var ask = (await city.Asks()).First(one => one is { Caller: "administrator", IsNext: false } && one.Operation == operation
            && one.Query.StartsWith(query, StringComparison.Ordinal));
        if (query.Length == 0) ask = ask with { Query = "" };

        None(Faults((await city.Ask([ask]))[0]));
        Assert.NotEmpty(Faults(await city.AskWithout(index, ask)));
    }

    private IEnumerable<string> Faults(Asked asked)
    {
        var (ask, excuse) = (asked.Ask, Excuses.FirstOrDefault(excuse => excuse.Operation == asked.Ask.Operation && asked.Ask.Query.Contains(excuse.Query, StringComparison.Ordinal)));
        var most = excuse?.Cost ?? (ask.IsList ? CostOfAPage : CostOfAnOrganization);
        foreach (var plan in asked.Plans)
        {
            foreach (var table in plan.Scans(table => city.RowsOf(table) > Large)) yield return $"{ask}: reads {table} from end to end in {plan.Statement}";
            if (ask.IsList && excuse?.Sorts != true && plan.Sorted > ManyToSort) yield return $"{ask}: sorts {plan.Sorted} rows for a page in {plan.Statement}";
            if (plan.Cost > most) yield return string.Create(CultureInfo.InvariantCulture, $"{ask}: costs {plan.Cost:0}, more than {most:0}{(excuse is null ? "" : $" though {excuse.Why}")}, in {plan.Statement}");
        }
    }

    private static void None(IEnumerable<string> faults)
    {
        var all = faults.Distinct().ToArray();
        Assert.True(all.Length == 0, string.Join('\n', all));
    }

    /// <param name="Operation">Of which requests.</param>
    /// <param name="Query">What their query has in it.</param>
    /// <param name="Cost">What they may cost.</param>
    /// <param name="Why">The reason.</param>
    private sealed record Excuse(string Operation, string Query, double Cost, string Why)
    {
        /// <summary>They may sort much for a page.</summary>
        public bool Sorts { get; init; }
    }
}
