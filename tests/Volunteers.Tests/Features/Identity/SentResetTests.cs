using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Tests.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Whoever forgot their password asks for a code, which goes to their login and nowhere else.</summary>
public sealed class SentResetTests(TestDatabases databases) : ApiTest(databases)
{
    private const string New = "another-good-password";

    private Gateway gateway = null!;
    private ApiHost host = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        gateway = await Gateway.Start();
        host = new ApiHost(ConnectionString, gateway.Settings);
    }

    public override async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await gateway.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_code_that_was_sent_sets_a_new_password_of_an_operator_too()
    {
        await Ask(ApiHost.OperatorLogin, "zh-CN");
        var message = Assert.Single(await gateway.Messages(1));

        Assert.Equal(("passwordReset", "email", ApiHost.OperatorLogin, "zh-CN"), (Text(message, "kind"), Text(message, "channel"), Text(message, "to"), Text(message, "language")));
        Assert.Contains(Text(message, "code"), Text(message, "text"), StringComparison.Ordinal);
        Assert.Contains("验证码", Text(message, "text"), StringComparison.Ordinal);
        (await Reset(ApiHost.OperatorLogin, Text(message, "code"))).ShouldBe(200);
        (await host.WithPassword(ApiHost.OperatorLogin, New)).ShouldBe(200);
        await UntilNothingWaits();
    }

    [Fact]
    public async Task A_phone_number_gets_a_text_message_however_it_is_written()
    {
        // At the same service: another one, without a sender, might take the message.
        var o = await new Given(host).Organization();
        var invitation = (await o.Admin.Post($"/volunteers/{await o.Volunteer()}/invitation")).ShouldBe(200);
        (await host.Anonymous.Post("/v1/accounts",
            new { invitationCode = (string)invitation["code"]!, login = "13800138000", password = Given.Password, displayName = "Driver" })).ShouldBe(201);

        await Ask("138 0013-8000");

        var message = Assert.Single(await gateway.Messages(1));
        Assert.Equal(("sms", "+8613800138000", "en"), (Text(message, "channel"), Text(message, "to"), Text(message, "language")));
    }

    [Fact]
    public async Task Others_can_check_that_a_message_is_ours()
    {
        await Ask(ApiHost.OperatorLogin);
        await gateway.Messages(1);
        var (headers, body) = gateway.Taken.First();

        var read = await NodeReader.Read("read-webhook.mjs", JsonSerializer.SerializeToUtf8Bytes(new { secret = Gateway.Secret, headers, body }));

        Assert.Equal(ApiHost.OperatorLogin, Text(read, "to"));
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_login_that_nobody_has_or_that_signs_in_elsewhere()
    {
        var o = await Given.Organization();
        var (login, _) = await o.Account(await o.Volunteer());
        await host.InServices(services => services.GetRequiredService<VolunteersDb>().Users.Where(a => a.UserName == login)
            .ExecuteUpdateAsync(set => set.SetProperty(a => a.PasswordHash, (string?)null)));

        await Ask("nobody@example.org");
        await Ask(login);
        await UntilNothingWaits();

        Assert.Empty(gateway.Taken);
        await host.InServices(async services => Assert.Empty(await services.GetRequiredService<VolunteersDb>().PasswordResets.ToListAsync()));
    }

    [Fact]
    public async Task A_message_that_cannot_be_sent_is_tried_again()
    {
        gateway.Answers.Enqueue(503);
        await Ask(ApiHost.OperatorLogin);
        await gateway.Messages(1);
        host.Clock.Advance(TimeSpan.FromSeconds(31));
        var messages = await gateway.Messages(2);
        await UntilNothingWaits();

        Assert.Equal(Text(messages[0], "id"), Text(messages[1], "id"));
        (await Reset(ApiHost.OperatorLogin, Text(messages[1], "code"))).ShouldBe(200);
        // The gateway may have sent the first one all the same; it ends with the other.
        (await Reset(ApiHost.OperatorLogin, Text(messages[0], "code"))).ShouldRefuse(409, "reset_code_invalid");
    }

    [Fact]
    public async Task A_service_that_ended_before_it_sent_leaves_it_to_the_next()
    {
        gateway.Answers.Enqueue(503);
        await Ask(ApiHost.OperatorLogin);
        await gateway.Messages(1);
        await host.DisposeAsync();

        await using var another = new ApiHost(ConnectionString, gateway.Settings);
        another.StartServer();
        another.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(2, (await gateway.Messages(2)).Length);
    }

    [Fact]
    public async Task Two_replicas_send_a_message_once()
    {
        await using var another = new ApiHost(ConnectionString, gateway.Settings);
        another.StartServer();

        for (var i = 0; i < 3; i++) await Ask(ApiHost.OperatorLogin);
        await UntilNothingWaits();

        Assert.Equal(3, (await gateway.Messages(3)).Select(message => Text(message, "id")).Distinct().Count());
        Assert.Equal(3, gateway.Taken.Count);
    }

    [Fact]
    public async Task Nobody_is_flooded_with_messages()
    {
        for (var i = 0; i < 10; i++) await Ask(ApiHost.OperatorLogin);
        await UntilNothingWaits();
        Assert.Equal(3, gateway.Taken.Count);

        host.Clock.Advance(TimeSpan.FromMinutes(15.1));
        for (var i = 0; i < 3; i++) await Ask(ApiHost.OperatorLogin);
        await UntilNothingWaits();
        Assert.Equal(4, gateway.Taken.Count);
    }

    [Fact]
    public async Task A_message_that_cannot_be_sent_within_the_hour_is_given_up()
    {
        for (var i = 0; i < 10; i++) gateway.Answers.Enqueue(500);
        await Ask(ApiHost.OperatorLogin);
        await gateway.Messages(1);

        host.Clock.Advance(TimeSpan.FromMinutes(61));
        await UntilNothingWaits();

        Assert.Single(gateway.Taken);
    }

    [Fact]
    public async Task The_login_is_kept_protected_while_a_message_waits()
    {
        for (var i = 0; i < 10; i++) gateway.Answers.Enqueue(500);
        await Ask(ApiHost.OperatorLogin);
        await gateway.Messages(1);

        await host.InServices(async services =>
        {
            var waiting = Assert.Single(await services.GetRequiredService<VolunteersDb>().ResetMessages.AsNoTracking().ToListAsync());
            Assert.DoesNotContain("operator", Encoding.Latin1.GetString(waiting.ProtectedLogin), StringComparison.OrdinalIgnoreCase);
        });
    }

    [Fact]
    public async Task Without_a_sender_the_answer_is_the_same_and_the_request_does_not_pile_up()
    {
        await host.DisposeAsync();
        host = new ApiHost(ConnectionString);

        await Ask(ApiHost.OperatorLogin);
        await UntilNothingWaits();

        Assert.Empty(gateway.Taken);
    }

    [Fact]
    public async Task One_address_asks_thirty_times_an_hour_at_most()
    {
        await using var strict = new ApiHost(ConnectionString, ("RateLimits:PasswordResetsPerHour", "3"));
        for (var i = 0; i < 3; i++) (await strict.Anonymous.Post("/v1/password-resets", new { login = $"nobody{i}@example.org" })).ShouldBe(202);

        (await strict.Anonymous.Post("/v1/password-resets", new { login = "nobody@example.org" })).ShouldRefuse(429, "too_many_requests");
        (await strict.Anonymous.Put("/v1/password-resets", new { login = "nobody@example.org", code = "x", newPassword = New })).ShouldRefuse(429, "too_many_requests");
    }

    [Theory]
    [InlineData("http://gateway.example.org/messages", Gateway.Secret)]
    [InlineData("https://gateway.example.org/messages", "")]
    [InlineData("https://gateway.example.org/messages", "not base 64 at all")]
    [InlineData("https://gateway.example.org/messages", "c2hvcnQ=")]
    public async Task A_sender_that_is_not_safe_keeps_the_service_from_starting(string url, string secret)
    {
        await using var process = ServiceProcess.Run("",
            ("ConnectionStrings__Volunteers", ConnectionString), ("ASPNETCORE_URLS", "http://127.0.0.1:0"), ("Sender__Url", url), ("Sender__Secret", secret));

        Assert.Equal(1, await process.ExitCode());
        Assert.Contains("Sender:", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", process.Output, StringComparison.Ordinal);
    }

    private async Task Ask(string login, string language = "en")
    {
        var answer = (await host.Anonymous.Post("/v1/password-resets", new { login }, ("Accept-Language", language))).ShouldBe(202);
        Assert.Equal("", answer.Text);
    }

    private Task<Answer> Reset(string login, string code) => host.Anonymous.Put("/v1/password-resets", new { login, code, newPassword = New });

    private async Task UntilNothingWaits()
    {
        var waiting = -1;
        for (var until = DateTime.UtcNow.AddSeconds(30); waiting != 0 && DateTime.UtcNow < until; await Task.Delay(50, TestContext.Current.CancellationToken))
            await host.InServices(async services => waiting = await services.GetRequiredService<VolunteersDb>().ResetMessages.CountAsync());
        Assert.Equal(0, waiting);
    }

    private static string Text(JsonNode message, string member) => (string)message[member]!;
}
