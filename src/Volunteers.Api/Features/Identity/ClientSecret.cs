using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// One secret of a client, of which only the hash is kept. It is 256 random bits, so a plain SHA-256 gives away nothing and
/// costs nothing: the slow hashes that passwords need are for what people can remember.
/// </summary>
internal sealed class ClientSecret
{
    private ClientSecret() { }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid ClientId { get; private set; }

    public byte[] SecretHash { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public DateTimeOffset? ExpiresAt { get; private set; }

    [NotAudited]
    public DateTimeOffset? LastUsedAt { get; private set; }

    public static (ClientSecret Kept, string Secret) Make(OrganizationClient client, DateTimeOffset? expiresAt, DateTimeOffset now)
    {
        var secret = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        return (new ClientSecret
        {
            OrganizationId = client.OrganizationId, Id = Guid.CreateVersion7(now), ClientId = client.Id,
            SecretHash = Hash(secret), CreatedAt = now, ExpiresAt = expiresAt,
        }, secret);
    }

    public static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    public bool IsGood(DateTimeOffset now) => ExpiresAt is null || now < ExpiresAt;

    internal sealed class Configuration : IEntityTypeConfiguration<ClientSecret>
    {
        public void Configure(EntityTypeBuilder<ClientSecret> builder)
        {
            builder.ToTable("organization_client_secrets");
            builder.HasKey(s => new { s.OrganizationId, s.Id });
            // The secrets of a client.
            builder.HasIndex(s => new { s.OrganizationId, s.ClientId });
        }
    }
}
