using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Recognition;

internal static class AwardEndpoints
{
    private const int MostProposals = 1000;

    public static void MapAwards(this RouteGroupBuilder organization)
    {
        var awards = organization.MapGroup("/awards").WithTags("Recognition").Scoped(Scope.Recognition);

        awards.MapGet("", List).WithName("listAwards").ShowsPersonalData();
        awards.MapPost("", Propose).WithName("proposeAward").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        awards.MapPost("/proposals", ProposeStars).WithName("proposeStarAwards").Allows(Access.CoordinateAll).RefusesWith(409);
        awards.MapGet("/{awardId:guid}", Get).WithName("getAward").ShowsPersonalData().RefusesWith(404);
        awards.MapPost("/{awardId:guid}/publish", Publish).WithName("publishAward").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        awards.MapPost("/{awardId:guid}/confirm", Confirm).WithName("confirmAward").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        awards.MapPost("/{awardId:guid}/withdraw", Withdraw).WithName("withdrawAward").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        awards.MapAwardObjections();
    }

    /// <summary>
    /// Lists awards, the earliest proposed first. Everybody in the organization sees what is public or confirmed; proposals
    /// and what was withdrawn are for coordinators of the whole organization, administrators and auditors.
    /// </summary>
    private static async Task<Paged<AwardView>> List(
        [AsParameters] PageQuery page, [AsParameters] AwardFilter filter, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        await filter.Apply(db.Awards.VisibleTo(tenant, await db.Today(tenant, clock, ct))).ToPage(page, award => award.Id, AwardView.Projection(tenant, db), ct);

    /// <summary>Proposes an award for one volunteer. A star award only for a level that they have, and one at a time.</summary>
    private static async Task<Platform.Created<AwardView>> Propose(
        AwardRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // Those who propose wait for each other, and then find what was proposed.
        var organization = await db.LockOrganization(tenant.Id, ct);
        var now = clock.GetUtcNow();
        var today = organization.DayOf(now);
        if (request.ProposedOn > today) throw new RuleBreach("proposed_in_the_future");
        if (!await db.Volunteers.AnyAsync(v => v.OrganizationId == tenant.Id && v.Id == request.VolunteerId, ct))
            throw RuleBreach.NotFound("volunteer_not_found", "/volunteerId");
        if (request.Level is { } level && await (await StarStandings.Now(organization, db, now, ct)).LevelOf(request.VolunteerId, ct) < level)
            throw new RuleBreach("level_not_reached", level);

        var award = new Award(tenant.Id, request.VolunteerId, new AwardText(request.Name, request.Level, request.AwardedBy, request.Reason),
            request.ProposedOn ?? today, tenant.ActorId, now);
        db.Add(award);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/awards/{award.Id}", await View(award.Id, tenant, db, ct));
    }

    /// <summary>
    /// Proposes a star award for everybody who has a level and no live award of it: of the highest level that they have.
    /// 1,000 at most at once, the highest levels first; <c>more</c> says that another call has work to do.
    /// </summary>
    private static async Task<Ok<AwardProposalsView>> ProposeStars(
        AwardProposalsRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.LockOrganization(tenant.Id, ct);
        var now = clock.GetUtcNow();
        var standings = await StarStandings.Now(organization, db, now, ct);
        var without = await standings.Read(new StarSelection(Level: request.Level, WithoutAward: true), MostProposals + 1, ct);
        var awards = without.Take(MostProposals).Select(standing => new Award(tenant.Id, standing.VolunteerId,
            new AwardText(request.Name, standing.Level, request.AwardedBy, request.Reason), standings.Day, tenant.ActorId, now)).ToArray();
        db.AddRange(awards);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new AwardProposalsView(
            [.. awards.Zip(without, (award, standing) => new AwardProposalView(award.Id, standing.VolunteerId, standing.Number, standing.Name, standing.Level, standing.ReachedOn!.Value))],
            without.Count > MostProposals));
    }

