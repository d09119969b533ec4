using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>What a calendar application finds in a feed, read by ical.js and not by the library that wrote it.</summary>
public sealed class CalendarTests(TestDatabases databases) : HoursTest(databases)
{
    private DateTimeOffset Start => new(Clock.GetUtcNow().Date.AddDays(2), TimeSpan.Zero);

    [Fact]
    public async Task A_sign_up_keeps_its_UID_and_its_SEQUENCE_grows_from_step_to_step()
    {
        var activity = await O.UpcomingActivity(Team);
        var shift = await O.Shift(activity, capacity: 1);
        var people = await O.Volunteers(2, inTeam: Team);
        var volunteer = await O.SignedInAs(people[1]);
        var feed = await volunteer.Feed("own");
        Assert.Empty((await Host.Calendar(feed)).Events);
        var steps = new List<CalendarEvent>();
        async Task Step(Task<Answer> change)
        {
            Assert.InRange((await change).Status, 200, 204);
            steps.Add(await Host.Event(feed));
        }

        await O.SignUp(shift, people[0]);
        await Step(volunteer.Post($"/shifts/{shift}/sign-ups", new { }));                                    // waits
        await Step(Admin.Delete($"/shifts/{shift}/sign-ups/{people[0]}"));                                   // moves up
        await Step(Admin.Patch($"/shifts/{shift}", new { name = "路口东" }));
        await Step(Admin.Patch($"/activities/{activity}", new { location = new { name = "下沙广场" } }));
        await Step(volunteer.Delete($"/shifts/{shift}/sign-ups/{people[1]}"));
        await Step(Admin.Patch($"/shifts/{shift}", new { startsAt = Start.AddHours(1) }));                   // free to move now
        await Step(volunteer.Post($"/shifts/{shift}/sign-ups", new { }));
        await Step(Admin.Post($"/activities/{activity}/cancel", new { reason = "台风" }));

        Assert.Equal(["TENTATIVE", "CONFIRMED", "CONFIRMED", "CONFIRMED", "CANCELLED", "CANCELLED", "CONFIRMED", "CANCELLED"], steps.Select(step => step.Status));
        Assert.Single(steps.Select(step => step.Uid).Distinct());
        Assert.Matches("^[0-9a-f-]{36}@volunteers$", steps[0].Uid);
        Assert.All(steps.Zip(steps.Skip(1)), pair => Assert.True(pair.Second.Sequence > pair.First.Sequence, $"{pair.First.Sequence} then {pair.Second.Sequence}"));
        Assert.All(steps[..5], step => Assert.Equal((Start, Start.AddHours(4)), (step.Start, step.End)));
        Assert.All(steps[5..], step => Assert.Equal((Start.AddHours(1), Start.AddHours(4)), (step.Start, step.End)));
        Assert.EndsWith(" · 路口东", steps[2].Summary, StringComparison.Ordinal);
        Assert.Equal("下沙广场", steps[3].Location);
        Assert.Equal("台风", steps[7].Description);
    }

