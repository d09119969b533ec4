using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Jobs;
using Volunteers.Features.Privacy;
using Volunteers.Platform;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>A job from when it is asked for to when it is forgotten.</summary>
public sealed class JobTests(TestDatabases databases) : ApiTest(databases)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_step_comes_as_an_event_and_the_last_when_it_is_over()
    {
        var o = await Given.Organization();
        var id = (await o.Admin.AskForImport("roster", Many(1_200), "text/csv")).ShouldBe(201).Id;

        var events = new List<(string Id, JsonNode Job)>();
        // A stream that ends before the job is taken up again, as an EventSource does.
        while (events.Count == 0 || (string?)events[^1].Job["state"] is "queued" or "running")
        {
            using var response = await o.Admin.Http.GetAsync(o.Admin.PathTo($"/jobs/{id}/events"), HttpCompletionOption.ResponseHeadersRead, Ct);
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
            await foreach (var item in SseParser.Create(await response.Content.ReadAsStreamAsync(Ct)).EnumerateAsync(Ct))
            {
                Assert.Equal("job", item.EventType);
                events.Add((item.EventId!, JsonNode.Parse(item.Data)!));
            }
        }

        var job = (await o.Admin.Get($"/jobs/{id}")).ShouldBe(200);
        Assert.Equal(job.Text, events[^1].Job.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.Equal(1_200, job.Count("created"));
        Assert.All(events, e => Assert.Equal(e.Id, e.Job["version"]!.ToString()));
        Assert.Equal(events.Select(e => (int)e.Job["counts"]!["done"]!).Order(), events.Select(e => (int)e.Job["counts"]!["done"]!));
    }

    [Fact]
    public async Task What_is_cancelled_writes_nothing_more()
    {
        var o = await Given.Organization();
        // Somebody holds the organization: the batch that is under way cannot end before it is cancelled.
        await using var holder = new NpgsqlConnection(ConnectionString);
        await holder.OpenAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var command = new NpgsqlCommand($"select 1 from organizations where id = '{o.Id}' for no key update", holder)) await command.ExecuteNonQueryAsync(Ct);
        var id = (await o.Admin.AskForImport("roster", Many(600), "text/csv")).ShouldBe(201).Id;
        while ((string?)(await o.Admin.Get($"/jobs/{id}"))["state"] == "queued") await Task.Delay(20, Ct);

        var cancelled = (await o.Admin.Post($"/jobs/{id}/cancel")).ShouldBe(200);
        await holding.RollbackAsync(Ct);

        Assert.Equal("cancelled", (string?)cancelled["state"]);
        // The next job begins when the one before has let go.
        Assert.Equal(("succeeded", 0, 0, 0, 0), (await o.Admin.ImportJob("roster", "name\r\n")).Outcome());
        Assert.Equal(cancelled.Text, (await o.Admin.Get($"/jobs/{id}")).Text);
        Assert.Empty((await o.Admin.Get("/volunteers")).Items);
        (await o.Admin.Post($"/jobs/{id}/cancel")).ShouldRefuse(409, "job_finished");
        var trace = (await o.Admin.Get("/audit?operation=cancelJob")).Items;
        Assert.Equal(id, (string?)Assert.Single(trace)!["resource"]!["id"]);
    }

    [Theory]
    [InlineData("delete from role_grants")]
    [InlineData("update role_grants set role = 'auditor'")]
    public async Task A_right_that_ends_before_the_job_runs_ends_the_job(string ending)
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "coordinator" } } })).ShouldBe(200);
        var coordinator = (await Host.SignIn(login, Given.Password)).At(o.Path);
        var before = (await o.Admin.Get("/volunteers")).Items.Count;
        await using var holder = new NpgsqlConnection(ConnectionString);
        await holder.OpenAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var command = new NpgsqlCommand("lock table jobs in share row exclusive mode", holder)) await command.ExecuteNonQueryAsync(Ct);
        var asking = coordinator.AskForImport("roster", Many(10), "text/csv");
        await UntilWaiting(1);
        await using (var command = new NpgsqlCommand($"{ending} where account_id = '{account}'", holder)) await command.ExecuteNonQueryAsync(Ct);
        await holding.CommitAsync(Ct);

        var job = await o.Admin.Over((await asking).ShouldBe(201).Id);

        Assert.Equal(("failed", "job_right_lost"), ((string?)job["state"], (string?)job["failure"]!["code"]));
        Assert.Equal(before, (await o.Admin.Get("/volunteers")).Items.Count);
    }

    [Fact]
    public async Task A_file_goes_to_who_asked_for_it_and_only_while_they_may_see_what_is_in_it()
    {
        var o = await Given.Organization();
        var team = await o.Team();
        var (login, account) = await o.Account(await o.Volunteer(inTeam: team));
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "coordinator" } } })).ShouldBe(200);
        var coordinator = (await Host.SignIn(login, Given.Password)).At(o.Path);
        var job = await coordinator.ExportJob("roster", "csv");

        Assert.NotEmpty(await coordinator.ResultFile(job.Id));
        (await o.Admin.Get($"/jobs/{job.Id}")).ShouldBe(200);
        (await o.Admin.Get($"/jobs/{job.Id}/result")).ShouldBe(404);
        (await (await o.SignedInWithRole("auditor")).Get($"/jobs/{job.Id}")).ShouldBe(404);
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "coordinator", teamId = team } } })).ShouldBe(200);
        coordinator = (await Host.SignIn(login, Given.Password)).At(o.Path);
        (await coordinator.Get($"/jobs/{job.Id}/result")).ShouldRefuse(403, "forbidden");
        // What was refused comes into the trail a moment later.
        foreach (var operation in (string[])["getJobResult", "createExportJob"])
            Assert.Single((await o.Admin.Get($"/audit?outcome=succeeded&operation={operation}")).ShouldBe(200).Items);
    }

    [Theory]
    [InlineData("coordinator", "auditor and a team")]
    [InlineData("auditor and a team", "auditor and another team")]
    public async Task People_whom_a_file_shows_whole_are_shown_to_nobody_who_sees_fewer_whole_by_then(string before, string then)
    {
        var o = await Given.Organization();
        var (team, other) = (await o.Team(), await o.Team());
        var (login, account) = await o.Account(await o.Volunteer(inTeam: team));
        async Task<Api> With(string what)
        {
            object[] roles = what switch
            {
                "coordinator" => [new { role = "coordinator" }],
                "auditor and a team" => [new { role = "auditor" }, new { role = "coordinator", teamId = team }],
                _ => [new { role = "auditor" }, new { role = "coordinator", teamId = other }],
            };
            (await o.Admin.Put($"/roles/{account}", new { roles })).ShouldBe(200);
            return (await Host.SignIn(login, Given.Password)).At(o.Path);
        }
        var asker = await With(before);
        var (roster, activities) = (await asker.ExportJob("roster", "csv"), await asker.ExportJob("activities", "csv"));
        Assert.NotEmpty(await asker.ResultFile(roster.Id));

        asker = await With(then);

        (await asker.Get($"/jobs/{roster.Id}/result")).ShouldRefuse(403, "forbidden");
        Assert.NotEmpty(await asker.ResultFile(activities.Id));
        asker = await With(before);
        Assert.NotEmpty(await asker.ResultFile(roster.Id));
    }

    [Fact]
    public async Task A_file_whose_key_is_missing_here_waits_for_it()
    {
        var o = await Given.Organization();
        (string, string)[] newKey = [("PersonalData:Keys:new", Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)])), ("PersonalData:CurrentKey", "new")];
        await using var elsewhere = new ApiHost(ConnectionString, newKey);
        string id;
        await using (var before = new ApiHost(ConnectionString, newKey)) id = await NotBegun((await before.SignInAsOperator()).At(o.Path));
        await Run("update jobs set state = 'queued'");

        // It is tried here, and left as it was.
        await UntilTried();
        Assert.Contains((string?)(await o.Admin.Get($"/jobs/{id}"))["state"], new[] { "queued", "running" });

        var job = await (await elsewhere.SignInAsOperator()).At(o.Path).Over(id);
        Assert.Equal(("succeeded", 1, 0, 0, 0), job.Outcome());
    }

    [Fact]
    public async Task A_file_whose_key_does_not_come_ends_its_job_and_holds_up_those_behind_it_no_longer()
    {
        var o = await Given.Organization();
        string id;
        await using (var before = new ApiHost(ConnectionString, ("PersonalData:Keys:lost", Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)])), ("PersonalData:CurrentKey", "lost")))
            id = await NotBegun((await before.SignInAsOperator()).At(o.Path));
        await Run("update jobs set state = 'queued'; drop trigger not_begun on jobs");
        await UntilTried();

        await Host.Later(TimeSpan.FromHours(1.5));

        var job = await o.Admin.Over(id);
        Assert.Equal(("failed", "personal_key_missing"), ((string?)job["state"], (string?)job["failure"]!["code"]));
        Assert.Equal(("succeeded", 1, 0, 0, 0), (await o.Admin.ImportJob("roster", "姓名\r\n李四\r\n")).Outcome());
    }

    [Fact]
    public async Task Who_has_lost_the_lock_of_a_job_writes_nothing_more_to_it()
    {
        var o = await Given.Organization();
        var id = Guid.Parse(await NotBegun(o.Admin));
        await using var ours = new NpgsqlConnection(ConnectionString);
        await using var other = new NpgsqlConnection(ConnectionString);
        await Task.WhenAll(ours.OpenAsync(Ct), other.OpenAsync(Ct));
        var progress = Host.Services.GetRequiredService<JobProgress>();
        Task Count(int total, NpgsqlConnection place) => progress.Change(Guid.Parse(o.Id), id, job => job.Count(total), Ct, place: place.ProcessID);
        Assert.True(await SessionLock.TryTake(ours, JobRunner.NameOf(id)));
        await Run("update jobs set state = 'queued'");

        await Count(2, ours);
        await Assert.ThrowsAsync<JobStopped>(() => Count(3, other));

        Assert.Equal(2, await Ask("select total from jobs"));
        await SessionLock.Free(ours, JobRunner.NameOf(id));
        await Assert.ThrowsAsync<JobStopped>(() => Count(4, ours));
        Assert.Equal(("succeeded", 1, 0, 0, 0), (await o.Admin.Over($"{id}")).Outcome());
    }

    [Fact]
    public async Task A_client_needs_the_scope_of_what_is_in_the_file_too()
    {
        var o = await Given.Organization();
        var client = (await Host.SignedIn(await o.Client(scopes: ["jobs.read", "jobs.write", "activities.read"]))).At(o.Path);

        (await client.AskForImport("activities", "title\r\n"u8.ToArray(), "text/csv")).ShouldRefuse(403, "insufficient_scope");
        (await client.Post("/jobs/exports", new { resource = "roster", format = "csv" })).ShouldRefuse(403, "insufficient_scope");
        Assert.NotEmpty(await client.Exported("activities", "ndjson") is { } file ? [file] : Array.Empty<byte[]>());
    }

    [Fact]
    public async Task What_changes_is_traced_to_who_asked_for_it()
    {
        var o = await Given.Organization();
        var job = await o.Admin.ImportJob("roster", "姓名\r\n张三\r\n李四\r\n");

        var trace = Assert.Single((await o.Admin.Get("/audit?operation=runJob")).Items)!;

        Assert.Equal((job.Id, "account", "administrator"), ((string?)trace["resource"]!["id"], (string?)trace["actor"]!["kind"], (string?)trace["role"]));
        Assert.Equal((string?)job["askedBy"], (string?)trace["actor"]!["id"]);
        Assert.Equal(2, trace["volunteerIds"]!.AsArray().Count);
    }

    [Fact]
    public async Task What_ended_the_service_again_and_again_is_not_tried_for_ever()
    {
        var o = await Given.Organization();
        var before = (await o.Admin.Get("/volunteers")).Items.Count;
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using (var command = new NpgsqlCommand(
            """
            create function tried_often() returns trigger language plpgsql as 'begin new.attempts := 5; return new; end';
            create trigger tried_often before insert on jobs for each row execute function tried_often();
            """, connection)) await command.ExecuteNonQueryAsync(Ct);

        var job = await o.Admin.ImportJob("roster", "姓名\r\n张三\r\n");

        Assert.Equal(("failed", "job_broke"), ((string?)job["state"], (string?)job["failure"]!["code"]));
        Assert.Equal(before, (await o.Admin.Get("/volunteers")).Items.Count);
    }

    [Fact]
    public async Task Files_go_with_their_jobs_after_a_week()
    {
        var o = await Given.Organization();
        var old = await o.Admin.ImportJob("roster", "姓名,手机\r\n张三,abc\r\n");
        await Host.Later(TimeSpan.FromDays(6));
        var young = await o.Admin.ExportJob("roster", "csv");
        await Host.Later(TimeSpan.FromDays(1.5));
        // As of a file of which hardly a row was any good.
        await Run($"insert into job_refusals select (jsonb_populate_record(r, jsonb_build_object('row', n))).* from job_refusals r, generate_series(10, 120000) n where job_id = '{old.Id}'");

        await Host.Services.GetRequiredService<RetentionWorker>().RunOnce(Ct);

        Assert.Equal([young.Id], (await o.Admin.Get("/jobs")).Items.Select(job => (string?)job!["id"]));
        (await o.Admin.Get($"/jobs/{old.Id}")).ShouldBe(404);
        Assert.Equal((1, 0), await Kept());
    }

    [Fact]
    public async Task Whoever_is_forgotten_is_in_no_file_any_more()
    {
        var o = await Given.Organization();
        var other = await Given.AnotherOrganization();
        await o.Admin.ImportJob("roster", "姓名,手机\r\n张三,13800138000\r\n张三丰,abc\r\n");
        var drawn = await o.Admin.ExportJob("roster", "csv");
        var elsewhere = await other.Admin.ExportJob("roster", "csv");

        (await o.Admin.Delete($"/volunteers/{(await o.Admin.Get("/volunteers")).Items[0]!["id"]}")).ShouldBe(204);

        (await o.Admin.Get($"/jobs/{drawn.Id}/result")).ShouldRefuse(410, "job_file_gone");
        Assert.NotEmpty(await other.Admin.ResultFile(elsewhere.Id));
        Assert.Equal((1, 0), await Kept());
        // The next file shows the organization without them.
        Assert.Empty(ReportFile.Read(await o.Admin.Exported("roster", "csv")).Rows);
    }

    [Fact]
    public async Task A_file_that_waits_for_its_turn_brings_nobody_back_who_was_forgotten_meanwhile()
    {
        var o = await Given.Organization();
        var person = (await o.Admin.Post("/volunteers", new { name = "张三", phone = "13800138000" })).ShouldBe(201).Id;
        await using var holder = new NpgsqlConnection(ConnectionString);
        await holder.OpenAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var command = new NpgsqlCommand($"select 1 from organizations where id = '{o.Id}' for no key update", holder)) await command.ExecuteNonQueryAsync(Ct);
        // First who forgets waits for the organization, and behind them the batch.
        var erasing = o.Admin.Delete($"/volunteers/{person}");
        await UntilWaiting(1);
        var id = (await o.Admin.AskForImport("roster", "姓名,手机\r\n张三,13800138000\r\n"u8.ToArray(), "text/csv")).ShouldBe(201).Id;
        await UntilWaiting(2);
        await holding.RollbackAsync(Ct);
        (await erasing).ShouldBe(204);

        var job = await o.Admin.Over(id);

        Assert.Equal(("failed", "job_file_gone"), ((string?)job["state"], (string?)job["failure"]!["code"]));
        Assert.DoesNotContain("张三", (await o.Admin.Get("/volunteers")).Text, StringComparison.Ordinal);
        Assert.Equal((0, 0), await Kept());
    }

    [Fact]
    public async Task No_piece_of_a_file_is_kept_open()
    {
        var o = await Given.Organization();
        await o.Admin.ImportJob("roster", "姓名,手机\r\n赵钱孙李,13800138000\r\n周吴郑王,abc\r\n");

        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand("select string_agg(encode(content, 'escape'), '') || string_agg(encode(content, 'hex'), '') from job_chunks", connection);
        var kept = (string)(await command.ExecuteScalarAsync(Ct))!;

        Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes("周吴郑王")), kept, StringComparison.Ordinal);
        Assert.DoesNotContain("13800138000", kept, StringComparison.Ordinal);
    }

    /// <summary>An import of one person that no worker takes up until its state is set.</summary>
    private async Task<string> NotBegun(Api api)
    {
        await Run(
            """
            create function not_begun() returns trigger language plpgsql as 'begin new.state := ''cancelled''; return new; end';
            create trigger not_begun before insert on jobs for each row execute function not_begun();
            """);
        return (await api.AskForImport("roster", "姓名\r\n张三\r\n"u8.ToArray(), "text/csv")).ShouldBe(201).Id;
    }

    /// <summary>Until the service here has had the one job in its hands, and let go of it.</summary>
    private async Task UntilTried()
    {
        for (var deadline = DateTime.UtcNow.AddMinutes(2); await Ask("select count(*) from jobs where started_at is not null and (state = 'failed' or attempts = 0)") == 0; await Task.Delay(20, Ct))
            Assert.True(DateTime.UtcNow < deadline, "The job was not tried.");
    }

    private async Task Run(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private async Task<long> Ask(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(Ct), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Until so many sessions of this database wait for a lock.</summary>
    private async Task UntilWaiting(int sessions)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand("select count(distinct a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid where a.datname = current_database() and not l.granted", connection);
        while ((long)(await command.ExecuteScalarAsync(Ct))! < sessions) await Task.Delay(20, Ct);
    }

    private async Task<(int Files, int Refusals)> Kept()
    {
        var kept = (0, 0);
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            kept = (await db.JobChunks.CountAsync(Ct), await db.JobRefusals.CountAsync(Ct));
        });
        return kept;
    }

    private static byte[] Many(int rows) => Encoding.UTF8.GetBytes("姓名\r\n" + string.Concat(Enumerable.Range(1, rows).Select(i => $"志愿者{i}\r\n")));
}

