using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Certificates;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Recognition;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Changes;

/// <summary>Who reads, and when.</summary>
internal sealed record Reading(Tenant Tenant, VolunteersDb Db, AgeLimits Ages);

/// <summary>
/// A resource that is kept in step, seen as its own GET shows it: by the same queries, in the same views. What has no address of its
/// own (memberships, places of groups, trainings, ratings, check-ins) is read in its list; the ledger is a feed already; roles, clients,
/// reports and settings of feeds are no business of a copy.
/// </summary>
internal abstract class SyncedType(SyncedResource resource, string area)
{
    /// <summary>In the order in which a whole copy is sent.</summary>
    public static readonly IReadOnlyList<SyncedType> All =
    [
        Of(SyncedResource.Organization, Scope.Organization, at => at.Db.Organizations.Where(o => o.Id == at.Tenant.Id),
            (some, _, ct) => Views(some.Select(OrganizationView.Projection), view => view.Id, ct)),
        Of(SyncedResource.Team, Scope.Roster, at => at.Db.Teams.VisibleTo(at.Tenant), (some, _, ct) => Views(some.Select(TeamView.Projection), view => view.Id, ct)),
        // Whoever is forgotten is gone from every copy, too.
        Of(SyncedResource.Volunteer, Scope.Roster, at => at.Db.Volunteers.VisibleTo(at.Tenant, at.Db).Where(v => v.ErasedAt == null),
            async (some, at, ct) => (await VolunteerView.Find(some, at.Tenant, at.Db, at.Ages, opened: false, ct)).Select(view => (view.Id, (object)view))),
        Of(SyncedResource.Project, Scope.Activities, at => at.Db.Projects.Where(p => p.OrganizationId == at.Tenant.Id),
            (some, _, ct) => Views(some.Select(ProjectView.Projection), view => view.Id, ct)),
        Of(SyncedResource.Series, Scope.Activities, at => at.Db.Series.VisibleTo(at.Tenant), (some, _, ct) => Views(some.Select(SeriesView.Projection), view => view.Id, ct)),
        Of(SyncedResource.Activity, Scope.Activities, at => at.Db.Activities.VisibleTo(at.Tenant),
            (some, _, ct) => Views(some.Select(ActivityView.Projection), view => view.Id, ct)),
        Of(SyncedResource.Shift, Scope.Activities, at => at.Db.Shifts.VisibleTo(at.Tenant, at.Db), (some, _, ct) => Views(some.Select(ShiftView.Projection), view => view.Id, ct)),
        Of(SyncedResource.SignUp, Scope.Activities, at => at.Db.SignUps.VisibleTo(at.Tenant, at.Db), SignUps),
        Of(SyncedResource.ServiceRecord, Scope.Hours, at => at.Db.ServiceRecords.VisibleTo(at.Tenant),
            (some, _, ct) => Views(some.Select(ServiceRecordView.Projection), view => view.Id, ct)),
        Of(SyncedResource.Dispute, Scope.Hours,
            at => at.Db.Disputes.Where(d => d.OrganizationId == at.Tenant.Id && at.Db.DisputesVisibleTo(at.Tenant).Any(x => x.Dispute.Id == d.Id)),
            (some, at, ct) => Views(at.Db.DisputesVisibleTo(at.Tenant).Where(x => some.Any(d => d.Id == x.Dispute.Id)).Select(DisputeView.Projection(at.Db)), view => view.Id, ct)),
        Of(SyncedResource.Certificate, Scope.Certificates, at => at.Db.Certificates.VisibleTo(at.Tenant, at.Db),
            async (some, at, ct) => (await at.Db.ViewsOf(some, ct)).Select(view => (view.Id, (object)view))),
        Of(SyncedResource.Award, Scope.Recognition, at => at.Db.Awards.VisibleTo(at.Tenant, at.Ages.Today),
            (some, at, ct) => Views(some.Select(AwardView.Projection(at.Tenant, at.Db)), view => view.Id, ct)),
    ];

    public SyncedResource Resource => resource;

    /// <summary>Which scope a client needs to read it.</summary>
    public string Area => area;

    /// <summary>The next that the caller sees.</summary>
    public abstract Task<List<Guid>> Next(Reading at, Guid? after, int most, CancellationToken ct);

    /// <summary>Those of these that the caller sees, as they are now.</summary>
    public abstract Task<Dictionary<Guid, object>> Find(Reading at, Guid[] ids, CancellationToken ct);

    private static SyncedTypeOf<T> Of<T>(
        SyncedResource resource, string area, Func<Reading, IQueryable<T>> visible, Func<IQueryable<T>, Reading, CancellationToken, Task<IEnumerable<(Guid, object)>>> read) where T : class =>
        new(resource, area, visible, read);

    private static async Task<IEnumerable<(Guid, object)>> Views<TView>(IQueryable<TView> views, Func<TView, Guid> id, CancellationToken ct) where TView : class =>
        (await views.AsNoTracking().ToListAsync(ct)).Select(view => (id(view), (object)view));

    /// <summary>Addressed by shift and volunteer, so that its view does not say its id.</summary>
    private static async Task<IEnumerable<(Guid, object)>> SignUps(IQueryable<SignUp> some, Reading at, CancellationToken ct)
    {
        var ids = await some.Select(s => new { s.Id, s.ShiftId, s.VolunteerId }).ToDictionaryAsync(s => (s.ShiftId, s.VolunteerId), s => s.Id, ct);
        return (await some.Select(SignUpView.Projection(at.Db)).AsNoTracking().ToListAsync(ct))
            .Where(view => ids.ContainsKey((view.ShiftId, view.VolunteerId))).Select(view => (ids[(view.ShiftId, view.VolunteerId)], (object)view));
    }
}

internal sealed class SyncedTypeOf<T>(
    SyncedResource resource, string area, Func<Reading, IQueryable<T>> visible, Func<IQueryable<T>, Reading, CancellationToken, Task<IEnumerable<(Guid Id, object View)>>> read)
    : SyncedType(resource, area) where T : class
{
    private const string Id = "Id";

    public override Task<List<Guid>> Next(Reading at, Guid? after, int most, CancellationToken ct)
    {
        var rows = visible(at);
        if (after is { } last) rows = rows.Where(row => EF.Property<Guid>(row, Id) > last);
        return rows.Select(row => EF.Property<Guid>(row, Id)).OrderBy(id => id).Take(most).ToListAsync(ct);
    }

    public override async Task<Dictionary<Guid, object>> Find(Reading at, Guid[] ids, CancellationToken ct) =>
        (await read(visible(at).Where(row => ids.Contains(EF.Property<Guid>(row, Id))), at, ct)).ToDictionary(found => found.Id, found => found.View);
}
