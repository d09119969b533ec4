using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Volunteers.Tests.Architecture;
using Volunteers.Tests.Features.Activities;
using Volunteers.Tests.Features.Certificates;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Features.Reconciliation;
using Volunteers.Tests.Features.Reports;
using Volunteers.Tests.Features.Teams;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

/// <summary>
/// What was tried against the running service, and the answer that it gets. Most are tried here, one after the other, by an
/// administrator of another organization unless said otherwise; those that need a browser, a file or many forms are tried in
/// the test that is named, and stand here so that the list is whole.
/// </summary>
public sealed class AttackTests(TestDatabases databases) : SignInTest(databases)
{
    private const string Period = "from=2020-01-01&to=2026-12-31";

    private sealed record Attack(string What, string Answer, Func<AttackTests, Target, Task<string>>? Try = null, Type? In = null, string? Test = null);

    private static readonly Attack[] All =
    [
        // Ids of another organization.
        new("Its id in a path, at its own address: every operation", "404", In: typeof(PermissionMatrixTests), Test: nameof(PermissionMatrixTests.Every_caller_gets_the_answer_of_the_matrix)),
        new("Its record in a path, below the attacker's organization", "404 not_found", (_, t) => Code(t.Attacker.Get($"/service-records/{t["recordId"]}"))),
        new("Its team in a query that filters service", "200 nothing", (_, t) => Items(t.Attacker.Get($"/service-records?team={t["teamId"]}&volunteer={t["ownVolunteer"]}"))),
        new("Its team in a query of a report", "200 0 minutes", (_, t) => Minutes(t.Attacker.Get($"/reports/hours?{Period}&team={t["teamId"]}"))),
        new("Its volunteer in a query of an export", "200 total only", (_, t) => Lines(t.Attacker.Get($"/service-records/export?{Period}&volunteer={t["ownVolunteer"]}&format=csv"))),
        new("Its team in the body of a new activity", "404 team_not_found", (_, t) => Code(t.Attacker.Post("/activities", t.World.Activity))),
        new("Its volunteer in the body of a new record", "404 volunteer_not_found", (_, t) => Code(t.Attacker.Post("/service-records", t.ServiceOf(t["ownVolunteer"])))),
        new("Its activity in the body of a new record", "404 activity_not_found", (_, t) => Code(t.Attacker.Post("/service-records", t.World.Service))),
        new("Its volunteer in the body of a role", "404 volunteer_not_found", (_, t) => Code(t.Attacker.Put($"/roles/{t["attackerAccount"]}", new { roles = new object[] { new { role = "administrator" }, new { role = "volunteer", volunteerId = t["ownVolunteer"] } } }))),
        new("Its team above one's own", "404 parent_team_not_found", (_, t) => Code(t.Attacker.Post("/teams", new { name = "Below", parentTeamId = t["teamId"] }))),
        new("Its name on the attacker's certificates, as supervising organization", "404 supervising_organization_not_found", (_, t) => Code(t.Attacker.Patch("", new { supervisingOrganizationId = t["organizationId"] }))),
        new("Its certificate as what a new one replaces", "404 certificate_not_found", (_, t) => Code(t.Attacker.Post($"/volunteers/{t["attackersVolunteer"]}/certificates", new { from = "2026-01-01", to = "2026-01-31", replaces = t["certificateId"] }))),
        new("A cursor that points to its rows", "200 nothing of theirs", (_, t) => NothingOf(t, t.Attacker.Get($"/volunteers?cursor={Cursor(t["ownVolunteer"])}"))),
        new("A cursor of another list", "400 invalid_cursor", (_, t) => Code(t.Attacker.Get($"/activities?cursor={Cursor(t["ownVolunteer"])}"))),
        new("Its administrator's idempotency key, with the same request", "201 not replayed", async (_, t) =>
        {
            (await t.Victim.Post("/teams", new { name = "The same" }, ("Idempotency-Key", "theirs"))).ShouldBe(201);
            var answer = await t.Attacker.Post("/teams", new { name = "The same" }, ("Idempotency-Key", "theirs"));
            return $"{answer.Status} {(answer.Header("Idempotency-Replayed") is null ? "not replayed" : "replayed")}";
        }),
        new("Its organization in front of the secret of another's calendar", "404 not_found", (test, t) => Code(test.Host.Anonymous.Get($"/v1/calendars/{t["secret"][..21]}{t["attackersSecret"][21..]}.ics"))),
        new("Its organization in front of the code of another's certificate", "404 not_found", (test, t) => Code(test.Host.Anonymous.Get($"/v1/certificates/{Checked(t["code"][..8] + t["attackersCode"][8..^2])}"))),
        new("Its record among a batch of approvals", "409 batch_refused: record_not_found", (_, t) => Refusals(t.Attacker.Post("/service-records/approvals", new { recordIds = new[] { t["recordId"] } }))),
        new("Its volunteer among a batch of records", "409 batch_refused: volunteer_not_found", (_, t) => Refusals(t.Attacker.Post("/service-records/batch", new { items = new[] { t.ServiceOf(t["ownVolunteer"]) } }))),
        new("Its shift among a batch of attendance", "200 refused: shift_not_found", async (_, t) =>
        {
            var answer = await t.Attacker.Post("/attendance/batch", t.World.OfflineAttendance);
            return $"{answer.Status} {answer.Items[0]!["result"]}: {answer.Items[0]!["code"]}";
        }),
        new("A position of its longer ledger, as of which to report", "409 beyond_ledger_end", async (_, t) =>
            await Code(t.Attacker.Get($"/reports/hours?{Period}&asOf={(await t.Victim.Get("/ledger/verification"))["position"]}"))),
        new("An item of a team that is not a team coordinator's in a batch", "409 batch_refused", In: typeof(TeamBoundaryTests), Test: nameof(TeamBoundaryTests.A_batch_with_one_item_of_another_team_is_refused_whole)),

        // Tokens, codes and clients.
        new("A client's token at another organization", "404 not_found", (_, t) => Code(t.Client.Get($"/v1/organizations/{t["otherOrganization"]}/teams"))),
        new("A client's token for what is a person's", "403 forbidden", (_, t) => Code(t.Client.Get("/v1/me/hours"))),
        new("A client's token for another scope than it has", "403 insufficient_scope", (_, t) => Code(t.World.Without("roster.read").Get($"/v1/organizations/{t["organizationId"]}/teams"))),
        new("A client asks for a scope that it was not given", "400 invalid_scope", In: typeof(ClientScopeTests), Test: nameof(ClientScopeTests.A_client_asks_for_no_more_than_it_has)),
        new("A refresh token of one client, used by another", "400 invalid_grant", async (test, _) =>
        {
            using var http = test.Host.Http();
            var tokens = await test.RotaTokens();
            return Oauth(await ApiHost.PostToken(http, ("grant_type", "refresh_token"), ("client_id", "board"), ("client_secret", BoardSecret), ("refresh_token", tokens.Refresh!)));
        }),
        new("A refresh token of a public client, used by the mobile app", "400 invalid_grant", async (test, _) => Oauth(await test.Host.Refresh((await test.RotaTokens()).Refresh))),
        new("A token of one client, revoked by another", "the token still opens", async (test, _) =>
        {
            var tokens = await test.RotaTokens();
            await test.Host.Revoke(tokens.Refresh!);
            using var http = test.Host.Http();
            return (await ApiHost.PostToken(http, ("grant_type", "refresh_token"), ("client_id", "rota"), ("refresh_token", tokens.Refresh!))).Status == 200 ? "the token still opens" : "the token is gone";
        }),
        new("An authorization code of one client, used by another", "400 invalid_grant", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.A_code_of_one_client_is_no_good_to_another)),
        new("An authorization code used twice", "400 invalid_grant, and what it gave ends", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.A_code_used_twice_ends_all_that_it_gave)),
        new("A refresh token used twice", "400 invalid_grant, and the whole family ends", In: typeof(RefreshTests), Test: nameof(RefreshTests.Replay_of_a_used_refresh_token_ends_the_whole_family)),
        new("A refresh token used twice at the same moment", "nobody is signed in", In: typeof(RefreshTests), Test: nameof(RefreshTests.A_refresh_token_used_twice_at_once_leaves_nobody_signed_in)),
        new("JWT without a signature (alg none, None, empty)", "401 not_signed_in", In: typeof(ForgedTokenTests), Test: nameof(ForgedTokenTests.A_token_without_a_signature_is_not)),
        new("JWT of another issuer, for another audience, expired, without its id", "401 not_signed_in", In: typeof(ForgedTokenTests), Test: nameof(ForgedTokenTests.A_token_with_another_claim_is_not)),
        new("JWT signed with another key", "401 not_signed_in", In: typeof(ForgedTokenTests), Test: nameof(ForgedTokenTests.A_token_of_another_key_is_not)),
        new("JWT signed with the public key as a secret (HS256)", "401 not_signed_in", In: typeof(ForgedTokenTests), Test: nameof(ForgedTokenTests.A_token_signed_with_the_public_key_as_a_secret_is_not)),
        new("JWT with a changed payload", "401 not_signed_in", In: typeof(ForgedTokenTests), Test: nameof(ForgedTokenTests.A_changed_payload_is_not)),
        new("An identity or refresh token as access token", "401 not_signed_in", In: typeof(ForgedTokenTests), Test: nameof(ForgedTokenTests.Only_an_access_token_is_an_access_token)),
        new("A token in the address instead of the header", "400 unknown_parameter", (test, t) => Code(test.Host.Anonymous.Get($"/v1/me?access_token={t.Token}"))),
        new("PKCE: plain, none, another spelling, no challenge", "400 invalid_request", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.A_request_without_a_hashed_challenge_gets_no_code)),
        new("PKCE: another verifier, none, an empty one", "400 invalid_grant", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.A_code_is_good_only_with_the_verifier_that_it_was_asked_for_with)),
        new("The page's cookie at the API", "401", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.The_cookie_opens_the_pages_and_no_API)),
        new("A form posted from another site", "400", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.A_form_that_is_not_ours_signs_nobody_in)),
        new("An unknown login told from a wrong password, by answer or by time", "the same", In: typeof(SameAnswerTests), Test: nameof(SameAnswerTests.An_unknown_login_a_wrong_password_a_locked_account_and_one_without_a_password_are_answered_alike_with_the_same_work)),
        new("Somebody locked out by guessing at their account", "they get in", In: typeof(LockoutTests), Test: nameof(LockoutTests.Guesses_from_elsewhere_shut_nobody_out_at_home)),
        new("An invitation used twice at the same moment", "one wins", In: typeof(JoiningTests), Test: nameof(JoiningTests.Of_many_phones_with_one_code_at_once_exactly_one_wins)),

        // Ways out of the service.
        new("Open redirect: redirect_uri of an authorization request", "400, and nobody is sent anywhere", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.A_browser_goes_nowhere_but_to_an_address_that_the_client_registered)),
        new("Open redirect: return address of the sign-in page", "the page itself", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.After_signing_in_nobody_is_led_away)),
        new("Open redirect: after logout", "400", In: typeof(LogoutTests), Test: nameof(LogoutTests.Nobody_is_sent_where_no_application_is_registered)),
        new("Host header: the move to HTTPS", "to the address of the settings", In: typeof(EdgeTests), Test: nameof(EdgeTests.Over_plain_HTTP_calls_are_refused_and_pages_move_to_HTTPS)),
        new("Host header: the address of a calendar, the link to a next page", "the address of the settings", In: typeof(CalendarFeedTests), Test: nameof(CalendarFeedTests.Its_address_is_the_public_one_whatever_host_the_request_names)),
        new("Host header: a name that is not allowed", "400", async (test, _) =>
        {
            await using var host = new ApiHost(test.ConnectionString, ("AllowedHosts", "volunteers.example.org"));
            // Refused by the server before anything of ours, so not in the form of ours.
            using var plain = new HttpClient { BaseAddress = host.Http().BaseAddress };
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/certificates/x") { Headers = { Host = "evil.example" } };
            return $"{(int)(await plain.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode}";
        }),
        new("X-Forwarded-Host, X-Forwarded-For and X-Forwarded-Proto from anybody", "not believed", In: typeof(EdgeTests), Test: nameof(EdgeTests.Nobody_but_a_known_proxy_says_where_a_request_comes_from)),
        new("A method hidden in a header (X-HTTP-Method-Override)", "200, nothing deleted", async (_, t) =>
        {
            var answer = await t.Victim.Post($"/teams/{t["emptyTeam"]}", null, ("X-HTTP-Method-Override", "DELETE"));
            return $"{(await t.Victim.Get($"/teams/{t["emptyTeam"]}")).Status}, {(answer.Status == 405 ? "nothing deleted" : $"{answer.Status}")}";
        }),

        // Injection.
        new("SQL in a filter", "200 nothing", (_, t) => Items(t.Victim.Get($"/volunteers?q={Uri.EscapeDataString("' or 1=1 --")}"))),
        new("SQL in a category of a report", "200 0 minutes", (_, t) => Minutes(t.Victim.Get($"/reports/hours?{Period}&category={Uri.EscapeDataString("x' union select 1,2,3 --")}"))),
        new("SQL in what to group by", "400 invalid_request", (_, t) => Code(t.Victim.Get($"/reports/hours?{Period}&groupBy={Uri.EscapeDataString("team;drop table teams")}"))),
        new("SQL in a cursor", "400 invalid_cursor", (_, t) => Code(t.Victim.Get($"/teams?cursor={Base64("\"' or 1=1 --\"")}"))),
        new("SQL in the number of a star cursor", "200 nothing", (_, t) => Items(t.Victim.Get("/stars?cursor=" + Base64("{\"level\":0,\"number\":\"' or '1'='1\",\"point\":{\"position\":1,\"day\":\"2026-06-07\",\"at\":\"2026-06-07T00:00:00Z\"}}")))),
        new("SQL in a path", "404", async (_, t) => $"{(await t.Victim.Get("/column-mappings/" + Uri.EscapeDataString("x' or '1'='1"))).Status}"),
        new("SQL in headers", "200", async (_, t) => $"{(await t.Victim.Get("/teams", ("Accept-Language", "en' or 1=1 --"), ("If-None-Match", "\"' or 1=1 --\""))).Status}"),
        new("SQL in an idempotency key", "201", async (_, t) => $"{(await t.Victim.Post("/teams", new { name = "Robert'); drop table teams;--" }, ("Idempotency-Key", "'); drop table teams;--"))).Status}"),
        new("SQL in a name, in every form that it leaves in", "a text", In: typeof(HostileExportTests), Test: nameof(HostileExportTests.Names_and_notes_survive_every_form_and_run_in_none)),
        new("A line break in a name", "400 invalid_request", (_, t) => Code(t.Victim.Post("/teams", new { name = "A\r\nSet-Cookie: a=b" }))),
        new("A line break into a header, by a query", "400", In: typeof(EdgeTests), Test: nameof(EdgeTests.A_line_break_cannot_be_smuggled_into_a_header_of_the_answer)),
        new("A line break into a header, by a return address", "the page itself", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.Line_breaks_in_a_return_address_stay_within_it)),
        new("A quote and a path in the name of an organization, into the name of a file", "200 report-2020-01-01-2026-12-31.csv", async (_, t) =>
        {
            (await t.Attacker.Patch("", new { name = "../../etc/passwd\"; filename=evil.exe" })).ShouldBe(200);
            var answer = await t.Attacker.Get($"/reports/hours?{Period}&format=csv");
            var named = ContentDispositionHeaderValue.Parse(answer.Header("Content-Disposition")!);
            Assert.DoesNotContain(named.FileNameStar!, sign => sign is '/' or '\\' or '"');
            Assert.DoesNotContain("evil.exe", named.FileName!, StringComparison.Ordinal);
            return $"{answer.Status} {named.FileName!.Trim('"')}";
        }),
        new("Markup in what a page shows", "a text", In: typeof(SignInAttackTests), Test: nameof(SignInAttackTests.Nothing_of_a_request_becomes_markup)),
        new("Markup on the verification page", "a text", In: typeof(VerificationTests), Test: nameof(VerificationTests.The_page_shows_what_people_wrote_as_text_and_takes_a_code_that_is_typed)),
        new("A path as the name of an uploaded file", "200, read for what is in it", async (_, t) =>
        {
            var answer = await t.Victim.Import(Rosters.Form("name\r\nPath\r\n"u8.ToArray(), "../../../../tmp/volunteers-traversal.csv", "text/csv"), dryRun: true);
            return $"{answer.Status}, {(File.Exists("/tmp/volunteers-traversal.csv") ? "written" : "read for what is in it")}";
        }),
        new("A path as the name of what is saved", "400 invalid_mapping_name", (_, t) => Code(t.Victim.Put("/column-mappings/..%2F..%2Fetc", World.ColumnMapping))),
        new("A path out of the static pages", "404", async (test, _) =>
        {
            var statuses = new List<int>();
            foreach (var path in new[] { "/swagger/..%2f..%2fappsettings.json", "/swagger/%2e%2e/%2e%2e/appsettings.json", "/swagger/..%5c..%5cappsettings.json", "/appsettings.json", "/openapi/..%2fappsettings.json" })
                statuses.Add((await test.Host.Anonymous.Get(path)).Status);
            return string.Join(' ', statuses.Distinct());
        }),
        new("Members in a body that nobody asked for", "400 malformed_json", In: typeof(OverPostingTests), Test: nameof(OverPostingTests.What_an_operation_does_not_take_changes_nothing_in_any_row)),
        new("A member named twice", "400 malformed_json", In: typeof(HostileInputTests), Test: nameof(HostileInputTests.A_member_named_twice_is_refused_everywhere)),

        // Too much of everything.
        new("CSV and XLSX bombs, entities, a cell of megabytes, at the roster", "400 and 413", In: typeof(ImportFileTests), Test: nameof(ImportFileTests.A_file_that_is_no_roster_is_refused_with_a_reason)),
        new("CSV and XLSX bombs at a reconciliation", "400 and 413", In: typeof(UpstreamFileTests), Test: nameof(UpstreamFileTests.A_file_that_is_no_export_is_refused_with_a_reason)),
        new("A row that claims to be the two billionth", "not there", In: typeof(ImportFileTests), Test: nameof(ImportFileTests.A_row_that_claims_to_be_the_two_billionth_costs_nothing)),
        new("A body of more than a megabyte", "413 body_too_large", (_, t) => Code(t.Victim.Post("/teams", new StringContent($"{{\"name\":\"{new string('x', 1_100_000)}\"}}", Encoding.UTF8, "application/json"), ("Expect", "100-continue")))),
        new("A body that claims no length", "413", In: typeof(ErrorTests), Test: nameof(ErrorTests.A_body_that_claims_no_length_is_held_to_the_same_limit)),
        new("JSON nested a hundred thousand deep", "400 malformed_json", (_, t) => Code(t.Victim.Post("/teams", new StringContent(string.Concat(Enumerable.Repeat("{\"a\":", 100_000)), Encoding.UTF8, "application/json"), ("Expect", "100-continue")))),
        new("A page of everything", "400 invalid_request", (_, t) => Code(t.Victim.Get("/volunteers?limit=1000000"))),
        new("A batch of more than a thousand", "400 invalid_request", (_, t) => Code(t.Victim.Post("/service-records/approvals", new { recordIds = Enumerable.Range(0, 1001).Select(_ => Guid.NewGuid()) }))),
        new("A formula in a cell of a file that people open", "a text", In: typeof(HostileExportTests), Test: nameof(HostileExportTests.A_hostile_roster_is_imported_and_comes_out_of_all_four_forms)),
        new("A request that two servers would read differently", "400", In: typeof(EdgeTests), Test: nameof(EdgeTests.A_request_that_two_servers_would_read_differently_is_refused)),
    ];

    [Fact]
    public async Task Each_gets_the_answer_of_the_list()
    {
        var target = await Target.Make(this);
        var before = await target.Everything();
        var wrong = new List<string>();

        foreach (var attack in All)
        {
            var answer = attack.Try is null ? attack.Answer : await attack.Try(this, target);
            TestContext.Current.TestOutputHelper!.WriteLine($"{attack.What} → {answer}{(attack.Test is null ? "" : $" ({attack.In!.Name})")}");
            if (answer != attack.Answer) wrong.Add($"{attack.What}: expected {attack.Answer}, got {answer}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(before, await target.Everything());
    }

    [Fact]
    public void Each_that_is_tried_elsewhere_is_a_test_there()
    {
        Assert.All(All.Where(attack => attack.Try is null), attack => Assert.NotEmpty(attack.In!.GetMethod(attack.Test!)!.GetCustomAttributes<FactAttribute>()));
        Assert.True(All.Count(attack => attack.Try is not null) > 40);
        Assert.Equal(All.Length, All.Select(attack => attack.What).Distinct().Count());
    }

    private async Task<Tokens> RotaTokens()
    {
        using var browser = new Browser(Host);
        var app = Rota();
        var page = await browser.SignIn(await browser.Open(app.Request()));
        return Tokens.Of(await app.Exchange(app.CodeFrom(page.LeftFor is null ? await browser.Submit(page, ("decision", "allow")) : page)));
    }

    private static async Task<string> Code(Task<Answer> asked) => await asked is var answer ? $"{answer.Status} {answer.Code}" : "";

    private static string Oauth(Answer answer) => $"{answer.Status} {answer["error"]}";

    private static async Task<string> Items(Task<Answer> asked) => await asked is var answer ? $"{answer.Status} {(answer.Status == 200 && answer.Items.Count == 0 ? "nothing" : answer.Text)}" : "";

    private static async Task<string> Minutes(Task<Answer> asked) => await asked is var answer ? $"{answer.Status} {answer["total"]?["minutes"]} minutes" : "";

    private static async Task<string> Lines(Task<Answer> asked) =>
        await asked is var answer ? $"{answer.Status} {(answer.Text.Trim().Split('\n').Length == 2 ? "total only" : answer.Text)}" : "";

    private static async Task<string> NothingOf(Target target, Task<Answer> asked) =>
        await asked is var answer ? $"{answer.Status} {(answer.Text.Contains(target["ownVolunteer"], StringComparison.Ordinal) || answer.Text.Contains(target["volunteerId"], StringComparison.Ordinal) ? answer.Text : "nothing of theirs")}" : "";

    private static async Task<string> Refusals(Task<Answer> asked) => await asked is var answer ? $"{answer.Status} {answer.Code}: {answer["refusals"]?[0]?["code"]}" : "";

    /// <summary>With the two characters that would tell a slip of the keyboard.</summary>
    private static string Checked(string code)
    {
        var bits = BinaryPrimitives.ReadUInt16BigEndian(SHA256.HashData(Encoding.ASCII.GetBytes(code)));
        return $"{code}{Volunteers.Platform.TypedCode.Alphabet[(bits >> 5) & 31]}{Volunteers.Platform.TypedCode.Alphabet[bits & 31]}";
    }

    private static string Base64(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static string Cursor(string id) => Base64($"\"{new Guid(id) switch { var guid => new Guid([.. guid.ToByteArray()[..15], 0]) }}\"");

    /// <summary>Two organizations: one with something of everything in it, and the attacker's, who administers it.</summary>
    private sealed class Target(AttackTests test, World world)
    {
        private readonly Dictionary<string, string> own = [];

        public World World => world;

        public string this[string name] => own.TryGetValue(name, out var id) ? id : world[name];

        public Api Attacker { get; } = world.As("administrator elsewhere").At($"/v1/organizations/{world["otherOrganization"]}");

        public Api Victim => world.Organization.Admin;

        public Api Client => world.As("client");

        public string Token => world.As("administrator").Http.DefaultRequestHeaders.Authorization!.Parameter!;

        public object ServiceOf(string volunteer) => new
        {
            volunteerId = volunteer, activityId = own["attackersActivity"], startsAt = "2026-06-07T14:30:00+08:00", endsAt = "2026-06-07T15:30:00+08:00",
        };

        public static async Task<Target> Make(AttackTests test)
        {
            var world = await World.Make(test.Host, test.Given);
            var target = new Target(test, world);
            var theirs = new OrganizationSteps(test.Host, test.Given, world["otherOrganization"], target.Attacker);
            var team = await theirs.Team();
            target.own["attackersVolunteer"] = await theirs.Volunteer(team);
            target.own["attackersActivity"] = await theirs.Activity(team);
            await theirs.Record(await theirs.Activity(team, "2026-01-10T08:00:00+08:00", "2026-01-10T10:00:00+08:00"), target["attackersVolunteer"], "2026-01-10T08:00:00+08:00", "2026-01-10T09:00:00+08:00");
            target.own["attackersCode"] = (string)(await target.Attacker.Post($"/volunteers/{target["attackersVolunteer"]}/certificates", new { from = "2026-01-01", to = "2026-01-31" })).ShouldBe(201)["code"]!;
            target.own["attackersSecret"] = (string)(await target.Attacker.Post("/calendar-feeds", new { kind = "organization" })).ShouldBe(201)["secret"]!;
            target.own["attackerAccount"] = (string)(await world.As("administrator elsewhere").Get("/v1/me")).ShouldBe(200)["id"]!;
            target.own["emptyTeam"] = await world.Organization.Team();
            for (var i = 0; i < 3; i++) (await target.Victim.Post("/service-records", world.Service)).ShouldBe(201);
            return target;
        }

        /// <summary>What of the attacked organization must stay: people, service, what was booked and who may what.</summary>
        public async Task<string> Everything()
        {
            await using var database = Npgsql.NpgsqlDataSource.Create(test.ConnectionString);
            var rows = new JsonArray();
            foreach (var table in new[] { "volunteers", "team_members", "activities", "shifts", "sign_ups", "attendance_events", "service_records", "hour_postings", "certificates", "role_grants", "disputes", "issued_reports" })
            {
                await using var hash = database.CreateCommand($"select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t where organization_id = '{world["organizationId"]}'");
                rows.Add($"{table} {await hash.ExecuteScalarAsync(TestContext.Current.CancellationToken)}");
            }
            return rows.ToJsonString(new JsonSerializerOptions());
        }
    }
}