/// <summary>How many may wait.</summary>
public sealed class JobLimitTests(TestDatabases databases) : ApiTest(databases)
{
    protected override (string Name, string Value)[] Configuration => [("RateLimits:OpenJobs", "3")];

    [Fact]
    public async Task No_more_jobs_of_an_organization_wait_than_may_however_many_ask_at_once()
    {
        var o = await Given.Organization();
        var other = await Given.AnotherOrganization();
        await using var holder = new NpgsqlConnection(ConnectionString);
        await holder.OpenAsync(TestContext.Current.CancellationToken);
        await using var holding = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new NpgsqlCommand($"select 1 from organizations where id = '{o.Id}' for no key update", holder)) await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => o.Admin.AskForImport("roster", "姓名\r\n张三\r\n"u8.ToArray(), "text/csv")));

        Assert.Equal(3, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => Assert.NotNull(answer.ShouldRefuse(429, "too_many_jobs").Header("Retry-After")));
        // Another organization's turn does not wait for them.
        Assert.Equal("succeeded", (string?)(await other.Admin.ImportJob("roster", "姓名\r\n张三\r\n"))["state"]);
        await holding.RollbackAsync(TestContext.Current.CancellationToken);
        foreach (var answer in answers.Where(answer => answer.Status == 201)) await o.Admin.Over(answer.Id);
        (await o.Admin.AskForImport("roster", "姓名\r\n"u8.ToArray(), "text/csv")).ShouldBe(201);
    }
}