    /// <summary>Shows an award.</summary>
    private static async Task<Results<Found<AwardView>, NotFound>> Get(Guid awardId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        await db.Awards.VisibleTo(tenant, await db.Today(tenant, clock, ct)).Where(a => a.Id == awardId).Select(AwardView.Projection(tenant, db)).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Makes a proposal public (公示), by default from today, for as many days as the star rule in force asks or longer.</summary>
    private static async Task<Results<Found<AwardView>, NotFound>> Publish(
        Guid awardId, AwardPublicationRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockAward(tenant.Id, awardId, ct) is not { } award) return TypedResults.NotFound();

        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var today = organization.DayOf(clock.GetUtcNow());
        // From here on everybody reads the name.
        await db.RefuseDataOfChild(organization, award.VolunteerId, clock.GetUtcNow(), ct);
        var from = request.From ?? today;
        var rule = (await StarRules.Load(db, tenant.Id, from > today ? from : today, clock.GetUtcNow(), ct)).Current;
        var to = request.To ?? from.AddDays(Math.Max(1, rule.PublicityDays) - 1);
        if (from < today || to < from || to >= from.AddDays(60)) throw new RuleBreach("publicity_out_of_bounds", today);
        if (to < from.AddDays(rule.PublicityDays - 1)) throw new RuleBreach("publicity_too_short", rule.PublicityDays);
        award.Publish(from, to);
        await db.SaveChangesAsync(ct);
        return Answer.Found(await View(awardId, tenant, db, ct));
    }

    /// <summary>
    /// Confirms an award once its last public day has passed, every objection has its answer, and, of a star award, the
    /// volunteer still has the level. Where the star rule in force asks for no public days, a proposal can be confirmed. Nobody
    /// confirms their own.
    /// </summary>
    private static async Task<Results<Found<AwardView>, NotFound>> Confirm(
        Guid awardId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockAward(tenant.Id, awardId, ct) is not { } award) return TypedResults.NotFound();

        award.RefuseOwn(tenant.VolunteerId);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var standings = await StarStandings.Now(organization, db, clock.GetUtcNow(), ct);
        var level = award.Level is null ? 0 : await standings.LevelOf(award.VolunteerId, ct);
        var objected = await db.AwardObjections.AnyAsync(o => o.OrganizationId == tenant.Id && o.AwardId == awardId && o.Answer == null, ct);
        award.Confirm(standings.Day, level, objected, withoutPublicity: standings.Rule.PublicityDays == 0, tenant.ActorId);
        await db.SaveChangesAsync(ct);
        return Answer.Found(await View(awardId, tenant, db, ct));
    }

    /// <summary>Withdraws an award, at any time and with a reason. It is kept; a star award of the level can be proposed again.</summary>
    private static async Task<Results<Found<AwardView>, NotFound>> Withdraw(
        Guid awardId, ReasonRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockAward(tenant.Id, awardId, ct) is not { } award) return TypedResults.NotFound();

        award.Withdraw(request.Reason, await db.Today(tenant, clock, ct), tenant.ActorId);
        await db.SaveChangesAsync(ct);
        return Answer.Found(await View(awardId, tenant, db, ct));
    }

    private static Task<AwardView> View(Guid awardId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Awards.AsNoTracking().Where(a => a.OrganizationId == tenant.Id && a.Id == awardId).Select(AwardView.Projection(tenant, db)).SingleAsync(ct);
}

internal static class AwardQueries
{
    /// <summary>All for those who read everything; what is public today, or confirmed, for everybody else.</summary>
    public static IQueryable<Award> VisibleTo(this IQueryable<Award> awards, Tenant tenant, DateOnly today) => awards.Where(a => a.OrganizationId == tenant.Id
        && (tenant.ReadsAll || (a.Status == AwardStatus.InPublicity && a.PublicityFrom <= today) || a.Status == AwardStatus.Confirmed));

    public static async Task<DateOnly> Today(this VolunteersDb db, Tenant tenant, TimeProvider clock, CancellationToken ct) =>
        (await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct)).DayOf(clock.GetUtcNow());

    /// <summary>An award about to change or to be objected to. Comes after the organization; nothing else is locked with it.</summary>
    public static Task<Award?> LockAward(this VolunteersDb db, Guid organizationId, Guid id, CancellationToken ct) =>
        db.Awards.FromSql($"select * from awards where organization_id = {organizationId} and id = {id} for no key update").SingleOrDefaultAsync(ct);
}
