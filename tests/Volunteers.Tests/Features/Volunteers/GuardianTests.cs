using System.Globalization;
using Volunteers.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>Minors take part with a guardian's consent; of children nothing is recorded without it.</summary>
public sealed class GuardianTests(TestDatabases databases) : ApiTest(databases)
{
    private const string NeededForData = "guardian_consent_needed_for_data";
    private const string Needed = "guardian_consent_needed";

    private static readonly object Guardian = new { name = "王母", phone = "13900139000", relation = "母亲", version = "v1", at = "2026-01-01T08:00:00+08:00" };

    private OrganizationSteps o = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        o = await Given.Organization();
    }

    [Theory]
    [InlineData(14, 0, "active", Needed)]
    [InlineData(14, 0, "paused", null)]
    [InlineData(14, 1, "paused", NeededForData)]
    [InlineData(14, 1, "active", NeededForData)]
    [InlineData(18, 0, "active", null)]
    [InlineData(18, 1, "active", Needed)]
    [InlineData(18, 1, "applied", null)]
    public async Task Whoever_has_not_had_the_birthday_yet_needs_a_guardian(int age, int daysBefore, string status, string? code)
    {
        var birthDate = Born(age, daysBefore);

        var answer = await o.Admin.Post("/volunteers", new { name = "小王", birthDate, status });

        if (code is null) answer.ShouldBe(201);
        else
        {
            Assert.Contains(code == Needed ? "18" : "14", (string)answer.ShouldRefuse(409, code)["detail"]!, StringComparison.Ordinal);
            Assert.Empty((await o.Admin.Get("/volunteers?q=小王")).Items);
        }
        var guarded = (await o.Admin.Post("/volunteers", new { name = "小李", birthDate, status, guardian = Guardian })).ShouldBe(201);
        Assert.Equal(("母亲", "2026-01-01T00:00:00Z", false), ((string?)guarded["guardian"]!["relation"], (string?)guarded["guardian"]!["at"], (bool)guarded["guardianMissing"]!));
    }

    [Fact]
    public async Task A_guardian_is_moot_from_the_birthday_on_by_the_organizations_own_calendar()
    {
        var elsewhere = await Given.AnotherOrganization("Pacific/Kiritimati");
        // Today there is 14 hours ahead of UTC: a birthday that is a day away in UTC can be today.
        var today = DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime.AddHours(14));
        var minor = (await o.Admin.Post("/volunteers", new { name = "小王", birthDate = Born(18, 1), status = "paused" })).ShouldBe(201).Id;

        (await elsewhere.Admin.Post("/volunteers", new { name = "小王", birthDate = today.AddYears(-18) })).ShouldBe(201);
        (await o.Admin.Patch($"/volunteers/{minor}", new { status = "active" })).ShouldRefuse(409, Needed);
        Assert.True((bool)(await o.Admin.Get($"/volunteers/{minor}"))["guardianMissing"]!);
        Assert.Equal(minor, (string?)Assert.Single((await o.Admin.Get("/volunteers?guardianMissing=true")).Items)!["id"]);

        await Host.Later(TimeSpan.FromDays(1));

        (await o.Admin.Patch($"/volunteers/{minor}", new { status = "active" })).ShouldBe(200);
        Assert.Empty((await o.Admin.Get("/volunteers?guardianMissing=true")).Items);
    }

    [Theory]
    [InlineData("2008-02-29", "2026-02-28", true)]
    [InlineData("2008-02-29", "2026-03-01", false)]
    [InlineData("2008-02-28", "2026-02-28", false)]
    [InlineData("2010-03-01", "2028-02-29", true)]
    [InlineData("2010-02-28", "2028-02-29", false)]
    public void Born_on_a_leap_day_one_comes_of_age_on_the_first_of_March(string born, string today, bool minor) =>
        Assert.Equal(minor, new AgeLimits(Day(today), 14, 18).IsMinor(Day(born)));

    [Fact]
    public async Task Nobody_becomes_active_by_any_way_without_one()
    {
        var (applicant, minor) = ((await o.Admin.Post("/volunteers", new { name = "小王", birthDate = Born(16), status = "applied" })).ShouldBe(201).Id, await o.Volunteer());

        (await o.Admin.Post($"/volunteers/{applicant}/accept", new { })).ShouldRefuse(409, Needed);
        (await o.Admin.Patch($"/volunteers/{applicant}", new { status = "active" })).ShouldRefuse(409, Needed);
        (await o.Admin.Patch($"/volunteers/{minor}", new { birthDate = Born(16) })).ShouldRefuse(409, Needed);
        (await o.Admin.Patch($"/volunteers/{minor}", new { birthDate = Born(13) })).ShouldRefuse(409, NeededForData);
        var imported = (await o.Admin.ImportCsv($"姓名,出生日期\r\n小李,{Born(16):yyyy-MM-dd}\r\n小张,{Born(13):yyyy-MM-dd}\r\n小赵,{Born(19):yyyy-MM-dd}\r\n", dryRun: true)).ShouldBe(200);
        Assert.Equal([(2, Needed), (3, NeededForData)], imported["refused"]!.AsArray().Select(row => ((int)row!["row"]!, (string)row["code"]!)));
        Assert.Equal(("active", null), ((string?)(await o.Admin.Get($"/volunteers/{minor}"))["status"], (string?)(await o.Admin.Get($"/volunteers/{minor}"))["birthDate"]));

        (await o.Admin.Patch($"/volunteers/{applicant}", new { guardian = Guardian })).ShouldBe(200);
        (await o.Admin.Post($"/volunteers/{applicant}/accept", new { })).ShouldBe(200);
        (await o.Admin.Patch($"/volunteers/{minor}", new { birthDate = Born(16), guardian = Guardian })).ShouldBe(200);
    }

    [Fact]
    public async Task A_child_applies_with_a_guardian_or_leaves_no_trace_whoever_is_known()
    {
        object Application(string phone, object? guardian = null) => new { name = "小王", phone, birthDate = Born(13), consent = new { version = "v1" }, guardian };
        var apply = $"{o.Path}/volunteers/applications";
        (await o.Admin.Post("/volunteers", new { name = "王师傅", phone = "13800138000" })).ShouldBe(201);

        foreach (var phone in new[] { "13800138000", "13700137000" }) (await Host.Anonymous.Post(apply, Application(phone))).ShouldRefuse(409, NeededForData);
        Assert.Empty((await o.Admin.Get("/volunteers?hasApplication=true")).Items);

        (await Host.Anonymous.Post(apply, Application("13700137000", new { name = "王母", phone = "13900139000", relation = "母亲", version = "g1" }))).ShouldBe(202);
        var child = (string)Assert.Single((await o.Admin.Get("/volunteers?hasApplication=true")).Items)!["id"]!;
        Assert.Equal(("王母", "g1"), ((string?)(await o.Admin.Get($"/volunteers/{child}"))["guardian"]!["name"], (string?)(await o.Admin.Get($"/volunteers/{child}"))["guardian"]!["version"]));
        Assert.Equal(["guardian given guardian", "profile given guardian"], (await Receipts(child)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task When_a_guardian_takes_the_consent_back_a_minor_pauses_and_takes_no_part()
    {
        var team = await o.Team();
        var minor = await Minor(16, team);
        var (before, after) = (await o.Shift(await o.UpcomingActivity(team, Clock.GetUtcNow().AddMinutes(30))), await o.Shift(await o.UpcomingActivity(team)));
        await o.SignUp(before, minor);

        (await o.Admin.Patch($"/volunteers/{minor}", new { guardian = (object?)null })).ShouldBe(200);

        var profile = await o.Admin.Get($"/volunteers/{minor}");
        Assert.Equal(("paused", "guardian", null, true),
            ((string?)profile["status"], (string?)Assert.Single(profile["withdrawnConsents"]!.AsArray()), (string?)profile["guardian"], (bool)profile["guardianMissing"]!));
        Assert.Equal(minor, (string?)Assert.Single((await o.Admin.Get("/volunteers?consentWithdrawn=true")).Items)!["id"]);
        (await o.Admin.Post($"/shifts/{before}/check-in", new { volunteerId = minor })).ShouldRefuse(409, Needed);
        (await o.Admin.Post($"/shifts/{after}/sign-ups", new { volunteerId = minor })).ShouldRefuse(409, "volunteer_not_active");
        (await o.Admin.Patch($"/volunteers/{minor}", new { status = "active" })).ShouldRefuse(409, Needed);
        // What a minor gave is recorded all the same: that is about service, and true.
        (await o.Admin.Post("/service-records", Service(await o.Activity(team), minor))).ShouldBe(201);

        (await o.Admin.Patch($"/volunteers/{minor}", new { guardian = Guardian, status = "active" })).ShouldBe(200);
        (await o.Admin.Post($"/shifts/{before}/check-in", new { volunteerId = minor })).ShouldBe(200);
        Assert.Equal(["guardian given guardian", "guardian withdrawn guardian", "guardian given guardian"], await Receipts(minor));
    }

    [Fact]
    public async Task Of_a_child_without_one_nothing_new_is_recorded_by_any_way()
    {
        var team = await o.Team();
        var child = await Minor(13, team);
        var shift = await o.Shift(await o.UpcomingActivity(team, Clock.GetUtcNow().AddMinutes(30)));
        var activity = await o.Activity(team);
        var award = (await o.Admin.Post("/awards", new { volunteerId = child, name = "Helper" })).ShouldBe(201).Id;
        await o.SignUp(shift, child);
        (await o.Admin.Post($"/volunteers/{child}/consents", new { purpose = "guardian", action = "withdrawn", by = "guardian" })).ShouldBe(201);

        foreach (var (method, path, body) in new (HttpMethod, string, object)[]
        {
            (HttpMethod.Patch, $"/volunteers/{child}", new { residence = "石厦村" }), (HttpMethod.Patch, $"/volunteers/{child}", new { phone = "13800138000" }),
            (HttpMethod.Post, "/service-records", Service(activity, child)),
            (HttpMethod.Post, $"/volunteers/{child}/trainings", new { name = "First aid", minutes = 60, heldOn = "2026-06-07" }),
            (HttpMethod.Post, $"/volunteers/{child}/ratings", new { grade = "Good", ratedBy = "Neighbours", ratedOn = "2026-06-07" }),
            (HttpMethod.Post, $"/awards/{award}/publish", new { }),
            (HttpMethod.Put, $"/volunteers/{child}/identity-document", new { kind = "passport", number = "E12345678" }),
        })
            (await o.Admin.Send(method, path, body, ("If-Match", "*"))).ShouldRefuse(409, NeededForData);
        (await o.Admin.Post($"/shifts/{shift}/check-in", new { volunteerId = child })).ShouldRefuse(409, Needed);
        var batch = (await o.Admin.Post("/service-records/batch", new { items = new[] { Service(activity, child) } })).ShouldRefuse(409, "batch_refused");
        Assert.Equal(NeededForData, (string?)batch["refusals"]![0]!["code"]);
        var headcount = (await o.Admin.Post("/service-records",
            new { activityId = activity, startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T15:30:00+08:00", headcount = new { personTimes = 3, method = "counted" } })).ShouldBe(201).Id;
        (await o.Admin.Post($"/service-records/{headcount}/claims", new { volunteerId = child })).ShouldRefuse(409, NeededForData);
        Assert.Null((string?)(await o.Admin.Get($"/volunteers/{child}"))["residence"]);

        // To leave, or to be put right as the grown-up they are, is always possible.
        (await o.Admin.Patch($"/volunteers/{child}", new { status = "left" })).ShouldBe(200);
        (await o.Admin.Patch($"/volunteers/{child}", new { birthDate = Born(30), status = "active" })).ShouldBe(200);
    }

    [Fact]
    public async Task An_organization_sets_its_own_ages_and_who_has_no_birth_date_is_grown_up()
    {
        var strict = await Given.AnotherOrganization(settings: new { guardianForDataBelow = 16, guardianForServiceBelow = 20 });

        (await strict.Admin.Post("/volunteers", new { name = "小王", birthDate = Born(15), status = "paused" })).ShouldRefuse(409, NeededForData);
        (await strict.Admin.Post("/volunteers", new { name = "小王", birthDate = Born(19) })).ShouldRefuse(409, Needed);
        (await strict.Admin.Post("/volunteers", new { name = "小王" })).ShouldBe(201);
        foreach (var settings in new object[] { new { guardianForDataBelow = 12 }, new { guardianForDataBelow = 19 }, new { guardianForServiceBelow = 13 }, new { guardianForServiceBelow = 22 } })
            (await strict.Admin.Patch("", new { settings })).ShouldRefuse(400, "invalid_request");
        var kept = (await strict.Admin.Get(""))["settings"]!;
        Assert.Equal((16, 20), ((int)kept["guardianForDataBelow"]!, (int)kept["guardianForServiceBelow"]!));
        var usual = (await o.Admin.Get(""))["settings"]!;
        Assert.Equal((14, 18), ((int)usual["guardianForDataBelow"]!, (int)usual["guardianForServiceBelow"]!));
    }

    [Fact]
    public async Task A_roster_brings_guardians_whole_or_is_refused_by_the_cell_that_is_missing()
    {
        const string heading = "编号,姓名,出生日期,监护人,监护人电话,与监护人关系,监护人同意书版本,监护人同意时间\r\n";
        var child = $"A-1,小王,{Born(13):yyyy-MM-dd},王母,13900139000,母亲,g1,2026-01-02\r\n";

        var incomplete = (await o.Admin.ImportCsv(heading + child.Replace("母亲", "", StringComparison.Ordinal))).ShouldRefuse(409, "import_refused");
        Assert.Equal(("与监护人关系", "guardian_incomplete"), ((string?)incomplete["refused"]![0]!["column"], (string?)incomplete["refused"]![0]!["code"]));
        var masked = (await o.Admin.ImportCsv(heading + child.Replace("13900139000", "139****9000", StringComparison.Ordinal))).ShouldRefuse(409, "import_refused");
        Assert.Equal(("监护人电话", "masked_value"), ((string?)masked["refused"]![0]!["column"], (string?)masked["refused"]![0]!["code"]));

        Assert.Equal((1, 0), ((int)(await o.Admin.ImportCsv(heading + child)).ShouldBe(200)["created"]!, (int)(await o.Admin.ImportCsv(heading + child)).ShouldBe(200)["created"]!));
        var kept = (string)Assert.Single((await o.Admin.Get("/volunteers?q=小王")).Items)!["id"]!;
        Assert.Equal(("王母", "2026-01-01T16:00:00Z"), ((string?)(await o.Admin.Get($"/volunteers/{kept}"))["guardian"]!["name"], (string?)(await o.Admin.Get($"/volunteers/{kept}"))["guardian"]!["at"]));
        Assert.Equal(["guardian given guardian"], await Receipts(kept));
    }

    /// <summary>Somebody of that age, with a guardian's consent, active in the team.</summary>
    private async Task<string> Minor(int age, string team)
    {
        var id = (await o.Admin.Post("/volunteers", new { name = "小王", birthDate = Born(age), guardian = Guardian })).ShouldBe(201).Id;
        await o.Member(team, id);
        return id;
    }

    private static object Service(string activity, string volunteer) =>
        new { activityId = activity, volunteerId = volunteer, startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T15:30:00+08:00" };

    private async Task<string[]> Receipts(string volunteer) =>
        [.. (await o.Admin.Get($"/volunteers/{volunteer}/consents")).ShouldBe(200).Items.Select(r => $"{r!["purpose"]} {r["action"]} {r["by"]}")];

    /// <summary>Whose birthday of that age is today in Shanghai, or so many days ahead.</summary>
    private DateOnly Born(int age, int daysAhead = 0) => DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime.AddHours(8)).AddDays(daysAhead).AddYears(-age);

    private static DateOnly Day(string day) => DateOnly.Parse(day, CultureInfo.InvariantCulture);
}
