using Npgsql;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>How exports of other systems are read, kept under names.</summary>
public sealed class ColumnMappingTests(TestDatabases databases) : ReconciliationTest(databases)
{
    [Fact]
    public async Task A_mapping_is_saved_shown_replaced_and_forgotten()
    {
        var saved = (await Admin.Put("/column-mappings/区平台 导出", new { system = "区平台", columns = new { name = "姓名", date = "日期", hours = "时长" }, dateFormats = new[] { "dd/MM/yyyy" } })).ShouldBe(200);
        Assert.Equal(("区平台 导出", "\"1\""), (Text(saved, "name"), saved.Header("ETag")));

        var replaced = (await Admin.Put("/column-mappings/区平台 导出", new { system = "区平台", columns = new { phone = "电话", startsAt = "开始", endsAt = "结束" } })).ShouldBe(200);
        Assert.Equal(("电话", null, 0, 2), ((string?)replaced["columns"]!["phone"], (string?)replaced["columns"]!["name"], replaced["dateFormats"]!.AsArray().Count, Number(replaced, "version")));
        Assert.Equal(replaced.Text, (await Admin.Get("/column-mappings/区平台 导出")).ShouldBe(200).Text);
        Assert.Equal(["sz", "区平台 导出"], (await Admin.Get("/column-mappings")).Items.Select(mapping => (string?)mapping!["name"]));

        (await Admin.Delete("/column-mappings/区平台 导出")).ShouldBe(204);
        (await Admin.Get("/column-mappings/区平台 导出")).ShouldBe(404);
        (await Admin.Delete("/column-mappings/区平台 导出")).ShouldBe(404);
        (await Admin.Post("/reconciliations?mapping=区平台 导出&from=2026-06-01&to=2026-06-30", Rosters.Csv(Heading))).ShouldRefuse(404, "column_mapping_not_found");
    }

    [Fact]
    public async Task A_mapping_is_not_forgotten_while_somebody_who_sets_it_has_read_it_and_not_saved_it()
    {
        (await Admin.Put("/column-mappings/m", new { system = "S", columns = new { name = "n", date = "d", hours = "h" } })).ShouldBe(200);
        await using var setting = new NpgsqlConnection(ConnectionString);
        await setting.OpenAsync(TestContext.Current.CancellationToken);
        await using var held = await setting.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var read = new NpgsqlCommand($"select 1 from organizations where id = '{O.Id}' for no key update", setting)) await read.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var forgetting = Admin.Delete("/column-mappings/m");
        for (; await WaitForLocks() == 0; await Task.Delay(20, TestContext.Current.CancellationToken)) Assert.False(forgetting.IsCompleted);
        await held.RollbackAsync(TestContext.Current.CancellationToken);

        (await forgetting).ShouldBe(204);
    }

    [Theory]
    [InlineData("""{ "date": "d", "minutes": "m" }""", "/columns/name")]
    [InlineData("""{ "name": "n", "minutes": "m" }""", "/columns/date")]
    [InlineData("""{ "name": "n", "date": "d" }""", "/columns/minutes")]
    [InlineData("""{ "name": "n", "date": "d", "minutes": "m", "hours": "h" }""", "/columns/hours")]
    [InlineData("""{ "name": "n", "date": "d", "startsAt": "s", "minutes": "m" }""", "/columns/endsAt")]
    [InlineData("""{ "name": "n", "date": "N *", "minutes": "m" }""", "/columns")]
    [InlineData("""{ "name": " * ", "date": "d", "minutes": "m" }""", "/columns/name")]
    [InlineData("""{ "name": "n\u0007", "date": "d", "minutes": "m" }""", "/columns/name")]
    public async Task A_mapping_that_could_read_no_file_is_refused(string columns, string at)
    {
        var body = new StringContent($$"""{ "system": "S", "columns": {{columns}} }""", System.Text.Encoding.UTF8, "application/json");
        var refused = await Admin.Put("/column-mappings/m", body);

        refused.ShouldRefuse(400, "invalid_request");
        Assert.Contains(at, refused["errors"]!.AsObject().Select(error => error.Key));
    }

    [Theory]
    [InlineData("yyyy-MM-dd", true)]
    [InlineData("d.M.yyyy", true)]
    [InlineData("yyyyMMdd", true)]
    [InlineData("yy-MM-dd", false)]
    [InlineData("dd/MM", false)]
    [InlineData("yyyy-MMM-dd", false)]
    [InlineData("yyyy-MM-dd HH:mm", false)]
    [InlineData("yyyy-MM-dd-dd", false)]
    public async Task A_date_format_has_year_month_and_day_once_each(string format, bool good)
    {
        var answer = await Admin.Put("/column-mappings/m", new { system = "S", columns = new { name = "n", date = "d", minutes = "m" }, dateFormats = new[] { format } });
        Assert.Equal(good ? 200 : 400, answer.Status);
    }

    [Fact]
    public async Task A_name_has_no_slash_no_control_character_and_at_most_60_characters()
    {
        foreach (var name in new[] { new string('名', 61), "a%2Fb", "a%07b", "%20", "a%5Cb" })
            (await Admin.Put($"/column-mappings/{name}", Mapping)).ShouldRefuse(400, "invalid_mapping_name");
        (await Admin.Put($"/column-mappings/{new string('名', 60)}", Mapping)).ShouldBe(200);
    }

    [Fact]
    public async Task Saved_at_the_same_moment_under_one_new_name_there_is_one()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(() => Admin.Put("/column-mappings/new", Mapping))));

        Assert.All(answers, answer => answer.ShouldBe(200));
        Assert.Equal(["sz", "new"], (await Admin.Get("/column-mappings")).Items.Select(mapping => (string?)mapping!["name"]));
    }
}
