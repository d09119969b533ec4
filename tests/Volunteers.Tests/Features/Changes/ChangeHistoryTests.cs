using System.Collections.Concurrent;
using System.Globalization;
using CsCheck;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>
/// Random histories by several writers at once, and phones with a bad network that are away for a week in between: in the end each
/// holds exactly what its owner may see. More histories: <c>CsCheck_Iter=50 dotnet test -- --filter-class "*ChangeHistoryTests"</c>.
/// </summary>
public sealed class ChangeHistoryTests(TestDatabases databases) : ChangesTest(databases)
{
    private const int Histories = 3;

    private static readonly string[] Verbs =
    [
        "team", "describe", "delete team", "person", "rename", "join", "leave", "erase", "project", "activity", "publish", "retitle", "move", "in charge", "call off", "shift", "widen",
        "delete shift", "sign up", "give back", "record", "void", "dispute", "explain", "certificate", "revoke", "award", "honour", "withdraw",
    ];

    private static readonly string[] Fates = ["arrives", "arrives", "is lost", "comes late", "comes twice", "begins anew"];

    private static readonly Gen<Step> AnyStep =
        from verb in Gen.Int[0, Verbs.Length - 1]
        from one in Gen.Int[0, 1000]
        from other in Gen.Int[0, 1000]
        select new Step(Verbs[verb], one, other);

    /// <summary>What becomes of an answer; the number chooses among those that are under way.</summary>
    private static readonly Gen<(string Fate, int Which)[]> Network = Gen.Select(Gen.Int[0, Fates.Length - 1], Gen.Int[0, 1000], (fate, which) => (Fates[fate], which)).Array[4, 10];

    private static readonly Gen<History> AnyHistory = Gen.Select(AnyStep.Array[6, 10].Array[3], Network.Array[3], AnyStep.Array[4, 8].Array[2], Network.Array[3],
        (before, near, away, back) => new History(before, near, away, back));

    private readonly ConcurrentDictionary<string, ConcurrentBag<string>> made = new();
    private readonly ConcurrentDictionary<string, int> done = new();

    /// <summary>One step of one writer; its numbers choose among what there is.</summary>
    private sealed record Step(string Verb, int One, int Other);

    private sealed record History(Step[][] Before, (string, int)[][] Near, Step[][] Away, (string, int)[][] Back);

    [Fact]
    public async Task After_any_history_every_phone_holds_what_its_owner_may_see()
    {
        (made["teams"], made["people"], made["activities"], made["shifts"]) = ([Team, OtherTeam], [Volunteer, await O.Volunteer(Team), await O.Volunteer(OtherTeam)], [Activity], [Shift]);
        Api[] owners = [Admin, Coordinator, Self];
        var phones = owners.Select(owner => new BadlyConnected(owner, limit: 9)).ToArray();
        var (tombstones, lost) = (0, 0);

        await AnyHistory.SampleAsync(async history =>
        {
            await Task.WhenAll([.. history.Before.Select(Write), .. phones.Zip(history.Near, (phone, network) => phone.Pull(network))]);
            await Host.Later(TimeSpan.FromDays(7));
            await Task.WhenAll(history.Away.Select(Write));
            await Task.WhenAll(phones.Zip(history.Back, (phone, network) => phone.Pull(network)));

            foreach (var (phone, owner) in phones.Zip(owners))
            {
                await phone.Settle();
                var (fresh, copy) = (await Phone.FreshCopy(owner), phone.Copy);
                Assert.Equal("", string.Join('\n', fresh.Except(copy).Select(missing => $"missing {missing}").Concat(copy.Except(fresh).Select(wrong => $"wrong {wrong}"))));
            }
            (tombstones, lost) = (phones.Sum(phone => phone.Tombstones), phones.Sum(phone => phone.Lost));
        }, iter: int.TryParse(Environment.GetEnvironmentVariable("CsCheck_Iter"), CultureInfo.InvariantCulture, out var more) ? more : Histories, threads: 1);

        // A history in which nothing happens would prove nothing: usually two verbs of three succeed.
        Assert.True(done.Count > Verbs.Length / 3, string.Join(' ', done.Keys));
        Assert.True(tombstones > 0 && lost > 0, $"{tombstones} tombstones, {lost} answers lost");
    }

    private async Task Write(Step[] steps)
    {
        foreach (var step in steps)
        {
            var answer = await Take(step);
            Assert.True(answer.Status is < 500 or 503, answer.Text);
            if (answer.Status < 300) done.AddOrUpdate(step.Verb, 1, (_, times) => times + 1);
            if (answer.Status == 201 && KindOf(step.Verb) is { } kind) made.GetOrAdd(kind, _ => []).Add(answer.Id);
        }
    }

    private static string? KindOf(string verb) => verb switch
    {
        "team" => "teams",
        "person" => "people",
        "project" => "projects",
        "activity" => "activities",
        "shift" => "shifts",
        "record" => "records",
        "dispute" => "disputes",
        "certificate" => "certificates",
        "award" => "awards",
        _ => null,
    };

