using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Recognition;

public sealed class AwardTests(TestDatabases databases) : RecognitionTest(databases)
{
    [Fact]
    public async Task An_award_is_proposed_made_public_and_confirmed_when_its_days_are_over()
    {
        var volunteer = await O.Volunteer(Team);
        var made = (await Admin.Post("/awards", new { volunteerId = volunteer, name = "年度优秀志愿者", awardedBy = "石厦社区", reason = "四十次值守" })).ShouldBe(201);
        Assert.Equal($"{O.Path}/awards/{made.Id}", made.Header("Location"));
        Assert.Equal(made.Text, (await Admin.Get($"/awards/{made.Id}")).Text);
        Assert.Equal(("proposed", Day(Today)), (Text(made, "status"), Text(made, "proposedOn")));
        (await Step(Admin, made.Id, "confirm")).ShouldRefuse(409, "publicity_not_over");

        var published = (await Step(Admin, made.Id, "publish", new { })).ShouldBe(200);
        Assert.Equal(("inPublicity", Day(Today), Day(Today.AddDays(6))), (Text(published, "status"), Text(published, "publicityFrom"), Text(published, "publicityTo")));
        (await Step(Admin, made.Id, "publish", new { })).ShouldRefuse(409, "not_proposed");
        await NextDay(6);
        (await Step(Admin, made.Id, "confirm")).ShouldRefuse(409, "publicity_not_over");
        await NextDay();

        var confirmed = (await Step(Admin, made.Id, "confirm")).ShouldBe(200);

        Assert.Equal(("confirmed", Day(Today), "\"3\""), (Text(confirmed, "status"), Text(confirmed, "confirmedOn"), confirmed.Header("ETag")));
        (await Step(Admin, made.Id, "confirm")).ShouldRefuse(409, "award_settled");
    }

    [Fact]
    public async Task The_rule_says_how_long_an_award_is_public_at_least()
    {
        var volunteer = await O.Volunteer(Team);
        (await Admin.Post("/star-rules", new { levels = Levels(1), publicityDays = 2 })).ShouldBe(201);
        var (byRule, own) = (await Proposed(volunteer), await Proposed(volunteer));

        Assert.Equal(Day(Today.AddDays(1)), Text((await Step(Admin, byRule, "publish", new { })).ShouldBe(200), "publicityTo"));
        (await Step(Admin, own, "publish", new { from = Day(Today.AddDays(-1)) })).ShouldRefuse(409, "publicity_out_of_bounds");
        (await Step(Admin, own, "publish", new { to = Day(Today.AddDays(60)) })).ShouldRefuse(409, "publicity_out_of_bounds");
        (await Step(Admin, own, "publish", new { to = Day(Today.AddDays(-1)) })).ShouldRefuse(409, "publicity_out_of_bounds");
        (await Step(Admin, own, "publish", new { from = Day(Today.AddDays(2)), to = Day(Today.AddDays(1)) })).ShouldRefuse(400, "invalid_request");
        (await Step(Admin, own, "publish", new { to = Day(Today) })).ShouldRefuse(409, "publicity_too_short");
        (await Step(Admin, own, "publish", new { from = Day(Today.AddDays(2)), to = Day(Today.AddDays(2)) })).ShouldRefuse(409, "publicity_too_short");
        (await Step(Admin, own, "publish", new { to = Day(Today.AddDays(59)) })).ShouldBe(200);
    }

    [Fact]
    public async Task Before_its_first_public_day_an_award_is_not_public()
    {
        var member = await O.SignedInAs(await O.Volunteer(Team));
        var award = await Proposed(await O.Volunteer(Team));
        (await Step(Admin, award, "publish", new { from = Day(Today.AddDays(2)) })).ShouldBe(200);

        Assert.Empty(await Ids(member));
        (await member.Get($"/awards/{award}")).ShouldRefuse(404, "not_found");
        (await Step(member, award, "objections", new { message = "No." })).ShouldRefuse(404, "not_found");
        (await Step(Admin, award, "objections", new { message = "No." })).ShouldRefuse(409, "not_in_publicity");
        await NextDay(2);

        Assert.Equal([award], await Ids(member));
        (await Step(member, award, "objections", new { message = "No." })).ShouldBe(201);
        await NextDay(6);
        (await Step(Admin, award, "confirm")).ShouldRefuse(409, "publicity_not_over");
    }

    [Fact]
    public async Task Where_the_rule_asks_for_no_public_days_a_proposal_is_confirmed_at_once()
    {
        (await Admin.Post("/star-rules", new { levels = Levels(1), publicityDays = 0 })).ShouldBe(201);
        var award = await Proposed(await O.Volunteer(Team));

        Assert.Equal("confirmed", Text((await Step(Admin, award, "confirm")).ShouldBe(200), "status"));
    }

    [Fact]
    public async Task An_award_waits_for_the_answer_to_every_objection()
    {
        var member = await O.SignedInAs(await O.Volunteer(Team));
        var another = await O.SignedInAs(await O.Volunteer(Team));
        var award = await Proposed(await O.Volunteer(Team));
        (await Step(member, award, "objections", new { message = "No." })).ShouldRefuse(404, "not_found");
        (await Step(Admin, award, "objections", new { message = "No." })).ShouldRefuse(409, "not_in_publicity");
        (await Step(Admin, award, "publish", new { })).ShouldBe(200);
        var objection = (await Step(member, award, "objections", new { message = "三月份没有来。" })).ShouldBe(201).Id;
        await NextDay(7);

        (await Step(Admin, award, "confirm")).ShouldRefuse(409, "objection_open");
        Assert.Equal(1, Number(await Admin.Get($"/awards/{award}"), "openObjections"));
        Assert.Null((await member.Get($"/awards/{award}"))["openObjections"]);
        (await Step(Admin, award, $"objections/{objection}/answer", new { answer = "来过四次。" })).ShouldBe(200);
        (await Step(Admin, award, $"objections/{objection}/answer", new { answer = "Another." })).ShouldRefuse(409, "objection_answered");

        (await Step(Admin, award, "confirm")).ShouldBe(200);
        (await Step(member, award, "objections", new { message = "Still no." })).ShouldRefuse(409, "not_in_publicity");
        Assert.Equal("来过四次。", (string?)Assert.Single((await member.Get($"/awards/{award}/objections")).ShouldBe(200).Items)!["answer"]);
        Assert.Empty((await another.Get($"/awards/{award}/objections")).ShouldBe(200).Items);
        Assert.Single((await (await O.SignedInWithRole("auditor")).Get($"/awards/{award}/objections")).ShouldBe(200).Items);
    }

