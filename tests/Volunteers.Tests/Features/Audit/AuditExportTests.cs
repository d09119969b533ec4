using System.Text.Json.Nodes;
using Volunteers.Features.Audit;
using Volunteers.Tests.Data;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

public sealed class AuditExportTests(TestDatabases databases) : AuditTest(databases)
{
    [Fact]
    public async Task The_three_forms_have_the_same_events_as_the_list()
    {
        await O.Volunteers(3, Team);
        await Seal();
        var listed = (await Events("kind=change")).Select(e => (long?)e["position"]).Reverse().ToArray();

        var csv = (await Admin.Get("/audit/export?kind=change&format=csv")).ShouldBe(200);
        var lines = csv.Text.TrimEnd().Split("\r\n");
        Assert.Equal("text/csv; charset=utf-8", csv.ContentHeaders.ContentType?.ToString());
        Assert.Equal(listed, lines[1..].Select(line => (long?)long.Parse(line.Split(',')[0], System.Globalization.CultureInfo.InvariantCulture)));

        using var request = new HttpRequestMessage(HttpMethod.Get, $"{O.Path}/audit/export?kind=change") { Headers = { { "Accept", "application/x-ndjson" } } };
        using var ndjson = await Admin.Http.SendAsync(request, Ct);
        Assert.Equal("application/x-ndjson; charset=utf-8", ndjson.Content.Headers.ContentType?.ToString());
        Assert.Equal(listed, (await ndjson.Content.ReadAsStringAsync(Ct)).TrimEnd().Split('\n').Select(line => (long?)JsonNode.Parse(line)!["position"]));

        var workbook = await Admin.Http.GetByteArrayAsync(new Uri($"{O.Path}/audit/export?kind=change&format=xlsx", UriKind.Relative), Ct);
        Assert.Equal(listed.Length + 1, Workbook.Read(workbook).Main.Count);
        Assert.Equal(["csv", "xlsx"], (await Events("operation=exportAuditEvents")).Where(e => e["query"]!["format"] is not null).Select(e => (string)e["query"]!["format"]!).Order());
        Assert.All(await Events("operation=exportAuditEvents"), e => Assert.Equal(("export", listed.Length), ((string?)e["kind"], (int)e["rows"]!)));
    }