    private Task<Answer> Take(Step step)
    {
        var (team, person, activity, shift) = (Any("teams", step.One), Any("people", step.One), Any("activities", step.Other), Any("shifts", step.Other));
        var start = Clock.GetUtcNow().AddDays(20).AddHours(step.One);
        return step.Verb switch
        {
            "team" => Admin.Post("/teams", new { name = Given.Unique("Team") }),
            "describe" => Admin.Patch($"/teams/{team}", new { description = Given.Unique("Does") }),
            "delete team" => Admin.Delete($"/teams/{team}"),
            "person" => Admin.Post("/volunteers", new { name = Given.Unique("Person") }),
            "rename" => Admin.Patch($"/volunteers/{person}", new { name = Given.Unique("Person") }),
            "join" => Admin.Put($"/teams/{(step.Other % 2 == 0 ? Team : OtherTeam)}/members/{person}", new { role = "member" }),
            "leave" => Admin.Delete($"/teams/{(step.Other % 2 == 0 ? Team : OtherTeam)}/members/{person}"),
            // The one whose phone it is stays.
            "erase" => person == Volunteer ? Admin.Get("") : Admin.Delete($"/volunteers/{person}"),
            "project" => Admin.Post("/projects", new { title = Given.Unique("Project"), category = "patrol" }),
            "activity" => Admin.Post("/activities", new { title = Given.Unique("Activity"), teamId = step.Other % 2 == 0 ? Team : OtherTeam, category = "patrol", startsAt = start, endsAt = start.AddHours(4) }),
            "publish" => Admin.Post($"/activities/{activity}/publish"),
            "retitle" => Admin.Patch($"/activities/{activity}", new { title = Given.Unique("Activity") }),
            "move" => Admin.Patch($"/activities/{activity}", new { teamId = step.One % 2 == 0 ? Team : OtherTeam }),
            "in charge" => Admin.Patch($"/activities/{activity}", new { responsibleVolunteerId = step.One % 3 == 0 ? null : person }),
            "call off" => Admin.Post($"/activities/{activity}/cancel", new { reason = "Rain" }),
            "shift" => Admin.Post($"/activities/{activity}/shifts", new { name = Given.Unique("Shift"), capacity = 1 }),
            "widen" => Admin.Patch($"/shifts/{shift}", new { capacity = 1 + (step.One % 3) }),
            "delete shift" => Admin.Delete($"/shifts/{shift}"),
            "sign up" => Admin.Post($"/shifts/{shift}/sign-ups", new { volunteerId = person, allowClash = true, clashReason = "Both are near." }),
            "give back" => Admin.Delete($"/shifts/{shift}/sign-ups/{person}"),
            "record" => Admin.Post("/service-records", new { activityId = activity, volunteerId = person, startsAt = Clock.GetUtcNow().AddDays(-60).AddHours(step.Other), endsAt = Clock.GetUtcNow().AddDays(-60).AddHours(step.Other + 1) }),
            "void" => Admin.Post($"/service-records/{Any("records", step.One)}/void", new { reason = "Wrong" }),
            "dispute" => Self.Post($"/service-records/{Any("records", step.One)}/disputes", new { message = "It was longer." }),
            "explain" => Admin.Post($"/disputes/{Any("disputes", step.One)}/answer", new { explanation = "It was not." }),
            "certificate" => Admin.Post($"/volunteers/{person}/certificates", new { from = $"{Clock.GetUtcNow().AddDays(-90):yyyy-MM-dd}", to = $"{Clock.GetUtcNow().AddDays(-1):yyyy-MM-dd}" }),
            "revoke" => Admin.Post($"/certificates/{Any("certificates", step.One)}/revoke", new { reason = "Wrong" }),
            "award" => Admin.Post("/awards", new { volunteerId = person, name = Given.Unique("Award") }),
            // Public from next week on, while the phones are away, or at once.
            "honour" => Admin.Post($"/awards/{Any("awards", step.One)}/publish", new { from = step.Other % 2 == 0 ? $"{Clock.GetUtcNow().AddDays(4):yyyy-MM-dd}" : null }),
            _ => Admin.Post($"/awards/{Any("awards", step.One)}/withdraw", new { reason = "Wrong" }),
        };
    }

    /// <summary>Among the first and the newest, so that things meet: a shift is moved with its activity, and a person renamed who has a place on it.</summary>
    private string Any(string kind, int number)
    {
        string[] all = [.. made.GetValueOrDefault(kind)?.Order() ?? Enumerable.Empty<string>()];
        string[] some = [.. all.Take(2).Union(all.TakeLast(3))];
        return some.Length > 0 ? some[number % some.Length] : Guid.Empty.ToString();
    }

    /// <summary>A phone to which answers come, or not, or late, or twice, in any order.</summary>
    private sealed class BadlyConnected(Api owner, int limit)
    {
        private readonly Phone phone = new(owner, limit);
        private readonly List<Answer> underWay = [];

        public int Lost { get; private set; }

        public int Tombstones { get; private set; }

        public SortedDictionary<string, string> Copy => phone.Copy;

        public async Task Pull((string Fate, int Which)[] network)
        {
            foreach (var (fate, which) in network)
            {
                // Whatever was asked before a beginning is of a copy that is no more.
                if (fate == "begins anew") phone.Forget();
                if (phone.Cursor is null) underWay.Clear();
                var answer = (await phone.Ask()).ShouldBe(200);
                if (fate is "is lost") Lost++;
                else if (fate is "comes late") underWay.Add(answer);
                else Take(answer, goOn: true);
                if (fate is "comes twice") underWay.Add(answer);
                if (underWay.Count > 0 && which % 2 == 0) Arrive(which);
            }
        }

        /// <summary>What is still under way comes in any order, and then the network is good.</summary>
        public async Task Settle()
        {
            if (phone.Cursor is null) underWay.Clear();
            for (var which = 7; underWay.Count > 0; which += 11) Arrive(which);
            await phone.Pull();
        }

        /// <summary>Going on from an old answer only means to be sent some of it again.</summary>
        private void Arrive(int which)
        {
            var late = underWay[which % underWay.Count];
            underWay.Remove(late);
            Take(late, goOn: which % 3 == 0);
        }

        private void Take(Answer answer, bool goOn)
        {
            Tombstones += answer.Items.Count(item => (bool)item!["deleted"]!);
            phone.Take(answer, goOn);
        }
    }
}
