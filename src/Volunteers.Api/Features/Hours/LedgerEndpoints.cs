using System.Globalization;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

internal static class LedgerEndpoints
{
    public static void MapLedger(this RouteGroupBuilder organization)
    {
        var ledger = organization.MapGroup("/ledger").WithTags("Ledger").Allows(Access.Read).Scoped(Scope.Hours);

        ledger.MapGet("", List).WithName("listPostings").ShowsPersonalData();
        ledger.MapGet("/verification", Verify).WithName("verifyLedger").ShowsNoPersonalData();
    }

    /// <summary>
    /// Lists postings in the order in which they were booked. <c>after</c> the last position seen it is a complete feed. A
    /// team coordinator sees their teams' lines.
    /// </summary>
    private static async Task<Paged<PostingView>> List([AsParameters] LedgerQuery query, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var size = query.Limit ?? 50;
        var postings = await db.HourPostings
            .Where(p => p.OrganizationId == tenant.Id && p.Position > (query.After ?? 0) && (tenant.ReadsAll || tenant.Teams.Contains(p.TeamId)))
            .OrderBy(p => p.Position).Take(size + 1)
            .Select(p => new PostingView(p.Position, p.RecordId, p.Cause, p.VolunteerId, p.TeamId, p.ActivityId, p.ProjectId, p.Category, p.Evidence,
                p.ServiceDate, p.Minutes, p.PersonTimes, p.PostedAt, p.PostedBy, Convert.ToHexStringLower(p.PreviousHash), Convert.ToHexStringLower(p.Hash)))
            .ToListAsync(ct);
        if (postings.Count <= size) return new Paged<PostingView>(new Page<PostingView>(postings, null));
        postings.RemoveAt(size);
        return new Paged<PostingView>(new Page<PostingView>(postings, postings[^1].Position.ToString(CultureInfo.InvariantCulture)), cursorParameter: "after");
    }

    /// <summary>
    /// Recomputes the whole chain and every sum: positions without a gap, each line's hash, the totals, and each record's
    /// credited minutes against its postings. A team coordinator is told of all that is wrong, but names of records only their
    /// teams'.
    /// </summary>
    private static async Task<Ok<LedgerVerification>> Verify(Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var found = await LedgerVerification.Of(tenant.Id, db, ct);
        var named = found.Faults.Select(fault => fault.RecordId).OfType<Guid>().ToArray();
        var seen = tenant.ReadsAll ? named : await db.ServiceRecords.VisibleTo(tenant).Where(r => named.Contains(r.Id)).Select(r => r.Id).ToArrayAsync(ct);
        return TypedResults.Ok(found with { Faults = [.. found.Faults.Select(fault => fault.RecordId is { } id && !seen.Contains(id) ? fault with { RecordId = null } : fault)] });
    }
}

/// <summary>Which part of the ledger.</summary>
/// <param name="After">Postings after this position; 0, the beginning, when not given.</param>
/// <param name="Limit">How many at most, 1 to 200; 50 when not given.</param>
internal sealed record LedgerQuery([property: FromQuery] long? After = null, [property: FromQuery] int? Limit = null)
{
    internal sealed class Validator : AbstractValidator<LedgerQuery>
    {
        public Validator()
        {
            RuleFor(query => query.After).GreaterThanOrEqualTo(0);
            RuleFor(query => query.Limit).InclusiveBetween(1, 200);
        }
    }
}

/// <summary>One line of the hours ledger; never changed.</summary>
/// <param name="Position">1, 2, 3 … without a gap in the organization.</param>
/// <param name="RecordId">The record it books.</param>
/// <param name="Cause">Why.</param>
/// <param name="VolunteerId">Null for a headcount.</param>
/// <param name="TeamId">In which team the service was given.</param>
/// <param name="ActivityId">For which activity.</param>
/// <param name="ProjectId">From which project.</param>
/// <param name="Category">Of which category.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="ServiceDate">Local day on which the service began.</param>
/// <param name="Minutes">Signed.</param>
/// <param name="PersonTimes">Signed.</param>
/// <param name="PostedAt">When it was booked.</param>
/// <param name="PostedBy">The account or client that did it.</param>
/// <param name="PreviousHash">The hash of the line before, in hexadecimal; empty for the first.</param>
/// <param name="Hash">SHA-256 over that hash and this line.</param>
internal sealed record PostingView(
    long Position, Guid RecordId, PostingCause Cause, Guid? VolunteerId, Guid TeamId, Guid ActivityId, Guid? ProjectId, string Category, Evidence Evidence,
    DateOnly ServiceDate, int Minutes, int PersonTimes, DateTimeOffset PostedAt, Guid PostedBy, string PreviousHash, string Hash);
