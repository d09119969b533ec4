using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using OpenIddict.EntityFrameworkCore.Models;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// One sign-in of an account: in a browser, kept by a cookie of the sign-in pages, or through a client, kept by the tokens
/// that hang on one authorization. That of a client ends with its authorization, that of a browser at <see cref="EndedAt"/>.
/// </summary>
[NotAudited]
internal sealed class SignInSession
{
    /// <summary>A browser that several people use is closed at the end of the day, if not before.</summary>
    public static readonly TimeSpan BrowserLifetime = TimeSpan.FromHours(12);

    private SignInSession() { }

    private SignInSession(Guid accountId, string? device, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (AccountId, Device, StartedAt, LastUsedAt) = (accountId, device, now, now);
    }

    public Guid Id { get; private set; }

    public Guid AccountId { get; private set; }

    /// <summary>Null for a browser.</summary>
    public string? ClientId { get; private set; }

    /// <summary>What the client's tokens hang on.</summary>
    public Guid? AuthorizationId { get; private set; }

    /// <summary>The browser session with which a client's ends: of a client that asked for no refresh token.</summary>
    public Guid? BrowserSessionId { get; private set; }

    /// <summary>Browser and system by family, never more of what the device says about itself.</summary>
    public string? Device { get; private set; }

    public DateTimeOffset StartedAt { get; private set; }

    /// <summary>When it was last renewed: a client renews its tokens every quarter of an hour.</summary>
    public DateTimeOffset LastUsedAt { get; private set; }

    public DateTimeOffset? EndedAt { get; private set; }

    public static SignInSession OfBrowser(Guid accountId, string? device, DateTimeOffset now) => new(accountId, device, now);

    public static SignInSession OfClient(Guid accountId, string clientId, Guid authorizationId, Guid? endsWith, string? device, DateTimeOffset now) =>
        new(accountId, device, now) { ClientId = clientId, AuthorizationId = authorizationId, BrowserSessionId = endsWith };

    public bool IsOpenBrowser(DateTimeOffset now) => ClientId is null && EndedAt is null && now < StartedAt + BrowserLifetime;

    internal sealed class Configuration : IEntityTypeConfiguration<SignInSession>
    {
        public void Configure(EntityTypeBuilder<SignInSession> builder)
        {
            builder.ToTable("sign_in_sessions");
            builder.Property(session => session.Id).ValueGeneratedNever();
            builder.Property(session => session.ClientId).HasMaxLength(100);
            builder.Property(session => session.Device).HasMaxLength(60);
            builder.HasOne<Account>().WithMany().HasForeignKey(session => session.AccountId);
            builder.HasOne<OpenIddictEntityFrameworkCoreAuthorization<Guid>>().WithMany().HasForeignKey(session => session.AuthorizationId)
                .OnDelete(DeleteBehavior.Cascade);
            builder.HasOne<SignInSession>().WithMany().HasForeignKey(session => session.BrowserSessionId).OnDelete(DeleteBehavior.Cascade);
            // The sessions of an account.
            builder.HasIndex(session => new { session.AccountId, session.Id });
            // The session that a token is of.
            builder.HasIndex(session => session.AuthorizationId);
            // What ends with a session of the browser.
            builder.HasIndex(session => session.BrowserSessionId);
        }
    }
}
