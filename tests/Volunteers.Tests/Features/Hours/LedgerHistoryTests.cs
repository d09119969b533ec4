using System.Text.Json.Nodes;
using CsCheck;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>
/// Random histories by several people at once, and what must hold after each: this is what an hour booked like money means.
/// </summary>
public sealed class LedgerHistoryTests(TestDatabases databases) : HoursTest(databases)
{
    private static readonly string[] Verbs = ["submit", "record", "headcount", "approve", "reject", "correct", "void", "claim", "return", "approvals", "batch"];

    /// <summary>One step of one actor; its numbers choose people, times and records among those there are.</summary>
    private sealed record Step(string Verb, int Person, int Record, int Quarter, int Length, int Minutes);

    private static readonly Gen<Step> AnyStep =
        from verb in Gen.Int[0, Verbs.Length - 1]
        from person in Gen.Int[0, 3]
        from record in Gen.Int[0, 1000]
        from quarter in Gen.Int[0, 60]
        from length in Gen.Int[1, 16]
        from minutes in Gen.Int[0, 240]
        select new Step(Verbs[verb], person, record, quarter, length, minutes);

    [Fact]
    public async Task After_any_history_every_figure_is_the_sum_of_its_postings()
    {
        var (actors, volunteers) = await People();
        // Every verb succeeds once for certain, whatever chance draws after it. Each begins before the one before it, so the newest is the first of the list.
        string[] first = ["headcount", "claim", "return", "submit", "approvals", "submit", "approve", "submit", "reject", "record", "void", "record", "correct", "batch"];
        foreach (var (index, verb) in first.Index())
        {
            var answer = await Take(new Step(verb, 0, 0, 2 * (first.Length - index), 4, 0), actors[verb == "submit" ? 3 : 0], volunteers);
            Assert.True(answer.Status is 200 or 201, $"{verb}: {answer.Text}");
        }
        Assert.Equal(Verbs.Order(), first.Distinct().Order());
        await ShouldAddUp();
        var succeeded = 0;

        await AnyStep.Array[10, 25].Array[4].SampleAsync(async histories =>
        {
            await Task.WhenAll(histories.Zip(actors, (steps, actor) => Task.Run(async () =>
            {
                foreach (var step in steps)
                {
                    var answer = await Take(step, actor, volunteers);
                    Assert.True(answer.Status is < 500 or 503, answer.Text);
                    if (answer.Status is 200 or 201) Interlocked.Increment(ref succeeded);
                }
            })));
            await ShouldAddUp();
        }, iter: 6, threads: 1);

        // Histories in which hardly anything succeeds would prove nothing: usually a quarter of some 420 steps does.
        Assert.InRange(succeeded, 30, int.MaxValue);
    }

    /// <summary>Somebody who acts, and the volunteer that they are themselves.</summary>
    private sealed record Actor(Api Api, string Own);

    private async Task<(Actor[] Actors, string[] Volunteers)> People()
    {
        var all = await O.Volunteers(4, Team);
        return ([new(Admin, all[3]), new(await O.CoordinatorWhoIs(all[0]), all[0]), new(await O.CoordinatorWhoIs(all[1], Team), all[1]), new(await O.SignedInAs(all[2]), all[2])], all);
    }

