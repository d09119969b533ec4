using System.Text.RegularExpressions;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed partial class LocalizationTests(TestDatabases databases) : ApiTest(databases)
{
    [Theory]
    [InlineData("zh-CN", true)]
    [InlineData("zh-CN,zh;q=0.9,en;q=0.8", true)]
    [InlineData("zh", true)]
    [InlineData("zh-Hans-CN", true)]
    [InlineData("fr, zh-CN;q=0.5", true)]
    [InlineData("en", false)]
    [InlineData("en-GB", false)]
    [InlineData("fr", false)]
    [InlineData("*", false)]
    [InlineData(";;;,q=1", false)]
    [InlineData("xx-YY-zz-invalid", false)]
    [InlineData(null, false)]
    public async Task Texts_follow_Accept_Language_and_codes_do_not(string? language, bool chinese)
    {
        var o = await Given.Organization();
        (string, string)[] headers = language is null ? [] : [("Accept-Language", language)];

        var invalid = (await o.Admin.Post("/teams", new { name = "", description = new string('x', 2001) }, headers)).ShouldRefuse(400, "invalid_request");
        var missing = (await o.Admin.Get($"/teams/{Guid.NewGuid()}", headers)).ShouldRefuse(404, "not_found");
        var signedOut = (await Host.Anonymous.Get("/v1/me", headers)).ShouldRefuse(401, "not_signed_in");
        var malformed = (await o.Admin.Get("/teams?nonsense=1", headers)).ShouldRefuse(400, "unknown_parameter");

        var texts = new[] { invalid, missing, signedOut, malformed }
            .SelectMany(answer => new[] { (string)answer["title"]!, (string)answer["detail"]! })
            .Concat(invalid["errors"]!.AsObject().SelectMany(error => error.Value!.AsArray().Select(text => (string)text!)));
        Assert.All(texts, text => Assert.True(Han().IsMatch(text) == chinese, text));
    }

    [GeneratedRegex(@"\p{IsCJKUnifiedIdeographs}")]
    private static partial Regex Han();
}
