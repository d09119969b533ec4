using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Spreadsheet;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests;

/// <summary>The examples for integrators, as they stand in deploy/examples; the phone's are <see cref="GeneratedClientTests"/>.</summary>
public sealed class ExampleTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string Examples = Path.Combine(NodeFolder.Repository, "deploy/examples");
    private static readonly NodeFolder Spreadsheet = new("deploy/examples/spreadsheet");

    private int stumbled;

    /// <summary>The first answers that curl gets of each kind ask it to come back.</summary>
    private protected override Action<IServiceCollection> Also => services => services.AddSingleton<IStartupFilter>(new Stumbling(() => Interlocked.Increment(ref stumbled)));

    [Fact]
    public async Task The_example_with_curl_books_a_list_and_prints_the_report_however_often_it_runs()
    {
        foreach (var program in new[] { "/bin/bash", "/usr/bin/curl", "/usr/bin/jq" })
            Assert.SkipUnless(File.Exists(program), $"The example needs {program}, which this machine does not have.");
        var o = await Given.Organization();
        var team = (await o.Admin.Post("/teams", new { name = "“的哥”志愿服务队" })).ShouldBe(201).Id;
        var numbers = new List<string>();
        foreach (var volunteer in await o.Volunteers(2, inTeam: team)) numbers.Add((string)(await o.Admin.Get($"/volunteers/{volunteer}")).ShouldBe(200)["number"]!);
        var list = $"{numbers[0]},2026-06-07T06:30:00+08:00,2026-06-07T09:00:00+08:00\n{numbers[1]},2026-06-07T07:00:00+08:00,2026-06-07T08:30:00+08:00\n";
        var client = await Client(o, "coordinator", "roster.read", "activities.write", "hours.write", "reports.read");

        var once = await Run("/bin/bash", [Path.Combine(Examples, "curl/hours.sh"), "“的哥”志愿服务队", "高考免费接送"], list, client);
        var twice = await Run("/bin/bash", [Path.Combine(Examples, "curl/hours.sh"), "“的哥”志愿服务队", "高考免费接送"], list, client);
        var nowhere = await Run("/bin/bash", [Path.Combine(Examples, "curl/hours.sh"), "没有的队", "高考免费接送"], list, client);

        Assert.True(once.ExitCode == 0, once.Error);
        Assert.Equal((0, once.Output), (twice.ExitCode, twice.Output));
        Assert.EndsWith("合计,,,2,2,240,4.00\r\n", once.Output, StringComparison.Ordinal);
        Assert.Equal((1, "There is no team 没有的队.\n"), (nowhere.ExitCode, nowhere.Error));
        Assert.Single((await o.Admin.Get("/activities")).Items);
        Assert.Equal(2, (await o.Admin.Get("/ledger")).Items.Count);
        Assert.Equal(3, stumbled);
    }

    private sealed class Stumbling(Action stumbles) : IStartupFilter
    {
        private readonly ConcurrentDictionary<string, bool> seen = new();

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (http, answer) =>
            {
                var isOfExample = http.Request.Headers.UserAgent.ToString().StartsWith("curl", StringComparison.Ordinal)
                    && http.Request.Path.Value!.Split('/')[^1] is "activities" or "volunteers" or "hours";
                if (!isOfExample || !seen.TryAdd(http.Request.Path.Value!, true))
                {
                    await answer(http);
                    return;
                }
                stumbles();
                http.Response.Headers.RetryAfter = "1";
                http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                await http.Response.WriteAsJsonAsync(new { code = "unavailable" });
            });
            next(app);
        };
    }

    [Fact]
    public async Task The_example_with_a_spreadsheet_draws_teams_down_and_months_across()
    {
        var o = await Given.Organization();
        foreach (var (name, day, minutes) in new[] { ("甲队", "05-01", 100), ("甲队", "06-07", 50), ("乙队", "06-08", 50) })
        {
            var team = (string?)(await o.Admin.Get("/teams")).Items.SingleOrDefault(team => (string?)team!["name"] == name)?["id"] ?? (await o.Admin.Post("/teams", new { name })).ShouldBe(201).Id;
            var activity = await o.Activity(team, $"2026-{day}T08:00:00+08:00", $"2026-{day}T12:00:00+08:00");
            await o.Record(activity, await o.Volunteer(inTeam: team), $"2026-{day}T08:00:00+08:00", $"2026-{day}T12:00:00+08:00", minutes);
        }
        var file = Path.Combine(Path.GetTempPath(), $"volunteers-{Guid.NewGuid():N}.xlsx");
        try
        {
            using var process = await Spreadsheet.Start("hours.mjs", ["2026-01-01", "2026-12-31", file], await Client(o, "auditor", "reports.read"));
            var (output, error) = (await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.True(process.ExitCode == 0, error);
            Assert.Equal($"{file}: 2 teams, 2 months, 200 minutes, ledger position 3\n", output);
            var rows = Read(file);
            Assert.Equal(["服务队", "2026-05", "2026-06", "合计（小时）"], rows[0]);
            // 100 + 50 + 50 minutes: three rounded cells would make 3.34.
            Assert.Equal([["乙队", "0", "0.83", "0.83"], ["合计", "1.67", "1.67", "3.33"], ["甲队", "1.67", "0.83", "2.5"]], rows.Skip(1).Take(3).OrderBy(row => row[0], StringComparer.Ordinal));
            Assert.Equal(["2026-01-01 至 2026-12-31，账本第 3 号"], rows[^1]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The settings of a system that is admitted with these scopes.</summary>
    private async Task<(string Name, string Value)[]> Client(OrganizationSteps o, string role, params string[] scopes)
    {
        var client = (await o.Admin.Post("/clients", new { name = "Example", role, scopes })).ShouldBe(201);
        using var http = Host.Http();
        return [("VOLUNTEERS", http.BaseAddress!.GetLeftPart(UriPartial.Authority)), ("ORGANIZATION", o.Id), ("CLIENT_ID", (string)client["clientId"]!), ("CLIENT_SECRET", (string)client["clientSecret"]!)];
    }

    private static async Task<(int ExitCode, string Output, string Error)> Run(string program, string[] arguments, string input, (string Name, string Value)[] environment)
    {
        var ct = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        await process.StandardInput.WriteAsync(input.AsMemory(), ct);
        process.StandardInput.Close();
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>The cells of each row of the first sheet that has any, read with a library that did not write them.</summary>
    private static List<string[]> Read(string file)
    {
        using var document = SpreadsheetDocument.Open(file, isEditable: false);
        var book = document.WorkbookPart!;
        var shared = book.SharedStringTablePart!.SharedStringTable!.Elements<SharedStringItem>().Select(item => item.InnerText).ToArray();
        return [.. book.WorksheetParts.First().Worksheet!.Descendants<Row>().Select(row => row.Elements<Cell>().Select(cell => cell.DataType?.Value == CellValues.SharedString
            ? shared[int.Parse(cell.CellValue!.Text, CultureInfo.InvariantCulture)] : cell.CellValue!.Text).ToArray()).Where(row => row.Length > 0)];
    }
}
