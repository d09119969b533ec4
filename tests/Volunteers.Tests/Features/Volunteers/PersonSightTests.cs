using System.Net.Http.Headers;
using Volunteers.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>Who sees what of a person: the README's table of that name.</summary>
public sealed class PersonSightTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Phone = "+86 138 0013 8000";

    private OrganizationSteps o = null!;
    private string team = null!;
    private string otherTeam = null!;
    private string person = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        o = await Given.Organization();
        (team, otherTeam) = (await o.Team(), await o.Team());
        person = (await o.Admin.Post("/volunteers", new
        {
            name = "张三", phone = Phone, gender = "male", birthDate = "1980-01-02", residence = "福田区石厦村", hometown = "湖北",
            guardian = new { name = "张父", phone = "13900139000", relation = "父亲", version = "v1", at = "2026-01-01T00:00:00Z" },
        })).ShouldBe(201).Id;
        await o.Member(team, person);
        (await o.Admin.Put($"/volunteers/{person}/identity-document", new { kind = "passport", number = "E12345678" })).ShouldBe(200);
    }

    [Theory]
    [InlineData("self", true)]
    [InlineData("administrator", true)]
    [InlineData("coordinator", true)]
    [InlineData("coordinator of the team", true)]
    [InlineData("client (coordinator)", true)]
    [InlineData("auditor", false)]
    [InlineData("client (auditor)", false)]
    [InlineData("auditor, coordinator of another team", false)]
    public async Task A_profile_is_whole_to_the_person_and_who_coordinates_them_and_to_others_what_tells_people_apart(string who, bool whole)
    {
        var caller = await Caller(who);

        var profile = (await caller.Get($"/volunteers/{person}")).ShouldBe(200);

        Assert.Equal(("张三", "湖北", 1980), ((string?)profile["name"], (string?)profile["hometown"], (int?)profile["birthYear"]));
        Assert.Equal(whole ? Phone : "138****8000", (string?)profile["phone"]);
        Assert.Equal(whole ? ("male", "1980-01-02", "福田区石厦村", "13900139000", "passport") : (null, null, null, null, null), ((string?)profile["gender"],
            (string?)profile["birthDate"], (string?)profile["residence"], (string?)profile["guardian"]?["phone"], (string?)profile["identityDocument"]));
        Assert.Equal(whole ? [] : ["phone", "gender", "birthDate", "residence", "guardian", "identityDocument"], profile["withheld"]!.AsArray().Select(name => (string)name!));
        if (!whole)
            foreach (var secret in new[] { "0013", "13900139000", "张父", "01-02", "石厦村", "E123" }) Assert.DoesNotContain(secret, profile.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("self")]
    [InlineData("administrator")]
    [InlineData("coordinator of the team")]
    [InlineData("client (coordinator)")]
    [InlineData("auditor")]
    public async Task A_list_has_no_phone_but_ones_own_and_nothing_finds_somebody_by_their_phone(string who)
    {
        var caller = await Caller(who);

        var list = (await caller.Get("/volunteers?limit=200")).ShouldBe(200);

        var shown = Assert.Single(list.Items, item => (string?)item!["id"] == person)!;
        Assert.Equal(who == "self" ? Phone : "138****8000", (string?)shown["phone"]);
        foreach (var secret in new[] { "13900139000", "张父", "01-02", "石厦村", "male" }) Assert.DoesNotContain(secret, list.Text, StringComparison.Ordinal);
        foreach (var part in new[] { "138", "8000", "13800138000", "138****8000", Phone, "+86", "0013" })
            Assert.Empty((await caller.Get($"/volunteers?q={Uri.EscapeDataString(part)}")).ShouldBe(200).Items);
    }

    [Fact]
    public async Task No_other_view_of_people_has_more_than_names()
    {
        var activity = await o.UpcomingActivity(team, Clock.GetUtcNow().AddMinutes(10));
        var shift = await o.Shift(activity);
        await o.SignUp(shift, person);
        (await o.Admin.Post($"/shifts/{shift}/check-in", new { volunteerId = person })).ShouldBe(200);
        var service = await o.Record(await o.Activity(team), person, "2026-06-07T14:30:00+08:00", "2026-06-07T15:30:00+08:00");
        (await (await o.SignedInAs(person)).Post($"/service-records/{service}/disputes", new { message = "It was longer" })).ShouldBe(201);
        (await o.Admin.Post("/awards", new { volunteerId = person, name = "Helper" })).ShouldBe(201);
        var auditor = await o.SignedInWithRole("auditor");

        foreach (var path in new[]
        {
            $"/teams/{team}/members", $"/shifts/{shift}/sign-ups", $"/shifts/{shift}/attendance", "/attendance/exceptions", "/service-records", "/service-records/review",
            "/disputes", "/awards", "/ledger", "/stars?level=0", "/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=volunteer",
            "/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=volunteer&format=csv", "/service-records/export?from=2026-01-01&to=2026-12-31&format=csv",
        })
            foreach (var caller in new[] { o.Admin, auditor })
            {
                var text = (await caller.Get(path)).ShouldBe(200).Text;
                foreach (var secret in new[] { "0013 8000", "13800138000", "138****", "13900139000", "张父", "1980-01-02", "石厦村", "E12345678" })
                    Assert.False(text.Contains(secret, StringComparison.Ordinal), $"{path} says {secret}: {text}");
            }
    }

    [Fact]
    public async Task A_masked_value_that_is_sent_back_is_refused_and_the_true_one_stays()
    {
        var listed = (string)Assert.Single((await o.Admin.Get("/volunteers?q=张三")).Items)!["phone"]!;

        var refused = (await o.Admin.Patch($"/volunteers/{person}", new { phone = listed })).ShouldRefuse(400, "masked_value");
        Assert.Equal("/phone", Assert.Single(refused["errors"]!.AsObject()).Key);
        (await o.Admin.Patch($"/volunteers/{person}", new { guardian = new { phone = "139****9000" } })).ShouldRefuse(400, "masked_value");
        (await o.Admin.Post("/volunteers", new { name = "李四", phone = listed })).ShouldRefuse(400, "masked_value");
        (await Host.Anonymous.Post($"{o.Path}/volunteers/applications", new { name = "李四", phone = listed, consent = new { version = "v1" } })).ShouldRefuse(400, "masked_value");
        (await o.Admin.Put($"/volunteers/{person}/identity-document", new { kind = "passport", number = "E******78" })).ShouldRefuse(400, "masked_value");
        // With something else wrong the code is the general one, and both are named.
        var both = (await o.Admin.Patch($"/volunteers/{person}", new { phone = listed, name = "" })).ShouldRefuse(400, "invalid_request");
        Assert.Equal(["/name", "/phone"], both["errors"]!.AsObject().Select(error => error.Key).Order());
        var imported = await o.Admin.ImportCsv($"姓名,出生日期,电话\r\n张三,1980-01-02,{listed}\r\n");
        Assert.Equal("masked_value", (string?)imported.ShouldRefuse(409, "import_refused")["refused"]![0]!["code"]);

        var profile = await o.Admin.Get($"/volunteers/{person}");
        Assert.Equal((Phone, "13900139000"), ((string?)profile["phone"], (string?)profile["guardian"]!["phone"]));
    }

    [Fact]
    public async Task Who_reads_everything_acts_for_nobody_by_that()
    {
        var caller = await Caller("auditor, coordinator of another team");

        (await caller.Patch($"/volunteers/{person}", new { hometown = "湖南" })).ShouldRefuse(403, "not_their_coordinator");
        (await caller.Post($"/volunteers/{person}/invitation")).ShouldRefuse(403, "not_their_coordinator");
        (await caller.Put($"/volunteers/{person}/identity-document", new { kind = "passport", number = "E87654321" })).ShouldRefuse(403, "not_their_coordinator");
        (await caller.Post($"/volunteers/{person}/consents", new { purpose = "profile", action = "withdrawn" })).ShouldRefuse(403, "not_their_consent");
        // Nor do they get to by taking them into their own team.
        (await caller.Put($"/teams/{otherTeam}/members/{person}", new { role = "member" })).ShouldRefuse(404, "not_found");
        (await caller.Get($"/volunteers/{person}/identity-document")).ShouldRefuse(404, "not_found");
        (await caller.Delete($"/volunteers/{person}/identity-document")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task Volunteers_see_the_names_of_those_who_are_with_them_in_a_team_now()
    {
        var (mate, former) = (await o.Volunteer(team), await o.Volunteer(team));
        (await o.Admin.Delete($"/teams/{team}/members/{former}")).ShouldBe(204);
        var volunteer = await o.SignedInAs(mate);

        var members = (await volunteer.Get($"/teams/{team}/members")).ShouldBe(200);
        Assert.Equal([person, mate], members.Items.Select(member => (string?)member!["volunteerId"]));
        Assert.Equal(["joinedOn", "leftOn", "name", "number", "role", "volunteerId"], members.Items[0]!.AsObject().Select(member => member.Key).Order());
        (await volunteer.Get($"/teams/{team}/members?includeLeft=true")).ShouldRefuse(403, "forbidden");
        (await volunteer.Get($"/teams/{otherTeam}/members")).ShouldRefuse(404, "not_found");
        (await volunteer.Get($"/volunteers/{person}")).ShouldRefuse(404, "not_found");

        // Who has left the organization has no team mates, though their membership was never closed.
        (await o.Admin.Patch($"/volunteers/{mate}", new { status = "left" })).ShouldBe(200);
        (await volunteer.Get($"/teams/{team}/members")).ShouldRefuse(404, "not_found");
    }

    [Theory]
    [InlineData("13812345678", "138****5678")]
    [InlineData("138 1234 5678", "138****5678")]
    [InlineData("+86 138-1234-5678", "138****5678")]
    [InlineData("0086 13812345678", "138****5678")]
    [InlineData("+44 7911 123456", "+447****3456")]
    [InlineData("+1 (415) 555-2671", "+141****2671")]
    [InlineData("(0755) 8345-6789", "075****6789")]
    [InlineData("83456789", "83****89")]
    [InlineData("12345", "****45")]
    [InlineData("110", "****")]
    [InlineData("   ", "****")]
    public void A_phone_is_masked_however_it_is_written(string phone, string masked) => Assert.Equal(masked, PersonPhone.Masked(phone));

    private async Task<Api> Caller(string who)
    {
        switch (who)
        {
            case "administrator": return o.Admin;
            case "self": return await o.SignedInAs(person);
            case "coordinator of the team": return await o.SignedInWithRole("coordinator", team);
            case "client (coordinator)": return await Client("coordinator");
            case "client (auditor)": return await Client("auditor");
            case "auditor, coordinator of another team":
                var (login, account) = await o.Account(await o.Volunteer());
                (await o.Admin.Put($"/roles/{account}", new { roles = new object[] { new { role = "auditor" }, new { role = "coordinator", teamId = otherTeam } } })).ShouldBe(200);
                return (await Host.SignIn(login, Given.Password)).At(o.Path);
            default: return await o.SignedInWithRole(who);
        }
    }

    private async Task<Api> Client(string role)
    {
        var made = (await o.Admin.Post("/clients", new { name = "Gateway", role, scopes = Clients.AllScopes })).ShouldBe(201);
        var http = Host.Http();
        var token = (await ApiHost.PostToken(http, ("grant_type", "client_credentials"), ("scope", "api"),
            ("client_id", (string)made["clientId"]!), ("client_secret", (string)made["clientSecret"]!))).ShouldBe(200);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)token["access_token"]!);
        return new Api(http, o.Path);
    }
}
