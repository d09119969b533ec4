using System.Globalization;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Certificates;

/// <summary>How certificates stop being valid, and what verification says of those that have.</summary>
public sealed class CertificateEndTests(TestDatabases databases) : CertificatesTest(databases)
{
    [Fact]
    public async Task A_revoked_one_says_so_and_says_nothing_of_the_reason()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);
        // One in the morning here, and the day before in UTC.
        await Host.Later(TimeSpan.FromHours(25) - Clock.GetUtcNow().AddHours(8).TimeOfDay);

        var revoked = (await Admin.Post($"/certificates/{certificate.Id}/revoke", new { reason = "Mistaken person." })).ShouldBe(200);

        Assert.Equal(("revoked", "Mistaken person.", "\"2\""), (Text(revoked, "status"), Text(revoked, "revocationReason"), revoked.Header("ETag")));
        var verified = await Verified(Text(certificate, "code")!);
        var today = Clock.GetUtcNow().AddHours(8).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Assert.Equal(("revoked", today), ((string?)verified["status"], (string?)verified["revokedOn"]));
        Assert.Contains(today, (await Host.Anonymous.Get($"/verify/{Text(certificate, "code")}")).ShouldBe(200).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Mistaken", verified.ToJsonString(), StringComparison.Ordinal);
        (await Admin.Post($"/certificates/{certificate.Id}/revoke", new { })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task It_is_revoked_once_however_many_do_it_at_the_same_moment()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Admin.Post($"/certificates/{certificate.Id}/revoke", new { reason = "Wrong." })));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "certificate_already_ended"));
    }

    [Fact]
    public async Task It_is_replaced_once_and_the_others_take_no_number()
    {
        var volunteer = await Served();
        var first = (await Issue(Admin, volunteer)).ShouldBe(201);
        object again = new { from = "2026-06-01", to = "2026-06-30", replaces = first.Id };

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Issue(Admin, volunteer, again)));

        var second = Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "certificate_already_ended"));
        Assert.Equal(first.Id, Text(second, "replacesId"));
        var old = (await Admin.Get($"/certificates/{first.Id}")).ShouldBe(200);
        Assert.Equal(("superseded", second.Id), (Text(old, "status"), Text(old, "supersededById")));
        var verified = await Verified(Text(first, "code")!);
        Assert.Equal(("superseded", Text(second, "number")), ((string?)verified["status"], (string?)verified["supersededBy"]));
        Assert.Equal("valid", await StatusOf(second));
        Assert.EndsWith("-000003", Text((await Issue(Admin, volunteer)).ShouldBe(201), "number"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_valid_one_of_the_same_volunteer_is_replaced()
    {
        var (volunteer, other) = (await Served(), await Served());
        var (theirs, revoked) = ((await Issue(Admin, other)).ShouldBe(201), (await Issue(Admin, volunteer)).ShouldBe(201));
        (await Admin.Post($"/certificates/{revoked.Id}/revoke", new { reason = "Wrong." })).ShouldBe(200);
        Task<Answer> Replace(string id) => Issue(Admin, volunteer, new { from = "2026-06-01", to = "2026-06-30", replaces = id });

        (await Replace(theirs.Id)).ShouldRefuse(404, "certificate_not_found");
        (await Replace(Guid.NewGuid().ToString())).ShouldRefuse(404, "certificate_not_found");
        (await Replace(revoked.Id)).ShouldRefuse(409, "certificate_already_ended");
        Assert.Equal("valid", await StatusOf(theirs));
        Assert.Single((await Admin.Get($"/volunteers/{volunteer}/certificates")).Items);
    }

    [Fact]
    public async Task Hours_that_changed_since_show_the_figure_of_today()
    {
        var volunteer = await Served();
        var record = (await Admin.Get($"/service-records?volunteer={volunteer}")).Items[0]!["id"]!.ToString();
        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);
        var code = Text(certificate, "code")!;
        async Task Now(string? status, int? minutes, int? personTimes)
        {
            var verified = await Verified(code);
            Assert.Equal((status, minutes, personTimes), ((string?)verified["status"], (int?)verified["now"]?["minutes"], (int?)verified["now"]?["personTimes"]));
            Assert.Equal((90, 1), ((int)verified["minutes"]!, (int)verified["personTimes"]!));
        }

        await Now("valid", null, null);
        (await Do(Admin, "correct", record, new { reason = "Shorter.", minutes = 60 })).ShouldBe(200);
        await Now("hoursChanged", 60, 1);
        (await Do(Admin, "correct", record, new { reason = "Not so.", minutes = 90 })).ShouldBe(200);
        await Now("valid", null, null);
        var late = (await Record(await O.SignedInAs(volunteer), volunteer, At("10:00"), At("10:30"))).ShouldBe(201).Id;
        await Now("valid", null, null);
        (await Do(Admin, "approve", late)).ShouldBe(200);
        await Now("hoursChanged", 120, 2);
        (await Do(Admin, "void", late)).ShouldBe(200);
        await Now("valid", null, null);
        (await Do(Admin, "void", record)).ShouldBe(200);
        await Now("hoursChanged", 0, 0);
        await O.Record(Activity, volunteer, "2026-05-01T08:00:00+08:00", "2026-05-01T09:30:00+08:00");
        await Now("hoursChanged", 0, 0);
        (await Admin.Post($"/certificates/{certificate.Id}/revoke", new { reason = "Void." })).ShouldBe(200);
        await Now("revoked", null, null);
    }
}
