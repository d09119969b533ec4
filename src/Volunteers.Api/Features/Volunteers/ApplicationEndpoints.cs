using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Features.Teams;
using Volunteers.Platform;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

/// <summary>How newcomers join: they apply, a coordinator answers.</summary>
internal static class ApplicationEndpoints
{
    public static void MapApplications(this RouteGroupBuilder volunteers)
    {
        volunteers.MapPost("/applications", Apply).WithName("applyToVolunteer").AllowAnonymous()
            .Costs(Cost.Application).RefusesWith(404);
        volunteers.MapPost("/{volunteerId:guid}/accept", Accept).WithName("acceptApplication").Allows(Access.CoordinateAll).RefusesWith(404, 409);
        volunteers.MapPost("/{volunteerId:guid}/decline", Decline).WithName("declineApplication").Allows(Access.CoordinateAll).RefusesWith(404, 409);
    }

    /// <summary>Applies to become a volunteer. Nobody needs an account for it, and the answer never tells who is known here.</summary>
    /// <remarks>
    /// A person is known by their phone. Applying again while the application is open replaces its details. If the phone is that
    /// of somebody who is or was a volunteer, their profile stays as it is, because a stranger may have written this: it gets a
    /// note, `application`, which coordinators find with `hasApplication=true`, accept (who paused or left is active again) or
    /// decline (the note goes, the person stays). Limited per client address and hour, and by the applications that are open.
    /// </remarks>
    private static async Task<Results<Accepted<ApplicationReceiptView>, NotFound>> Apply(
        Guid organizationId, ApplicationRequest request, VolunteersDb db, IOptions<RateLimits> limits, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Organizations.AnyAsync(o => o.Id == organizationId, ct)) return TypedResults.NotFound();

        // Of two equal applications at the same moment the second waits here, and then finds the first.
        var organization = await db.LockOrganization(organizationId, ct);
        // Asked before the phone is: a refusal that came for new phones only would tell which are known.
        if (limits.Value.OpenApplications is > 0 and var most
            && await db.Volunteers.CountAsync(v => v.OrganizationId == organizationId && v.Status == VolunteerStatus.Applied, ct) >= most)
            throw RuleBreach.TooMany("too_many_applications", TimeSpan.FromHours(1));

        var now = clock.GetUtcNow();
        var profile = request.ToProfile(organization.DayOf(now), now);
        var ages = AgeLimits.Of(organization, now);
        var texts = await KnownConsents.Load(db, organizationId, ct);
        // Refused by what the application says alone, known phone or not.
        Volunteer.HoldToAges(profile, ages);
        texts.HashOf(ConsentPurposes.Profile, request.Consent.Version, "/consent/version");
        if (request.Guardian is { } guardian) texts.HashOf(ConsentPurposes.Guardian, guardian.Version, "/guardian/version");

