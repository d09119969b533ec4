using Volunteers.Tests.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>What an applicant, or somebody who pretends to be one, can do.</summary>
public sealed class ApplicationTests(TestDatabases databases) : ApplicationsTest(databases)
{
    [Fact]
    public async Task An_application_makes_somebody_who_waits_for_an_answer()
    {
        var answer = (await Apply(new
        {
            name = "王师傅", phone = Phone, hometown = "湖南", gender = "male", birthDate = "1980-01-02", residence = "石厦村",
            skills = new[] { new { name = "驾驶" } }, message = "周末可以。\n晚上也行。", consent = new { version = "2020-01" },
        })).ShouldBe(202);

        Assert.Equal(["receivedAt"], answer.Body!.AsObject().Select(member => member.Key));
        Assert.Null(answer.Header("Location"));
        var shown = await Profile((string)Assert.Single((await Applicants()).Items)!["id"]!);
        Assert.Equal(("王师傅", Phone, "湖南", "male", "1980-01-02", "石厦村", "驾驶", "applied", "000001"), (
            (string?)shown["name"], (string?)shown["phone"], (string?)shown["hometown"], (string?)shown["gender"], (string?)shown["birthDate"],
            (string?)shown["residence"], (string?)shown["skills"]![0]!["name"], (string?)shown["status"], (string?)shown["number"]));
        Assert.Equal("周末可以。\n晚上也行。", (string?)shown["application"]!["message"]);
        Assert.Equal("2020-01", (string?)shown["consent"]!["version"]);
        Assert.Equal((string?)answer["receivedAt"], (string?)shown["consent"]!["at"]);
        Assert.Equal((string?)answer["receivedAt"], (string?)shown["application"]!["at"]);
    }

    [Theory]
    [InlineData("138 0013 8000")]
    [InlineData("+86 (138) 0013-8000")]
    [InlineData("008613800138000")]
    public async Task Applying_again_replaces_what_was_said_and_makes_no_second_person(string spelling)
    {
        var applicant = await Applicant();

        (await Apply(Application("王大师傅", spelling, message: null, hometown: null))).ShouldBe(202);

        var shown = await Profile((string)Assert.Single((await Applicants()).Items)!["id"]!);
        Assert.Equal((applicant, "王大师傅", spelling, null, null, "000001"), ((string?)shown["id"], (string?)shown["name"], (string?)shown["phone"],
            (string?)shown["hometown"], (string?)shown["application"]!["message"], (string?)shown["number"]));
    }

