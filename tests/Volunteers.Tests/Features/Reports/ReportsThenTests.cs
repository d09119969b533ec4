using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

/// <summary>Every report and export of a point in the past, whatever has happened since and is happening at this moment.</summary>
public sealed class ReportsThenTests(TestDatabases databases) : HoursTest(databases)
{
    private const string Year = "from=2026-01-01&to=2026-12-31";

    [Fact]
    public async Task A_position_and_its_instant_say_the_same_for_ever_whatever_is_corrected_renamed_moved_and_deleted()
    {
        var (elsewhere, doomed) = (await O.Team(), await O.Team());
        var (first, second) = (await O.Volunteer(Team), await O.Volunteer(Team));
        await O.Member(elsewhere, second);
        var project = await O.Project();
        var moved = await O.Activity(doomed, "2026-06-08T23:30:00+08:00", "2026-06-09T02:00:00+08:00", projectId: project);
        var record = await O.Record(Activity, first, At("23:00"), At("01:00", 8));
        await O.Record(await O.Activity(elsewhere, projectId: project), second, At("08:00"), At("09:00"));
        (await Headcount(Admin, 20, At("08:00", 9), At("09:00", 9))).ShouldBe(201);
        string[] reports =
        [
            $"/reports/hours?{Year}&groupBy=team,volunteer,month", $"/reports/hours?{Year}&groupBy=activity,project&format=csv", $"/reports/hours?{Year}&groupBy=day,category,evidence",
            $"/reports/hours/changes?{Year}&groupBy=volunteer&since=1", $"/reports/hours/changes?{Year}&groupBy=team,activity&since=0&format=csv",
            $"/reports/activities?{Year}&groupBy=team", "/reports/activities?from=2026-06-08&to=2026-06-08&groupBy=project&format=csv",
            $"/service-records/export?{Year}&format=csv", "/reports/overdue",
        ];
        string[] points = ["3", Uri.EscapeDataString((string)(await Admin.Get($"/reports/hours?{Year}"))["asOf"]!["at"]!)];
        var drawn = await Draw(reports, points);
        var book = await About(points[0], first);

        await Host.Later(TimeSpan.FromMinutes(5));
        (await Admin.Patch("", new { name = "Another community", timeZone = "America/New_York" })).ShouldBe(200);
        (await Admin.Patch($"/teams/{Team}", new { name = "Another team" })).ShouldBe(200);
        (await Admin.Patch($"/volunteers/{first}", new { name = "Another person", number = "X-1" })).ShouldBe(200);
        (await Admin.Patch($"/projects/{project}", new { title = "Another project" })).ShouldBe(200);
        (await Admin.Patch($"/activities/{Activity}", new { title = "Another activity", teamId = elsewhere, projectId = project, category = "culture" })).ShouldBe(200);
        (await Admin.Patch($"/activities/{moved}", new { teamId = Team, startsAt = "2026-07-08T23:30:00+08:00", endsAt = "2026-07-09T02:00:00+08:00" })).ShouldBe(200);
        (await Admin.Delete($"/teams/{doomed}")).ShouldBe(204);
        (await Do(Admin, "correct", record, new { reason = "Shorter.", startsAt = At("23:00"), endsAt = At("23:30") })).ShouldBe(200);
        (await Do(Admin, "void", record)).ShouldBe(200);
        await O.Record(Activity, second, At("10:00"), At("11:00"));

        Assert.Equal(drawn, await Draw(reports, points));
        Assert.Equal(book, await About(points[0], first));
        // Nothing of this is so because nothing had changed.
        foreach (var report in reports) Assert.DoesNotContain((await Admin.Get(report)).ShouldBe(200).Text, drawn);
    }

    [Fact]
    public async Task A_new_name_on_its_way_in_is_waited_for_so_that_a_position_keeps_its_names()
    {
        var volunteer = await O.Volunteer(Team);
        await using var held = await Hold($"select from teams where id = '{Team}' for no key update");
        var renaming = Admin.Patch($"/teams/{Team}", new { name = "Another team" });
        await Until(async () => await WaitForLocks() > 0, renaming);
        await O.Record(Activity, volunteer, At("08:00"), At("09:00"));

        var drawing = Admin.Get($"/reports/hours?{Year}&groupBy=team&asOf=1");
        await Until(IsAwaited, drawing);
        await held.DisposeAsync();

        (await renaming).ShouldBe(200);
        Assert.Equal((await drawing).ShouldBe(200).Text, (await Admin.Get($"/reports/hours?{Year}&groupBy=team&asOf=1")).ShouldBe(200).Text);
    }

