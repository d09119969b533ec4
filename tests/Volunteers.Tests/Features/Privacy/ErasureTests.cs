using System.Text.Json.Nodes;
using Npgsql;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>To be forgotten, and what stays true all the same.</summary>
public sealed class ErasureTests(TestDatabases databases) : HoursTest(databases)
{
    private const string ByVolunteer = "/reports/hours?from=2026-01-01&to=2026-12-31&groupBy=volunteer,month";

    [Fact]
    public async Task Nothing_that_the_database_holds_tells_who_an_erased_person_was()
    {
        var life = await O.Live(Host, Team, Activity);
        var before = (await DatabaseText.Of(ConnectionString)).Find(life.Values).Select(found => found.Split(' ')[0]).Distinct();
        Assert.Equal(life.Values.Order(), before.Order());

        (await life.EraseMe()).ShouldBe(204);

        Assert.Empty((await DatabaseText.Of(ConnectionString)).Find(life.Values));
        Assert.Equal(0, await Count($"select count(*) from openiddict_tokens where subject = '{life.AccountId}'"));
        Assert.Equal(0, await Count("select count(*) from identity_marks"));
    }

    [Fact]
    public async Task Hours_totals_postings_and_reports_of_then_stay_true_under_the_pseudonym()
    {
        var life = await O.Live(Host, Team, Activity);
        var (now, then) = ((await Admin.Get(ByVolunteer)).ShouldBe(200), (await Admin.Get(ByVolunteer + "&asOf=1")).ShouldBe(200));
        var ledger = (await Admin.Get("/ledger")).ShouldBe(200).Text;
        var verified = (await Admin.Get("/ledger/verification")).ShouldBe(200).Text;

        (await Admin.Delete($"/volunteers/{life.Id}")).ShouldBe(204);

        var pseudonym = (string)(await Admin.Get($"/volunteers/{life.Id}")).ShouldBe(200)["name"]!;
        Assert.Equal(ledger, (await Admin.Get("/ledger")).Text);
        Assert.Equal(verified, (await Admin.Get("/ledger/verification")).Text);
        ShouldBeTheSameUnder(pseudonym, now, await Admin.Get(ByVolunteer));
        ShouldBeTheSameUnder(pseudonym, then, await Admin.Get(ByVolunteer + "&asOf=1"));
        Assert.Equal(120, (int)(await Admin.Get($"/volunteers/{life.Id}/summary")).ShouldBe(200)["minutes"]!);
    }

