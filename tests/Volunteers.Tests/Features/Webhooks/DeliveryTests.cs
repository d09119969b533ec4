using System.Collections.Concurrent;
using Volunteers.Features.Webhooks;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>What happens arrives: signed, in order, again and again until it is taken.</summary>
public sealed class DeliveryTests(TestDatabases databases) : WebhookTest(databases)
{
    [Fact]
    public async Task A_message_is_verified_by_the_library_of_the_standard()
    {
        var webhook = await Webhook("service_record.approved");
        var volunteer = await O.Volunteer(Team);
        var record = await Serve(volunteer);

        var arrival = Assert.Single(await Receiver.Received(1));
        var read = await arrival.ReadWith(webhook.Secret);
        Assert.Equal("service_record.approved", (string?)read["type"]);
        Assert.Equal((record, volunteer, 60, "approved"),
            ((string?)read["data"]!["recordId"], (string?)read["data"]!["volunteerId"], (int?)read["data"]!["minutes"], (string?)read["data"]!["status"]));
        Assert.True(DateTimeOffset.Parse((string)read["timestamp"]!, null) <= Clock.GetUtcNow());
        Assert.Equal("application/json", arrival.Headers["content-type"]);
        await Assert.ThrowsAnyAsync<Exception>(() => (arrival with { Body = arrival.Body.Replace("60", "61", StringComparison.Ordinal) }).ReadWith(webhook.Secret));
    }

    [Fact]
    public async Task Each_webhook_is_told_what_it_asked_for_and_nothing_is_kept_that_nobody_asked_for()
    {
        await Serve(from: "06:00", to: "07:00");
        Assert.Equal(0, await Count("select count(*) from outbox_events"));
        await using var other = await Receiver.Start();
        await Webhook("posting.created");
        await Webhook(other, "service_record.approved", "service_record.voided");

        var record = await Serve();
        (await Do(Admin, "void", record)).ShouldBe(200);
        await Deliver();

        Assert.Equal(["posting.created", "posting.created"], Receiver.Arrivals.Select(arrival => arrival.Type));
        Assert.Equal(["service_record.approved", "service_record.voided"], other.Arrivals.Select(arrival => arrival.Type));
        Assert.Equal(4, await Count("select count(*) from outbox_events"));
    }

    [Fact]
    public async Task What_does_not_happen_is_not_told()
    {
        await Webhook("service_record.recorded", "service_record.approved", "posting.created");
        var volunteer = await O.Volunteer(Team);
        await Serve(volunteer);
        await Deliver();
        var told = Receiver.Arrivals.Count;

        (await Record(Admin, volunteer, At("08:30"), At("09:30"))).ShouldRefuse(409, "overlapping_service");
        var batch = await Admin.Post("/service-records/batch", new { items = new[] { Service(await O.Volunteer(Team), At("08:00"), At("09:00")), Service(volunteer, At("08:30"), At("09:30")) } });
        batch.ShouldBe(409);
        await Deliver();

        Assert.Equal(told, Receiver.Arrivals.Count);
        Assert.Equal(told, await Count("select count(*) from outbox_events"));
    }

