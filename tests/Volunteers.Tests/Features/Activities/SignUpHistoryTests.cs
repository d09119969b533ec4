using CsCheck;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Activities;

/// <summary>Random sequences of sign-up, cancellation, change of capacity and departure, held against a model that a child could check.</summary>
public sealed class SignUpHistoryTests(TestDatabases databases) : HoursTest(databases)
{
    private const int People = 7;

    private static readonly string[] Verbs = ["signUp", "signUp", "signUp", "cancel", "cancel", "capacity", "leave", "return"];

    private sealed record Step(string Verb, int Shift, int Person, int Capacity);

    private static readonly Gen<Step> AnyStep =
        from verb in Gen.Int[0, Verbs.Length - 1]
        from shift in Gen.Int[0, 2]
        from person in Gen.Int[0, People - 1]
        from capacity in Gen.Int[1, 5]
        select new Step(Verbs[verb], shift, person, capacity);

    /// <summary>Three shifts, of which the first two are at the same time.</summary>
    private sealed class Model
    {
        public int[] Capacity { get; } = [2, 2, 2];

        public List<int>[] Confirmed { get; } = [[], [], []];

        public List<int>[] Waiting { get; } = [[], [], []];

        public HashSet<int> Left { get; } = [];

        /// <summary>Answers whether the step is let through.</summary>
        public bool Take(Step step)
        {
            var (shift, person) = (step.Shift, step.Person);
            switch (step.Verb)
            {
                case "signUp" when !Left.Contains(person) && !Confirmed[shift].Contains(person) && !Waiting[shift].Contains(person) && !Clashes(shift, person):
                    (Confirmed[shift].Count < Capacity[shift] ? Confirmed : Waiting)[shift].Add(person);
                    return true;
                case "cancel" when Confirmed[shift].Remove(person) | Waiting[shift].Remove(person):
                case "capacity" when step.Capacity >= Confirmed[shift].Count:
                    if (step.Verb == "capacity") Capacity[shift] = step.Capacity;
                    Promote();
                    return true;
                case "leave" when Left.Add(person):
                    foreach (var list in Confirmed.Concat(Waiting)) list.Remove(person);
                    Promote();
                    return true;
                case "return":
                    Left.Remove(person);
                    return true;
                default:
                    return false;
            }
        }

        private bool Clashes(int shift, int person) => shift < 2 && Confirmed[1 - shift].Contains(person);

        private void Promote()
        {
            for (var shift = 0; shift < 3; shift++)
                foreach (var person in Waiting[shift].ToArray())
                    if (Confirmed[shift].Count < Capacity[shift] && !Clashes(shift, person))
                    {
                        Waiting[shift].Remove(person);
                        Confirmed[shift].Add(person);
                    }
        }
    }

    [Fact]
    public async Task After_every_step_of_any_history_places_and_waiting_list_are_those_of_the_model()
    {
        var people = await O.Volunteers(People, Team);
        var done = new HashSet<string>();

        await AnyStep.Array[25, 40].SampleAsync(async steps =>
        {
            var activity = await O.UpcomingActivity(Team, Clock.GetUtcNow().AddDays(30), hours: 8);
            var start = Clock.GetUtcNow().AddDays(30).AddHours(1);
            // In the order of their ids, which is the order in which places of one moment are given.
            string[] shifts = [await O.Shift(activity, 2, start, start.AddHours(2)), await O.Shift(activity, 2, start.AddHours(1), start.AddHours(3)), await O.Shift(activity, 2, start.AddHours(3), start.AddHours(5))];
            var model = new Model();
            foreach (var step in steps)
            {
                var expected = model.Take(step);
                var answer = await Take(step, shifts, people);
                Assert.True(answer.Status < 300 == expected, $"{step}: {answer.Status} {answer.Text}");
                if (expected) done.Add(step.Verb);
                await ShouldBe(model, shifts, people, step);
            }
            foreach (var person in people) await SetStatus(person, "left");
            foreach (var person in people) await SetStatus(person, "active");
            (await Admin.Post($"/activities/{activity}/cancel", new { reason = "Over" })).ShouldBe(200);
        }, iter: 8, threads: 1);

        Assert.Equal(Verbs.Distinct().Order(), done.Order());
    }

