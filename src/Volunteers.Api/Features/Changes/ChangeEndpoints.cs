using System.Reflection;
using FluentValidation;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
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
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Changes;

internal static class ChangeEndpoints
{
    public static void AddChanges(this IServiceCollection services) => services.AddHostedService<ChangeSealer>();

    public static void MapChanges(this RouteGroupBuilder organization) =>
        organization.MapGet("/changes", List).WithTags("Changes").WithName("listChanges").Scoped(Scope.Organization).ShowsPersonalData().RefusesWith(410);

    /// <summary>
    /// Brings a copy up to date: a phone that was offline, or another system. Without <c>since</c> it is sent everything that the
    /// caller may see, page by page; then, with the <c>next</c> of the page before, what changed since, each thing once and as it is
    /// now. What was deleted, or went out of the caller's sight, is <c>deleted</c>. Take an item only if its position is above the one
    /// you have of that thing, deleted ones included: then lost, repeated and late answers do no harm. 410 means: forget the copy and
    /// begin without <c>since</c>. A client gets the resources that its scopes let it read.
    /// </summary>
    private static async Task<ChangesAnswer> List(
        [AsParameters] ChangesQuery query, Tenant tenant, VolunteersDb db, IDataProtectionProvider protection, IOptions<Retention> kept, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var sight = CallerSight.Of(tenant);
        var mine = new ChangeCursor(tenant.Id, tenant.ActorId, sight.Digest, 0, now);
        var since = query.Since is null ? null : ChangeCursor.Read(query.Since, protection);
        since?.RefuseUnlessOf(mine, kept.Value.ChangesDays);

        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var head = await ChangeSealer.Seal(db, organization, now, ct);
        // Positions have no gaps: where the next is missing it was forgotten, and one beyond the last is of a database that was lost.
        if (since is not null && since.Position != head && !await db.Set<Change>().AnyAsync(c => c.OrganizationId == tenant.Id && c.Position == since.Position + 1, ct))
            throw RuleBreach.Precondition("resync_required", StatusCodes.Status410Gone);

        var reading = new Reading(tenant, db, AgeLimits.Of(organization, now));
        var (items, next) = since switch
        {
            null => await Whole(reading, sight, mine with { Position = head, Stage = 0 }, query.Size, ct),
            { Stage: not null } => await Whole(reading, sight, since, query.Size, ct),
            _ => await Changed(reading, sight, since, mine with { Position = head }, query.Size, ct),
        };
        return new ChangesAnswer(new ChangesView(items, next.Write(protection), HasMore: next.Stage is not null || next.Position != head));
    }

    /// <summary>
    /// A page of everything there is. It carries the position at which the first page began: whatever changes while the pages are
    /// taken is above that, and comes afterwards.
    /// </summary>
    private static async Task<(List<ChangeItem>, ChangeCursor)> Whole(Reading reading, CallerSight sight, ChangeCursor at, int size, CancellationToken ct)
    {
        var (items, after) = (new List<ChangeItem>(), at.After);
        for (var stage = at.Stage!.Value; stage < sight.Types.Count; stage++, after = null)
        {
            var (type, room) = (sight.Types[stage], size - items.Count);
            var ids = await type.Next(reading, after, room + 1, ct);
            var some = ids.Take(room).ToArray();
            var found = some.Length == 0 ? [] : await type.Find(reading, some, ct);
            items.AddRange(some.Where(found.ContainsKey).Select(id => new ChangeItem(at.Position, type.Resource, id, Deleted: false, found[id])));
            if (ids.Count > room) return (items, at with { Stage = stage, After = some.Length > 0 ? some[^1] : after });
        }
        return (items, at with { Stage = null, After = null });
    }

