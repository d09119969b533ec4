using Microsoft.EntityFrameworkCore;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>Who may ask for which job. Asked when it is asked for, with every batch, and when its file is fetched: a role may end in between.</summary>
internal static class JobRights
{
    /// <exception cref="RuleBreach">403: they may not, or their client's token lacks the scope of what is in the file.</exception>
    public static void Check(Tenant tenant, JobKind kind, JobResource resource)
    {
        var roles = kind == JobKind.Import ? new[] { Role.Administrator, Role.Coordinator } : [Role.Administrator, Role.Coordinator, Role.Auditor];
        // People come to an organization and change by who sees all of them.
        if (tenant.Caller.LacksSecondFactor || !tenant.Caller.Holds(tenant.Id, roles) || (kind == JobKind.Import && resource == JobResource.Roster && !tenant.CoordinatesAll))
            throw RuleBreach.Forbidden("forbidden");
        var scope = ScopeOf(resource) + (kind == JobKind.Import ? ".write" : ".read");
        if (tenant.Caller.IsClient && !tenant.Caller.Scopes.Contains(scope)) throw RuleBreach.Forbidden("insufficient_scope", scope);
    }

    /// <summary>Those who act for every team follow all jobs, everybody else their own.</summary>
    public static IQueryable<Job> VisibleTo(this IQueryable<Job> jobs, Tenant tenant) =>
        jobs.Where(j => j.OrganizationId == tenant.Id && (tenant.CoordinatesAll || j.AskedBy == tenant.ActorId));

    /// <summary>What was drawn shows no more than they may still see: of what there is, and of people whom it shows whole, which an auditor sees of nobody.</summary>
    public static bool CoverWhatIsShown(Tenant tenant, Job job)
    {
        if (job.Kind == JobKind.Import || tenant.CoordinatesAll) return true;
        var ofTheirTeams = job.ShowsTeams.Length > 0 && job.ShowsTeams.All(tenant.Teams.Contains);
        return (job.ShowsAll ? tenant.ReadsAll : tenant.ReadsAll || ofTheirTeams) && (!job.ShowsPeopleWhole || ofTheirTeams);
    }

    private static string ScopeOf(JobResource resource) => resource switch
    {
        JobResource.Roster => Scope.Roster,
        JobResource.Activities => Scope.Activities,
        _ => Scope.Hours,
    };
}