    [Fact]
    public async Task After_any_histories_at_the_same_time_nothing_is_oversold_and_nobody_is_lost()
    {
        var people = await O.Volunteers(People, Team);
        await AnyStep.Array[12, 20].Array[4].SampleAsync(async histories =>
        {
            var activity = await O.UpcomingActivity(Team, Clock.GetUtcNow().AddDays(30), hours: 8);
            var start = Clock.GetUtcNow().AddDays(30).AddHours(1);
            string[] shifts = [await O.Shift(activity, 2, start, start.AddHours(2)), await O.Shift(activity, 2, start.AddHours(1), start.AddHours(3)), await O.Shift(activity, 2, start.AddHours(3), start.AddHours(5))];

            await Task.WhenAll(histories.Select(steps => Task.Run(async () =>
            {
                foreach (var step in steps)
                {
                    var answer = await Take(step, shifts, people);
                    Assert.True(answer.Status is < 500 or 503, answer.Text);
                }
            })));

            Assert.Equal(0, await Count($"select count(*) from ({Wrong(activity)}) as wrong"));
            foreach (var person in people) await SetStatus(person, "active");
            (await Admin.Post($"/activities/{activity}/cancel", new { reason = "Over" })).ShouldBe(200);
        }, iter: 6, threads: 1);
    }

    /// <summary>Shifts whose counts are not those of their sign-ups, people in two places at once, and places left empty while somebody could have them.</summary>
    private static string Wrong(string activity) =>
        $"""
         select s.id from shifts s where s.activity_id = '{activity}' and (
             s.taken <> (select count(*) from sign_ups u where u.shift_id = s.id and u.status = 'confirmed') or s.taken > s.capacity
             or s.waiting <> (select count(*) from sign_ups u where u.shift_id = s.id and u.status = 'waitlisted')
             or (s.taken < s.capacity and exists (
                 select 1 from sign_ups u join volunteers v on v.id = u.volunteer_id and v.status = 'active'
                 where u.shift_id = s.id and u.status = 'waitlisted' and not exists (
                     select 1 from sign_ups o join shifts t on t.id = o.shift_id
                     where o.volunteer_id = u.volunteer_id and o.status = 'confirmed' and t.id <> s.id and t.starts_at < s.ends_at and t.ends_at > s.starts_at))))
         union all
         select u.volunteer_id from sign_ups u join shifts s on s.id = u.shift_id join sign_ups o on o.volunteer_id = u.volunteer_id and o.shift_id > u.shift_id
         join shifts t on t.id = o.shift_id
         where u.status = 'confirmed' and o.status = 'confirmed' and t.starts_at < s.ends_at and t.ends_at > s.starts_at
         union all
         select u.volunteer_id from sign_ups u join volunteers v on v.id = u.volunteer_id where v.status = 'left' and u.status <> 'cancelled'
         """;

    private Task<Answer> Take(Step step, string[] shifts, string[] people) => step.Verb switch
    {
        "signUp" => Admin.Post($"/shifts/{shifts[step.Shift]}/sign-ups", new { volunteerId = people[step.Person] }),
        "cancel" => Admin.Delete($"/shifts/{shifts[step.Shift]}/sign-ups/{people[step.Person]}"),
        "capacity" => Admin.Send(HttpMethod.Patch, $"/shifts/{shifts[step.Shift]}", new { capacity = step.Capacity }, ("If-Match", "*")),
        "leave" => LeaveOnce(people[step.Person]),
        _ => SetStatus(people[step.Person], "active"),
    };

    /// <summary>Somebody who has left cannot leave again: in the model that step is refused.</summary>
    private async Task<Answer> LeaveOnce(string person)
    {
        var now = await Admin.Get($"/volunteers/{person}");
        return Text(now, "status") == "left" ? now with { Status = 409 } : await SetStatus(person, "left");
    }

    private Task<Answer> SetStatus(string person, string status) => Admin.Send(HttpMethod.Patch, $"/volunteers/{person}", new { status }, ("If-Match", "*"));

    private async Task ShouldBe(Model model, string[] shifts, string[] people, Step after)
    {
        for (var shift = 0; shift < 3; shift++)
        {
            var signUps = (await Admin.Get($"/shifts/{shifts[shift]}/sign-ups?limit=200")).ShouldBe(200).Items;
            int[] With(string status) => [.. signUps.Where(s => (string)s!["status"]! == status).Select(s => Array.IndexOf(people, (string)s!["volunteerId"]!))];
            Assert.True(model.Confirmed[shift].Order().SequenceEqual(With("confirmed").Order()), $"After {after}: shift {shift} should have {string.Join(' ', model.Confirmed[shift])}");
            Assert.True(model.Waiting[shift].SequenceEqual(With("waitlisted")), $"After {after}: on shift {shift} should wait {string.Join(' ', model.Waiting[shift])}");
            var counts = await Admin.Get($"/shifts/{shifts[shift]}");
            Assert.Equal((model.Confirmed[shift].Count, model.Waiting[shift].Count), (Number(counts, "taken"), Number(counts, "waiting")));
        }
    }
}
