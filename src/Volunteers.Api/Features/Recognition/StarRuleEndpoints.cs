using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Recognition;

internal static class StarRuleEndpoints
{
    public static void MapStarRules(this RouteGroupBuilder organization)
    {
        var rules = organization.MapGroup("/star-rules").WithTags("Recognition").Scoped(Scope.Recognition);

        rules.MapGet("", List).WithName("listStarRules").ShowsNoPersonalData();
        rules.MapPost("", Create).WithName("createStarRule").Allows(Access.Administer).NotForClients().RefusesWith(409);
    }

    /// <summary>Lists every version of the star rule in order, the default as version 0 first. One of them is in force today.</summary>
    private static async Task<Ok<StarRuleListView>> List(Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var now = clock.GetUtcNow();
        var current = (await StarRules.Load(db, tenant.Id, organization.DayOf(now), now, ct)).Current;
        var rules = await db.StarRules.AsNoTracking().Where(rule => rule.OrganizationId == tenant.Id).OrderBy(rule => rule.Version).ToListAsync(ct);
        return TypedResults.Ok(new StarRuleListView([.. rules.Prepend(StarRule.Default).Select(rule => StarRuleView.Of(rule, current.Version))]));
    }

    /// <summary>
    /// Makes the next version of the star rule, in force from a day on, today at the earliest. A level on terms other than
    /// before is reached on that day at the earliest; one whose hours, months and evidence stay keeps its dates.
    /// </summary>
    private static async Task<Microsoft.AspNetCore.Http.HttpResults.Created<StarRuleView>> Create(StarRuleRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // Of two at the same moment the second waits here, and then counts the first.
        var organization = await db.LockOrganization(tenant.Id, ct);
        var now = clock.GetUtcNow();
        var today = organization.DayOf(now);
        if (request.EffectiveFrom < today) throw new RuleBreach("rule_in_the_past", today);

        var version = 1 + await db.StarRules.CountAsync(rule => rule.OrganizationId == tenant.Id, ct);
        var rule = new StarRule(tenant.Id, version, request.EffectiveFrom ?? today, request.Levels, request.Evidence ?? Enum.GetValues<Evidence>(),
            request.PublicityDays, tenant.ActorId, now);
        db.Add(rule);
        await db.SaveChangesAsync(ct);
        var current = (await StarRules.Load(db, tenant.Id, today, now, ct)).Current;
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/star-rules", StarRuleView.Of(rule, current.Version));
    }
}

/// <summary>A star rule, as an administrator writes it.</summary>
/// <param name="Levels">One to ten, each asking more hours and no fewer months than the one before.</param>
/// <param name="EffectiveFrom">The first local day on which it is in force, today or later; today when not given.</param>
/// <param name="Evidence">Which evidence counts; all when not given.</param>
/// <param name="PublicityDays">How many local days an award is made public at least before it can be confirmed, 0 to 60; 7 when not given. 0 asks for none.</param>
internal sealed record StarRuleRequest(
    IReadOnlyList<StarLevel> Levels, DateOnly? EffectiveFrom = null, IReadOnlyList<Evidence>? Evidence = null, int PublicityDays = 7)
{
    internal sealed class Validator : AbstractValidator<StarRuleRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Levels).Between(1, 10).WithMessage(_ => Messages.Title("levels_must_rise"));
            RuleForEach(request => request.Levels).ChildRules(level =>
            {
                level.RuleFor(l => l.Level).InclusiveBetween(1, 10);
                level.RuleFor(l => l.Hours).InclusiveBetween(1, 100_000);
                level.RuleFor(l => l.MonthsRegistered).InclusiveBetween(0, 600);
            }).When(request => request.Levels is { Count: <= 10 });
            RuleFor(request => request.Levels).Must(Rise).WithMessage(_ => Messages.Title("levels_must_rise"));
            RuleFor(request => request.Evidence).Between(1, 10).WithMessage(_ => Messages.Title("some_evidence_must_count"));
            RuleFor(request => request.PublicityDays).InclusiveBetween(0, 60);
        }

        private static bool Rise(IReadOnlyList<StarLevel> levels) =>
            levels is { Count: >= 1 and <= 10 } && levels.All(level => level is not null)
            && levels.Index().All(each => each.Item.Level == each.Index + 1)
            && levels.Zip(levels.Skip(1)).All(pair => pair.First.Hours < pair.Second.Hours && pair.First.MonthsRegistered <= pair.Second.MonthsRegistered);
    }
}

/// <summary>Every version of an organization's star rule.</summary>
/// <param name="Items">By version; the default first.</param>
internal sealed record StarRuleListView(IReadOnlyList<StarRuleView> Items);

/// <summary>One version of the star rule; never changed.</summary>
/// <param name="Version">1, 2, 3 …; 0 is the default of every organization: the 100, 300, 600, 1000 and 1500 hours of the 2012 record measure.</param>
/// <param name="EffectiveFrom">The first local day on which it is in force; null for the default.</param>
/// <param name="Levels">What each level asks.</param>
/// <param name="Evidence">Which evidence counts.</param>
/// <param name="PublicityDays">How many local days an award is made public at least.</param>
/// <param name="InForce">Whether it is the one in force today.</param>
/// <param name="CreatedAt">When it was made; null for the default.</param>
/// <param name="CreatedBy">The administrator who made it; null for the default.</param>
internal sealed record StarRuleView(
    int Version, DateOnly? EffectiveFrom, IReadOnlyList<StarLevel> Levels, IReadOnlyList<Evidence> Evidence, int PublicityDays, bool InForce,
    DateTimeOffset? CreatedAt, Guid? CreatedBy)
{
    public static StarRuleView Of(StarRule rule, int current)
    {
        var isDefault = rule.Version == 0;
        return new StarRuleView(rule.Version, isDefault ? null : rule.EffectiveFrom,
            rule.Levels,
            [.. rule.Evidence.Select(word => Enum.Parse<Evidence>(word, ignoreCase: true))], rule.PublicityDays, rule.Version == current,
            isDefault ? null : rule.CreatedAt, isDefault ? null : rule.CreatedBy);
    }
}
