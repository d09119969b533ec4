using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// Another system that acts for one organization with the client credentials grant. The authorization server knows it by
/// <see cref="ClientId"/>; its secrets are kept here.
/// </summary>
internal sealed class OrganizationClient : IVersioned
{
    /// <summary>The one in use and the one that follows it.</summary>
    public const int MostSecrets = 2;

    private static readonly byte[] NoSecret = new byte[32];

    private readonly List<ClientSecret> secrets = [];

    private OrganizationClient() { }

    /// <summary>With its first secret, which is told once.</summary>
    public static (OrganizationClient Client, string Secret) Admit(
        Guid organizationId, string name, Role role, IEnumerable<string> scopes, DateTimeOffset? expiresAt, Guid createdBy, DateTimeOffset now)
    {
        if (expiresAt <= now) throw RuleBreach.Malformed("expired_already", "/expiresAt");
        var client = new OrganizationClient
        {
            OrganizationId = organizationId, Id = Guid.CreateVersion7(now), Role = role, CreatedBy = createdBy, CreatedAt = now,
        };
        client.Change(name, scopes, expiresAt);
        return (client, client.AddSecret(null, now).Secret);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Name { get; private set; } = "";

    public Role Role { get; private set; }

    /// <summary>In the order of <see cref="Scope.All"/>.</summary>
    public List<string> Scopes { get; private set; } = [];

    /// <summary>From then on neither its secrets nor its tokens are good.</summary>
    public DateTimeOffset? ExpiresAt { get; private set; }

    /// <summary>When it last proved who it is, known to <see cref="ClientApplications.UseNotedEvery"/>. Not part of what clients change.</summary>
    [NotAudited]
    public DateTimeOffset? LastUsedAt { get; private set; }

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public IReadOnlyList<ClientSecret> Secrets => secrets;

    public string ClientId => IdOf(OrganizationId, Id);

    public void Change(string name, IEnumerable<string> scopes, DateTimeOffset? expiresAt) =>
        (Name, Scopes, ExpiresAt) = (name, [.. Scope.All.Keys.Intersect(scopes)], expiresAt);

    /// <summary>Another secret, good at once. Those that have expired make room and go.</summary>
    public (ClientSecret Kept, string Secret) AddSecret(DateTimeOffset? expiresAt, DateTimeOffset now)
    {
        if (expiresAt <= now) throw RuleBreach.Malformed("expired_already", "/expiresAt");
        secrets.RemoveAll(secret => !secret.IsGood(now));
        if (secrets.Count >= MostSecrets) throw new RuleBreach("too_many_client_secrets", MostSecrets);

        var (kept, secret) = ClientSecret.Make(this, expiresAt, now);
        secrets.Add(kept);
        return (kept, secret);
    }

    /// <summary>One that has expired may always go; the last good one stays, or the client would be shut out by mistake.</summary>
    public void RemoveSecret(ClientSecret secret, DateTimeOffset now)
    {
        if (secret.IsGood(now) && secrets.Count(each => each.IsGood(now)) == 1) throw new RuleBreach("last_client_secret");
        secrets.Remove(secret);
    }

    /// <summary>Which secret it is, if any. Compares with as many as there can be, so that the time tells nothing.</summary>
    public static ClientSecret? Recognize(OrganizationClient? client, string secret, DateTimeOffset now)
    {
        var hash = ClientSecret.Hash(secret);
        ClientSecret? found = null;
        for (var i = 0; i < MostSecrets; i++)
        {
            var one = client?.secrets.ElementAtOrDefault(i);
            if (CryptographicOperations.FixedTimeEquals(one?.SecretHash ?? NoSecret, hash) && one is not null && one.IsGood(now)) found = one;
        }
        return client is null || client.ExpiresAt <= now ? null : found;
    }

    public static string IdOf(Guid organizationId, Guid id) => $"{organizationId:n}.{id:n}";

    /// <summary>The organization stands first, so that the row is found where it lives.</summary>
    public static (Guid OrganizationId, Guid Id)? Read(string clientId) =>
        clientId.Split('.') is [var organization, var client]
        && Guid.TryParseExact(organization, "N", out var organizationId) && Guid.TryParseExact(client, "N", out var id)
            ? (organizationId, id)
            : null;

    internal sealed class Configuration : IEntityTypeConfiguration<OrganizationClient>
    {
        public void Configure(EntityTypeBuilder<OrganizationClient> builder)
        {
            builder.ToTable("organization_clients");
            builder.HasKey(c => new { c.OrganizationId, c.Id });
            builder.Property(c => c.Name).HasMaxLength(100);
            builder.Property(c => c.Scopes).HasDefaultValueSql("'{}'");
            builder.HasOne<Organization>().WithMany().HasForeignKey(c => c.OrganizationId);
            builder.HasMany(c => c.Secrets).WithOne().HasForeignKey(s => new { s.OrganizationId, s.ClientId });
            builder.Ignore(c => c.ClientId);
        }
    }
}
