using System.Text;
using Volunteers.Tests.Architecture;
using Volunteers.Tests.Features.Privacy;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>
/// Nobody writes past the copies. Triggers, which only a test may have, note every row that is written, whoever writes it and by whatever
/// statement; each must have got a position after that.
/// </summary>
public sealed class ChangeWriterTests(TestDatabases databases) : ChangesTest(databases)
{
    /// <summary>The tables that copies are made of, the resource and its id in each, and what no copy shows.</summary>
    private static readonly (string Table, string Resource, string Id, string Unseen)[] Written =
    [
        ("organizations", "organization", "id", "last_volunteer_number"), ("teams", "team", "id", ""), ("team_members", "volunteer", "volunteer_id", ""),
        ("role_grants", "volunteer", "volunteer_id", ""), ("volunteers", "volunteer", "id", ""), ("identity_documents", "volunteer", "volunteer_id", "sealed_number,key_id"),
        ("projects", "project", "id", ""), ("series", "series", "id", ""), ("activities", "activity", "id", ""), ("shifts", "shift", "id", ""), ("sign_ups", "sign_up", "id", ""),
        ("service_records", "service_record", "id", ""), ("disputes", "dispute", "id", ""), ("certificates", "certificate", "id", ""), ("certificate_endings", "certificate", "id", ""),
        ("awards", "award", "id", ""), ("award_objections", "award", "award_id", "message,answer"),
    ];

    [Fact]
    public async Task Whatever_is_written_by_any_operation_gets_its_position()
    {
        var world = await World.Make(Host, Given);
        await Watch();

        var changes = 0;
        foreach (var operation in Operation.All.Where(operation => operation.Method != "GET"))
        {
            var caller = operation.Id is "disputeServiceRecord" or "withdrawDispute" || operation.Id.Contains("MyCertificate", StringComparison.Ordinal) ? "volunteer"
                : operation.Id is "createOrganization" ? "operator" : "administrator";
            var body = operation.Body?.Invoke(world);
            if (body is string csv) body = new StringContent(csv, Encoding.UTF8, "text/csv");
            if ((await world.As(caller).Send(new HttpMethod(operation.Method), world.PathOf(operation), body, ("If-Match", "*"))).Status < 400) changes++;
        }

        Assert.True(changes > 60, $"Only {changes} changes succeeded.");
        await ShouldHaveTheirPositions(Written.Select(written => written.Table).Except(["award_objections"]));
    }

    [Fact]
    public async Task So_does_what_statements_of_their_own_write()
    {
        var past = await O.Activity(Team);
        var life = await O.Live(Host, Team, past);
        await SomethingOfEverything();
        (await Admin.Put("/consent-texts/insurance", new { version = "v1", textEn = "Needed.", textZh = "保险所需信息。", required = true })).ShouldBe(200);
        foreach (var action in new[] { "given", "withdrawn" })
            (await Admin.Post($"/volunteers/{Volunteer}/consents", new { purpose = "insurance", action, version = action == "given" ? "v1" : null })).ShouldBe(201);
        (await Admin.Patch($"/activities/{Activity}", new { description = $"Call {LivedLife.Phone}." })).ShouldBe(200);
        var (phone, theirs) = (new Phone(Admin), new Phone(Coordinator));
        await Task.WhenAll(phone.Pull(), theirs.Pull());
        await Watch();

        (await Admin.Put("/consent-texts/insurance", new { version = "v2", textEn = "Nice to have.", textZh = "保险所需信息，可不提供。", required = false })).ShouldBe(200);
        (await life.EraseMe()).ShouldBe(204);
        await O.SignUp(Shift, await O.Volunteer(Team));
        (await Admin.Delete($"/shifts/{Shift}/sign-ups/{Volunteer}")).ShouldBe(204);

        await ShouldHaveTheirPositions(["volunteers", "team_members", "role_grants", "service_records", "certificates", "disputes", "activities", "sign_ups", "identity_documents"]);
        foreach (var (copy, api) in new[] { (phone, Admin), (theirs, Coordinator) })
        {
            await copy.Pull();
            Assert.Equal(await Phone.FreshCopy(api), copy.Copy);
            Assert.Equal(0, copy.Anew);
        }
    }

    private async Task Watch()
    {
        await Tamper(
            """
            create table touched (source text, organization_id uuid, resource text, id uuid, position bigint);
            create function touch() returns trigger language plpgsql security definer as $$
            declare
                was jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
                is_now jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
                seen jsonb := coalesce(is_now, was);
                organization uuid := (seen ->> case when tg_table_name = 'organizations' then 'id' else 'organization_id' end)::uuid;
            begin
                if tg_op <> 'UPDATE' or was - string_to_array(tg_argv[2], ',') <> is_now - string_to_array(tg_argv[2], ',') then
                    insert into touched values (tg_table_name, organization, tg_argv[0], (seen ->> tg_argv[1])::uuid,
                        coalesce((select position from change_heads h where h.organization_id = organization), 0));
                end if;
                return null;
            end $$;
            """);
        foreach (var (table, resource, id, unseen) in Written)
            await Tamper($"create trigger touch after insert or update or delete on {table} for each row execute function touch('{resource}', '{id}', '{unseen}')");
    }

    private async Task ShouldHaveTheirPositions(IEnumerable<string> tables)
    {
        while (await Ask<bool>("select exists (select 1 from change_marks)")) await Task.Delay(50, TestContext.Current.CancellationToken);

        Assert.Empty(tables.Except(await Ask<string[]>("select array_agg(distinct source) from touched")));
        Assert.Equal("", await Ask<string>(
            """
            select coalesce(string_agg(distinct source || ' ' || id, ', '), '') from touched t where id is not null and not exists (
                select 1 from changes c where c.organization_id = t.organization_id and c.resource = t.resource and c.resource_id = t.id and c.position > t.position)
            """));
    }
}
