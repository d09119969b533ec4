using System.Text.Json;
using System.Text.Json.Nodes;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Audit;

/// <summary>Which events.</summary>
/// <param name="Actor">Done by this account or client; of a sign-in, also a failed one, whose it was.</param>
/// <param name="Operation">Of this operationId, or <c>signIn</c>, <c>refresh</c>; <c>signInToClient</c>, <c>signOut</c>, <c>agreeToClient</c>, <c>refuseClient</c>; what the service does by itself: <c>settleShift</c>, <c>carryOnSeries</c>, <c>forgetReconciliations</c>, <c>sendPasswordReset</c>, <c>rotateKeys</c>, <c>seed</c>, <c>pruneAudit</c>.</param>
/// <param name="Resource">On this thing: its id as the path has it.</param>
/// <param name="ResourceType">On things of this kind, for instance <c>serviceRecord</c>.</param>
/// <param name="Volunteer">Concerning this volunteer, named by the path, shown in a list or changed. Reports and exports say only by which filters they were made.</param>
/// <param name="Kind">Change, look, export or signIn.</param>
/// <param name="Outcome">Succeeded or refused.</param>
/// <param name="From">First local day.</param>
/// <param name="To">Last local day.</param>
internal sealed record AuditFilter(
    [property: FromQuery] Guid? Actor = null, [property: FromQuery] string? Operation = null, [property: FromQuery] string? Resource = null,
    [property: FromQuery] string? ResourceType = null, [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] AuditKind? Kind = null,
    [property: FromQuery] AuditOutcome? Outcome = null, [property: FromQuery] DateOnly? From = null, [property: FromQuery] DateOnly? To = null)
{
    public IQueryable<AuditEvent> Of(Organization organization, VolunteersDb db)
    {
        var events = Concerning(organization.Id, db);
        if (Actor is { } actor) events = events.Where(e => e.ActorId == actor);
        if (Operation is { } operation) events = events.Where(e => e.Operation == operation);
        if (Resource is { } resource) events = events.Where(e => e.ResourceId == resource);
        if (ResourceType is { } type) events = events.Where(e => e.ResourceType == type);
        if (Kind is { } kind) events = events.Where(e => e.Kind == kind);
        if (Outcome is { } outcome) events = events.Where(e => e.Outcome == outcome);
        // An id begins with its instant, so that the key itself finds a period.
        if (From is { } from)
        {
            var first = FirstIdOf(organization.StartOf(from));
            events = events.Where(e => e.Id >= first);
        }
        if (To is { } to)
        {
            var next = FirstIdOf(organization.StartOf(to.AddDays(1)));
            events = events.Where(e => e.Id < next);
        }
        return events;
    }

    /// <summary>
    /// Of one volunteer through their own index. How many there are PostgreSQL cannot know, and would rather read the whole
    /// trail backwards until it has a page: <c>offset 0</c> keeps it from that.
    /// </summary>
    private IQueryable<AuditEvent> Concerning(Guid organizationId, VolunteersDb db)
    {
        if (Volunteer is not { } volunteer) return db.Set<AuditEvent>().Where(e => e.OrganizationId == organizationId);
        Guid[] one = [volunteer];
        return db.Set<AuditEvent>().FromSql($"select * from audit_events where organization_id = {organizationId} and volunteers @> {one} offset 0");
    }

    private static Guid FirstIdOf(DateTimeOffset instant)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, instant.ToUnixTimeMilliseconds() << 16);
        return new Guid(bytes, bigEndian: true);
    }

    internal sealed class Validator : AbstractValidator<AuditFilter>
    {
        public Validator()
        {
            RuleFor(filter => filter.Operation).Length(1, 100);
            RuleFor(filter => filter.Resource).Length(1, AuditEvent.LongestId);
            RuleFor(filter => filter.ResourceType).Length(1, 50);
            RuleFor(filter => filter.To).GreaterThanOrEqualTo(filter => filter.From).WithMessage(_ => Messages.Title("to_before_from")).When(filter => filter.From is not null);
            // Ids know no time before 1970.
            RuleFor(filter => filter.From).GreaterThanOrEqualTo(new DateOnly(1970, 1, 2));
            RuleFor(filter => filter.To).GreaterThanOrEqualTo(new DateOnly(1970, 1, 2));
        }
    }
}

