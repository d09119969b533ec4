using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Certificates;

/// <summary>Short words for issuing and verifying certificates of service in June 2026.</summary>
public abstract class CertificatesTest(TestDatabases databases) : HoursTest(databases)
{
    protected static readonly object June = new { from = "2026-06-01", to = "2026-06-30" };

    protected static Task<Answer> Issue(Api by, string volunteer, object? body = null) => by.Post($"/volunteers/{volunteer}/certificates", body ?? June);

    /// <summary>Somebody with an hour and a half on 7 June.</summary>
    protected async Task<string> Served()
    {
        var volunteer = await O.Volunteer(Team);
        await O.Record(Activity, volunteer, At("08:00"), At("09:30"));
        return volunteer;
    }

    /// <summary>Somebody with an hour on 7 June in another organization.</summary>
    protected static async Task<string> ServedAt(OrganizationSteps other)
    {
        var team = await other.Team();
        var volunteer = await other.Volunteer(team);
        await other.Record(await other.Activity(team), volunteer, At("08:00"), At("09:00"));
        return volunteer;
    }

    protected async Task<string> Named(string name)
    {
        var volunteer = (await Admin.Post("/volunteers", new { name })).ShouldBe(201).Id;
        await O.Member(Team, volunteer);
        return volunteer;
    }

    protected async Task<JsonNode> Verified(string code) => (await Host.Anonymous.Get($"/v1/certificates/{code}")).ShouldBe(200).Body!;

    protected async Task<string?> StatusOf(Answer certificate) => (string?)(await Verified(Text(certificate, "code")!))["status"];

    protected async Task<byte[]> Pdf(Api by, string certificate, string query = "")
    {
        var answer = await by.Http.GetAsync(new Uri($"{O.Path}/certificates/{certificate}/pdf{query}", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("application/pdf", answer.Content.Headers.ContentType?.MediaType);
        return await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
    }
}