    [Fact]
    public async Task A_spreadsheet_speaks_the_readers_language_and_runs_no_formula()
    {
        (await Admin.Post("/teams", new { name = "=cmd|' /C calc'!A0", description = "+1" })).ShouldBe(201);
        await Admin.Put("/column-mappings/@SUM(1)", new { system = "X", columns = new { number = "N", date = "D", minutes = "M" } });

        var csv = (await Admin.Get("/audit/export?format=csv&from=2020-01-01", ("Accept-Language", "zh-CN"))).ShouldBe(200);

        Assert.StartsWith("序号,时间,类别", csv.Text, StringComparison.Ordinal);
        Assert.Contains("变更,createTeam,成功", csv.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(csv.Text.Split("\r\n").SelectMany(line => line.Split(',')), cell => cell.TrimStart('"') is ['=' or '+' or '@' or '-', ..]);
    }

    [Fact]
    public async Task The_list_is_read_page_by_page_without_losing_or_repeating_any()
    {
        await O.Volunteers(12);
        var whole = (await Events("kind=change")).Select(e => (string)e["id"]!).ToArray();

        var paged = new List<string>();
        for (var path = "/audit?kind=change&limit=5"; path is not null;)
        {
            var page = (await Admin.Get(path)).ShouldBe(200);
            paged.AddRange(page.Items.Select(e => (string)e!["id"]!));
            path = (string?)page["next"] is { } next ? $"/audit?kind=change&limit=5&cursor={next}" : null;
        }

        Assert.Equal(whole, paged);
        (await Admin.Get("/audit?cursor=nonsense")).ShouldRefuse(400, "invalid_cursor");
    }

    [Fact]
    public async Task Filters_leave_what_they_say()
    {
        var volunteer = await O.Volunteer(Team);
        await O.SignedInWithRole("auditor");
        (await Admin.Get($"/volunteers/{volunteer}")).ShouldBe(200);
        await Host.Later(TimeSpan.FromDays(2));
        var today = TimeZoneInfo.ConvertTime(Clock.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Asia/Shanghai"));
        var later = (await Admin.Post("/teams", new { name = "Later" })).ShouldBe(201).Id;

        Assert.Equal(3, (await Events($"volunteer={volunteer}")).Length);
        Assert.Equal(["createVolunteer", "getVolunteer"], (await Events($"resource={volunteer}&resourceType=volunteer")).Select(e => (string)e["operation"]!).Order());
        await TheEvent($"resource={later}&from={today:yyyy-MM-dd}&to={today:yyyy-MM-dd}");
        Assert.Empty(await Events($"resource={later}&to={today.AddDays(-1):yyyy-MM-dd}"));
        Assert.Empty(await Events($"resource={volunteer}&from={today:yyyy-MM-dd}"));
        Assert.All(await Events("kind=look"), e => Assert.Equal("look", (string)e["kind"]!));
        Assert.Empty(await Events("kind=change&outcome=refused"));
        (await Admin.Get("/audit?kind=nonsense")).ShouldBe(400);
        (await Admin.Get("/audit?from=1969-01-01")).ShouldBe(400);
    }

    [Fact]
    public async Task Old_events_are_cut_off_and_the_rest_is_still_verified()
    {
        await O.Volunteers(4);
        await Seal();
        var old = await Count();
        await Host.Later(TimeSpan.FromDays(400));
        await O.Volunteers(3);
        var kept = await Verified();

        var pruned = await AuditPruning.Prune(ConnectionString, Clock.GetUtcNow().AddDays(-200), Clock.GetUtcNow(), Ct);

        Assert.Equal(await Ask<long>("select sum(position)::bigint from audit_cuts"), pruned);
        var verification = await Verified();
        Assert.Equal(old, (long)verification["after"]!);
        Assert.True((long)verification["position"]! > (long)kept["position"]!);
        var told = await TheEvent("operation=pruneAudit");
        Assert.Equal((old, old.ToString(System.Globalization.CultureInfo.InvariantCulture)), ((long)told["rows"]!, (string?)told["resource"]!["id"]));
        Assert.Equal(3, (await Events("operation=createVolunteer")).Length);
        Assert.Equal(0, await Ask<long>("select count(*) from audit_values v where not exists (select 1 from audit_events e where e.id = v.event_id)"));

        Assert.Equal(0, await AuditPruning.Prune(ConnectionString, Clock.GetUtcNow().AddDays(-200), Clock.GetUtcNow(), Ct));
        await Tamper($"update audit_events set times = 2 where id = (select event_id from audit_chain where organization_id = '{O.Id}' and position = {old + 1})");
        Assert.False((bool)(await Admin.Get("/audit/verification"))["valid"]!);
    }

    [Fact]
    public async Task Whoever_runs_the_service_prunes_with_a_command_that_keeps_six_months_at_least()
    {
        await Seal();
        await Tamper($"update audit_events set at = at - interval '900 days'");
        (string, string)[] database = [("ConnectionStrings__Volunteers", ConnectionString)];
        await using (var refused = ServiceProcess.Run("prune", [.. database, ("Audit__KeepDays", "100")]))
        {
            Assert.Equal(1, await refused.ExitCode());
            Assert.Contains("Audit:KeepDays must be at least 183", refused.Output, StringComparison.Ordinal);
        }

        await using (var kept = ServiceProcess.Run("prune", database)) Assert.Equal((0, "0 audit events older than 1095 days were deleted."), (await kept.ExitCode(), kept.Output.Trim()));
        Assert.True(await Count() > 1);
        await using (var pruned = ServiceProcess.Run("prune", [.. database, ("Audit__KeepDays", "365")])) Assert.Equal(0, await pruned.ExitCode());

        Assert.Equal(["pruneAudit"], (await Events("kind=change")).Select(e => (string)e["operation"]!));
    }
}