    [Fact]
    public async Task Somebody_who_came_and_somebody_who_did_not_keep_their_entry()
    {
        var activity = await O.UpcomingActivity(Team, Clock.GetUtcNow().AddMinutes(5));
        var shift = await O.Shift(activity);
        var person = await O.Volunteer(inTeam: Team);
        var feed = await (await O.SignedInAs(person)).Feed("own");
        await O.SignUp(shift, person);
        var before = await Host.Event(feed);

        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            (await db.SignUps.SingleAsync(TestContext.Current.CancellationToken)).Miss();
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        });
        var missed = await Host.Event(feed);
        (await Admin.Post($"/shifts/{shift}/check-in", new { volunteerId = person })).ShouldBe(200);
        var came = await Host.Event(feed);

        Assert.Equal(("CONFIRMED", before.Uid, true), (missed.Status, missed.Uid, missed.Sequence > before.Sequence));
        Assert.Equal(("CONFIRMED", before.Uid, true), (came.Status, came.Uid, came.Sequence > missed.Sequence));
    }

    [Fact]
    public async Task A_feed_is_never_longer_than_two_thousand_entries_and_keeps_the_latest()
    {
        var feed = await Admin.Feed("organization");
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            foreach (var day in Enumerable.Range(0, 2003))
            {
                var plan = new ActivityPlan($"Day {day}", Guid.Parse(Team), null, "a", null, null, Start.AddDays(day), Start.AddDays(day).AddHours(1), null);
                var activity = new Activity(Guid.Parse(O.Id), plan, Clock.GetUtcNow());
                activity.Publish();
                db.Add(activity);
            }
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        });

        var events = (await Host.Calendar(feed)).Events;

        Assert.Equal(2000, events.Length);
        Assert.Equal((Start.AddDays(3), Start.AddDays(2002)), (events.Min(e => e.Start), events.Max(e => e.Start)));
    }

    [Fact]
    public async Task The_own_feed_goes_ninety_days_back_and_all_the_way_ahead()
    {
        var person = await O.Volunteer(inTeam: Team);
        var feed = await (await O.SignedInAs(person)).Feed("own");
        var now = Clock.GetUtcNow();
        foreach (var day in new[] { 2, 10, 1500 })
        {
            var start = now.AddDays(day);
            await O.SignUp(await O.Shift(await O.UpcomingActivity(Team, start)), person);
        }
        Assert.Equal(3, (await Host.Calendar(feed)).Events.Length);

        Clock.Advance(TimeSpan.FromDays(93));
        Assert.Equal(2, (await Host.Calendar(feed)).Events.Length);
        Clock.Advance(TimeSpan.FromDays(8));

        Assert.Single((await Host.Calendar(feed)).Events);
    }

    [Fact]
    public async Task An_activity_moved_or_called_off_shows_in_the_feeds_of_its_team_and_those_above()
    {
        var below = await O.Team(parentTeamId: Team);
        var other = await O.Team();
        var id = await O.UpcomingActivity(below);
        await O.UpcomingActivity(other);
        string[] feeds = [await Admin.Feed("team", below), await Admin.Feed("team", Team), await Admin.Feed("organization")];
        async Task<CalendarEvent[]> Seen() => await Task.WhenAll(feeds.Select(async feed =>
            Assert.Single((await Host.Calendar(feed)).Events, e => e.Uid == $"{id}@volunteers")));
        var found = await Task.WhenAll(feeds.Select(async feed => (await Host.Calendar(feed)).Events.Length));
        Assert.Equal([1, 2, 3], found);

        var planned = await Seen();
        (await Admin.Patch($"/activities/{id}", new { startsAt = Start.AddHours(1), endsAt = Start.AddHours(3) })).ShouldBe(200);
        var moved = await Seen();
        (await Admin.Post($"/activities/{id}/cancel", new { reason = "台风" })).ShouldBe(200);
        var cancelled = await Seen();

        Assert.All(planned, e => Assert.Equal(("CONFIRMED", Start), (e.Status, e.Start)));
        Assert.All(moved, e => Assert.Equal(("CONFIRMED", Start.AddHours(1), Start.AddHours(3)), (e.Status, e.Start, e.End)));
        Assert.All(cancelled, e => Assert.Equal("CANCELLED", e.Status));
        Assert.All(moved.Zip(planned), pair => Assert.True(pair.First.Sequence > pair.Second.Sequence));
        Assert.All(cancelled.Zip(moved), pair => Assert.True(pair.First.Sequence > pair.Second.Sequence));
    }

    [Fact]
    public async Task Nobody_is_told_of_a_draft_nor_that_a_draft_is_off()
    {
        var feed = await Admin.Feed("organization");
        (await Admin.Post($"/activities/{Activity}/complete", new { })).ShouldBe(200);
        object plan = new { title = "A", category = "a", teamId = Team, startsAt = Start, endsAt = Start.AddHours(1) };
        (await Admin.Post("/activities", plan)).ShouldBe(201);
        var draft = (await Admin.Post("/activities", plan)).ShouldBe(201).Id;
        (await Admin.Post($"/activities/{draft}/cancel", new { reason = "nobody knew" })).ShouldBe(200);

        var only = await Host.Event(feed);

        Assert.Equal(($"{Activity}@volunteers", "CONFIRMED"), (only.Uid, only.Status));
    }

    [Fact]
    public async Task A_feed_that_did_not_change_keeps_its_bytes_and_is_not_sent_again()
    {
        var person = await O.Volunteer(inTeam: Team);
        var shift = await O.Shift(await O.UpcomingActivity(Team));
        await O.SignUp(shift, person);
        foreach (var feed in new[] { await (await O.SignedInAs(person)).Feed("own"), await Admin.Feed("organization") })
        {
            var first = (await Host.Anonymous.Get(feed)).ShouldBe(200);
            Clock.Advance(TimeSpan.FromHours(1));
            var again = (await Host.Anonymous.Get(feed, ("Accept-Language", "zh-CN"))).ShouldBe(200);

            Assert.Equal("text/calendar; charset=utf-8", first.Header("Content-Type"));
            Assert.Equal("max-age=300, private", first.Header("Cache-Control"));
            Assert.Matches("^\"[A-Za-z0-9_-]{43}\"$", first.Header("ETag")!);
            Assert.Equal((first.Text, first.Header("ETag")), (again.Text, again.Header("ETag")));

            var unchanged = (await Host.Anonymous.Get(feed, ("If-None-Match", $"\"x\", W/{first.Header("ETag")}"))).ShouldBe(304);
            Assert.Equal(("", first.Header("ETag")), (unchanged.Text, unchanged.Header("ETag")));
        }
    }

    [Fact]
    public async Task A_change_gives_another_ETag_and_the_instant_of_the_change()
    {
        var feed = await Admin.Feed("organization");
        var tag = (await Host.Anonymous.Get(feed)).Header("ETag")!;
        var before = await Host.Event(feed);
        Clock.Advance(TimeSpan.FromHours(2));
        var admin = (await Host.SignInAsOperator()).At(O.Path);

        (await admin.Patch($"/activities/{Activity}", new { title = "Another" })).ShouldBe(200);

        var after = await Host.Event(feed);
        Assert.NotEqual(tag, (await Host.Anonymous.Get(feed, ("If-None-Match", tag))).ShouldBe(200).Header("ETag"));
        Assert.Equal((before.Dtstamp, after.Dtstamp), (before.LastModified, after.LastModified));
        Assert.NotEqual(before.Start, before.Dtstamp);
        Assert.True(after.Dtstamp >= before.Dtstamp.AddHours(2));
    }

    [Fact]
    public async Task The_file_says_what_it_is_and_how_often_to_read_it()
    {
        var name = $"队;,\\{Given.Unique("x")}";
        var team = (await Admin.Post("/teams", new { name })).ShouldBe(201).Id;
        await O.UpcomingActivity(team);
        var feed = await Admin.Feed("team", team);

        var text = (await Host.Anonymous.Get(feed)).Text;
        var read = await Host.Calendar(feed);

        Assert.Equal(["vevent", "vtimezone"], read.Components.Order());
        Assert.Equal("Asia/Shanghai", Assert.Single(read.Zones));
        Assert.Equal(("2.0", "PUBLISH"), (read.Properties["version"], read.Properties["method"]));
        Assert.NotEmpty(read.Properties["prodid"]);
        Assert.StartsWith(name, read.Properties["name"].Replace("\\;", ";", StringComparison.Ordinal).Replace("\\,", ",", StringComparison.Ordinal)
            .Replace("\\\\", "\\", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(read.Properties["name"], read.Properties["x-wr-calname"]);
        Assert.Contains("REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a, b; c: \"d\" \\ \\n \\N \\; END:VEVENT")]
    [InlineData("😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀")]
    [InlineData("x清洁行动，清洁行动；清洁行动：清洁行动。清洁行动，清洁行动；清洁行动：清洁行动。清洁行动，清洁行动；清洁行动：清洁行动。清洁行动，清洁行动；清洁行动：清洁行动。清洁行动，清洁行动。")]
    [InlineData(" begins and ends with a space ")]
    public async Task A_hostile_text_comes_through_whole_and_breaks_nothing(string title)
    {
        var description = $"{title}\nEND:VEVENT\nEND:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:evil\n{string.Concat(Enumerable.Repeat(title, 20))}";
        var made = (await Admin.Post("/activities", new
        {
            title, description = description.Replace("\n", "\r\n", StringComparison.Ordinal) + "\u0001\u007f", category = "a", teamId = Team, startsAt = Start,
            endsAt = Start.AddHours(1), location = new { name = title, latitude = 22.5229, longitude = -114.05 },
        })).ShouldBe(201).Id;
        (await Admin.Post($"/activities/{made}/publish")).ShouldBe(200);
        var feed = await Admin.Feed("organization");

        var text = (await Host.Anonymous.Get(feed)).Text;
        var read = Assert.Single((await Host.Calendar(feed)).Events, e => e.Uid == $"{made}@volunteers");

        Assert.Equal((title, title, description), (read.Summary, read.Location, read.Description));
        Assert.Equal([22.5229, -114.05], read.Geo!);
        var lines = text.Split("\r\n");
        Assert.All(lines, line => Assert.InRange(Encoding.UTF8.GetByteCount(line), 0, 75));
        Assert.All(lines, line => Assert.DoesNotContain(line, char.IsControl));
        Assert.All(lines, line => Assert.False(line.Length > 0 && (char.IsHighSurrogate(line[^1]) || char.IsLowSurrogate(line[0]))));
    }

    [Fact]
    public async Task Nobody_else_is_named_in_any_feed()
    {
        var responsible = (await Admin.Post("/volunteers", new { name = "负责人甲", phone = "13800138001" })).ShouldBe(201).Id;
        var other = (await Admin.Post("/volunteers", new { name = "队员乙", phone = "13800138002" })).ShouldBe(201).Id;
        var person = await O.Volunteer(inTeam: Team);
        await O.Member(Team, other);
        await O.Member(Team, responsible);
        var activity = await O.UpcomingActivity(Team);
        (await Admin.Patch($"/activities/{activity}", new { responsibleVolunteerId = responsible })).ShouldBe(200);
        var shift = await O.Shift(activity);
        await O.SignUp(shift, other);
        await O.SignUp(shift, person);
        var volunteer = await O.SignedInAs(person);

        foreach (var feed in new[] { await volunteer.Feed("own"), await volunteer.Feed("team", Team), await volunteer.Feed("organization") })
        {
            var text = (await Host.Anonymous.Get(feed)).ShouldBe(200).Text.Replace("\r\n ", "", StringComparison.Ordinal);
            Assert.Contains("BEGIN:VEVENT", text, StringComparison.Ordinal);
            foreach (var word in new[] { "负责人甲", "队员乙", "1380013", responsible, other, "ATTENDEE", "ORGANIZER" }) Assert.DoesNotContain(word, text, StringComparison.Ordinal);
        }
    }
}
