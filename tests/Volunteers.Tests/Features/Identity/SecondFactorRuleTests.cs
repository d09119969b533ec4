using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>Where the service is set up so, administrators sign in with a second factor.</summary>
public sealed class SecondFactorRuleTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task An_administrator_without_one_reaches_what_is_their_own_until_they_have_one()
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "administrator" } } })).ShouldBe(200);
        await using var strict = new ApiHost(ConnectionString, ("SignIn:RequireSecondFactorForAdministrators", "true"));
        var administrator = await strict.SignIn(login, Given.Password);

        (await administrator.At(o.Path).Get("/teams")).ShouldRefuse(403, "second_factor_required");
        (await administrator.At(o.Path).Get("/roles")).ShouldRefuse(403, "second_factor_required");
        (await administrator.Get("/v1/organizations")).ShouldRefuse(403, "second_factor_required");
        (await administrator.Get($"/v1/organizations/{Guid.NewGuid()}/teams")).ShouldRefuse(404, "not_found");
        (await administrator.Get("/V1/ME")).ShouldBe(200);
        (await administrator.Get("/v1/me/shifts")).ShouldBe(200);
        Assert.True((bool)(await administrator.Get("/v1/me/second-factor")).ShouldBe(200)["required"]!);

        await Authenticator.Enrol(strict, administrator, Given.Password);

        (await administrator.At(o.Path).Get("/teams")).ShouldBe(200);
        (await administrator.At(o.Path).Get("/roles")).ShouldBe(200);
    }

    [Fact]
    public async Task Whoever_removes_it_is_held_to_their_own_again()
    {
        var o = await Given.Organization();
        await using var strict = new ApiHost(ConnectionString, ("SignIn:RequireSecondFactorForAdministrators", "true"));
        var administrator = await strict.SignInAsOperator();
        await Authenticator.Enrol(strict, administrator, ApiHost.OperatorPassword);
        (await administrator.At(o.Path).Get("/teams")).ShouldBe(200);

        (await administrator.Send(HttpMethod.Delete, "/v1/me/second-factor", new { password = ApiHost.OperatorPassword })).ShouldBe(204);

        strict.Clock.Advance(TimeSpan.FromSeconds(5));
        (await administrator.At(o.Path).Get("/teams")).ShouldRefuse(403, "second_factor_required");
        (await administrator.Post("/v1/organizations", new { name = "Another", timeZone = "Asia/Shanghai" })).ShouldRefuse(403, "second_factor_required");
    }

    [Fact]
    public async Task A_second_factor_that_is_not_confirmed_is_none()
    {
        var o = await Given.Organization();
        await using var strict = new ApiHost(ConnectionString, ("SignIn:RequireSecondFactorForAdministrators", "true"));
        var administrator = await strict.SignInAsOperator();

        (await administrator.Post("/v1/me/second-factor")).ShouldBe(200);

        (await administrator.At(o.Path).Get("/teams")).ShouldRefuse(403, "second_factor_required");
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("auditor")]
    public async Task Others_need_none(string role)
    {
        var o = await Given.Organization();
        var (login, account) = await o.Account(await o.Volunteer());
        (await o.Admin.Put($"/roles/{account}", new { roles = new[] { new { role } } })).ShouldBe(200);
        await using var strict = new ApiHost(ConnectionString, ("SignIn:RequireSecondFactorForAdministrators", "true"));

        (await (await strict.SignIn(login, Given.Password)).At(o.Path).Get("/teams")).ShouldBe(200);
    }

    [Fact]
    public async Task Without_the_setting_nobody_needs_one()
    {
        var o = await Given.Organization();

        (await o.Admin.Get("/teams")).ShouldBe(200);
        Assert.False((bool)(await (await Given.Operator()).Get("/v1/me/second-factor")).ShouldBe(200)["required"]!);
    }
}
