using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// A code with which the owner of an account sets a new password, once, within the hour. Its first four characters name it; the
/// other eight are kept as a hash only. So a guess counts against the code that it names, and whoever does not know these four
/// cannot use up somebody's code by guessing wrong.
/// </summary>
[NotAudited]
internal sealed class PasswordReset
{
    public static readonly TimeSpan ValidFor = TimeSpan.FromHours(1);

    /// <summary>Forty bits are guessed with a chance of 1 in 200 billion.</summary>
    public const int Guesses = 5;

    private const int NameLength = 4;
    private const int Length = 12;

    private PasswordReset() { }

    public Guid AccountId { get; private set; }

    public string Name { get; private set; } = "";

    public string CodeHash { get; private set; } = "";

    public DateTimeOffset ExpiresAt { get; private set; }

    public int Attempts { get; private set; }

    /// <summary>Where a coordinator handed it out; null when it was sent to the login.</summary>
    public Guid? OrganizationId { get; private set; }

    /// <summary>Who handed it out.</summary>
    public Guid? CreatedBy { get; private set; }

    /// <summary>Makes a code of this account, handed out in an organization or to be sent. Only one that was handed out there is good at a time.</summary>
    public static async Task<(string Code, DateTimeOffset ExpiresAt)> Make(
        VolunteersDb db, PasswordCheck passwords, Guid accountId, Guid? organizationId, Guid? createdBy, DateTimeOffset now, CancellationToken ct)
    {
        var code = TypedCode.Make(Length);
        var (name, hash, expiresAt) = (code[..NameLength], passwords.Hash(code[NameLength..]), now + ValidFor);
        if (organizationId is not null)
            await db.PasswordResets.Where(r => r.AccountId == accountId && r.OrganizationId == organizationId).ExecuteDeleteAsync(ct);
        await db.Database.ExecuteSqlAsync(
            $"""
             insert into password_resets (account_id, name, code_hash, expires_at, attempts, organization_id, created_by)
             values ({accountId}, {name}, {hash}, {expiresAt}, 0, {organizationId}, {createdBy})
             on conflict (account_id, name) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0,
                 organization_id = excluded.organization_id, created_by = excluded.created_by
             """, ct);
        return (TypedCode.InGroups(code), expiresAt);
    }

    /// <summary>The two parts of a code as it was typed; of something else, parts that no code has.</summary>
    public static (string Name, string Secret) Read(string text) =>
        TypedCode.Normalized(text) is { Length: Length } code ? (code[..NameLength], code[NameLength..]) : ("", "-");

    /// <summary>Counts a guess at the code of this name, before it is looked at; null when there is none to be guessed.</summary>
    public static async Task<PasswordReset?> Guess(VolunteersDb db, Guid accountId, string name, DateTimeOffset now, CancellationToken ct) =>
        (await db.PasswordResets.FromSql(
            $"""
             update password_resets set attempts = attempts + 1
             where account_id = {accountId} and name = {name} and expires_at > {now} and attempts < {Guesses} returning *
             """).AsNoTracking().ToListAsync(ct)).SingleOrDefault();

    /// <summary>
    /// A coordinator hands a code out only for an account that is nothing but a volunteer of their organization: with any other they
    /// would get hold of rights that are not theirs to give, be it here or elsewhere.
    /// </summary>
    public static Task<bool> MayBeHandedOut(VolunteersDb db, Guid accountId, Guid organizationId, CancellationToken ct) => db.Users.AnyAsync(account =>
        account.Id == accountId && !account.IsOperator && account.PasswordHash != null
        && db.RoleGrants.Any(g => g.AccountId == accountId)
        && !db.RoleGrants.Any(g => g.AccountId == accountId && (g.OrganizationId != organizationId || g.Role != Role.Volunteer)), ct);

    internal sealed class Configuration : IEntityTypeConfiguration<PasswordReset>
    {
        public void Configure(EntityTypeBuilder<PasswordReset> builder)
        {
            builder.ToTable("password_resets");
            builder.HasKey(reset => new { reset.AccountId, reset.Name });
            builder.Property(reset => reset.Name).HasMaxLength(NameLength);
            builder.Property(reset => reset.CodeHash).HasMaxLength(200);
            builder.HasOne<Account>().WithMany().HasForeignKey(reset => reset.AccountId);
            // What has run out.
            builder.HasIndex(reset => reset.ExpiresAt);
        }
    }
}