    [Fact]
    public async Task A_report_that_was_sent_is_drawn_again_with_the_pseudonym_and_its_digest_is_of_that()
    {
        var life = await O.Live(Host, Team, Activity);
        var issued = (await Admin.Get("/reports/hours/issued")).ShouldBe(200).Items[0]!;

        (await Admin.Delete($"/volunteers/{life.Id}")).ShouldBe(204);

        var after = (await Admin.Get($"/reports/hours/issued/{(string)issued["id"]!}")).ShouldBe(200);
        var drawn = (await Admin.Get($"/reports/hours/issued/{(string)issued["id"]!}/report")).ShouldBe(200);
        Assert.Equal(issued["total"]!.ToJsonString(), after["total"]!.ToJsonString());
        Assert.NotEqual((string)issued["sha256"]!, (string)after["sha256"]!);
        var whole = new JsonObject { ["from"] = drawn["from"]!.DeepClone(), ["to"] = drawn["to"]!.DeepClone(), ["rows"] = drawn["rows"]!.DeepClone(), ["total"] = drawn["total"]!.DeepClone() };
        Assert.Equal((string)after["sha256"]!, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
            System.Text.Encoding.UTF8.GetBytes(whole.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })))));
    }

    [Fact]
    public async Task A_certificate_stays_true_and_its_verification_says_that_the_name_is_kept_no_longer()
    {
        var life = await O.Live(Host, Team, Activity);
        var certificate = (await Admin.Get($"/volunteers/{life.Id}/certificates")).ShouldBe(200).Items[0]!;
        var code = (string)certificate["code"]!;
        var before = (await Host.Anonymous.Get($"/v1/certificates/{code}")).ShouldBe(200);
        Assert.Equal("欧阳**", (string?)before["name"]);

        (await Admin.Delete($"/volunteers/{life.Id}")).ShouldBe(204);

        var after = (await Host.Anonymous.Get($"/v1/certificates/{code}")).ShouldBe(200);
        before.Body!["name"] = null;
        Assert.Equal(before.Body.ToJsonString(), after.Body!.ToJsonString());
        var page = (await Host.Anonymous.Get($"/verify/{code}", ("Accept-Language", "zh-CN"))).ShouldBe(200);
        Assert.Contains("姓名不再保存", page.Text, StringComparison.Ordinal);
        Assert.Contains((string)certificate["number"]!, page.Text, StringComparison.Ordinal);
        Assert.StartsWith("已注销志愿者 ", (string)(await Admin.Get($"/certificates/{(string)certificate["id"]!}")).ShouldBe(200)["volunteerName"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeat_of_a_request_about_them_has_no_second_effect_and_is_not_answered_any_more()
    {
        var body = new { name = "欧阳若曦", phone = LivedLife.Phone };
        var made = (await Admin.Post("/volunteers", body, ("Idempotency-Key", "once"))).ShouldBe(201);
        var other = (await Admin.Post("/volunteers", new { name = "旁人" }, ("Idempotency-Key", "other"))).ShouldBe(201);

        (await Admin.Delete($"/volunteers/{made.Id}")).ShouldBe(204);

        (await Admin.Post("/volunteers", body, ("Idempotency-Key", "once"))).ShouldRefuse(410, "answer_erased");
        Assert.Equal(other.Text, (await Admin.Post("/volunteers", new { name = "旁人" }, ("Idempotency-Key", "other"))).ShouldBe(201).Text);
        Assert.Equal(2, await Count("select count(*) from volunteers"));
    }

    [Fact]
    public async Task A_second_erasure_changes_nothing_and_the_profile_changes_no_more()
    {
        var life = await O.Live(Host, Team, Activity);
        (await Admin.Delete($"/volunteers/{life.Id}")).ShouldBe(204);
        var erased = (await Admin.Get($"/volunteers/{life.Id}")).ShouldBe(200);

        (await Admin.Delete($"/volunteers/{life.Id}")).ShouldBe(204);

        Assert.Equal(erased.Text, (await Admin.Get($"/volunteers/{life.Id}")).ShouldBe(200).Text);
        Assert.Equal(("left", null, null), ((string?)erased["status"], (string?)erased["phone"], (string?)erased["birthDate"]));
        Assert.NotNull((string?)erased["erasedAt"]);
        (await Admin.Patch($"/volunteers/{life.Id}", new { name = LivedLife.Name })).ShouldRefuse(409, "volunteer_erased");
        (await Admin.Put($"/volunteers/{life.Id}/identity-document", new { kind = "residentId", number = LivedLife.Document })).ShouldRefuse(409, "volunteer_erased");
        (await Admin.Post($"/volunteers/{life.Id}/invitation")).ShouldRefuse(409, "volunteer_erased");
        (await Admin.Put($"/teams/{Team}/members/{life.Id}", new { role = "member" })).ShouldRefuse(409, "volunteer_erased");
        // Whoever applies with the same phone is somebody new.
        (await Host.Anonymous.Post($"{O.Path}/volunteers/applications", new { name = LivedLife.Name, phone = LivedLife.Phone, consent = new { version = "v1" } })).ShouldBe(202);
        Assert.Equal(erased.Text, (await Admin.Get($"/volunteers/{life.Id}")).Text);
    }

    [Fact]
    public async Task Their_account_goes_with_them_and_opens_nothing_any_more()
    {
        var life = await O.Live(Host, Team, Activity);

        (await Admin.Delete($"/volunteers/{life.Id}")).ShouldBe(204);

        await Until(async () => (await new Api(life.Self.Http, "").Get("/v1/me")).Status == 401);
        using var http = Host.Http();
        Assert.Equal(400, (await ApiHost.PostToken(http, ("grant_type", "password"), ("client_id", "volunteers-mobile"), ("username", LivedLife.Login), ("password", Given.Password), ("scope", "api"))).Status);
        Assert.Equal(0, await Count($"select count(*) from accounts where id = '{life.AccountId}'"));
    }

    [Fact]
    public async Task In_one_organization_they_are_forgotten_and_in_the_other_they_stay()
    {
        var life = await O.Live(Host, Team, Activity);
        var elsewhere = await Given.AnotherOrganization();
        var there = (await elsewhere.Admin.Post("/volunteers", new { name = LivedLife.Name, phone = LivedLife.Phone })).ShouldBe(201).Id;
        var me = new Api(life.Self.Http, "");
        (await me.Post("/v1/me/invitations", new { invitationCode = (string)(await elsewhere.Admin.Post($"/volunteers/{there}/invitation"))["code"]! })).ShouldBe(201);

        (await life.EraseMe(new { organizationId = O.Id, password = Given.Password })).ShouldBe(204);

        Assert.Equal(LivedLife.Name, (string?)(await elsewhere.Admin.Get($"/volunteers/{there}"))["name"]);
        Assert.Empty((await DatabaseText.Of(ConnectionString)).Find([LivedLife.FormerName, LivedLife.Hometown, LivedLife.Guardian, LivedLife.Number]));
        await Until(async () => (await me.Get("/v1/me")).ShouldBe(200)["organizations"]!.AsArray().Count == 1);

        (await life.EraseMe()).ShouldBe(204);
        Assert.Empty((await DatabaseText.Of(ConnectionString)).Find(life.Values));
    }

    [Fact]
    public async Task Without_the_password_or_as_the_last_administrator_nobody_is_forgotten()
    {
        var life = await O.Live(Host, Team, Activity);

        (await life.EraseMe(new { password = "not-the-password" })).ShouldRefuse(409, "wrong_password");
        (await life.EraseMe(new { })).ShouldRefuse(409, "wrong_password");
        (await life.EraseMe(new { organizationId = Guid.NewGuid(), password = Given.Password })).ShouldRefuse(404, "no_profile_there");
        (await (await Given.Operator()).Send(HttpMethod.Delete, "/v1/me", new { password = ApiHost.OperatorPassword })).ShouldRefuse(409, "last_operator");
        (await Admin.Put($"/roles/{life.AccountId}", new { roles = new object[] { new { role = "administrator" }, new { role = "volunteer", volunteerId = life.Id } } })).ShouldBe(200);
        var own = (string)(await (await Given.Operator()).Get("/v1/me"))["id"]!;
        await Until(async () => (await life.Self.Get("/roles")).Status == 200);
        (await life.Self.Delete($"/roles/{own}")).ShouldBe(204);
        (await life.EraseMe()).ShouldRefuse(409, "last_administrator");

        Assert.NotEmpty((await DatabaseText.Of(ConnectionString)).Find([LivedLife.Name]));
    }

    [Fact]
    public async Task Who_has_no_password_proves_it_by_a_code_or_else_by_having_signed_in()
    {
        var life = await O.Live(Host, Team, Activity);
        var app = await Authenticator.Enrol(Host, new Api(life.Self.Http, ""), Given.Password);
        await Tamper($"update accounts set password_hash = null where id = '{life.AccountId}'");

        (await life.EraseMe(new { })).ShouldRefuse(409, "wrong_password");
        (await life.EraseMe(new { code = "000000" })).ShouldRefuse(409, "wrong_code");
        (await life.EraseMe(new { code = app.RecoveryCodes[0], organizationId = O.Id })).ShouldBe(204);

        // Elsewhere, without a second factor.
        var volunteer = await O.Volunteer();
        var (login, account) = await O.Account(volunteer);
        var other = await Host.SignIn(login, Given.Password);
        await Tamper($"update accounts set password_hash = null where id = '{account}'");
        (await other.Send(HttpMethod.Delete, "/v1/me", new { })).ShouldBe(204);
        Assert.Equal(0, await Count($"select count(*) from accounts where id in ('{account}', '{life.AccountId}')"));
    }

    [Fact]
    public async Task An_invitation_that_is_used_while_they_are_forgotten_leaves_no_account()
    {
        for (var round = 0; round < 4; round++)
        {
            var volunteer = await O.Volunteer();
            var code = (string)(await Admin.Post($"/volunteers/{volunteer}/invitation")).ShouldBe(200)["code"]!;
            var login = $"meanwhile{round}@example.org";

            var answers = await Task.WhenAll(
                Host.Anonymous.Post("/v1/accounts", new { invitationCode = code, login, password = Given.Password, displayName = "Meanwhile" }),
                Admin.Delete($"/volunteers/{volunteer}"));
            if (answers[1].Status == 503) (await Admin.Delete($"/volunteers/{volunteer}")).ShouldBe(204);

            Assert.Equal(0, await Count($"select count(*) from accounts where user_name = '{login}'"));
            Assert.Equal(0, await Count($"select count(*) from role_grants where volunteer_id = '{volunteer}'"));
        }
    }

    [Fact]
    public async Task Cut_off_in_the_middle_nothing_is_done_and_a_repeat_does_it_all()
    {
        var life = await O.Live(Host, Team, Activity);
        // The message that they asked for goes out by itself.
        await Until(async () => await Count("select count(*) from reset_messages") == 0);
        var before = await DatabaseText.Of(ConnectionString);
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using (var holding = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await holding.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using (var hold = new NpgsqlCommand("select 1 from teams for update", holding)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            var erasing = life.EraseMe();
            await Until(async () => await Count("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") > 0);
            await Tamper("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
            Assert.Equal(503, (await erasing).Status);
        }
        // Signing in counts, and what was traced and changed before gets its place meanwhile.
        string[] counts = ["failure_counts", "openiddict_tokens", "sign_in_sessions", "audit_pending", "audit_chain", "audit_heads", "change_marks", "changes", "change_heads"];
        var after = await DatabaseText.Of(ConnectionString);
        Assert.All(before.Where(table => !counts.Contains(table.Key)), table => Assert.Equal(table.Value, after[table.Key]));

        (await life.EraseMe()).ShouldBe(204);
        Assert.Empty((await DatabaseText.Of(ConnectionString)).Find(life.Values));
    }

    [Fact]
    public async Task Whoever_writes_of_them_at_the_same_moment_leaves_nothing_of_them()
    {
        for (var round = 0; round < 3; round++)
        {
            var volunteer = (await Admin.Post("/volunteers", new { name = LivedLife.Name, phone = LivedLife.Phone })).ShouldBe(201).Id;
            await O.Member(Team, volunteer);
            await O.Record(Activity, volunteer, At("08:00", 10 + round), At("09:00", 10 + round));

            var answers = await Task.WhenAll(
                Admin.Delete($"/volunteers/{volunteer}"),
                Admin.Patch($"/volunteers/{volunteer}", new { hometown = LivedLife.Hometown }),
                Admin.Patch($"/volunteers/{volunteer}", new { residence = LivedLife.Residence }),
                Admin.Post($"/volunteers/{volunteer}/certificates", new { from = "2026-06-01", to = "2026-06-30", purpose = LivedLife.Name }),
                Admin.Post("/awards", new { volunteerId = volunteer, name = "年度之星", reason = LivedLife.Name }),
                Volunteers.Rosters.ImportCsv(Admin, $"number,name,hometown\r\n{(string)(await Admin.Get($"/volunteers/{volunteer}"))["number"]!},{LivedLife.Name},{LivedLife.Hometown}\r\n"));

            Assert.All(answers, answer => Assert.True(answer.Status is < 300 or 400 or 404 or 409 or 412 or 503, answer.Text));
            if (answers[0].Status == 503) answers[0] = await Admin.Delete($"/volunteers/{volunteer}");
            answers[0].ShouldBe(204);
            var left = await DatabaseText.Of(ConnectionString);
            // A name typed once they were gone is a new statement, and the import then makes a new person.
            Assert.Equal(0, await Count($"select count(*) from volunteers where id = '{volunteer}' and (name = '{LivedLife.Name}' or hometown is not null or residence is not null)"));
            Assert.Equal(0, await Count($"select count(*) from certificates where volunteer_id = '{volunteer}' and volunteer_name = '{LivedLife.Name}'"));
            Assert.DoesNotContain(LivedLife.Name, left["former_states"], StringComparison.Ordinal);
            await Tamper($"delete from team_members where volunteer_id in (select id from volunteers where name = '{LivedLife.Name}'); delete from volunteers where name = '{LivedLife.Name}'");
        }
    }

    [Fact]
    public async Task A_name_within_a_longer_one_and_one_that_another_has_are_left_to_them()
    {
        var erased = (await Admin.Post("/volunteers", new { name = "王建国" })).ShouldBe(201).Id;
        (await Admin.Post("/volunteers", new { name = "王建国庆" })).ShouldBe(201);
        var other = await O.Volunteer(Team);
        await O.Member(Team, erased);
        async Task<string> Noted(string volunteer, string note, string hour) => (await Admin.Post("/service-records", new
        {
            volunteerId = volunteer, activityId = Activity, startsAt = At($"{hour}:00"), endsAt = At($"{hour}:30"), note,
        })).ShouldBe(201).Id;
        var own = await Noted(erased, "王建国和王建国庆", "08");
        var theirs = await Noted(other, "同王建国庆，王建国", "08");

        (await Admin.Delete($"/volunteers/{erased}")).ShouldBe(204);

        var pseudonym = (string)(await Admin.Get($"/volunteers/{erased}"))["name"]!;
        Assert.Equal($"{pseudonym}和王建国庆", (string?)(await Admin.Get($"/service-records/{own}"))["note"]);
        Assert.Equal($"同王建国庆，{pseudonym}", (string?)(await Admin.Get($"/service-records/{theirs}"))["note"]);

        // Two are called the same: what is said elsewhere may be meant of the other.
        var twin = (await Admin.Post("/volunteers", new { name = "李大力" })).ShouldBe(201).Id;
        (await Admin.Post("/volunteers", new { name = "李大力" })).ShouldBe(201);
        var about = await Noted(other, "李大力", "10");
        (await Admin.Delete($"/volunteers/{twin}")).ShouldBe(204);
        Assert.Equal("李大力", (string?)(await Admin.Get($"/service-records/{about}"))["note"]);
    }

    [Fact]
    public async Task What_is_insert_only_lets_go_of_names_and_of_nothing_else()
    {
        await O.Live(Host, Team, Activity);
        string[] refused =
        [
            "update certificates set minutes = 0", "update certificates set volunteer_id = volunteer_id", "update certificates set code = ''", "update service_record_events set minutes = 0",
            "update issued_reports set minutes = 0", "update attendance_events set counted_at = now()", "update hour_postings set minutes = 0", "update consent_receipts set purpose = ''",
            "delete from certificates", "delete from service_record_events", "delete from issued_reports", "delete from attendance_events", "delete from consent_receipts",
        ];
        foreach (var sql in refused)
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => AsService(sql))).SqlState);
        await AsService("update certificates set volunteer_name = 'X'; update service_record_events set reason = null; update attendance_events set distance = null");
    }

    private async Task AsService(string sql) => await Host.InServices(async services =>
    {
        await using var command = ((NpgsqlDataSource)services.GetService(typeof(NpgsqlDataSource))!).CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    });

    private static void ShouldBeTheSameUnder(string pseudonym, Answer before, Answer after)
    {
        static string[] Rows(Answer report, Func<string, string> named) => [.. report["rows"]!.AsArray().Select(row =>
        {
            var volunteer = row!["volunteer"]!;
            return $"{(string)volunteer["id"]!} {named((string)volunteer["name"]!)} {(string?)row["month"]} {(int)row["minutes"]!} {(int)row["personTimes"]!}";
        }).Order()];

        Assert.Equal(Rows(before, name => name is LivedLife.Name or LivedLife.FormerName ? pseudonym : name), Rows(after.ShouldBe(200), name => name));
        Assert.Equal(before["total"]!.ToJsonString(), after["total"]!.ToJsonString());
    }

    private static async Task Until(Func<Task<bool>> happens)
    {
        for (var tries = 0; !await happens(); tries++)
        {
            Assert.True(tries < 300, "It does not happen.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
