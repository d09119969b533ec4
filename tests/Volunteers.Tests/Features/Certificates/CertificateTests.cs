using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Certificates;

public sealed class CertificateTests(TestDatabases databases) : CertificatesTest(databases)
{
    [Fact]
    public async Task It_states_the_credited_service_of_the_period_and_nothing_else()
    {
        var volunteer = await Served();
        await O.Record(Activity, volunteer, At("08:00", day: 1), At("09:00", day: 1));
        await O.Record(Activity, volunteer, At("23:30", day: 30), "2026-07-01T00:30:00+08:00");
        await O.Record(Activity, volunteer, "2026-07-01T08:00:00+08:00", "2026-07-01T09:00:00+08:00");
        await O.Record(Activity, volunteer, "2026-05-31T08:00:00+08:00", "2026-05-31T09:00:00+08:00");
        await O.Record(Activity, await O.Volunteer(Team), At("08:00"), At("12:00"));
        (await Record(await O.SignedInAs(volunteer), volunteer, At("10:00"), At("11:00"))).ShouldBe(201);
        var voided = await O.Record(Activity, volunteer, At("12:00"), At("13:00"));
        (await Do(Admin, "void", voided)).ShouldBe(200);

        var certificate = (await Issue(Admin, volunteer)).ShouldBe(201);

        Assert.Equal((210, 3, "3.50"), (Number(certificate, "minutes"), Number(certificate, "personTimes"), certificate["hours"]!.ToJsonString()));
        Assert.Equal(["2026-06-01", "2026-06-07", "2026-06-30"], certificate["lines"]!.AsArray().Select(line => (string?)line!["date"]));
        Assert.Equal([60, 90, 60], certificate["lines"]!.AsArray().Select(line => (int)line!["minutes"]!));
        var evidence = Assert.Single(certificate["byEvidence"]!.AsArray());
        Assert.Equal(("coordinator", 210), ((string?)evidence!["evidence"], (int)evidence["minutes"]!));
        Assert.Equal(await VerifiedPosition(), (long)certificate["ledgerPosition"]!);
        Assert.EndsWith($"/certificates/{certificate.Id}", certificate.Header("Location"), StringComparison.Ordinal);
        Assert.Equal(certificate.Text, (await Admin.Get($"/certificates/{certificate.Id}")).ShouldBe(200).Text);
    }

    [Fact]
    public async Task Each_line_says_what_where_for_whom_and_who_was_in_charge()
    {
        var (volunteer, leader) = (await O.Volunteer(Team), await Named("王𠮷"));
        var activity = (await Admin.Post("/activities", new
        {
            title = "爱心送考", teamId = Team, category = "送考", startsAt = At("06:00"), endsAt = At("18:00"), responsibleVolunteerId = leader,
            location = new { name = "石厦小学" }, description = "送考生\r\n" + string.Concat(Enumerable.Repeat("𠮷", 200)),
        })).ShouldBe(201).Id;
        (await Admin.Post($"/activities/{activity}/publish")).ShouldBe(200);
        await O.Record(activity, volunteer, At("08:00"), At("09:00"));
        await O.Record(activity, volunteer, At("10:00"), At("11:00"));

        var line = Assert.Single((await Issue(Admin, volunteer)).ShouldBe(201)["lines"]!.AsArray())!;

        Assert.Equal(("爱心送考", "送考", "石厦小学", "王𠮷", 2, 120), ((string?)line["activity"], (string?)line["category"], (string?)line["place"],
            (string?)line["personInCharge"], (int)line["personTimes"]!, (int)line["minutes"]!));
        Assert.Equal("送考生 " + string.Concat(Enumerable.Repeat("𠮷", 96)) + "…", (string?)line["content"]);
        Assert.Equal("coordinator", (string?)line["evidence"]);
    }

