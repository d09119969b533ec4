using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>How a coordinator answers an application.</summary>
public sealed class ApplicationAnswerTests(TestDatabases databases) : ApplicationsTest(databases)
{
    [Fact]
    public async Task Acceptance_makes_an_active_member_and_an_invitation_and_forgets_the_message()
    {
        var (applicant, team) = (await Applicant(), await O.Team());
        var coordinator = await O.SignedInWithRole("coordinator");

        var accepted = (await coordinator.Post($"/volunteers/{applicant}/accept", new { teamId = team, role = "core" })).ShouldBe(200);

        Assert.Equal((applicant, "active", "王师傅", null), ((string?)accepted["volunteer"]!["id"], (string?)accepted["volunteer"]!["status"],
            (string?)accepted["volunteer"]!["name"], accepted["volunteer"]!["application"]));
        var member = Assert.Single((await O.Admin.Get($"/teams/{team}/members")).Items)!;
        Assert.Equal((applicant, "core", (string?)accepted["volunteer"]!["joinedOn"]), ((string?)member["volunteerId"], (string?)member["role"], (string?)member["joinedOn"]));
        Assert.Empty((await Applicants()).Items);
        Assert.Empty(await TablesWith("周末可以参加接送"));

        var account = (await Host.Anonymous.Post("/v1/accounts", new
        {
            invitationCode = (string?)accepted["invitation"]!["code"], login = "13800138000", password = Given.Password, displayName = "王师傅",
        })).ShouldBe(201);
        var own = (await Host.SignIn("13800138000", Given.Password)).At(O.Path);
        Assert.Equal(account.Id, (string?)(await own.Get($"/volunteers/{applicant}")).ShouldBe(200)["accountId"]);
    }

    [Fact]
    public async Task Acceptance_needs_no_team_and_answers_with_what_is_shown_afterwards()
    {
        var applicant = await Applicant();

        var accepted = (await O.Admin.Post($"/volunteers/{applicant}/accept", new { })).ShouldBe(200);

        Assert.Equal((await O.Admin.Get($"/volunteers/{applicant}")).Body!.ToJsonString(), accepted["volunteer"]!.ToJsonString());
    }

    [Fact]
    public async Task A_team_that_is_not_there_stops_the_acceptance()
    {
        var applicant = await Applicant();

        (await O.Admin.Post($"/volunteers/{applicant}/accept", new { teamId = await (await Given.AnotherOrganization()).Team() })).ShouldRefuse(404, "team_not_found");
        (await O.Admin.Post($"/volunteers/{applicant}/accept", new { role = "core" })).ShouldRefuse(400, "invalid_request");

        Assert.Single((await Applicants()).Items);
    }

