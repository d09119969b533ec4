using System.Globalization;
using System.Text.Json.Nodes;
using CsCheck;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Recognition;

/// <summary>Random histories over days: whoever reckons the stars from the feed of postings, day by day, finds the same.</summary>
public sealed class StarHistoryTests(TestDatabases databases) : RecognitionTest(databases)
{
    private const int People = 3;

    private sealed record Deed(int Verb, int Person, int Record, int Minutes);

    private static readonly Gen<Deed> AnyDeed =
        from verb in Gen.Int[0, 10]
        from person in Gen.Int[0, People - 1]
        from record in Gen.Int[0, 100]
        from minutes in Gen.Int[1, 120]
        select new Deed(verb, person, record, minutes);

    /// <summary>A rule as it was made: what each level asks, what counts, and from when.</summary>
    private sealed record Made(DateOnly From, (int Hours, int Months)[] Levels, string[] Evidence);

    /// <summary>Since when they were a volunteer, as it was known from each day on.</summary>
    private sealed record Person(string Id, List<(DateOnly Known, DateOnly JoinedOn)> Joined);

    private sealed record Line(string Volunteer, DateOnly Day, string Evidence, int Minutes);

    [Fact]
    public async Task Level_and_day_are_what_the_feed_of_postings_says_as_of_every_day()
    {
        var (levels, changes) = (new HashSet<int>(), 0);

        await AnyDeed.Array[15, 30].SampleAsync(async steps =>
        {
            var organization = await Given.AnotherOrganization();
            var (first, team) = (Today, await organization.Team());
            var activity = await organization.Activity(team);
            var rules = new[]
            {
                new Made(first, [(1, 0), (2, 1)], ["attendance", "coordinator", "import", "self"]),
                new Made(first.AddDays(2), [(1, 0), (3, 1)], ["attendance", "coordinator", "import", "self"]),
                new Made(first.AddDays(5), [(2, 0)], ["import"]),
                new Made(first.AddDays(6), [(2, 0)], ["coordinator"]),
            };
            foreach (var rule in rules)
                (await organization.Admin.Post("/star-rules", new
                {
                    effectiveFrom = Day(rule.From), evidence = rule.Evidence,
                    levels = rule.Levels.Index().Select(level => new { level = level.Index + 1, hours = level.Item.Hours, monthsRegistered = level.Item.Months }),
                })).ShouldBe(201);
            var people = new Person[People];
            for (var i = 0; i < People; i++)
            {
                var joined = first.AddDays(3 * i).AddMonths(-1);
                people[i] = new Person((await organization.Admin.Post("/volunteers", new { name = $"Volunteer {i}", joinedOn = Day(joined) })).ShouldBe(201).Id, [(DateOnly.MinValue, joined)]);
                await organization.Member(team, people[i].Id);
            }

            await Live(steps, organization, activity, people);
            var lines = (await organization.Admin.Get("/ledger?limit=200")).ShouldBe(200).Items.Select(LineOf).ToArray();
            changes += lines.Count(line => line.Minutes < 0);
            for (var day = first.AddDays(-1); day <= Today; day = day.AddDays(1))
            {
                var answer = (await organization.Admin.Get($"/stars?asOf={Day(day)}")).ShouldBe(200);
                var expected = people.Select(person => (person.Id, Stars: Expected(person, day, lines, rules))).Where(each => each.Stars.Level > 0).ToDictionary(each => each.Id, each => each.Stars);
                Assert.Equivalent(expected, Reached(answer), strict: true);
                levels.UnionWith(expected.Values.Select(each => each.Item1));
            }
        }, iter: 8, threads: 1);

        // Histories in which nothing is reached, or nothing taken back, would prove nothing.
        Assert.Superset(new HashSet<int> { 1, 2 }, levels);
        Assert.True(changes > 5);
    }

    private async Task Live(Deed[] steps, OrganizationSteps organization, string activity, Person[] people)
    {
        var records = new List<string>();
        foreach (var (at, step) in steps.Index())
        {
            var start = new DateTimeOffset(2025, 3, 1, 8, 0, 0, TimeSpan.FromHours(8)).AddDays(at);
            var known = records.Count == 0 ? null : records[step.Record % records.Count];
            if (step.Verb <= 4)
                records.Add(await organization.Record(activity, people[step.Person].Id, start.ToString("O"), start.AddMinutes(step.Minutes).ToString("O")));
            else if (step.Verb == 5 && known is not null)
                (await organization.Admin.Post($"/service-records/{known}/void", new { reason = "Wrong." })).ShouldBe(200);
            else if (step.Verb == 6 && known is not null)
                (await organization.Admin.Post($"/service-records/{known}/correct",
                    new { reason = "Other.", startsAt = start, endsAt = start.AddMinutes(step.Minutes), minutes = step.Minutes })).ShouldBe(200);
            else if (step.Verb == 7)
            {
                var joined = Today.AddMonths(-1).AddDays(3 - (step.Minutes % 7));
                (await organization.Admin.Patch($"/volunteers/{people[step.Person].Id}", new { joinedOn = Day(joined) })).ShouldBe(200);
                people[step.Person].Joined.Add((Today, joined));
            }
            else if (step.Verb > 7) await NextDay();
            if (step.Verb == 5 && known is not null) records.Remove(known);
        }
    }

    private static Line LineOf(JsonNode? posting) => new((string)posting!["volunteerId"]!,
        DateOnly.FromDateTime(DateTimeOffset.Parse((string)posting["postedAt"]!, CultureInfo.InvariantCulture).ToOffset(TimeSpan.FromHours(8)).DateTime),
        (string)posting["evidence"]!, (int)posting["minutes"]!);

    /// <summary>Every day back from the one asked about on which the level was had on the same terms, without a break.</summary>
    private static (int Level, string? ReachedOn) Expected(Person person, DateOnly day, Line[] lines, Made[] rules)
    {
        var (rule, joinedOn) = (RuleOf(day, rules), person.Joined.Last(joined => joined.Known <= day).JoinedOn);
        for (var level = rule.Levels.Length; level > 0; level--)
        {
            var (terms, reached) = (rule.Levels[level - 1], day);
            bool HadOn(DateOnly on) =>
                lines.Where(line => line.Volunteer == person.Id && line.Day <= on && rule.Evidence.Contains(line.Evidence)).Sum(line => line.Minutes) >= terms.Hours * 60
                && joinedOn.AddMonths(terms.Months) <= on
                && RuleOf(on, rules) is var then && then.Levels.Length >= level && then.Levels[level - 1] == terms && then.Evidence.SequenceEqual(rule.Evidence);
            if (!HadOn(day)) continue;
            while (HadOn(reached.AddDays(-1))) reached = reached.AddDays(-1);
            return (level, Day(reached));
        }
        return (0, null);
    }

    private static Made RuleOf(DateOnly day, Made[] rules) =>
        rules.LastOrDefault(rule => rule.From <= day) ?? new Made(DateOnly.MinValue, [(100, 0)], []);
}
