using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>One account in several organizations.</summary>
public sealed class JoiningTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task From_an_application_to_an_account_and_with_it_into_a_second_organization()
    {
        var (first, second) = (await Given.Organization(), await Given.AnotherOrganization());
        var (here, code) = await Accepted(first, "13800138000");
        (await Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login = "13800138000", password = Given.Password, displayName = "王师傅" })).ShouldBe(201);
        var api = await Host.SignIn("13800138000", Given.Password);
        Assert.Single((await api.Get("/v1/me"))["organizations"]!.AsArray());
        (await api.Get($"{second.Path}/teams")).ShouldRefuse(404, "not_found");
        var (there, secondCode) = await Accepted(second, "13800138000");

        var joined = (await Join(api, secondCode)).ShouldBe(201);

        Assert.Equal("/v1/me", joined.Header("Location"));
        Assert.Equal((second.Id, there, "volunteer"), ((string?)joined["organizationId"], (string?)joined["volunteerId"], (string?)joined["roles"]![0]!["role"]));
        var mine = (await api.Get("/v1/me")).ShouldBe(200)["organizations"]!.AsArray();
        Assert.Equal(new[] { (first.Id, here), (second.Id, there) }.Order(), mine.Select(each => ((string)each!["organizationId"]!, (string)each["volunteerId"]!)).Order());
        Assert.Contains(joined.Body!.ToJsonString(), mine.Select(each => each!.ToJsonString()));
        Assert.Equal(there, Assert.Single((await api.Get($"{second.Path}/volunteers")).ShouldBe(200).Items)!["id"]!.ToString());
        Assert.Equal("王师傅", (string?)(await api.Get($"{first.Path}/volunteers/{here}")).ShouldBe(200)["name"]);
        (await api.Get($"{first.Path}/volunteers/{there}")).ShouldRefuse(404, "not_found");
        Assert.NotNull((await second.Admin.Get($"/volunteers/{there}"))["accountId"]);
    }

    [Fact]
    public async Task A_code_is_good_once_for_72_hours_and_only_as_it_was_given()
    {
        var (o, other) = (await Given.Organization(), await Given.AnotherOrganization());
        var api = new Api((await o.SignedInAs(await o.Volunteer())).Http, "");
        var (code, late) = (await Invite(other), await Invite(other));
        var almost = code[..^2] + (code[^2] == 'A' ? "BA" : "AA");

        foreach (var wrong in new[] { almost, "garbage", new string('A', 43), new string('志', 43), o.Id })
            (await Join(api, wrong)).ShouldRefuse(409, "invitation_invalid");
        (await Join(api, "")).ShouldRefuse(400, "invalid_request");
        (await Join(api, code)).ShouldBe(201);
        (await Join(api, code)).ShouldRefuse(409, "invitation_invalid");
        (await Join(new Api((await o.SignedInAs(await o.Volunteer())).Http, ""), code)).ShouldRefuse(409, "invitation_invalid");

        Clock.Advance(TimeSpan.FromHours(72));
        (await Join(await Host.SignInAsOperator(), late)).ShouldRefuse(409, "invitation_invalid");
    }

    [Fact]
    public async Task One_account_is_one_person_in_an_organization()
    {
        var o = await Given.Organization();
        var api = new Api((await o.SignedInAs(await o.Volunteer())).Http, "");
        var code = await Invite(o);

        (await Join(api, code)).ShouldRefuse(409, "already_a_volunteer_here");

        (await Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login = "else@example.org", password = Given.Password, displayName = "A" })).ShouldBe(201);
    }

    [Fact]
    public async Task Of_two_codes_that_one_account_uses_at_once_one_is_taken()
    {
        var (o, other) = (await Given.Organization(), await Given.AnotherOrganization());
        var api = new Api((await o.SignedInAs(await o.Volunteer())).Http, "");
        var codes = new[] { await Invite(other), await Invite(other), await Invite(other), await Invite(other) };

        var answers = await Task.WhenAll(codes.Select(code => Join(api, code)));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "already_a_volunteer_here"));
    }

    [Fact]
    public async Task Of_many_phones_with_one_code_at_once_exactly_one_wins()
    {
        var (o, other) = (await Given.Organization(), await Given.AnotherOrganization());
        var phones = new List<Api>();
        for (var i = 0; i < 5; i++) phones.Add(new Api((await o.SignedInAs(await o.Volunteer())).Http, ""));
        var volunteer = await other.Volunteer();
        var code = await Invite(other, volunteer);

        var answers = await Task.WhenAll(phones.Select(phone => Join(phone, code))
            .Append(Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login = "new@example.org", password = Given.Password, displayName = "A" })));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "invitation_invalid"));
    }

    [Fact]
    public async Task A_volunteer_belongs_to_one_account()
    {
        var (o, other) = (await Given.Organization(), await Given.AnotherOrganization());
        var volunteer = await other.Volunteer();
        var (first, second) = (await Invite(other, volunteer), await Invite(other, volunteer));
        (await Join(new Api((await o.SignedInAs(await o.Volunteer())).Http, ""), first)).ShouldBe(201);

        (await Join(new Api((await o.SignedInAs(await o.Volunteer())).Http, ""), second)).ShouldRefuse(409, "volunteer_already_linked");
    }

    [Fact]
    public async Task An_administrator_who_also_volunteers_keeps_both_roles()
    {
        var o = await Given.Organization();

        var joined = (await Join(await Given.Operator(), await Invite(o))).ShouldBe(201);

        Assert.Equal(["administrator", "volunteer"], joined["roles"]!.AsArray().Select(role => (string)role!["role"]!));
        (await o.Admin.Get("/roles")).ShouldBe(200);
    }

    [Fact]
    public async Task A_client_is_nobody_who_could_volunteer()
    {
        var o = await Given.Organization();
        var client = await Host.SignedIn(await o.Client());
        var code = await Invite(await Given.AnotherOrganization());

        (await Join(client, code)).ShouldRefuse(403, "forbidden");
        (await Join(Host.Anonymous, code)).ShouldRefuse(401, "not_signed_in");
    }

    private static Task<Answer> Join(Api api, string code) => api.Post("/v1/me/invitations", new { invitationCode = code });

    private static async Task<string> Invite(OrganizationSteps o, string? volunteer = null) =>
        (string)(await o.Admin.Post($"/volunteers/{volunteer ?? await o.Volunteer()}/invitation")).ShouldBe(200)["code"]!;

    /// <summary>Applied and accepted: who they are there, and the code they were given.</summary>
    private async Task<(string VolunteerId, string Code)> Accepted(OrganizationSteps o, string phone)
    {
        (await Host.Anonymous.Post($"{o.Path}/volunteers/applications", new { name = "王师傅", phone, consent = new { version = "v1" } })).ShouldBe(202);
        var id = (string)Assert.Single((await o.Admin.Get("/volunteers?status=applied")).Items)!["id"]!;
        return (id, (string)(await o.Admin.Post($"/volunteers/{id}/accept", new { })).ShouldBe(200)["invitation"]!["code"]!);
    }
}
