using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Features.Privacy;
using Volunteers.Platform;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>What is of use for a while is kept for as long as the settings say, and forgotten then.</summary>
public sealed class RetentionTests(TestDatabases databases) : HoursTest(databases)
{
    protected override (string Name, string Value)[] Configuration =>
    [
        ("Retention:IdempotencyDays", "2"), ("Retention:InvitationDays", "10"), ("Retention:ApplicationDays", "20"), ("Retention:AttendanceDetailDays", "5"),
        ("Retention:ReconciliationDays", "7"), ("Retention:SignInDays", "4"),
    ];

    [Fact]
    public async Task Answers_are_kept_as_long_as_the_setting_says()
    {
        (await Admin.Post("/volunteers", new { name = "A" }, ("Idempotency-Key", "one"))).ShouldBe(201);

        await After(TimeSpan.FromDays(1.9));
        Assert.Equal(1, await Count("select count(*) from idempotency_keys"));
        await After(TimeSpan.FromDays(0.2));

        Assert.Equal(0, await Count("select count(*) from idempotency_keys"));
    }

    [Fact]
    public async Task Invitations_go_some_days_after_they_expired()
    {
        (await Admin.Post($"/volunteers/{await O.Volunteer()}/invitation")).ShouldBe(200);

        await After(TimeSpan.FromDays(12.9));
        Assert.Equal(1, await Count("select count(*) from invitations"));
        await After(TimeSpan.FromDays(0.2));

        Assert.Equal(0, await Count("select count(*) from invitations"));
    }

    [Fact]
    public async Task An_application_that_nobody_answers_is_declined_and_the_known_person_stays()
    {
        var known = (await Admin.Post("/volunteers", new { name = "Known", phone = "13800138000" })).ShouldBe(201).Id;
        foreach (var phone in new[] { "13800138000", "13800138001", "13800138002" })
            (await Host.Anonymous.Post($"{O.Path}/volunteers/applications", new { name = "Newcomer", phone, message = "Hello", consent = new { version = "v1" } })).ShouldBe(202);
        // Somebody pointed to cannot be deleted; the note goes all the same.
        var inUse = await Ask("select id from volunteers where phone = '13800138002'", row => row.GetGuid(0).ToString());
        await Tamper($"insert into team_members (organization_id, id, team_id, volunteer_id, role, joined_on) values ('{O.Id}', gen_random_uuid(), '{Team}', '{inUse}', 'member', '2026-01-01')");

        await After(TimeSpan.FromDays(19.9));
        Assert.Equal(3, await Count("select count(*) from volunteers where applied_at is not null"));
        await After(TimeSpan.FromDays(0.2));

        Assert.Equal(0, await Count("select count(*) from volunteers where applied_at is not null or application_message is not null"));
        Assert.Equal(0, await Count("select count(*) from volunteers where phone = '13800138001'"));
        Assert.Equal(1, await Count($"select count(*) from volunteers where id = '{inUse}'"));
        Assert.Equal("active", await Ask($"select status from volunteers where id = '{known}'", row => row.GetString(0)));
    }

    [Fact]
    public async Task Of_a_check_in_stays_that_somebody_came_and_a_device_that_sends_it_again_changes_nothing()
    {
        var volunteer = await O.Volunteer(Team);
        var shift = await O.Shift(await O.UpcomingActivity(Team, Clock.GetUtcNow().AddMinutes(10)));
        await O.SignUp(shift, volunteer);
        var taken = new { clientEventId = Guid.CreateVersion7(), volunteerId = volunteer, shiftId = shift, kind = "checkIn", occurredAt = Clock.GetUtcNow() };
        var first = (await Admin.Post("/attendance/batch", new { events = new[] { taken } })).ShouldBe(200);
        Assert.Equal("recorded", (string?)first.Items[0]!["result"]);
        Assert.Equal(1, await Count("select count(*) from attendance_events where device_at is not null"));

        await After(TimeSpan.FromDays(5.1));

        Assert.Equal((1, 0), (await Count("select count(*) from attendance_events"), await Count("select count(*) from attendance_events where device_at is not null or distance is not null")));
        var admin = (await Host.SignInAsOperator()).At(O.Path);
        Assert.Equal("repeated", (string?)(await admin.Post("/attendance/batch", new { events = new[] { taken } })).ShouldBe(200).Items[0]!["result"]);
        Assert.Equal(1, await Count("select count(*) from attendance_events"));
    }

    [Fact]
    public async Task Sign_ins_that_have_ended_go_with_their_tokens()
    {
        await O.SignedInAs(await O.Volunteer());
        var tokens = await Count("select count(*) from openiddict_tokens");
        // The authorization server's library has a clock of its own.
        await Tamper("update openiddict_tokens set creation_date = now() - interval '5 days', expiration_date = now() - interval '4 days 1 hour'; update openiddict_authorizations set creation_date = now() - interval '5 days'");

        await After(TimeSpan.FromHours(1));

        Assert.True(tokens >= 4);
        Assert.Equal((0, 0), (await Count("select count(*) from openiddict_tokens"), await Count("select count(*) from sign_in_sessions")));
    }

    [Fact]
    public async Task Two_workers_share_the_work_and_what_another_is_at_is_left_to_it()
    {
        for (var i = 0; i < 3; i++) (await Admin.Post("/volunteers", new { name = "A" }, ("Idempotency-Key", $"key {i}"))).ShouldBe(201);
        Clock.Advance(TimeSpan.FromDays(3));
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var hold = new NpgsqlCommand("select pg_advisory_lock(hashtextextended('retention idempotency keys', 0))", connection);
        await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await Run();
        Assert.Equal(3, await Count("select count(*) from idempotency_keys"));

        hold.CommandText = "select pg_advisory_unlock_all()";
        await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await Task.WhenAll(Run(), Run(), Run());
        Assert.Equal(0, await Count("select count(*) from idempotency_keys"));
    }

    [Fact]
    public void Every_setting_is_held_by_a_rule_and_senseless_ones_are_refused()
    {
        var settings = typeof(Retention).GetProperties().Where(property => property.PropertyType == typeof(int)).ToArray();
        foreach (var setting in settings)
        {
            var days = new Retention();
            setting.SetValue(days, 77);
            Assert.Contains(RetentionWorker.Rules, rule => rule.Days(days) == 77);
        }
        Assert.True(new Retention().MakesSense);
        Assert.False(new Retention { IdempotencyDays = 0 }.MakesSense);
        Assert.False(new Retention { ReconciliationDays = -1 }.MakesSense);
        Assert.True(new Retention { ReconciliationDays = 0 }.MakesSense);
    }

    private async Task After(TimeSpan time)
    {
        Clock.Advance(time);
        await Run();
    }

    private Task Run() => Host.Services.GetRequiredService<RetentionWorker>().RunOnce(TestContext.Current.CancellationToken);
}
