using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Volunteers.Platform;
using Volunteers.Tests.Data;
using Volunteers.Tests.Platform;
using Volunteers.Tests.Support;
using Xunit;
using Answer = Volunteers.Tests.Support.Answer;

namespace Volunteers.Tests.Features.Volunteers;

public sealed class ApplicationLimitTests(TestDatabases databases) : ApplicationsTest(databases)
{
    [Fact]
    public async Task One_address_may_apply_so_often_and_another_address_after_that()
    {
        await using var host = new ApiHost(ConnectionString, ("RateLimits:ApplicationsPerHour", "3"), ("ForwardedHeaders:KnownProxies:0", "127.0.0.1"));
        Task<Answer> From(string address, object application) =>
            host.Anonymous.Post($"{O.Path}/volunteers/applications", application, ("X-Forwarded-For", address), ("Accept-Language", "zh-CN"));

        (await From("198.51.100.7", Application(phone: "13800138001"))).ShouldBe(202);
        (await From("198.51.100.7", new { })).ShouldBe(400);
        (await From("198.51.100.7", Application(phone: "13800138002"))).ShouldBe(202);
        var refused = (await From("198.51.100.7", Application(phone: "13800138003"))).ShouldRefuse(429, "too_many_requests").ShouldBeProblem("limit");

        Assert.Equal("请求过于频繁。", (string?)refused["title"]);
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture), 1, 3600);
        (await From("198.51.100.8", Application(phone: "13800138004"))).ShouldBe(202);
        (await host.Anonymous.Get("/v1/me", ("X-Forwarded-For", "198.51.100.7"))).ShouldRefuse(401, "not_signed_in");
        Assert.Equal(3, (await Applicants()).Items.Count);
    }

    [Theory]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::ffff:198.51.100.7", "198.51.100.7", true)]
    [InlineData("198.51.100.7", "198.51.100.8", false)]
    public void Neighbours_of_one_line_count_as_one(string one, string other, bool same) =>
        Assert.Equal(same, CallerAt(one).Equals(CallerAt(other)));

    [Fact]
    public async Task An_organization_holds_so_many_open_applications_whoever_sends_them()
    {
        await using var one = new ApiHost(ConnectionString, ("RateLimits:OpenApplications", "3"));
        await using var other = new ApiHost(ConnectionString, ("RateLimits:OpenApplications", "3"));
        await Known("active", "13700137000");

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            (i % 2 == 0 ? one : other).Anonymous.Post($"{O.Path}/volunteers/applications", Application(phone: $"1380013800{i}"))));

        Assert.Equal(3, answers.Count(answer => answer.Status == 202));
        Assert.All(answers.Where(answer => answer.Status != 202), answer =>
            Assert.Equal("3600", answer.ShouldRefuse(429, "too_many_applications").ShouldBeProblem("limit").Header("Retry-After")));
        var waiting = (await Applicants()).Items;
        Assert.Equal(3, waiting.Count);
        // Nor does the refusal tell whose phone is known.
        foreach (var phone in new[] { (string)(await Profile((string)waiting[0]!["id"]!))["phone"]!, "13700137000", "13600136000" })
            (await one.Anonymous.Post($"{O.Path}/volunteers/applications", Application(phone: phone))).ShouldRefuse(429, "too_many_applications");

        (await O.Admin.Post($"/volunteers/{waiting[0]!["id"]}/decline")).ShouldBe(204);
        (await other.Anonymous.Post($"{O.Path}/volunteers/applications", Application(phone: "13600136000"))).ShouldBe(202);
        (await one.Anonymous.Post($"{(await Given.AnotherOrganization()).Path}/volunteers/applications", Application())).ShouldBe(202);
    }

    [Fact]
    public async Task A_limit_below_nothing_is_refused_at_the_start()
    {
        await using var process = ServiceProcess.Run("",
            ("ConnectionStrings__Volunteers", ConnectionString), ("ASPNETCORE_URLS", "http://127.0.0.1:0"), ("RateLimits__OpenApplications", "-1"));

        Assert.Equal(1, await process.ExitCode());
        Assert.Contains("RateLimits: every limit must be 0, for none,", process.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", process.Output, StringComparison.Ordinal);
    }

    private static IPAddress CallerAt(string address) =>
        RateLimiting.AddressOf(new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(address) } });
}
