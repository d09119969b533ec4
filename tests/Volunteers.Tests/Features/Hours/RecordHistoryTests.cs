using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>What the life of a record reads like.</summary>
public sealed class RecordHistoryTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task Every_step_says_in_words_what_it_did_to_the_totals()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", record, new { reason = "Seen by the team leader." })).ShouldBe(200);
        var dispute = (await self.Post($"/service-records/{record}/disputes", new { message = "It was less." })).ShouldBe(201).Id;
        (await Admin.Post($"/disputes/{dispute}/answer", new { explanation = "Half an hour less.", correction = new { minutes = 90 } })).ShouldBe(200);
        var again = (await self.Post($"/service-records/{record}/disputes", new { message = "Sorry." })).ShouldBe(201).Id;
        (await self.Post($"/disputes/{again}/withdraw")).ShouldBe(200);
        (await Do(Admin, "void", record, new { reason = "Entered twice." })).ShouldBe(200);

        var steps = await Steps(self, record, "en");

        Assert.Equal(["recorded", "approved", "disputed", "corrected", "disputeAnswered", "disputed", "disputeWithdrawn", "voided"], steps.Select(s => (string)s["step"]!));
        Assert.Equal([(0, 0), (120, 1), (0, 0), (-30, 0), (0, 0), (0, 0), (0, 0), (-90, -1)], steps.Select(s => ((int)s["minutesBooked"]!, (int)s["personTimesBooked"]!)));
        Assert.Equal(0, steps.Sum(s => (int)s["minutesBooked"]!));
        string Says(int step) => (string)steps[step]["text"]!;
        Assert.Matches(@"^On \d{1,2} \w+ \d{4}, \d\d:\d\d, Somebody recorded 120 minutes and 1 person-time, from 7 June 2026, 08:00 to 7 June 2026, 10:00\. That was later than the day on which it was due\. Nothing is booked yet\.$", Says(0));
        Assert.EndsWith(" Reason: “Seen by the team leader.”. This put 120 minutes and 1 person-time on the total.", Says(1), StringComparison.Ordinal);
        Assert.EndsWith(", Somebody disputed this record. In their own words: “It was less.”. This booked nothing: the totals stayed as they were.", Says(2), StringComparison.Ordinal);
        Assert.EndsWith(" corrected the record to 90 minutes and 1 person-time, from 7 June 2026, 08:00 to 7 June 2026, 10:00. Reason: “Half an hour less.”. "
            + "This took 30 minutes off the total.", Says(3), StringComparison.Ordinal);
        Assert.Contains("answered the dispute. The answer: “Half an hour less.”.", Says(4), StringComparison.Ordinal);
        Assert.Contains("withdrew the dispute.", Says(6), StringComparison.Ordinal);
        Assert.EndsWith(" Reason: “Entered twice.”. This took 90 minutes and 1 person-time off the total.", Says(7), StringComparison.Ordinal);
        Assert.All(steps, step => Assert.DoesNotContain("history_", (string)step["text"]!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_Chinese_the_whole_life_reads_as_Chinese()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", record, new { reason = "队长在场" })).ShouldBe(200);
        var dispute = (await self.Post($"/service-records/{record}/disputes", new { message = "没有那么久" })).ShouldBe(201).Id;
        (await Admin.Post($"/disputes/{dispute}/answer", new { explanation = "提前半小时结束", correction = new { minutes = 90 } })).ShouldBe(200);
        var again = (await self.Post($"/service-records/{record}/disputes", new { message = "记错了" })).ShouldBe(201).Id;
        (await self.Post($"/disputes/{again}/withdraw")).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "其实是第二天", startsAt = At("08:00", 8), endsAt = At("10:00", 8), minutes = 100 })).ShouldBe(200);
        (await Do(Admin, "void", record, new { reason = "重复登记" })).ShouldBe(200);
        var rejected = (await Record(self, volunteer, At("12:00"), At("13:00"))).ShouldBe(201).Id;
        (await Do(Admin, "reject", rejected, new { reason = "无人见到" })).ShouldBe(200);

        var steps = (await Steps(Admin, record, "zh-CN")).Append((await Steps(Admin, rejected, "zh-CN"))[1]).Select(step => (string)step["text"]!).ToArray();

        const string First = "（2026年6月7日 08:00至2026年6月7日 10:00）。";
        const string Second = "（2026年6月8日 08:00至2026年6月8日 10:00）。";
        Assert.Equal(
            [
                "Somebody登记了120分钟和1人次" + First + "登记时已过规定期限。尚未入账。",
                "Administrator审核通过了120分钟和1人次" + First + "理由：“队长在场”。合计增加120分钟和1人次。",
                "Somebody对这条记录提出了异议。本人说明：“没有那么久”。本次没有入账，合计不变。",
                "Administrator将记录更正为90分钟和1人次" + First + "理由：“提前半小时结束”。合计减少30分钟。",
                "Administrator答复了异议。答复内容：“提前半小时结束”。本次没有入账，合计不变。",
                "Somebody对这条记录提出了异议。本人说明：“记错了”。本次没有入账，合计不变。",
                "Somebody撤回了异议。本次没有入账，合计不变。",
                "Administrator将记录更正为100分钟和1人次" + Second + "理由：“其实是第二天”。2026年6月7日的合计减少90分钟和1人次，2026年6月8日的合计增加100分钟和1人次。",
                "Administrator作废了100分钟和1人次" + Second + "理由：“重复登记”。合计减少100分钟和1人次。",
                "Administrator驳回了60分钟和1人次（2026年6月7日 12:00至2026年6月7日 13:00）。理由：“无人见到”。本次没有入账，合计不变。",
            ],
            steps.Select(text => text[(text.IndexOf('，') + 1)..]));
        Assert.All(steps, text => Assert.Matches(@"^2026年\d{1,2}月\d{1,2}日 \d\d:\d\d，", text));
    }

    [Fact]
    public async Task A_claim_moves_without_changing_a_total()
    {
        var volunteer = await O.Volunteer(Team);
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"), minutes: 121)).ShouldBe(201).Id;
        var named = (await Do(Admin, "claims", headcount, new { volunteerId = volunteer, minutes = 120 })).ShouldBe(201).Id;
        var name = Text(await Admin.Get($"/volunteers/{volunteer}"), "name");

        var (ofHeadcount, ofNamed) = ((await Steps(Admin, headcount, "en"))[1], (await Steps(Admin, named, "en"))[0]);

        Assert.Equal((-120, -1, 120, 1), ((int)ofHeadcount["minutesBooked"]!, (int)ofHeadcount["personTimesBooked"]!, (int)ofNamed["minutesBooked"]!, (int)ofNamed["personTimesBooked"]!));
        Assert.Equal((named, headcount), ((string?)ofHeadcount["otherRecordId"], (string?)ofNamed["otherRecordId"]));
        Assert.EndsWith($" gave one participation of this headcount a name: {name}. This moved 120 minutes and 1 person-time from here to a record with a name; no total changed.",
            (string)ofHeadcount["text"]!, StringComparison.Ordinal);
        Assert.EndsWith(" named who one participation of a headcount was: 120 minutes and 1 person-time, from 7 June 2026, 08:00 to 7 June 2026, 10:00. "
            + "That was later than the day on which it was due. This moved 120 minutes and 1 person-time here from a headcount; no total changed.",
            (string)ofNamed["text"]!, StringComparison.Ordinal);
        Assert.EndsWith($"将此未记名计数中的一人次记到{name}名下。120分钟和1人次由此转到一条记名记录，合计不变。", (string)(await Steps(Admin, headcount, "zh-CN"))[1]["text"]!, StringComparison.Ordinal);
        Assert.EndsWith("登记时已过规定期限。120分钟和1人次由未记名计数转入此处，合计不变。", (string)(await Steps(Admin, named, "zh-CN"))[0]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_taken_off_again_is_told_on_both_sides()
    {
        var volunteer = await O.Volunteer(Team);
        var name = Text(await Admin.Get($"/volunteers/{volunteer}"), "name");
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var named = (await Do(Admin, "claims", headcount, new { volunteerId = volunteer })).ShouldBe(201).Id;
        (await Do(Admin, "void", named, new { reason = "Somebody else.", backToHeadcount = true })).ShouldBe(200);

        var (ofHeadcount, ofNamed) = ((await Steps(Admin, headcount, "en"))[2], (await Steps(Admin, named, "en"))[1]);

        Assert.Equal(("returned", "voided", 120, -120, named, headcount), ((string?)ofHeadcount["step"], (string?)ofNamed["step"], (int)ofHeadcount["minutesBooked"]!,
            (int)ofNamed["minutesBooked"]!, (string?)ofHeadcount["otherRecordId"], (string?)ofNamed["otherRecordId"]));
        Assert.EndsWith($" took a name off one participation of this headcount: {name}. Reason: “Somebody else.”. "
            + "This moved 120 minutes and 1 person-time back here from a record with a name; no total changed.", (string)ofHeadcount["text"]!, StringComparison.Ordinal);
        Assert.EndsWith("Reason: “Somebody else.”. This moved 120 minutes and 1 person-time from here back to a headcount; no total changed.", (string)ofNamed["text"]!, StringComparison.Ordinal);
        Assert.EndsWith($"撤去了此未记名计数中一人次的姓名：{name}。理由：“Somebody else.”。120分钟和1人次由记名记录退回此处，合计不变。", (string)(await Steps(Admin, headcount, "zh-CN"))[2]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approval_out_of_a_headcount_says_that_only_the_evidence_is_another()
    {
        var volunteer = await O.Volunteer(Team);
        var record = (await Record(await O.SignedInAs(volunteer), volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var headcount = (await Headcount(Admin, 2, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        (await Do(Admin, "approve", record, new { headcountId = headcount })).ShouldBe(200);

        var (ofHeadcount, ofRecord) = ((await Steps(Admin, headcount, "en"))[1], (await Steps(Admin, record, "en"))[1]);

        foreach (var step in new[] { ofHeadcount, ofRecord })
            Assert.EndsWith("no total changed. Only by evidence they now count as “Self”, no longer as “Coordinator”.", (string)step["text"]!, StringComparison.Ordinal);
        Assert.Equal((record, headcount), ((string?)ofHeadcount["otherRecordId"], (string?)ofRecord["otherRecordId"]));
        Assert.EndsWith("合计不变。只是依据由“协调员录入”改计为“本人填报”。", (string)(await Steps(Admin, record, "zh-CN"))[1]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_correction_onto_another_day_says_which_days_total_lost_and_which_gained()
    {
        var record = await O.Record(Activity, await O.Volunteer(Team), At("08:00", 30), At("10:00", 30));
        (await Do(Admin, "correct", record, new { reason = "A day late.", startsAt = "2026-07-01T08:00:00+08:00", endsAt = "2026-07-01T09:30:00+08:00" })).ShouldBe(200);

        Assert.EndsWith("This took 120 minutes and 1 person-time off the total of 30 June 2026 and put 90 minutes and 1 person-time on the total of 1 July 2026.",
            (string)(await Steps(Admin, record, "en"))[1]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_came_in_time_is_not_called_late()
    {
        var yesterday = Clock.GetUtcNow().AddHours(-24);
        var activity = await O.Activity(Team, yesterday.ToString("O"), yesterday.AddHours(2).ToString("O"));
        var record = await O.Record(activity, await O.Volunteer(Team), yesterday.ToString("O"), yesterday.AddHours(1).ToString("O"));

        Assert.DoesNotContain("due", (string)(await Steps(Admin, record, "en"))[0]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_leaves_the_total_as_it_was_or_turns_it_both_ways_says_so()
    {
        var moved = await O.Record(Activity, await O.Volunteer(Team), At("14:00"), At("16:00"));
        (await Do(Admin, "correct", moved, new { reason = "Later.", startsAt = At("11:00"), endsAt = At("13:00") })).ShouldBe(200);
        var group = (await Headcount(Admin, 2, At("08:00"), At("10:00"), minutes: 100)).ShouldBe(201).Id;
        (await Do(Admin, "correct", group, new { reason = "One alone.", personTimes = 1, minutes = 101 })).ShouldBe(200);

        Assert.EndsWith("without changing how much there is in all.", (string)(await Steps(Admin, moved, "en"))[1]["text"]!, StringComparison.Ordinal);
        Assert.EndsWith("This put 1 minute on the total and took 1 person-time off it.", (string)(await Steps(Admin, group, "en"))[1]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_is_called_by_its_name_and_one_that_is_gone_by_none()
    {
        var client = await O.Client();
        var gateway = (await Host.SignedIn(client)).At(O.Path);
        var record = (await Record(gateway, await O.Volunteer(Team), At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var known = (await Steps(Admin, record, "en"))[0];
        Assert.Equal("Gateway", (string?)known["byName"]);
        Assert.Contains(", Gateway recorded ", (string)known["text"]!, StringComparison.Ordinal);

        (await Admin.Delete($"/clients/{client.ClientId}")).ShouldBe(204);

        var gone = (await Steps(Admin, record, "en"))[0];
        Assert.Null(gone["byName"]);
        Assert.Contains(", somebody who is no longer known here recorded ", (string)gone["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_words_are_told_as_they_are()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = await O.Record(Activity, volunteer, At("08:00"), At("10:00"));
        const string Message = "{0} {9} =1+1 <b> 𠮷 😀 \u202E";
        (await self.Post($"/service-records/{record}/disputes", new { message = Message })).ShouldBe(201);

        Assert.Contains($"“{Message}”", (string)(await Steps(self, record, "en"))[1]["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_time_is_the_organizations_own()
    {
        var o = await Given.AnotherOrganization(timeZone: "America/New_York");
        var team = await o.Team();
        var record = await o.Record(await o.Activity(team), await o.Volunteer(team), "2026-06-07T02:00:00Z", "2026-06-07T04:00:00Z");

        var text = (string)(await Steps(o.Admin, record, "en"))[0]["text"]!;

        Assert.Contains("from 6 June 2026, 22:00 to 7 June 2026, 00:00.", text, StringComparison.Ordinal);
    }

    private static async Task<JsonNode[]> Steps(Api by, string record, string language) =>
        [.. (await by.Get($"/service-records/{record}/history", ("Accept-Language", language))).ShouldBe(200)["steps"]!.AsArray().Select(step => step!)];
}
