using System.Text;
using System.Threading.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Those who wait for the same shift are taken along by the first whose turn comes. Nobody but the database can tell.</summary>
public sealed class SharedTransactionTests(TestDatabases databases) : AttendanceTest(databases)
{
    /// <summary>So many are at a shift at once; whoever comes then waits.</summary>
    private const int AtATime = 4;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sign_ups_that_wait_for_one_shift_are_one_transaction_and_each_has_its_answer_its_trace_and_its_key()
    {
        var shift = await O.Shift(Event, capacity: 3, startsAt: Start, endsAt: End);
        var people = await SignedInAs(5);

        var answers = await Waiting(shift, [.. people.Select(self => (Func<Task<Answer>>)(() => self.Api.Post($"/shifts/{shift}/sign-ups", new { }, ("Idempotency-Key", "mine"))))]);

        Assert.Equal(["confirmed", "confirmed", "confirmed", "waitlisted", "waitlisted"], answers.Select(answer => Text(answer.ShouldBe(201), "status")));
        Assert.Equal([1, 2], answers[3..].Select(answer => Number(answer, "waitingPosition")));
        Assert.Equal(people.Select(self => self.Id), answers.Select(answer => Text(answer, "volunteerId")));
        Assert.All(answers, answer => Assert.EndsWith($"/shifts/{shift}/sign-ups/{answer["volunteerId"]}", answer.Header("Location"), StringComparison.Ordinal));
        Assert.Equal((1, 5), await Transactions("sign_ups", people));
        Assert.Equal(people.Select(self => self.Id), await Ask(
            $"select array_agg(volunteer_id::text order by arrival) from sign_ups where shift_id = '{shift}'", row => row.GetFieldValue<string[]>(0)));
        Assert.Equal((5, 5, 5), await Ask(
            $"""
             select count(*)::int, count(distinct e.actor_id)::int, count(distinct e.trace_id)::int from audit_events e
             join sign_ups s on e.volunteers = array[s.volunteer_id] and e.actor_id = s.signed_up_by and e.resource_id = s.volunteer_id::text
             where e.operation = 'signUpForShift' and s.volunteer_id = any ('{Ids(people)}') and e.details::text like '%confirmed%' = (s.status = 'confirmed')
             """, row => (row.GetInt32(0), row.GetInt32(1), row.GetInt32(2))));

        // Sent again, together again.
        var repeated = await Waiting(shift, [.. people.Select(self => (Func<Task<Answer>>)(() => self.Api.Post($"/shifts/{shift}/sign-ups", new { }, ("Idempotency-Key", "mine"))))]);
        foreach (var (again, first) in repeated.Zip(answers))
        {
            again.ShouldBe(201);
            Assert.Equal((first.Text, first.Header("Location"), "true"), (again.Text, again.Header("Location"), again.Header("Idempotency-Replayed")));
        }
    }

