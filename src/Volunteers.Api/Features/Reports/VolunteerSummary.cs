using System.Data;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Recognition;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reports;

internal static class VolunteerSummaryEndpoint
{
    public static void MapVolunteerSummary(this RouteGroupBuilder organization) =>
        organization.MapGet("/volunteers/{volunteerId:guid}/summary", Get).WithTags("Volunteers").WithName("getVolunteerSummary").ShowsPersonalData().Scoped(Scope.Hours).RefusesWith(404);

    /// <summary>
    /// Sums up what one volunteer has given in the whole organization, in whatever team, and how far the next star is. For
    /// the volunteer, and for those who see their profile.
    /// </summary>
    private static async Task<Results<Ok<VolunteerSummary>, NotFound>> Get(
        Guid volunteerId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // One snapshot for the totals and for the ledger that the stars are reckoned from.
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var joinedOn = await db.Volunteers.VisibleTo(tenant, db).Where(v => v.Id == volunteerId).Select(v => (DateOnly?)v.JoinedOn).SingleOrDefaultAsync(ct);
        if (joinedOn is null) return TypedResults.NotFound();

        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var sums = await db.HourTotals.Where(t => t.OrganizationId == tenant.Id && t.VolunteerId == volunteerId)
            .GroupBy(t => new { t.Month.Year, t.Evidence })
            .Select(g => new HoursGiven(g.Key.Year, g.Key.Evidence, g.Sum(t => t.Minutes), g.Sum(t => t.PersonTimes)))
            .ToListAsync(ct);
        var standings = await StarStandings.Now(organization, db, clock.GetUtcNow(), ct);
        var standing = (await standings.Read(new StarSelection(Volunteer: volunteerId), 1, ct)).SingleOrDefault();
        return TypedResults.Ok(VolunteerSummary.Of(volunteerId, sums, Stars.Of(standing, joinedOn.Value, standings.Rule, standings.Day)));
    }
}

/// <summary>Minutes and person-times of one year on one evidence.</summary>
internal sealed record HoursGiven(int Year, Evidence Evidence, long Minutes, long PersonTimes);

/// <summary>What one volunteer has given, all credited service together.</summary>
/// <param name="VolunteerId">Who.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
/// <param name="Hours">The minutes as hours, rounded half up to two decimals.</param>
/// <param name="ByEvidence">How we know; only what there is.</param>
/// <param name="ByYear">By the year of the local day on which the service began; only what there is.</param>
/// <param name="Stars">By the star rule in force today.</param>
internal sealed record VolunteerSummary(
    Guid VolunteerId, long PersonTimes, long Minutes, decimal Hours, IReadOnlyList<EvidenceFigures> ByEvidence, IReadOnlyList<YearFigures> ByYear, Stars Stars)
{
    public static VolunteerSummary Of(Guid volunteerId, List<HoursGiven> sums, Stars stars)
    {
        var minutes = sums.Sum(s => s.Minutes);
        return new VolunteerSummary(volunteerId, sums.Sum(s => s.PersonTimes), minutes, HourFigures.InHours(minutes),
            [.. sums.GroupBy(s => s.Evidence).OrderBy(g => g.Key)
                .Select(g => new EvidenceFigures(g.Key, g.Sum(s => s.PersonTimes), g.Sum(s => s.Minutes))).Where(f => f.PersonTimes != 0)],
            [.. sums.GroupBy(s => s.Year).OrderBy(g => g.Key)
                .Select(g => new YearFigures(g.Key, g.Sum(s => s.PersonTimes), g.Sum(s => s.Minutes))).Where(f => f.PersonTimes != 0)],
            stars);
    }
}

/// <summary>What is known in one way.</summary>
/// <param name="Evidence">How we know.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record EvidenceFigures(Evidence Evidence, long PersonTimes, long Minutes)
{
    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);
}

/// <summary>What was given in one year.</summary>
/// <param name="Year">Local year.</param>
/// <param name="PersonTimes">Participations.</param>
/// <param name="Minutes">Whole minutes.</param>
internal sealed record YearFigures(int Year, long PersonTimes, long Minutes)
{
    /// <summary>The minutes as hours, rounded half up to two decimals.</summary>
    public decimal Hours => HourFigures.InHours(Minutes);
}

/// <summary>A volunteer's stars, by the rule in force today.</summary>
/// <param name="Level">How many they have; 0 below the first.</param>
/// <param name="ReachedOn">The local day since which they have that level; null without one.</param>
/// <param name="RuleVersion">The star rule in force.</param>
/// <param name="CountedMinutes">Whole minutes on the evidence that counts.</param>
/// <param name="NextLevel">The one to come; null when they have all.</param>
/// <param name="MissingMinutes">What is missing to its hours; null when they have all.</param>
/// <param name="MissingHours">The same in hours, rounded half up to two decimals.</param>
/// <param name="MissingMonths">Months, begun ones included, until its tenure is complete; null when they have all.</param>
internal sealed record Stars(
    int Level, DateOnly? ReachedOn, int RuleVersion, long CountedMinutes, int? NextLevel, long? MissingMinutes, decimal? MissingHours, int? MissingMonths)
{
    /// <summary>A star is earned with the last minute of its threshold, not by rounding.</summary>
    public static Stars Of(StarStanding? standing, DateOnly joinedOn, StarRule rule, DateOnly today)
    {
        var (level, minutes) = (standing?.Level ?? 0, standing?.Minutes ?? 0);
        if (rule.Levels.ElementAtOrDefault(level) is not { } next) return new Stars(level, standing?.ReachedOn, rule.Version, minutes, null, null, null, null);
        var missing = Math.Max(0, next.Minutes - minutes);
        return new Stars(level, standing?.ReachedOn, rule.Version, minutes, next.Level, missing, HourFigures.InHours(missing), next.MissingMonths(joinedOn, today));
    }
}
