using CsCheck;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>Whoever changes the books as their owner, past every rule of the service, is found out.</summary>
public sealed class LedgerVerificationTests(TestDatabases databases) : HoursTest(databases)
{
    private const int Lines = 8;

    /// <summary>Every figure of a line, with another value than the one it has.</summary>
    private static readonly string[] Changes =
    [
        "minutes = minutes + 1", "person_times = person_times + 1", "minutes = -minutes", "cause = case cause when 'voided' then 'approved' else 'voided' end", "evidence = 'import'", "category = category || ' '",
        "service_date = service_date + 1", "posted_at = posted_at + interval '1 microsecond'", "posted_by = gen_random_uuid()", "volunteer_id = gen_random_uuid()",
        "volunteer_id = null", "team_id = gen_random_uuid()", "activity_id = gen_random_uuid()", "project_id = gen_random_uuid()",
        "record_id = (select id from service_records r where r.id <> record_id limit 1)", "hash = sha256(hash)",
    ];

    [Fact]
    public async Task A_ledger_that_nobody_touched_is_valid()
    {
        Assert.Equal(0, await VerifiedPosition());
        await Fill();
        Assert.Equal(Lines, await VerifiedPosition());
    }

    [Fact]
    public async Task Any_changed_figure_of_any_line_is_found_at_that_line()
    {
        await Fill();

        await Gen.Select(Gen.Int[1, Lines], Gen.Int[0, Changes.Length - 1]).SampleAsync(async (position, change) =>
        {
            var faults = await FaultsAfter($"update hour_postings set {Changes[change]} where position = {position}");
            Assert.Contains(("changedLine", position), faults);
        }, iter: 60, threads: 1);
        foreach (var change in Changes)
            Assert.Contains(("changedLine", 3), await FaultsAfter($"update hour_postings set {change} where position = 3"));
        Assert.Equal(Lines, await VerifiedPosition());
    }

    [Fact]
    public async Task Lines_left_out_are_found()
    {
        await Fill();

        await Gen.Int[1, Lines - 1].SampleAsync(async position =>
        {
            var faults = await FaultsAfter($"delete from hour_postings where position = {position}");
            Assert.Contains(("gap", position + 1), faults);
            Assert.Contains(("brokenChain", position + 1), faults);
        }, iter: 10, threads: 1);
        Assert.Contains(("linesMissing", Lines), await FaultsAfter($"delete from hour_postings where position = {Lines}"));
        Assert.Contains(("linesMissing", Lines), await FaultsAfter("delete from hour_postings"));
        Assert.Contains(("linesMissing", 0), await FaultsAfter("delete from hour_ledgers"));
    }

    [Fact]
    public async Task A_line_left_out_with_the_rest_moved_up_is_found()
    {
        await Fill();

        var faults = await FaultsAfter("delete from hour_postings where position = 4; update hour_postings set position = position - 1 where position > 4");

        Assert.DoesNotContain(faults, fault => fault.Kind == "gap");
        Assert.Contains(("brokenChain", 4), faults);
        Assert.Contains(("changedLine", 4), faults);
        Assert.Contains(("linesMissing", Lines), faults);
    }

    [Fact]
    public async Task Lines_that_changed_places_are_found()
    {
        await Fill();

        await Gen.Select(Gen.Int[1, Lines], Gen.Int[1, Lines]).Where((one, other) => one != other).SampleAsync(async (one, other) =>
        {
            var faults = await FaultsAfter(
                $"""
                 update hour_postings set position = -1 where position = {one};
                 update hour_postings set position = {one} where position = {other};
                 update hour_postings set position = {other} where position = -1
                 """);
            Assert.Contains(("changedLine", one), faults);
            Assert.Contains(("changedLine", other), faults);
            Assert.Contains(faults, fault => fault.Kind == "brokenChain");
        }, iter: 10, threads: 1);
    }

    [Fact]
    public async Task A_record_and_a_total_that_their_postings_do_not_bear_out_are_found()
    {
        await Fill();

        Assert.Equal([("recordSum", null)], await FaultsAfter("update service_records set minutes = minutes - 1 where id = (select record_id from hour_postings where position = 1)"));
        Assert.Equal([("recordSum", null)], await FaultsAfter("update service_records set status = 'rejected' where id = (select record_id from hour_postings where position = 1)"));
        Assert.Equal([("total", null)], await FaultsAfter("update hour_totals set minutes = minutes + 1 where id = (select min(id::text)::uuid from hour_totals)"));
        Assert.Equal([("total", null)], await FaultsAfter("delete from hour_totals where id = (select min(id::text)::uuid from hour_totals)"));
        var record = await Ask("select record_id from hour_postings where position = 1", row => row.GetGuid(0));
        await Tamper($"update service_records set person_times = 2, minutes = 61, headcount_method = 'counted', volunteer_id = null where id = '{record}'");
        var fault = Assert.Single((await Admin.Get("/ledger/verification"))["faults"]!.AsArray())!;
        Assert.Equal(record.ToString(), (string?)fault["recordId"]);
    }

    [Fact]
    public async Task Another_organizations_ledger_is_none_of_ours()
    {
        await Fill();
        var other = await Given.AnotherOrganization();

        await Tamper("update hour_postings set minutes = minutes + 1 where position = 1");

        Assert.True((bool)(await other.Admin.Get("/ledger/verification"))["valid"]!);
        Assert.False((bool)(await Admin.Get("/ledger/verification"))["valid"]!);
    }

    private async Task Fill()
    {
        var volunteers = await O.Volunteers(4, Team);
        foreach (var volunteer in volunteers) await O.Record(Activity, volunteer, At("08:00"), At("09:00"));
        var last = await O.Record(Activity, volunteers[0], At("10:00"), At("11:00"));
        (await Do(Admin, "correct", last, new { reason = "Shorter.", minutes = 30 })).ShouldBe(200);
        (await Do(Admin, "void", last)).ShouldBe(200);
    }

    /// <summary>What verification says about the change, which is then taken back.</summary>
    private async Task<(string Kind, long? Position)[]> FaultsAfter(string sql)
    {
        await Tamper(
            """
            create schema if not exists kept;
            create table if not exists kept.postings as table hour_postings; create table if not exists kept.totals as table hour_totals;
            create table if not exists kept.ledgers as table hour_ledgers;
            create table if not exists kept.records as select organization_id, id, minutes, status from service_records;
            """);
        await Tamper(sql);
        var verification = (await Admin.Get("/ledger/verification")).ShouldBe(200);
        await Tamper(
            """
            truncate hour_postings, hour_totals, hour_ledgers;
            insert into hour_postings table kept.postings; insert into hour_totals table kept.totals; insert into hour_ledgers table kept.ledgers;
            update service_records r set minutes = k.minutes, status = k.status from kept.records k where (r.organization_id, r.id) = (k.organization_id, k.id);
            """);
        Assert.False((bool)verification["valid"]!, sql);
        return [.. verification["faults"]!.AsArray().Select(fault => ((string)fault!["kind"]!, (long?)fault["position"]))];
    }
}
