using System.Globalization;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reports;

public sealed class RecordExportAccessTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Years = "from=2025-01-01&to=2026-12-31";

    [Fact]
    public async Task A_team_coordinator_exports_their_teams_only_and_volunteers_nothing()
    {
        var scenario = await LedgerScenario.Make(Given);
        var o = scenario.Organization;
        var coordinator = await o.SignedInWithRole("coordinator", scenario.Drivers);
        var auditor = await o.SignedInWithRole("auditor");

        var all = await Export(auditor, Years);
        var own = await Export(coordinator, Years);

        Assert.Equal(2, all.Rows.SkipLast(1).Select(row => row["Team"]).Distinct().Count());
        var team = Assert.Single(own.Rows.SkipLast(1).Select(row => row["Team"]).Distinct());
        Assert.Equal(all.Rows.Where(row => row["Team"] == team).Select(row => row["Record"]), own.Rows.SkipLast(1).Select(row => row["Record"]));
        Assert.Single((await Export(coordinator, $"{Years}&team={scenario.Dancers}")).Rows);
        (await (await o.SignedInAs(scenario.Volunteers[1])).Get($"/service-records/export?{Years}")).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task Names_of_what_a_team_coordinator_does_not_see_are_not_told_by_a_filter()
    {
        var o = await Given.Organization();
        var (own, other) = (await o.Team(), await o.Team());
        var stranger = await o.Volunteer(inTeam: other);
        var draft = (await o.Admin.Post("/activities",
            new { title = "Secret", teamId = other, category = "patrol", startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T18:30:00+08:00" })).ShouldBe(201).Id;
        var coordinator = await o.SignedInWithRole("coordinator", own);

        var book = Workbook.Read(await Bytes(coordinator, $"{o.Path}/service-records/export?{Years}&volunteer={stranger}&activity={draft}&format=xlsx"));

        Assert.Equal((stranger, draft), (book.About["Volunteer"], book.About["Activity"]));
    }

    [Fact]
    public async Task Another_organizations_ids_find_nothing()
    {
        var scenario = await LedgerScenario.Make(Given);
        var elsewhere = await Given.AnotherOrganization();

        foreach (var filter in new[] { $"team={scenario.Drivers}", $"volunteer={scenario.Volunteers[0]}", $"activity={scenario.Patrol}" })
            Assert.Single((await Export(elsewhere.Admin, $"{Years}&{filter}")).Rows);
        Assert.Equal("0", (await elsewhere.Admin.Get($"/service-records/export?{Years}")).ShouldBe(200).Header("Volunteers-Ledger-Position"));
    }

    [Theory]
    [InlineData("from=2026-12-31&to=2026-12-30", "invalid_request", "/to")]
    [InlineData("from=2016-01-01&to=2026-01-02", "invalid_request", "/to")]
    [InlineData(Years + "&category=", "invalid_request", "/category")]
    [InlineData(Years + "&asOf=-1", "invalid_request", "/asOf")]
    [InlineData(Years + "&format=pdf", "malformed_parameter", "/format")]
    [InlineData(Years + "&format=json", "malformed_parameter", "/format")]
    [InlineData(Years + "&project=x", "unknown_parameter", "/project")]
    public async Task What_cannot_be_asked_is_refused_by_name(string query, string code, string at)
    {
        var o = await Given.Organization();

        var answer = (await o.Admin.Get($"/service-records/export?{query}")).ShouldRefuse(400, code);

        Assert.Equal([at], answer["errors"]!.AsObject().Select(error => error.Key));
    }

    [Fact]
    public async Task The_form_is_what_the_client_accepts_and_the_file_has_a_name()
    {
        var o = await Given.Organization();
        (await o.Admin.Patch("", new { name = "石厦社区" })).ShouldBe(200);

        var any = (await o.Admin.Get($"/service-records/export?{Years}", ("Accept", "*/*"), ("Accept-Language", "zh-CN"))).ShouldBe(200);
        var book = (await o.Admin.Get($"/service-records/export?{Years}", ("Accept", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))).ShouldBe(200);

        Assert.Equal("石厦社区服务记录 2025-01-01 至 2026-12-31.csv", any.ContentHeaders.ContentDisposition!.FileNameStar);
        Assert.Equal("service-records-2025-01-01-2026-12-31.csv", any.ContentHeaders.ContentDisposition.FileName);
        Assert.EndsWith(".xlsx", book.ContentHeaders.ContentDisposition!.FileNameStar, StringComparison.Ordinal);
        (await o.Admin.Get($"/service-records/export?{Years}", ("Accept", "application/pdf"))).ShouldRefuse(406, "not_acceptable");
        (await o.Admin.Get($"/service-records/export?{Years}&asOf=1")).ShouldRefuse(409, "beyond_ledger_end");
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("xlsx")]
    public async Task A_file_that_fails_in_the_middle_never_ends_cleanly(string format)
    {
        var o = await Given.Organization();
        var team = await o.Team();
        await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T08:00:00+08:00", "2026-06-07T09:00:00+08:00");
        await Fill(3_000);
        // The last of all cannot be read, so the file breaks off there.
        await Sql("alter table service_records alter column recorded_by drop not null");
        await Sql("update service_records set recorded_by = null where id = (select id from service_records order by service_date desc, starts_at desc, id desc limit 1)");

        using var part = new MemoryStream();
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await o.Admin.Http.GetAsync(new Uri($"{o.Path}/service-records/export?from=2020-01-01&to=2026-12-31&format={format}", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
            await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await stream.CopyToAsync(part, TestContext.Current.CancellationToken);
        });

        // Whoever kept what had come all the same sees that it is not the whole.
        Assert.True(part.Length > 20_000);
        if (format == "csv") Assert.DoesNotContain("Total of", System.Text.Encoding.UTF8.GetString(part.ToArray()), StringComparison.Ordinal);
        else Assert.ThrowsAny<Exception>(() => Workbook.Read(part.ToArray()));

        // The connection is given back: the service goes on answering.
        for (var i = 0; i < 120; i++) (await o.Admin.Get("")).ShouldBe(200);
    }

    [Fact]
    public async Task A_client_that_goes_away_leaves_nothing_open()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        await o.Record(await o.Activity(team), await o.Volunteer(inTeam: team), "2026-06-07T08:00:00+08:00", "2026-06-07T09:00:00+08:00");
        await Fill(50_000);

        using (var response = await o.Admin.Http.GetAsync(new Uri($"{o.Path}/service-records/export?from=2020-01-01&to=2026-12-31&format=csv", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
        {
            Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
            await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await stream.ReadExactlyAsync(new byte[1000], TestContext.Current.CancellationToken);
        }

        // The service's own workers are at work for a moment now and then, so one look at which nothing is open is enough.
        const string open = "select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()";
        for (var deadline = DateTime.UtcNow.AddSeconds(30); await Count(open) > 0; await Task.Delay(100, TestContext.Current.CancellationToken))
            Assert.True(DateTime.UtcNow < deadline, "Something is still open.");
    }

    /// <summary>Copies of the one record there is, each on a day of its own, for as many volunteers.</summary>
    private async Task Fill(int records)
    {
        await Sql(RecordFill.Sql, records);
        // As autovacuum does in its own time.
        await Sql("analyze");
    }

    private async Task Sql(string sql, params object[] parameters)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private async Task<long> Count(string sql)
    {
        await using var database = NpgsqlDataSource.Create(ConnectionString);
        await using var command = database.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), CultureInfo.InvariantCulture);
    }

    private static async Task<byte[]> Bytes(Api by, string path)
    {
        using var response = await by.Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }

    private static async Task<ReportFile> Export(Api by, string query) =>
        ReportFile.Read((await by.Get($"/service-records/export?{query}&format=csv")).ShouldBe(200).Text.TrimStart('\ufeff'));
}