    [Fact]
    public async Task Equal_applications_at_the_same_moment_make_one_person()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Apply(Application())));

        Assert.All(answers, answer => answer.ShouldBe(202));
        Assert.Single((await Applicants()).Items);
    }

    [Fact]
    public async Task Twelve_people_at_the_same_moment_are_twelve_people()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Apply(Application(phone: $"138001380{i:D2}"))));

        Assert.All(answers, answer => answer.ShouldBe(202));
        Assert.Equal(12, (await Applicants()).Items.Select(item => (string)item!["number"]!).Distinct().Count());
    }

    [Theory]
    [InlineData("active")]
    [InlineData("paused")]
    [InlineData("left")]
    public async Task A_stranger_with_a_volunteers_phone_changes_nothing_about_them_and_a_coordinator_gets_a_note(string status)
    {
        var known = await Known(status, "+86-13800138000");
        var before = await O.Admin.Get($"/volunteers/{known}");

        (await Apply(Application("别人", message: "我想回来。"))).ShouldBe(202);

        var after = await O.Admin.Get($"/volunteers/{known}");
        foreach (var member in new[] { "name", "phone", "hometown", "status", "consent", "number", "joinedOn" })
            Assert.Equal(before[member]?.ToJsonString(), after[member]?.ToJsonString());
        Assert.Equal("我想回来。", (string?)after["application"]!["message"]);
        Assert.Single((await O.Admin.Get("/volunteers")).Items);
        Assert.Equal(known, (string?)Assert.Single((await O.Admin.Get("/volunteers?hasApplication=true")).Items)!["id"]);
        Assert.Empty((await O.Admin.Get("/volunteers?hasApplication=false")).Items);
    }

    [Fact]
    public async Task Somebody_whom_a_coordinator_entered_as_an_applicant_keeps_what_the_coordinator_wrote()
    {
        await Known("applied");

        (await Apply(Application("别人"))).ShouldBe(202);

        var shown = Assert.Single((await Applicants()).Items)!;
        Assert.Equal(("王师傅", "湖北"), ((string?)shown["name"], (string?)shown["hometown"]));
        Assert.NotNull(shown["application"]);
    }

    [Fact]
    public async Task The_answer_does_not_tell_who_is_known()
    {
        await Known("active", "13700137000");
        var answers = new[]
        {
            await Apply(Application()), await Apply(Application()), await Apply(Application(phone: "13700137000")), await Apply(Application(phone: "13600136000")),
        };

        Assert.Single(answers.Select(answer => answer.HeadersInCommon + answer.Status + string.Join(',', answer.Body!.AsObject().Select(member => member.Key))).Distinct());
    }

    [Theory]
    [InlineData("""{ "name": "A", "phone": "13800138000" }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": null }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": { "version": "" } }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": { "version": "v", "at": "2020-01-01T00:00:00Z" } }""")]
    [InlineData("""{ "name": "A", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A", "phone": "", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A", "phone": "----------", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A", "phone": "1234", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000\n", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A", "phone": "call me", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "", "phone": "13800138000", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A\nB", "phone": "13800138000", "consent": { "version": "v" } }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": { "version": "v" }, "status": "active" }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": { "version": "v" }, "number": "1" }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": { "version": "v" }, "skills": [null] }""")]
    [InlineData("""{ "name": "A", "phone": "13800138000", "consent": { "version": "v" }, "birthDate": "2999-01-01" }""")]
    public async Task An_application_that_lacks_something_or_asks_for_more_is_refused(string body)
    {
        using var json = ProblemShape.Json(body);

        var refused = (await Host.Anonymous.Post($"{O.Path}/volunteers/applications", json)).ShouldBe(400).ShouldBeProblem(body);

        Assert.NotEmpty(refused["errors"]!.AsObject());
        Assert.Empty((await O.Admin.Get("/volunteers")).Items);
    }

    [Fact]
    public async Task A_message_has_500_characters_at_most()
    {
        (await Apply(Application(message: new string('好', 501)))).ShouldRefuse(400, "invalid_request");
        (await Apply(Application(message: new string('好', 500)))).ShouldBe(202);
    }

    [Fact]
    public async Task An_organization_that_is_not_there_takes_no_applications() =>
        (await Host.Anonymous.Post($"/v1/organizations/{Guid.CreateVersion7()}/volunteers/applications", Application())).ShouldRefuse(404, "not_found");

    [Fact]
    public async Task A_token_does_no_harm_and_no_good()
    {
        var elsewhere = await Given.AnotherOrganization();
        var volunteer = await elsewhere.SignedInAs(await elsewhere.Volunteer());

        (await new Api(volunteer.Http, O.Path).Post("/volunteers/applications", Application())).ShouldBe(202);
        volunteer.Http.DefaultRequestHeaders.Authorization = new("Bearer", "not-a-token");
        (await new Api(volunteer.Http, O.Path).Post("/volunteers/applications", Application(phone: "13700137000"))).ShouldBe(202);

        Assert.Equal(2, (await Applicants()).Items.Count);
    }

    [Fact]
    public async Task Another_strangers_idempotency_key_shows_nothing()
    {
        var path = $"{O.Path}/volunteers/applications";
        var first = (await Host.Anonymous.Post(path, Application(), ("Idempotency-Key", "one"))).ShouldBe(202);
        var again = (await Host.Anonymous.Post(path, Application(), ("Idempotency-Key", "one"))).ShouldBe(202);
        var other = await Host.Anonymous.Post(path, Application("别人", "13700137000"), ("Idempotency-Key", "one"));

        Assert.Equal((first.Text, "true"), (again.Text, again.Header("Idempotency-Replayed")));
        other.ShouldRefuse(422, "idempotency_key_reused");
        Assert.DoesNotContain("王师傅", other.Text + again.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("138", other.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("idempotency_keys", await TablesWith("王师傅"));
    }
}
