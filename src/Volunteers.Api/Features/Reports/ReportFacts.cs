using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
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

    /// <summary>The filters by the names of what they filter by (a volunteer by number), as they were then; an id where the scope has nothing of that id.</summary>
    public static async Task<List<ReportFact>> Filters(
        VolunteersDb db, ReportScope scope, DateTimeOffset? namesAt, CancellationToken ct, Guid? team = null, Guid? volunteer = null, Guid? activity = null,
        Guid? project = null, string? category = null, Evidence? evidence = null)
    {
        var (organizationId, teams) = scope;
        var facts = new List<ReportFact>();
        async Task Add(string heading, Guid? id, IQueryable<string> name)
        {
            if (id is not { } subject) return;
            var known = await name.SingleOrDefaultAsync(ct);
            var former = known is null ? null : await db.FormerAt(organizationId, subject, namesAt, ct);
            facts.Add(new ReportFact(Messages.Title(heading), former?.Number ?? former?.Name ?? known ?? subject.ToString()));
        }

        await Add("report_team", team, db.Teams.Where(t => t.OrganizationId == organizationId && t.Id == team && (teams == null || teams.Contains(t.Id))).Select(t => t.Name));
        await Add("report_volunteer", volunteer, db.Volunteers
            .Where(v => v.OrganizationId == organizationId && v.Id == volunteer
                && (teams == null || db.TeamMembers.Any(m => m.OrganizationId == organizationId && m.VolunteerId == v.Id && teams.Contains(m.TeamId))))
            .Select(v => v.Number));
        await Add("report_activity", activity, db.Activities.Where(a => a.OrganizationId == organizationId && a.Id == activity && (teams == null || teams.Contains(a.TeamId))).Select(a => a.Title));
        await Add("report_project", project, db.Projects.Where(p => p.OrganizationId == organizationId && p.Id == project).Select(p => p.Title));
        if (category is not null) facts.Add(new ReportFact(Messages.Title("report_category"), category));
        if (evidence is { } how) facts.Add(new ReportFact(Messages.Title("report_evidence"), EvidenceWord(how)));
        return facts;
    }

    /// <summary>The organization as it was called, and reckoned its days, at an instant; as it is now when no instant is given.</summary>
    public static async Task<Organization> OrganizationAt(this VolunteersDb db, Guid id, DateTimeOffset? at, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == id, ct);
        return await db.FormerAt(id, id, at, ct) is { } former ? organization.Was(former.Name, former.TimeZone ?? organization.TimeZone) : organization;
    }

    /// <summary>As something was at an instant, if it has changed since; nothing when no instant is given.</summary>
    private static async Task<FormerState?> FormerAt(this VolunteersDb db, Guid organizationId, Guid subjectId, DateTimeOffset? at, CancellationToken ct) => at is null
        ? null
        : await db.FormerStates.AsNoTracking().Where(f => f.OrganizationId == organizationId && f.SubjectId == subjectId && f.Until > at)
            .OrderBy(f => f.Until).ThenBy(f => f.Id).FirstOrDefaultAsync(ct);

    public static string EvidenceWord(Evidence evidence) => Messages.Title("report_evidence_" + evidence.ToString().ToLowerInvariant());

    private static string Position(LedgerPoint asOf, string timeZone) => asOf.At is { } at
        ? Messages.Detail("fact_position", asOf.Position, Local(at, timeZone))
        : asOf.Position.ToString(CultureInfo.InvariantCulture);

    private static string Local(DateTimeOffset at, string timeZone) =>
        TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById(timeZone)).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
