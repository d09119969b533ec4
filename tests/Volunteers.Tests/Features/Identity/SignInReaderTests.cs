using System.Text.RegularExpressions;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>A client library, a browser and an accessibility checker that others wrote say whether people can sign in.</summary>
public sealed partial class SignInReaderTests(TestDatabases databases) : SignInTest(databases)
{
    private const string Redirect = "http://127.0.0.1:61999/back";
    private const string Left = "http://127.0.0.1:61999/left";

    protected override (string Name, string Value)[] Configuration =>
    [
        .. base.Configuration,
        ("SignIn:Clients:2:Id", "desk"), ("SignIn:Clients:2:Name", "Front desk"), ("SignIn:Clients:2:RedirectUris:0", "http://127.0.0.1/back"),
        ("SignIn:Clients:2:PostLogoutRedirectUris:0", Left),
        ("SignIn:Clients:1:PostLogoutRedirectUris:0", RotaLeft),
    ];

    [Theory]
    [InlineData("rota", null, RotaRedirect, RotaLeft)]
    [InlineData("board", BoardSecret, BoardRedirect, RotaLeft)]
    public async Task A_client_library_signs_in_renews_asks_who_it_is_and_signs_out(string clientId, string? clientSecret, string redirectUri, string postLogoutRedirectUri)
    {
        var got = await NodeReader.Run("sign-in.mjs", new
        {
            issuer = Issuer, clientId, clientSecret, redirectUri, postLogoutRedirectUri, login = ApiHost.OperatorLogin, password = ApiHost.OperatorPassword,
        });

        Assert.True((bool)got["asked"]!);
        Assert.True((bool)got["sameSubject"]!);
        Assert.InRange((int)got["signedInFor"]!, -5, 120);
        Assert.Equal(("Administrator", ApiHost.OperatorLogin), ((string?)got["name"], (string?)got["login"]));
        Assert.Equal(["name", "sub"], got["info"]!.AsObject().Select(claim => claim.Key).Order());
        Assert.Equal((string?)got["subject"], (string?)got["again"]);
        Assert.Equal(("invalid_grant", "login_required"), ((string?)got["replay"], (string?)got["signedOut"]));
        Assert.Equal(postLogoutRedirectUri + "?state=bye", (string?)got["left"]);
    }

    [Fact]
    public async Task Every_page_is_accessible_in_both_languages_and_on_a_narrow_screen()
    {
        var chromium = NodeReader.Chromium();
        var got = await NodeReader.Run("browse.mjs", new
        {
            chromium, issuer = Issuer, clientId = "desk", redirectUri = Redirect, login = ApiHost.OperatorLogin, password = ApiHost.OperatorPassword,
            folder = NodeReader.Pictures("sign-in"),
        });

        var pages = got["pages"]!.AsArray();
        Assert.Equal(4 * 7, pages.Count);
        Assert.Empty(pages.SelectMany(page => page!["wrong"]!.AsArray().Select(wrong => $"{page["name"]}: {wrong}")));
        Assert.Empty(pages.Where(page => (int)page!["overflow"]! > 0).Select(page => (string)page!["name"]!));
        Assert.All(pages.Where(page => ((string)page!["name"]!).StartsWith("refused", StringComparison.Ordinal)), page => Assert.Equal("password", (string?)page!["focused"]));
        Assert.All(pages, page => Assert.Contains($"-{page!["language"]}-", (string)page["name"]!, StringComparison.Ordinal));
        // Names of people and applications are as they are; nothing else is in another language.
        var texts = pages.Select(page => (Name: (string)page!["name"]!, Language: (string?)page["language"], Text: Names.Aggregate((string)page["title"]! + "\n" + page["text"], (text, name) => text.Replace(name, "", StringComparison.Ordinal))));
        Assert.All(texts, page => Assert.True(page.Language == "en" ? Regex.IsMatch(page.Text, "[A-Za-z]{2,}") && !Han().IsMatch(page.Text) : Han().IsMatch(page.Text) && !Regex.IsMatch(page.Text, "[A-Za-z]{2,}"), $"{page.Name}: {page.Text}"));
        // Chromium holds form-action against redirects: it did go back to the application, each time, and said nothing of it.
        Assert.Equal(8, got["led"]!.AsArray().Count(address => ((string)address!).StartsWith(Redirect + "?code=", StringComparison.Ordinal)));
        Assert.Empty(got["blocked"]!.AsArray());
    }

    [Fact]
    public async Task Swagger_UI_opens_without_a_complaint_signs_in_a_person_and_a_system_and_tries_an_operation_as_each()
    {
        var chromium = NodeReader.Chromium();
        var o = await Given.Organization();
        var team = await o.Team();
        var system = (await o.Admin.Post("/clients", new { name = "District", role = "auditor", scopes = new[] { "roster.read" } })).ShouldBe(201);

        var got = await NodeReader.Run("swagger.mjs", new
        {
            chromium, issuer = Issuer, login = ApiHost.OperatorLogin, password = ApiHost.OperatorPassword,
            clientId = (string?)system["clientId"], clientSecret = (string?)system["clientSecret"], organizationId = o.Id, folder = NodeReader.Pictures("swagger"),
        });

        Assert.Empty(got["complaints"]!.AsArray().Select(complaint => (string?)complaint));
        var (person, client) = (Assert.Single(got["person"]!.AsArray())!, Assert.Single(got["system"]!.AsArray())!);
        Assert.Equal(("volunteers-swagger", "authorization_code", "client_credentials"), ((string?)got["clientId"], (string?)person["grant_type"], (string?)client["grant_type"]));
        Assert.NotEmpty((string)person["code_verifier"]!);
        Assert.Equal((200, 200), ((int)got["me"]!["status"]!, (int)got["teams"]!["status"]!));
        Assert.Contains(ApiHost.OperatorLogin, (string?)got["me"]!["body"], StringComparison.Ordinal);
        Assert.Contains(team, (string?)got["teams"]!["body"], StringComparison.Ordinal);
    }

    private static readonly string[] Names = ["Front desk", "Administrator", ApiHost.OperatorLogin];

    [GeneratedRegex(@"\p{IsCJKUnifiedIdeographs}")]
    private static partial Regex Han();

    private string Issuer
    {
        get
        {
            using var http = Host.Http();
            return http.BaseAddress!.AbsoluteUri;
        }
    }
}
