using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

public sealed class AuditChangeTests(TestDatabases databases) : AuditTest(databases)
{
    [Fact]
    public async Task A_changed_volunteer_leaves_who_what_before_and_after_with_personal_values_masked()
    {
        var volunteer = (await Admin.Post("/volunteers", new { name = "李小龙", phone = "13800138000", birthDate = "1990-05-17", hometown = "湖南" })).ShouldBe(201).Id;

        (await Admin.Patch($"/volunteers/{volunteer}", new { name = "王小虎", phone = "13900139999", birthDate = "1991-01-01", status = "paused", joinedOn = "2026-01-02" })).ShouldBe(200);

        var e = await TheEvent("operation=changeVolunteer");
        Assert.Equal(("change", "succeeded", "administrator"), ((string?)e["kind"], (string?)e["outcome"], (string?)e["role"]));
        Assert.Equal(("volunteer", volunteer), ((string?)e["resource"]!["type"], (string?)e["resource"]!["id"]));
        Assert.Equal([volunteer], Texts(e, "volunteerIds"));
        Assert.Equal("127.0.0.0/24", (string?)e["address"]);
        Assert.Equal(32, ((string?)e["traceId"])!.Length);
        var change = Change(e, "volunteer");
        Assert.Equal(("changed", 1), ((string?)change["action"], (int)change["count"]!));
        var fields = Fields(change);
        Assert.Equal(["birthDate", "joinedOn", "name", "phone", "status"], fields.Keys.Order());
        Assert.Equal(("李***", "王***"), fields["name"]);
        Assert.Equal(("138****8000", "139****9999"), fields["phone"]);
        Assert.Equal(("1990-**-**", "1991-**-**"), fields["birthDate"]);
        Assert.Equal(("active", "paused"), fields["status"]);
        Assert.Equal("2026-01-02", fields["joinedOn"].After);
    }

    [Fact]
    public async Task What_the_database_holds_of_the_trail_has_no_personal_value_whole()
    {
        var (login, _) = await O.Account((await Admin.Post("/volunteers", new { name = "欧阳锋利", phone = "13712345678", residence = "石厦二街" })).ShouldBe(201).Id);

        var trail = await Ask<string>("select string_agg(e::text, '') || (select string_agg(v::text, '') from audit_values v) from audit_events e");

        Assert.Contains("137****5678", trail, StringComparison.Ordinal);
        foreach (var value in new[] { "欧阳锋利", "13712345678", "石厦二街", login }) Assert.DoesNotContain(value, trail, StringComparison.Ordinal);
        Assert.DoesNotContain("137****", await Ask<string>("select string_agg(details::text, '') from audit_events"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_values_that_look_the_same_masked_are_still_a_change()
    {
        var volunteer = (await Admin.Post("/volunteers", new { name = "A", phone = "13800018000" })).ShouldBe(201).Id;

        (await Admin.Patch($"/volunteers/{volunteer}", new { phone = "13899998000" })).ShouldBe(200);

        Assert.Equal(("138****8000", "138****8000"), Fields(Change(await TheEvent("operation=changeVolunteer"), "volunteer"))["phone"]);
    }

    [Fact]
    public async Task What_is_created_stands_in_the_trail_under_the_id_it_got()
    {
        var team = (await Admin.Post("/teams", new { name = "Night patrol", description = "Crossing" })).ShouldBe(201).Id;

        var e = await TheEvent($"operation=createTeam&resource={team}");

        Assert.Equal("team", (string?)e["resource"]!["type"]);
        var fields = Fields(Change(e, "team"));
        Assert.Equal((null, "Night patrol"), fields["name"]);
        Assert.Equal((null, "Crossing"), fields["description"]);
    }

    [Fact]
    public async Task What_a_statement_deletes_is_told_as_it_was()
    {
        var team = (await Admin.Post("/teams", new { name = "Short-lived" })).ShouldBe(201).Id;

        (await Admin.Delete($"/teams/{team}")).ShouldBe(204);

        var change = Change(await TheEvent("operation=deleteTeam"), "team");
        Assert.Equal("deleted", (string?)change["action"]);
        Assert.Equal(("Short-lived", null), Fields(change)["name"]);
    }

    [Fact]
    public async Task Roles_granted_and_taken_away_are_told_one_by_one()
    {
        var (_, account) = await O.Account(await O.Volunteer());

        (await Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "coordinator", teamId = Team } } })).ShouldBe(200);