        var volunteer = await WithPhone(request.Phone, organizationId, db, ct);
        var before = volunteer?.Profile;
        if (volunteer is null)
            db.Add(volunteer = new Volunteer(organizationId, (await db.NextNumbers(organizationId, 1, new HashSet<string>(), ct)).Dequeue(), profile, ages, now));
        volunteer.Apply(profile, request.Message, ages, now);
        var speaker = ages.IsChild(volunteer.BirthDate) ? ConsentSpeaker.Guardian : ConsentSpeaker.Self;
        db.AddRange(new ConsentTrail(texts, speaker, recordedBy: Guid.Empty, now).Of(volunteer, before));
        await db.SaveChangesAsync(ct);
        return TypedResults.Accepted((string?)null, new ApplicationReceiptView(now));
    }

    /// <summary>Accepts an application: the person becomes active, and gets a code with which to make or link an account.</summary>
    private static async Task<Results<Ok<AcceptedApplicationView>, NotFound>> Accept(
        Guid volunteerId, AcceptRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (await Lock(volunteerId, tenant, db, ct) is not { } volunteer) return TypedResults.NotFound();

        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var ages = AgeLimits.Of(organization, now);
        volunteer.Accept(ages);
        if (request.TeamId is { } teamId) await Join(teamId, request.Role, volunteer, organization, db, now, ct);
        var hasAccount = await db.RoleGrants.AnyAsync(g => g.OrganizationId == tenant.Id && g.VolunteerId == volunteerId, ct);
        var invitation = hasAccount ? null : db.Invite(tenant, volunteerId, now);
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(new AcceptedApplicationView((await VolunteerView.Find(volunteerId, tenant, db, ages, ct))!, invitation));
    }

    /// <summary>Declines an application: whoever is not a volunteer yet is forgotten altogether; of a known person only the note goes.</summary>
    private static async Task<Results<NoContent, NotFound>> Decline(Guid volunteerId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (await Lock(volunteerId, tenant, db, ct) is not { } volunteer) return TypedResults.NotFound();

        TurnDown(volunteer, db);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        // Whatever points to a person says so by its foreign key, also what later features add.
        catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation })
        {
            throw new RuleBreach("volunteer_in_use");
        }
        return TypedResults.NoContent();
    }

    private static void TurnDown(Volunteer volunteer, VolunteersDb db)
    {
        volunteer.AnswerApplication();
        if (volunteer.Status == VolunteerStatus.Applied) db.Remove(volunteer);
    }

    /// <summary>Declines what nobody has answered since before then, one after another; whoever is in use keeps the profile.</summary>
    public static async Task<int> DeclineUnanswered(VolunteersDb db, DateTimeOffset before, CancellationToken ct)
    {
        var waiting = await db.Volunteers.FromSql($"select * from volunteers where applied_at < {before} order by applied_at limit 100 for no key update skip locked").ToListAsync(ct);
        foreach (var volunteer in waiting)
        {
            await db.Database.ExecuteSqlAsync($"savepoint one", ct);
            TurnDown(volunteer, db);
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException refused) when (refused.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation })
            {
                await db.Database.ExecuteSqlAsync($"rollback to savepoint one", ct);
                db.Entry(volunteer).State = EntityState.Modified;
                await db.SaveChangesAsync(ct);
            }
        }
        return waiting.Count;
    }

    /// <summary>The open application under this phone, else the volunteer whose phone it is, locked: an answer may be on its way.</summary>
    private static async Task<Volunteer?> WithPhone(string phone, Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var digits = ImportIdentity.PhoneKey(phone)!;
        var spellings = ImportIdentity.ChinaCodes.Select(code => code + digits).Prepend(digits).ToArray();
        var ids = await db.Volunteers.Where(v => v.OrganizationId == organizationId
                && spellings.Contains(v.Phone!.Replace(" ", "").Replace("-", "").Replace("(", "").Replace(")", "").Replace("+", "")))
            .Select(v => v.Id).ToArrayAsync(ct);
        await db.LockVolunteers(organizationId, ids, ct);
        return (await db.Volunteers.Where(v => v.OrganizationId == organizationId && ids.Contains(v.Id)).ToListAsync(ct))
            .OrderBy(v => v.Status).ThenBy(v => v.Id).FirstOrDefault();
    }

    private static async Task<Volunteer?> Lock(Guid volunteerId, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        await db.LockVolunteers(tenant.Id, [volunteerId], ct);
        return await db.Volunteers.SingleOrDefaultAsync(v => v.OrganizationId == tenant.Id && v.Id == volunteerId, ct);
    }

    private static async Task Join(Guid teamId, TeamRole? role, Volunteer volunteer, Organization organization, VolunteersDb db, DateTimeOffset now, CancellationToken ct)
    {
        if (!await db.Teams.AnyAsync(t => t.OrganizationId == volunteer.OrganizationId && t.Id == teamId, ct)) throw RuleBreach.NotFound("team_not_found", "/teamId");
        var member = await db.TeamMembers.SingleOrDefaultAsync(
            m => m.OrganizationId == organization.Id && m.TeamId == teamId && m.VolunteerId == volunteer.Id, ct);
        if (member is null) db.Add(member = new TeamMember(organization.Id, teamId, volunteer.Id, now));
        member.Set(role ?? TeamRole.Member, member.JoinedOn == default ? organization.DayOf(now) : member.JoinedOn, leftOn: null);
    }
}
