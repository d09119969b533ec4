using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Volunteers;

internal static class VolunteerEndpoints
{
    public static void MapVolunteers(this RouteGroupBuilder organization)
    {
        var volunteers = organization.MapGroup("/volunteers").WithTags("Volunteers").Scoped(Scope.Roster);

        volunteers.MapGet("", List).WithName("listVolunteers").ShowsPersonalData();
        volunteers.MapPost("", Create).WithName("createVolunteer").Allows(Access.CoordinateAll).RefusesWith(409);
        volunteers.MapVolunteerImport();
        volunteers.MapApplications();
        volunteers.MapConsents();
        volunteers.MapIdentityDocuments();
        volunteers.MapGet("/{volunteerId:guid}", Get).WithName("getVolunteer").ShowsPersonalData().RefusesWith(404);
        volunteers.MapPatch("/{volunteerId:guid}", Change).WithName("changeVolunteer").Allows(Access.Coordinate).RefusesWith(404, 409);
        volunteers.MapPost("/{volunteerId:guid}/invitation", Invite).WithName("inviteVolunteer").Allows(Access.Coordinate).RefusesWith(404, 409);
        volunteers.MapPasswordReset();
    }

    /// <summary>
    /// Lists volunteers; a team coordinator sees those of their teams, a volunteer only themselves. Phones are masked in lists
    /// (<c>138****5678</c>), and nothing finds them by <c>q</c>.
    /// </summary>
    private static async Task<Paged<ListedVolunteerView>> List(
        [AsParameters] PageQuery page, [AsParameters] VolunteerFilter filter, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var ages = await db.AgesAt(tenant.Id, clock.GetUtcNow(), ct);
        return await filter.Apply(db.Volunteers.VisibleTo(tenant, db), tenant, ages, db)
            .ToPage(page, volunteer => volunteer.Id, ListedVolunteerView.Projection(tenant, ages, db), ct);
    }

    /// <summary>Enters a volunteer; without a number they get the next one.</summary>
    private static async Task<Platform.Created<VolunteerView>> Create(
        VolunteerRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var ages = AgeLimits.Of(organization, now);
        var volunteer = new Volunteer(tenant.Id, request.Number ?? (await db.NextNumbers(tenant.Id, 1, new HashSet<string>(), ct)).Dequeue(), request.ToProfile(organization.DayOf(now)), ages, now);
        db.Add(volunteer);
        db.AddRange(new ConsentTrail(await KnownConsents.Load(db, tenant.Id, ct), ConsentSpeaker.Coordinator, tenant.ActorId, now).Of(volunteer));
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/volunteers/{volunteer.Id}", (await VolunteerView.Find(volunteer.Id, tenant, db, ages, ct))!);
    }