    [Fact]
    public async Task What_is_frozen_stays_whatever_is_renamed_or_corrected_since()
    {
        var district = await Given.AnotherOrganization();
        (await Admin.Patch("", new { contact = "0755-1234", responsiblePerson = "李红", supervisingOrganizationId = district.Id })).ShouldBe(200);
        var volunteer = await Served();
        var record = (await Admin.Get($"/service-records?volunteer={volunteer}")).Items[0]!["id"]!.ToString();
        var certificate = (await Issue(Admin, volunteer, new { from = "2026-06-01", to = "2026-06-30", language = "en", purpose = "升学" })).ShouldBe(201);
        Assert.Equal(("0755-1234", "李红", "升学", "en"), (Text(certificate, "contact"), Text(certificate, "responsiblePerson"), Text(certificate, "purpose"), Text(certificate, "language")));
        Assert.NotNull(Text(certificate, "supervisingOrganization"));

        (await Admin.Patch("", new { name = "Another name", contact = "nowhere", responsiblePerson = (string?)null })).ShouldBe(200);
        (await Admin.Patch($"/volunteers/{volunteer}", new { name = "Another person" })).ShouldBe(200);
        (await Admin.Patch($"/activities/{Activity}", new { title = "Another title" })).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "Wrong.", minutes = 30 })).ShouldBe(200);

        Assert.Equal(certificate.Text, (await Admin.Get($"/certificates/{certificate.Id}")).Text);
    }

    [Fact]
    public async Task Without_hours_there_is_nothing_to_certify_and_the_period_must_be_over()
    {
        var volunteer = await Served();
        var tomorrow = DateOnly.FromDateTime(Clock.GetUtcNow().AddHours(8).AddDays(1).DateTime);

        (await Issue(Admin, volunteer, new { from = "2026-06-08", to = "2026-06-30" })).ShouldRefuse(409, "nothing_to_certify");
        (await Issue(Admin, await O.Volunteer(Team))).ShouldRefuse(409, "nothing_to_certify");
        (await Issue(Admin, volunteer, new { from = "2026-06-01", to = $"{tomorrow:yyyy-MM-dd}" })).ShouldRefuse(409, "period_not_over");
        (await Issue(Admin, volunteer, new { from = "2026-06-02", to = "2026-06-01" })).ShouldRefuse(400, "invalid_request");
        (await Issue(Admin, volunteer, new { from = "2026-06-01", to = "2026-06-30", language = "fr" })).ShouldRefuse(400, "invalid_request");
        (await Issue(Admin, volunteer, new { from = "2026-06-01", to = "2026-06-30", purpose = "a\nb" })).ShouldRefuse(400, "invalid_request");
        (await Issue(Admin, volunteer, new { from = "2026-06-01", to = $"{tomorrow.AddDays(-1):yyyy-MM-dd}" })).ShouldBe(201);
    }

    [Fact]
    public async Task Numbers_have_no_gap_even_when_many_are_issued_at_the_same_moment()
    {
        var volunteers = new[] { await Served(), await Served(), await Served() };
        var year = Clock.GetUtcNow().AddHours(8).Year;
        (await Issue(Admin, volunteers[0], new { from = "2026-01-01", to = "2026-01-02" })).ShouldRefuse(409, "nothing_to_certify");

        var issued = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Issue(Admin, volunteers[i % 3])));

        Assert.Equal(Enumerable.Range(1, 12).Select(i => $"{year}-{i:D6}"), issued.Select(answer => Text(answer.ShouldBe(201), "number")).Order());
        Assert.Equal(12, issued.Select(answer => Text(answer, "code")).Distinct().Count());
        var other = await Given.AnotherOrganization();
        Assert.Equal($"{year}-000001", Text((await Issue(other.Admin, await ServedAt(other))).ShouldBe(201), "number"));
    }

    [Fact]
    public async Task A_request_sent_twice_issues_one()
    {
        var volunteer = await Served();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Admin.Post($"/volunteers/{volunteer}/certificates", June, ("Idempotency-Key", "once"))));

        Assert.Single(answers.Select(answer => answer.ShouldBe(201).Id).Distinct());
        Assert.Single((await Admin.Get($"/volunteers/{volunteer}/certificates")).Items);
    }

    [Fact]
    public async Task More_activities_than_can_be_printed_are_summed_by_month()
    {
        var volunteer = await Served();
        await O.Record(Activity, volunteer, "2026-05-07T08:00:00+08:00", "2026-05-07T09:00:00+08:00");
        // The ledger is not asked about its chain here.
        await Tamper($"""
            insert into hour_postings (organization_id, position, record_id, cause, volunteer_id, team_id, activity_id, project_id, category, evidence, service_date, minutes, person_times, posted_at, posted_by, previous_hash, hash)
            select p.organization_id, 100 + n, p.record_id, p.cause, p.volunteer_id, p.team_id, p.activity_id, p.project_id, p.category, p.evidence, date '2026-06-30' - n, 1, 1, p.posted_at, p.posted_by, p.hash, p.hash
            from hour_postings p, generate_series(1, 2001) n where p.organization_id = '{O.Id}' and p.position = 1;
            update hour_ledgers set position = 3000 where organization_id = '{O.Id}'
            """);

        var certificate = (await Issue(Admin, volunteer, new { from = "2020-01-01", to = "2026-06-30" })).ShouldBe(201);

        Assert.Equal(("months", 2001 + 150), (Text(certificate, "linesAre"), Number(certificate, "minutes")));
        var lines = certificate["lines"]!.AsArray();
        Assert.InRange(lines.Count, 60, 70);
        Assert.Equal(2001 + 150, lines.Sum(line => (int)line!["minutes"]!));
        Assert.Equal(("2026-06-01", 29 + 90), ((string?)lines[^1]!["date"], (int)lines[^1]!["minutes"]!));
        Assert.StartsWith("%PDF", System.Text.Encoding.ASCII.GetString(await Pdf(Admin, certificate.Id))[..4], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_service_itself_can_neither_change_nor_delete_a_certificate()
    {
        var certificate = (await Issue(Admin, await Served())).ShouldBe(201);
        (await Admin.Post($"/certificates/{certificate.Id}/revoke", new { reason = "Wrong." })).ShouldBe(200);

        foreach (var change in new[] { "update certificates set minutes = 1", "update certificates set code = ''", "delete from certificates", "update certificate_endings set \"end\" = \"end\"", "delete from certificate_endings" })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege,
                (await Assert.ThrowsAsync<PostgresException>(() => Tamper($"set role volunteers_service; {change}"))).SqlState);
    }

    [Fact]
    public async Task Lists_have_no_lines_and_go_on_page_by_page()
    {
        var volunteer = await Served();
        for (var i = 0; i < 3; i++) (await Issue(Admin, volunteer)).ShouldBe(201);

        var first = (await Admin.Get($"/volunteers/{volunteer}/certificates?limit=2")).ShouldBe(200);
        var second = (await Admin.Get($"/volunteers/{volunteer}/certificates?limit=2&cursor={Text(first, "next")}")).ShouldBe(200);

        Assert.Equal(3, first.Items.Concat(second.Items).Select(item => (string?)item!["number"]).Distinct().Count());
        Assert.All(first.Items, item => Assert.Null(item!["lines"]));
        Assert.All(first.Items, item => Assert.Equal("1.50", item!["hours"]!.ToJsonString()));
    }
}
