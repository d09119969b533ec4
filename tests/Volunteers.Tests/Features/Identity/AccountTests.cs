using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class AccountTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task An_invitation_makes_an_account_that_is_the_volunteer()
    {
        var o = await Given.Organization();
        var volunteer = await o.Volunteer();
        var account = (await Create(await Invite(o, volunteer), "driver@example.org")).ShouldBe(201);

        Assert.Equal("/v1/me", account.Header("Location"));
        Assert.DoesNotContain(Given.Password, account.Text, StringComparison.Ordinal);
        var me = (await (await Host.SignIn("driver@example.org", Given.Password)).Get("/v1/me")).ShouldBe(200);
        Assert.Equal(account.Id, me.Id);
        Assert.False((bool)me["isOperator"]!);
        var mine = Assert.Single(me["organizations"]!.AsArray())!;
        Assert.Equal(o.Id, (string?)mine["organizationId"]);
        Assert.Equal(volunteer, (string?)mine["volunteerId"]);
        Assert.Equal("volunteer", (string?)Assert.Single(mine["roles"]!.AsArray())!["role"]);
        Assert.Equal(account.Id, (string?)(await o.Admin.Get($"/volunteers/{volunteer}"))["accountId"]);
    }

    [Fact]
    public async Task An_invitation_is_good_once()
    {
        var o = await Given.Organization();
        var code = await Invite(o, await o.Volunteer());
        (await Create(code, "first@example.org")).ShouldBe(201);

        (await Create(code, "second@example.org")).ShouldRefuse(409, "invitation_invalid");
    }

    [Fact]
    public async Task Of_many_who_use_one_invitation_at_once_one_gets_an_account()
    {
        var o = await Given.Organization();
        var code = await Invite(o, await o.Volunteer());

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Create(code, $"person{i}@example.org")));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "invitation_invalid"));
    }

    [Fact]
    public async Task Of_two_who_want_one_login_at_once_one_gets_it()
    {
        var o = await Given.Organization();
        var codes = new List<string>();
        for (var i = 0; i < 6; i++) codes.Add(await Invite(o, await o.Volunteer()));

        var answers = await Task.WhenAll(codes.Select(code => Create(code, "13900139000")));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "login_taken"));
    }

    [Fact]
    public async Task Two_invitations_of_one_volunteer_make_one_account()
    {
        var o = await Given.Organization();
        var volunteer = await o.Volunteer();
        var (first, second) = (await Invite(o, volunteer), await Invite(o, volunteer));
        (await Create(first, "first@example.org")).ShouldBe(201);

        (await Create(second, "second@example.org")).ShouldRefuse(409, "volunteer_already_linked");
        Assert.Equal("invalid_grant", (string?)(await Host.WithPassword("second@example.org", Given.Password)).ShouldBe(400)["error"]);
        (await o.Admin.Post($"/volunteers/{volunteer}/invitation")).ShouldRefuse(409, "volunteer_already_linked");
    }

    [Fact]
    public async Task An_invitation_ends_after_72_hours()
    {
        var o = await Given.Organization();
        var (used, late) = (await Invite(o, await o.Volunteer()), await Invite(o, await o.Volunteer()));

        Clock.Advance(TimeSpan.FromHours(71.9));
        (await Create(used, "used@example.org")).ShouldBe(201);
        Clock.Advance(TimeSpan.FromHours(0.2));
        (await Create(late, "late@example.org")).ShouldRefuse(409, "invitation_invalid");
    }

    [Fact]
    public async Task A_wrong_code_opens_nothing_and_spoils_nothing()
    {
        var o = await Given.Organization();
        var code = await Invite(o, await o.Volunteer());
        var almost = code[..^2] + (code[^2] == 'A' ? "BA" : "AA");

        foreach (var wrong in new[] { almost, "garbage", new string('A', 43), new string('志', 43) })
            (await Create(wrong, "somebody@example.org")).ShouldRefuse(409, "invitation_invalid");
        (await Create(code, "somebody@example.org")).ShouldBe(201);
    }

    [Theory]
    [InlineData("nobody", Given.Password, "/login")]
    [InlineData("a@b@c", Given.Password, "/login")]
    [InlineData("12345", Given.Password, "/login")]
    [InlineData("driver@example.org", "short", "/password")]
    [InlineData("driver@example.org", "        ", "/password")]
    [InlineData("driver@example.org", "", "/password")]
    public async Task A_login_or_password_of_no_use_is_refused_and_the_code_stays_good(string login, string password, string member)
    {
        var o = await Given.Organization();
        var code = await Invite(o, await o.Volunteer());

        var refused = (await Create(code, login, password)).ShouldRefuse(400, "invalid_request");

        Assert.NotNull(refused["errors"]![member]);
        (await Create(code, "driver@example.org")).ShouldBe(201);
    }

    [Fact]
    public async Task A_login_that_is_taken_leaves_the_code_good()
    {
        var o = await Given.Organization();
        var code = await Invite(o, await o.Volunteer());

        (await Create(code, "Operator@EXAMPLE.org")).ShouldRefuse(409, "login_taken");
        (await Create(code, "driver@example.org")).ShouldBe(201);
    }

    private static async Task<string> Invite(OrganizationSteps o, string volunteer) =>
        (string)(await o.Admin.Post($"/volunteers/{volunteer}/invitation")).ShouldBe(200)["code"]!;

    private Task<Answer> Create(string code, string login, string password = Given.Password) =>
        Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login, password, displayName = "Somebody" });
}
