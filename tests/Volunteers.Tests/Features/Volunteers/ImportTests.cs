using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>What the rows of a roster do.</summary>
public sealed class ImportTests(TestDatabases databases) : ApiTest(databases)
{
    private const string Roster = "编号,姓名,电话,籍贯\r\nA-1,张三,13800138000,湖北\r\n,李四,13900139000,\r\n";

    [Fact]
    public async Task The_same_file_twice_changes_nothing_the_second_time()
    {
        var o = await Given.Organization();
        await o.Admin.Post("/teams", new { name = "巡逻队" });
        const string roster = "姓名,电话,技能,出生日期,服务队,队内角色,加入日期,同意书版本,同意时间\r\n张三,13800138000,急救、驾驶,1980-01-02,巡逻队,队长,2020-01-02,v1,2020-01-02\r\n李四,,,,巡逻队,,,,\r\n";
        Assert.Equal((2, 0, 0), Counts(await o.Admin.ImportCsv(roster)));
        var before = (await o.Admin.Get("/volunteers")).Text;

        // Without a number, phone or birth date nothing tells that the second row is the same person.
        var again = await o.Admin.ImportCsv(roster.Replace("李四,,,,巡逻队,,,,\r\n", "", StringComparison.Ordinal));

        Assert.Equal((0, 0, 1), Counts(again.ShouldBe(200)));
        Assert.Equal(before, (await o.Admin.Get("/volunteers")).Text);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_happen_and_writes_nothing()
    {
        var o = await Given.Organization();
        var known = (await o.Admin.Post("/volunteers", new { number = "A-1", name = "张三丰", hometown = "湖北" })).ShouldBe(201);

        var answer = await o.Admin.ImportCsv(Roster, dryRun: true);

        Assert.Equal((1, 1, 0), Counts(answer.ShouldBe(200)));
        Assert.True((bool)answer["dryRun"]!);
        Assert.Equal(known.Text, (await o.Admin.Get($"/volunteers/{known.Id}")).Text);
        Assert.Single((await o.Admin.Get("/volunteers")).Items);
        var next = (await o.Admin.Post("/volunteers", new { name = "王五" })).ShouldBe(201);
        Assert.Equal("000001", (string?)next["number"]);
    }

    [Fact]
    public async Task A_person_is_found_by_number_then_by_phone_then_by_name_and_birth_date()
    {
        var o = await Given.Organization();
        var byNumber = (await o.Admin.Post("/volunteers", new { number = "A-1", name = "甲" })).Id;
        var byPhone = (await o.Admin.Post("/volunteers", new { name = "乙", phone = "+86 138-0013-8000" })).Id;
        var byBirth = (await o.Admin.Post("/volunteers", new { name = "丙", birthDate = "1980-01-02" })).Id;

        var answer = await o.Admin.ImportCsv(
            "编号,姓名,电话,生日,籍贯\r\nA-1,甲,,,湖北\r\n,乙,13800138000,,湖南\r\n,丙,,1980/1/2,广东\r\n,丙,,1981/1/2,四川\r\n");

        Assert.Equal((1, 3, 0), Counts(answer.ShouldBe(200)));
        Assert.Equal("湖北", (string?)(await o.Admin.Get($"/volunteers/{byNumber}"))["hometown"]);
        Assert.Equal("湖南", (string?)(await o.Admin.Get($"/volunteers/{byPhone}"))["hometown"]);
        Assert.Equal("广东", (string?)(await o.Admin.Get($"/volunteers/{byBirth}"))["hometown"]);
    }

    [Fact]
    public async Task Only_columns_with_a_value_change_anything()
    {
        var o = await Given.Organization();
        var known = await o.Admin.Post("/volunteers", new
        {
            number = "A-1", name = "张三", phone = "13800138000", hometown = "湖北", gender = "male", status = "paused", joinedOn = "2019-01-01",
            skills = new[] { new { name = "急救", expiresOn = "2027-01-01" } },
        });

        Assert.Equal((0, 1, 0), Counts(await o.Admin.ImportCsv("编号,籍贯,电话,技能\r\nA-1,湖南,,急救；驾驶\r\n")));

        var person = await o.Admin.Get($"/volunteers/{known.ShouldBe(201).Id}");
        Assert.Equal(
            ("张三", "13800138000", "湖南", "male", "paused", "2019-01-01"),
            ((string?)person["name"], (string?)person["phone"], (string?)person["hometown"], (string?)person["gender"], (string?)person["status"], (string?)person["joinedOn"]));
        // What a skill that stays was known to be stays with it.
        Assert.Equal([("急救", "2027-01-01"), ("驾驶", null)], person["skills"]!.AsArray().Select(s => ((string)s!["name"]!, (string?)s["expiresOn"])));
    }

    [Fact]
    public async Task A_row_names_several_teams_with_one_role_for_all_or_one_for_each()
    {
        var o = await Given.Organization();
        foreach (var name in new[] { "巡逻队", "送考队", "巡逻队、夜班" }) await o.Admin.Post("/teams", new { name });

        (await o.Admin.ImportCsv("编号,姓名,服务队,队内角色\r\n1,甲,巡逻队、送考队,骨干\r\n2,乙,\"送考队, 巡逻队、夜班；巡逻队\",队长、队员、骨干\r\n3,丙,送考队；送考队,\r\n")).ShouldBe(200);
        var refused = (await o.Admin.ImportCsv("编号,姓名,服务队,队内角色\r\n4,丁,巡逻队、送考队、巡逻队、夜班,骨干、队员\r\n5,戊,巡逻队、没有的队,队员\r\n6,己,送考队,骨干、别的\r\n")).ShouldRefuse(409, "import_refused");

        Assert.Equal(["巡逻队 core", "送考队 core"], await Memberships("1"));
        Assert.Equal(["巡逻队 core", "巡逻队、夜班 member", "送考队 leader"], await Memberships("2"));
        Assert.Equal(["送考队 member"], await Memberships("3"));
        Assert.Equal([(2, "队内角色", "team_roles_differ"), (3, "服务队", "team_not_found"), (4, "队内角色", "unknown_word")], Refusals(refused));
        var again = await o.Admin.ImportCsv("编号,服务队\r\n1,送考队、巡逻队\r\n2,\"巡逻队、夜班,送考队\"\r\n3,巡逻队、送考队\r\n");
        Assert.Equal((0, 1, 2), Counts(again.ShouldBe(200)));

        // A cell that is a team's name is that team, whatever the name ends with.
        (await o.Admin.Post("/teams", new { name = "夜巡；" })).ShouldBe(201);
        (await o.Admin.ImportCsv("编号,姓名,服务队\r\n0,子,夜巡；\r\n")).ShouldBe(200);
        Assert.Equal(["夜巡； member"], await Memberships("0"));
        // Empty entries are none; where a name reads as two, the roles decide, and where they do not, the longer name.
        (await o.Admin.Post("/teams", new { name = "夜班" })).ShouldBe(201);
        (await o.Admin.ImportCsv("编号,姓名,服务队,队内角色\r\n7,庚,、巡逻队、 、送考队；,\r\n8,辛,巡逻队、夜班,骨干、队长\r\n9,壬,巡逻队、夜班,骨干\r\n")).ShouldBe(200);
        Assert.Equal(["巡逻队 member", "送考队 member"], await Memberships("7"));
        Assert.Equal(["夜班 leader", "巡逻队 core"], await Memberships("8"));
        Assert.Equal(["巡逻队、夜班 core"], await Memberships("9"));
        Assert.Equal([(2, "服务队", "team_not_found")], Refusals(await o.Admin.ImportCsv($"编号,姓名,服务队\r\n10,癸,{string.Concat(Enumerable.Repeat("夜班、", 5_000))}\r\n")));

        async Task<IEnumerable<string>> Memberships(string number)
        {
            var id = (await o.Admin.Get($"/volunteers?q={number}")).Items.Single(person => (string?)person!["number"] == number)!["id"];
            var found = new List<string>();
            foreach (var team in (await o.Admin.Get("/teams?limit=200")).Items)
                foreach (var member in (await o.Admin.Get($"/teams/{team!["id"]}/members?limit=200")).Items)
                    if ((string?)member!["volunteerId"] == (string?)id) found.Add($"{team["name"]} {member["role"]}");
            return found.Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public async Task One_refused_row_keeps_all_the_others_out_and_every_refusal_names_its_row_and_column()
    {
        var o = await Given.Organization();
        const string roster =
            "姓名,手机,性别,生日,服务队,队内角色,同意书版本\r\n" +
            "张三,13800138000,男,1980-01-02,,,\r\n" +
            "李四,abc,男,1980-02-30,,,\r\n" +
            "\r\n" +
            "王五,13700137000,公,2199-01-01,没有的队,,\r\n" +
            ",13600136000,,,,队长,\r\n" +
            "赵六,abc,,,,,v1\r\n" +
            "张三丰,138-0013-8000,,,,,\r\n" +
            ",13500135000,,,,,\r\n";

        var answer = (await o.Admin.ImportCsv(roster)).ShouldRefuse(409, "import_refused");

        Assert.Equal((1, 0, 0), Counts(answer));
        Assert.Equal(
        [
            (3, "生日", "unknown_date"), (3, "手机", "invalid_value"),
            (5, "性别", "unknown_word"), (5, "服务队", "team_not_found"), (5, "生日", "invalid_value"),
            (6, "服务队", "team_needed"), (6, "姓名", "invalid_value"),
            (7, "consentAt", "consent_incomplete"), (7, "手机", "invalid_value"),
            (8, null, "duplicate_row"), (9, "姓名", "invalid_value"),
        ], Refusals(answer));
        Assert.Equal(Refusals(answer), Refusals((await o.Admin.ImportCsv(roster, dryRun: true)).ShouldBe(200)));
        Assert.Empty((await o.Admin.Get("/volunteers")).Items);
    }

    [Fact]
    public async Task A_row_that_may_be_several_people_is_refused()
    {
        var o = await Given.Organization();
        await o.Admin.Post("/volunteers", new { number = "A-1", name = "张三", phone = "13800138000" });
        await o.Admin.Post("/volunteers", new { number = "A-2", name = "张四", phone = "13800138000" });
        await o.Admin.Post("/volunteers", new { number = "A-3", name = "王五", birthDate = "1980-01-02", phone = "13700137000" });
        await o.Admin.Post("/volunteers", new { number = "A-4", name = "王五", birthDate = "1980-01-02" });

        var answer = await o.Admin.ImportCsv(
            "编号,姓名,电话,生日\r\n" +
            ",张五,13800138000,\r\n" +            // a phone of two others
            ",王五,,1980-01-02\r\n" +              // two of that name and day
            "A-9,赵六,13700137000,\r\n" +          // a new number, a name of their own, and another's phone
            "A-4,赵七,13700137000,\r\n",           // a number of one, a phone of another, a name of neither
            dryRun: true);

        Assert.Equal([(2, null, "ambiguous_match"), (3, null, "ambiguous_match"), (4, null, "ambiguous_match"), (5, null, "ambiguous_match")], Refusals(answer));
        // A family with one phone, each with a number and a name of their own, is no riddle.
        Assert.Equal((1, 0, 2), Counts(await o.Admin.ImportCsv("编号,姓名,电话\r\nA-1,张三,13800138000\r\nA-2,张四,13800138000\r\n,王六,13500135000\r\n")));
    }

    [Fact]
    public async Task New_people_get_the_next_numbers_past_those_that_are_taken()
    {
        var o = await Given.Organization();
        await o.Admin.Post("/volunteers", new { number = "000002", name = "在先" });

        Assert.Equal((4, 0, 0), Counts(await o.Admin.ImportCsv("编号,姓名\r\n,甲\r\n,乙\r\n000003,丙\r\n,丁\r\n")));

        var numbers = (await o.Admin.Get("/volunteers")).Items.ToDictionary(person => (string)person!["name"]!, person => (string?)person!["number"]);
        Assert.Equal(("000001", "000003", "000002"), (numbers["甲"], numbers["丙"], numbers["在先"]));
        Assert.Equal(5, numbers.Values.Distinct().Count());
        var next = (await o.Admin.Post("/volunteers", new { name = "戊" })).ShouldBe(201);
        Assert.DoesNotContain((string?)next["number"], numbers.Values);
    }

    [Fact]
    public async Task Two_imports_at_once_create_each_person_once()
    {
        var o = await Given.Organization();
        var roster = "姓名,电话\r\n" + string.Concat(Enumerable.Range(0, 50).Select(i => $"志愿者{i},138000{i:D5}\r\n"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => o.Admin.ImportCsv(roster)));

        Assert.All(answers, answer => answer.ShouldBe(200));
        Assert.Equal((50, 150), (answers.Sum(answer => (int)answer["created"]!), answers.Sum(answer => (int)answer["unchanged"]!)));
        Assert.Equal(50, (await o.Admin.Get("/volunteers?limit=200")).Items.Count);
    }

    [Fact]
    public async Task A_roster_of_as_many_rows_as_may_be_is_taken_whole()
    {
        var o = await Given.Organization();
        await o.Admin.Post("/teams", new { name = "巡逻队" });
        object?[][] rows = [["姓名", "电话", "服务队"], .. Enumerable.Range(0, 20_000).Select(object?[] (i) => [$"志愿者{i}", 13800100000d + i, "巡逻队"])];

        Assert.Equal((20_000, 0, 0), Counts((await o.Admin.Import(Rosters.Xlsx(rows))).ShouldBe(200)));
    }

    [Fact]
    public async Task The_document_shows_a_file_picker()
    {
        var document = await Host.Anonymous.Get("/openapi/v1.json");
        var content = document["paths"]!["/v1/organizations/{organizationId}/volunteers/import"]!["post"]!["requestBody"]!["content"]!.AsObject();

        Assert.Equal(["multipart/form-data", "text/csv", Rosters.XlsxType], content.Select(type => type.Key));
        Assert.Equal("#/components/schemas/SpreadsheetForm", (string?)content["multipart/form-data"]!["schema"]!["$ref"]);
        Assert.Equal("binary", (string?)document["components"]!["schemas"]!["SpreadsheetForm"]!["properties"]!["file"]!["format"]);
    }

    [Fact]
    public async Task Coming_back_opens_the_membership_again_and_nobody_leaves_through_an_import()
    {
        var o = await Given.Organization();
        var team = (await o.Admin.Post("/teams", new { name = "巡逻队" })).Id;
        var (one, other) = (await o.Volunteer(inTeam: team), await o.Volunteer(inTeam: team));
        (await o.Admin.Delete($"/teams/{team}/members/{one}")).ShouldBe(204);
        var number = (string?)(await o.Admin.Get($"/volunteers/{one}"))["number"];

        Assert.Equal((0, 1, 0), Counts(await o.Admin.ImportCsv($"编号,服务队\r\n{number},巡逻队\r\n")));

        var members = (await o.Admin.Get($"/teams/{team}/members")).Items.Select(member => (string?)member!["volunteerId"]);
        Assert.Equal(new[] { one, other }.Order(), members.Order());
    }

    [Fact]
    public async Task A_roster_belongs_to_one_organization_and_a_team_coordinator_may_not_import()
    {
        var (o, another) = (await Given.Organization(), await Given.AnotherOrganization());
        await another.Admin.ImportCsv(Roster);

        Assert.Equal((2, 0, 0), Counts(await o.Admin.ImportCsv(Roster)));

        var coordinator = await o.SignedInWithRole("coordinator", await o.Team());
        (await coordinator.ImportCsv(Roster)).ShouldRefuse(403, "forbidden");
    }

    private static (int Created, int Updated, int Unchanged) Counts(Answer answer) =>
        ((int)answer["created"]!, (int)answer["updated"]!, (int)answer["unchanged"]!);

    private static List<(int Row, string? Column, string? Code)> Refusals(Answer answer) =>
        [.. answer["refused"]!.AsArray().Select(refusal => ((int)refusal!["row"]!, (string?)refusal["column"], (string?)refusal["code"]))];
}
