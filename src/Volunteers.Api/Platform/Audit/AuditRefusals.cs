using System.Collections.Concurrent;

namespace Volunteers.Platform.Audit;

/// <summary>
/// Attempts that were refused and matter: what somebody with a role in the organization may not do (403), and wrong
/// passwords. Whoever tries cannot fill the trail: the first of a kind is written within a second, those that follow within
/// a minute are counted, and written as one; of one actor not more than <see cref="KindsOfAnActor"/> kinds. Written in the
/// background, so that a refusal takes as long as it would without; a service that is killed loses a second of them.
/// </summary>
internal sealed class AuditRefusals(AuditWriter writer, ICallers callers, TimeProvider clock, ILogger<AuditRefusals> log)
{
    private const int KindsOfAnActor = 20;
    private const int MostKinds = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Kind, Tally> tallies = new();
    private readonly ConcurrentDictionary<Guid, int> kindsOf = new();

    /// <summary>A refusal in an organization where the caller has a role; strangers leave no trace in other people's trail.</summary>
    public void Note(HttpContext http, string code)
    {
        if (Caller.Of(http) is not { } caller || http.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>() is null
            || !http.Request.RouteValues.TryGetValue("organizationId", out var value) || !Guid.TryParse((string?)value, out var organizationId)
            || !caller.BelongsTo(organizationId)) return;

        var kind = !HttpMethods.IsGet(http.Request.Method) ? AuditKind.Change : http.GetEndpoint()!.Metadata.GetMetadata<PersonalDataShown>()?.Kind ?? AuditKind.Look;
        Note(organizationId, AuditScene.Of(http, kind) with { Outcome = AuditOutcome.Refused, Code = code });
    }

    /// <param name="organizationId">Null for every organization in which the actor has a role.</param>
    /// <param name="scene">Whose attempt it was, and why it was refused.</param>
    public void Note(Guid? organizationId, AuditScene scene)
    {
        var actor = scene.ActorId ?? Guid.Empty;
        var kind = new Kind(organizationId, actor, scene.Operation, scene.Code);
        if (!tallies.ContainsKey(kind) && (tallies.Count >= MostKinds || kindsOf.GetValueOrDefault(actor) >= KindsOfAnActor))
            kind = new Kind(organizationId, actor, "", null);
        while (!Tallied(kind, scene)) { }
    }

    /// <summary>Writes what is due: new kinds at once, known ones when their minute is over.</summary>
    public async Task Flush(bool all = false)
    {
        foreach (var (kind, tally) in tallies)
        {
            AuditScene? scene = null;
            var count = 0;
            lock (tally)
            {
                var over = all || clock.GetUtcNow() - tally.WrittenAt >= Window;
                if (over && tally.Count > 0) (scene, count, tally.Count, tally.WrittenAt) = (tally.Last, tally.Count, 0, clock.GetUtcNow());
                else if (over) Forget(kind, tally);
            }
            if (scene is not null) await Write(kind, scene, count);
        }
        foreach (var (actor, kinds) in kindsOf)
            if (kinds <= 0) kindsOf.TryRemove(KeyValuePair.Create(actor, kinds));
    }

    /// <returns>False when it was forgotten in the meantime.</returns>
    private bool Tallied(Kind kind, AuditScene scene)
    {
        var made = new Tally();
        var tally = tallies.GetOrAdd(kind, made);
        // Of two at once only the one that got in.
        if (ReferenceEquals(tally, made)) kindsOf.AddOrUpdate(kind.ActorId, 1, (_, count) => count + 1);
        lock (tally)
        {
            if (tally.Forgotten) return false;
            (tally.Last, tally.Count) = (scene, tally.Count + 1);
            return true;
        }
    }

    private void Forget(Kind kind, Tally tally)
    {
        tally.Forgotten = true;
        tallies.TryRemove(kind, out _);
        kindsOf.AddOrUpdate(kind.ActorId, 0, (_, kinds) => kinds - 1);
    }

    private async Task Write(Kind kind, AuditScene scene, int count)
    {
        try
        {
            var organizations = kind.OrganizationId is { } one ? [one] : AuditTrail.AboveOrganizations(await callers.OrganizationsOf(kind.ActorId, CancellationToken.None));
            await Task.WhenAll(organizations.Select(organization => writer.Write(AuditDraft.Of(scene with { Times = count }, organization, new AuditDetails(), scene.VolunteerId is { } volunteer ? [volunteer] : []))));
        }
        catch (Exception failed)
        {
            log.LogWarning("{Count} refused attempts could not be written: {Reason}", count, failed.Message);
        }
    }

    private sealed record Kind(Guid? OrganizationId, Guid ActorId, string Operation, string? Code);

    private sealed class Tally
    {
        public AuditScene? Last { get; set; }

        public int Count { get; set; }

        public DateTimeOffset WrittenAt { get; set; }

        public bool Forgotten { get; set; }
    }
}

internal static class RefusalTrail
{
    /// <summary>Sees what authorization refuses and what handlers do; after callers are known.</summary>
    public static void UseRefusalTrail(this WebApplication app) => app.Use(async (http, next) =>
    {
        try
        {
            await next(http);
        }
        catch (RuleBreach breach) when (breach.Status == StatusCodes.Status403Forbidden)
        {
            http.RequestServices.GetRequiredService<AuditRefusals>().Note(http, breach.Code);
            throw;
        }
        if (http.Response.StatusCode == StatusCodes.Status403Forbidden) http.RequestServices.GetRequiredService<AuditRefusals>().Note(http, "forbidden");
    });
}
