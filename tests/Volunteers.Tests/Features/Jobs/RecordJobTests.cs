using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>Service, out and in, by the rules of recording.</summary>
public sealed class RecordJobTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Headings = "志愿者编号,志愿者,活动,开始时间,结束时间,分钟,人次,计数方式,备注\r\n";

    [Fact]
    public async Task Rows_become_approved_and_posted_records_with_the_evidence_import()
    {
        var (o, team, activity) = await Furnished();
        var (number, volunteer) = await Member(o, team);

        var job = await o.Admin.ImportJob("serviceRecords",
            Headings + $"{number},,{activity},2026-06-07T14:30:00+08:00,2026-06-07 16:30,90,,,雨\r\n,,{activity},2026/6/7 17:00,2026-06-07T10:00:00Z,,20,估计,\r\n");

        Assert.True(job.Outcome() == ("succeeded", 2, 0, 0, 0), job.Text + await Reasons(o, job));
        var record = Assert.Single((await o.Admin.Get($"/service-records?volunteer={volunteer}")).Items)!;
        Assert.Equal(("import", "approved", 90, "雨", "2026-06-07T08:30:00+00:00"),
            ((string?)record["evidence"], (string?)record["status"], (int)record["minutes"]!, (string?)record["note"], DateTimeOffset.Parse((string)record["endsAt"]!, null).ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:sszzz", null)));
        Assert.Equal(2, (await o.Admin.Get("/ledger")).Items.Count);
        Assert.True((bool)(await o.Admin.Get("/ledger/verification"))["valid"]!);
        Assert.Equal(("succeeded", 0, 0, 1, 0), (await o.Admin.ImportJob("serviceRecords", Headings + $"{number},,{activity},2026-06-07T14:30:00+08:00,2026-06-07 16:30,90,,,\r\n")).Outcome());
    }

    [Fact]
    public async Task Times_of_a_spreadsheet_come_back_with_the_rows_that_were_refused()
    {
        var (o, team, activity) = await Furnished();
        var (number, volunteer) = await Member(o, team);
        // As spreadsheets keep times, with the style of one and without.
        var (from, to) = (new DateTime(2026, 6, 7, 8, 30, 0), new DateTime(2026, 6, 7, 10, 0, 0).ToOADate());
        object?[] headings = ["志愿者编号", "活动", "开始时间", "结束时间", "分钟"];
        object?[] row = [number, activity, from, to, "unknown"];
        var refused = await o.Admin.ImportJob("serviceRecords", Rosters.XlsxBytes(Rosters.SheetData(headings, row)), Rosters.XlsxType);
        Assert.True(refused.Outcome() == ("succeeded", 0, 0, 0, 1), refused.Text);

        var sheet = Workbook.Read(await o.Admin.ResultFile(refused.Id)).Main;

        Assert.Equal([.. headings.Select(heading => (string)heading!), "refusedRow", "refusedColumn", "refusedCode", "refusedReason"], sheet[0].Select(cell => cell!.Text!));
        object?[] mended = [.. sheet[1].Select(cell => (object?)cell?.Text ?? cell?.Number)];
        mended[4] = "90";
        var again = await o.Admin.ImportJob("serviceRecords", Rosters.XlsxBytes(Rosters.SheetData(headings, mended[..5])), Rosters.XlsxType);
        Assert.True(again.Outcome() == ("succeeded", 1, 0, 0, 0), again.Text + await Reasons(o, again));
        var record = Assert.Single((await o.Admin.Get($"/service-records?volunteer={volunteer}")).Items)!;
        Assert.Equal(("2026-06-07T00:30:00.0000000Z", "2026-06-07T02:00:00.0000000Z"), ($"{Time("startsAt"):O}", $"{Time("endsAt"):O}"));

        DateTime Time(string name) => DateTimeOffset.Parse((string)record[name]!, null).UtcDateTime;
    }

    [Fact]
    public async Task Each_rule_about_service_refuses_its_row_and_no_other()
    {
        var (o, team, activity) = await Furnished();
        var (member, _) = await Member(o, team);
        var stranger = (string)(await o.Admin.Get($"/volunteers/{await o.Volunteer()}"))["number"]!;

        var job = await o.Admin.ImportJob("serviceRecords", Headings
            + $"{member},,{activity},2026-06-07 08:00,2026-06-07 10:00,,,,\r\n"
            + $"{member},,{activity},2026-06-07 09:00,2026-06-07 11:00,,,,\r\n"          // overlaps
            + $"{stranger},,{activity},2026-06-07 08:00,2026-06-07 10:00,,,,\r\n"        // no member
            + $"{member},别人,{activity},2026-06-07 12:00,2026-06-07 13:00,,,,\r\n"      // another's name
            + $"no-one,,{activity},2026-06-07 12:00,2026-06-07 13:00,,,,\r\n"
            + $"{member},,没有的活动,2026-06-07 12:00,2026-06-07 13:00,,,,\r\n"
            + $"{member},,{activity},2026-06-07 12:00,2026-06-07 13:00,61,,,\r\n"         // more minutes than there are
            + $"{member},,{activity},soon,2026-06-07 13:00,,,,\r\n"
            + $"{member},,{activity},2026-06-07 13:00,2026-06-07 12:00,,,,\r\n"
            + $"{member},,{activity},2026-06-07 08:00,2026-06-07 10:00,30,,,\r\n");      // repeats row 2

        Assert.Equal(("succeeded", 1, 0, 0, 9), job.Outcome());
        Assert.Equal(
        [
            ("3", "overlapping_service"), ("4", "not_a_member"), ("5", "name_differs"), ("6", "volunteer_not_found"), ("7", "activity_not_found"),
            ("8", "minutes_exceed_period"), ("9", "unreadable_time"), ("10", "invalid_value"), ("11", "repeated_row"),
        ], ReportFile.Read(await o.Admin.ResultFile(job.Id)).Rows.Select(row => (row["refusedRow"], row["refusedCode"])));
        Assert.Single((await o.Admin.Get("/service-records")).Items);
    }

    [Fact]
    public async Task A_file_never_corrects_what_is_recorded()
    {
        var (o, team, activity) = await Furnished();
        var (number, volunteer) = await Member(o, team);
        var id = (string)(await o.Admin.Get("/activities")).Items.Single(a => (string?)a!["title"] == activity)!["id"]!;
        var record = await o.Record(id, volunteer, "2026-06-07T14:30:00+08:00", "2026-06-07T16:30:00+08:00", 90);

        var job = await o.Admin.ImportJob("serviceRecords", $$"""
            {"recordId":"{{record}}","volunteerNumber":"{{number}}","activityId":"{{id}}","startsAt":"2026-06-07T14:30:00+08:00","endsAt":"2026-06-07T16:30:00+08:00","minutes":120}
            {"volunteerNumber":"{{number}}","activityId":"{{id}}","startsAt":"2026-06-07T14:30:00+08:00","endsAt":"2026-06-07T16:30:00+08:00","minutes":120}
            {"volunteerNumber":"{{number}}","activityId":"{{id}}","startsAt":"2026-06-07T14:30:00+08:00","endsAt":"2026-06-07T16:30:00+08:00","minutes":90}
            """);

        Assert.Equal(("succeeded", 0, 0, 1, 2), job.Outcome());
        Assert.Equal(["service_record_differs", "service_record_differs"], (await o.Admin.ResultFile(job.Id)).ReadLines().Select(row => (string?)row["refusedCode"]));
        Assert.Equal(90, (int)(await o.Admin.Get($"/service-records/{record}"))["minutes"]!);
    }

    [Fact]
    public async Task A_team_coordinator_records_for_their_team_alone_and_exports_nothing_else()
    {
        var (o, team, activity) = await Furnished();
        var (number, _) = await Member(o, team);
        var other = await o.Team();
        var otherActivity = await o.Activity(other);
        var (stranger, strangerId) = await Member(o, other);
        await o.Record(otherActivity, strangerId, "2026-06-07T14:30:00+08:00", "2026-06-07T16:30:00+08:00");
        var coordinator = await o.SignedInWithRole("coordinator", team);

        var job = await coordinator.ImportJob("serviceRecords",
            $"volunteerNumber,activityId,activity,startsAt,endsAt\r\n{number},,{activity},2026-06-07 14:30,2026-06-07 15:30\r\n{stranger},{otherActivity},,2026-06-08 14:30,2026-06-08 15:30\r\n");
        var file = ReportFile.Read(await coordinator.Exported("serviceRecords", "csv", "en"));

        Assert.Equal(("succeeded", 1, 0, 0, 1), job.Outcome());
        Assert.Equal([number], file.Rows.Select(row => row["volunteerNumber"]));
        (await coordinator.AskForImport("roster", "name\r\n"u8.ToArray(), "text/csv")).ShouldRefuse(403, "forbidden");
    }

    private async Task<(OrganizationSteps Organization, string Team, string Activity)> Furnished()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var activity = await o.Activity(team);
        return (o, team, (string)(await o.Admin.Get($"/activities/{activity}"))["title"]!);
    }

    private static async Task<(string Number, string Id)> Member(OrganizationSteps o, string team)
    {
        var id = await o.Volunteer(inTeam: team);
        return ((string)(await o.Admin.Get($"/volunteers/{id}"))["number"]!, id);
    }

    private static async Task<string> Reasons(OrganizationSteps o, Answer job) => System.Text.Encoding.UTF8.GetString(await o.Admin.ResultFile(job.Id));
}
