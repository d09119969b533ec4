using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Privacy;
using Volunteers.Platform.Outbox;
using Volunteers.Tests.Features.Identity;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>What administrators do with webhooks.</summary>
public sealed class WebhookTests(TestDatabases databases) : WebhookTest(databases)
{
    [Fact]
    public async Task A_webhook_is_made_changed_and_taken_away_and_its_secret_is_shown_once()
    {
        var made = (await Admin.Post("/webhooks", new { url = Receiver.Url, eventTypes = new[] { "posting.created", "activity.published" }, description = "Upstream" })).ShouldBe(201);
        Assert.Equal($"{O.Path}/webhooks/{made.Id}", made.Header("Location"));
        Assert.StartsWith("whsec_", (string)made["secret"]!, StringComparison.Ordinal);
        Assert.Equal(32, Convert.FromBase64String(((string)made["secret"]!)[6..]).Length);
        var seen = (await Admin.Get($"/webhooks/{made.Id}")).ShouldBe(200);
        Assert.Equal(["activity.published", "posting.created"], seen["eventTypes"]!.AsArray().Select(type => (string?)type));
        Assert.DoesNotContain("whsec_", seen.Text + (await Admin.Get("/webhooks")).ShouldBe(200).Text, StringComparison.Ordinal);

        var changed = (await Admin.Patch($"/webhooks/{made.Id}", new { eventTypes = new[] { "service_record.voided" }, description = (string?)null })).ShouldBe(200);
        Assert.Equal((Receiver.Url, null, 2), ((string?)changed["url"], (string?)changed["description"], (int)changed["version"]!));
        (await Do(Admin, "void", await Serve())).ShouldBe(200);
        await Deliver();
        Assert.Equal(["service_record.voided"], Receiver.Arrivals.Select(arrival => arrival.Type));

        (await Admin.Delete($"/webhooks/{made.Id}")).ShouldBe(204);
        (await Admin.Get($"/webhooks/{made.Id}")).ShouldRefuse(404, "not_found");
        (await Do(Admin, "void", await Serve(from: "10:00", to: "11:00"))).ShouldBe(200);
        await Deliver();
        Assert.Single(Receiver.Arrivals);
        foreach (var table in new[] { "webhook_secrets", "webhook_deliveries", "webhook_attempts", "outbox_listeners" }) Assert.Equal(0, await Count($"select count(*) from {table}"));
    }

    [Fact]
    public async Task A_webhook_that_asks_for_nothing_or_for_what_there_is_not_is_refused()
    {
        foreach (var eventTypes in new[] { [], ["posting.created", "posting.deleted"], new string?[] { null } })
            (await Admin.Post("/webhooks", new { url = Receiver.Url, eventTypes })).ShouldRefuse(400, "invalid_request");
        Assert.Equal(0, await Count("select count(*) from webhooks"));
    }

