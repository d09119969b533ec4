using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Data;
using Volunteers.Platform.Audit;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

/// <summary>Whoever changes the trail as its owner, past every rule of the service, is found out.</summary>
public sealed class AuditVerificationTests(TestDatabases databases) : AuditTest(databases)
{
    /// <summary>Every member of an event, with another value than the one it has.</summary>
    public static readonly TheoryData<string> Changes = new(
        "at = at + interval '1 microsecond'", "kind = 'export'", "operation = 'getTeam'", "outcome = 'refused'", "code = 'x'", "times = 2", "actor_kind = 'client'",
        "actor_id = gen_random_uuid()", "actor_id = null", "role = 'auditor'", "teams = array[gen_random_uuid()]", "address = '1.2.3.0/24'", "agent = 'curl'", "trace_id = null", "resource_type = 'team'",
        "resource_id = 'x'", "volunteers = array[gen_random_uuid()]", "details = '{}'", "details = replace(details::text, 'active', 'left')::json");

    [Fact]
    public async Task A_trail_that_nobody_touched_is_valid_and_dense()
    {
        await Fill();

        var verification = await Verified();

        Assert.Equal((await Count(), 0L, 0L), ((long)verification["position"]!, (long)verification["after"]!, (long)verification["waiting"]!));
        Assert.Equal(await Count(), await Ask<long>($"select max(position) from audit_chain where organization_id = '{O.Id}'"));
        Assert.Equal(64, ((string)verification["hash"]!).Length);
        Assert.Equal(0, await Count("audit_pending"));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Any_changed_member_of_an_event_is_found(string change)
    {
        await Fill();
        await Verified();

        await Tamper($"update audit_events set {change} where organization_id = '{O.Id}' and operation = 'changeVolunteer'");

        Assert.Contains("changedEvent", await Faults());
    }

    [Fact]
    public async Task Events_left_out_or_put_in_are_found()
    {
        await Fill();
        await Verified();

        Assert.Equal(["eventMissing"], await FaultsOf("delete from audit_events where operation = 'changeVolunteer'"));
        Assert.Equal(["gap", "brokenChain", "neverSealed"], await FaultsOf("delete from audit_chain where organization_id = '{o}' and position = 2"));
        Assert.Contains("eventsMissing", await FaultsOf("delete from audit_chain where organization_id = '{o}' and position = (select max(position) from audit_chain where organization_id = '{o}')"));
        Assert.Contains("eventsMissing", await FaultsOf("delete from audit_heads where organization_id = '{o}'"));
        Assert.Equal(["neverSealed"], await FaultsOf(
            "insert into audit_events select organization_id, gen_random_uuid(), at, kind, operation, outcome, code, times, actor_kind, actor_id, role, teams, address, agent, trace_id, resource_type, resource_id, volunteers, details from audit_events where operation = 'changeVolunteer'"));
        Assert.Contains("brokenChain", await FaultsOf("update audit_chain set hash = sha256(hash) where organization_id = '{o}' and position = 2"));
        await Verified();
    }

    [Fact]
    public async Task An_event_that_is_taken_out_before_it_is_sealed_is_missed()
    {
        await Fill();
        // As if its row had been deleted between the change and the sealer, which comes once a second.
        await Tamper($"insert into audit_pending values ('{O.Id}', gen_random_uuid())");

        Assert.Contains("eventMissing", await Faults());
    }

    [Fact]
    public async Task Values_beside_an_event_may_go_but_not_change()
    {
        var volunteer = await Fill();
        await Verified();

        await Tamper($"update audit_values set texts = replace(texts::text, '138', '139')::json where subject_id = '{volunteer}'");
        Assert.Equal(["changedValue"], (await Faults()).Distinct());

        var erased = 0;
        await Host.InServices(async services => erased = await AuditValue.Forget(services.GetRequiredService<VolunteersDb>(), Guid.Parse(O.Id), [Guid.Parse(volunteer)], Ct));

        Assert.Equal(2, erased);
        Assert.Equal(2, (int)(await Verified())["erased"]!);
        var fields = Change(await TheEvent("operation=changeVolunteer"), "volunteer")["fields"]!.AsArray();
        Assert.Contains(fields, field => (string)field!["name"]! == "phone" && (bool)field["erased"]! && field["after"] is null);
        Assert.Contains(fields, field => (string)field!["name"]! == "status" && (string)field["after"]! == "paused");
    }

    [Fact]
    public async Task A_part_can_be_verified_from_a_position_on()
    {
        await Fill();
        var whole = await Verified();
        await Tamper($"update audit_events set times = 9 where id = (select event_id from audit_chain where organization_id = '{O.Id}' and position = 1)");

        Assert.False((bool)(await Admin.Get("/audit/verification"))["valid"]!);
        var part = (await Admin.Get("/audit/verification?after=1")).ShouldBe(200);
        Assert.True((bool)part["valid"]!, part.Text);
        Assert.Equal((1L, (string)whole["hash"]!), ((long)part["after"]!, (string)part["hash"]!));
    }

    [Fact]
    public async Task Two_replicas_that_seal_at_once_make_one_chain()
    {
        await using var other = new ApiHost(ConnectionString);
        var others = other.Services.GetRequiredService<AuditSealer>();
        var writing = Task.WhenAll(Enumerable.Range(0, 6).Select(async worker =>
        {
            for (var i = 0; i < 15; i++) (await Admin.Post("/teams", new { name = $"Team {worker} {i}" })).ShouldBe(201);
        }));
        while (!writing.IsCompleted) await Task.WhenAll(others.SealAll(Ct), Seal(), others.SealAll(Ct), Seal());
        await writing;

        var verification = await Verified();

        Assert.Equal((await Count(), 0L), ((long)verification["position"]!, (long)verification["waiting"]!));
    }

    [Fact]
    public async Task A_late_commit_finds_its_place_at_the_end()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var late = await connection.BeginTransactionAsync(Ct);
        var scene = new AuditScene(Clock.GetUtcNow().AddSeconds(-30), AuditKind.Change, "seed");
        await AuditSql.Insert(connection, [AuditDraft.Of(scene, Guid.Parse(O.Id), new AuditDetails(), [])], Ct);
        await O.Volunteer();
        var before = (long)(await Verified())["position"]!;

        await late.CommitAsync(Ct);

        Assert.Equal(before + 1, (long)(await Verified())["position"]!);
        Assert.Equal("seed", await Ask<string>($"select e.operation::text from audit_events e join audit_chain c on c.event_id = e.id where c.organization_id = '{O.Id}' and c.position = {before + 1}"));
    }

