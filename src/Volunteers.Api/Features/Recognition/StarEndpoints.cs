using System.Data;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Recognition;

internal static class StarEndpoints
{
    public static void MapStars(this RouteGroupBuilder organization) =>
        organization.MapGet("/stars", List).WithTags("Recognition").WithName("listStars").ShowsPersonalData().Allows(Access.Read).Scoped(Scope.Recognition).RefusesWith(409);

    /// <summary>
    /// Lists who has reached which level, and since which day, by level and number: as it stands, or as it stood at the end
    /// of a day or at a position of the ledger.
    /// </summary>
    /// <remarks>
    /// The hours of a level are reached on the first of the local days, up to the one asked about, since when the sum of
    /// what was booked by the end of each day was never below them. A correction that takes hours back takes the level back
    /// from its day on; earlier days stay as they were. The tenure counts from the day of joining; a level whose terms a new
    /// rule changed is reached no earlier than that rule came into force. All hours in the organization count, also for a
    /// team coordinator, who sees the members of their teams. Names, numbers, days of joining, the rule and the time zone are
    /// those of then, so that a day that is over says the same for ever; teams are those of now.
    /// </remarks>
    private static async Task<Ok<StarListView>> List(
        [AsParameters] StarQuery query, HttpContext http, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // One snapshot for the point in the ledger, the rule and the sums, so that they fit each other.
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var after = query.Cursor is null ? null : Cursors.Read<StarCursor>(query.Cursor);
        if (after is { Number: null } or { Point: null }) throw RuleBreach.Malformed("invalid_cursor", "/cursor");
        var point = after?.Point.InUtc() ?? await StarPoint.Find(query.AsOf, organization, db, clock.GetUtcNow(), ct);
        var standings = await StarStandings.At(point, organization, db, ct);

        var size = query.Limit ?? 50;
        var found = await standings.Read(new StarSelection(tenant, Team: query.Team, Level: query.Level,
            After: after is null ? null : (after.Level, after.Number)), size + 1, ct);
        var items = found.Take(size).Select(standing => StarView.Of(standing, standings.Rule, point.Day)).ToArray();
        var next = found.Count <= size ? null : Cursors.Write(new StarCursor(items[^1].Level, items[^1].Number, point));
        if (next is not null) Cursors.Link(http, "cursor", next);
        return TypedResults.Ok(new StarListView(new StarPointView(point.Position, point.Day), standings.Rule.Version, items, next));
    }

    /// <summary>The pages that follow show the ledger of the first.</summary>
    private sealed record StarCursor(int Level, string Number, StarPoint Point);
}

/// <summary>Whose stars to list, and as of when.</summary>
/// <param name="AsOf">As it stood at the end of this local day, or at this position of the ledger (with the rule and the names of when it was booked); as it stands now when not given.</param>
/// <param name="Level">Those at exactly this level; 0 for those who have hours that count, but no level yet. Those who have one when not given.</param>
/// <param name="Team">Present members of exactly this team.</param>
/// <param name="Limit">How many items at most, 1 to 200; 50 when not given.</param>
/// <param name="Cursor">The <c>next</c> of the page before. Opaque: take it as it came.</param>
internal sealed record StarQuery(
    [property: FromQuery] string? AsOf = null, [property: FromQuery] int? Level = null, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] int? Limit = null, [property: FromQuery] string? Cursor = null)
{
    internal sealed class Validator : AbstractValidator<StarQuery>
    {
        public Validator()
        {
            RuleFor(query => query.AsOf).MaximumLength(40).Must(asOf => asOf is null || StarPoint.IsReadable(asOf)).WithMessage(_ => Messages.Title("unreadable_star_day"));
            RuleFor(query => query.Level).InclusiveBetween(0, 10);
            RuleFor(query => query.Limit).InclusiveBetween(1, 200);
            RuleFor(query => query.Cursor).MaximumLength(400);
        }
    }
}

/// <summary>Who has reached which level.</summary>
/// <param name="AsOf">What counts.</param>
/// <param name="RuleVersion">The star rule in force on that day.</param>
/// <param name="Items">The highest level first, then by number.</param>
/// <param name="Next">Send it as <c>cursor</c> for the page that follows, of the same point in the ledger; null on the last page.</param>
internal sealed record StarListView(StarPointView AsOf, int RuleVersion, IReadOnlyList<StarView> Items, string? Next);

/// <summary>Up to where hours count.</summary>
/// <param name="Position">The last posting that counts; 0 before the first.</param>
/// <param name="Day">The local day whose rule holds, and by which the tenure must be complete.</param>
internal sealed record StarPointView(long Position, DateOnly Day);

/// <summary>A volunteer's level.</summary>
/// <param name="VolunteerId">Who.</param>
/// <param name="Number">Their number.</param>
/// <param name="Name">Their name.</param>
/// <param name="JoinedOn">The local day from which their tenure counts.</param>
/// <param name="Level">The highest that they have; 0 for none.</param>
/// <param name="ReachedOn">The local day since which they have it; null without one.</param>
/// <param name="CountedMinutes">Whole minutes on the evidence that counts.</param>
/// <param name="ByEvidence">The same by how we know; only what there is.</param>
/// <param name="NextLevel">The level to come; null when they have all.</param>
/// <param name="MissingMinutes">What is missing to its hours; null when they have all levels.</param>
/// <param name="MissingMonths">Months, begun ones included, until its tenure is complete; null when they have all levels.</param>
internal sealed record StarView(
    Guid VolunteerId, string Number, string Name, DateOnly JoinedOn, int Level, DateOnly? ReachedOn, long CountedMinutes, IReadOnlyList<StarEvidence> ByEvidence,
    int? NextLevel, long? MissingMinutes, int? MissingMonths)
{
    public static StarView Of(StarStanding standing, StarRule rule, DateOnly day)
    {
        var next = rule.Levels.ElementAtOrDefault(standing.Level);
        return new StarView(standing.VolunteerId, standing.Number, standing.Name, standing.JoinedOn, standing.Level, standing.ReachedOn, standing.Minutes, standing.ByEvidence,
            next?.Level, next is null ? null : Math.Max(0, next.Minutes - standing.Minutes), next?.MissingMonths(standing.JoinedOn, day));
    }
}

/// <summary>What counts towards a level and is known in one way.</summary>
/// <param name="Evidence">How we know.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record StarEvidence(Evidence Evidence, long Minutes);
