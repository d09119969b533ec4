using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Platform;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class IdempotencyTests(TestDatabases databases) : HoursTest(databases)
{
    private const string Header = "Idempotency-Key";

    [Fact]
    public async Task The_same_key_fifty_times_at_once_has_one_effect_and_fifty_equal_answers()
    {
        var volunteer = await O.Volunteer(Team);

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() =>
            Admin.Post("/service-records", Service(volunteer, At("08:00"), At("10:00")), (Header, "one")))));

        var first = Assert.Single(answers, answer => answer.Header("Idempotency-Replayed") is null);
        Assert.Equal(49, answers.Count(answer => answer.Header("Idempotency-Replayed") == "true"));
        Assert.All(answers, answer => Assert.Equal(
            (201, first.Text, first.Header("Location"), first.Header("ETag"), first.Header("Content-Type")),
            (answer.Status, answer.Text, answer.Header("Location"), answer.Header("ETag"), answer.Header("Content-Type"))));
        Assert.Equal((120, 1), await Credited());
        Assert.Equal(1, await VerifiedPosition());
    }

    [Fact]
    public async Task A_key_belongs_to_one_request()
    {
        var volunteer = await O.Volunteer(Team);
        var service = Service(volunteer, At("08:00"), At("10:00"));
        (await Admin.Post("/service-records", service, (Header, "one"))).ShouldBe(201);

        (await Admin.Post("/service-records", Service(volunteer, At("08:00"), At("10:01")), (Header, "one"))).ShouldRefuse(422, "idempotency_key_reused");
        (await Admin.Post("/service-records/batch", new { items = new[] { service } }, (Header, "one"))).ShouldRefuse(422, "idempotency_key_reused");
        (await Admin.Post("/service-records", service, (Header, "two"))).ShouldRefuse(409, "overlapping_service");
        (await Admin.Post("/service-records", service, (Header, "one"))).ShouldBe(201);
    }

    [Fact]
    public async Task A_key_of_another_caller_or_organization_is_another_key()
    {
        var other = await Given.AnotherOrganization();
        var coordinator = await O.SignedInWithRole("coordinator");
        var team = new { name = "Drivers" };

        var first = (await Admin.Post("/teams", team, (Header, "one"))).ShouldBe(201);
        Assert.NotEqual(first.Id, (await other.Admin.Post("/teams", team, (Header, "one"))).ShouldBe(201).Id);
        (await coordinator.Post("/teams", team, (Header, "one"))).ShouldRefuse(409, "team_name_taken");
        (await coordinator.Post("/teams", new { name = "Cyclists" }, (Header, "one"))).ShouldBe(201);
        Assert.Equal(first.Text, (await Admin.Post("/teams", team, (Header, "one"))).ShouldBe(201).Text);
    }

    [Fact]
    public async Task A_refused_request_leaves_no_key()
    {
        var volunteer = await O.Volunteer();
        (await Admin.Post("/service-records", Service(volunteer, At("08:00"), At("10:00")), (Header, "one"))).ShouldRefuse(409, "not_a_member");
        (await Admin.Post("/teams", new { name = "" }, (Header, "two"))).ShouldRefuse(400, "invalid_request");
        Assert.Equal(0, await Count("select count(*) from idempotency_keys"));

        await O.Member(Team, volunteer);
        (await Admin.Post("/service-records", Service(volunteer, At("08:00"), At("10:00")), (Header, "one"))).ShouldBe(201);
        (await Admin.Post("/teams", new { name = "Drivers" }, (Header, "two"))).ShouldBe(201);
    }

    [Fact]
    public async Task After_72_hours_a_key_is_free_again_and_is_cleaned_up()
    {
        await Admin.Post("/teams", new { name = "Drivers" }, (Header, "one"));
        await Admin.Post("/teams", new { name = "Cyclists" }, (Header, "two"));

        Clock.Advance(TimeSpan.FromHours(71.9));
        var later = (await Host.SignInAsOperator()).At(O.Path);
        Assert.Equal("true", (await later.Post("/teams", new { name = "Drivers" }, (Header, "one"))).ShouldBe(201).Header("Idempotency-Replayed"));
        Clock.Advance(TimeSpan.FromHours(0.2));
        later = (await Host.SignInAsOperator()).At(O.Path);
        (await later.Post("/teams", new { name = "Walkers" }, (Header, "one"))).ShouldBe(201);

        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<DbContext>();
            Assert.Equal(1, await IdempotencyCleanup.Forget(db, Clock.GetUtcNow() - TimeSpan.FromDays(3), TestContext.Current.CancellationToken));
        });
        Assert.Equal("one", await Ask("select string_agg(key, ',') from idempotency_keys", row => row.GetString(0)));
        Assert.Equal("true", (await later.Post("/teams", new { name = "Walkers" }, (Header, "one"))).ShouldBe(201).Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task A_key_is_one_to_255_plain_characters()
    {
        (await Admin.Post("/teams", new { name = "A" }, (Header, ""))).ShouldRefuse(400, "invalid_idempotency_key");
        (await Admin.Post("/teams", new { name = "A" }, (Header, new string('k', 256)))).ShouldRefuse(400, "invalid_idempotency_key");
        (await Admin.Post("/teams", new { name = "A" }, (Header, "one\ttwo"))).ShouldRefuse(400, "invalid_idempotency_key");
        (await Admin.Post("/teams", new { name = "A" }, (Header, new string('k', 255)))).ShouldBe(201);
    }

    [Fact]
    public async Task A_secret_shown_once_is_repeated_to_whoever_lost_the_answer_and_is_not_readable_in_the_database()
    {
        var client = new { name = "District platform", role = "coordinator", scopes = Clients.AllScopes };
        var first = (await Admin.Post("/clients", client, (Header, "one"))).ShouldBe(201);
        var again = (await Admin.Post("/clients", client, (Header, "one"))).ShouldBe(201);

        Assert.Equal(first.Text, again.Text);
        var secret = (string)first["clientSecret"]!;
        Assert.Single((await Admin.Get("/clients")).Items);
        var kept = await Ask("select body from idempotency_keys", row => row.GetFieldValue<byte[]>(0));
        Assert.DoesNotContain(secret, Encoding.UTF8.GetString(kept), StringComparison.Ordinal);
        Assert.Equal(0, await Count($"select count(*) from idempotency_keys where idempotency_keys::text like '%{secret}%'"));
        Assert.Equal(0, await Count($"select count(*) from openiddict_applications o where o::text like '%{secret}%'"));
    }

    [Fact]
    public async Task Every_POST_takes_a_key()
    {
        var volunteer = await O.Volunteer(Team);
        var headcount = (await Headcount(Admin, 3, At("15:00"), At("17:00"))).ShouldBe(201).Id;
        var own = await O.Volunteer(Team);
        var submitted = (await Record(await O.SignedInAs(own), own, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var draft = new { title = "Patrol", teamId = Team, category = "patrol", startsAt = At("08:00"), endsAt = At("12:00") };
        var activity = (await Admin.Post("/activities", draft)).ShouldBe(201).Id;
        var invitation = (string)(await Admin.Post($"/volunteers/{volunteer}/invitation")).ShouldBe(200)["code"]!;

        await Twice(O.Admin, "/teams", new { name = "Drivers" });
        await Twice(O.Admin, "/volunteers", new { name = "Somebody" });
        await Twice(O.Admin, $"/volunteers/{await O.Volunteer()}/invitation", null);
        await Twice(O.Admin, "/projects", new { title = "Patrol", category = "patrol" });
        await Twice(O.Admin, "/activities", draft);
        await Twice(O.Admin, $"/activities/{activity}/publish", null);
        await Twice(O.Admin, $"/activities/{activity}/complete", new { });
        await Twice(O.Admin, "/service-records", Service(volunteer, At("11:00"), At("12:00")));
        await Twice(O.Admin, "/service-records/batch", new { items = new[] { Service(volunteer, At("13:00"), At("14:00")) } });
        await Twice(O.Admin, $"/service-records/{headcount}/claims", new { volunteerId = volunteer });
        await Twice(O.Admin, "/service-records/approvals", new { recordIds = new[] { submitted } });
        await Twice(O.Admin, $"/service-records/{submitted}/correct", new { reason = "Less.", minutes = 60 });
        await Twice(O.Admin, $"/service-records/{submitted}/void", new { reason = "Wrong." });
        await Twice(await Given.Operator(), "/v1/organizations", new { name = "Another", timeZone = "Asia/Shanghai" });
        await Twice(Host.Anonymous, "/v1/accounts", new { invitationCode = invitation, login = "a@example.org", password = Given.Password, displayName = "A" });
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_connection_lost_before_the_commit_leaves_neither_effect_nor_key()
    {
        var volunteer = await O.Volunteer(Team);
        var service = Service(volunteer, At("08:00"), At("10:00"));
        await using var blocker = new NpgsqlConnection(ConnectionString);
        await blocker.OpenAsync(TestContext.Current.CancellationToken);
        await using var held = await blocker.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("lock table hour_postings in exclusive mode", blocker)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var waiting = Admin.Post("/service-records", service, (Header, "one"));
        while (await Count("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 0) { }
        await held.RollbackAsync(TestContext.Current.CancellationToken);

        var lost = (await waiting).ShouldRefuse(503, "unavailable");
        Assert.NotNull(lost.Header("Retry-After"));
        Assert.Equal(0, await Count("select count(*) from idempotency_keys"));
        Assert.Equal(0, await Count("select count(*) from service_records"));
        Assert.Null((await Admin.Post("/service-records", service, (Header, "one"))).ShouldBe(201).Header("Idempotency-Replayed"));
        Assert.Equal(1, await VerifiedPosition());
    }

    private static async Task Twice(Api by, string path, object? body)
    {
        var first = await by.Post(path, body, (Header, "same " + path));
        Assert.True(first.Status is 200 or 201, $"{path}: {first.Text}");
        Assert.Null(first.Header("Idempotency-Replayed"));
        var again = await by.Post(path, body, (Header, "same " + path));
        Assert.Equal("true", again.Header("Idempotency-Replayed"));
        Assert.Equal((first.Status, first.Text, first.Header("Location"), first.Header("ETag")), (again.Status, again.Text, again.Header("Location"), again.Header("ETag")));
    }
}
