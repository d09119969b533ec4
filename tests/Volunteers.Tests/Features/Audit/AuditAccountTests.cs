using Volunteers.Tests.Data;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

/// <summary>What becomes of an account and of the ways into it is told in the organizations where it has a role.</summary>
public sealed class AuditAccountTests(TestDatabases databases) : AuditTest(databases)
{
    private const string New = "another-good-password";
    private const string Redirect = "https://rota.example.org/back";

    private string volunteer = null!;
    private string login = null!;
    private string account = null!;

    protected override (string Name, string Value)[] Configuration =>
        [("SignIn:Clients:0:Id", "rota"), ("SignIn:Clients:0:Name", "Duty rota"), ("SignIn:Clients:0:RedirectUris:0", Redirect)];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        volunteer = await O.Volunteer(Team);
        (login, account) = await O.Account(volunteer);
    }

    [Fact]
    public async Task Signing_in_by_page_agreeing_going_on_and_signing_out_are_told()
    {
        using var browser = new Browser(Host);
        var app = new CodeFlow(Host, "rota", Redirect);

        app.CodeFrom(await browser.Submit(await browser.SignIn(await browser.Open(app.Request()), login, Given.Password), ("decision", "allow")));
        await browser.Submit(await browser.Open("/connect/logout"), ("decision", "signOut"));

        var events = await Events($"actor={account}");
        Assert.Equal(["signOut", "signInToClient", "agreeToClient", "signIn"], events.Select(e => (string)e["operation"]!));
        Assert.Equal(["signIn", "signIn", "change", "signIn"], events.Select(e => (string)e["kind"]!));
        Assert.Equal(("application", "rota"), ((string?)events[1]["resource"]!["type"], (string?)events[1]["resource"]!["id"]));
        Assert.All(events, e => Assert.Equal(("account", "Chrome"), ((string?)e["actor"]!["kind"], (string?)e["agent"])));
    }

    [Fact]
    public async Task Whoever_does_not_agree_leaves_a_trace_of_that()
    {
        using var browser = new Browser(Host);

        await browser.Submit(await browser.SignIn(await browser.Open(new CodeFlow(Host, "rota", Redirect).Request()), login, Given.Password), ("decision", "deny"));

        Assert.Equal("rota", (string?)(await TheEvent($"operation=refuseClient&actor={account}"))["resource"]!["id"]);
    }

    [Fact]
    public async Task A_wrong_password_on_the_page_is_told()
    {
        using var browser = new Browser(Host);

        await browser.SignIn(await browser.Open("/sign-in"), login, "not-the-password");

        Assert.Equal(("refused", "wrong_password"), Outcome(await TheEventToCome($"operation=signIn&actor={account}")));
    }

    [Fact]
    public async Task A_changed_password_is_told_and_so_is_a_wrong_one()
    {
        var own = await Host.SignIn(login, Given.Password);

        (await own.Put("/v1/me/password", new { currentPassword = "not-the-password", newPassword = New })).ShouldRefuse(409, "wrong_password");
        Assert.Equal(("refused", "wrong_password"), Outcome(await TheEventToCome($"operation=changePassword&actor={account}")));
        (await own.Put("/v1/me/password", new { currentPassword = Given.Password, newPassword = New })).ShouldBe(204);

        var e = await TheEvent($"operation=changePassword&outcome=succeeded&actor={account}");
        Assert.Equal(("account", account), ((string?)e["resource"]!["type"], (string?)e["resource"]!["id"]));
    }

    [Fact]
    public async Task A_password_that_cannot_be_traced_is_not_changed()
    {
        var own = await Host.SignIn(login, Given.Password);
        await Tamper("revoke insert on audit_events from volunteers_service");
        try
        {
            Assert.Equal(500, (await own.Put("/v1/me/password", new { currentPassword = Given.Password, newPassword = New })).Status);
            Assert.NotEqual(200, (await Host.WithPassword(login, Given.Password)).Status);
        }
        finally
        {
            await Tamper("grant insert on audit_events to volunteers_service");
        }
        (await Host.WithPassword(login, New)).ShouldBe(400);
        (await Host.WithPassword(login, Given.Password)).ShouldBe(200);
    }

    [Fact]
    public async Task A_code_handed_out_a_wrong_guess_and_the_password_set_with_it_are_told()
    {
        var code = (string)(await Admin.Post($"/volunteers/{volunteer}/password-reset")).ShouldBe(200)["code"]!;
        Assert.Equal([volunteer], Texts(await TheEvent("operation=handOutPasswordReset"), "volunteerIds"));

        (await Reset(string.Concat(code.Reverse()))).ShouldRefuse(409, "reset_code_invalid");
        Assert.Equal(("refused", "reset_code_invalid"), Outcome(await TheEventToCome($"operation=resetPassword&actor={account}")));
        (await Reset(code)).ShouldBe(200);

        await TheEvent($"operation=resetPassword&outcome=succeeded&actor={account}");
        var trail = await Trail();
        foreach (var secret in new[] { code, code.Replace("-", "", StringComparison.Ordinal), New, login }) Assert.DoesNotContain(secret, trail, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Asking_for_a_code_leaves_a_trace_only_when_one_is_sent()
    {
        (await Host.Anonymous.Post("/v1/password-resets", new { login = "nobody@example.org" })).ShouldBe(202);
        (await Host.Anonymous.Post("/v1/password-resets", new { login })).ShouldBe(202);

        Assert.Equal(account, (string?)(await TheEventToCome("operation=sendPasswordReset"))["resource"]!["id"]);
        Assert.Equal(0, await Ask<long>("select count(*) from audit_events where operation = 'requestPasswordReset'"));
    }

    [Fact]
    public async Task The_life_of_a_second_factor_is_told_without_its_secrets()
    {
        var own = await Host.SignIn(login, Given.Password);
        var app = await Authenticator.Enrol(Host, own, Given.Password);
        (await Host.WithPasswordFrom(login, Given.Password, "127.0.0.1", ("second_factor_code", "000000"))).ShouldBe(400);
        Assert.Equal(("refused", "second_factor_wrong"), Outcome(await TheEventToCome($"operation=signIn&outcome=refused&actor={account}")));
        (await own.Put("/v1/me/second-factor/recovery-codes", new { code = app.RecoveryCodes[0] })).ShouldBe(200);
        (await own.Send(HttpMethod.Delete, "/v1/me/second-factor", new { password = Given.Password })).ShouldBe(204);

        var told = (await Events($"kind=change&actor={account}")).Select(e => (string)e["operation"]!);
        Assert.Equal(["removeSecondFactor", "renewRecoveryCodes", "confirmSecondFactor", "beginSecondFactor"], told.Where(operation => operation != "createAccount"));
        var trail = await Trail();
        Assert.DoesNotContain(app.RecoveryCodes, code => trail.Contains(code, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Whoever_runs_the_service_leaves_a_trace_by_removing_a_second_factor()
    {
        await Authenticator.Enrol(Host, await Host.SignIn(login, Given.Password), Given.Password);

        await using (var removing = ServiceProcess.Run("remove-second-factor " + login, ("ConnectionStrings__Volunteers", ConnectionString))) Assert.Equal(0, await removing.ExitCode());

        var e = await TheEvent("operation=removeSecondFactor");
        Assert.Equal(("service", account), ((string?)e["actor"]!["kind"], (string?)e["resource"]!["id"]));
    }

    [Fact]
    public async Task A_session_that_is_ended_is_told()
    {
        var own = await Host.SignIn(login, Given.Password);
        await Host.TokensOf(login, Given.Password);

        var other = (await own.Get("/v1/me/sessions")).ShouldBe(200).Items.First(session => !(bool)session!["isCurrent"]!)!;
        (await own.Delete($"/v1/me/sessions/{other["id"]}")).ShouldBe(204);

        Assert.Equal((string?)other["id"], (string?)(await TheEvent($"operation=endMySession&actor={account}"))["resource"]!["id"]);
    }

    [Fact]
    public async Task What_a_client_may_do_is_told_before_and_after_and_its_secrets_never()
    {
        var client = await O.Client(scopes: ["hours.read"]);

        (await Admin.Patch($"/clients/{client.ClientId}", new { scopes = new[] { "hours.read", "roster.read" } })).ShouldBe(200);
        var second = (await Admin.Post($"/clients/{client.ClientId}/secrets")).ShouldBe(201);
        (await Admin.Delete($"/clients/{client.ClientId}/secrets/{second["id"]}")).ShouldBe(204);

        Assert.Equal(("""["hours.read"]""", """["roster.read","hours.read"]"""), Fields(Change(await TheEvent("operation=changeClient"), "organizationClient"))["scopes"]);
        Assert.Equal("created", (string?)Change(await TheEvent("operation=createClientSecret"), "clientSecret")["action"]);
        Assert.Equal("deleted", (string?)Change(await TheEvent("operation=deleteClientSecret"), "clientSecret")["action"]);
        var trail = await Trail();
        Assert.DoesNotContain(client.Secret, trail, StringComparison.Ordinal);
        Assert.DoesNotContain((string)second["clientSecret"]!, trail, StringComparison.Ordinal);
    }

    private async Task<Answer> Reset(string code) => await Host.Anonymous.Put("/v1/password-resets", new { login, code, newPassword = New });

    /// <summary>All that the database holds of the trail.</summary>
    private Task<string> Trail() => Ask<string>("select string_agg(e::text, '') || coalesce((select string_agg(v::text, '') from audit_values v), '') from audit_events e");

    private static (string?, string?) Outcome(System.Text.Json.Nodes.JsonNode e) => ((string?)e["outcome"], (string?)e["code"]);
}
