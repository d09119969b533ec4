using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Many at the same moment: whatever the order, an hour is credited once.</summary>
public sealed class HourRaceTests(TestDatabases databases) : HoursTest(databases)
{
    private const int Many = 200;

    [Fact]
    public async Task Of_two_hundred_overlapping_entries_for_one_volunteer_exactly_one_counts()
    {
        var volunteer = await O.Volunteer(Team);
        var start = DateTimeOffset.Parse(At("08:00"), null);

        var answers = await AtOnce(Many, i => Record(Admin, volunteer, start.AddMinutes(i).ToString("O"), start.AddMinutes(i + 240).ToString("O")));

        Assert.Equal(1, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "overlapping_service"));
        Assert.Equal((240, 1), await Credited());
        Assert.Equal(1, await VerifiedPosition());
    }

    [Fact]
    public async Task Of_two_hundred_approvals_of_one_record_exactly_one_posts()
    {
        var submitted = (await Submitted(1))[0];

        var answers = await AtOnce(Many, _ => Do(Admin, "approve", submitted));

        Assert.Equal(1, answers.Count(answer => answer.Status == 200));
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "already_reviewed"));
        Assert.Equal((3, 1), await Credited());
        Assert.Equal(1, await VerifiedPosition());
    }

    [Fact]
    public async Task Two_hundred_approvals_of_different_records_take_two_hundred_positions()
    {
        var submitted = await Submitted(Many);

        var answers = await AtOnce(Many, i => Do(Admin, "approve", submitted[i]));

        Assert.All(answers, answer => answer.ShouldBe(200));
        Assert.Equal((3 * Many, Many), await Credited());
        Assert.Equal(Many, await VerifiedPosition());
    }

    [Fact]
    public async Task Approvals_one_by_one_and_in_bulk_meet_without_posting_twice()
    {
        var submitted = await Submitted(40);

        var answers = await AtOnce(60, i => i < 40
            ? Do(Admin, "approve", submitted[i])
            : Admin.Post("/service-records/approvals", new { recordIds = submitted.Skip((i - 40) * 2).Take(4).Reverse() }));

        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 409, answer.Text));
        Assert.Equal((120, 40), await Credited());
        Assert.Equal(40, await VerifiedPosition());
    }

    [Fact]
    public async Task Simultaneous_entries_do_not_pass_the_daily_limit_together()
    {
        var o = await Given.AnotherOrganization(settings: new { dailyLimitMinutes = 120 });
        var team = await o.Team();
        var (volunteer, activity) = (await o.Volunteer(team), await o.Activity(team));

        var answers = await AtOnce(20, i => Record(o.Admin, volunteer, At($"{i:00}:00"), At($"{i + 1:00}:00"), activity: activity));

        Assert.Equal(2, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "daily_limit"));
    }

    [Fact]
    public async Task Service_and_the_cancellation_of_its_activity_never_both_succeed()
    {
        for (var round = 1; round <= 10; round++)
        {
            var (volunteer, activity) = (await O.Volunteer(Team), await O.Activity(Team));

            var answers = await AtOnce(5, i => i == 2
                ? Admin.Post($"/activities/{activity}/cancel", new { reason = "Rain." })
                : Record(Admin, volunteer, At($"0{i}:00"), At($"0{i}:30"), activity: activity));

            if (answers[2].Status == 200)
                Assert.All(answers.Where((_, i) => i != 2), answer => answer.ShouldRefuse(409, "activity_cancelled"));
            else
                answers[2].ShouldRefuse(409, "activity_has_service");
        }
        await VerifiedPosition();
    }

    [Fact]
    public async Task Whatever_reviews_meet_on_one_record_its_postings_add_up()
    {
        var records = await Submitted(12);

        var answers = await AtOnce(48, i => (i % 4) switch
        {
            0 => Do(Admin, "approve", records[i / 4]),
            1 => Do(Admin, "reject", records[i / 4]),
            2 => Do(Admin, "correct", records[i / 4], new { reason = "Less.", minutes = 1 }),
            _ => Do(Admin, "void", records[i / 4]),
        });

        Assert.All(answers, answer => Assert.True(answer.Status == 200 || answer.Code is "already_reviewed" or "not_approved", answer.Text));
        Assert.All(answers.Chunk(4), reviews => Assert.Equal(1, reviews.Take(2).Count(answer => answer.Status == 200)));
        await VerifiedPosition();
    }

    [Fact]
    public async Task Corrections_towards_each_other_never_overlap()
    {
        var volunteer = await O.Volunteer(Team);
        var early = await O.Record(Activity, volunteer, At("08:00"), At("09:00"));
        var late = await O.Record(Activity, volunteer, At("10:00"), At("11:00"));

        var answers = await AtOnce(2, i => i == 0
            ? Do(Admin, "correct", early, new { reason = "Longer.", endsAt = At("09:45") })
            : Do(Admin, "correct", late, new { reason = "Earlier.", startsAt = At("09:15") }));

        Assert.Equal([200, 409], answers.Select(answer => answer.Status).Order());
        Assert.Equal("overlapping_service", answers.Single(answer => answer.Status == 409).Code);
        await VerifiedPosition();
    }

    [Fact]
    public async Task The_last_person_time_is_claimed_once()
    {
        var headcount = (await Headcount(Admin, 1, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var volunteers = await O.Volunteers(8, Team);

        var answers = await AtOnce(8, i => Do(Admin, "claims", headcount, new { volunteerId = volunteers[i] }));

        Assert.Equal(1, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "claims_do_not_fit"));
        Assert.Equal((120, 1), await Credited());
        Assert.Equal(3, await VerifiedPosition());
    }

    [Fact]
    public async Task One_volunteer_claims_from_two_headcounts_of_the_same_time_once()
    {
        var volunteer = await O.Volunteer(Team);
        var headcounts = new[] { (await Headcount(Admin, 5, At("08:00"), At("10:00"))).Id, (await Headcount(Admin, 5, At("09:00"), At("11:00"))).Id };

        var answers = await AtOnce(2, i => Do(Admin, "claims", headcounts[i], new { volunteerId = volunteer }));

        Assert.Equal([201, 409], answers.Select(answer => answer.Status).Order());
        Assert.Equal("overlapping_service", answers.Single(answer => answer.Status == 409).Code);
        await VerifiedPosition();
    }

    private static Task<Answer[]> AtOnce(int howMany, Func<int, Task<Answer>> act) =>
        Task.WhenAll(Enumerable.Range(0, howMany).Select(i => Task.Run(() => act(i))));

    /// <summary>Records of three minutes each, one after the other, of one volunteer.</summary>
    private async Task<string[]> Submitted(int howMany)
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.CoordinatorWhoIs(volunteer);
        var start = DateTimeOffset.Parse(At("08:00"), null);
        var items = Enumerable.Range(0, howMany).Select(i => Service(volunteer, start.AddMinutes(3 * i).ToString("O"), start.AddMinutes((3 * i) + 3).ToString("O")));
        return [.. (await self.Post("/service-records/batch", new { items })).ShouldBe(200).Items.Select(item => (string)item!["id"]!)];
    }
}
