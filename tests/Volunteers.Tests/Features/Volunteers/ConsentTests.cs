using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>What people are asked to agree to, and the receipts of what they said.</summary>
public sealed class ConsentTests(TestDatabases databases) : ApiTest(databases)
{
    private OrganizationSteps o = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        o = await Given.Organization();
    }

    [Fact]
    public async Task A_text_is_read_by_anybody_and_a_version_never_changes()
    {
        var first = (await Text("pictures", "v1", "照片可能会拍到您。", "Pictures may show you.")).ShouldBe(200);
        (await Text("pictures", "v2", "照片可能会公开。")).ShouldBe(200);
        (await Text("profile", "2026-01", "我同意保存我的资料。")).ShouldBe(200);

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("pictures\0v1\0照片可能会拍到您。\0Pictures may show you.\0")));
        Assert.Equal(hash, (string?)first["hash"]);
        var newest = (await Host.Anonymous.Get($"{o.Path}/consent-texts/pictures")).ShouldBe(200);
        Assert.Equal(("v2", "照片可能会公开。", false), ((string?)newest["version"], (string?)newest["textZh"], (bool)newest["required"]!));
        Assert.Equal(["v1", "v2"], newest["versions"]!.AsArray().Select(version => (string)version!));
        Assert.Equal(first["textEn"]!.ToString(), (string?)(await Host.Anonymous.Get($"{o.Path}/consent-texts/pictures?version=v1")).ShouldBe(200)["textEn"]);
        Assert.Equal([("pictures", "v2", false), ("profile", "2026-01", true)], (await Host.Anonymous.Get($"{o.Path}/consent-texts")).ShouldBe(200).Items
            .Select(text => ((string)text!["purpose"]!, (string)text["version"]!, (bool)text["required"]!)));

        // The same again is the same; another text under its name is refused.
        (await Text("pictures", "v1", "照片可能会拍到您。", "Pictures may show you.")).ShouldBe(200);
        (await Text("pictures", "v1", "照片将会出售。")).ShouldRefuse(409, "consent_version_taken");
        (await Text("pictures", "v1", "照片可能会拍到您。", "Pictures may show you.", required: true)).ShouldRefuse(409, "consent_version_taken");
        (await Host.Anonymous.Get($"{o.Path}/consent-texts/nothing")).ShouldRefuse(404, "not_found");
        (await Host.Anonymous.Get($"{o.Path}/consent-texts/pictures?version=v9")).ShouldRefuse(404, "not_found");
        (await Host.Anonymous.Get($"/v1/organizations/{Guid.NewGuid()}/consent-texts")).ShouldRefuse(404, "not_found");
        (await o.Admin.Put("/consent-texts/pictures", new { version = "v3" })).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Put("/consent-texts/Pictures", new { version = "v3", textEn = "x" })).ShouldBe(404);
    }

    [Fact]
    public async Task Of_ten_who_enter_one_version_at_once_with_other_texts_one_does()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Text("pictures", "v1", $"照片 {i}")));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "consent_version_taken"));
    }

    [Fact]
    public async Task Volunteers_give_and_take_back_their_own_and_every_word_leaves_a_receipt_of_the_exact_text()
    {
        var hash = (string)(await Text("pictures", "v1", "照片可能会拍到您。")).ShouldBe(200)["hash"]!;
        var (person, other) = (await o.Volunteer(), await o.Volunteer());
        var volunteer = await o.SignedInAs(person);

        var given = (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "given", version = "v1" })).ShouldBe(201);
        (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "withdrawn" })).ShouldBe(201);

        Assert.Equal(("self", "v1", hash), ((string?)given["by"], (string?)given["version"], (string?)given["textHash"]));
        var receipts = (await volunteer.Get($"/volunteers/{person}/consents")).ShouldBe(200).Items;
        Assert.Equal([("given", hash), ("withdrawn", hash)], receipts.Select(r => ((string)r!["action"]!, (string)r["textHash"]!)));
        Assert.Equal(receipts[0]!.ToJsonString(), given.Body!.ToJsonString());
        // An optional one is only remembered.
        Assert.Equal("active", (string?)(await volunteer.Get($"/volunteers/{person}"))["status"]);

        (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "withdrawn" })).ShouldRefuse(409, "consent_not_given");
        (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "given", version = "v9" })).ShouldRefuse(404, "consent_text_not_found");
        (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "selling", action = "given", version = "v1" })).ShouldRefuse(404, "consent_text_not_found");
        (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "given" })).ShouldRefuse(400, "invalid_request");
        (await volunteer.Post($"/volunteers/{other}/consents", new { purpose = "pictures", action = "given", version = "v1" })).ShouldRefuse(404, "not_found");
        (await volunteer.Get($"/volunteers/{other}/consents")).ShouldRefuse(404, "not_found");
        foreach (var by in new[] { "coordinator", "guardian" })
            (await volunteer.Post($"/volunteers/{person}/consents", new { purpose = "pictures", action = "given", version = "v1", by })).ShouldRefuse(403, "not_their_consent");
    }

    [Fact]
    public async Task A_coordinator_enters_what_was_signed_on_paper_with_its_day_and_never_speaks_as_the_person()
    {
        await Text("pictures", "v1", "照片可能会拍到您。");
        var person = await o.Volunteer();
        var path = $"/volunteers/{person}/consents";

        var paper = (await o.Admin.Post(path, new { purpose = "pictures", action = "given", version = "v1", at = "2026-01-02T08:00:00+08:00" })).ShouldBe(201);

        Assert.Equal(("coordinator", "2026-01-02T00:00:00Z"), ((string?)paper["by"], (string?)paper["at"]));
        (await o.Admin.Post(path, new { purpose = "pictures", action = "given", version = "v1", by = "self" })).ShouldRefuse(403, "not_their_consent");
        (await o.Admin.Post(path, new { purpose = "pictures", action = "given", version = "v1", at = Clock.GetUtcNow().AddMinutes(5) })).ShouldRefuse(400, "invalid_request");
        (await o.Admin.Post(path, new { purpose = "pictures", action = "given", version = "v1", by = "guardian" })).ShouldRefuse(409, "guardian_unknown");
        (await o.Admin.Post(path, new { purpose = "guardian", action = "given", version = "v1" })).ShouldRefuse(409, "guardian_decides");
        (await o.Admin.Post(path, new { purpose = "guardian", action = "given", version = "v1", by = "guardian" })).ShouldRefuse(400, "guardian_needed");
        (await o.Admin.Post(path, new { purpose = "guardian", action = "given", version = "v1", by = "guardian", guardian = new { name = "王母", phone = "13900139000", relation = "母亲" } })).ShouldBe(201);
        (await o.Admin.Post(path, new { purpose = "pictures", action = "given", version = "v1", by = "guardian" })).ShouldBe(201);
        Assert.Equal("王母", (string?)(await o.Admin.Get($"/volunteers/{person}"))["guardian"]!["name"]);
        // A client's retry with a key leaves one receipt.
        var body = new { purpose = "pictures", action = "withdrawn" };
        Assert.Equal((await o.Admin.Post(path, body, ("Idempotency-Key", "k"))).ShouldBe(201).Text, (await o.Admin.Post(path, body, ("Idempotency-Key", "k"))).ShouldBe(201).Text);
        Assert.Equal(3, (await o.Admin.Get(path + "?purpose=pictures")).Items.Count);
    }

    [Fact]
    public async Task Taking_back_what_is_required_pauses_the_profile_until_it_is_given_again_and_a_coordinator_says_so()
    {
        await Text("insurance", "v1", "保险所需信息。", required: true);
        var person = await o.Volunteer();
        var volunteer = await o.SignedInAs(person);
        var path = $"/volunteers/{person}/consents";
        (await o.Admin.Patch($"/volunteers/{person}", new { consent = new { version = "paper", at = "2026-01-01T00:00:00Z" } })).ShouldBe(200);
        (await volunteer.Post(path, new { purpose = "insurance", action = "given", version = "v1" })).ShouldBe(201);

        (await volunteer.Post(path, new { purpose = "insurance", action = "withdrawn" })).ShouldBe(201);
        (await volunteer.Post(path, new { purpose = "profile", action = "withdrawn" })).ShouldBe(201);

        var paused = await o.Admin.Get($"/volunteers/{person}");
        Assert.Equal(("paused", null), ((string?)paused["status"], (string?)paused["consent"]));
        Assert.Equal(["insurance", "profile"], paused["withdrawnConsents"]!.AsArray().Select(purpose => (string)purpose!));
        Assert.Equal(person, (string?)Assert.Single((await o.Admin.Get("/volunteers?consentWithdrawn=true")).Items)!["id"]);
        Assert.Contains("insurance, keeping the profile", (string)(await o.Admin.Patch($"/volunteers/{person}", new { status = "active" })).ShouldRefuse(409, "consent_withdrawn")["detail"]!, StringComparison.Ordinal);

        (await volunteer.Post(path, new { purpose = "insurance", action = "given", version = "v1" })).ShouldBe(201);
        Assert.Equal("paused", (string?)(await o.Admin.Get($"/volunteers/{person}"))["status"]);
        (await o.Admin.Patch($"/volunteers/{person}", new { status = "active" })).ShouldRefuse(409, "consent_withdrawn");
        (await o.Admin.Patch($"/volunteers/{person}", new { status = "active", consent = new { version = "paper-2", at = "2026-02-01T00:00:00Z" } })).ShouldBe(200);

        var last = (await o.Admin.Get(path)).Items.Select(r => $"{r!["purpose"]} {r["version"]} {r["action"]} {r["by"]}").ToArray();
        Assert.Equal(["profile paper given coordinator", "insurance v1 given self", "insurance v1 withdrawn self", "profile paper withdrawn self", "insurance v1 given self", "profile paper-2 given coordinator"], last);
    }

    [Fact]
    public async Task What_is_required_no_longer_holds_nobody_back()
    {
        await Text("insurance", "v1", "保险所需信息。", required: true);
        var person = await o.Volunteer();
        (await o.Admin.Post($"/volunteers/{person}/consents", new { purpose = "insurance", action = "given", version = "v1" })).ShouldBe(201);
        (await o.Admin.Post($"/volunteers/{person}/consents", new { purpose = "insurance", action = "withdrawn" })).ShouldBe(201);

        (await Text("insurance", "v2", "保险所需信息，可不提供。")).ShouldBe(200);

        Assert.Empty((await o.Admin.Get($"/volunteers/{person}"))["withdrawnConsents"]!.AsArray());
        (await o.Admin.Patch($"/volunteers/{person}", new { status = "active" })).ShouldBe(200);
    }

    [Fact]
    public async Task The_consent_of_a_profile_and_its_receipts_never_part()
    {
        var made = (await o.Admin.Post("/volunteers", new { name = "张三", consent = new { version = "2020-01", at = "2020-03-04T08:00:00+08:00" } })).ShouldBe(201).Id;
        (await o.Admin.Patch($"/volunteers/{made}", new { hometown = "湖北" })).ShouldBe(200);
        (await o.Admin.Patch($"/volunteers/{made}", new { consent = new { version = "2021-01", at = "2021-03-04T08:00:00+08:00" } })).ShouldBe(200);
        (await o.Admin.Patch($"/volunteers/{made}", new { consent = (object?)null })).ShouldBe(200);
        (await o.Admin.ImportCsv("姓名,编号,同意书版本,同意时间\r\n张三,000001,2022-01,2022-01-02\r\n")).ShouldBe(200);
        (await Host.Anonymous.Post($"{o.Path}/volunteers/applications", new { name = "新人", phone = "13900000001", consent = new { version = "2026-1" } })).ShouldBe(202);
        var applicant = (string)Assert.Single((await o.Admin.Get("/volunteers?status=applied")).Items)!["id"]!;

        Assert.Equal(["2020-01 given coordinator", "2021-01 given coordinator", "2021-01 withdrawn coordinator", "2022-01 given coordinator"], await Profile(made));
        Assert.Equal("2022-01", (string?)(await o.Admin.Get($"/volunteers/{made}"))["consent"]!["version"]);
        Assert.Equal(["2026-1 given self"], await Profile(applicant));
        // Of somebody who is declined nothing stays, receipts included.
        (await o.Admin.Post($"/volunteers/{applicant}/decline", new { })).ShouldBe(204);
        Assert.Equal(0L, await Ask($"select count(*) from consent_receipts where volunteer_id = '{applicant}'"));

        async Task<string[]> Profile(string id) =>
            [.. (await o.Admin.Get($"/volunteers/{id}/consents?purpose=profile")).Items.Select(r => $"{r!["version"]} {r["action"]} {r["by"]}")];
    }

    [Fact]
    public async Task Once_an_organization_keeps_its_texts_here_consent_names_one_of_them_by_every_way()
    {
        var person = (await o.Admin.Post("/volunteers", new { name = "张三", consent = new { version = "paper", at = "2020-03-04T08:00:00+08:00" } })).ShouldBe(201).Id;
        await Text("profile", "2026-01", "我同意保存我的资料。");
        await Text("guardian", "g1", "我同意孩子参加。");
        var unknown = new { version = "2020-01", at = "2026-03-04T08:00:00+08:00" };

        (await o.Admin.Post("/volunteers", new { name = "李四", consent = unknown })).ShouldRefuse(404, "consent_text_not_found");
        (await o.Admin.Patch($"/volunteers/{person}", new { consent = unknown })).ShouldRefuse(404, "consent_text_not_found");
        (await o.Admin.Patch($"/volunteers/{person}", new { guardian = new { name = "王母", phone = "13900139000", relation = "母亲", version = "g0", at = "2026-01-01T00:00:00Z" } }))
            .ShouldRefuse(404, "consent_text_not_found");
        var apply = $"{o.Path}/volunteers/applications";
        (await Host.Anonymous.Post(apply, new { name = "新人", phone = "13900000001", consent = new { version = "2020-01" } })).ShouldRefuse(404, "consent_text_not_found");
        var imported = (await o.Admin.ImportCsv("姓名,同意书版本,同意时间\r\n王五,2020-01,2026-01-02\r\n")).ShouldRefuse(409, "import_refused");
        Assert.Equal(("同意书版本", "consent_text_not_found"), ((string?)imported["refused"]![0]!["column"], (string?)imported["refused"]![0]!["code"]));

        // What was agreed to before stays, whatever else is changed.
        (await o.Admin.Patch($"/volunteers/{person}", new { hometown = "湖北" })).ShouldBe(200);
        (await Host.Anonymous.Post(apply, new { name = "新人", phone = "13900000001", consent = new { version = "2026-01" } })).ShouldBe(202);
    }

    [Fact]
    public async Task A_child_does_not_agree_for_themselves()
    {
        await Text("pictures", "v1", "照片可能会拍到您。");
        var child = (await o.Admin.Post("/volunteers", new
        {
            name = "小王", birthDate = DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime).AddYears(-12),
            guardian = new { name = "王母", phone = "13900139000", relation = "母亲", version = "v1", at = "2026-01-01T00:00:00Z" },
        })).ShouldBe(201).Id;
        var own = await o.SignedInAs(child);

        (await own.Post($"/volunteers/{child}/consents", new { purpose = "pictures", action = "given", version = "v1" })).ShouldRefuse(409, "guardian_decides");
        (await own.Post($"/volunteers/{child}/consents", new { purpose = "guardian", action = "withdrawn" })).ShouldRefuse(409, "guardian_decides");
        (await o.Admin.Post($"/volunteers/{child}/consents", new { purpose = "pictures", action = "given", version = "v1", by = "guardian" })).ShouldBe(201);
        // To say no is theirs at any age.
        (await own.Post($"/volunteers/{child}/consents", new { purpose = "pictures", action = "withdrawn" })).ShouldBe(201);
    }

    [Fact]
    public async Task Consent_given_and_taken_back_at_once_stays_in_step_with_its_receipts()
    {
        await Text("profile", "v1", "我同意保存我的资料。");
        var person = await o.Volunteer();
        var volunteer = await o.SignedInAs(person);
        var path = $"/volunteers/{person}/consents";
        (await volunteer.Post(path, new { purpose = "profile", action = "given", version = "v1" })).ShouldBe(201);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => i % 2 == 0
            ? volunteer.Post(path, new { purpose = "profile", action = "withdrawn" })
            : volunteer.Post(path, new { purpose = "profile", action = "given", version = "v1" })));

        Assert.All(answers, answer => Assert.True(answer.Status == 201 || answer.Code == "consent_not_given", answer.Text));
        var last = (string)(await volunteer.Get(path)).Items[^1]!["action"]!;
        var profile = await volunteer.Get($"/volunteers/{person}");
        Assert.Equal(last == "given", profile["consent"] is not null);
        Assert.Equal(last == "given" ? 0 : 1, profile["withdrawnConsents"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_service_can_neither_change_nor_delete_a_receipt_or_a_text()
    {
        await Text("pictures", "v1", "照片可能会拍到您。");
        await Host.InServices(async services =>
        {
            var source = (NpgsqlDataSource)services.GetService(typeof(NpgsqlDataSource))!;
            foreach (var table in new[] { "consent_receipts", "consent_texts" })
                foreach (var change in new[] { $"update {table} set version = 'v2'", $"delete from {table}" })
                {
                    await using var command = source.CreateCommand(change);
                    var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
                    Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
                }
        });
    }

    private Task<Answer> Text(string purpose, string version, string textZh, string? textEn = null, bool required = false) =>
        o.Admin.Put($"/consent-texts/{purpose}", new { version, textZh, textEn, required });

    private async Task<object?> Ask(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
