using System.Text.Json;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using OpenIddict.EntityFrameworkCore.Models;
using Volunteers.Features.Activities;
using Volunteers.Features.Certificates;
using Volunteers.Features.Hours;
using Volunteers.Features.Identity;
using Volunteers.Features.Jobs;
using Volunteers.Features.Organizations;
using Volunteers.Features.Projects;
using Volunteers.Features.Recognition;
using Volunteers.Features.Reconciliation;
using Volunteers.Features.Reports;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Features.Webhooks;
using Volunteers.Platform;
using Volunteers.Platform.Outbox;

namespace Volunteers.Data;

internal sealed class VolunteersDb : IdentityUserContext<Account, Guid>, IDataProtectionKeyContext, IFollowed
{
    /// <summary>A change that is refused half-way is given up whole, so that nothing is marked to come back to: two trips to the database fewer for each saving.</summary>
    public VolunteersDb(DbContextOptions<VolunteersDb> options) : base(options) => Database.AutoSavepointsEnabled = false;

    public DbSet<Organization> Organizations => Set<Organization>();

    public DbSet<CalendarDay> CalendarDays => Set<CalendarDay>();

    public DbSet<RoleGrant> RoleGrants => Set<RoleGrant>();

    public DbSet<OrganizationClient> Clients => Set<OrganizationClient>();

    public DbSet<SecondFactor> SecondFactors => Set<SecondFactor>();

    public DbSet<PasswordReset> PasswordResets => Set<PasswordReset>();

    public DbSet<ResetMessage> ResetMessages => Set<ResetMessage>();

    public DbSet<SignInSession> SignInSessions => Set<SignInSession>();

    public DbSet<ExternalSignIn> ExternalSignIns => Set<ExternalSignIn>();

    public DbSet<Invitation> Invitations => Set<Invitation>();

    public DbSet<Team> Teams => Set<Team>();

    public DbSet<TeamMember> TeamMembers => Set<TeamMember>();

    public DbSet<Volunteer> Volunteers => Set<Volunteer>();

    public DbSet<ConsentText> ConsentTexts => Set<ConsentText>();

    public DbSet<ConsentReceipt> ConsentReceipts => Set<ConsentReceipt>();

    public DbSet<IdentityDocument> IdentityDocuments => Set<IdentityDocument>();

    public DbSet<IdentityMark> IdentityMarks => Set<IdentityMark>();

    public DbSet<Project> Projects => Set<Project>();

    public DbSet<Activity> Activities => Set<Activity>();

    public DbSet<Series> Series => Set<Series>();

    public DbSet<StandingSignUp> StandingSignUps => Set<StandingSignUp>();

    public DbSet<Shift> Shifts => Set<Shift>();

    public DbSet<SignUp> SignUps => Set<SignUp>();

    public DbSet<ShiftGroup> ShiftGroups => Set<ShiftGroup>();

    public DbSet<AttendanceEvent> AttendanceEvents => Set<AttendanceEvent>();

    public DbSet<CalendarFeed> CalendarFeeds => Set<CalendarFeed>();

    public DbSet<ServiceRecord> ServiceRecords => Set<ServiceRecord>();

    public DbSet<ServiceRecordEvent> ServiceRecordEvents => Set<ServiceRecordEvent>();

    public DbSet<Dispute> Disputes => Set<Dispute>();

    public DbSet<HourLedger> HourLedgers => Set<HourLedger>();

    public DbSet<HourPosting> HourPostings => Set<HourPosting>();

    public DbSet<HourTotal> HourTotals => Set<HourTotal>();

    public DbSet<StarRule> StarRules => Set<StarRule>();

    public DbSet<Award> Awards => Set<Award>();

    public DbSet<AwardObjection> AwardObjections => Set<AwardObjection>();

    public DbSet<Training> Trainings => Set<Training>();

    public DbSet<Rating> Ratings => Set<Rating>();

    public DbSet<ColumnMapping> ColumnMappings => Set<ColumnMapping>();

    public DbSet<ReconciliationRun> Reconciliations => Set<ReconciliationRun>();

    public DbSet<ReconciliationRow> ReconciliationRows => Set<ReconciliationRow>();

    public DbSet<Certificate> Certificates => Set<Certificate>();

    public DbSet<CertificateEnding> CertificateEndings => Set<CertificateEnding>();

    public DbSet<Job> Jobs => Set<Job>();

    public DbSet<JobChunk> JobChunks => Set<JobChunk>();

    public DbSet<JobRefusal> JobRefusals => Set<JobRefusal>();

    public DbSet<Webhook> Webhooks => Set<Webhook>();

    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();

    public DbSet<WebhookAttempt> WebhookAttempts => Set<WebhookAttempt>();

    public DbSet<FormerProfile> FormerProfiles => Set<FormerProfile>();

    public DbSet<ServerKey> ServerKeys => Set<ServerKey>();

    public DbSet<FormerState> FormerStates => Set<FormerState>();

    public DbSet<IssuedReport> IssuedReports => Set<IssuedReport>();

