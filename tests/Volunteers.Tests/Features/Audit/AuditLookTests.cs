using System.Net;
using Volunteers.Platform.Audit;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

public sealed class AuditLookTests(TestDatabases databases) : AuditTest(databases)
{
    [Fact]
    public async Task A_coordinator_who_looks_at_a_volunteer_leaves_a_trace()
    {
        var volunteer = await O.Volunteer(Team);
        var coordinator = await O.SignedInWithRole("coordinator", Team);

        (await coordinator.Get($"/volunteers/{volunteer}", ("User-Agent", "Mozilla/5.0 (Linux; Android 14) Chrome/130.0 MicroMessenger/8.0"))).ShouldBe(200);

        var e = await TheEvent($"operation=getVolunteer&kind=look&volunteer={volunteer}");
        Assert.Equal(("coordinator", "WeChat"), ((string?)e["role"], (string?)e["agent"]));
        Assert.Equal([Team], Texts(e, "teamIds"));
        Assert.Equal([volunteer], Texts(e, "volunteerIds"));
    }

    [Fact]
    public async Task Nobody_leaves_a_trace_by_looking_at_themselves()
    {
        var volunteer = await O.Volunteer(Team);
        var own = await O.SignedInAs(volunteer);
        await O.Record(await O.Activity(Team), volunteer, "2026-06-07T15:00:00+08:00", "2026-06-07T16:00:00+08:00");
        var before = await Count();

        foreach (var path in new[] { $"/volunteers/{volunteer}", "/volunteers", "/service-records", "/disputes", $"/volunteers/{volunteer}/summary", $"/volunteers/{volunteer}/certificates" })
            (await own.Get(path)).ShouldBe(200);
        var record = (string)(await own.Get("/service-records")).Items[0]!["id"]!;
        (await own.Get($"/service-records/{record}")).ShouldBe(200);
        (await own.Get($"/service-records/{record}/history")).ShouldBe(200);

        Assert.Equal(before, await Count());
        (await own.Get($"/teams/{Team}/members")).ShouldBe(200);
        Assert.Equal(before, await Count());
        await O.Volunteer(Team);
        (await own.Get($"/teams/{Team}/members")).ShouldBe(200);
        Assert.Equal("volunteer", (string?)(await TheEvent("operation=listTeamMembers"))["role"]);
    }

    [Fact]
    public async Task A_list_names_everybody_whom_it_showed_but_not_what_was_searched_for()
    {
        var volunteers = await O.Volunteers(3, Team);
        await O.Volunteer();

        (await Admin.Get($"/volunteers?q=Volunteer&team={Team}&status=active&limit=2")).ShouldBe(200);

        var e = await TheEvent("operation=listVolunteers");
        Assert.Equal(volunteers[..2].Order(), Texts(e, "volunteerIds").Order());
        Assert.Equal(2, (int)e["rows"]!);
        Assert.Equal(("***", Team, "active"), ((string?)e["query"]!["q"], (string?)e["query"]!["team"], (string?)e["query"]!["status"]));
        Assert.Null(e["query"]!["limit"]);
        Assert.Empty(await Events($"volunteer={volunteers[2]}&kind=look"));
    }

    [Fact]
    public async Task What_is_not_there_or_not_allowed_is_no_look()
    {
        var before = await Count();

        (await Admin.Get($"/volunteers/{Guid.NewGuid()}")).ShouldBe(404);
        (await Admin.Get("/volunteers?limit=0")).ShouldBe(400);
        (await Admin.Get("/service-records/export?from=2026-01-01&to=2026-12-31", ("Accept", "image/png"))).ShouldBe(406);
        (await Host.Anonymous.Get($"{O.Path}/volunteers")).ShouldBe(401);

        Assert.Equal(before, await Count());
    }