    private async Task<Answer> Take(Step step, Actor by, string[] volunteers)
    {
        var from = new DateTimeOffset(2026, 5, 30, 0, 0, 0, TimeSpan.FromHours(8)).AddMinutes(step.Quarter * 60);
        var to = from.AddMinutes(step.Length * 15);
        int? minutes = step.Minutes % 3 == 0 ? null : 1 + (step.Minutes % (step.Length * 15));
        var records = (await Admin.Get("/service-records?limit=200")).ShouldBe(200).Items;
        var known = records.Count == 0 ? Guid.NewGuid().ToString() : (string)records[step.Record % records.Count]!["id"]!;
        var (volunteer, actor) = (volunteers[step.Person], by.Api);
        return step.Verb switch
        {
            "submit" => await Record(actor, by.Own, from.ToString("O"), to.ToString("O"), minutes),
            "record" => await Record(actor, volunteer, from.ToString("O"), to.ToString("O"), minutes),
            "headcount" => await Headcount(actor, 1 + step.Person, from.ToString("O"), to.ToString("O"), minutes * (1 + step.Person)),
            "correct" => await Do(actor, "correct", known, new { reason = "Other.", startsAt = from, endsAt = to, minutes }),
            "claim" => await Do(actor, "claims", HeadcountOf(records, step) ?? known, new { volunteerId = volunteer, minutes = step.Minutes % 2 == 0 ? minutes : null }),
            "return" => await Do(actor, "void", (string?)records.FirstOrDefault(r => r!["claimedFromId"] is not null && (string?)r["status"] == "approved")?["id"] ?? known,
                new { reason = "A wrong name.", backToHeadcount = true, notCountedElsewhere = true }),
            "approvals" => await actor.Post("/service-records/approvals", new { recordIds = Submitted(records, step) is { Length: > 0 } open ? open : [known] }),
            "batch" => await actor.Post("/service-records/batch", new
            {
                items = volunteers.Take(2).Select(v => Service(v, from.ToString("O"), to.ToString("O"), minutes)),
            }),
            "approve" or "reject" => await Do(actor, step.Verb, Submitted(records, step).FirstOrDefault() ?? known),
            _ => await Do(actor, step.Verb, known),
        };
    }

    private static string? HeadcountOf(JsonArray records, Step step)
    {
        var headcounts = records.Where(r => r!["volunteerId"] is null && (string?)r["status"] == "approved").ToArray();
        return headcounts.Length == 0 ? null : (string?)headcounts[step.Record % headcounts.Length]!["id"];
    }

    private static string[] Submitted(JsonArray records, Step step) =>
        [.. records.Where(r => (string?)r!["status"] == "submitted").Select(r => (string)r!["id"]!).Skip(step.Record % 2).Take(3)];

    /// <summary>Reckoned here once more from the rows, beside what the service says of itself.</summary>
    private async Task ShouldAddUp()
    {
        var position = await VerifiedPosition();
        Assert.Equal(position, await Count("select count(*) from hour_postings"));
        Assert.Equal(position, await Count("select coalesce(max(position), 0) from hour_postings where position > 0"));
        Assert.Equal(0, await Count(
            """
            select count(*) from hour_postings p
            where p.previous_hash <> coalesce((select b.hash from hour_postings b where b.organization_id = p.organization_id and b.position = p.position - 1), '')
            """));
        Assert.Equal(0, await Count(
            """
            select count(*) from service_records r
            where (select coalesce(sum(p.minutes), 0) from hour_postings p where p.organization_id = r.organization_id and p.record_id = r.id)
                  <> case r.status when 'approved' then r.minutes - r.claimed_minutes else 0 end
            """));
        Assert.Equal(0, await Count(
            """
            select count(*) from (
                select team_id, volunteer_id, date_trunc('month', service_date)::date as month, evidence, sum(minutes)::bigint, sum(person_times)::bigint
                from hour_postings group by 1, 2, 3, 4 having sum(minutes) <> 0 or sum(person_times) <> 0
                except
                select team_id, volunteer_id, month, evidence, minutes, person_times from hour_totals) missing
            """));
        Assert.Equal(0, await Count(
            """
            select (select coalesce(sum(minutes), 0) from hour_totals) - (select coalesce(sum(minutes), 0) from hour_postings)
            """));
        Assert.Equal(0, await Count(
            """
            select count(*) from service_records a join service_records b on a.organization_id = b.organization_id and a.volunteer_id = b.volunteer_id and a.id < b.id
            where a.status in ('submitted', 'approved') and b.status in ('submitted', 'approved') and a.starts_at < b.ends_at and b.starts_at < a.ends_at
            """));
        Assert.Equal(0, await Count("select count(*) from (select 1 from hour_postings group by record_id, cause having cause in ('approved', 'voided') and count(*) > 1) twice"));
        Assert.Equal(0, await Count(
            """
            select count(*) from (select unnest(positions) from service_record_events group by 1 having count(*) > 1) shared
            """));
        Assert.Equal(position, await Count("select coalesce(sum(cardinality(positions)), 0)::bigint from service_record_events"));
    }
}