    [Theory]
    [InlineData("volunteers")]
    [InlineData("hour_ledgers")]
    [InlineData("hour_totals")]
    public async Task A_booking_on_its_way_in_is_waited_for_so_that_an_instant_keeps_its_figures(string waitsFor)
    {
        var volunteer = await O.Volunteer(Team);
        await O.Record(Activity, volunteer, At("08:00"), At("09:00"));
        await using var held = await Hold($"select from {waitsFor} for update");
        var booking = Record(Admin, volunteer, At("10:00"), At("11:00"));
        await Until(async () => await WaitForLocks() > 0, booking);
        var instant = Clock.GetUtcNow().UtcDateTime.ToString("O");

        var drawing = Admin.Get($"/service-records/export?{Year}&format=csv&asOf={instant}");
        await Until(IsAwaited, drawing);
        await held.DisposeAsync();

        (await booking).ShouldBe(201);
        Assert.Equal((await drawing).ShouldBe(200).Text, (await Admin.Get($"/service-records/export?{Year}&format=csv&asOf={instant}")).ShouldBe(200).Text);
    }

    [Fact]
    public async Task A_report_sent_while_a_name_changes_is_drawn_again_as_it_was()
    {
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("09:00"));
        await using var held = await Hold($"select from teams where id = '{Team}' for no key update");
        var renaming = Admin.Patch($"/teams/{Team}", new { name = "另一支队伍" });
        await Until(async () => await WaitForLocks() > 0, renaming);

        var issuing = Admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31", groupBy = "team,month" });
        await Until(IsAwaited, issuing);
        await held.DisposeAsync();

        (await renaming).ShouldBe(200);
        var issued = (await issuing).ShouldBe(201);
        Assert.Equal(Text(issued, "sha256"), Digest(await Admin.Get($"/reports/hours/issued/{issued.Id}/report")));
    }

    [Fact]
    public async Task The_digest_of_a_report_that_was_sent_is_that_of_its_rows_and_total_drawn_again()
    {
        var volunteer = await O.Volunteer(Team);
        var record = await O.Record(Activity, volunteer, At("08:00"), At("09:00"));
        await O.Record(Activity, volunteer, At("10:00"), At("11:00"));

        var issued = (await Admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31", groupBy = "team,volunteer", asOf = "1" })).ShouldBe(201);
        (await Do(Admin, "void", record)).ShouldBe(200);
        (await Admin.Patch($"/volunteers/{volunteer}", new { name = "䶮" })).ShouldBe(200);

        var drawn = (await Admin.Get($"/reports/hours/issued/{issued.Id}/report")).ShouldBe(200);
        Assert.Equal((1, 60), ((int)drawn["asOf"]!["position"]!, (int)drawn["total"]!["minutes"]!));
        Assert.Equal(Text(issued, "sha256"), Digest(drawn));
        Assert.Equal([1, 60, 60], new[] { issued["asOf"]!["position"]!, issued["total"]!["minutes"]!, drawn["rows"]![0]!["minutes"]! }.Select(number => (int)number));
        var changes = (await Admin.Get($"/reports/hours/issued/{issued.Id}/changes")).ShouldBe(200);
        Assert.Equal([2, 3], changes["postings"]!.AsArray().Select(posting => (int)posting!["position"]!));
    }

    private async Task<List<string>> Draw(string[] reports, string[] points)
    {
        var texts = new List<string>();
        foreach (var report in reports)
            foreach (var point in points)
            {
                var answer = (await Admin.Get($"{report}{(report.Contains('?', StringComparison.Ordinal) ? '&' : '?')}asOf={point}")).ShouldBe(200);
                if (!report.StartsWith("/reports/overdue", StringComparison.Ordinal)) Assert.Equal("3", answer.Header("Volunteers-Ledger-Position"));
                else Assert.NotEmpty(answer.Items);
                texts.Add(answer.Text);
            }
        return texts;
    }

    /// <summary>What workbooks of then say of themselves, but for when they were drawn.</summary>
    private async Task<List<KeyValuePair<string, string>>> About(string point, string first)
    {
        var facts = new List<KeyValuePair<string, string>>();
        foreach (var report in new[] { $"/reports/hours?{Year}&team={Team}&volunteer={first}", $"/reports/activities?{Year}&team={Team}", $"/service-records/export?{Year}&activity={Activity}" })
            facts.AddRange(Workbook.Read(await ReportFormatTests.Bytes(O, $"{report}&asOf={point}&format=xlsx")).About.Where(fact => fact.Key != "Drawn at"));
        Assert.Equal(13, facts.Count);
        return facts;
    }

    private static string Digest(Answer report)
    {
        var body = report.ShouldBe(200).Body!.DeepClone();
        var digested = new JsonObject(new[] { "from", "to", "rows", "total" }.Select(member => KeyValuePair.Create(member, body[member]?.DeepClone())));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(digested.ToJsonString(global::Volunteers.Platform.Json.Options))));
    }

    /// <summary>Somebody waits for all that has its moment already; other tests wait in databases of their own.</summary>
    private async Task<bool> IsAwaited() => await Count(
        "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and not granted and database = (select oid from pg_database where datname = current_database())") > 0;

    /// <summary>Until it is so, or what is watched has come to its end without it.</summary>
    private static async Task Until(Func<Task<bool>> isSo, Task watched)
    {
        while (!watched.IsCompleted && !await isSo()) await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    /// <summary>A lock of somebody else's, held until it is disposed of.</summary>
    private async Task<NpgsqlConnection> Hold(string sql)
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("begin; " + sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }
}
