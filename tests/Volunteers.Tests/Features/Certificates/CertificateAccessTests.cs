using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Certificates;

/// <summary>Who may have a certificate, of whom, and for how long.</summary>
public sealed class CertificateAccessTests(TestDatabases databases) : CertificatesTest(databases)
{
    [Fact]
    public async Task A_volunteer_has_their_own_and_nobody_elses()
    {
        var (volunteer, other) = (await Served(), await Served());
        var self = await O.SignedInAs(volunteer);
        var theirs = (await Issue(Admin, other)).ShouldBe(201);

        var own = (await Issue(self, volunteer)).ShouldBe(201);

        Assert.Null(own["issuedByName"]);
        Assert.NotNull(theirs["issuedByName"]);
        (await self.Get($"/certificates/{own.Id}")).ShouldBe(200);
        (await Issue(self, other)).ShouldRefuse(404, "not_found");
        (await self.Get($"/volunteers/{other}/certificates")).ShouldRefuse(404, "not_found");
        (await self.Get($"/certificates/{theirs.Id}")).ShouldRefuse(404, "not_found");
        (await self.Get($"/certificates/{theirs.Id}/pdf")).ShouldRefuse(404, "not_found");
        (await self.Post($"/certificates/{own.Id}/revoke", new { reason = "Mine." })).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task A_team_coordinator_serves_their_own_team()
    {
        var otherTeam = await O.Team();
        var coordinator = await O.SignedInWithRole("coordinator", Team);
        var (mine, theirs) = (await Served(), await O.Volunteer(otherTeam));
        await O.Record(await O.Activity(otherTeam), theirs, At("08:00"), At("09:00"));
        var foreign = (await Issue(Admin, theirs)).ShouldBe(201);

        var own = (await Issue(coordinator, mine)).ShouldBe(201);

        (await Issue(coordinator, theirs)).ShouldRefuse(404, "not_found");
        (await coordinator.Get($"/certificates/{foreign.Id}")).ShouldRefuse(404, "not_found");
        (await coordinator.Post($"/certificates/{foreign.Id}/revoke", new { reason = "No." })).ShouldRefuse(404, "not_found");
        (await coordinator.Post($"/certificates/{own.Id}/revoke", new { reason = "Wrong." })).ShouldBe(200);
    }

    [Fact]
    public async Task An_auditor_reads_and_an_auditor_who_volunteers_acts_for_themselves_only()
    {
        var (volunteer, other) = (await Served(), await Served());
        var (login, account) = await O.Account(volunteer);
        (await Admin.Put($"/roles/{account}", new { roles = new object[] { new { role = "auditor" }, new { role = "volunteer", volunteerId = volunteer } } })).ShouldBe(200);
        var auditor = (await Host.SignIn(login, Given.Password)).At(O.Path);
        var theirs = (await Issue(Admin, other)).ShouldBe(201);

        (await auditor.Get($"/certificates/{theirs.Id}")).ShouldBe(200);
        Assert.Single((await auditor.Get($"/volunteers/{other}/certificates")).Items);
        (await Issue(auditor, other)).ShouldRefuse(404, "not_found");
        (await Issue(auditor, volunteer)).ShouldBe(201);
        (await auditor.Post($"/certificates/{theirs.Id}/revoke", new { reason = "No." })).ShouldRefuse(403, "forbidden");
    }

    [Fact]
    public async Task Another_organizations_certificates_are_not_there()
    {
        var other = await Given.AnotherOrganization();
        var volunteer = await Served();
        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);
        var theirs = await ServedAt(other);

        (await other.Admin.Get($"/certificates/{certificate.Id}")).ShouldRefuse(404, "not_found");
        (await other.Admin.Get($"/certificates/{certificate.Id}/pdf")).ShouldRefuse(404, "not_found");
        (await Issue(other.Admin, volunteer)).ShouldRefuse(404, "not_found");
        (await Issue(other.Admin, theirs, new { from = "2026-06-01", to = "2026-06-30", replaces = certificate.Id })).ShouldRefuse(404, "certificate_not_found");
        Assert.Equal("valid", await StatusOf(certificate));
    }

    [Fact]
    public async Task Ones_own_of_all_organizations_are_in_one_list()
    {
        var (here, other) = (await Served(), await Given.AnotherOrganization());
        var (login, account) = await O.Account(here);
        var there = await ServedAt(other);
        (await other.Admin.Put($"/roles/{account}", new { roles = new[] { new { role = "volunteer", volunteerId = there } } })).ShouldBe(200);
        var me = (await Host.SignIn(login, Given.Password)).At("/v1/me/certificates");
        await Issue(Admin, here);
        await Issue(Admin, await Served());

        var mine = (await me.Post("", new { organizationId = other.Id, from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201);

        Assert.Equal([(here, 90), (there, 60)], (await me.Get("")).Items.Select(c => ((string)c!["volunteerId"]!, (int)c["minutes"]!)));
        Assert.Equal(mine.Text, (await me.Get($"/{mine.Id}")).ShouldBe(200).Text);
        (await me.Post("", new { organizationId = Guid.NewGuid(), from = "2026-06-01", to = "2026-06-30" })).ShouldRefuse(404, "no_profile_there");
        (await me.Post("", new { organizationId = other.Id, from = "2026-06-02", to = "2026-06-01" })).ShouldRefuse(400, "invalid_request");
    }

    [Fact]
    public async Task Who_has_left_still_gets_theirs_even_when_their_role_is_gone()
    {
        var volunteer = await Served();
        var (login, account) = await O.Account(volunteer);
        (await Admin.Patch($"/volunteers/{volunteer}", new { status = "left" })).ShouldBe(200);
        var person = await Host.SignIn(login, Given.Password);
        (await Issue(person.At(O.Path), volunteer)).ShouldBe(201);
        (await Admin.Delete($"/roles/{account}")).ShouldBe(204);
        var me = person.At("/v1/me/certificates");

        var certificate = (await me.Post("", new { organizationId = O.Id, from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201);

        Assert.Equal(2, (await me.Get("")).Items.Count);
        Assert.StartsWith("%PDF", (await me.Get($"/{certificate.Id}/pdf")).ShouldBe(200).Text, StringComparison.Ordinal);
        (await person.Get($"{O.Path}/certificates/{certificate.Id}")).ShouldRefuse(404, "not_found");
        (await Issue(Admin, volunteer)).ShouldBe(201);

        // Somebody else has the profile by now.
        await O.SignedInAs(volunteer);
        Assert.Empty((await me.Get("")).Items);
        (await me.Get($"/{certificate.Id}")).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task A_link_that_was_taken_from_somebody_who_had_not_left_is_gone()
    {
        var volunteer = await Served();
        var (login, account) = await O.Account(volunteer);
        (await Admin.Delete($"/roles/{account}")).ShouldBe(204);
        (await Admin.Patch($"/volunteers/{volunteer}", new { status = "left" })).ShouldBe(200);
        await Issue(Admin, volunteer);

        var me = (await Host.SignIn(login, Given.Password)).At("/v1/me/certificates");

        Assert.Empty((await me.Get("")).Items);
        (await me.Post("", new { organizationId = O.Id, from = "2026-06-01", to = "2026-06-30" })).ShouldRefuse(404, "no_profile_there");
    }
}