    [Fact]
    public async Task An_objection_and_a_confirmation_at_the_same_moment_never_both_stand_unanswered()
    {
        var member = await O.SignedInAs(await O.Volunteer(Team));
        await OnePublicDay();
        var awards = new List<string>();
        var volunteer = await O.Volunteer(Team);
        for (var i = 0; i < 8; i++)
        {
            awards.Add(await Proposed(volunteer));
            (await Step(Admin, awards[i], "publish", new { to = Day(Today) })).ShouldBe(200);
        }
        await NextDay();

        foreach (var award in awards)
        {
            var answers = await Task.WhenAll(Step(Admin, award, "confirm"), Step(member, award, "objections", new { message = "No." }));
            Assert.True(answers is [{ Status: 200 }, { Code: "not_in_publicity" }] or [{ Code: "objection_open" }, { Status: 201 }], answers[0].Text + answers[1].Text);
        }
    }

    [Fact]
    public async Task Nobody_decides_on_their_own_award()
    {
        await OnePublicDay();
        var volunteer = await O.Volunteer(Team);
        var coordinator = await O.CoordinatorWhoIs(volunteer);
        var award = await Proposed(volunteer);
        (await Step(Admin, award, "publish", new { to = Day(Today) })).ShouldBe(200);
        var objection = (await Step(Admin, award, "objections", new { message = "No." })).ShouldBe(201).Id;
        await NextDay();

        (await Step(coordinator, award, $"objections/{objection}/answer", new { answer = "Yes." })).ShouldRefuse(409, "own_award");
        (await Step(Admin, award, $"objections/{objection}/answer", new { answer = "Yes." })).ShouldBe(200);
        (await Step(coordinator, award, "confirm")).ShouldRefuse(409, "own_award");
        (await Step(Admin, award, "confirm")).ShouldBe(200);
    }

    [Fact]
    public async Task What_was_withdrawn_is_kept_with_its_reason()
    {
        var award = await Proposed(await O.Volunteer(Team));
        (await Step(Admin, award, "withdraw", new { reason = " " })).ShouldRefuse(400, "invalid_request");

        var withdrawn = (await Step(Admin, award, "withdraw", new { reason = "提名有误" })).ShouldBe(200);

        Assert.Equal(("withdrawn", "提名有误", Day(Today)), (Text(withdrawn, "status"), Text(withdrawn, "withdrawalReason"), Text(withdrawn, "withdrawnOn")));
        foreach (var (step, code) in new[] { ("withdraw", "award_settled"), ("confirm", "award_settled"), ("publish", "not_proposed") })
            (await Step(Admin, award, step, step == "withdraw" ? new { reason = "Again" } : step == "publish" ? new { } : null)).ShouldRefuse(409, code);
    }

    [Fact]
    public async Task Members_see_what_is_public_or_confirmed_and_coordinators_the_rest()
    {
        var volunteer = await O.Volunteer(Team);
        var (proposed, published, withdrawn) = (await Proposed(volunteer), await Proposed(volunteer), await Proposed(volunteer));
        (await Step(Admin, published, "publish", new { })).ShouldBe(200);
        (await Step(Admin, withdrawn, "withdraw", new { reason = "Wrong" })).ShouldBe(200);

        foreach (var member in new[] { await O.SignedInAs(volunteer), await O.SignedInWithRole("coordinator", Team) })
        {
            Assert.Equal([published], await Ids(member));
            (await member.Get($"/awards/{proposed}")).ShouldRefuse(404, "not_found");
            (await member.Get($"/awards/{withdrawn}/objections")).ShouldRefuse(404, "not_found");
            (await Step(member, withdrawn, "objections", new { message = "No." })).ShouldRefuse(404, "not_found");
        }
        foreach (var reader in new[] { await O.SignedInWithRole("coordinator"), await O.SignedInWithRole("auditor") })
            Assert.Equal([proposed, published, withdrawn], await Ids(reader));
        Assert.Equal([withdrawn], await Ids(Admin, "?status=withdrawn"));
        Assert.Empty(await Ids(Admin, $"?volunteer={await O.Volunteer()}"));
        Assert.Empty(await Ids(Admin, "?level=1"));
        var elsewhere = (await Given.AnotherOrganization()).Admin;
        Assert.Empty(await Ids(elsewhere));
        (await Step(elsewhere, published, "confirm")).ShouldRefuse(404, "not_found");
        (await elsewhere.Post("/awards", new { volunteerId = volunteer, name = "Star" })).ShouldRefuse(404, "volunteer_not_found");
        (await Admin.Post("/awards", new { volunteerId = volunteer, name = "Star", proposedOn = Day(Today.AddDays(1)) })).ShouldRefuse(409, "proposed_in_the_future");
    }

    private static async Task<string[]> Ids(Api by, string query = "") => [.. (await by.Get("/awards" + query)).ShouldBe(200).Items.Select(award => (string)award!["id"]!)];
}
