using System.Globalization;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Recognition;

/// <summary>An organization whose clock stands at noon, so that no test runs over the end of a day.</summary>
public abstract class RecognitionTest(TestDatabases databases) : HoursTest(databases)
{
    private int days;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        var local = Clock.GetUtcNow().AddHours(8);
        await Host.Later(TimeSpan.FromHours(36) - local.TimeOfDay);
    }

    /// <summary>The organization's day.</summary>
    protected DateOnly Today => DateOnly.FromDateTime(Clock.GetUtcNow().AddHours(8).DateTime);

    protected Task NextDay(int days = 1) => Host.Later(TimeSpan.FromDays(days));

    protected static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Service of these minutes on a day of its own, approved and booked now; at most twelve hours.</summary>
    protected Task<string> Give(string volunteer, int minutes)
    {
        var start = new DateTimeOffset(2025, 1, 1, 8, 0, 0, TimeSpan.FromHours(8)).AddDays(Interlocked.Increment(ref days));
        return O.Record(Activity, volunteer, start.ToString("O"), start.AddMinutes(minutes).ToString("O"));
    }

    /// <summary>A rule from today on: hours of one, two … stars.</summary>
    protected async Task<Answer> Rule(params int[] hours) => (await Admin.Post("/star-rules", new { levels = Levels(hours) })).ShouldBe(201);

    /// <summary>The same, with one public day before an award is confirmed.</summary>
    protected async Task OnePublicDay(params int[] hours) =>
        (await Admin.Post("/star-rules", new { levels = Levels(hours is [] ? [1] : hours), publicityDays = 1 })).ShouldBe(201);

    protected static object[] Levels(params int[] hours) => [.. hours.Index().Select(each => new { level = each.Index + 1, hours = each.Item })];

    protected async Task<Answer> Stars(string query = "", Api? by = null) => (await (by ?? Admin).Get("/stars" + query)).ShouldBe(200);

    /// <summary>Levels and the days on which they were reached, by volunteer.</summary>
    protected static Dictionary<string, (int Level, string? ReachedOn)> Reached(Answer stars) =>
        stars.Items.ToDictionary(item => (string)item!["volunteerId"]!, item => ((int)item!["level"]!, (string?)item["reachedOn"]));

    /// <summary>Somebody who has one star by a rule of one hour.</summary>
    protected async Task<string> OneStar()
    {
        var volunteer = await O.Volunteer(Team);
        await Give(volunteer, 60);
        return volunteer;
    }

    protected async Task<string> Proposed(string volunteer, int? level = null) =>
        (await Admin.Post("/awards", new { volunteerId = volunteer, name = "星级志愿者", level })).ShouldBe(201).Id;

    protected static Task<Answer> Step(Api by, string award, string step, object? body = null) => by.Post($"/awards/{award}/{step}", body);
}