    [Fact]
    public async Task Another_organizations_trail_is_none_of_ours()
    {
        await Fill();
        var other = await Given.AnotherOrganization();
        await Verified();

        await Tamper($"update audit_events set times = 9 where organization_id = '{O.Id}'");

        Assert.True((bool)(await other.Admin.Get("/audit/verification"))["valid"]!);
        var (login, account) = await O.Account(await O.Volunteer());
        (await other.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
        (await Admin.Delete($"/roles/{account}")).ShouldBe(204);
        var elsewhere = await Host.SignIn(login, Given.Password);
        foreach (var path in new[] { "/audit", "/audit/verification", "/audit/export" }) (await elsewhere.Get(O.Path + path)).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task The_service_may_add_to_the_trail_and_erase_values_and_nothing_else()
    {
        await Fill();
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            foreach (var change in new[]
                     {
                         "update audit_events set times = 2", "delete from audit_events", "update audit_chain set position = 0", "delete from audit_chain", "truncate audit_events", "truncate audit_values",
                         "update audit_values set salt = ''", "update audit_pending set event_id = gen_random_uuid()", "insert into audit_cuts values (gen_random_uuid(), 1, '', now())", "delete from audit_cuts",
                     })
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlRawAsync(change, Ct));
                Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
            }
            Assert.True(await db.Database.ExecuteSqlRawAsync("delete from audit_values", Ct) > 0);
        });
    }

    /// <summary>A volunteer who was changed, among other things.</summary>
    private async Task<string> Fill()
    {
        var volunteer = (await Admin.Post("/volunteers", new { name = "A", phone = "13800138000" })).ShouldBe(201).Id;
        (await Admin.Patch($"/volunteers/{volunteer}", new { phone = "13800138001", status = "paused" })).ShouldBe(200);
        (await Admin.Get($"/volunteers/{volunteer}")).ShouldBe(200);
        return volunteer;
    }

    private async Task<string[]> Faults()
    {
        var verification = (await Admin.Get("/audit/verification")).ShouldBe(200);
        Assert.False((bool)verification["valid"]!, verification.Text);
        return [.. verification["faults"]!.AsArray().Select(fault => (string)fault!["kind"]!)];
    }

    /// <summary>What verification says about the change, which is then taken back.</summary>
    private async Task<string[]> FaultsOf(string sql)
    {
        await Tamper("create schema kept; create table kept.audit_events as table audit_events; create table kept.audit_chain as table audit_chain; create table kept.audit_heads as table audit_heads");
        await Tamper(sql.Replace("{o}", O.Id, StringComparison.Ordinal));
        var faults = await Faults();
        await Tamper(
            """
            truncate audit_events, audit_chain, audit_heads;
            insert into audit_events table kept.audit_events; insert into audit_chain table kept.audit_chain; insert into audit_heads table kept.audit_heads;
            drop schema kept cascade;
            """);
        return faults;
    }
}
