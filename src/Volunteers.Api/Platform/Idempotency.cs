using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Volunteers.Platform;

/// <summary>
/// A key a client chose for one POST. The row is written in the transaction of the effect: whoever comes second, even at
/// the same moment, waits on the primary key until the first commits and then gets its answer. A refused request has no
/// effect and leaves no row, so the same key may be tried again when the reason is gone.
/// </summary>
internal sealed class IdempotencyRecord
{
    /// <summary>The organization of the route; all zeros on routes above organizations.</summary>
    public Guid OrganizationId { get; private set; }

    public Guid CallerId { get; private set; }

    public string Key { get; private set; } = "";

    public byte[] RequestHash { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public int? Status { get; private set; }

    public string? Headers { get; private set; }

    /// <summary>Protected: an answer may carry a secret that is shown once. Null once whom it is about is forgotten.</summary>
    public byte[]? Body { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<IdempotencyRecord>
    {
        public void Configure(EntityTypeBuilder<IdempotencyRecord> builder)
        {
            builder.ToTable("idempotency_keys");
            builder.HasKey(record => new { record.OrganizationId, record.CallerId, record.Key });
            builder.Property(record => record.Key).HasMaxLength(255);
            // What is too old to be repeated.
            builder.HasIndex(record => new { record.OrganizationId, record.CreatedAt });
        }
    }
}

/// <param name="organizationId">Of the route.</param>
/// <param name="callerId">Who sends it.</param>
/// <param name="key">What they chose.</param>
/// <param name="requestHashes">Any of which an earlier request may have left; the first is what this one leaves.</param>
/// <param name="now">When.</param>
/// <param name="kept">How long an answer is kept.</param>
/// <param name="protector">Of answers.</param>
internal sealed class IdempotencyKey(
    Guid organizationId, Guid callerId, string key, IReadOnlyList<byte[]> requestHashes, DateTimeOffset now, TimeSpan kept, IDataProtector protector)
{
    public const string Header = "Idempotency-Key";

    public (Guid OrganizationId, Guid CallerId, string Key) Id => (organizationId, callerId, key);

    private Guid OrganizationId => organizationId;

    private Guid CallerId => callerId;

    private string Key => key;

    private byte[] RequestHash => requestHashes[0];

    private DateTimeOffset Now => now;

    private static readonly string[] RepeatedHeaders = ["Location", "ETag", "Content-Type"];

    /// <summary>Reads the whole body once, before the handler does, so that the key can be held to the same request.</summary>
    public static async Task HashRequest(HttpContext http, RequestDelegate next)
    {
        if (HttpMethods.IsPost(http.Request.Method) && http.Request.Headers.TryGetValue(Header, out var values))
        {
            if (values.Count != 1 || values[0] is not { Length: > 0 and <= 255 } given || given.Any(c => c is < ' ' or > '~'))
                throw RuleBreach.Malformed("invalid_idempotency_key", "");

            http.Request.EnableBuffering();
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(Encoding.UTF8.GetBytes($"{http.Request.Path}{http.Request.QueryString}\n{http.Request.ContentType}\n"));
            var chunk = new byte[16 * 1024];
            while (await http.Request.Body.ReadAsync(chunk, http.RequestAborted) is > 0 and var read) hash.AppendData(chunk, 0, read);
            http.Request.Body.Position = 0;
            http.Items[typeof(IdempotencyKey)] = (given, hash.GetHashAndReset());
        }
        await next(http);
    }

    public static IdempotencyKey? Of(HttpContext http)
    {
        if (http.Items[typeof(IdempotencyKey)] is not (string key, byte[] hash)) return null;
        var services = http.RequestServices;
        return new IdempotencyKey(
            http.Request.RouteValues.TryGetValue("organizationId", out var id) && Guid.TryParse((string?)id, out var organizationId) ? organizationId : Guid.Empty,
            Caller.Of(http)?.ActorId ?? Guid.Empty, key,
            // With keys at hand it is keyed: the plain hash of a short body would let a phone or a document's number be guessed.
            [.. services.GetRequiredService<PersonalSeal>().HashesOf("idempotency", hash).Select(keyed => keyed.Hash), hash],
            services.GetRequiredService<TimeProvider>().GetUtcNow(), TimeSpan.FromDays(services.GetRequiredService<IOptions<Retention>>().Value.IdempotencyDays),
            Protector(services.GetRequiredService<IDataProtectionProvider>()));
    }

    /// <summary>What seals answers.</summary>
    public static IDataProtector Protector(IDataProtectionProvider protection) => protection.CreateProtector("Volunteers.IdempotentAnswers");

    /// <summary>Takes the key, or finds who took it before. Waits while a rival that holds it is still at work.</summary>
    /// <exception cref="RuleBreach">422: the key was used for another request. 410: the answer was about somebody who was forgotten.</exception>
    public async Task<KeptAnswer?> FirstAnswer(DbContext db, CancellationToken ct)
    {
        var longAgo = now - kept;
        var taken = await db.Database.ExecuteSqlAsync(
            $"""
             insert into idempotency_keys as k (organization_id, caller_id, key, request_hash, created_at)
             values ({organizationId}, {callerId}, {key}, {requestHashes[0]}, {now})
             on conflict (organization_id, caller_id, key) do update
             set request_hash = excluded.request_hash, created_at = excluded.created_at, status = null, headers = null, body = null
             where k.created_at < {longAgo}
             """, ct);
        if (taken == 1) return null;

        var first = await db.Set<IdempotencyRecord>().AsNoTracking()
            .SingleAsync(record => record.OrganizationId == organizationId && record.CallerId == callerId && record.Key == key, ct);
        if (!requestHashes.Any(hash => CryptographicOperations.FixedTimeEquals(first.RequestHash, hash)))
            throw RuleBreach.Precondition("idempotency_key_reused", StatusCodes.Status422UnprocessableEntity);
        return first.Body is { } body ? new KeptAnswer(first.Status!.Value, first.Headers!.Split('\n'), protector.Unprotect(body))
            : throw RuleBreach.Precondition("answer_erased", StatusCodes.Status410Gone);
    }

    public async Task Keep(BufferedAnswer answer, DbContext db, HttpContext http)
    {
        var headers = HeadersOf(http);
        var body = Sealed(answer);
        await db.Database.ExecuteSqlAsync(
            $"""
             update idempotency_keys set status = {answer.Status}, headers = {headers}, body = {body}
             where organization_id = {organizationId} and caller_id = {callerId} and key = {key}
             """, http.RequestAborted);
    }

    /// <summary>Takes the keys of several at once, of one organization. A rival that is long at work with one of them is not waited for.</summary>
    /// <returns>Those that nobody took before, nor another of these.</returns>
    /// <exception cref="PostgresException">55P03: a rival has not come to an end in a second.</exception>
    public static async Task<IReadOnlySet<IdempotencyKey>> TakeNew(DbContext db, IReadOnlyCollection<IdempotencyKey> keys, CancellationToken ct)
    {
        if (keys.Count == 0) return new HashSet<IdempotencyKey>();
        // In one order, so that two who take several do not wait for each other.
        var given = keys.DistinctBy(key => key.Name).OrderBy(key => key.Name, StringComparer.Ordinal).ToList();
        var taken = await db.Database.SqlQuery<string>(
            $"""
             set local lock_timeout = '1s';
             insert into idempotency_keys (organization_id, caller_id, key, request_hash, created_at)
             select {given[0].OrganizationId}, * from unnest(
                 {given.Select(key => key.CallerId).ToArray()}, {given.Select(key => key.Key).ToArray()}, {given.Select(key => key.RequestHash).ToArray()}, {given.Select(key => key.Now).ToArray()})
             on conflict (organization_id, caller_id, key) do nothing
             returning caller_id || ' ' || key as "Value";
             set local lock_timeout to default
             """).ToListAsync(ct);
        return given.Where(key => taken.Contains(key.Name)).ToHashSet();
    }

    /// <summary>Keeps the answers of those that were taken together, and gives the keys of the others back.</summary>
    public static async Task KeepAll(DbContext db, IReadOnlyCollection<(IdempotencyKey Key, BufferedAnswer? Answer, HttpContext Http)> answers, CancellationToken ct)
    {
        if (answers.Count == 0) return;
        var organization = answers.First().Key.OrganizationId;
        var kept = answers.Where(one => one.Answer is not null).ToList();
        await db.Database.ExecuteSqlAsync(
            $"""
             update idempotency_keys k set status = given.status, headers = given.headers, body = given.body
             from unnest(
                 {kept.Select(one => one.Key.CallerId).ToArray()}, {kept.Select(one => one.Key.Key).ToArray()}, {kept.Select(one => one.Answer!.Status).ToArray()},
                 {kept.Select(one => HeadersOf(one.Http)).ToArray()}, {kept.Select(one => one.Key.Sealed(one.Answer!)).ToArray()}) as given (caller_id, key, status, headers, body)
             where k.organization_id = {organization} and k.caller_id = given.caller_id and k.key = given.key
             """, ct);
        var refused = answers.Where(one => one.Answer is null).ToList();
        if (refused.Count == 0) return;
        await db.Database.ExecuteSqlAsync(
            $"""
             delete from idempotency_keys k
             using unnest({refused.Select(one => one.Key.CallerId).ToArray()}, {refused.Select(one => one.Key.Key).ToArray()}) as given (caller_id, key)
             where k.organization_id = {organization} and k.caller_id = given.caller_id and k.key = given.key
             """, ct);
    }

    private string Name => $"{callerId} {key}";

    private byte[] Sealed(BufferedAnswer answer) => protector.Protect(answer.Body);

    private static string HeadersOf(HttpContext http) => string.Join('\n', RepeatedHeaders.Select(name => http.Response.Headers[name].ToString()));

    /// <summary>Takes back what an answer that does not count has said.</summary>
    public static void Unsay(HttpResponse response)
    {
        if (response.HasStarted) return;
        response.StatusCode = StatusCodes.Status200OK;
        foreach (var name in RepeatedHeaders) response.Headers.Remove(name);
    }

    internal sealed record KeptAnswer(int Status, string[] Headers, byte[] Body)
    {
        public async Task Replay(HttpContext http)
        {
            http.Response.StatusCode = Status;
            foreach (var (name, value) in RepeatedHeaders.Zip(Headers).Where(header => header.Second.Length > 0))
                http.Response.Headers[name] = value;
            http.Response.Headers["Idempotency-Replayed"] = "true";
            await http.Response.Body.WriteAsync(Body, http.RequestAborted);
        }
    }
}

internal static class IdempotencyCleanup
{
    /// <summary>Forgets keys that were first used before then, a thousand at a time.</summary>
    public static Task<int> Forget(DbContext db, DateTimeOffset before, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         delete from idempotency_keys where (organization_id, caller_id, key) in
             (select organization_id, caller_id, key from idempotency_keys where created_at < {before} limit 1000)
         """, ct);
}