        var e = await TheEvent("operation=setRoles");
        Assert.Equal(("role", account), ((string?)e["resource"]!["type"], (string?)e["resource"]!["id"]));
        var (deleted, created) = (Assert.Single(e["changes"]!.AsArray(), c => (string)c!["action"]! == "deleted")!, Assert.Single(e["changes"]!.AsArray(), c => (string)c!["action"]! == "created")!);
        Assert.Equal(("volunteer", null), Fields(deleted)["role"]);
        Assert.Equal((null, "coordinator"), Fields(created)["role"]);
        Assert.Equal((null, Team), Fields(created)["teamId"]);
    }

    [Fact]
    public async Task A_review_is_told_with_what_it_changed_and_whom_it_concerns()
    {
        var volunteer = await O.Volunteer(Team);
        var activity = await O.Activity(Team);
        var own = await O.SignedInAs(volunteer);
        var record = (await own.Post("/service-records", new { activityId = activity, volunteerId = volunteer, startsAt = "2026-06-07T15:00:00+08:00", endsAt = "2026-06-07T16:00:00+08:00" })).ShouldBe(201).Id;

        (await Admin.Post($"/service-records/{record}/approve")).ShouldBe(200);

        var made = await TheEvent("operation=recordService");
        Assert.Equal("volunteer", (string?)made["role"]);
        Assert.Empty(Fields(Change(made, "serviceRecord")));
        var approved = await TheEvent($"operation=approveServiceRecord&volunteer={volunteer}");
        Assert.Equal(("submitted", "approved"), Fields(Change(approved, "serviceRecord"))["status"]);
        Assert.DoesNotContain(approved["changes"]!.AsArray(), change => ((string)change!["type"]!).StartsWith("hour", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_team_coordinator_leaves_the_teams_to_which_the_role_is_limited()
    {
        var below = await O.Team(Team);
        var volunteer = await O.Volunteer(below);
        var coordinator = await O.SignedInWithRole("coordinator", Team);

        (await coordinator.Patch($"/volunteers/{volunteer}", new { residence = "Futian" })).ShouldBe(200);

        var e = await TheEvent("operation=changeVolunteer");
        Assert.Equal("coordinator", (string?)e["role"]);
        Assert.Equal([Team], Texts(e, "teamIds"));
        Assert.Equal(("account", "Somebody"), ((string?)e["actor"]!["kind"], (string?)e["actor"]!["name"]));
        Assert.Single(await Events($"actor={e["actor"]!["id"]}&kind=change"));
    }

    [Fact]
    public async Task What_is_refused_leaves_nothing()
    {
        var before = await Count();

        (await Admin.Post("/teams", new { name = "" })).ShouldBe(400);
        (await Admin.Post("/teams", new { name = (string)(await Admin.Get($"/teams/{Team}"))["name"]! })).ShouldRefuse(409, "team_name_taken");
        (await Admin.Delete($"/teams/{Guid.NewGuid()}")).ShouldBe(404);
        (await Admin.Patch($"/teams/{Team}", new { description = "X" }, ifMatch: "\"99\"")).ShouldBe(412);
        (await Admin.Post("/volunteers/import", new StringContent("name\r\nA\r\n\r\n,\r\n", Encoding.UTF8, "text/csv"))).ShouldBe(200);
        (await Admin.Post("/volunteers/import", new StringContent("name,joinedOn\r\nB,never\r\n", Encoding.UTF8, "text/csv"))).ShouldBe(409);

        Assert.Equal(before + 1, await Count());
        Assert.Equal(await Count("audit_pending") + await Count("audit_chain"), await Count());
    }

    [Fact]
    public async Task A_repeat_with_the_same_key_leaves_no_second_event()
    {
        var request = new { name = "Once" };
        var first = (await Admin.Post("/teams", request, ("Idempotency-Key", "once"))).ShouldBe(201);

        var both = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Admin.Post("/teams", request, ("Idempotency-Key", "once"))));

        Assert.All(both, answer => Assert.Equal(first.Id, answer.ShouldBe(201).Id));
        await TheEvent($"operation=createTeam&resource={first.Id}");
    }

    [Fact]
    public async Task A_dry_run_is_told_without_a_change()
    {
        (await Admin.Post("/volunteers/import?dryRun=true", new StringContent("name\r\nA\r\n", Encoding.UTF8, "text/csv"))).ShouldBe(200);

        var e = await TheEvent("operation=importVolunteers");
        Assert.Empty(e["changes"]!.AsArray());
        Assert.Equal("true", (string?)e["query"]!["dryRun"]);
        Assert.DoesNotContain((await Admin.Get("/volunteers?q=A")).Items, v => (string)v!["name"]! == "A");
    }

    [Fact]
    public async Task An_import_tells_every_changed_person_in_as_many_events_as_it_takes()
    {
        var roster = "number,name,phone\r\n" + string.Concat(Enumerable.Range(0, 120).Select(i => $"N{i},Person {i},138000{i:00000}\r\n"));
        (await Admin.Post("/volunteers/import", new StringContent(roster, Encoding.UTF8, "text/csv"))).ShouldBe(200);

        var created = Change(await TheEvent("operation=importVolunteers"), "volunteer");
        Assert.Equal(("created", 120, 120), ((string?)created["action"], (int)created["count"]!, created["ids"]!.AsArray().Count));

        (await Admin.Post("/volunteers/import", new StringContent(roster.Replace(",138", ",139", StringComparison.Ordinal), Encoding.UTF8, "text/csv"))).ShouldBe(200);

        var events = (await Events("operation=importVolunteers"))[..2];
        Assert.Single(events.Select(e => (string?)e["traceId"]).Distinct());
        var changed = events.SelectMany(e => e["changes"]!.AsArray()).ToArray();
        Assert.Equal(120, changed.Select(change => (string)change!["ids"]![0]!).Distinct().Count());
        Assert.All(changed, change => Assert.StartsWith("139", Fields(change!)["phone"].After, StringComparison.Ordinal));
        Assert.Equal(120, events.Sum(e => e["volunteerIds"]!.AsArray().Count));
    }

    [Fact]
    public async Task A_batch_is_one_event_with_the_ids_of_its_records()
    {
        var activity = await O.Activity(Team);
        var volunteers = await O.Volunteers(12, Team);

        var made = (await Admin.Post("/service-records/batch", new
        {
            items = volunteers.Select(volunteerId => new { volunteerId, activityId = activity, startsAt = "2026-06-07T15:00:00+08:00", endsAt = "2026-06-07T16:00:00+08:00" }),
        })).ShouldBe(200);

        var e = await TheEvent("operation=recordServiceBatch");
        Assert.Equal(made.Items.Select(record => (string)record!["id"]!).Order(), Texts(Change(e, "serviceRecord"), "ids").Order());
        Assert.Equal(volunteers.Order(), Texts(e, "volunteerIds").Order());
    }

    [Fact]
    public async Task An_application_that_is_declined_is_forgotten_here_too()
    {
        (await Host.Anonymous.Post($"{O.Path}/volunteers/applications", new { name = "陈静静", phone = "13611112222", consent = new { version = "v1" }, message = "Please" })).ShouldBe(202);
        var applied = await TheEvent("operation=applyToVolunteer");
        Assert.Equal(("anonymous", null), ((string?)applied["actor"]!["kind"], (string?)applied["actor"]!["id"]));
        Assert.Equal((null, "陈***"), Fields(Change(applied, "volunteer"))["name"]);
        var volunteer = Texts(applied, "volunteerIds").Single();

        (await Admin.Post($"/volunteers/{volunteer}/decline")).ShouldBe(204);

        applied = await TheEvent("operation=applyToVolunteer");
        Assert.All(Change(applied, "volunteer")["fields"]!.AsArray().Where(field => (string)field!["name"]! is "name" or "phone" or "number"), field => Assert.True((bool)field!["erased"]!));
        Assert.Empty(Fields(Change(await TheEvent("operation=declineApplication"), "volunteer")));
        Assert.Equal(0, await Ask<long>($"select count(*) from audit_values where subject_id = '{volunteer}'"));
        Assert.True((long)(await Verified())["erased"]! > 0);
    }

    [Fact]
    public async Task What_happens_above_organizations_stands_in_the_one_that_it_concerns()
    {
        var other = await Given.AnotherOrganization();
        var created = Assert.Single(await EventsOf(other, "operation=createOrganization"));
        Assert.Equal(("organization", other.Id), ((string?)created["resource"]!["type"], (string?)created["resource"]!["id"]));

        var volunteer = await O.Volunteer();
        var (_, account) = await O.Account(volunteer);
        var made = await TheEvent($"operation=createAccount&volunteer={volunteer}");
        Assert.Equal("anonymous", (string?)made["actor"]!["kind"]);
        Assert.Equal([account], Texts(Change(made, "account"), "ids"));
        Assert.Equal((null, "p***@example.org"), Fields(Change(made, "account"))["userName"]);
        Assert.Equal((null, "***"), Fields(Change(made, "account"))["passwordHash"]);
        Assert.Empty(await EventsOf(other, "operation=createAccount"));
    }

    [Fact]
    public async Task What_the_service_does_by_itself_is_told_as_its_own()
    {
        var shift = await O.Shift(await O.UpcomingActivity(Team));
        await O.SignUp(shift, await O.Volunteer(Team));
        await Host.Later(TimeSpan.FromDays(4));
        await Host.Services.GetServices<Microsoft.Extensions.Hosting.IHostedService>().OfType<ShiftSettlement>().Single().SettleDue(Ct);

        var e = await TheEvent("operation=settleShift");

        Assert.Equal(("service", null), ((string?)e["actor"]!["kind"], (string?)e["actor"]!["id"]));
        Assert.Equal(("confirmed", "noShow"), Fields(Change(e, "signUp"))["status"]);
    }

    [Fact]
    public async Task A_client_is_named_as_what_it_is()
    {
        var made = await O.Client();

        (await (await Host.SignedIn(made)).At(O.Path).Post("/teams", new { name = "By a client" })).ShouldBe(201);

        var e = await TheEvent($"operation=createTeam&actor={made.Id}");
        Assert.Equal(("client", "Gateway", "coordinator"), ((string?)e["actor"]!["kind"], (string?)e["actor"]!["name"], (string?)e["role"]));
        Assert.DoesNotContain(made.Secret, await Ask<string>("select string_agg(e::text, '') || (select string_agg(v::text, '') from audit_values v) from audit_events e"), StringComparison.Ordinal);
        await TheEvent($"kind=signIn&actor={made.Id}");
    }
}
