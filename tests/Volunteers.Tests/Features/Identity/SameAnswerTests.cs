using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>
/// Whoever tries to sign in, or to set a password, does not learn whether a login exists: neither from the answer nor from the work
/// behind it, which is what makes the time.
/// </summary>
public sealed class SameAnswerTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Home = "127.0.0.1";

    private readonly CountingHasher hasher = new();

    [Fact]
    public async Task An_unknown_login_a_wrong_password_a_locked_account_and_one_without_a_password_are_answered_alike_with_the_same_work()
    {
        var o = await Given.Organization();
        var (withoutPassword, _) = await o.Account(await o.Volunteer());
        await Host.InServices(services => services.GetRequiredService<VolunteersDb>().Users.Where(a => a.UserName == withoutPassword)
            .ExecuteUpdateAsync(set => set.SetProperty(a => a.PasswordHash, (string?)null)));
        await using var host = CountingHasher.In(ConnectionString, hasher);
        for (var i = 0; i < 5; i++) await host.WithPasswordFrom(ApiHost.OperatorLogin, "not-the-password", "127.0.0.9");

        var cases = new Dictionary<string, Func<Task<Answer>>>
        {
            ["warm"] = () => host.WithPasswordFrom(ApiHost.OperatorLogin, "not-the-password", Home),
            ["wrong"] = () => host.WithPasswordFrom(ApiHost.OperatorLogin, "not-the-password", Home),
            ["unknown"] = () => host.WithPasswordFrom("nobody@example.org", "not-the-password", Home),
            ["locked"] = () => host.WithPasswordFrom(ApiHost.OperatorLogin, "not-the-password", "127.0.0.9"),
            ["locked, right"] = () => host.WithPasswordFrom(ApiHost.OperatorLogin, ApiHost.OperatorPassword, "127.0.0.9"),
            ["no password"] = () => host.WithPasswordFrom(withoutPassword, "not-the-password", Home),
            ["too long"] = () => host.WithPasswordFrom(ApiHost.OperatorLogin, new string('x', 100_000), Home),
        };
        var seen = await Seen(cases);

        Assert.All(seen, each => Assert.Equal(seen["wrong"], each.Value));
        Assert.Equal((1, 0), (seen["wrong"].Looked, seen["wrong"].Made));
        Assert.Contains("accounts", seen["wrong"].Statements, StringComparison.Ordinal);
        Assert.Contains("failure_counts", seen["wrong"].Statements, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_login_an_account_without_a_code_a_wrong_code_and_one_tried_too_often_are_answered_alike_with_the_same_work()
    {
        var o = await Given.Organization();
        var volunteer = await o.Volunteer();
        var (login, _) = await o.Account(volunteer);
        var code = (string)(await o.Admin.Post($"/volunteers/{volunteer}/password-reset")).ShouldBe(200)["code"]!;
        var almost = code[..^1] + (code[^1] == 'A' ? 'B' : 'A');
        await using var host = CountingHasher.In(ConnectionString, hasher);
        for (var i = 0; i < 5; i++) await Reset(host, login, "0000-0000-0000", "127.0.0.9");

        var seen = await Seen(new()
        {
            ["warm"] = () => Reset(host, login, almost, Home),
            ["wrong"] = () => Reset(host, login, almost, Home),
            ["another"] = () => Reset(host, login, "ZZZZ-ZZZZ-ZZZZ", Home),
            ["nonsense"] = () => Reset(host, login, "志愿者", Home),
            ["unknown"] = () => Reset(host, "nobody@example.org", code, Home),
            ["without a code"] = () => Reset(host, ApiHost.OperatorLogin, code, Home),
            ["too often"] = () => Reset(host, login, code, "127.0.0.9"),
        });

        Assert.All(seen, each => Assert.Equal(seen["wrong"], each.Value));
        Assert.Equal((1, 0), (seen["wrong"].Looked, seen["wrong"].Made));
        Assert.Contains("reset_code_invalid", seen["wrong"].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asking_for_a_code_does_the_same_whether_anybody_has_the_login_or_not()
    {
        await using var host = CountingHasher.In(ConnectionString, hasher);

        var seen = await Seen(new()
        {
            ["warm"] = () => host.Anonymous.Post("/v1/password-resets", new { login = ApiHost.OperatorLogin }),
            ["known"] = () => host.Anonymous.Post("/v1/password-resets", new { login = ApiHost.OperatorLogin }),
            ["unknown"] = () => host.Anonymous.Post("/v1/password-resets", new { login = "nobody@example.org" }),
            ["a phone"] = () => host.Anonymous.Post("/v1/password-resets", new { login = "13800138000" }),
        });

        Assert.All(seen, each => Assert.Equal(seen["known"], each.Value));
        Assert.Equal((202, "", 0, 0), (seen["known"].Status, seen["known"].Text, seen["known"].Looked, seen["known"].Made));
        Assert.DoesNotContain("accounts", seen["known"].Statements, StringComparison.Ordinal);
    }

    private static async Task<Answer> Reset(ApiHost host, string login, string code, string from)
    {
        using var http = host.HttpFrom(System.Net.IPAddress.Parse(from));
        return await new Api(http, "").Put("/v1/password-resets", new { login, code, newPassword = "another-good-password" });
    }

    /// <summary>What each answered, byte for byte but for the trace, how often a hash was computed for it, and which statements it sent.</summary>
    private async Task<Dictionary<string, (int Status, string Text, string Headers, int Looked, int Made, string Statements)>> Seen(Dictionary<string, Func<Task<Answer>>> cases)
    {
        var seen = new Dictionary<string, (int, string, string, int, int, string)>();
        foreach (var (name, ask) in cases)
        {
            hasher.Looked.Clear();
            hasher.Made.Clear();
            using var statements = new SaidStatements(ConnectionString);
            var answer = await ask();
            var text = answer.Body?["traceId"] is { } trace ? answer.Text.Replace((string)trace!, "", StringComparison.Ordinal) : answer.Text;
            if (name != "warm") seen[name] = (answer.Status, text, answer.HeadersInCommon, hasher.Looked.Count, hasher.Made.Count, string.Join('\n', statements.All));
        }
        return seen;
    }
}