    [Fact]
    public async Task An_organization_has_twenty_webhooks_at_most_also_when_they_come_at_once()
    {
        for (var i = 0; i < 17; i++) await Webhook("posting.created");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Admin.Post("/webhooks", new { url = Receiver.Url, eventTypes = new[] { "posting.created" } })));

        Assert.Equal(3, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "too_many_webhooks"));
        Assert.Equal(20, await Count("select count(*) from webhooks"));
    }

    [Fact]
    public async Task Both_secrets_sign_until_the_former_ends()
    {
        var webhook = await Webhook("service_record.approved");
        var made = (await Admin.Post($"{webhook.Path}/secrets", new { formerEndsAt = Clock.GetUtcNow().AddHours(2) })).ShouldBe(201);
        var renewed = (string)made["secret"]!;
        (await Admin.Post($"{webhook.Path}/secrets")).ShouldRefuse(409, "too_many_webhook_secrets");
        (await Admin.Delete($"{webhook.Path}/secrets/{made.Id}")).ShouldRefuse(409, "last_webhook_secret");

        await Serve();
        var both = (await Receiver.Received(1))[0];
        Assert.Equal(2, both.Headers["webhook-signature"].Split(' ').Length);
        await both.ReadWith(webhook.Secret);
        await both.ReadWith(renewed);

        await Host.Later(TimeSpan.FromHours(3));
        await Serve(from: "10:00", to: "11:00");
        var one = (await Receiver.Received(2))[1];
        Assert.Single(one.Headers["webhook-signature"].Split(' '));
        Assert.Equal(one.Headers["webhook-signature"], Signature(one, renewed));
        // What has ended makes room.
        (await Admin.Post($"{webhook.Path}/secrets")).ShouldBe(201);
    }

    [Fact]
    public async Task A_secret_that_is_taken_away_signs_nothing_more()
    {
        var webhook = await Webhook("service_record.approved");
        var first = (string)(await Admin.Get(webhook.Path)).ShouldBe(200)["secrets"]![0]!["id"]!;
        (await Admin.Delete($"{webhook.Path}/secrets/{first}")).ShouldRefuse(409, "last_webhook_secret");
        var renewed = (string)(await Admin.Post($"{webhook.Path}/secrets")).ShouldBe(201)["secret"]!;
        (await Admin.Delete($"{webhook.Path}/secrets/{first}")).ShouldBe(204);

        await Serve();
        var arrival = (await Receiver.Received(1))[0];
        Assert.Equal(arrival.Headers["webhook-signature"], Signature(arrival, renewed));
    }

    [Fact]
    public async Task Secrets_are_sealed_at_rest_and_bound_to_their_webhook()
    {
        var (one, other) = (await Webhook("service_record.approved"), await Webhook("posting.created"));
        var key = Convert.ToHexStringLower(Convert.FromBase64String(one.Secret[6..]));
        Assert.Equal(0, await Count($"select count(*) from webhook_secrets where position('{key}' in encode(sealed, 'hex')) > 0"));

        await Tamper($"update webhook_secrets set sealed = (select sealed from webhook_secrets where webhook_id = '{other.Id}') where webhook_id = '{one.Id}'");
        await Serve();
        await Deliver();
        Assert.Equal("secretLost", (string?)(await OnlyDelivery(one))["attempts"]![0]!["fault"]);
        Assert.Equal(["posting.created"], Receiver.Arrivals.Select(arrival => arrival.Type));
    }

    [Fact]
    public async Task A_test_is_delivered_at_once_also_to_a_webhook_that_is_held()
    {
        var webhook = await Webhook("posting.created");
        (await Admin.Post($"{webhook.Path}/pause")).ShouldBe(200);
        await Serve();

        var test = (await Admin.Post($"{webhook.Path}/test")).ShouldBe(200);
        await Deliver();

        var arrival = Assert.Single(Receiver.Arrivals);
        Assert.Equal((test.Id, "webhook.test"), (arrival.Id, arrival.Type));
        await arrival.ReadWith(webhook.Secret);
        var seen = (await Admin.Get($"{webhook.Path}/deliveries/{test.Id}")).ShouldBe(200);
        Assert.Equal(("delivered", 204, null), ((string?)seen["status"], (int?)seen["attempts"]![0]!["statusCode"], (string?)seen["attempts"]![0]!["fault"]));

        Receiver.Answers(410);
        var failing = (await Admin.Post($"{webhook.Path}/test")).ShouldBe(200);
        await Deliver();
        await Host.Later(TimeSpan.FromHours(1));
        await Deliver();
        seen = (await Admin.Get($"{webhook.Path}/deliveries/{failing.Id}")).ShouldBe(200);
        Assert.Equal(("failed", 1, "gone"), ((string?)seen["status"], seen["attempts"]!.AsArray().Count, (string?)seen["attempts"]![0]!["fault"]));
        Assert.Equal("paused", await StatusOf(webhook));
    }

    [Fact]
    public async Task The_log_comes_in_pages_newest_first_and_narrowed()
    {
        var webhook = await Webhook("service_record.recorded", "posting.created");
        for (var hour = 6; hour < 11; hour++) await Serve(from: $"{hour:00}:00", to: $"{hour + 1:00}:00");
        await Deliver();

        var (ids, path) = (new List<string>(), $"{webhook.Path}/deliveries?limit=3");
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await Admin.Get(path + (cursor.Length > 0 ? $"&cursor={cursor}" : ""))).ShouldBe(200);
            Assert.InRange(page.Items.Count, 1, 3);
            ids.AddRange(page.Items.Select(item => (string)item!["id"]!));
            cursor = (string?)page["next"];
            Assert.Equal(cursor is not null, page.Header("Link") is not null);
        }

        Assert.Equal(10, ids.Distinct().Count());
        Assert.Equal(ids.OrderDescending(StringComparer.Ordinal), ids);
        Assert.Equal(5, (await Admin.Get($"{webhook.Path}/deliveries?type=posting.created&status=delivered")).ShouldBe(200).Items.Count);
        Assert.Empty((await Admin.Get($"{webhook.Path}/deliveries?status=pending")).ShouldBe(200).Items);
        Assert.Empty((await Admin.Get($"{webhook.Path}/deliveries?from={Uri.EscapeDataString(Clock.GetUtcNow().AddHours(1).ToString("O"))}")).ShouldBe(200).Items);
        (await Admin.Get($"{webhook.Path}/deliveries?cursor=nonsense")).ShouldRefuse(400, "invalid_cursor");
    }

    [Fact]
    public async Task What_was_delivered_is_sent_again_with_the_same_id_one_or_all_of_a_period()
    {
        var webhook = await Webhook("service_record.recorded", "posting.created");
        await Serve();
        await Deliver();
        await Host.Later(TimeSpan.FromDays(1));
        var from = Clock.GetUtcNow();
        await Serve(from: "10:00", to: "11:00");
        await Deliver();
        var first = Receiver.Arrivals.ToArray();
        Assert.Equal(4, first.Length);

        var again = (await Admin.Post($"{webhook.Path}/deliveries/{first[0].Id}/redeliver")).ShouldBe(200);
        Assert.Equal(first[0].Id, again.Id);
        await Deliver();
        Assert.Equal((5, first[0].Id, first[0].Body), (Receiver.Arrivals.Count, Receiver.Arrivals.Last().Id, Receiver.Arrivals.Last().Body));

        var period = (await Admin.Post($"{webhook.Path}/redeliveries", new { from, to = from.AddHours(1) })).ShouldBe(200);
        Assert.Equal(2, (int)period["deliveries"]!);
        await Deliver();
        Assert.Equal(first[2..].Select(arrival => arrival.Id), Receiver.Arrivals.Skip(5).Select(arrival => arrival.Id));
        Assert.Equal(2, (await Admin.Get($"{webhook.Path}/deliveries/{first[0].Id}")).ShouldBe(200)["attempts"]!.AsArray().Count);
    }

    [Fact]
    public async Task What_is_another_organizations_is_not_there()
    {
        var webhook = await Webhook("posting.created");
        await Serve();
        await Deliver();
        var delivery = Receiver.Arrivals.First().Id;
        var stranger = (await Given.AnotherOrganization()).Admin;

        foreach (var path in new[] { webhook.Path, $"{webhook.Path}/deliveries", $"{webhook.Path}/deliveries/{delivery}" }) (await stranger.Get(path)).ShouldRefuse(404, "not_found");
        foreach (var path in new[] { "pause", "resume", "test", "secrets", $"deliveries/{delivery}/redeliver" }) (await stranger.Post($"{webhook.Path}/{path}")).ShouldRefuse(404, "not_found");
        // Nor is another webhook's delivery, within the organization.
        (await Admin.Post($"{(await Webhook("posting.created")).Path}/deliveries/{delivery}/redeliver")).ShouldRefuse(404, "not_found");
        await Deliver();
        Assert.Single(Receiver.Arrivals);
    }

    [Fact]
    public async Task What_happened_is_forgotten_after_thirty_days_with_its_log()
    {
        await Webhook("posting.created");
        await Serve();
        await Deliver();

        await Host.Later(TimeSpan.FromDays(29.9));
        await Retain();
        Assert.Equal(1, await Count("select count(*) from webhook_attempts"));
        await Host.Later(TimeSpan.FromDays(0.2));
        await Retain();

        foreach (var table in new[] { "outbox_events", "webhook_deliveries", "webhook_attempts" }) Assert.Equal(0, await Count($"select count(*) from {table}"));
        Assert.Equal(1, await Count("select count(*) from webhooks"));
    }

    [Fact]
    public async Task Administrators_are_told_when_a_webhook_was_disabled()
    {
        // Alone with its database: the host of the other tests has no sender, and would be content with that.
        await using var gateway = await Gateway.Start();
        var connectionString = await Databases.NewDatabase();
        await using (var host = new ApiHost(connectionString, [.. Configuration, .. gateway.Settings]))
        {
            var o = await new Given(host).Organization();
            Receiver.Answers(410);
            (await o.Admin.Post("/webhooks", new { url = Receiver.Url, eventTypes = new[] { "activity.published" } })).ShouldBe(201);
            await o.Activity(await o.Team());

            var message = (await gateway.Messages(1))[0];
            Assert.Equal(("webhookDisabled", "email", ApiHost.OperatorLogin), ((string?)message["kind"], (string?)message["channel"], (string?)message["to"]));
            Assert.Contains("127.0.0.1", (string)message["text"]!, StringComparison.Ordinal);
            Assert.Null(message["code"]);
        }
        await Databases.Drop(connectionString);
    }

    [Fact]
    public async Task Who_cannot_be_told_keeps_no_other_from_it_and_is_told_later_alone()
    {
        await using var gateway = await Gateway.Start();
        gateway.Answers.Enqueue(400);
        var connectionString = await Databases.NewDatabase();
        await using (var host = new ApiHost(connectionString, [.. Configuration, .. gateway.Settings]))
        {
            var given = new Given(host);
            Receiver.Answers(410);
            var o = await given.Organization();
            await o.SignedInWithRole("administrator");
            (await o.Admin.Post("/webhooks", new { url = Receiver.Url, eventTypes = new[] { "activity.published" } })).ShouldBe(201);
            await o.Activity(await o.Team());

            var messages = await gateway.Messages(3);

            var ids = messages.Select(message => (string)message["id"]!).ToArray();
            Assert.Equal((ids[0], 2), (ids[2], ids.Distinct().Count()));
            Assert.Equal(2, messages.Take(2).Select(message => (string)message["to"]!).Distinct().Count());
            // And then nobody once more.
            await host.Later(TimeSpan.FromHours(2));
            (await o.Admin.Post("/webhooks", new { url = Receiver.Url, eventTypes = new[] { "activity.published" } })).ShouldBe(201);
            await o.Activity(await o.Team());
            Assert.Equal(4, (await gateway.Messages(5)).Select(message => (string)message["id"]!).Distinct().Count());
        }
        await Databases.Drop(connectionString);
    }

    /// <summary>One transaction, or nothing: what is told outside of one would stay when the change does not.</summary>
    [Fact]
    public async Task What_is_rolled_back_was_never_told()
    {
        await Webhook("posting.created");
        var happening = new Happening(new EventType("posting.created"), Guid.Parse(O.Id), Guid.NewGuid(), new { });
        await Host.InServices(async services =>
        {
            var db = services.GetRequiredService<VolunteersDb>();
            await Assert.ThrowsAsync<InvalidOperationException>(() => db.Tell([happening], Clock.GetUtcNow(), Ct));
            await using (await db.Database.BeginTransactionAsync(Ct)) await db.Tell([happening], Clock.GetUtcNow(), Ct);
            Assert.Equal(0, await Count("select count(*) from outbox_events"));
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            await db.Tell([happening], Clock.GetUtcNow(), Ct);
            await transaction.CommitAsync(Ct);
        });
        Assert.Equal(1, await Count("select count(*) from outbox_events"));
    }

    private Task Retain() => Host.InServices(services => services.GetRequiredService<RetentionWorker>().RunOnce(Ct));

    private static string Signature(Arrival arrival, string secret) => "v1," + Convert.ToBase64String(System.Security.Cryptography.HMACSHA256.HashData(
        Convert.FromBase64String(secret[6..]), System.Text.Encoding.UTF8.GetBytes($"{arrival.Id}.{arrival.Headers["webhook-timestamp"]}.{arrival.Body}")));
}
