using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Npgsql;
using OpenIddict.Abstractions;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// What the bearer of each token may do, remembered while the token is in use. A background task loads all that is
/// remembered anew every two seconds in one round trip, so a request adds none, and what was revoked in the database (by
/// whom and however) stops working within five seconds. If the database does not answer, nothing is trusted longer than that.
/// </summary>
internal sealed class Callers(NpgsqlDataSource database, IConfiguration configuration, TimeProvider clock, ILogger<Callers> log) : BackgroundService, ICallers
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TrustedFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<Guid, Remembered> remembered = new();

    public async ValueTask<Caller?> Find(HttpContext http)
    {
        if (TokenOf(http) is not var (token, _)) return null;
        if (remembered.TryGetValue(token, out var known) && clock.GetElapsedTime(known.LoadedAt) < TrustedFor)
        {
            known.LastUsedAt = clock.GetTimestamp();
            return known.Caller;
        }
        return await Reload(http);
    }

    public async ValueTask<Caller?> Reload(HttpContext http)
    {
        if (TokenOf(http) is not var (token, scopes)) return null;
        var caller = Within(scopes, (await Load([token], http.RequestAborted)).GetValueOrDefault(token));
        remembered[token] = new Remembered(caller, scopes, clock.GetTimestamp()) { LastUsedAt = clock.GetTimestamp() };
        http.Features.Set(caller);
        return caller;
    }

    public async Task<Guid[]> OrganizationsOf(Guid accountId, CancellationToken ct)
    {
        await using var command = database.CreateCommand("select coalesce(array_agg(distinct organization_id), '{}') from role_grants where account_id = $1");
        command.Parameters.AddWithValue(accountId);
        return (Guid[])(await command.ExecuteScalarAsync(ct))!;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Refresh(stoppingToken);
            }
            catch (Exception failed) when (failed is NpgsqlException or TimeoutException)
            {
                log.LogWarning("Roles and revocations could not be read anew: {Reason}", failed.Message);
            }
        }
    }

    private async Task Refresh(CancellationToken ct)
    {
        foreach (var (token, entry) in remembered)
            if (clock.GetElapsedTime(entry.LastUsedAt) > ForgottenAfter) remembered.TryRemove(token, out _);

        foreach (var tokens in remembered.Keys.Chunk(1000))
        {
            var asked = clock.GetTimestamp();
            var loaded = await Load(tokens, ct);
            foreach (var token in tokens)
                if (remembered.TryGetValue(token, out var old) && old.LoadedAt < asked)
                    remembered.TryUpdate(token, new Remembered(Within(old.Scopes, loaded.GetValueOrDefault(token)), old.Scopes, asked) { LastUsedAt = old.LastUsedAt }, old);
        }
    }

    public async Task<Caller?> OfActor(Guid organizationId, Guid actorId, bool isClient, CancellationToken ct) =>
        (await Load(ActorAsBearer, ct, new() { Value = actorId }, new() { Value = organizationId }, new() { Value = isClient })).GetValueOrDefault(actorId) is { } caller
            && caller.BelongsTo(organizationId) ? caller : null;

    private Task<Dictionary<Guid, Caller>> Load(Guid[] tokens, CancellationToken ct) => Load(Bearers, ct, new NpgsqlParameter { Value = tokens });

    private async Task<Dictionary<Guid, Caller>> Load(string whose, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $$"""
             {{whose}}
             select b.token_id, coalesce(b.account_id, b.client_id), b.client_id is not null, coalesce(a.is_operator, false), f.confirmed_at is not null,
                    coalesce(c.scopes, '{}')
             from bearers b left join accounts a on a.id = b.account_id left join second_factors f on f.account_id = b.account_id
                  left join organization_clients c on c.organization_id = b.client_organization_id and c.id = b.client_id
             """));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
             {whose}, held as (
                 select g.account_id as actor_id, g.organization_id, g.role, g.team_id, g.volunteer_id, g.id
                 from role_grants g where g.account_id in (select account_id from bearers)
                 union
                 select c.id, c.organization_id, c.role, null, null, c.id
                 from organization_clients c join bearers b on c.organization_id = b.client_organization_id and c.id = b.client_id
                 where c.expires_at is null or c.expires_at > ${parameters.Length + 1}
             ), below as (
                 select organization_id, team_id as root, team_id as id from held where team_id is not null
                 union
                 select b.organization_id, b.root, t.id
                 from below b join teams t on t.organization_id = b.organization_id and t.parent_team_id = b.id
             )
             select h.actor_id, h.organization_id, h.role, h.team_id, h.volunteer_id,
                    array(select b.id from below b where b.organization_id = h.organization_id and b.root = h.team_id)
             from held h order by h.organization_id, h.id
             """));
        foreach (var command in batch.BatchCommands)
            foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
        batch.BatchCommands[1].Parameters.Add(new() { Value = clock.GetUtcNow() });

        var bearers = new List<(Guid Token, Guid ActorId, bool IsClient, bool IsOperator, bool HasSecondFactor, string[] Scopes)>();
        var grants = new List<(Guid ActorId, Grant Grant)>();
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            bearers.Add((reader.GetGuid(0), reader.GetGuid(1), reader.GetBoolean(2), reader.GetBoolean(3), reader.GetBoolean(4), reader.GetFieldValue<string[]>(5)));
        await reader.NextResultAsync(ct);
        while (await reader.ReadAsync(ct))
            grants.Add((reader.GetGuid(0), new Grant(reader.GetGuid(1), Enum.Parse<Role>(reader.GetString(2), ignoreCase: true),
                reader.IsDBNull(3) ? null : reader.GetGuid(3), reader.IsDBNull(4) ? null : reader.GetGuid(4), reader.GetFieldValue<Guid[]>(5))));

        var required = SecondFactorRule.IsOn(configuration);
        var held = grants.ToLookup(entry => entry.ActorId, entry => entry.Grant);
        return bearers
            // A client that was deleted, or has expired, has no grant left, and is nobody.
            .Where(bearer => !bearer.IsClient || held.Contains(bearer.ActorId))
            .ToDictionary(bearer => bearer.Token, bearer =>
            {
                var caller = new Caller(bearer.ActorId, bearer.IsClient, bearer.IsOperator, [.. held[bearer.ActorId]]) { Scopes = bearer.Scopes.ToFrozenSet() };
                return caller with { LacksSecondFactor = required && !bearer.HasSecondFactor && SecondFactorRule.Holds(caller) };
            });
    }

    /// <summary>
    /// The tokens asked for that are still good, and who they were given to: an account by its id, a client by the name that
    /// <see cref="OrganizationClient.IdOf"/> makes. Turned into ids, so that every table is read by its key.
    /// </summary>
    private const string Bearers =
        """
        with recursive bearers as (
            select t.id as token_id,
                   case when length(t.subject) = 36 then t.subject::uuid end as account_id,
                   case when length(t.subject) = 65 then split_part(t.subject, '.', 1)::uuid end as client_organization_id,
                   case when length(t.subject) = 65 then split_part(t.subject, '.', 2)::uuid end as client_id
            from openiddict_tokens t left join openiddict_authorizations g on g.id = t.authorization_id
            where t.id = any($1) and t.status = 'valid' and coalesce(g.status, 'valid') = 'valid'
        )
        """;

    /// <summary>Somebody who asked for something before, and holds no token now. They are their own bearer.</summary>
    private const string ActorAsBearer =
        """
        with recursive bearers as (
            select $1::uuid as token_id, case when not $3 then $1::uuid end as account_id,
                   case when $3 then $2::uuid end as client_organization_id, case when $3 then $1::uuid end as client_id
        )
        """;

    /// <summary>What the token was asked for, within what the client may: <c>api</c> alone is all of that. A person's token is for the API or for nothing here.</summary>
    private static Caller? Within(ImmutableArray<string> scopes, Caller? caller)
    {
        if (caller is null or { IsClient: false }) return scopes.Contains(SignInSetup.ApiScope) ? caller : null;
        var asked = scopes.Where(Scope.All.ContainsKey).ToFrozenSet();
        return asked.Count == 0 ? (scopes.Contains(SignInSetup.ApiScope) ? caller : null) : caller with { Scopes = caller.Scopes.Intersect(asked).ToFrozenSet() };
    }

    private static (Guid Token, ImmutableArray<string> Scopes)? TokenOf(HttpContext http) =>
        http.User.Identity?.IsAuthenticated == true && Guid.TryParse(http.User.GetTokenId(), out var token) ? (token, http.User.GetScopes()) : null;

    private sealed record Remembered(Caller? Caller, ImmutableArray<string> Scopes, long LoadedAt)
    {
        public long LastUsedAt { get; set; }
    }
}