    public DbSet<SeedLoad> SeedLoads => Set<SeedLoad>();

    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        // Once: what follows looks at the entries many times over, and changes them only through the tracker.
        ChangeTracker.DetectChanges();
        ChangeTracker.AutoDetectChangesEnabled = false;
        try
        {
            return await SaveDetected(acceptAllChangesOnSuccess, cancellationToken);
        }
        finally
        {
            ChangeTracker.AutoDetectChangesEnabled = true;
        }
    }

    private async Task<int> SaveDetected(bool acceptAllChangesOnSuccess, CancellationToken ct)
    {
        await KeepFormerStates(ct);
        var happenings = ChangeTracker.Entries<IAnnounced>().OrderBy(entry => entry.Entity.Place).SelectMany(entry => entry.Entity.Announce(entry)).ToList();
        foreach (var entry in ChangeTracker.Entries().ToList())
        {
            if (entry is { State: EntityState.Modified, Entity: IVersioned versioned })
                entry.Property(nameof(IVersioned.Version)).CurrentValue = versioned.Version + 1;
            if (entry.Entity is IOnCalendar
                && (entry.State == EntityState.Added || (entry.State == EntityState.Modified && entry.Property(nameof(IOnCalendar.Sequence)).IsModified)))
                entry.Property(nameof(IOnCalendar.ChangedAt)).CurrentValue = this.GetService<TimeProvider>().GetUtcNow();
        }
        await this.MarkChanges([.. ChangeTracker.Entries()], ct);
        await using var own = happenings.Count > 0 && Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(ct) : null;
        var saved = await base.SaveChangesAsync(acceptAllChangesOnSuccess, ct);
        // Nobody asks for them again, and an import has many.
        foreach (var mark in ChangeTracker.Entries<ChangeMark>().ToList()) mark.State = EntityState.Detached;
        await this.Tell(happenings, this.GetService<TimeProvider>().GetUtcNow(), ct);
        if (own is not null) await own.CommitAsync(ct);
        return saved;
    }

    public Task Deleting(IReadOnlyCollection<object> rows, CancellationToken ct) => this.MarkDeleted(rows, ct);

    private async Task KeepFormerStates(CancellationToken ct)
    {
        foreach (var states in ChangeTracker.Entries().Select(FormerState.Of).OfType<FormerState>().ToLookup(state => state.OrganizationId))
        {
            var now = await this.TakeMoment(states.Key, ct);
            foreach (var state in states) state.Ended(now);
            AddRange(states);
        }
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder builder)
    {
        // Every index is written down where its table is, with the query it serves; a foreign key to rows that are never deleted needs none.
        builder.Conventions.Remove<ForeignKeyIndexConvention>();
        // Enums are words in the database too: a figure in psql needs no key to be read.
        foreach (var type in typeof(VolunteersDb).Assembly.GetTypes().Where(type => type.IsEnum && type.Namespace!.StartsWith(nameof(Volunteers), StringComparison.Ordinal)))
            builder.Properties(type).HaveConversion(typeof(EnumAsWord<>).MakeGenericType(type)).HaveMaxLength(30);
    }

    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.UseOpenIddict<Guid>();
        builder.ApplyConfigurationsFromAssembly(typeof(VolunteersDb).Assembly);

        builder.Entity<IdentityUserClaim<Guid>>().ToTable("account_claims");
        builder.Entity<IdentityUserLogin<Guid>>().ToTable("account_logins");
        builder.Entity<IdentityUserToken<Guid>>().ToTable("account_tokens");
        builder.Entity<DataProtectionKey>().ToTable("data_protection_keys");

        foreach (var type in builder.Model.GetEntityTypes().Where(type => type.GetTableName()!.StartsWith("OpenIddict", StringComparison.Ordinal)))
            type.SetTableName("openiddict_" + type.GetTableName()!["OpenIddict".Length..].ToLowerInvariant());

        // Whoever asks for all that is kept about them, or to be forgotten, is found by it.
        builder.Entity<OpenIddictEntityFrameworkCoreToken<Guid>>().HasIndex(token => token.Subject);
        // The same of what they allowed.
        builder.Entity<OpenIddictEntityFrameworkCoreAuthorization<Guid>>().HasIndex(authorization => authorization.Subject);
        // The tokens of an authorization: whether a session lives, and what ends with it.
        builder.Entity<OpenIddictEntityFrameworkCoreToken<Guid>>().HasIndex("AuthorizationId");
        // What ASP.NET Core Identity keeps of an account.
        builder.Entity<IdentityUserClaim<Guid>>().HasIndex(claim => claim.UserId);
        // The same of its logins.
        builder.Entity<IdentityUserLogin<Guid>>().HasIndex(login => login.UserId);

        foreach (var type in builder.Model.GetEntityTypes().Where(type => type.ClrType.IsAssignableTo(typeof(IVersioned))))
            type.FindProperty(nameof(IVersioned.Version))!.IsConcurrencyToken = true;
    }

    internal sealed class EnumAsWord<T>() : ValueConverter<T, string>(value => ToWord(value), word => FromWord(word)) where T : struct, Enum
    {
        private static readonly Dictionary<string, T> Values = Enum.GetValues<T>().ToDictionary(ToWord);

        private static T FromWord(string word) => Values[word];

        private static string ToWord(T value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
    }
}
