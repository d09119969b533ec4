using System.Globalization;
using System.Text;
using Npgsql;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>Many at the same moment: never a place too many, and nobody lost.</summary>
public sealed class SignUpRaceTests(TestDatabases databases) : HoursTest(databases)
{
    private string activity = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        activity = await O.UpcomingActivity(Team);
    }

    [Fact]
    public async Task Two_thousand_who_want_fifty_places_at_once_end_as_fifty_and_a_waiting_list_in_order_of_arrival()
    {
        const int many = 2000, places = 50;
        var shift = await O.Shift(activity, places);
        var people = await Roster(many);

        var answers = await Task.WhenAll(people.Select(person => Task.Run(() => UntilAnswered(() => Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = person })))));

        Assert.All(answers, answer => answer.ShouldBe(201));
        Assert.Equal(places, answers.Count(answer => Text(answer, "status") == "confirmed"));
        // Everybody was told another turn, and the turns are those of the list.
        var positions = answers.Where(answer => answer["waitingPosition"] is not null).ToDictionary(answer => Number(answer, "waitingPosition"), answer => Text(answer, "volunteerId")!);
        Assert.Equal(Enumerable.Range(1, many - places), positions.Keys.Order());
        Assert.Equal(positions.OrderBy(pair => pair.Key).Select(pair => pair.Value), await Waiting(shift));
        await ShouldAddUp(shift);
    }

    [Fact]
    public async Task Of_fifty_sign_ups_of_one_volunteer_exactly_one_counts()
    {
        var shift = await O.Shift(activity, capacity: 5);
        var volunteer = await O.Volunteer(Team);

        var answers = await AtOnce(50, _ => Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteer }));

        Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "already_signed_up"));
        await ShouldAddUp(shift);
    }

    [Fact]
    public async Task Of_two_overlapping_shifts_taken_at_once_one_is_refused()
    {
        var shifts = new[] { await O.Shift(activity), await O.Shift(await O.UpcomingActivity(Team)) };
        foreach (var volunteer in await O.Volunteers(10, Team))
        {
            var answers = await AtOnce(2, i => Admin.Post($"/shifts/{shifts[i]}/sign-ups", new { volunteerId = volunteer }));

            Assert.Single(answers, answer => answer.Status == 201);
            Assert.Single(answers, answer => answer.Code == "shift_clash");
        }
    }

    [Fact]
    public async Task Cancellations_against_sign_ups_leave_no_place_empty_while_somebody_waits()
    {
        var shift = await O.Shift(activity, capacity: 10);
        var people = await Roster(60);
        foreach (var person in people[..20]) await O.SignUp(shift, person);

        await AtOnce(60, i => i < 20
            ? UntilAnswered(() => Admin.Delete($"/shifts/{shift}/sign-ups/{people[i]}"))
            : UntilAnswered(() => Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[i] })));

        Assert.Equal((10, 30), await ShouldAddUp(shift));
    }

    [Fact]
    public async Task Who_signs_up_while_they_leave_has_no_place_in_the_end()
    {
        var shift = await O.Shift(activity, capacity: 3);
        foreach (var person in await O.Volunteers(8, Team))
        {
            await AtOnce(2, i => UntilAnswered(() => i == 0
                ? Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = person })
                : Admin.Send(HttpMethod.Patch, $"/volunteers/{person}", new { status = "left" }, ("If-Match", "*"))));
        }

        Assert.Equal((0, 0), await ShouldAddUp(shift));
    }

    [Fact]
    public async Task A_roster_by_which_somebody_leaves_waits_for_a_sign_up_without_holding_the_person()
    {
        var shift = await O.Shift(activity, capacity: 1);
        var person = await O.Volunteer(Team);
        await O.SignUp(shift, person);
        var number = (string)(await Admin.Get($"/volunteers/{person}"))["number"]!;
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var signingUp = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await Do($"select 1 from shifts where id = '{shift}' for no key update");

        var import = Admin.Post("/volunteers/import", new StringContent($"number,status\r\n{number},left\r\n", Encoding.UTF8, "text/csv"));
        while (await WaitForLocks() == 0) await Task.Delay(20, TestContext.Current.CancellationToken);

        // Refused at once if the import had the person before it has the shift.
        await Do($"select 1 from volunteers where id = '{person}' for no key update nowait");
        await signingUp.RollbackAsync(TestContext.Current.CancellationToken);
        (await import).ShouldBe(200);
        Assert.Equal((0, 0), await ShouldAddUp(shift));

        async Task Do(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, signingUp);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_shift_called_off_while_people_sign_up_has_nobody_in_the_end()
    {
        var shift = await O.Shift(activity, capacity: 5);
        var people = await Roster(40);

        var answers = await AtOnce(41, i => UntilAnswered(() => i == 20
            ? Admin.Post($"/activities/{activity}/cancel", new { reason = "Typhoon" })
            : Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = people[i % 40] })));

        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 201 || answer.Code is "activity_cancelled" or "already_signed_up", answer.Text));
        Assert.Equal((0, 0), await ShouldAddUp(shift));
    }

    private static Task<Answer[]> AtOnce(int howMany, Func<int, Task<Answer>> ask) => Task.WhenAll(Enumerable.Range(0, howMany).Select(i => Task.Run(() => ask(i))));

    /// <summary>As a client does that is told to come back: nothing was changed by what was not answered.</summary>
    private static async Task<Answer> UntilAnswered(Func<Task<Answer>> ask)
    {
        while (true)
        {
            var answer = await ask();
            if (answer.Status != 503) return answer;
            await Task.Delay(TimeSpan.FromSeconds(int.Parse(answer.Header("Retry-After")!, CultureInfo.InvariantCulture)), TestContext.Current.CancellationToken);
        }
    }

    private async Task<string[]> Roster(int howMany)
    {
        var team = (string)(await Admin.Get($"/teams/{Team}"))["name"]!;
        var csv = new StringBuilder("number,name,team\r\n");
        for (var i = 1; i <= howMany; i++) csv.Append(CultureInfo.InvariantCulture, $"R-{i:D5},Volunteer {i},{team}\r\n");
        (await Admin.Post("/volunteers/import", new StringContent(csv.ToString(), Encoding.UTF8, "text/csv"))).ShouldBe(200);
        return await Ask("select array_agg(id::text order by number) from volunteers where number like 'R-%'", row => row.GetFieldValue<string[]>(0));
    }

    private Task<string[]> Waiting(string shift) => Ask(
        $"select coalesce(array_agg(volunteer_id::text order by arrival), '{{}}') from sign_ups where shift_id = '{shift}' and status = 'waitlisted'", row => row.GetFieldValue<string[]>(0));

    /// <summary>The counts of the shift are those of its sign-ups, and no place is empty while somebody waits.</summary>
    private async Task<(int Taken, int Waiting)> ShouldAddUp(string shift)
    {
        var (taken, waiting, capacity, confirmed, waitlisted) = await Ask(
            $"""
             select taken, waiting, capacity,
                    (select count(*)::int from sign_ups u where u.shift_id = s.id and u.status = 'confirmed'),
                    (select count(*)::int from sign_ups u where u.shift_id = s.id and u.status = 'waitlisted')
             from shifts s where id = '{shift}'
             """, row => (row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), row.GetInt32(4)));
        Assert.Equal((taken, waiting), (confirmed, waitlisted));
        Assert.True(taken <= capacity && (taken == capacity || waiting == 0), $"{taken} of {capacity} taken, {waiting} waiting");
        return (taken, waiting);
    }
}
