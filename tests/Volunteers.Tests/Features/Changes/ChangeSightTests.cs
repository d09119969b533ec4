using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>Everybody's copy holds what they may see, no more and no less, also when that changes.</summary>
public sealed class ChangeSightTests(TestDatabases databases) : ChangesTest(databases)
{
    [Fact]
    public async Task What_moves_to_another_team_goes_out_of_the_coordinators_sight_and_stays_in_that_of_others()
    {
        await O.Record(await O.Activity(Team), Volunteer, "2026-06-07T15:00:00+08:00", "2026-06-07T17:00:00+08:00");
        var certificate = (await Admin.Post($"/volunteers/{Volunteer}/certificates", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201).Id;
        var other = await O.Volunteer(Team);
        await O.SignUp(Shift, other);
        var (coordinator, self, admin) = (new Phone(Coordinator), new Phone(Self), new Phone(Admin));
        await Task.WhenAll(coordinator.Pull(), self.Pull(), admin.Pull());

        (await Admin.Patch($"/activities/{Activity}", new { teamId = OtherTeam })).ShouldBe(200);
        Assert.Equal(["activity deleted", "shift deleted", "signUp deleted"], Told(await coordinator.Pull()));
        Assert.Equal(["activity", "shift"], Told(await self.Pull()));
        Assert.Equal(["activity", "shift", "signUp"], Told(await admin.Pull()));

        (await Admin.Delete($"/teams/{Team}/members/{Volunteer}")).ShouldBe(204);
        Assert.Equal(["certificate deleted", "volunteer deleted"], Told(await coordinator.Pull()));
        Assert.DoesNotContain($"certificate {certificate}", coordinator.Copy.Keys);

        (await Admin.Patch($"/activities/{Activity}", new { teamId = Team })).ShouldBe(200);
        await O.Member(Team, Volunteer);
        Assert.Equal(["activity", "certificate", "shift", "signUp", "volunteer"], Told(await coordinator.Pull()));
        await ShouldBeInStep((coordinator, Coordinator), (self, Self), (admin, Admin));
    }

    [Fact]
    public async Task Nothing_is_told_of_what_the_caller_could_never_see()
    {
        var (coordinator, self) = (new Phone(Coordinator), new Phone(Self));
        await Task.WhenAll(coordinator.Pull(), self.Pull());

        var stranger = await O.Volunteer(OtherTeam);
        var past = await O.Activity(OtherTeam);
        var record = await O.Record(past, stranger, "2026-06-07T15:00:00+08:00", "2026-06-07T17:00:00+08:00");
        await O.Record(past, stranger, "2026-06-07T17:00:00+08:00", "2026-06-07T18:00:00+08:00");
        (await Admin.Post($"/service-records/{record}/void", new { reason = "Wrong" })).ShouldBe(200);
        var soon = await O.UpcomingActivity(OtherTeam);
        var shift = await O.Shift(soon);
        await O.SignUp(shift, stranger);
        (await Admin.Post("/activities", new { title = "Draft", teamId = OtherTeam, category = "patrol", startsAt = Clock.GetUtcNow(), endsAt = Clock.GetUtcNow().AddHours(1) })).ShouldBe(201);
        (await Admin.Post($"/volunteers/{stranger}/certificates", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201);
        (await Admin.Post("/awards", new { volunteerId = stranger, name = "Neighbour of the year" })).ShouldBe(201);

        Assert.Empty(await coordinator.Pull());
        Assert.Equal(new[] { past, shift, soon }.Order(), (await self.Pull()).Select(item => (string)item["id"]!).Order());
    }

    [Fact]
    public async Task A_draft_comes_to_the_volunteers_when_it_is_published()
    {
        var draft = (await Admin.Post("/activities", new
        {
            title = "Clean-up", teamId = Team, category = "patrol", startsAt = Clock.GetUtcNow().AddDays(3), endsAt = Clock.GetUtcNow().AddDays(3).AddHours(2),
        })).ShouldBe(201).Id;
        var shift = await O.Shift(draft);
        var phone = new Phone(Self);
        await phone.Pull();
        Assert.DoesNotContain($"activity {draft}", phone.Copy.Keys);

        (await Admin.Post($"/activities/{draft}/publish")).ShouldBe(200);

        Assert.Equal([("activity", draft), ("shift", shift)], (await phone.Pull()).Select(item => ((string)item["resource"]!, (string)item["id"]!)));
    }

    [Fact]
    public async Task Who_is_put_in_charge_sees_everybodys_places_until_another_is()
    {
        await O.SignUp(Shift, await O.Volunteer(Team));
        var phone = new Phone(Self);
        await phone.Pull();

        (await Admin.Patch($"/activities/{Activity}", new { responsibleVolunteerId = Volunteer })).ShouldBe(200);
        Assert.Contains("signUp", Told(await phone.Pull()));
        (await Admin.Patch($"/activities/{Activity}", new { responsibleVolunteerId = (string?)null })).ShouldBe(200);
        Assert.Contains("signUp deleted", Told(await phone.Pull()));
        await ShouldBeInStep((phone, Self));
    }

    [Fact]
    public async Task Another_role_or_another_reach_of_it_needs_another_copy()
    {
        var (volunteer, phone) = (await O.Volunteer(Team), new Phone(Coordinator));
        var (login, account) = await O.Account(volunteer);
        var person = (await Host.SignIn(login, Given.Password)).At(O.Path);
        var theirs = new Phone(person);
        await Task.WhenAll(phone.Pull(), theirs.Pull());

        (await Admin.Put($"/roles/{account}", new { roles = new object[] { new { role = "volunteer", volunteerId = volunteer }, new { role = "auditor" } } })).ShouldBe(200);
        await Eventually(async () => (await theirs.Ask()).Status == 410);
        (await theirs.Ask()).ShouldRefuse(410, "resync_required");
        await theirs.Pull();
        Assert.Equal(1, theirs.Anew);
        await ShouldBeInStep((theirs, person));

        (await Admin.Patch($"/teams/{OtherTeam}", new { parentTeamId = Team })).ShouldBe(200);
        await Eventually(async () => (await phone.Ask()).Status == 410);
        await phone.Pull();
        Assert.Contains($"team {OtherTeam}", phone.Copy.Keys);
        await ShouldBeInStep((phone, Coordinator));
    }

    [Fact]
    public async Task A_client_gets_what_its_scopes_let_it_read()
    {
        await SomethingOfEverything();
        var roster = (await Host.SignedIn(await O.Client(scopes: ["organization.read", "roster.read"]))).At(O.Path);
        var hours = (await Host.SignedIn(await O.Client(role: "auditor", scopes: ["organization.read", "hours.read", "certificates.read"]))).At(O.Path);

        Assert.Equal(["organization", "team", "volunteer"], Kinds(await Phone.FreshCopy(roster)));
        Assert.Equal(["certificate", "dispute", "organization", "serviceRecord"], Kinds(await Phone.FreshCopy(hours)));
        (await (await Host.SignedIn(await O.Client(scopes: ["roster.read"]))).At(O.Path).Get("/changes")).ShouldRefuse(403, "insufficient_scope");
    }

    [Fact]
    public async Task Whoever_is_erased_goes_from_every_copy_and_nothing_of_them_is_left_in_the_table()
    {
        var forgotten = (await Admin.Post("/volunteers", new { name = "Someone Unforgettable", phone = "13987654321" })).ShouldBe(201).Id;
        await O.Member(Team, forgotten);
        await O.SignUp(Shift, forgotten);
        var (admin, coordinator) = (new Phone(Admin), new Phone(Coordinator));
        await Task.WhenAll(admin.Pull(), coordinator.Pull());

        (await Admin.Patch($"/activities/{Activity}", new { description = "Someone Unforgettable brings tea." })).ShouldBe(200);
        (await Admin.Delete($"/volunteers/{forgotten}")).ShouldBe(204);

        foreach (var phone in new[] { admin, coordinator })
        {
            Assert.Contains(await phone.Pull(), item => (string)item["id"]! == forgotten && (bool)item["deleted"]!);
            Assert.DoesNotContain("Unforgettable", string.Concat(phone.Copy.Values), StringComparison.Ordinal);
        }
        await ShouldBeInStep((admin, Admin), (coordinator, Coordinator));
        Assert.Equal(0, await Ask<long>("select count(*) from (select c::text as row from changes c union all select m::text from change_marks m) kept where row like '%Unforgettable%' or row like '%139%87654321%'"));
    }

    [Fact]
    public async Task What_a_day_changes_by_itself_comes_with_the_day()
    {
        var born = Clock.GetUtcNow().AddHours(8).AddYears(-18).AddDays(1);
        var young = (await Admin.Post("/volunteers", new { name = "Young", birthDate = $"{born:yyyy-MM-dd}", status = "applied" })).ShouldBe(201).Id;
        var award = (await Admin.Post("/awards", new { volunteerId = Volunteer, name = "Neighbour of the year" })).ShouldBe(201).Id;
        (await Admin.Post($"/awards/{award}/publish", new { from = $"{Clock.GetUtcNow().AddHours(8).AddDays(1):yyyy-MM-dd}" })).ShouldBe(200);
        var (admin, self) = (new Phone(Admin), new Phone(Self));
        await Task.WhenAll(admin.Pull(), self.Pull());
        Assert.DoesNotContain($"award {award}", self.Copy.Keys);
        Assert.True((bool)JsonNode.Parse(admin.Copy[$"volunteer {young}"])!["guardianMissing"]!);

        await Host.Later(TimeSpan.FromDays(1));

        Assert.Equal(["award"], Told(await self.Pull()));
        Assert.Contains(await admin.Pull(), item => (string)item["id"]! == young && !(bool)item["value"]!["guardianMissing"]!);
        await ShouldBeInStep((admin, Admin), (self, Self));

        (await Admin.Patch("", new { settings = new { guardianForServiceBelow = 21 } })).ShouldBe(200);
        Assert.Contains(await admin.Pull(), item => (string)item["id"]! == young && (bool)item["value"]!["guardianMissing"]!);
        await ShouldBeInStep((admin, Admin));
    }

    [Fact]
    public async Task What_was_public_already_is_gone_again_when_a_new_time_zone_sets_the_day_back()
    {
        // At noon in Shanghai the day before has not ended on Midway.
        await Host.Later(Clock.GetUtcNow().Date.AddDays(2).AddHours(4) - Clock.GetUtcNow().UtcDateTime);
        var award = (await Admin.Post("/awards", new { volunteerId = await O.Volunteer(OtherTeam), name = "Neighbour of the year" })).ShouldBe(201).Id;
        (await Admin.Post($"/awards/{award}/publish", new { from = $"{Clock.GetUtcNow().AddHours(8):yyyy-MM-dd}" })).ShouldBe(200);
        var (admin, self) = (new Phone(Admin), new Phone(Self));
        await Task.WhenAll(admin.Pull(), self.Pull());
        Assert.Contains($"award {award}", self.Copy.Keys);

        (await Admin.Patch("", new { timeZone = "Pacific/Midway" })).ShouldBe(200);

        await Task.WhenAll(admin.Pull(), self.Pull());
        Assert.DoesNotContain($"award {award}", self.Copy.Keys);
        await ShouldBeInStep((admin, Admin), (self, Self));
    }

    [Fact]
    public async Task Whose_account_a_profile_is_and_which_document_is_theirs_are_told()
    {
        var (admin, self) = (new Phone(Admin), new Phone(Self));
        await Task.WhenAll(admin.Pull(), self.Pull());
        var joined = await O.Volunteer();
        var (_, account) = await O.Account(joined);
        Assert.Contains(await admin.Pull(), item => (string?)item["value"]?["accountId"] == account);

        (await Admin.Patch($"/volunteers/{Volunteer}", new { consent = new { version = "v1", at = Clock.GetUtcNow() } })).ShouldBe(200);
        await self.Pull();
        await ShouldBeInStep((admin, Admin), (self, Self));
    }

    private static async Task ShouldBeInStep(params (Phone Phone, Api Api)[] copies)
    {
        foreach (var (phone, api) in copies)
        {
            await phone.Pull();
            Assert.Equal(await Phone.FreshCopy(api), phone.Copy);
        }
    }

    /// <summary>A role that was taken away is remembered for a moment.</summary>
    private static async Task Eventually(Func<Task<bool>> holds)
    {
        for (var tries = 0; !await holds(); tries++)
        {
            Assert.True(tries < 600);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    private static string[] Told(IEnumerable<JsonNode> items) => [.. items.Select(item => (string)item["resource"]! + ((bool)item["deleted"]! ? " deleted" : "")).Order(StringComparer.Ordinal)];

    private static string[] Kinds(SortedDictionary<string, string> copy) => [.. copy.Keys.Select(key => key.Split(' ')[0]).Distinct()];
}
