using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Organizations;

public sealed class RoleTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task The_last_administrator_stays()
    {
        var o = await Given.Organization();
        var administrator = (string)Assert.Single((await o.Admin.Get("/roles")).Items)!["accountId"]!;

        (await o.Admin.Delete($"/roles/{administrator}")).ShouldRefuse(409, "last_administrator");
        (await o.Admin.Put($"/roles/{administrator}", new { roles = new[] { new { role = "auditor" } } })).ShouldRefuse(409, "last_administrator");
        (await o.Admin.Get("/roles")).ShouldBe(200);
    }

    [Fact]
    public async Task Two_administrators_who_remove_each_other_at_once_do_not_both_go()
    {
        var o = await Given.Organization();
        var first = (string)Assert.Single((await o.Admin.Get("/roles")).Items)!["accountId"]!;
        var (login, second) = await o.Account(await o.Volunteer());
        for (var round = 0; round < 5; round++)
        {
            (await o.Admin.Put($"/roles/{second}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
            var other = (await Host.SignIn(login, Given.Password)).At(o.Path);

            var answers = await Task.WhenAll(o.Admin.Delete($"/roles/{second}"), other.Delete($"/roles/{first}"));

            Assert.Single(answers, answer => answer.Status == 204);
            // The one who came second had no role left, or was the last.
            Assert.Single(answers, answer => answer.Code is "last_administrator" or "not_found");
            var left = answers[0].Status == 204 ? o.Admin : other;
            Assert.Single((await left.Get("/roles")).ShouldBe(200).Items, account => account!["roles"]!.ToJsonString().Contains("administrator", StringComparison.Ordinal));
            if (left == other) (await other.Put($"/roles/{first}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
        }
    }

    [Fact]
    public async Task Roles_that_are_not_named_are_taken_away_at_once()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var volunteer = await o.Volunteer(inTeam: team);
        var (login, account) = await o.Account(volunteer);
        var api = (await Host.SignIn(login, Given.Password)).At(o.Path);

        var set = (await o.Admin.Put($"/roles/{account}", new { roles = new object[] { new { role = "coordinator", teamId = team }, new { role = "volunteer", volunteerId = volunteer } } }))
            .ShouldBe(200);
        Assert.Equal(set.Text, (await o.Admin.Get($"/roles/{account}")).Text);
        (await api.Post("/activities", new { title = "a", category = "a", teamId = team, startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T18:30:00+08:00" })).ShouldBe(201);

        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "auditor" } } })).ShouldBe(200);
        (await Host.SignIn(login, Given.Password)).At(o.Path);
        Assert.Equal("auditor", (string?)Assert.Single((await o.Admin.Get($"/roles/{account}"))["roles"]!.AsArray())!["role"]);
        (await o.Admin.Delete($"/roles/{account}")).ShouldBe(204);
        (await o.Admin.Delete($"/roles/{account}")).ShouldRefuse(404, "not_found");
        (await o.Admin.Get($"/roles/{account}")).ShouldRefuse(404, "not_found");
    }

    [Theory]
    [InlineData("""{ "roles": [] }""")]
    [InlineData("""{ "roles": null }""")]
    [InlineData("""{ "roles": [null] }""")]
    [InlineData("""{ "roles": [{ "role": "operator" }] }""")]
    [InlineData("""{ "roles": [{ "role": "volunteer" }] }""")]
    [InlineData("""{ "roles": [{ "role": "auditor", "teamId": "019ac000-0000-7000-8000-000000000000" }] }""")]
    [InlineData("""{ "roles": [{ "role": "auditor" }, { "role": "auditor" }] }""")]
    public async Task What_is_no_set_of_roles_is_refused(string body)
    {
        var o = await Given.Organization();
        var (_, account) = await o.Account(await o.Volunteer());

        (await o.Admin.Put($"/roles/{account}", new StringContent(body, System.Text.Encoding.UTF8, "application/json"))).ShouldBe(400);
    }

    [Fact]
    public async Task A_profile_belongs_to_one_account_and_only_an_administrator_grants()
    {
        var o = await Given.Organization();
        var volunteer = await o.Volunteer();
        await o.Account(volunteer);
        var (_, second) = await o.Account(await o.Volunteer());

        (await o.Admin.Put($"/roles/{second}", new { roles = new[] { new { role = "volunteer", volunteerId = volunteer } } })).ShouldRefuse(409, "volunteer_already_linked");
        (await o.Admin.Put($"/roles/{second}", new { roles = new[] { new { role = "coordinator", teamId = Guid.NewGuid() } } })).ShouldRefuse(404, "team_not_found");
        (await o.Admin.Put($"/roles/{second}", new { roles = new[] { new { role = "volunteer", volunteerId = Guid.NewGuid() } } })).ShouldRefuse(404, "volunteer_not_found");
        (await o.Admin.Put($"/roles/{Guid.NewGuid()}", new { roles = new[] { new { role = "auditor" } } })).ShouldRefuse(404, "account_not_found");
        foreach (var role in new[] { "coordinator", "auditor" })
            (await (await o.SignedInWithRole(role)).Put($"/roles/{second}", new { roles = new[] { new { role = "administrator" } } })).ShouldRefuse(403, "forbidden");
    }
}
