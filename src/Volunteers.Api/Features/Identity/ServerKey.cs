using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.IdentityModel.Tokens;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

internal enum ServerKeyUse
{
    Signing,
    Encryption,
}

/// <summary>A key of the authorization server, kept in PostgreSQL and protected by data protection, so that replicas share it.</summary>
[NotAudited]
internal sealed class ServerKey
{
    private ServerKey() { }

    public Guid Id { get; private set; }

    public ServerKeyUse Use { get; private set; }

    public byte[] Protected { get; private set; } = [];

    public DateTimeOffset CreatedAt { get; private set; }

    public static ServerKey Make(ServerKeyUse use, IDataProtectionProvider protection, DateTimeOffset now)
    {
        using var rsa = RSA.Create(2048);
        var key = use == ServerKeyUse.Signing ? rsa.ExportPkcs8PrivateKey() : RandomNumberGenerator.GetBytes(32);
        return new ServerKey { Id = Guid.CreateVersion7(now), Use = use, Protected = Protector(protection, use).Protect(key), CreatedAt = now };
    }

    public RsaSecurityKey ToRsaKey(IDataProtectionProvider protection)
    {
        var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(Protector(protection, Use).Unprotect(Protected), out _);
        return new RsaSecurityKey(rsa) { KeyId = Id.ToString("N") };
    }

    public SymmetricSecurityKey ToSymmetricKey(IDataProtectionProvider protection) =>
        new(Protector(protection, Use).Unprotect(Protected)) { KeyId = Id.ToString("N") };

    private static IDataProtector Protector(IDataProtectionProvider protection, ServerKeyUse use) => protection.CreateProtector("Volunteers.ServerKeys", use.ToString());

    internal sealed class Configuration : IEntityTypeConfiguration<ServerKey>
    {
        public void Configure(EntityTypeBuilder<ServerKey> builder)
        {
            builder.ToTable("server_keys");
            builder.Property(key => key.Id).ValueGeneratedNever();
        }
    }
}
