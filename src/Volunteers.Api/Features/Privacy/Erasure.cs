using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Features.Organizations;
using Volunteers.Features.Reports;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Privacy;

/// <summary>
/// Forgets people. In every place a pseudonym stands for them from then on; what they gave stays true: no posting, record or
/// total moves. All of it is one transaction, so a kill in the middle leaves nothing done, and a repeat finds nothing to do.
/// </summary>
internal sealed class Erasure(VolunteersDb db, IDepartures departures, PersonalSeal seal, IDataProtectionProvider protection, TimeProvider clock)
{
    /// <summary>Longer than other statements may take: every text of an organization is looked through.</summary>
    public const int LongestStatementSeconds = 240;

    private readonly StoredAnswers answers = new(db, protection);

    /// <summary>Forgets somebody in one organization; and their account, if it is for nothing else.</summary>
    /// <returns>False when there is no such profile.</returns>
    public async Task<bool> OfProfile(Guid organizationId, Guid volunteerId, CancellationToken ct)
    {
        await TakeTime(ct);
        var organization = await db.LockOrganization(organizationId, ct);
        // Before it is asked whose they are: an invitation may be used at this moment.
        if (await LockPerson(organizationId, volunteerId, ct) is null) return false;
        var accountId = await AccountOf(organizationId, volunteerId, ct);
        var account = accountId is { } id ? await Lock(id, ct) : null;
        await Forget(organization, volunteerId, account, ct);
        if (account is not null && !await IsUsed(account, ct)) await Forget(account, ct);
        else await KeepAnAdministrator(organizationId, ct);
        return true;
    }

    /// <summary>Forgets whom an account belongs to, in every organization, and the account. Nothing to do when it is gone.</summary>
    public async Task OfAccount(Guid accountId, CancellationToken ct)
    {
        await TakeTime(ct);
        // Organizations by id, each before the account, as whoever sets roles locks them.
        var organizations = new List<Organization>();
        foreach (var id in await OrganizationsOf(accountId, ct)) organizations.Add(await db.LockOrganization(id, ct));
        if (await Lock(accountId, ct) is not { } account) return;
        // Joined another one meanwhile: the next try knows it.
        if ((await OrganizationsOf(accountId, ct)).Exists(id => organizations.TrueForAll(known => known.Id != id)))
            throw RuleBreach.Precondition("busy", StatusCodes.Status503ServiceUnavailable);
        if (account.IsOperator && !await db.Users.AnyAsync(other => other.IsOperator && other.Id != accountId, ct)) throw new RuleBreach("last_operator");

        foreach (var organization in organizations)
        {
            var profiles = await ProfilesOf(accountId, organization.Id, ct);
            foreach (var volunteerId in profiles.DefaultIfEmpty()) await Forget(organization, volunteerId, account, ct);
        }
        await Forget(account, ct);
        foreach (var organization in organizations) await KeepAnAdministrator(organization.Id, ct);
    }

    /// <param name="organization">Locked.</param>
    /// <param name="volunteerId">Null where the account has no profile.</param>
    /// <param name="account">Theirs, if they have one, locked.</param>
    /// <param name="ct">Ends it.</param>
    private async Task Forget(Organization organization, Guid? volunteerId, Account? account, CancellationToken ct)
    {
        var (now, pseudonym) = (clock.GetUtcNow(), Pseudonym.Make(organization.Locale));
        var volunteer = volunteerId is { } id ? await LockPerson(organization.Id, id, ct) : null;
        // Forgotten before: what is left is the account, and what it is called.
        if (volunteer?.ErasedAt is not null) volunteer = null;
        if (volunteer is null && account is null) return;

        var values = await PersonValues.Of(organization.Id, volunteer, account, pseudonym, db, seal, ct);
        if (volunteer is not null)
        {
            volunteer.Erase(pseudonym, Instant.AsKept(now));
            await departures.Settle(db, organization, [volunteer.Id], now, ct);
            await db.SaveChangesAsync(ct);
        }
        await MarkAllOf(organization.Id, volunteer?.Id, account?.Id, ct);
        foreach (var table in PersonalTables.All)
            foreach (var statement in table.Erase) await Execute(statement, organization, volunteer?.Id, account?.Id, values, now, ct);
        await new TextEraser(db, values, organization.Id, volunteer?.Id, account?.Id).Run(ct);
        if (volunteer is not null) await DrawReportsAgain(organization.Id, volunteer.Id, ct);
        await answers.Forget(organization.Id, [volunteer?.Id], values, ct);
        // Invitations and accounts are answered above organizations.
        await answers.Forget(Guid.Empty, [volunteer?.Id, account?.Id], values, ct);
        db.ChangeTracker.Clear();
    }

