using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A coordinator hands a code to a volunteer whom they know, and gets hold of nothing that is not theirs to give.</summary>
public sealed class HandedOutResetTests(TestDatabases databases) : ApiTest(databases)
{
    private const string New = "another-good-password";

    private OrganizationSteps o = null!;
    private string team = "", volunteer = "", login = "", account = "";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        o = await Given.Organization();
        team = await o.Team();
        volunteer = await o.Volunteer(team);
        (login, account) = await o.Account(volunteer);
    }

    [Fact]
    public async Task A_code_sets_a_new_password_and_ends_every_sign_in()
    {
        var before = await Host.TokensOf(login, Given.Password);
        var handedOut = await HandOut(await o.SignedInWithRole("coordinator", team));
        Assert.Equal("no-store", handedOut.Header("Cache-Control"));
        Assert.Matches("^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$", Code(handedOut));

        (await Reset(login, Code(handedOut))).ShouldBe(200);

        Clock.Advance(TimeSpan.FromSeconds(5));
        (await Host.Refresh(before.Refresh)).ShouldBe(400);
        (await Host.Call(before.Access)).ShouldRefuse(401, "not_signed_in");
        (await Host.WithPassword(login, Given.Password)).ShouldBe(400);
        (await Host.WithPassword(login, New)).ShouldBe(200);
    }

    [Fact]
    public async Task A_code_is_read_as_people_type_it()
    {
        var code = Code(await HandOut(o.Admin));

        (await Reset(login, $" {code.ToLowerInvariant().Replace('-', ' ').Replace('0', 'o').Replace('1', 'l')} ")).ShouldBe(200);
    }

    [Fact]
    public async Task A_code_is_good_once_for_an_hour_and_in_place_of_the_one_before()
    {
        var first = Code(await HandOut(o.Admin));
        var second = Code(await HandOut(o.Admin));
        (await Reset(login, first)).ShouldRefuse(409, "reset_code_invalid");
        (await Reset(login, second)).ShouldBe(200);
        (await Reset(login, second)).ShouldRefuse(409, "reset_code_invalid");

        var late = Code(await HandOut(await o.SignedInWithRole("coordinator")));
        Clock.Advance(TimeSpan.FromMinutes(61));
        (await Reset(login, late)).ShouldRefuse(409, "reset_code_invalid");
    }

    [Fact]
    public async Task Of_two_who_use_one_code_at_once_one_sets_the_password()
    {
        var code = Code(await HandOut(o.Admin));

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Reset(login, code, $"{New}-{i}")));

        var won = Assert.Single(Enumerable.Range(0, 4), i => answers[i].Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "reset_code_invalid"));
        (await Host.WithPassword(login, $"{New}-{won}")).ShouldBe(200);
    }

    [Fact]
    public async Task Five_wrong_guesses_at_a_code_end_it_wherever_they_come_from()
    {
        var code = Code(await HandOut(o.Admin));
        var guesses = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => Reset(login, code[..5] + $"{i:0000}-0000", from: $"127.0.0.{i}")));
        Assert.All(guesses, guess => guess.ShouldRefuse(409, "reset_code_invalid"));

        (await Reset(login, code, from: "127.0.0.200")).ShouldRefuse(409, "reset_code_invalid");
    }

    [Fact]
    public async Task A_stranger_who_guesses_ends_nobodys_code()
    {
        var code = Code(await HandOut(o.Admin));
        for (var i = 0; i < 25; i++) (await Reset(login, $"ZZZZ-ZZZZ-{i:0000}", from: $"127.0.0.{10 + i}")).ShouldRefuse(409, "reset_code_invalid");

        (await Reset(login, code)).ShouldBe(200);
    }

    [Fact]
    public async Task Guesses_from_one_address_are_held_to_five_and_then_slowed_down()
    {
        var code = Code(await HandOut(o.Admin));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Reset(login, $"ZZZZ-ZZZZ-{i:0000}", from: "127.0.0.9")));

        (await Reset(login, code, from: "127.0.0.9")).ShouldRefuse(409, "reset_code_invalid");
        Clock.Advance(TimeSpan.FromMinutes(1.1));
        (await Reset(login, code, from: "127.0.0.9")).ShouldBe(200);
    }

    [Fact]
    public async Task The_code_of_one_account_opens_no_other()
    {
        var (other, _) = await o.Account(await o.Volunteer());
        var code = Code(await HandOut(o.Admin));

        (await Reset(other, code)).ShouldRefuse(409, "reset_code_invalid");
        (await Reset(ApiHost.OperatorLogin, code)).ShouldRefuse(409, "reset_code_invalid");
        (await Reset(login, code)).ShouldBe(200);
    }

    [Fact]
    public async Task A_device_that_brought_a_code_gets_in_while_strangers_guess()
    {
        var answer = (await Reset(login, Code(await HandOut(o.Admin)))).ShouldBe(200);
        await Task.WhenAll(Enumerable.Range(10, 30).Select(i => Host.WithPasswordFrom(login, "not-the-password", $"127.0.0.{i}")));

        (await Host.WithPasswordFrom(login, New, "127.0.0.1")).ShouldBe(400);
        (await Host.WithPasswordFrom(login, New, "127.0.0.1", ("device_token", (string)answer["deviceToken"]!))).ShouldBe(200);
    }

    [Theory]
    [InlineData("administrator")]
    [InlineData("coordinator")]
    [InlineData("auditor")]
    public async Task No_code_is_handed_out_for_an_account_with_another_role(string role)
    {
        var roles = new object[] { new { role }, new { role = "volunteer", volunteerId = volunteer } };
        (await o.Admin.Put($"/roles/{account}", new { roles })).ShouldBe(200);

        (await HandOut(await o.SignedInWithRole("coordinator", team), 409)).ShouldRefuse(409, "reset_not_handed_out");
        (await HandOut(o.Admin, 409)).ShouldRefuse(409, "reset_not_handed_out");
    }

    [Fact]
    public async Task No_code_is_handed_out_for_an_account_that_belongs_elsewhere_too()
    {
        var elsewhere = await Given.AnotherOrganization();
        var invitation = (string)(await elsewhere.Admin.Post($"/volunteers/{await elsewhere.Volunteer()}/invitation")).ShouldBe(200)["code"]!;
        (await (await Host.SignIn(login, Given.Password)).Post("/v1/me/invitations", new { invitationCode = invitation })).ShouldBe(201);

        (await HandOut(await o.SignedInWithRole("coordinator"), 409)).ShouldRefuse(409, "reset_not_handed_out");
    }

    [Fact]
    public async Task No_code_is_handed_out_for_the_operator()
    {
        await Host.InServices(services => services.GetRequiredService<VolunteersDb>().Users.Where(a => a.UserName == login)
            .ExecuteUpdateAsync(set => set.SetProperty(a => a.IsOperator, true)));

        (await HandOut(o.Admin, 409)).ShouldRefuse(409, "reset_not_handed_out");
    }

    [Fact]
    public async Task A_code_is_void_when_the_account_has_come_to_more_since()
    {
        var code = Code(await HandOut(await o.SignedInWithRole("coordinator", team)));
        (await o.Admin.Put($"/roles/{account}", new { roles = new object[] { new { role = "administrator" }, new { role = "volunteer", volunteerId = volunteer } } })).ShouldBe(200);

        (await Reset(login, code)).ShouldRefuse(409, "reset_code_invalid");
        (await Host.WithPassword(login, Given.Password)).ShouldBe(200);
    }

    [Fact]
    public async Task A_team_coordinator_hands_out_codes_to_their_own_team_alone()
    {
        var other = await o.SignedInWithRole("coordinator", await o.Team());
        (await HandOut(other, 404)).ShouldRefuse(404, "not_found");

        // Reading everything, as an auditor does, is not coordinating everything.
        var (both, accountId) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{accountId}", new { roles = new object[] { new { role = "auditor" }, new { role = "coordinator", teamId = await o.Team() } } })).ShouldBe(200);
        (await HandOut((await Host.SignIn(both, Given.Password)).At(o.Path), 404)).ShouldRefuse(404, "not_found");

        (await o.Admin.Delete($"/teams/{team}/members/{volunteer}")).ShouldBe(204);
        (await HandOut(await o.SignedInWithRole("coordinator", team), 404)).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task Another_organizations_coordinator_and_other_systems_get_no_code()
    {
        var elsewhere = await Given.AnotherOrganization();
        var stranger = await elsewhere.SignedInWithRole("coordinator");
        (await new Api(stranger.Http, "").At(o.Path).Post($"/volunteers/{volunteer}/password-reset")).ShouldRefuse(404, "not_found");
        (await stranger.Post($"/volunteers/{volunteer}/password-reset")).ShouldRefuse(404, "not_found");

        var client = (await o.Admin.Post("/clients", new { name = "Gateway", role = "coordinator", scopes = Clients.AllScopes })).ShouldBe(201);
        var token = (await Host.WithSecret((string)client["clientId"]!, (string)client["clientSecret"]!)).ShouldBe(200);
        (await Api.With(Host.Http(), (string)token["access_token"]!).At(o.Path).Post($"/volunteers/{volunteer}/password-reset")).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task A_volunteer_without_an_account_gets_no_code() =>
        (await o.Admin.Post($"/volunteers/{await o.Volunteer()}/password-reset")).ShouldRefuse(409, "no_account");

    [Fact]
    public async Task Only_the_name_and_a_hash_of_a_code_are_kept()
    {
        var code = Code(await HandOut(o.Admin)).Replace("-", "", StringComparison.Ordinal);

        await Host.InServices(async services =>
        {
            var kept = Assert.Single(await services.GetRequiredService<VolunteersDb>().PasswordResets.AsNoTracking().ToListAsync());
            Assert.Equal(code[..4], kept.Name);
            Assert.DoesNotContain(code[4..], kept.CodeHash, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("password123", "weak_password")]
    [InlineData("short", "invalid_request")]
    public async Task A_weak_password_leaves_the_code_good(string password, string refusal)
    {
        var code = Code(await HandOut(o.Admin));

        (await Reset(login, code, password)).ShouldRefuse(400, refusal);
        (await Reset(login, code, login)).ShouldRefuse(400, "weak_password");
        (await Reset(login, code)).ShouldBe(200);
    }

    private async Task<Answer> HandOut(Api api, int status = 200) => (await api.Post($"/volunteers/{volunteer}/password-reset")).ShouldBe(status);

    private static string Code(Answer answer) => (string)answer["code"]!;

    private async Task<Answer> Reset(string login, string code, string newPassword = New, string from = "127.0.0.1")
    {
        using var http = Host.HttpFrom(System.Net.IPAddress.Parse(from));
        return await new Api(http, "").Put("/v1/password-resets", new { login, code, newPassword });
    }
}
