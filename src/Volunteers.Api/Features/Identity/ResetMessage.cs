using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// Somebody asked for a code for this login. It is written whether anybody has that login or not, and looked up later, so the
/// answer tells nothing, in words or in time. Deleted once the message is sent, or after an hour.
/// </summary>
[NotAudited]
internal sealed class ResetMessage
{
    private ResetMessage() { }

    /// <summary>In the language of the request.</summary>
    public ResetMessage(string login, IDataProtectionProvider protection, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (ProtectedLogin, Language, RequestedAt, NextTryAt) = (Protector(protection).Protect(Encoding.UTF8.GetBytes(login)), CultureInfo.CurrentUICulture.Name, now, now);
    }

    public Guid Id { get; private set; }

    public byte[] ProtectedLogin { get; private set; } = [];

    public string Language { get; private set; } = "";

    public DateTimeOffset RequestedAt { get; private set; }

    public DateTimeOffset NextTryAt { get; private set; }

    public int Tries { get; private set; }

    public string LoginOf(IDataProtectionProvider protection) => Encoding.UTF8.GetString(Protector(protection).Unprotect(ProtectedLogin));

    private static IDataProtector Protector(IDataProtectionProvider protection) => protection.CreateProtector("Volunteers.ResetMessages");

    internal sealed class Configuration : IEntityTypeConfiguration<ResetMessage>
    {
        public void Configure(EntityTypeBuilder<ResetMessage> builder)
        {
            builder.ToTable("reset_messages");
            builder.Property(message => message.Id).ValueGeneratedNever();
            builder.Property(message => message.Language).HasMaxLength(10);
            // What is due to be sent.
            builder.HasIndex(message => message.NextTryAt);
        }
    }
}

/// <summary>
/// Sends what was asked for, after the request is over. A message is claimed by moving its next try on, so replicas share the work
/// and what a killed one had begun is tried again. Every try has a code of its own, all of them good until one is used: no code
/// is ever kept to be sent later.
/// </summary>
internal sealed class ResetMessages(
    IServiceScopeFactory scopes, ISender sender, IDataProtectionProvider protection, TimeProvider clock, ILogger<ResetMessages> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SendDue(stoppingToken);
            }
            catch (Exception failed) when (failed is not OperationCanceledException)
            {
                // Of what failed only the kind: its text may repeat what was to be sent.
                log.LogWarning("Messages could not be sent: {Kind}; the next tick tries again", failed.GetType().Name);
            }
        }
    }

    private async Task SendDue(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<VolunteersDb>();
        var now = clock.GetUtcNow();
        foreach (var due in await db.ResetMessages.AsNoTracking().Where(m => m.NextTryAt <= now).OrderBy(m => m.NextTryAt).Take(20).ToListAsync(ct))
        {
            var next = clock.GetUtcNow() + (FirstWait * Math.Pow(2, due.Tries));
            if (await db.ResetMessages.Where(m => m.Id == due.Id && m.NextTryAt == due.NextTryAt)
                    .ExecuteUpdateAsync(set => set.SetProperty(m => m.NextTryAt, next).SetProperty(m => m.Tries, m => m.Tries + 1), ct) == 0) continue;
            try
            {
                if (now < due.RequestedAt + PasswordReset.ValidFor) await Send(due, scope.ServiceProvider, ct);
                else log.LogWarning("A message could not be sent within the hour and was given up");
                await db.ResetMessages.Where(m => m.Id == due.Id).ExecuteDeleteAsync(ct);
            }
            catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException && !ct.IsCancellationRequested)
            {
                log.LogWarning("A message could not be sent ({Kind}, {Status}); it is tried again", failed.GetType().Name, (failed as HttpRequestException)?.StatusCode);
            }
        }
    }

    private async Task Send(ResetMessage due, IServiceProvider services, CancellationToken ct)
    {
        var db = services.GetRequiredService<VolunteersDb>();
        if (Login.Parse(due.LoginOf(protection)) is not { } login) return;
        var normalized = login.Value.ToUpperInvariant();
        // Who signs in elsewhere has no password to be reset.
        var account = await db.Users.AsNoTracking().SingleOrDefaultAsync(a => a.NormalizedUserName == normalized && a.PasswordHash != null, ct);
        if (account is null) return;
        if (due.Tries == 0 && !await services.GetRequiredService<Lockout>().Enter(account.Id, AttemptSource.Messages, ct)) return;

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (code, expiresAt) = await PasswordReset.Make(
            db, services.GetRequiredService<PasswordCheck>(), account.Id, organizationId: null, createdBy: null, clock.GetUtcNow(), ct);
        await services.GetRequiredService<SignInTrail>().Changed(db, "sendPasswordReset", account.Id, ct);
        await transaction.CommitAsync(ct);
        var language = CultureInfo.GetCultureInfo(due.Language);
        var text = string.Format(language, Messages.TitleIn(language, "password_reset_message"), code);
        await sender.Send(new Message(due.Id, "passwordReset", login.IsEmail ? "email" : "sms", login.Value, due.Language,
            Messages.TitleIn(language, "password_reset_subject"), text, code, expiresAt), ct);
    }
}