    /// <summary>Whatever the statements are about to write, so that every copy gets it anew.</summary>
    private Task<int> MarkAllOf(Guid organizationId, Guid? volunteerId, Guid? accountId, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         insert into change_marks (organization_id, id, kind, row_id, keys)
         select {organizationId}, gen_random_uuid(), kind, id, keys from (
             select 'member', volunteer_id, array[team_id] from team_members where organization_id = {organizationId} and volunteer_id = {volunteerId}
             union all
             select 'volunteer', volunteer_id, array[]::uuid[] from role_grants where organization_id = {organizationId} and account_id = {accountId} and volunteer_id is not null
             union all
             select 'service_record', id, array[]::uuid[] from service_records where organization_id = {organizationId} and volunteer_id = {volunteerId} and recorded_by = {accountId}
             union all
             select 'dispute', id, array[]::uuid[] from disputes where organization_id = {organizationId} and created_by = {accountId}
             union all
             select 'certificate', id, array[]::uuid[] from certificates where organization_id = {organizationId} and (volunteer_id = {volunteerId} or issued_by = {accountId})
         ) theirs (kind, id, keys)
         """, ct);

    /// <summary>Reports that were sent and show people by name have another digest with another name.</summary>
    private async Task DrawReportsAgain(Guid organizationId, Guid volunteerId, CancellationToken ct)
    {
        foreach (var issued in await db.IssuedReports.FromSql(
                     $"""
                      select * from issued_reports i where organization_id = {organizationId} and query ->> 'groupBy' like '%volunteer%'
                          and exists (select 1 from hour_postings p where p.organization_id = {organizationId} and p.volunteer_id = {volunteerId} and p.position <= i.position)
                      """).ToListAsync(ct))
            issued.ShowsPseudonym(await HourReport.At(issued.Point, issued.Request.Report(), issued.Scope, db, ct));
        await db.SaveChangesAsync(ct);
    }

    private async Task Forget(Account account, CancellationToken ct)
    {
        await answers.ForgetMessages(account, ct);
        foreach (var statement in PersonalTables.All.SelectMany(table => table.EraseAccount)) await Execute(statement, account.Id, ct);
    }

    /// <summary>Places, then records, then the person, as everybody does; whoever writes a row about them waits, and those who did are waited for.</summary>
    private async Task<Volunteer?> LockPerson(Guid organizationId, Guid volunteerId, CancellationToken ct)
    {
        await departures.LockPlaces(db, organizationId, [volunteerId], clock.GetUtcNow(), ct);
        await db.Database.ExecuteSqlAsync(
            $"select 1 from service_records where organization_id = {organizationId} and volunteer_id = {volunteerId} order by id for update", ct);
        return (await db.Volunteers.FromSql($"select * from volunteers where organization_id = {organizationId} and id = {volunteerId} for update").ToListAsync(ct)).SingleOrDefault();
    }

    private async Task<Account?> Lock(Guid accountId, CancellationToken ct) =>
        (await db.Users.FromSql($"select * from accounts where id = {accountId} for update").AsNoTracking().ToListAsync(ct)).SingleOrDefault();

    private async Task<List<Guid>> OrganizationsOf(Guid accountId, CancellationToken ct) =>
        await db.RoleGrants.Where(g => g.AccountId == accountId).Select(g => g.OrganizationId)
            .Union(db.FormerProfiles.Where(f => f.AccountId == accountId).Select(f => f.OrganizationId)).OrderBy(id => id).ToListAsync(ct);

    private async Task<Guid?> AccountOf(Guid organizationId, Guid volunteerId, CancellationToken ct) =>
        await db.RoleGrants.Where(g => g.OrganizationId == organizationId && g.VolunteerId == volunteerId).Select(g => (Guid?)g.AccountId).FirstOrDefaultAsync(ct)
        ?? await db.FormerProfiles.Where(f => f.OrganizationId == organizationId && f.VolunteerId == volunteerId)
            .OrderByDescending(f => f.Id).Select(f => (Guid?)f.AccountId).FirstOrDefaultAsync(ct);

    private async Task<List<Guid?>> ProfilesOf(Guid accountId, Guid organizationId, CancellationToken ct) =>
        (await db.RoleGrants.Where(g => g.AccountId == accountId && g.OrganizationId == organizationId && g.VolunteerId != null).Select(g => g.VolunteerId).ToListAsync(ct))
        .Concat(await db.FormerProfiles.Where(f => f.AccountId == accountId && f.OrganizationId == organizationId
            // Who has the profile by now is another.
            && !db.RoleGrants.Any(g => g.OrganizationId == organizationId && g.VolunteerId == f.VolunteerId && g.AccountId != accountId)).Select(f => (Guid?)f.VolunteerId).ToListAsync(ct))
        .Distinct().ToList();

    private async Task<bool> IsUsed(Account account, CancellationToken ct) => account.IsOperator
        || await db.RoleGrants.AnyAsync(g => g.AccountId == account.Id, ct) || await db.FormerProfiles.AnyAsync(f => f.AccountId == account.Id, ct);

    private async Task KeepAnAdministrator(Guid organizationId, CancellationToken ct)
    {
        if (!await db.RoleGrants.AnyAsync(g => g.OrganizationId == organizationId && g.Role == Role.Administrator, ct)) throw new RuleBreach("last_administrator");
    }

    private Task<int> TakeTime(CancellationToken ct) => db.Database.ExecuteSqlAsync($"set local statement_timeout = '4min'", ct);

    private Task Execute(string statement, Organization organization, Guid? volunteerId, Guid? accountId, PersonValues values, DateTimeOffset now, CancellationToken ct) =>
        Execute(statement, ct,
            new("organization", NpgsqlDbType.Uuid) { Value = organization.Id }, new("volunteer", NpgsqlDbType.Uuid) { Value = volunteerId ?? (object)DBNull.Value },
            new("account", NpgsqlDbType.Uuid) { Value = accountId ?? (object)DBNull.Value }, new("today", NpgsqlDbType.Date) { Value = organization.DayOf(now) },
            new("name", NpgsqlDbType.Text) { Value = values.Pseudonym.Name }, new("number", NpgsqlDbType.Text) { Value = values.Pseudonym.Number },
            Texts("names", values.Names), Texts("numbers", values.Numbers), Texts("tails", values.PhoneTails));

    private Task Execute(string statement, Guid accountId, CancellationToken ct) =>
        Execute(statement, ct, new NpgsqlParameter("account", NpgsqlDbType.Uuid) { Value = accountId });

    private async Task Execute(string statement, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(statement, (NpgsqlConnection)db.Database.GetDbConnection()) { CommandTimeout = LongestStatementSeconds };
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter Texts(string name, IEnumerable<string> values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = values.ToArray() };
}
