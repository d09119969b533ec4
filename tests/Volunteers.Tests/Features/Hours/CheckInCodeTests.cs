using System.Xml.Linq;
using Volunteers.Features.Activities;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

public sealed class CheckInCodeTests(TestDatabases databases) : AttendanceTest(databases)
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 7, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_code_changes_every_thirty_seconds_and_is_the_same_in_between()
    {
        var secret = CheckInCode.NewSecret();
        var codes = Enumerable.Range(0, 120).Select(step => CheckInCode.Of(secret, Noon.AddSeconds(step * 30))).ToArray();

        Assert.Equal(120, codes.Distinct().Count());
        Assert.All(codes, code => Assert.Matches("^[0-9A-HJKMNP-TV-Z]{8}$", code));
        Assert.Equal(codes[0], CheckInCode.Of(secret, Noon.AddSeconds(29.999)));
        Assert.NotEqual(codes[0], CheckInCode.Of(CheckInCode.NewSecret(), Noon));
        Assert.Equal(Noon, CheckInCode.StepAt(Noon.AddSeconds(29.999)));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(59, true)]
    [InlineData(60, false)]
    [InlineData(3600, false)]
    [InlineData(-1, false)]
    public void A_code_is_accepted_for_its_own_step_and_the_next(int secondsLater, bool accepted)
    {
        var secret = CheckInCode.NewSecret();
        var now = Noon.AddSeconds(secondsLater);

        Assert.Equal(accepted, CheckInCode.ShownAt(secret, CheckInCode.Of(secret, Noon), now - CheckInCode.Step, now) == Noon);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000")]
    [InlineData("０００００００００")]
    [InlineData("𝟘𝟘𝟘𝟘")]
    public void Nonsense_is_no_code(string code) => Assert.Null(CheckInCode.ShownAt(CheckInCode.NewSecret(), code, Noon.AddMinutes(-10), Noon));

    [Fact]
    public async Task The_last_two_codes_are_accepted_and_older_ones_are_not()
    {
        var self = await O.SignedInAs(await SignedUp());
        await Minute(0);
        await NextStep();
        var code = await Code();
        (await CheckIn(self, code)).ShouldBe(200);

        await NextStep();
        Assert.NotEqual(code, await Code());
        (await CheckIn(self, code)).ShouldBe(200);

        await NextStep();
        (await CheckIn(self, code)).ShouldRefuse(409, "check_in_code_invalid");
        await Minute(60);
        (await CheckIn(self, code)).ShouldRefuse(409, "check_in_code_invalid");
        Assert.Equal(2, (await Events()).Count);
    }

    [Fact]
    public async Task A_code_proves_its_own_shift_only()
    {
        var other = await O.Shift(Event, startsAt: Start, endsAt: End);
        var self = await O.SignedInAs(await SignedUp());
        await Minute(0);

        (await CheckIn(self, await Code(other))).ShouldRefuse(409, "check_in_code_invalid");
        (await CheckIn(self, null)).ShouldRefuse(409, "check_in_code_invalid");
        (await CheckIn(self, "1234567")).ShouldRefuse(400, "invalid_request");
        (await CheckIn(self, await Code())).ShouldBe(200);
    }

    [Fact]
    public async Task A_code_may_be_typed_as_people_type()
    {
        var self = await O.SignedInAs(await SignedUp());
        await Minute(0);
        var code = await Code();

        (await CheckIn(self, $"{code[..4]}-{code[4..]}".ToLowerInvariant())).ShouldBe(200);
        (await CheckIn(self, $" {code[..4]} {code[4..]}".Replace('0', 'o').Replace('1', 'l'))).ShouldBe(200);
    }

    [Fact]
    public async Task Only_coordinators_of_the_team_and_the_person_in_charge_see_the_code()
    {
        var (inCharge, volunteer) = (await O.Volunteer(Team), await SignedUp());
        (await Admin.Patch($"/activities/{Event}", new { responsibleVolunteerId = inCharge })).ShouldBe(200);
        var path = $"/shifts/{Shift}/check-in-code";

        (await (await O.SignedInAs(volunteer)).Get(path)).ShouldRefuse(404, "not_found");
        (await (await O.SignedInWithRole("coordinator", await O.Team())).Get(path)).ShouldRefuse(404, "not_found");
        (await (await O.SignedInWithRole("auditor")).Get(path)).ShouldRefuse(403, "forbidden");
        (await (await O.SignedInAs(inCharge)).Get(path)).ShouldBe(200);
        (await (await O.SignedInWithRole("coordinator", Team)).Get(path)).ShouldBe(200);
        (await (await Given.AnotherOrganization()).Admin.Get(path)).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task The_code_comes_as_text_and_as_a_picture_and_is_never_cached()
    {
        await Minute(0);
        var json = (await Admin.Get($"/shifts/{Shift}/check-in-code")).ShouldBe(200);
        var svg = (await Admin.Get($"/shifts/{Shift}/check-in-code?format=svg")).ShouldBe(200);

        Assert.Equal(($"volunteers:check-in?organization={O.Id}&shift={Shift}&code={Text(json, "code")}"), Text(json, "content"));
        Assert.Equal(("no-store", "no-store"), (json.Header("Cache-Control"), svg.Header("Cache-Control")));
        Assert.Equal("image/svg+xml", svg.ContentHeaders.ContentType?.MediaType);
        Assert.Equal("svg", XDocument.Parse(svg.Text).Root!.Name.LocalName);
        Assert.Equal("svg", XDocument.Parse(Text(json, "svg")!).Root!.Name.LocalName);
        var (from, next, until) = (json["shownFrom"]!.GetValue<DateTimeOffset>(), json["nextAt"]!.GetValue<DateTimeOffset>(), json["acceptedUntil"]!.GetValue<DateTimeOffset>());
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60)), (next - from, until - from));
    }

    /// <summary>To a moment just after the code changed, so that the requests of a step fall within it.</summary>
    private Task NextStep() => Host.Later(CheckInCode.StepAt(Clock.GetUtcNow()) + CheckInCode.Step - Clock.GetUtcNow());

    private Task<Answer> CheckIn(Api by, string? code) => by.Post($"/shifts/{Shift}/check-in", new { code });
}
