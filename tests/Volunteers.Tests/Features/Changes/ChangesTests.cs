using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>A copy that was taken once is kept in step by what changed since.</summary>
public sealed class ChangesTests(TestDatabases databases) : ChangesTest(databases)
{
    [Fact]
    public async Task A_first_copy_is_all_that_the_caller_may_see_as_its_own_address_shows_it()
    {
        var made = await SomethingOfEverything();

        foreach (var api in new[] { Admin, Coordinator, Self })
        {
            var items = await new Phone(api, limit: 3).Pull();

            Assert.Equal(items.Count, items.Select(item => (string)item["id"]!).Distinct().Count());
            foreach (var (resource, id) in made)
                Assert.Contains(items, item => (string)item["resource"]! == resource && (string)item["id"]! == id);
            Assert.Contains(items, item => (string)item["resource"]! == "signUp" && (string)item["value"]!["volunteerId"]! == Volunteer);
            foreach (var item in items)
            {
                var shown = (await api.Get(PathOf(item))).ShouldBe(200);
                if ((string)item["resource"]! == "volunteer" && api != Self) ShouldBeWithheld(item["value"]!, shown.Body!);
                else Assert.True(JsonNode.DeepEquals(shown.Body, item["value"]), $"{item.ToJsonString()} is not {shown.Text}");
            }
        }
    }

    [Fact]
    public async Task Afterwards_comes_only_what_changed_each_once_and_as_it_is_now()
    {
        var phone = new Phone(Admin);
        await phone.Pull();
        Assert.Empty(await phone.Pull());

        (await Admin.Patch($"/teams/{Team}", new { description = "First" })).ShouldBe(200);
        var project = await O.Project();
        (await Admin.Patch($"/teams/{Team}", new { description = "Second" })).ShouldBe(200);
        var items = await phone.Pull();

        Assert.Equal([("project", project), ("team", Team)], items.Select(item => ((string)item["resource"]!, (string)item["id"]!)));
        Assert.Equal("Second", (string?)items[1]["value"]!["description"]);
        Assert.True((long)items[0]["position"]! < (long)items[1]["position"]!);
        Assert.Empty(await phone.Pull());
    }

    [Fact]
    public async Task Whoever_wrote_something_finds_it_when_they_ask_next()
    {
        var phone = new Phone(Self);
        await phone.Pull();

        for (var i = 0; i < 5; i++)
        {
            (await Self.Post($"/shifts/{Shift}/sign-ups", new { })).ShouldBe(201);
            Assert.Contains(await phone.Pull(), item => (string)item["resource"]! == "signUp" && (string?)item["value"]!["status"] == "confirmed");
            (await Self.Delete($"/shifts/{Shift}/sign-ups/{Volunteer}")).ShouldBe(204);
            Assert.Contains(await phone.Pull(), item => (string)item["resource"]! == "signUp" && (string?)item["value"]!["status"] == "cancelled");
        }
    }

    [Fact]
    public async Task What_changes_while_the_pages_of_a_first_copy_are_taken_comes_afterwards()
    {
        await SomethingOfEverything();
        var phone = new Phone(Admin, limit: 5);
        phone.Take((await phone.Ask()).ShouldBe(200));

        var spare = await O.Team();
        (await Admin.Patch($"/teams/{Team}", new { description = "Changed meanwhile" })).ShouldBe(200);
        (await Admin.Delete($"/shifts/{await O.Shift(Activity)}")).ShouldBe(204);
        (await Admin.Delete($"/teams/{OtherTeam}")).ShouldBe(204);
        await phone.Pull();

        Assert.Equal(await Phone.FreshCopy(Admin), phone.Copy);
        Assert.Contains($"team {spare}", phone.Copy.Keys);
        Assert.DoesNotContain($"team {OtherTeam}", phone.Copy.Keys);
        Assert.Equal(0, phone.Anew);
    }

    [Fact]
    public async Task What_is_deleted_comes_as_such()
    {
        var (phone, others) = (new Phone(Admin), new Phone(Self));
        await O.SignUp(Shift, Volunteer);
        await phone.Pull();
        await others.Pull();

        (await Admin.Delete($"/shifts/{Shift}/sign-ups/{Volunteer}")).ShouldBe(204);
        foreach (var each in new[] { phone, others }) Assert.DoesNotContain(await each.Pull(), item => (bool)item["deleted"]!);
        (await Admin.Delete($"/shifts/{Shift}")).ShouldBe(204);
        (await Admin.Delete($"/teams/{OtherTeam}")).ShouldBe(204);

        foreach (var each in new[] { phone, others })
        {
            var deleted = (await each.Pull()).Where(item => (bool)item["deleted"]!).Select(item => (string)item["resource"]!).Order();
            Assert.Equal(["shift", "signUp", "team"], deleted);
        }
        Assert.Equal(await Phone.FreshCopy(Admin), phone.Copy);
        Assert.Equal(await Phone.FreshCopy(Self), others.Copy);
    }

    [Fact]
    public async Task What_a_thing_shows_of_others_changes_with_them()
    {
        var made = await SomethingOfEverything();
        var waiting = await O.Volunteers(3, Team);
        var full = await O.Shift(Activity, capacity: 1);
        foreach (var volunteer in waiting) await O.SignUp(full, volunteer);
        var phone = new Phone(Admin);
        await phone.Pull();

        (await Admin.Patch($"/volunteers/{Volunteer}", new { name = "Another Name" })).ShouldBe(200);
        var items = await phone.Pull();
        Assert.Equal(["award", "dispute", "signUp", "volunteer"], items.Select(item => (string)item["resource"]!).Order());
        Assert.All(items, item => Assert.Contains("Another Name", item.ToJsonString(), StringComparison.Ordinal));

        (await Admin.Delete($"/shifts/{full}/sign-ups/{waiting[1]}")).ShouldBe(204);
        Assert.Contains(await phone.Pull(), item => (string?)item["value"]?["volunteerId"] == waiting[2] && (int?)item["value"]!["waitingPosition"] == 1);

        var past = (string)(await Admin.Get($"/disputes/{made["dispute"]}"))["activityId"]!;
        (await Admin.Patch($"/activities/{past}", new { title = "Another Title" })).ShouldBe(200);
        Assert.Contains(await phone.Pull(), item => (string?)item["value"]?["activityTitle"] == "Another Title");

        (await Self.Post($"/awards/{made["award"]}/objections", new { message = "Why not me?" })).ShouldBe(201);
        Assert.Contains(await phone.Pull(), item => (int?)item["value"]?["openObjections"] == 1);

        (await Admin.Post($"/certificates/{made["certificate"]}/revoke", new { reason = "Wrong" })).ShouldBe(200);
        Assert.Contains(await phone.Pull(), item => (string?)item["value"]?["revocationReason"] == "Wrong");
        Assert.Equal(await Phone.FreshCopy(Admin), phone.Copy);
    }

    /// <summary>The members are the same; the values are those that the caller sees of everybody in lists.</summary>
    private static void ShouldBeWithheld(JsonNode item, JsonNode shown)
    {
        Assert.Equal(shown.AsObject().Select(member => member.Key), item.AsObject().Select(member => member.Key));
        Assert.Contains("birthDate", item["withheld"]!.AsArray().Select(member => (string)member!));
        foreach (var (name, value) in shown.AsObject())
            if (!item["withheld"]!.AsArray().Any(member => (string)member! == name) && name != "withheld") Assert.True(JsonNode.DeepEquals(value, item[name]), name);
    }
}
