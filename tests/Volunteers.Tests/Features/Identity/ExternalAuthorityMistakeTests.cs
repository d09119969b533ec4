using System.Security.Claims;
using Microsoft.Extensions.Configuration;
using Volunteers.Features.Identity;
using Volunteers.Platform;
using Volunteers.Tests.Data;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class ExternalAuthorityMistakeTests
{
    [Theory]
    [InlineData("Id", "", "SignIn:External:0: Id")]
    [InlineData("Id", "Street Office", "SignIn:External:0: Id")]
    [InlineData("Id", "../office", "SignIn:External:0: Id")]
    [InlineData("Id", "office\n", "SignIn:External:0: Id")]
    [InlineData("DisplayName", null, "SignIn:External:0: DisplayName")]
    [InlineData("DisplayName", "two\nlines", "SignIn:External:0: DisplayName")]
    [InlineData("Authority", null, "SignIn:External:0: Authority")]
    [InlineData("Authority", "login.example.org", "SignIn:External:0: Authority")]
    [InlineData("Authority", "http://login.example.org", "https")]
    [InlineData("Authority", "https://login.example.org/?tenant=1", "without query")]
    [InlineData("Authority", "https://user@login.example.org", "SignIn:External:0: Authority")]
    [InlineData("Authority", "https://login.example.org/.well-known/openid-configuration", "leave /.well-known/openid-configuration out")]
    [InlineData("ClientId", "", "SignIn:External:0: ClientId")]
    [InlineData("LinkBy", null, "SignIn:External:0: LinkBy")]
    [InlineData("LinkBy", "name", "SignIn:External:0: LinkBy")]
    [InlineData("LinkBy", "1", "SignIn:External:0: LinkBy")]
    [InlineData("Issuer", "https://login.example.org", "Issuer is no setting")]
    public void What_cannot_be_an_authority_is_refused_before_the_service_starts(string setting, string? value, string mistake) =>
        Assert.Contains(mistake, Assert.Throws<StartupRefused>(() => Read(Settings(0, (setting, value)))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Id", "other", "the Authority 'https://login.example.org'")]
    [InlineData("Authority", "https://other.example.org", "the Id 'office'")]
    public void Two_of_the_same_are_refused(string setting, string value, string mistake) =>
        Assert.Contains(mistake, Assert.Throws<StartupRefused>(() => Read([.. Settings(0), .. Settings(1, (setting, value))])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("ClientSecret", null)]
    [InlineData("Authority", "http://localhost:8080/realms/community")]
    [InlineData("LinkBy", "PhoneNumber")]
    [InlineData("LinkBy", "none")]
    [InlineData("DisplayName", "街道办")]
    public void What_can_be_one_is_taken(string setting, string? value) => Assert.Single(Read(Settings(0, (setting, value))));

    [Fact]
    public async Task The_service_does_not_start_with_a_mistake()
    {
        await using var wrong = ServiceProcess.Run("", [.. Settings(0, ("LinkBy", "name")).Select(setting => (setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value!)),
            ("ConnectionStrings__Volunteers", "Host=nowhere"), ("ASPNETCORE_URLS", "http://127.0.0.1:0")]);

        Assert.Equal(1, await wrong.ExitCode());
        Assert.Contains("SignIn:External:0: LinkBy", wrong.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("+86 138-0000-0000", "true", "+8613800000000")]
    [InlineData("+8613800000000", "True", "+8613800000000")]
    [InlineData("+8613800000000", "false", null)]
    [InlineData("+8613800000000", null, null)]
    // Without a country it may be anybody's anywhere.
    [InlineData("13800000000", "true", null)]
    [InlineData("anna@example.org", "true", null)]
    public void A_phone_number_is_taken_when_it_is_whole_and_verified(string number, string? verified, string? login) =>
        Assert.Equal(login, Person(LinkClaim.PhoneNumber, ("phone_number", number), ("phone_number_verified", verified))?.Login?.Value);

    [Theory]
    [InlineData("anna@example.org", "true", "true", "anna@example.org")]
    [InlineData("anna@example.org", "true", "false", null)]
    [InlineData("berta@example.org", "true", "true", null)]
    public void Where_the_authority_contradicts_itself_nothing_is_verified(string second, string verified, string secondVerified, string? login) =>
        Assert.Equal(login, Person(LinkClaim.Email, ("email", "anna@example.org"), ("email_verified", verified), ("email", second), ("email_verified", secondVerified))?.Login?.Value);

    [Fact]
    public void A_phone_number_is_no_e_mail_address() =>
        Assert.Null(Person(LinkClaim.Email, ("email", "+8613800000000"), ("email_verified", "true"))!.Login);

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public void A_subject_that_cannot_be_kept_is_nobody(int length) => Assert.Null(ExternalPerson.Of(Of(("iss", "x"), ("sub", new string('s', length))), Of(), LinkClaim.None));

    private static ExternalPerson? Person(LinkClaim linkBy, params (string, string?)[] claims) => ExternalPerson.Of(Of(("iss", "https://login.example.org"), ("sub", "1")), Of(claims), linkBy);

    private static ClaimsPrincipal Of(params (string Type, string? Value)[] claims) =>
        new(new ClaimsIdentity(claims.Where(claim => claim.Value is not null).Select(claim => new Claim(claim.Type, claim.Value!))));

    private static IReadOnlyList<ExternalAuthority> Read(IEnumerable<KeyValuePair<string, string?>> settings) =>
        ExternalAuthority.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());

    private static KeyValuePair<string, string?>[] Settings(int place, params (string Name, string? Value)[] changes)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Id"] = "office", ["DisplayName"] = "Office", ["Authority"] = "https://login.example.org", ["ClientId"] = "volunteers", ["ClientSecret"] = "secret", ["LinkBy"] = "email",
        };
        foreach (var (name, value) in changes) settings[name] = value;
        return [.. settings.Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create($"SignIn:External:{place}:{setting.Key}", setting.Value))];
    }
}
