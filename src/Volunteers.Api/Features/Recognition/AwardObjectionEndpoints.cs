using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Recognition;

internal static class AwardObjectionEndpoints
{
    public static void MapAwardObjections(this RouteGroupBuilder awards)
    {
        var objections = awards.MapGroup("/{awardId:guid}/objections");

        objections.MapGet("", List).WithName("listAwardObjections").ShowsPersonalData().RefusesWith(404);
        objections.MapPost("", Object).WithName("objectToAward").Allows(Access.TakePart).RefusesWith(404, 409);
        objections.MapPost("/{objectionId:guid}/answer", Reply).WithName("answerAwardObjection").Allows(Access.CoordinateAll).RefusesWith(404, 409);
    }

    /// <summary>
    /// Lists what was said against an award, with the answers: all of it for coordinators of the whole organization,
    /// administrators and auditors; their own for everybody else.
    /// </summary>
    private static async Task<Results<Paged<AwardObjectionView>, NotFound>> List(
        Guid awardId, [AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Awards.VisibleTo(tenant, await db.Today(tenant, clock, ct)).AnyAsync(a => a.Id == awardId, ct)) return TypedResults.NotFound();

        return await db.AwardObjections.Where(o => o.OrganizationId == tenant.Id && o.AwardId == awardId && (tenant.ReadsAll || o.By == tenant.ActorId))
            .ToPage(page, o => o.Id, o => new AwardObjectionView(o.Id, o.Message, o.By, o.At, o.Answer, o.AnsweredBy, o.AnsweredAt), ct);
    }

    /// <summary>Says something against an award that is public and not confirmed yet. It is kept, and must be answered first.</summary>
    private static async Task<Results<Microsoft.AspNetCore.Http.HttpResults.Created<AwardObjectionView>, NotFound>> Object(
        Guid awardId, ObjectionRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        // Whoever confirms at the same moment comes before it, and refuses it, or after it, and finds it.
        if (await db.LockAward(tenant.Id, awardId, ct) is not { } award) return TypedResults.NotFound();
        // What they cannot see is not there for them.
        var today = await db.Today(tenant, clock, ct);
        if (!await db.Awards.VisibleTo(tenant, today).AnyAsync(a => a.Id == awardId, ct)) return TypedResults.NotFound();

        award.RefuseUnlessPublic(today);
        var objection = new AwardObjection(award, request.Message, tenant.ActorId, clock.GetUtcNow());
        db.Add(objection);
        await db.SaveChangesAsync(ct);
        return TypedResults.Created($"/v1/organizations/{tenant.Id}/awards/{awardId}/objections", AwardObjectionView.Of(objection));
    }

    /// <summary>Answers an objection, once. Nobody answers what was said against their own award.</summary>
    private static async Task<Results<Ok<AwardObjectionView>, NotFound>> Reply(
        Guid awardId, Guid objectionId, ObjectionAnswerRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await db.LockAward(tenant.Id, awardId, ct) is not { } award) return TypedResults.NotFound();
        var objection = await db.AwardObjections.SingleOrDefaultAsync(o => o.OrganizationId == tenant.Id && o.AwardId == awardId && o.Id == objectionId, ct);
        if (objection is null) return TypedResults.NotFound();

        award.RefuseOwn(tenant.VolunteerId);
        objection.Reply(request.Answer, tenant.ActorId, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(AwardObjectionView.Of(objection));
    }
}

/// <summary>Something to say against an award.</summary>
/// <param name="Message">At most 1,000 characters.</param>
internal sealed record ObjectionRequest(string Message)
{
    internal sealed class Validator : AbstractValidator<ObjectionRequest>
    {
        public Validator() => RuleFor(request => request.Message).NotEmpty().MaximumLength(1000);
    }
}

/// <summary>The answer to an objection.</summary>
/// <param name="Answer">At most 1,000 characters.</param>
internal sealed record ObjectionAnswerRequest(string Answer)
{
    internal sealed class Validator : AbstractValidator<ObjectionAnswerRequest>
    {
        public Validator() => RuleFor(request => request.Answer).NotEmpty().MaximumLength(1000);
    }
}

/// <summary>What was said against an award.</summary>
/// <param name="Id">Which objection.</param>
/// <param name="Message">What was said.</param>
/// <param name="By">The account or client that said it.</param>
/// <param name="At">When.</param>
/// <param name="Answer">Null until it is answered.</param>
/// <param name="AnsweredBy">The account or client that answered.</param>
/// <param name="AnsweredAt">When it was answered.</param>
internal sealed record AwardObjectionView(Guid Id, string Message, Guid By, DateTimeOffset At, string? Answer, Guid? AnsweredBy, DateTimeOffset? AnsweredAt)
{
    public static AwardObjectionView Of(AwardObjection o) => new(o.Id, o.Message, o.By, o.At, o.Answer, o.AnsweredBy, o.AnsweredAt);
}
