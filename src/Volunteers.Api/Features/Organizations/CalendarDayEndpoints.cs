using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Organizations;

internal static class CalendarDayEndpoints
{
    public static void MapCalendarDays(this RouteGroupBuilder organization)
    {
        var days = organization.MapGroup("/calendar-days").WithTags("Organizations").Scoped(Scope.Organization);

        days.MapGet("", List).WithName("listCalendarDays").ShowsNoPersonalData();
        days.MapPut("", Set).WithName("setCalendarDays").Allows(Access.Administer).NotForClients();
        days.MapDelete(@"/{day:regex(^\d\d\d\d-\d\d-\d\d$)}", Remove).WithName("removeCalendarDay").Allows(Access.Administer).NotForClients().RefusesWith(404);
    }

    /// <summary>Lists the holidays, and the working days that make up for them, in order. Every other day is as the <c>restDays</c> of the settings say.</summary>
    private static Task<Paged<CalendarDayView>> List(
        [AsParameters] PageQuery page, [AsParameters] CalendarDayFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.CalendarDays.Where(d => d.OrganizationId == tenant.Id && (filter.From == null || d.Day >= filter.From) && (filter.To == null || d.Day <= filter.To))
            .ToPage(page, d => d.Day, d => d.Id, CalendarDayView.Projection, ct);

    /// <summary>
    /// Sets these days, all at once; days that are not named stay as they are. What was recorded late before stays so; the
    /// days on which records are due follow the new calendar.
    /// </summary>
    private static async Task<Ok<CalendarDaysView>> Set(CalendarDaysRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // Two lists that name the same day meet here.
        await db.LockOrganization(tenant.Id, ct);
        var given = request.Days.Select(d => d.Day).ToArray();
        var known = await db.CalendarDays.Where(d => d.OrganizationId == tenant.Id && given.Contains(d.Day)).ToDictionaryAsync(d => d.Day, ct);
        foreach (var day in request.Days)
        {
            if (known.TryGetValue(day.Day, out var there)) there.Set(day.Kind, day.Name);
            else db.Add(new CalendarDay(tenant.Id, day.Day, day.Kind, day.Name, clock.GetUtcNow()));
        }
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new CalendarDaysView([.. request.Days.OrderBy(d => d.Day)]));
    }

    /// <summary>Takes a day out of the calendar: it is again what its day of the week is.</summary>
    /// <param name="day">As 2026-10-01.</param>
    /// <param name="tenant">Whose calendar.</param>
    /// <param name="db">Where it is.</param>
    /// <param name="ct">Ends it.</param>
    private static async Task<Results<NoContent, NotFound>> Remove(DateOnly day, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.DeleteNoted(db.CalendarDays.Where(d => d.OrganizationId == tenant.Id && d.Day == day), ct) == 1
            ? TypedResults.NoContent()
            : TypedResults.NotFound();
}

/// <summary>Which days to list.</summary>
/// <param name="From">The first day.</param>
/// <param name="To">The last day.</param>
internal sealed record CalendarDayFilter([property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null)
{
    internal sealed class Validator : AbstractValidator<CalendarDayFilter>
    {
        public Validator() => RuleFor(filter => filter.To).GreaterThanOrEqualTo(filter => filter.From).WithMessage(_ => Messages.Title("to_before_from"))
            .When(filter => filter.From is not null);
    }
}

/// <summary>Days to be set together.</summary>
/// <param name="Days">1 to 1,000, each once.</param>
internal sealed record CalendarDaysRequest(IReadOnlyList<CalendarDayView> Days)
{
    internal sealed class Validator : AbstractValidator<CalendarDaysRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Days).NotEmpty().AtMost(1000);
            RuleFor(request => request.Days).Must(days => days is null || days.Where(d => d is not null).DistinctBy(d => d.Day).Count() == days.Count)
                .WithMessage(_ => Messages.Title("each_once"));
            RuleForEach(request => request.Days).NotNull().ChildRules(day => day.RuleFor(d => d.Name).OptionalLine(100))
                .When(request => request.Days is { Count: <= 1000 });
        }
    }
}

/// <summary>A day on which the calendar differs from the week.</summary>
/// <param name="Day">The organization's local day.</param>
/// <param name="Kind">A holiday, or a day worked to make up for one.</param>
/// <param name="Name">What it is called; at most 100 characters.</param>
internal sealed record CalendarDayView(DateOnly Day, CalendarDayKind Kind, string? Name = null)
{
    public static Expression<Func<CalendarDay, CalendarDayView>> Projection => d => new CalendarDayView(d.Day, d.Kind, d.Name);
}

/// <summary>The days that were set, in order.</summary>
internal sealed record CalendarDaysView(IReadOnlyList<CalendarDayView> Items);