    [Fact]
    public async Task An_export_leaves_one_event_with_its_filters_and_the_number_of_rows()
    {
        var activity = await O.Activity(Team);
        foreach (var volunteer in await O.Volunteers(3, Team)) await O.Record(activity, volunteer, "2026-06-07T15:00:00+08:00", "2026-06-07T16:00:00+08:00");

        foreach (var format in new[] { "csv", "xlsx" })
        {
            (await Admin.Get($"/service-records/export?from=2026-06-01&to=2026-06-30&team={Team}&format={format}")).ShouldBe(200);
            var e = (await Events("kind=export"))[0];
            Assert.Equal(("exportServiceRecords", 3), ((string?)e["operation"], (int)e["rows"]!));
            Assert.Equal(("2026-06-01", "2026-06-30", Team, format), ((string?)e["query"]!["from"], (string?)e["query"]!["to"], (string?)e["query"]!["team"], (string?)e["query"]!["format"]));
        }
        Assert.Equal(2, (await Events("operation=exportServiceRecords")).Length);
    }

    [Theory]
    [InlineData("json", "look")]
    [InlineData("csv", "export")]
    [InlineData("xlsx", "export")]
    [InlineData("pdf", "export")]
    public async Task A_report_is_a_look_and_as_a_file_an_export(string format, string kind)
    {
        await O.Record(await O.Activity(Team), await O.Volunteer(Team), "2026-06-07T15:00:00+08:00", "2026-06-07T16:00:00+08:00");

        (await Admin.Get($"/reports/hours?from=2026-06-01&to=2026-06-30&groupBy=volunteer&format={format}")).ShouldBe(200);

        var e = await TheEvent("operation=getHourReport");
        Assert.Equal((kind, 1, "volunteer"), ((string?)e["kind"], (int)e["rows"]!, (string?)e["query"]!["groupBy"]));
    }

    [Fact]
    public async Task Looking_at_the_trail_leaves_a_trace_too()
    {
        var volunteer = await O.Volunteer();

        await Events($"volunteer={volunteer}");

        var e = await TheEvent("operation=listAuditEvents");
        Assert.Equal("look", (string?)e["kind"]);
        Assert.Equal([volunteer], Texts(e, "volunteerIds"));
    }

    [Fact]
    public async Task Nothing_is_shown_that_cannot_be_traced_and_nothing_changed()
    {
        var volunteer = await O.Volunteer();
        await Tamper("revoke insert on audit_events from volunteers_service");
        try
        {
            var look = await Admin.Get($"/volunteers/{volunteer}");
            Assert.Equal(500, look.Status);
            Assert.DoesNotContain(volunteer, look.Text, StringComparison.Ordinal);
            Assert.Equal(500, (await Admin.Get("/service-records/export?from=2026-01-01&to=2026-12-31")).Status);
            Assert.Equal(500, (await Admin.Post("/teams", new { name = "Unseen" })).Status);
            (await Admin.Get("/projects")).ShouldBe(200);
        }
        finally
        {
            await Tamper("grant insert on audit_events to volunteers_service");
        }
        Assert.DoesNotContain((await Admin.Get("/teams")).Items, team => (string)team!["name"]! == "Unseen");
    }

    [Fact]
    public async Task Many_looks_at_the_same_moment_each_leave_their_own_trace()
    {
        var volunteers = await O.Volunteers(5);
        var before = await Count();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Admin.Get($"/volunteers/{volunteers[i % 5]}")));

        Assert.All(answers, answer => answer.ShouldBe(200));
        Assert.Equal(before + 200, await Count());
        Assert.Equal(40, (await Events($"operation=getVolunteer&volunteer={volunteers[0]}")).Length);
        await Verified();
    }

    [Theory]
    [InlineData("203.0.113.77", "203.0.113.0/24")]
    [InlineData("::ffff:203.0.113.77", "203.0.113.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48")]
    public void Of_an_address_only_the_network_is_kept(string address, string network) => Assert.Equal(network, Origin.NetworkOf(IPAddress.Parse(address)));

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge")]
    [InlineData("Mozilla/5.0 (iPhone) AppleWebKit/605 Version/18.0 Mobile Safari/604.1", "Safari")]
    [InlineData("curl/8.5.0", "curl")]
    [InlineData("13800138000 my phone", "other")]
    [InlineData("", null)]
    public void Of_a_program_only_the_family_is_kept(string agent, string? family) => Assert.Equal(family, Origin.FamilyOf(agent));
}
