using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>What stands beside the figures, in the language of the request: a sheet of paper must say by itself what it counts.</summary>
internal static class ReportFacts
{
    public static List<ReportFact> Of(
        string organization, DateOnly from, DateOnly to, string timeZone, IEnumerable<ReportFact> filters, LedgerPoint asOf, DateTimeOffset drawnAt) =>
    [
        new(Messages.Title("fact_organization"), organization),
        new(Messages.Title("fact_period"), Messages.Detail("fact_period", from, to, timeZone)),
        .. filters,
        new(Messages.Title("fact_position"), Position(asOf, timeZone)),
        new(Messages.Title("fact_drawn_at"), Local(drawnAt, timeZone)),
    ];

    /// <summary>For the foot of every page.</summary>
    public static string Foot(LedgerPoint asOf, string timeZone, DateTimeOffset drawnAt) =>
        Messages.Detail("report_foot", Position(asOf, timeZone), Local(drawnAt, timeZone));

    /// <summary>The filters by the names of what they filter by; an id where the caller sees nothing of that id.</summary>
    public static async Task<List<ReportFact>> Filters(
        VolunteersDb db, Tenant tenant, CancellationToken ct, Guid? team = null, Guid? volunteer = null, Guid? activity = null, Guid? project = null,
        string? category = null, Evidence? evidence = null)
    {
        var facts = new List<ReportFact>();
        void Add(string heading, string? text, object? given)
        {
            if (given is not null) facts.Add(new ReportFact(Messages.Title(heading), text ?? given.ToString()!));
        }

        Add("report_team", team is null ? null : await db.Teams.Where(t => t.OrganizationId == tenant.Id && t.Id == team).Select(t => t.Name).SingleOrDefaultAsync(ct), team);
        Add("report_volunteer", volunteer is null ? null
            : await db.Volunteers.VisibleTo(tenant, db).Where(v => v.Id == volunteer).Select(v => v.Number).SingleOrDefaultAsync(ct), volunteer);
        Add("report_activity", activity is null ? null
            : await db.Activities.VisibleTo(tenant).Where(a => a.Id == activity).Select(a => a.Title).SingleOrDefaultAsync(ct), activity);
        Add("report_project", project is null ? null
            : await db.Projects.Where(p => p.OrganizationId == tenant.Id && p.Id == project).Select(p => p.Title).SingleOrDefaultAsync(ct), project);
        Add("report_category", category, category);
        Add("report_evidence", evidence is { } known ? EvidenceWord(known) : null, evidence);
        return facts;
    }

    public static string EvidenceWord(Evidence evidence) => Messages.Title("report_evidence_" + evidence.ToString().ToLowerInvariant());

    private static string Position(LedgerPoint asOf, string timeZone) => asOf.At is { } at
        ? Messages.Detail("fact_position", asOf.Position, Local(at, timeZone))
        : asOf.Position.ToString(CultureInfo.InvariantCulture);

    private static string Local(DateTimeOffset at, string timeZone) =>
        TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById(timeZone)).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