    /// <summary>What changed since, each thing once: at its latest position, and as it is now.</summary>
    private static async Task<(List<ChangeItem>, ChangeCursor)> Changed(Reading reading, CallerSight sight, ChangeCursor since, ChangeCursor head, int size, CancellationToken ct)
    {
        var (tenant, resources) = (reading.Tenant, sight.Types.Select(type => type.Resource).ToArray());
        var changes = reading.Db.Set<Change>()
            .Where(c => c.OrganizationId == tenant.Id && c.Position > since.Position && c.Position <= head.Position && resources.Contains(c.Resource));
        if (!tenant.ReadsAll) changes = changes.Where(c => c.Keys.Any(key => sight.Keys.Contains(key)));
        var latest = await changes.GroupBy(c => new { c.Resource, c.ResourceId }).Select(same => new { same.Key.Resource, same.Key.ResourceId, Position = same.Max(c => c.Position) })
            .OrderBy(change => change.Position).Take(size + 1).ToListAsync(ct);

        var page = latest.Take(size).ToArray();
        var found = new Dictionary<(SyncedResource, Guid), object>();
        foreach (var type in sight.Types)
            if (page.Where(change => change.Resource == type.Resource).Select(change => change.ResourceId).ToArray() is { Length: > 0 } ids)
                foreach (var (id, view) in await type.Find(reading, ids, ct)) found.Add((type.Resource, id), view);
        var items = page.Select(change => new ChangeItem(change.Position, change.Resource, change.ResourceId,
            Deleted: !found.TryGetValue((change.Resource, change.ResourceId), out var view), view)).ToList();
        // As old as the one before, until all of it was taken: what follows may be as old as that.
        return (items, latest.Count > size ? since with { Position = page[^1].Position } : head);
    }
}

/// <summary>How far a copy has come.</summary>
/// <param name="Since">The <c>next</c> of the answer before; without it, everything. Opaque, and good for 30 days.</param>
/// <param name="Limit">How many items at most, 1 to 200; 50 when not given.</param>
internal sealed record ChangesQuery([property: FromQuery] string? Since = null, [property: FromQuery] int? Limit = null)
{
    public int Size => Limit ?? 50;

    internal sealed class Validator : AbstractValidator<ChangesQuery>
    {
        public Validator()
        {
            RuleFor(query => query.Since).MaximumLength(400);
            RuleFor(query => query.Limit).InclusiveBetween(1, 200);
        }
    }
}

/// <summary>A part of what a copy needs.</summary>
/// <param name="Items">In the order of their positions; of a first copy, what is pointed to before what points to it.</param>
/// <param name="Next">Send it as <c>since</c>: at once while there is more, else when you want to know what changed.</param>
/// <param name="HasMore">More is there to be taken now.</param>
internal sealed record ChangesView(IReadOnlyList<ChangeItem> Items, string Next, bool HasMore);

/// <summary>One thing that the caller may see, or may no longer see.</summary>
/// <param name="Position">Its place in the organization's order of changes. What a copy has of the thing at this position or a later one is as new.</param>
/// <param name="Resource">What kind of thing.</param>
/// <param name="Id">Which; of a sign-up its own, which stays the same for one volunteer and shift.</param>
/// <param name="Deleted">It is gone, or out of sight.</param>
/// <param name="Value">What its own GET shows; of other people's profiles what everybody is shown who does not open them (see <c>withheld</c>). Null when it is deleted.</param>
internal sealed record ChangeItem(
    long Position, SyncedResource Resource, Guid Id, bool Deleted,
    [property: OneOf(typeof(OrganizationView), typeof(TeamView), typeof(VolunteerView), typeof(ProjectView), typeof(SeriesView), typeof(ActivityView), typeof(ShiftView), typeof(SignUpView),
        typeof(ServiceRecordView), typeof(DisputeView), typeof(CertificateView), typeof(AwardView))]
    object? Value) : IAboutVolunteer
{
    Guid? IAboutVolunteer.VolunteerId => Value is null ? null : AboutVolunteer.Of(Value);
}

/// <summary>Leaves its trace only when it shows somebody: a copy asks every minute, and mostly there is nothing.</summary>
internal sealed class ChangesAnswer(ChangesView view) : IResult, IValueHttpResult, ILeavesItsTrace, IEndpointMetadataProvider
{
    public object Value => view;

    public IReadOnlyList<ChangeItem> Items => view.Items;

    public async Task ExecuteAsync(HttpContext http)
    {
        var people = Items.Select(item => AboutVolunteer.Of(item)).OfType<Guid>().ToHashSet();
        if (people.Count > 0) await AuditTrail.Look(http, AuditKind.Look, new Shown(Items.Count, people));
        if (view.HasMore) Cursors.Link(http, "since", view.Next);
        await http.Response.WriteAsJsonAsync(view, http.RequestAborted);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(ChangesView), ["application/json"]));
}