/// <summary>One thing that somebody did.</summary>
/// <param name="Id">Of the event.</param>
/// <param name="Position">1, 2, 3 … without a gap in the organization; null in the second before it is sealed.</param>
/// <param name="At">When.</param>
/// <param name="Kind">What it was.</param>
/// <param name="Operation">The operationId, or a word for what the service does by itself.</param>
/// <param name="Outcome">Whether it was done.</param>
/// <param name="Code">Why it was refused.</param>
/// <param name="Times">How many times, where the same refusal came again and again within a minute.</param>
/// <param name="Actor">Who did it.</param>
/// <param name="Role">The strongest role that they held here.</param>
/// <param name="TeamIds">The teams to which it was limited; null for the whole organization.</param>
/// <param name="Address">The network that the request came from, never the whole address.</param>
/// <param name="Agent">The family of the program, for instance <c>Firefox</c>.</param>
/// <param name="TraceId">That of the request; a refusal's <c>traceId</c> contains it.</param>
/// <param name="Resource">On what.</param>
/// <param name="VolunteerIds">Whom it concerns, as far as they were named one by one; at most 1,000.</param>
/// <param name="Changes">What became of it.</param>
/// <param name="Query">The filters of a look or an export, and other parameters; of one that may name a person only that it was given.</param>
/// <param name="Rows">How many rows were shown or taken away.</param>
internal sealed record AuditEventView(
    Guid Id, long? Position, DateTimeOffset At, AuditKind Kind, string Operation, AuditOutcome Outcome, string? Code, int Times, AuditActorView Actor,
    Role? Role, IReadOnlyList<Guid>? TeamIds, string? Address, string? Agent, string? TraceId, AuditResourceView? Resource, IReadOnlyList<Guid> VolunteerIds,
    IReadOnlyList<AuditChangeView> Changes, IReadOnlyDictionary<string, string>? Query, long? Rows)
{
    /// <summary>With the names of now, and the values that were not erased.</summary>
    public static async Task<IReadOnlyList<AuditEventView>> Of(IReadOnlyCollection<SealedEvent> events, Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var ids = events.Select(x => x.Event.Id).ToArray();
        var actors = events.Select(x => x.Event.ActorId).OfType<Guid>().Distinct().ToArray();
        var values = (await db.Set<AuditValue>().AsNoTracking().Where(v => v.OrganizationId == organizationId && ids.Contains(v.EventId)).ToListAsync(ct))
            .ToDictionary(value => (value.EventId, value.Position));
        var names = await db.Clients.Where(c => c.OrganizationId == organizationId && actors.Contains(c.Id)).ToDictionaryAsync(c => c.Id, c => c.Name, ct);
        foreach (var account in await db.Users.Where(a => actors.Contains(a.Id)).Select(a => new { a.Id, a.DisplayName }).ToListAsync(ct))
            names[account.Id] = account.DisplayName;
        return [.. events.Select(x => Of(x.Event, x.Position, names, values))];
    }

    private static AuditEventView Of(AuditEvent e, long? position, Dictionary<Guid, string> names, Dictionary<(Guid, int), AuditValue> values)
    {
        var details = AuditDetails.Read(e.Details);
        return new AuditEventView(e.Id, position, e.At, e.Kind, e.Operation, e.Outcome, e.Code, e.Times,
            new AuditActorView(e.ActorKind, e.ActorId, e.ActorId is { } actor ? names.GetValueOrDefault(actor) : null), e.Role, e.Teams, e.Address, e.Agent, e.TraceId,
            e.ResourceType is null ? null : new AuditResourceView(e.ResourceType, e.ResourceId), e.Volunteers,
            [.. (details.Changes ?? []).Select((change, index) => AuditChangeView.Of(change, values.GetValueOrDefault((e.Id, index))))], details.Query, details.Rows);
    }
}

/// <summary>Who did something.</summary>
/// <param name="Kind">An account, a client, somebody not signed in, or the service by itself.</param>
/// <param name="Id">Which account or client.</param>
/// <param name="Name">What it is called now; null when it is gone.</param>
internal sealed record AuditActorView(AuditActorKind Kind, Guid? Id, string? Name);

/// <summary>What something was done on.</summary>
/// <param name="Type">What kind of thing, for instance <c>serviceRecord</c>.</param>
/// <param name="Id">Which; null for a list.</param>
internal sealed record AuditResourceView(string Type, string? Id);

/// <summary>What became of a thing, or of many that were made alike.</summary>
/// <param name="Type">What kind of thing, for instance <c>volunteer</c>.</param>
/// <param name="Action">Created, changed or deleted.</param>
/// <param name="Ids">Which; at most 1,000.</param>
/// <param name="Count">How many; more than there are ids where so many were changed at once that they are only counted.</param>
/// <param name="Fields">What differs; none for things whose own history says it.</param>
internal sealed record AuditChangeView(string Type, AuditAction Action, IReadOnlyList<string> Ids, int Count, IReadOnlyList<AuditFieldView> Fields)
{
    public static AuditChangeView Of(AuditChange change, AuditValue? value)
    {
        var said = value is null ? [] : JsonNode.Parse(value.Texts)!.AsObject();
        return new AuditChangeView(change.Type, change.Action, change.Ids, change.Count ?? change.Ids.Count,
        [
            .. (change.Figures ?? new Dictionary<string, JsonNode?[]>()).Select(figure => new AuditFieldView(figure.Key, Text(figure.Value[0]), Text(figure.Value[1]), Erased: false)),
            .. (change.Texts ?? []).Select(name => said[name] is JsonArray pair
                ? new AuditFieldView(name, Text(pair[0]), Text(pair[1]), Erased: false)
                : new AuditFieldView(name, Before: null, After: null, Erased: true)),
        ]);
    }

    private static string? Text(JsonNode? value) => value is JsonValue text && text.GetValueKind() == JsonValueKind.String ? (string)text! : value?.ToJsonString(Json.Options);
}

/// <summary>One member of a thing, before and after, as text.</summary>
/// <param name="Name">As the API calls it.</param>
/// <param name="Before">Null when there was nothing.</param>
/// <param name="After">Null when there is nothing.</param>
/// <param name="Erased">Both were erased with the person whom they are about.</param>
internal sealed record AuditFieldView(string Name, string? Before, string? After, bool Erased);
