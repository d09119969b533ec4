using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A code is logged in Development, where that is how it is sent, and nowhere else.</summary>
public sealed class SenderLogTests(TestDatabases databases) : ApiTest(databases)
{
    private readonly ConcurrentQueue<string> logged = [];

    [Fact]
    public async Task In_Development_the_log_has_a_code_that_sets_the_password()
    {
        await using var host = Logging(("environment", "Development"));

        await Ask(host);

        var line = Assert.Single(logged, line => line.Contains("Message to", StringComparison.Ordinal));
        var code = System.Text.RegularExpressions.Regex.Match(line, "[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}").Value;
        (await host.Anonymous.Put("/v1/password-resets", new { login = ApiHost.OperatorLogin, code, newPassword = "another-good-password" })).ShouldBe(200);
    }

    [Fact]
    public async Task Elsewhere_without_a_sender_the_log_says_so_once_and_has_neither_code_nor_login()
    {
        await using var host = Logging();

        await Ask(host);
        await Ask(host);

        Assert.Single(logged, line => line.Contains("No sender is configured", StringComparison.Ordinal));
        ShouldTellNothing();
    }

    [Fact]
    public async Task A_message_that_cannot_be_sent_is_logged_without_code_and_login()
    {
        await using var gateway = await Gateway.Start();
        for (var i = 0; i < 10; i++) gateway.Answers.Enqueue(500);
        await using var host = Logging(gateway.Settings);
        (await host.Anonymous.Post("/v1/password-resets", new { login = ApiHost.OperatorLogin })).ShouldBe(202);
        var code = (string)(await gateway.Messages(1))[0]["code"]!;
        host.Clock.Advance(TimeSpan.FromMinutes(61));
        await UntilNothingWaits(host);

        Assert.Contains(logged, line => line.Contains("could not be sent", StringComparison.Ordinal));
        Assert.DoesNotContain(logged, line => line.Contains(code, StringComparison.Ordinal));
        ShouldTellNothing();
    }

    private void ShouldTellNothing()
    {
        Assert.DoesNotContain(logged, line => line.Contains(ApiHost.OperatorLogin, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(logged, line => System.Text.RegularExpressions.Regex.IsMatch(line, "[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}"));
    }

    private ApiHost Logging(params (string, string)[] settings) =>
        new(ConnectionString, [("Logging:LogLevel:Default", "Debug"), ("Logging:LogLevel:Microsoft.EntityFrameworkCore.Database.Command", "Critical"), .. settings])
        {
            Also = services => services.AddSingleton<ILoggerProvider>(new Keeper(logged)),
        };

    private static async Task Ask(ApiHost host)
    {
        (await host.Anonymous.Post("/v1/password-resets", new { login = ApiHost.OperatorLogin })).ShouldBe(202);
        await UntilNothingWaits(host);
    }

    private static async Task UntilNothingWaits(ApiHost host)
    {
        var waiting = -1;
        for (var until = DateTime.UtcNow.AddSeconds(60); waiting != 0 && DateTime.UtcNow < until; await Task.Delay(50, TestContext.Current.CancellationToken))
            await host.InServices(async services => waiting = await services.GetRequiredService<VolunteersDb>().ResetMessages.CountAsync());
        Assert.Equal(0, waiting);
    }

    private sealed class Keeper(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
