using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Volunteers.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests;

/// <summary>One story from the first call to the hours, as coordinators, phones and a calendar application live it.</summary>
public sealed class TakingPartTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_friday_duty_from_the_project_library_to_the_hours_in_the_report()
    {
        var o = await Given.Organization();
        var admin = o.Admin;
        var team = await o.Team();
        // Next Friday, by the organization's clock.
        var today = DateOnly.FromDateTime(Clock.GetUtcNow().ToOffset(TimeSpan.FromHours(8)).Date);
        var friday = today.AddDays((((int)DayOfWeek.Friday - (int)today.DayOfWeek + 6) % 7) + 1);
        var start = new DateTimeOffset(friday.ToDateTime(new TimeOnly(17, 30)), TimeSpan.FromHours(8));

        // A series from the library: three Fridays of an hour and a half with two places, but not on the second.
        var project = (await admin.Post("/projects", new
        {
            title = "周五交通值守", category = "交通", status = "adopted", defaults = new { minutes = 90, capacity = 2, posts = new[] { "石厦北路口" } },
        })).ShouldBe(201).Id;
        var series = (await admin.Post("/series", new
        {
            teamId = team, projectId = project, firstOn = friday, startTime = "17:30", recurrence = "FREQ=WEEKLY;COUNT=3", exceptOn = new[] { friday.AddDays(7) },
        })).ShouldBe(201);
        var occurrences = (await admin.Get("/activities?status=published")).Items.Where(a => (string?)a!["seriesId"] == series.Id).ToArray();
        Assert.Equal([friday, friday.AddDays(14)], occurrences.Select(a => DateOnly.Parse((string)a!["occurrenceOn"]!, null)));
        var activity = (string)occurrences[0]!["id"]!;
        var shift = (string)Assert.Single((await admin.Get($"/activities/{activity}/shifts")).Items)!["id"]!;

        // Somebody applies, is accepted and makes an account; the others were invited.
        (await Host.Anonymous.Post($"{o.Path}/volunteers/applications", new { name = "新人", phone = "13900000001", consent = new { version = "2026-1" } })).ShouldBe(202);
        var newcomer = (string)Assert.Single((await admin.Get("/volunteers?status=applied")).Items)!["id"]!;
        var accepted = (await admin.Post($"/volunteers/{newcomer}/accept", new { teamId = team, role = "member" })).ShouldBe(200);
        (await Host.Anonymous.Post("/v1/accounts", new
        {
            invitationCode = (string)accepted["invitation"]!["code"]!, login = "13900000001", password = Given.Password, displayName = "新人",
        })).ShouldBe(201);
        var people = new[] { await o.Volunteer(team), await o.Volunteer(team), newcomer };
        Api[] phones = [await o.SignedInAs(people[0]), await o.SignedInAs(people[1]), (await Host.SignIn("13900000001", Given.Password)).At(o.Path)];
        var feed = await phones[2].Feed("own");

        // More sign-ups than places; a cancellation promotes, and the calendar shows each step.
        Assert.Equal(activity, (string)(await phones[2].Get("/activities?openFor=me")).Items[0]!["id"]!);
        Assert.Equal("confirmed", await SignUp(phones[0], shift));
        Assert.Equal("confirmed", await SignUp(phones[1], shift));
        Assert.Equal("waitlisted", await SignUp(phones[2], shift));
        Assert.DoesNotContain((await phones[2].Get("/activities?openFor=me")).Items, a => (string)a!["id"]! == activity);
        var waiting = await Host.Event(feed);
        Assert.Equal(("TENTATIVE", "Asia/Shanghai"), (waiting.Status, waiting.Tzid));
        var substitute = await o.Volunteer(team);
        (await admin.Patch($"/shifts/{shift}", new { capacity = 3 })).ShouldBe(200);
        await o.SignUp(shift, substitute);
        var confirmed = await Host.Event(feed);
        Assert.Equal((waiting.Uid, "CONFIRMED", start), (confirmed.Uid, confirmed.Status, confirmed.Start));
        Assert.True(confirmed.Sequence > waiting.Sequence);
        (await phones[1].Delete($"/shifts/{shift}/sign-ups/{people[1]}")).ShouldBe(204);
        Assert.Equal("confirmed", (string?)(await admin.Get($"/shifts/{shift}/sign-ups/{substitute}"))["status"]);
        (await admin.Patch($"/shifts/{shift}", new { capacity = 4 })).ShouldBe(200);
        var (forgetful, missing) = (substitute, await o.Volunteer(team));
        Assert.Equal("confirmed", await o.SignUp(shift, missing));

        // The day: one by the code on the screen, one on the kiosk that is offline, one forgets to check out, one does not come.
        await Host.Later(start.AddMinutes(-5) - Clock.GetUtcNow());
        Assert.Equal("attended", (string?)(await phones[0].Post($"/shifts/{shift}/check-in", new { code = await Code(admin, shift) })).ShouldBe(200)["status"]);
        (await admin.Post($"/shifts/{shift}/check-in", new { volunteerId = forgetful })).ShouldBe(200);
        await Host.Later(start.AddMinutes(80).AddSeconds(30) - Clock.GetUtcNow());
        var hours = (await phones[0].Post($"/shifts/{shift}/check-out", new { code = await Code(admin, shift) })).ShouldBe(200);
        Assert.Equal(("submitted", "attendance"), ((string?)hours["serviceRecord"]!["status"], (string?)hours["serviceRecord"]!["evidence"]));
        await Host.Later(TimeSpan.FromMinutes(20));
        // The kiosk's clock is seven minutes fast; it sends what it noted, and sends it again.
        var fast = TimeSpan.FromMinutes(7);
        var batch = new
        {
            sentAt = Clock.GetUtcNow() + fast,
            events = new object[]
            {
                new { clientEventId = Guid.NewGuid(), volunteerId = people[2], shiftId = shift, kind = "checkOut", occurredAt = start.AddMinutes(90) + fast, kiosk = true },
                new { clientEventId = Guid.NewGuid(), volunteerId = people[2], shiftId = shift, kind = "checkIn", occurredAt = start + fast, kiosk = true },
            },
        };
        Assert.All((await admin.Post("/attendance/batch", batch)).ShouldBe(200).Items, item => Assert.Equal("recorded", (string?)item!["result"]));
        Assert.All((await admin.Post("/attendance/batch", batch)).ShouldBe(200).Items, item => Assert.Equal("repeated", (string?)item!["result"]));

        await Host.Later(TimeSpan.FromHours(3));
        await Host.Services.GetServices<IHostedService>().OfType<ShiftSettlement>().Single().SettleDue(TestContext.Current.CancellationToken);

        // What is left for the coordinator, and what the report says when it is done.
        var exceptions = (await admin.Get($"/attendance/exceptions?from={friday:O}&to={friday:O}")).ShouldBe(200).Items;
        Assert.Equal([(forgetful, "attended", true), (missing, "noShow", false)],
            exceptions.Select(e => ((string)e!["volunteerId"]!, (string)e["status"]!, (bool)e["forgottenCheckOut"]!)).OrderBy(e => e.Item2));
        var submitted = (await admin.Get("/service-records?status=submitted")).Items;
        Assert.Equal([null, null, "forgottenCheckOut"], submitted.Select(r => (string?)r!["flag"]).Order());
        (await admin.Post("/service-records/approvals", new { recordIds = submitted.Select(r => (string)r!["id"]!) })).ShouldBe(200);
        var report = (await admin.Get($"/reports/hours?from={friday:O}&to={friday:O}&groupBy=evidence,volunteer")).ShouldBe(200);
        Assert.All(report["rows"]!.AsArray(), row => Assert.Equal("attendance", (string?)row!["evidence"]));
        Assert.Equal([85, 90, 90], report["rows"]!.AsArray().Select(row => (int)row!["minutes"]!).Order());
        Assert.Equal((3, 3, 265), ((int)report["total"]!["persons"]!, (int)report["total"]!["personTimes"]!, (int)report["total"]!["minutes"]!));
        Assert.True((bool)(await admin.Get("/ledger/verification"))["valid"]!);
        Assert.Equal(90, (int)(await new Api(phones[2].Http, "").Get("/v1/me/hours")).ShouldBe(200)["netMinutes"]!);
        Assert.Equal("CONFIRMED", (await Host.Event(feed)).Status);

        // The other Friday goes with the series; the team's calendar keeps it as called off.
        var teamFeed = await phones[0].Feed("team", team);
        var ended = (await admin.Delete($"/series/{series.Id}")).ShouldBe(200);
        Assert.Equal(1, (int)ended["removed"]!);
        Assert.Equal(["CONFIRMED", "CANCELLED"], (await Host.Calendar(teamFeed)).Events.OrderBy(e => e.Start).Select(e => e.Status));
    }

    private static async Task<string?> SignUp(Api phone, string shift) => (string?)(await phone.Post($"/shifts/{shift}/sign-ups", new { })).ShouldBe(201)["status"];

    private static async Task<string> Code(Api admin, string shift) => (string)(await admin.Get($"/shifts/{shift}/check-in-code")).ShouldBe(200)["code"]!;
}
