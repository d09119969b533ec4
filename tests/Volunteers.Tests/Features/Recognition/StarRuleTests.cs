using System.Text;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Recognition;

public sealed class StarRuleTests(TestDatabases databases) : RecognitionTest(databases)
{
    [Fact]
    public async Task Without_a_rule_of_its_own_an_organization_has_the_one_of_the_field()
    {
        var rule = Assert.Single((await Admin.Get("/star-rules")).ShouldBe(200).Items)!;

        Assert.Equal("""[100,300,600,1000,1500]""", new JsonArray([.. rule["levels"]!.AsArray().Select(level => level!["hours"]!.DeepClone())]).ToJsonString());
        Assert.Equal((0, true, 7, null), ((int)rule["version"]!, (bool)rule["inForce"]!, (int)rule["publicityDays"]!, rule["effectiveFrom"]));
        Assert.Equal(["attendance", "coordinator", "self", "import"], rule["evidence"]!.AsArray().Select(each => (string)each!));
    }

    [Fact]
    public async Task Each_rule_is_another_version_and_the_one_of_the_day_is_in_force()
    {
        await Rule(10, 20);
        (await Admin.Post("/star-rules", new { levels = Levels(30), effectiveFrom = Day(Today.AddDays(3)), evidence = new[] { "self", "self" }, publicityDays = 0 })).ShouldBe(201);
        // Made later, for an earlier day: it holds until the next begins.
        (await Admin.Post("/star-rules", new { levels = Levels(40), effectiveFrom = Day(Today.AddDays(1)) })).ShouldBe(201);

        Assert.Equal(1, await InForce());
        await NextDay();
        Assert.Equal(3, await InForce());
        await NextDay(2);
        Assert.Equal(2, await InForce());
        var second = (await Admin.Get("/star-rules")).Items[2]!;
        Assert.Equal(("""["self"]""", 0), (second["evidence"]!.ToJsonString(), (int)second["publicityDays"]!));
    }

    [Fact]
    public async Task Rules_made_at_the_same_moment_get_different_versions()
    {
        var answers = await Task.WhenAll(Enumerable.Range(1, 6).Select(hours => Admin.Post("/star-rules", new { levels = Levels(hours) })));

        Assert.Equal([1, 2, 3, 4, 5, 6], answers.Select(answer => Number(answer.ShouldBe(201), "version")).Order());
        Assert.Equal(6, await InForce());
    }

    [Fact]
    public async Task A_rule_never_begins_in_the_past()
    {
        (await Admin.Post("/star-rules", new { levels = Levels(1), effectiveFrom = Day(Today.AddDays(-1)) })).ShouldRefuse(409, "rule_in_the_past");
        (await Admin.Post("/star-rules", new { levels = Levels(1), effectiveFrom = Day(Today) })).ShouldBe(201);
    }

    [Theory]
    [InlineData("""{ "levels": [] }""", "/levels")]
    [InlineData("""{ "levels": null }""", "/levels")]
    [InlineData("""{ "levels": [null] }""", "/levels")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 0 }] }""", "/levels/0/hours")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 100001 }] }""", "/levels/0/hours")]
    [InlineData("""{ "levels": [{ "level": 2, "hours": 10 }] }""", "/levels")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10 }, { "level": 2, "hours": 10 }] }""", "/levels")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10, "monthsRegistered": 6 }, { "level": 2, "hours": 20 }] }""", "/levels")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10, "monthsRegistered": -1 }] }""", "/levels/0/monthsRegistered")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10 }], "evidence": [] }""", "/evidence")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10 }], "evidence": ["rumour"] }""", "/evidence/0")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10 }], "publicityDays": 61 }""", "/publicityDays")]
    [InlineData("""{ "levels": [{ "level": 1, "hours": 10 }], "publicityDays": -1 }""", "/publicityDays")]
    public async Task What_is_no_rule_is_refused_by_name(string rule, string at)
    {
        var answer = (await Admin.Post("/star-rules", new StringContent(rule, Encoding.UTF8, "application/json"))).ShouldBe(400);

        Assert.Equal([at], answer["errors"]!.AsObject().Select(error => error.Key));
        Assert.Single((await Admin.Get("/star-rules")).Items);
    }

    [Fact]
    public async Task A_rule_has_ten_levels_at_most()
    {
        (await Admin.Post("/star-rules", new { levels = Levels([.. Enumerable.Range(1, 11)]) })).ShouldRefuse(400, "invalid_request");
        await Rule([.. Enumerable.Range(1, 10)]);
    }

    [Fact]
    public async Task Settings_written_with_thresholds_of_their_own_are_still_read()
    {
        await Tamper("""update organizations set settings = settings || '{"StarThresholdHours":[1,3]}'::jsonb""");

        (await Admin.Get("")).ShouldBe(200);
        (await Admin.Patch("", new { settings = new { graceMinutes = 20 } })).ShouldBe(200);
    }

    private async Task<int> InForce() => (int)Assert.Single((await Admin.Get("/star-rules")).ShouldBe(200).Items, rule => (bool)rule!["inForce"]!)!["version"]!;
}