    [Fact]
    public async Task An_application_is_answered_once_whoever_answers_at_the_same_moment()
    {
        var applicant = await Applicant();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => O.Admin.Post($"/volunteers/{applicant}/accept", new { })));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "not_applied"));
        (await O.Admin.Post($"/volunteers/{applicant}/decline")).ShouldRefuse(409, "not_applied");
        (await O.Admin.Post($"/volunteers/{await O.Volunteer()}/accept", new { })).ShouldRefuse(409, "not_applied");
    }

    [Fact]
    public async Task An_answer_and_a_new_application_at_the_same_moment_do_not_hurt_each_other()
    {
        for (var i = 0; i < 5; i++)
        {
            var phone = $"1380013800{i}";
            var applicant = await Applicant(phone: phone);

            var answers = await Task.WhenAll(
                O.Admin.Post($"/volunteers/{applicant}/{(i % 2 == 0 ? "decline" : "accept")}", new { }), Apply(Application(phone: phone)), Apply(Application(phone: phone)));

            Assert.All(answers, answer => Assert.True(answer.Status is 200 or 202 or 204, answer.Text));
            Assert.True((await Ask($"select id::text from volunteers where phone = '{phone}'")).Count <= 1);
        }
    }

    [Fact]
    public async Task Whoever_is_declined_is_forgotten()
    {
        var applicant = await Applicant("罕见的名字", "13912345678");
        Assert.Equal(["volunteers"], await TablesWith("罕见的名字"));

        (await O.Admin.Post($"/volunteers/{applicant}/decline")).ShouldBe(204);

        (await O.Admin.Get($"/volunteers/{applicant}")).ShouldRefuse(404, "not_found");
        foreach (var trace in new[] { "罕见的名字", "13912345678", "周末可以参加接送" }) Assert.Empty(await TablesWith(trace));
        // That somebody was declined stays, and that copies drop them, under an id that says nothing any more.
        Assert.Equal(["audit_events"], (await TablesWith(applicant)).Except(["change_marks", "changes"]));
        Assert.NotEqual("000001", (string?)(await O.Admin.Post("/volunteers", new { name = "下一个" })).ShouldBe(201)["number"]);
    }

    [Fact]
    public async Task Nobody_is_forgotten_on_whom_something_hangs()
    {
        var volunteer = await O.Volunteer(inTeam: await O.Team());
        (await O.Admin.Patch($"/volunteers/{volunteer}", new { status = "applied" })).ShouldBe(200);

        (await O.Admin.Post($"/volunteers/{volunteer}/decline")).ShouldRefuse(409, "volunteer_in_use");

        (await O.Admin.Get($"/volunteers/{volunteer}")).ShouldBe(200);
    }

    [Fact]
    public async Task Who_left_comes_back_by_acceptance_and_with_the_account_there_is()
    {
        var known = await Known();
        await O.Account(known);
        (await O.Admin.Patch($"/volunteers/{known}", new { status = "left" })).ShouldBe(200);
        (await Apply(Application())).ShouldBe(202);

        var accepted = (await O.Admin.Post($"/volunteers/{known}/accept", new { })).ShouldBe(200);

        Assert.Equal(("active", null, null), ((string?)accepted["volunteer"]!["status"], accepted["volunteer"]!["application"], accepted["invitation"]));
    }

    [Fact]
    public async Task A_known_person_whose_application_is_declined_stays_as_they_are()
    {
        var known = await Known("paused");
        (await Apply(Application())).ShouldBe(202);

        (await O.Admin.Post($"/volunteers/{known}/decline")).ShouldBe(204);

        var shown = await O.Admin.Get($"/volunteers/{known}");
        Assert.Equal(("paused", null), ((string?)shown["status"], shown["application"]));
        (await O.Admin.Post($"/volunteers/{known}/decline")).ShouldRefuse(409, "not_applied");
    }

    [Fact]
    public async Task A_status_changed_by_hand_answers_the_application_too()
    {
        var applicant = await Applicant();

        (await O.Admin.Patch($"/volunteers/{applicant}", new { residence = "石厦村" })).ShouldBe(200);
        Assert.NotNull((await O.Admin.Get($"/volunteers/{applicant}"))["application"]);
        (await O.Admin.Patch($"/volunteers/{applicant}", new { status = "active" })).ShouldBe(200);

        Assert.Null((await O.Admin.Get($"/volunteers/{applicant}"))["application"]);
        Assert.Empty(await TablesWith("周末可以参加接送"));
    }

    [Fact]
    public async Task Before_acceptance_nobody_is_invited_or_taken_into_a_team()
    {
        var (applicant, team) = (await Applicant(), await O.Team());

        (await O.Admin.Post($"/volunteers/{applicant}/invitation")).ShouldRefuse(409, "not_accepted");
        (await O.Admin.Put($"/teams/{team}/members/{applicant}", new { role = "member" })).ShouldRefuse(409, "not_accepted");
        (await O.Admin.Post($"/volunteers/{applicant}/accept", new { })).ShouldBe(200);
        (await O.Admin.Post($"/volunteers/{applicant}/invitation")).ShouldBe(200);
        (await O.Admin.Put($"/teams/{team}/members/{applicant}", new { role = "member" })).ShouldBe(200);
    }

    [Fact]
    public async Task Only_who_may_answer_reads_the_message_and_volunteers_do_not_see_applicants()
    {
        var team = await O.Team();
        var applicant = await Applicant();
        var known = await Known("active", "13700137000");
        await O.Member(team, known);
        (await Apply(Application(phone: "13700137000"))).ShouldBe(202);
        var readers = new Dictionary<string, Api>
        {
            ["coordinator"] = await O.SignedInWithRole("coordinator"), ["auditor"] = await O.SignedInWithRole("auditor"),
            ["team coordinator"] = await O.SignedInWithRole("coordinator", team), ["the person"] = await O.SignedInAs(known),
        };

        var seen = new Dictionary<string, string>();
        foreach (var (who, api) in readers) seen[who] = (await api.Get("/volunteers")).ShouldBe(200).Text;

        Assert.Equal(["coordinator"], seen.Where(each => each.Value.Contains("周末可以", StringComparison.Ordinal)).Select(each => each.Key));
        Assert.Equal(["auditor", "coordinator"], seen.Where(each => each.Value.Contains(applicant, StringComparison.Ordinal)).Select(each => each.Key).Order());
        Assert.All(seen.Values, list => Assert.Contains(known, list, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_applicant_whom_a_roster_puts_into_a_team_is_not_shown_among_its_members()
    {
        var name = Given.Unique("Drivers");
        var team = (await O.Admin.Post("/teams", new { name })).ShouldBe(201).Id;
        var mate = await O.Volunteer(inTeam: team);
        using var roster = new StringContent($"name,status,team\r\n新人,applied,{name}\r\n离队的,left,{name}\r\n暂停的,paused,{name}\r\n", Encoding.UTF8, "text/csv");
        (await O.Admin.Send(HttpMethod.Post, "/volunteers/import", roster)).ShouldBe(200);

        var members = (await (await O.SignedInAs(mate)).Get($"/teams/{team}/members")).ShouldBe(200);

        Assert.Equal(2, members.Items.Count);
        Assert.Contains("暂停的", members.Text, StringComparison.Ordinal);
        Assert.Contains("离队的", (await O.Admin.Get($"/teams/{team}/members?includeLeft=true")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("新人", (await O.Admin.Get($"/teams/{team}/members?includeLeft=true")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_organizations_coordinator_answers_nothing_here()
    {
        var applicant = await Applicant();
        var stranger = await (await Given.AnotherOrganization()).SignedInWithRole("coordinator");

        foreach (var step in new[] { "accept", "decline" })
        {
            (await stranger.Post($"/volunteers/{applicant}/{step}", new { })).ShouldRefuse(404, "not_found");
            (await new Api(stranger.Http, O.Path).Post($"/volunteers/{applicant}/{step}", new { })).ShouldRefuse(404, "not_found");
        }
        Assert.Single((await Applicants()).Items);
    }
}