    [Fact]
    public async Task Who_is_refused_among_them_is_refused_alone_and_keeps_the_key()
    {
        var people = await SignedInAs(3);
        var (stranger, strangers) = (await O.Volunteer(), await O.Team());
        await O.Member(strangers, stranger);
        var outsider = await O.SignedInAs(stranger);

        var answers = await Waiting(Shift,
            () => people[0].Api.Post($"/shifts/{Shift}/sign-ups", new { }),
            () => outsider.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "outside")),
            () => people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { volunteerId = people[2].Id }),
            () => people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { }));

        answers[0].ShouldBe(201);
        answers[1].ShouldRefuse(409, "not_a_member");
        answers[2].ShouldRefuse(403, "only_own_sign_up");
        answers[3].ShouldBe(201);
        Assert.Equal((1, 2), await Transactions("sign_ups", people));
        await O.Member(Team, stranger);
        (await outsider.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "outside"))).ShouldBe(201);
    }

    [Fact]
    public async Task Whoever_sends_the_same_twice_while_waiting_is_answered_the_same_twice()
    {
        var people = await SignedInAs(2);
        Func<Task<Answer>> ask = () => people[0].Api.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "twice"));

        var answers = await Waiting(Shift, ask, () => people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "twice")), ask);

        Assert.All(answers, answer => answer.ShouldBe(201));
        Assert.Equal(answers[0].Text, answers[2].Text);
        Assert.Equal((null, null, "true"), (answers[0].Header("Idempotency-Replayed"), answers[1].Header("Idempotency-Replayed"), answers[2].Header("Idempotency-Replayed")));
    }

    [Fact]
    public async Task Whoever_sees_something_else_than_the_first_is_not_taken_along()
    {
        var people = await SignedInAs(2);
        var coordinator = await O.CoordinatorWhoIs(await O.Volunteer(Team), Team);
        var friend = await O.Volunteer(Team);

        var answers = await Waiting(Shift,
            () => people[0].Api.Post($"/shifts/{Shift}/sign-ups", new { }),
            () => coordinator.Post($"/shifts/{Shift}/sign-ups", new { volunteerId = friend }),
            () => people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { }));

        Assert.All(answers, answer => answer.ShouldBe(201));
        Assert.Equal((3, 3), await Transactions("sign_ups", [.. people, (friend, coordinator)]));
    }

    [Fact]
    public async Task Who_goes_away_after_being_taken_along_does_not_undo_the_others()
    {
        var people = await SignedInAs(3);
        using var gone = new CancellationTokenSource();
        await using var held = await Held(Shift);
        var first = people[0].Api.Post($"/shifts/{Shift}/sign-ups", new { });
        await UntilQueued(Shift, 1);
        var leaving = SignUp(people[1].Api, gone.Token);
        await UntilQueued(Shift, 2);
        var last = people[2].Api.Post($"/shifts/{Shift}/sign-ups", new { });
        await UntilQueued(Shift, 3);
        await using var person = await Hold($"select from volunteers where id = '{people[0].Id}' for update");
        await held.DisposeAsync();
        while (await WaitForLocks("volunteers") != 1) await Task.Delay(10, Ct);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        await person.DisposeAsync();

        (await first).ShouldBe(201);
        (await last).ShouldBe(201);
        Assert.Equal((1, 3), await Transactions("sign_ups", people));
    }

    [Fact]
    public async Task Who_was_taken_along_is_answered_although_their_own_turn_does_not_come()
    {
        var people = await SignedInAs(2);
        await using var held = await Held(Shift);
        await using var activity = await Hold($"select from activities where id = '{Event}' for update");
        var first = people[0].Api.Post($"/shifts/{Shift}/sign-ups", new { });
        await UntilQueued(Shift, 1);
        var between = Enumerable.Range(0, AtATime).Select(_ => In(people[0].Id)).ToArray();
        await UntilQueued(Shift, 1 + AtATime);
        var last = people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { });
        await UntilQueued(Shift, 2 + AtATime);

        await held.DisposeAsync();

        (await first).ShouldBe(201);
        (await last).ShouldBe(201);
        Assert.All(between, leaving => Assert.False(leaving.IsCompleted));
        Assert.Equal((1, 2), await Transactions("sign_ups", people));
        await activity.DisposeAsync();
        Assert.All(await Task.WhenAll(between), answer => answer.ShouldRefuse(409, "too_early"));
    }

    [Fact]
    public async Task When_one_makes_the_transaction_fail_the_others_are_there_all_the_same()
    {
        var people = await SignedInAs(3);
        await Tamper(
            $"""
             create function stumble() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '40P01'; end $$;
             create trigger stumble before insert on sign_ups for each row when (new.volunteer_id = '{people[1].Id}') execute function stumble();
             """);

        var answers = await Waiting(Shift, [.. people.Select(self => (Func<Task<Answer>>)(() => self.Api.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "mine"))))]);

        answers[1].ShouldRefuse(503, "busy");
        Assert.Equal([201, 503, 201], answers.Select(answer => answer.Status));
        Assert.Null(answers[1].Header("Location"));
        Assert.Equal((2, 2), await Transactions("sign_ups", people));
        Assert.Equal(2, await Count($"select count(*) from audit_events where operation = 'signUpForShift' and volunteers && '{Ids(people)}'"));
        await Tamper("drop trigger stumble on sign_ups");
        (await people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "mine"))).ShouldBe(201);
    }

    [Fact]
    public async Task When_the_commit_is_refused_because_of_one_the_others_are_there_all_the_same()
    {
        var people = await SignedInAs(3);
        await Tamper(
            $"""
             create function stumble() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '40P01'; end $$;
             create constraint trigger stumble after insert on sign_ups deferrable initially deferred for each row
             when (new.volunteer_id = '{people[1].Id}') execute function stumble();
             """);

        var answers = await Waiting(Shift, [.. people.Select(self => (Func<Task<Answer>>)(() => self.Api.Post($"/shifts/{Shift}/sign-ups", new { })))]);

        Assert.Equal([201, 503, 201], answers.Select(answer => answer.Status));
        Assert.Equal((2, 2), await Transactions("sign_ups", people));
    }

    [Fact]
    public async Task When_nobody_knows_whether_the_commit_stands_nothing_is_done_again()
    {
        var people = await SignedInAs(3);
        await Tamper(
            $"""
             create function die() returns trigger language plpgsql security definer as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
             create constraint trigger die after insert on sign_ups deferrable initially deferred for each row
             when (new.volunteer_id = '{people[1].Id}') execute function die();
             """);

        var answers = await Waiting(Shift, [.. people.Select(self => (Func<Task<Answer>>)(() => self.Api.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "mine"))))]);

        Assert.All(answers, answer => answer.ShouldRefuse(503, answer.Code!));
        Assert.Equal((0, 0), await Transactions("sign_ups", people));
        await Tamper("drop trigger die on sign_ups");
        foreach (var (_, api) in people) (await api.Post($"/shifts/{Shift}/sign-ups", new { }, ("Idempotency-Key", "mine"))).ShouldBe(201);
    }

    [Fact]
    public async Task Who_goes_away_while_waiting_is_not_taken_along()
    {
        var people = await SignedInAs(2);
        using var gone = new CancellationTokenSource();
        await using var held = await Held(Shift);
        var leaving = SignUp(people[0].Api, gone.Token);
        await UntilQueued(Shift, 1);
        var staying = people[1].Api.Post($"/shifts/{Shift}/sign-ups", new { });
        await UntilQueued(Shift, 2);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        await UntilQueued(Shift, 1);
        await held.DisposeAsync();

        (await staying).ShouldBe(201);
        Assert.Equal((1, 1), await Transactions("sign_ups", people));
    }

    [Fact]
    public async Task Check_outs_of_an_organization_that_wait_are_booked_at_once_and_each_is_posted_by_who_came()
    {
        await Settings(new { attendanceConfirmedBy = "automatic" });
        var people = await SignedInAs(5);
        var shifts = new[] { Shift, Shift, Shift, await O.Shift(Event, startsAt: Start, endsAt: End), await O.Shift(Event, startsAt: Start, endsAt: End) };
        foreach (var (self, shift) in people.Zip(shifts)) await O.SignUp(shift, self.Id);
        await Minute(1);
        var entered = await Waiting(Shift, [.. people[..3].Select(self => (Func<Task<Answer>>)(() => OwnIn(self.Api)))]);
        Assert.All(entered, answer => Assert.Equal("attended", Text(answer.ShouldBe(200), "status")));
        Assert.Equal((1, 3), await Transactions("attendance_events", people));
        foreach (var (self, shift) in people.Zip(shifts).Skip(3)) (await OwnIn(self.Api, shift)).ShouldBe(200);
        await Minute(61.5);

        // The last of them taps twice; one asks for a shift that is not there.
        var asks = people.Zip(shifts).Append((people[4], shifts[4])).Select(one => (Func<Task<Answer>>)(() => OwnOut(one.Item1.Api, one.Item2)))
            .Append(() => people[0].Api.Post($"/shifts/{Guid.NewGuid()}/check-out", new { code = "00000000" })).ToArray();
        var left = await Waiting(Shift, row: $"ledger/{O.Id}", asks);

        left[6].ShouldBe(404);
        Assert.All(left[..6], answer => Assert.Equal((60, "approved"), ((int)answer.ShouldBe(200)["serviceRecord"]!["minutes"]!, (string)answer["serviceRecord"]!["status"]!)));
        Assert.Equal(people.Zip(shifts).Select(one => (one.First.Id, one.Second)), left[..5].Select(answer => (Text(answer, "volunteerId")!, Text(answer, "shiftId")!)));
        Assert.Equal((1, 5), await Transactions("hour_postings", people, "and cause = 'approved'"));
        Assert.Equal(6, await Count($"select count(*) from attendance_events where kind = 'check_out' and volunteer_id = any ('{Ids(people)}')"));
        Assert.Equal(5, await Count(
            $"""
             select count(*) from hour_postings p join attendance_events e on e.volunteer_id = p.volunteer_id and e.kind = 'check_in' and e.recorded_by = p.posted_by
             where p.cause = 'approved' and p.volunteer_id = any ('{Ids(people)}')
             """));
        Assert.Equal((5, 300L), await Ask($"select count(*)::int, sum(minutes) from hour_totals where volunteer_id = any ('{Ids(people)}')", row => (row.GetInt32(0), row.GetInt64(1))));
        Assert.Equal(5, await Count($"select count(distinct actor_id) from audit_events where operation = 'checkOut' and volunteers && '{Ids(people)}'"));
        Assert.Equal(3, await Count($"select count(distinct resource_id) from audit_events where operation = 'checkOut' and volunteers && '{Ids(people)}'"));
        Assert.Equal(await Count("select max(position) from hour_postings"), await VerifiedPosition());
    }

    /// <summary>These are sent one after the other while the shift is somebody else's, and wait for their turn together.</summary>
    private Task<Answer[]> Waiting(string shift, params Func<Task<Answer>>[] asks) => Waiting(shift, row: shift, asks);

    private async Task<Answer[]> Waiting(string shift, string row, Func<Task<Answer>>[] asks)
    {
        var answers = new List<Task<Answer>>();
        await using var held = await Held(shift, row);
        foreach (var ask in asks)
        {
            answers.Add(ask());
            await UntilQueued(row, answers.Count);
        }
        await held.DisposeAsync();
        return await Task.WhenAll(answers);
    }

    /// <summary>The shift is locked by somebody else, and as many as are let in wait for that; who are in no team, so that they take no place.</summary>
    private async Task<NpgsqlConnection> Held(string shift, string? row = null)
    {
        var before = await O.Volunteers(AtATime);
        var connection = await Hold($"select from shifts where id = '{shift}' for update");
        foreach (var (index, volunteer) in before.Index())
        {
            // One after the other: who comes while another has just been let in is taken along.
            _ = row is null || row == shift ? Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = volunteer }) : Out(volunteer, shift);
            while (await WaitForLocks("shifts") <= index) await Task.Delay(10, Ct);
        }
        return connection;
    }

    /// <summary>A lock of somebody else's, held until it is disposed of.</summary>
    private async Task<NpgsqlConnection> Hold(string sql)
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand("begin; " + sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
        return connection;
    }

    private async Task SignUp(Api self, CancellationToken gone)
    {
        using var body = new StringContent("{}", Encoding.UTF8, "application/json");
        await self.Http.PostAsync(new Uri($"{O.Path}/shifts/{Shift}/sign-ups", UriKind.Relative), body, gone);
    }

    private async Task UntilQueued(string row, int howMany)
    {
        var turns = Host.Services.GetRequiredService<PartitionedRateLimiter<string>>();
        while (turns.GetStatistics(row)!.CurrentQueuedCount != howMany) await Task.Delay(10, Ct);
    }

    private async Task<(string Id, Api Api)[]> SignedInAs(int howMany)
    {
        var people = new List<(string, Api)>();
        foreach (var id in await O.Volunteers(howMany, Team)) people.Add((id, await O.SignedInAs(id)));
        return [.. people];
    }

    /// <summary>By how many transactions the rows of these people were written, and how many rows that is.</summary>
    private Task<(int Transactions, int Rows)> Transactions(string table, (string Id, Api)[] people, string and = "") => Ask(
        $"select count(distinct xmin::text)::int, count(*)::int from {table} where volunteer_id = any ('{Ids(people)}') {and}", row => (row.GetInt32(0), row.GetInt32(1)));

    private static string Ids((string Id, Api)[] people) => $"{{{string.Join(',', people.Select(self => self.Id))}}}";
}
