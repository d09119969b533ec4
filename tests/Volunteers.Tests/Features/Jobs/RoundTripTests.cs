using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>What goes out says nothing new when it comes back in: in every form, in both languages.</summary>
public sealed class RoundTripTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task Every_kind_of_file_in_every_form_changes_nothing_when_it_comes_back()
    {
        var o = await Given.Organization();
        await Furnish(o);
        var expected = new Dictionary<string, int>
        {
            ["roster"] = (await o.Admin.Get("/volunteers?limit=200")).Items.Count, ["activities"] = (await o.Admin.Get("/activities?limit=200")).Items.Count,
            ["serviceRecords"] = (await o.Admin.Get("/service-records?limit=200")).Items.Count,
        };
        var before = await Everything(o);

        foreach (var (resource, rows) in expected)
            foreach (var format in new[] { "csv", "xlsx", "ndjson" })
                foreach (var language in new[] { "zh-CN", "en" })
                {
                    var file = await o.Admin.Exported(resource, format, language);
                    Assert.Equal(rows, RowsOf(file, format));
                    var job = await o.Admin.ImportJob(resource, file, JobSteps.TypeOf(format));

                    Assert.True(job.Outcome() == ("succeeded", 0, 0, rows, 0), $"{resource} {format} {language}: {job.Text} {System.Text.Encoding.UTF8.GetString(await o.Admin.ResultFile(job.Id))}");
                }
        Assert.Equal(before, await Everything(o));
        var roster = ReportFile.Read(await o.Admin.Exported("roster", "csv", "zh-CN"));
        Assert.Equal(("“的哥”志愿服务队、巡逻、送考队", "骨干、队长"), roster.Rows.Where(row => row["编号"] == "SX-1").Select(row => (row["服务队"], row["队内角色"])).Single());
        Assert.True(expected.Values.All(rows => rows >= 5));
    }

    /// <summary>Read by who did not write it: two other libraries, and JSON.</summary>
    private static int RowsOf(byte[] file, string format) => format switch
    {
        "xlsx" => Workbook.Read(file).Main.Count - 1,
        "ndjson" => file.ReadLines().Length,
        _ => ReportFile.Read(file).Rows.Count,
    };

    private static async Task<string> Everything(OrganizationSteps o) => string.Concat(
        (await o.Admin.Get("/volunteers?limit=200")).Text, (await o.Admin.Get("/activities?limit=200")).Text, (await o.Admin.Get("/service-records?limit=200")).Text, (await o.Admin.Get("/ledger?limit=200")).Text);

    private static async Task Furnish(OrganizationSteps o)
    {
        var team = (await o.Admin.Post("/teams", new { name = "“的哥”志愿服务队" })).ShouldBe(201).Id;
        await o.Admin.Put($"/teams/{await o.Team()}", new { });
        var project = (await o.Admin.Post("/projects", new { title = "爱心送考", category = "接送", status = "adopted", defaults = new { minutes = 150 } })).ShouldBe(201).Id;
        object[] people =
        [
            new
            {
                number = "SX-1", name = "𠮷野, \"甲\"", phone = "+86 138-0013-8000", hometown = "湖北", gender = "male", birthDate = "1980-01-02", residence = "=下沙村", joinedOn = "2019-12-31", status = "paused",
                skills = new object[] { new { name = "急救、驾驶", expiresOn = "2027-01-01" }, new { name = "摄影" } }, consent = new { version = "v1", at = "2020-01-02T03:04:05.678901+08:00" },
            },
            new
            {
                number = "SX-2", name = "=cmd|'/c calc'!A1", birthDate = "2012-05-06", status = "active",
                guardian = new { name = "乙", phone = "13900139000", relation = "母亲", version = "v1", at = "2024-01-01T00:00:00Z" },
            },
            new { number = "007", name = "_x0041_", status = "left" },
            new { name = "丁", phone = "13800138000" }, new { name = "戊", phone = "13800138000" },
        ];
        var ids = new List<string>();
        foreach (var person in people) ids.Add((await o.Admin.Post("/volunteers", person)).ShouldBe(201).Id);
        foreach (var id in new[] { ids[0], ids[3] }) await o.Member(team, id, "core");
        var patrol = (await o.Admin.Post("/teams", new { name = "巡逻、送考队" })).ShouldBe(201).Id;
        await o.Member(patrol, ids[0], "leader");

        object[] activities =
        [
            new { title = "高考免费接送", teamId = team, projectId = project, startsAt = "2026-06-07T06:30:00+08:00", description = "第一行\r\n第二行, \"引号\"\n=1+1", responsibleVolunteerId = ids[0] },
            new
            {
                title = "Patrol", teamId = team, category = "+巡逻", startsAt = "2026-06-08T20:00:00.123+08:00", endsAt = "2026-06-09T02:00:00+08:00",
                location = new { name = "石厦", latitude = 22.5234567891, longitude = -114.05, radiusMeters = 200 },
            },
            new { title = "Meeting", teamId = team, category = "会议", startsAt = "2026-06-10T20:00:00+08:00", endsAt = "2026-06-10T21:00:00+08:00" },
            new { title = "Meeting", teamId = team, category = "会议", startsAt = "2026-06-11T20:00:00+08:00", endsAt = "2026-06-11T21:00:00+08:00" },
            new { title = "Meeting", teamId = team, category = "会议", startsAt = "2026-06-11T20:00:00+08:00", endsAt = "2026-06-11T22:00:00+08:00" },
        ];
        var made = new List<string>();
        foreach (var activity in activities) made.Add((await o.Admin.Post("/activities", activity)).ShouldBe(201).Id);
        (await o.Admin.Post($"/activities/{made[0]}/publish")).ShouldBe(200);
        (await o.Admin.Post($"/activities/{made[1]}/complete", new { })).ShouldBe(200);
        (await o.Admin.Post($"/activities/{made[3]}/cancel", new { reason = "Rain" })).ShouldBe(200);

        object[] records =
        [
            new { activityId = made[0], volunteerId = ids[0], startsAt = "2026-06-07T06:30:00+08:00", endsAt = "2026-06-07T09:00:00+08:00", minutes = 120, note = "雨, \"大\"\n第二行" },
            new { activityId = made[0], volunteerId = ids[3], startsAt = "2026-06-07T06:30:00+08:00", endsAt = "2026-06-07T09:00:00+08:00", note = "-1" },
            new { activityId = made[1], headcount = new { personTimes = 21, method = "estimated" }, startsAt = "2026-06-08T20:00:00+08:00", endsAt = "2026-06-08T22:00:00+08:00" },
            new { activityId = made[2], volunteerId = ids[0], startsAt = "2026-06-10T20:00:00+08:00", endsAt = "2026-06-10T21:00:00+08:00" },
            new { activityId = made[2], volunteerId = ids[3], startsAt = "2026-06-10T20:00:00+08:00", endsAt = "2026-06-10T20:30:00+08:00" },
        ];
        foreach (var record in records) (await o.Admin.Post("/service-records", record)).ShouldBe(201);
        var voided = (await o.Admin.Get($"/service-records?activity={made[2]}&volunteer={ids[3]}")).Items[0]!["id"];
        (await o.Admin.Post($"/service-records/{voided}/void", new { reason = "Wrong" })).ShouldBe(200);
    }
}
