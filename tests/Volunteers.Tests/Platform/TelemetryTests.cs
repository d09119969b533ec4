using System.Text.Json.Nodes;
using Volunteers.Tests.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>What operators see of a service that runs as a process of its own.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private const string Name = "观测者王大力";

    private static readonly (string, string) Structured = ("Logging__Console__FormatterName", "json");

    private string folder = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        folder = ServiceProcess.NewDataFolder();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        if (folder is not null) Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_collector_gets_traces_metrics_and_logs_of_what_happened_and_nothing_of_whom_it_happened_to()
    {
        using var collector = await NodeReader.Start("collect-otlp.mjs");
        var address = (string)JsonNode.Parse((await collector.StandardOutput.ReadLineAsync(Ct))!)!["address"]!;
        await using var service = await ServiceProcess.Serve(folder, ("OTEL_EXPORTER_OTLP_ENDPOINT", address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=proof"));
        var api = await service.SignIn(folder);

        await Serve(api);
        (await api.Get($"/teams/{Guid.NewGuid()}")).ShouldBe(404);
        await service.Stop();

        await collector.StandardInput.WriteLineAsync("tell");
        var told = (await collector.StandardOutput.ReadLineAsync(Ct))!;
        collector.StandardInput.Close();
        await collector.WaitForExitAsync(Ct);
        var got = JsonNode.Parse(told)!;
        Assert.DoesNotContain(Name, System.Text.RegularExpressions.Regex.Unescape(told.Replace("\\\"", "'", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(got["resources"]!.AsArray(), resource => (string?)resource!["service.name"] == "volunteers" && (string?)resource["deployment.environment"] == "proof");

        var points = got["points"]!.AsArray().Select(point => point!).ToArray();
        Assert.Equal(1, Last(points, "volunteers.sign_ups", "status", "confirmed"));
        Assert.Equal(1, Last(points, "volunteers.attendance", "kind", "check_in"));
        Assert.Equal(1, Last(points, "volunteers.attendance", "kind", "check_out"));
        Assert.True(Last(points, "volunteers.postings", "evidence", "coordinator") >= 1);
        Assert.True(Last(points, "volunteers.service_records", "status", "approved") >= 1);
        Assert.True(Last(points, "volunteers.export.rows", "format", "csv") >= 1);
        Assert.Contains(points, point => (string?)point["name"] == "http.server.request.duration");
        Assert.Contains(points, point => (string?)point["scope"] == "Npgsql");

        var refusal = Assert.Single(got["logs"]!.AsArray(), log => (string?)log!["scope"] == "Volunteers.Requests" && (string?)log["attributes"]!["Status"] == "404")!;
        Assert.Equal(("GET", "/v1/organizations/{organizationId:guid}/teams/{teamId:guid}", "account"), ((string?)refusal["attributes"]!["Method"], (string?)refusal["attributes"]!["Route"], (string?)refusal["attributes"]!["Caller"]));
        var spans = got["spans"]!.AsArray().Where(span => (string?)span!["traceId"] == (string?)refusal["traceId"]).Select(span => (string?)span!["scope"]).ToHashSet();
        Assert.Superset(new HashSet<string?> { "Microsoft.AspNetCore", "Npgsql" }, spans);
    }

    [Fact]
    public async Task Every_request_is_one_line_of_JSON_that_names_its_route_and_its_id()
    {
        await using var service = await ServiceProcess.Serve(folder, Structured);
        var api = await service.SignIn(folder);

        var named = await api.Get($"/volunteers?q={Uri.EscapeDataString(Name)}", ("X-Request-Id", "phone-7:1"));
        var odd = await api.Get("/teams", ("X-Request-Id", "a b{c}"));
        var refused = await api.Get($"/teams/{Guid.NewGuid()}", ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        await service.Stop();

        Assert.Equal("phone-7:1", named.Header("X-Request-Id"));
        Assert.Matches("^[0-9a-f]{32}$", odd.Header("X-Request-Id"));
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", refused.ShouldRefuse(404, "not_found").Header("X-Request-Id"));
        Assert.Contains("4bf92f3577b34da6a3ce929d0e0e4736", (string)refused["traceId"]!, StringComparison.Ordinal);
        var lines = service.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["Category"] == "Volunteers.Requests").Select(line => line["State"]!).ToArray();
        var one = Assert.Single(lines, line => (string?)line["RequestId"] == "phone-7:1");
        Assert.Equal(("GET", "/v1/organizations/{organizationId:guid}/volunteers", "200", "account"), ((string?)one["Method"], (string?)one["Route"], one["Status"]!.ToString(), (string?)one["Caller"]));
        Assert.Equal("404", Assert.Single(lines, line => (string?)line["RequestId"] == "4bf92f3577b34da6a3ce929d0e0e4736")["Status"]!.ToString());
        Assert.DoesNotContain(lines, line => line.ToJsonString().Contains("a b{c}", StringComparison.Ordinal));
        Assert.DoesNotContain(Uri.EscapeDataString(Name), service.Output, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Somebody signs up, comes and goes, and what was recorded is sent as a file.</summary>
    private static async Task Serve(Api api)
    {
        var now = DateTimeOffset.UtcNow;
        var team = (await api.Post("/teams", new { name = "Watched" })).ShouldBe(201).Id;
        var volunteer = (await api.Post("/volunteers", new { name = Name, phone = "13300007788" })).ShouldBe(201).Id;
        (await api.Put($"/teams/{team}/members/{volunteer}", new { role = "member" })).ShouldBe(200);
        var activity = (await api.Post("/activities", new { title = "Watch", teamId = team, category = "patrol", startsAt = now.AddMinutes(-5), endsAt = now.AddHours(2) })).ShouldBe(201).Id;
        (await api.Post($"/activities/{activity}/publish")).ShouldBe(200);
        var shift = (await api.Post($"/activities/{activity}/shifts", new { name = "All", startsAt = now.AddMinutes(5), endsAt = now.AddHours(2), capacity = 5 })).ShouldBe(201).Id;
        (await api.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteer })).ShouldBe(201);
        (await api.Post($"/shifts/{shift}/check-in", new { volunteerId = volunteer })).ShouldBe(200);
        (await api.Post($"/shifts/{shift}/check-out", new { volunteerId = volunteer })).ShouldBe(200);
        var earlier = (await api.Post("/activities", new { title = "Watched before", teamId = team, category = "patrol", startsAt = now.AddDays(-1), endsAt = now.AddDays(-1).AddHours(2) })).ShouldBe(201).Id;
        (await api.Post("/service-records", new { volunteerId = volunteer, activityId = earlier, startsAt = now.AddDays(-1), endsAt = now.AddDays(-1).AddHours(1) })).ShouldBe(201);
        (await api.Get($"/volunteers?q={Uri.EscapeDataString(Name)}")).ShouldBe(200);
        (await api.Get($"/service-records/export?from={now:yyyy}-01-01&to={now:yyyy}-12-31&format=csv")).ShouldBe(200);
    }

    private static double Last(JsonNode[] points, string name, string tag, string value) =>
        points.Where(point => (string?)point["name"] == name && (string?)point["attributes"]![tag] == value).Select(point => (double)point["value"]!).DefaultIfEmpty(0).Last();
}