    [Fact]
    public async Task What_fails_is_tried_again_with_growing_waits_for_forty_hours_and_then_the_webhook_is_disabled()
    {
        var webhook = await Webhook("service_record.approved");
        Receiver.Answers(500);
        await Serve();
        await Deliver();

        var (total, tries) = (TimeSpan.Zero, 1);
        foreach (var wait in WebhookDelivery.Waits)
        {
            Assert.Equal(tries, Receiver.Arrivals.Count);
            var delivery = await OnlyDelivery(webhook);
            var planned = DateTimeOffset.Parse((string)delivery["nextTryAt"]!, null) - DateTimeOffset.Parse((string)delivery["attempts"]![0]!["at"]!, null);
            Assert.InRange(planned, wait * 0.9, wait * 1.1);
            await Host.Later(wait * 0.5);
            await Deliver();
            Assert.Equal(tries, Receiver.Arrivals.Count);
            await Host.Later(wait * 0.7);
            await Deliver();
            (total, tries) = (total + wait, tries + 1);
        }

        Assert.InRange(total, TimeSpan.FromHours(39), TimeSpan.FromHours(41));
        Assert.Equal(13, Receiver.Arrivals.Count);
        Assert.Single(Receiver.Arrivals.Select(arrival => arrival.Id).Distinct());
        Assert.Single(Receiver.Arrivals.Select(arrival => arrival.Body).Distinct());
        var disabled = (await Admin.Get(webhook.Path)).ShouldBe(200);
        Assert.Equal(("disabled", "unanswered"), ((string?)disabled["status"], (string?)disabled["disabledBecause"]));
        Assert.Single((await Admin.Get("/audit?operation=disableWebhook")).ShouldBe(200).Items);

        // Nothing is lost: what happens meanwhile waits with it, and comes in order.
        Receiver.Answers(204);
        await Serve(from: "10:00", to: "11:00");
        await Host.Later(TimeSpan.FromDays(2));
        await Deliver();
        Assert.Equal(13, Receiver.Arrivals.Count);
        (await Admin.Post($"{webhook.Path}/resume")).ShouldBe(200);
        await Deliver();
        Assert.Equal(15, Receiver.Arrivals.Count);
        Assert.Equal(Receiver.Arrivals.First().Id, Receiver.Arrivals.ElementAt(13).Id);
        Assert.Equal("enabled", await StatusOf(webhook));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_told_nothing_more()
    {
        var webhook = await Webhook("service_record.approved");
        Receiver.Answers(410);
        await Serve();
        await Deliver();
        await Serve(from: "10:00", to: "11:00");
        await Host.Later(TimeSpan.FromDays(1));
        await Deliver();

        Assert.Single(Receiver.Arrivals);
        var disabled = (await Admin.Get(webhook.Path)).ShouldBe(200);
        Assert.Equal(("disabled", "gone"), ((string?)disabled["status"], (string?)disabled["disabledBecause"]));
        Assert.NotNull(disabled["disabledAt"]);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    public async Task A_redirection_is_a_failure_and_is_not_followed(int status)
    {
        var webhook = await Webhook("service_record.approved");
        await using var elsewhere = await Receiver.Start();
        Receiver.Answer = (_, http) =>
        {
            http.Response.Headers.Location = elsewhere.Url;
            return Receiver.Say(http, status);
        };
        await Serve();
        await Deliver();

        Assert.Empty(elsewhere.Arrivals);
        var attempt = (await OnlyDelivery(webhook))["attempts"]![0]!;
        Assert.Equal((status, "redirected"), ((int?)attempt["statusCode"], (string?)attempt["fault"]));
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_in_time_or_never_ends_is_left()
    {
        var webhook = await Webhook("service_record.approved");
        Receiver.Answer = (_, http) => Task.Delay(TimeSpan.FromMinutes(5), http.RequestAborted);
        await Serve();
        await Deliver();
        Assert.Equal("timedOut", (string?)(await OnlyDelivery(webhook))["attempts"]![0]!["fault"]);

        // A success whose body never ends is one.
        Receiver.Answer = async (_, http) =>
        {
            while (!http.RequestAborted.IsCancellationRequested) await http.Response.Body.WriteAsync(new byte[64 * 1024], http.RequestAborted);
        };
        await Host.Later(TimeSpan.FromMinutes(1));
        await Deliver();
        Assert.Equal("delivered", (string?)(await OnlyDelivery(webhook))["status"]);
    }

    [Fact]
    public async Task Messages_about_one_object_keep_their_order_and_do_not_hold_up_others()
    {
        await Webhook("service_record.approved", "service_record.voided");
        var refused = await Serve();
        await Deliver();
        Receiver.Arrivals.Clear();

        Receiver.Answer = (arrival, http) => Receiver.Say(http, arrival.Body.Contains(refused, StringComparison.Ordinal) ? 500 : 204);
        (await Do(Admin, "void", refused)).ShouldBe(200);
        await Deliver();
        // Another round, so that there was every chance to overtake.
        var other = await Serve(from: "12:00", to: "13:00");
        (await Do(Admin, "void", other)).ShouldBe(200);
        await Host.Later(TimeSpan.FromSeconds(3));
        await Deliver();
        Assert.Equal(["service_record.approved", "service_record.voided"], Of(other));

        var failing = await Serve(from: "14:00", to: "15:00");
        Receiver.Answer = (arrival, http) => Receiver.Say(http, arrival.Body.Contains(failing, StringComparison.Ordinal) && arrival.Type == "service_record.approved" ? 500 : 204);
        (await Do(Admin, "void", failing)).ShouldBe(200);
        await Host.Later(TimeSpan.FromSeconds(3));
        await Deliver();
        Assert.Equal(["service_record.approved"], Of(failing).Distinct());

        Receiver.Answers(204);
        await Host.Later(TimeSpan.FromMinutes(1));
        await Deliver();
        Assert.Equal("service_record.voided", Of(failing)[^1]);
        Assert.DoesNotContain("service_record.voided", Of(failing)[..^1]);
    }

    [Fact]
    public async Task Replicas_deliver_each_message_once_and_never_two_of_one_object_at_a_time()
    {
        await using var replica = new ApiHost(ConnectionString, Configuration);
        replica.StartServer();
        await Webhook("service_record.approved", "service_record.voided", "posting.created");
        var (atWork, rivals) = (new ConcurrentDictionary<string, int>(), 0);
        Receiver.Answer = async (arrival, http) =>
        {
            var record = (string)arrival.Message["data"]!["recordId"]!;
            if (atWork.AddOrUpdate(record, 1, (_, count) => count + 1) > 1) Interlocked.Increment(ref rivals);
            await Task.Delay(30, http.RequestAborted);
            atWork.AddOrUpdate(record, 0, (_, count) => count - 1);
            http.Response.StatusCode = 204;
        };
        for (var hour = 0; hour < 12; hour++)
        {
            var record = await Serve(from: $"{hour + 6:00}:00", to: $"{hour + 7:00}:00");
            (await Do(Admin, "void", record)).ShouldBe(200);
        }

        var arrivals = await Receiver.Received(48);
        await Deliver();
        Assert.Equal(48, Receiver.Arrivals.Count);
        Assert.Equal(48, arrivals.Select(arrival => arrival.Id).Distinct().Count());
        Assert.Equal(0, rivals);
    }

    [Fact]
    public async Task A_paused_webhook_is_told_later_and_in_order()
    {
        var webhook = await Webhook("service_record.approved", "service_record.voided");
        (await Admin.Post($"{webhook.Path}/pause")).ShouldBe(200);
        var record = await Serve();
        (await Do(Admin, "void", record)).ShouldBe(200);
        await Deliver();
        Assert.Empty(Receiver.Arrivals);
        Assert.Equal(2, (await Admin.Get($"{webhook.Path}/deliveries?status=pending")).ShouldBe(200).Items.Count);

        (await Admin.Post($"{webhook.Path}/resume")).ShouldBe(200);
        await Deliver();
        Assert.Equal(["service_record.approved", "service_record.voided"], Of(record));
    }

    [Fact]
    public async Task What_happens_in_another_organization_is_not_told()
    {
        await Webhook("service_record.approved");
        var other = await Given.AnotherOrganization();
        var team = await other.Team();
        await other.Record(await other.Activity(team), await other.Volunteer(team), At("08:00"), At("09:00"));
        await Serve();
        await Deliver();

        Assert.Single(Receiver.Arrivals);
        Assert.Equal(1, await Count("select count(*) from outbox_events"));
    }

    private string[] Of(string record) => [.. Receiver.Arrivals.Where(arrival => arrival.Body.Contains(record, StringComparison.Ordinal)).Select(arrival => arrival.Type)];
}