    /// <summary>Shows a volunteer: whole to themselves and to who coordinates them; to others what <c>withheld</c> does not name, and the phone masked.</summary>
    private static async Task<Results<Found<VolunteerView>, NotFound>> Get(
        Guid volunteerId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct) =>
        await VolunteerView.Find(volunteerId, tenant, db, await db.AgesAt(tenant.Id, clock.GetUtcNow(), ct), ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Changes a volunteer's profile. Who leaves gives back their places on shifts to come; who is active again has what is free where they wait.</summary>
    private static async Task<Results<Found<VolunteerView>, NotFound>> Change(
        Guid volunteerId, MergePatch<VolunteerRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, PersonalSeal seal, IDepartures departures,
        TimeProvider clock, CancellationToken ct)
    {
        var volunteer = await db.Volunteers.VisibleTo(tenant, db).SingleOrDefaultAsync(v => v.Id == volunteerId, ct);
        if (volunteer is null) return TypedResults.NotFound();
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) throw RuleBreach.Forbidden("not_their_coordinator");

        match.Check(volunteer);
        var request = await patch.ApplyTo(VolunteerRequest.Of(volunteer), ct);
        var now = clock.GetUtcNow();
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == tenant.Id, ct);
        var ages = AgeLimits.Of(organization, now);
        var before = volunteer.Profile;
        // Held against the number of a document, which must not change meanwhile; places are locked before people.
        var born = request.BirthDate is not null && request.BirthDate != volunteer.BirthDate;
        var settles = volunteer.Status != request.Status && request.Status is VolunteerStatus.Left or VolunteerStatus.Active;
        if (born && settles) await departures.LockPlaces(db, tenant.Id, [volunteerId], now, ct);
        if (born) await db.LockVolunteers(tenant.Id, [volunteerId], ct);
        volunteer.Change(request.Number ?? volunteer.Number, request.ToProfile(volunteer.JoinedOn), ages);
        db.AddRange(new ConsentTrail(await KnownConsents.Load(db, tenant.Id, ct), ConsentSpeaker.Coordinator, tenant.ActorId, now).Of(volunteer, before));
        if (born) (await IdentityDocuments.Lock(db, tenant.Id, [volunteerId], seal, ct)).HoldTo(volunteer);
        if (settles) await departures.Settle(db, organization, [volunteerId], now, ct);
        await db.SaveChangesAsync(ct);
        return Answer.Found((await VolunteerView.Find(volunteerId, tenant, db, ages, ct))!);
    }

    /// <summary>Makes a code with which this volunteer can make an account, or link the one they have; good once, for 72 hours.</summary>
    private static async Task<Results<Ok<InvitationView>, NotFound>> Invite(
        Guid volunteerId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        var found = db.Volunteers.VisibleTo(tenant, db).Where(v => v.Id == volunteerId);
        if (await found.AsNoTracking().SingleOrDefaultAsync(ct) is not { } volunteer) return TypedResults.NotFound();
        if (!await db.Volunteers.CoordinatedBy(tenant, db).AnyAsync(v => v.Id == volunteerId, ct)) throw RuleBreach.Forbidden("not_their_coordinator");
        if (volunteer.Status == VolunteerStatus.Applied) throw new RuleBreach("not_accepted");
        volunteer.RefuseErased();
        if (await db.RoleGrants.AnyAsync(g => g.OrganizationId == tenant.Id && g.VolunteerId == volunteerId, ct))
            throw new RuleBreach("volunteer_already_linked");

        var invitation = db.Invite(tenant, volunteerId, clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return TypedResults.Ok(invitation);
    }
}

internal static class VolunteerQueries
{
    public static async Task<AgeLimits> AgesAt(this VolunteersDb db, Guid organizationId, DateTimeOffset now, CancellationToken ct) =>
        AgeLimits.Of(await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == organizationId, ct), now);

    /// <summary>Whom the caller sees, locked: nobody else changes or is told anything of them meanwhile.</summary>
    public static async Task<Volunteer?> LockVisible(this VolunteersDb db, Guid volunteerId, Tenant tenant, CancellationToken ct)
    {
        await db.LockVolunteers(tenant.Id, [volunteerId], ct);
        return await db.Volunteers.VisibleTo(tenant, db).SingleOrDefaultAsync(v => v.Id == volunteerId, ct);
    }

    /// <summary>Adds an invitation; the caller saves.</summary>
    public static InvitationView Invite(this VolunteersDb db, Tenant tenant, Guid volunteerId, DateTimeOffset now)
    {
        var (invitation, code) = Invitation.Make(tenant.Id, volunteerId, tenant.ActorId, now);
        db.Add(invitation);
        return new InvitationView(code, invitation.ExpiresAt);
    }

    /// <summary>As many free numbers as are needed, in blocks. Counting up keeps the lock on the organization's row.</summary>
    public static async Task<Queue<string>> NextNumbers(
        this VolunteersDb db, Guid organizationId, int howMany, IReadOnlySet<string> given, CancellationToken ct)
    {
        var numbers = new Queue<string>(howMany);
        while (numbers.Count < howMany)
        {
            var missing = howMany - numbers.Count;
            var last = (await db.Database.SqlQuery<int>(
                $"update organizations set last_volunteer_number = last_volunteer_number + {missing} where id = {organizationId} returning last_volunteer_number as \"Value\"")
                .ToListAsync(ct))[0];
            var block = Enumerable.Range(last - missing + 1, missing).Select(number => number.ToString("D6", CultureInfo.InvariantCulture)).ToArray();
            var taken = await db.Volunteers.Where(v => v.OrganizationId == organizationId && block.Contains(v.Number)).Select(v => v.Number).ToListAsync(ct);
            foreach (var number in block.Except(taken).Except(given)) numbers.Enqueue(number);
        }
        return numbers;
    }
}
