using System.IO.Compression;
using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>All that is kept about whoever asks, and nothing about anybody else.</summary>
public sealed class OwnExportTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task People_get_all_that_is_kept_about_them()
    {
        var life = await O.Live(Host, Team, Activity);

        var export = (await Me(life).Get("/v1/me/export")).ShouldBe(200);

        // Of a document the number is kept to be compared, and shown masked to everybody; a note said it whole.
        Assert.Equal("110***********002X", (string?)Assert.Single(export.Kind("identityDocuments"))!["number"]);
        Assert.All(life.Values, value => Assert.Contains(value, export.Text, StringComparison.OrdinalIgnoreCase));
        string[] filled =
        [
            "profiles", "formerNames", "identityDocuments", "consents", "memberships", "invitations", "signUps", "attendance", "calendarFeeds", "serviceRecords", "serviceRecordSteps",
            "disputes", "postings", "totals", "reconciliationRows", "certificates", "awards", "awardObjections", "trainings", "ratings", "roles", "signIns", "tokens", "authorizations", "accounts", "acts",
        ];
        Assert.All(filled, kind => Assert.NotEmpty(export.Kind(kind)));
        Assert.Equal(2, export.Kind("serviceRecords").Count);
        Assert.Equal(("coordinator", 120), ((string?)export.Kind("postings")[0]!["evidence"], (int)export.Kind("postings")[0]!["minutes"]!));
        Assert.Equal("急救", (string?)export.Kind("profiles")[0]!["skills"]![0]!["name"]);
        Assert.Contains(export.Kind("acts"), act => (string?)act!["what"] == "serviceRecords" && (string?)act["by"] == "recordedBy" && (int)act["count"]! == 1);
        Assert.Equal("no-store", export.Header("Cache-Control"));
        Assert.Contains("my-data-", export.Header("Content-Disposition"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_others_and_no_secret_is_in_it()
    {
        var life = await O.Live(Host, Team, Activity);
        var other = (await Admin.Post("/volunteers", new { name = "旁观者甲", phone = "13300001111" })).ShouldBe(201).Id;
        await O.Member(Team, other);
        await O.Record(Activity, other, At("13:00"), At("14:00"));
        var hash = await Ask("select password_hash, security_stamp from accounts where password_hash is not null", row => (Hash: row.GetString(0), Stamp: row.GetString(1)));

        var export = (await Me(life).Get("/v1/me/export")).ShouldBe(200);

        Assert.DoesNotContain("旁观者甲", export.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("13300001111", export.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(other, export.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(hash.Hash, export.Text, StringComparison.Ordinal);
        // That a password was changed is theirs to know: the audit trail names the member, and no value.
        foreach (var (kind, rows) in export.Body!.AsObject().Where(kind => kind.Value is JsonArray && !kind.Key.StartsWith("audit", StringComparison.Ordinal)))
        {
            foreach (var secret in new[] { "passwordHash", "securityStamp", "codeHash", "secretHash", "payload", "sealedNumber", "\"hash\"" })
                Assert.False(rows!.ToJsonString().Contains(secret, StringComparison.Ordinal), $"{secret} is told of {kind}.");
        }
    }

    [Fact]
    public async Task The_spreadsheets_have_the_same_rows()
    {
        var life = await O.Live(Host, Team, Activity);
        (await Admin.Post($"/volunteers/{life.Id}/trainings", new { name = "=1+1", minutes = 60, heldOn = "2026-06-02" })).ShouldBe(201);
        var json = (await Me(life).Get("/v1/me/export")).ShouldBe(200);

        using var answer = await life.Self.Http.GetAsync(new Uri("/v1/me/export?format=csv", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("application/zip", answer.Content.Headers.ContentType?.MediaType);
        using var zip = new ZipArchive(new MemoryStream(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)));

        var kinds = json.Body!.AsObject().Where(member => member.Value is JsonArray).ToDictionary(member => member.Key, member => member.Value!.AsArray());
        Assert.Equal(kinds.Keys.Select(kind => kind + ".csv").Order(), zip.Entries.Select(entry => entry.FullName).Order());
        foreach (var entry in zip.Entries)
        {
            using var reader = new StreamReader(entry.Open());
            var text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
            var rows = ReportFile.Read(text).Rows;
            var kind = kinds[entry.FullName[..^4]];
            Assert.Equal(kind.Count, rows.Count);
            foreach (var (row, told) in rows.Zip(kind))
                foreach (var (name, value) in told!.AsObject().Where(member => member.Value is JsonValue text && text.GetValueKind() == System.Text.Json.JsonValueKind.String))
                    Assert.Equal((string)value!, row[name].StartsWith('\'') ? row[name][1..] : row[name]);
        }
        using var trainings = new StreamReader(zip.GetEntry("trainings.csv")!.Open());
        Assert.Contains("'=1+1", await trainings.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_spans_all_organizations_also_one_that_they_have_left()
    {
        var life = await O.Live(Host, Team, Activity);
        var elsewhere = await Given.AnotherOrganization();
        var there = (await elsewhere.Admin.Post("/volunteers", new { name = "若曦别处" })).ShouldBe(201).Id;
        (await Me(life).Post("/v1/me/invitations", new { invitationCode = (string)(await elsewhere.Admin.Post($"/volunteers/{there}/invitation"))["code"]! })).ShouldBe(201);
        (await elsewhere.Admin.Patch($"/volunteers/{there}", new { status = "left" })).ShouldBe(200);
        (await elsewhere.Admin.Delete($"/roles/{life.AccountId}")).ShouldBe(204);
        var fresh = await Host.SignIn(LivedLife.Login, Given.Password);

        var export = (await fresh.Get("/v1/me/export")).ShouldBe(200);

        Assert.Equal(new HashSet<string?> { LivedLife.Name, "若曦别处" }, export.Kind("profiles").Select(profile => (string?)profile!["name"]).ToHashSet());
    }

    [Fact]
    public async Task One_person_draws_one_at_a_time()
    {
        var life = await O.Live(Host, Team, Activity);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var hold = new NpgsqlCommand($"select pg_advisory_lock(hashtextextended('own export {life.AccountId}', 0))", connection);
        await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        (await Me(life).Get("/v1/me/export")).ShouldRefuse(429, "too_many_exports");
        Assert.NotNull((await Me(life).Get("/v1/me/export")).Header("Retry-After"));
    }

    private static Api Me(LivedLife life) => new(life.Self.Http, "");
}

/// <summary>Exports of a person count as exports.</summary>
public sealed class OwnExportLimitTests(TestDatabases databases) : ApiTest(databases)
{
    protected override (string Name, string Value)[] Configuration => [("RateLimits:ExportsPerMinute", "2")];

    [Fact]
    public async Task After_the_allowed_number_there_is_a_wait()
    {
        var o = await Given.Organization();
        var api = new Api((await o.SignedInAs(await o.Volunteer())).Http, "");

        for (var i = 0; i < 2; i++) (await api.Get("/v1/me/export")).ShouldBe(200);

        (await api.Get("/v1/me/export")).ShouldRefuse(429, "too_many_requests");
        (await api.Get("/v1/me")).ShouldBe(200);
    }
}
