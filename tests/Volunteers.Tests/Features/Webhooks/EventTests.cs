using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Volunteers.Features.Hours;
using Volunteers.Features.Webhooks;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>What happens is told, whoever writes it, and without a word that may say who somebody is.</summary>
public sealed partial class EventTests(TestDatabases databases) : WebhookTest(databases)
{
    /// <summary>Stands in everything that people write below.</summary>
    private const string Word = "Secret 张秘密";

    [Fact]
    public async Task Everything_that_a_webhook_can_ask_for_happens_and_says_ids_and_figures_only()
    {
        await Webhook([.. EventTypes.All]);
        await Plan();
        await TakePart();
        await Give();
        await Certify();
        await Deliver();

        Assert.Equal("", string.Join(' ', EventTypes.All.Except(Receiver.Arrivals.Select(arrival => arrival.Type))));
        Assert.True(Receiver.Arrivals.Count > 30);
        Assert.All(Receiver.Arrivals, arrival =>
        {
            Assert.Equal(["type", "timestamp", "data"], arrival.Message.AsObject().Select(member => member.Key));
            Assert.All(Leaves(arrival.Message["data"]!), leaf => Assert.True(leaf.GetValueKind() != JsonValueKind.String || Harmless().IsMatch((string)leaf!), $"{arrival.Type}: {leaf}"));
            Assert.DoesNotContain("Secret", arrival.Body, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Steps_of_one_thing_are_told_in_the_order_in_which_they_happened()
    {
        await Webhook([.. EventTypes.All]);
        var record = await Submit();
        (await Do(Admin, "approve", record)).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "Because.", minutes = 30 })).ShouldBe(200);
        (await Do(Admin, "void", record)).ShouldBe(200);
        await Deliver();

        Assert.Equal(
            [
                "service_record.recorded", "posting.created", "service_record.approved", "posting.created", "posting.created", "service_record.corrected", "posting.created", "service_record.voided",
            ],
            Receiver.Arrivals.Where(arrival => arrival.Body.Contains(record, StringComparison.Ordinal)).Select(arrival => arrival.Type));
        Assert.Equal([1, 2, 3, 4], Receiver.Arrivals.Where(arrival => arrival.Type == "posting.created").Select(arrival => (int)JsonNode.Parse(arrival.Body)!["data"]!["position"]!));
    }

    private async Task Plan()
    {
        var activity = (await Admin.Post("/activities", new
        {
            title = Word, description = Word, teamId = Team, category = "patrol", startsAt = At("08:00"), endsAt = At("10:00"), location = new { name = Word },
        })).ShouldBe(201).Id;
        (await Admin.Post($"/activities/{activity}/publish")).ShouldBe(200);
        (await Admin.Patch($"/activities/{activity}", new { endsAt = At("11:00") })).ShouldBe(200);
        (await Admin.Post($"/activities/{activity}/complete", new { outcome = new { beneficiaries = 21, method = "counted", note = Word } })).ShouldBe(200);
        (await Admin.Post($"/activities/{await O.Activity(Team)}/cancel", new { reason = Word })).ShouldBe(200);
    }

    private async Task TakePart()
    {
        var start = Clock.GetUtcNow().AddMinutes(30);
        var shift = await O.Shift(await O.UpcomingActivity(Team, start, hours: 1), capacity: 2);
        string[] volunteers = [await O.Volunteer(Team), await O.Volunteer(Team), await O.Volunteer(Team)];
        foreach (var volunteer in volunteers) await O.SignUp(shift, volunteer);
        (await Admin.Delete($"/shifts/{shift}/sign-ups/{volunteers[0]}")).ShouldBe(204);
        (await Admin.Post($"/shifts/{shift}/check-in", new { volunteerId = volunteers[1] })).ShouldBe(200);
        await Host.Later(TimeSpan.FromDays(2));
        await Host.Services.GetServices<IHostedService>().OfType<ShiftSettlement>().Single().SettleDue(Ct);
    }

    private async Task Give()
    {
        var record = await Submit();
        (await Do(Admin, "reject", record, new { reason = Word })).ShouldBe(200);
        var approved = await Submit("10:00", "11:00");
        (await Do(Admin, "approve", approved)).ShouldBe(200);
        (await Do(Admin, "correct", approved, new { reason = Word, minutes = 30 })).ShouldBe(200);

        var headcount = (await Headcount(Admin, 5, At("12:00"), At("13:00"))).ShouldBe(201).Id;
        var claim = (await Admin.Post($"/service-records/{headcount}/claims", new { volunteerId = await O.Volunteer(Team) })).ShouldBe(201).Id;
        (await Do(Admin, "void", claim, new { reason = Word, backToHeadcount = true })).ShouldBe(200);

        var volunteer = await O.Volunteer(Team);
        var disputed = await Serve(volunteer, "14:00", "15:00");
        var self = await O.SignedInAs(volunteer);
        var first = (await self.Post($"/service-records/{disputed}/disputes", new { message = Word })).ShouldBe(201).Id;
        (await self.Post($"/disputes/{first}/withdraw")).ShouldBe(200);
        var second = (await self.Post($"/service-records/{disputed}/disputes", new { message = Word })).ShouldBe(201).Id;
        (await Admin.Post($"/disputes/{second}/answer", new { explanation = Word })).ShouldBe(200);
    }

    private async Task Certify()
    {
        var volunteer = await O.Volunteer(Team);
        await Serve(volunteer);
        var path = $"/volunteers/{volunteer}/certificates";
        var first = (await Admin.Post(path, new { from = "2026-06-01", to = "2026-06-30", purpose = Word })).ShouldBe(201).Id;
        var second = (await Admin.Post(path, new { from = "2026-06-01", to = "2026-06-30", replaces = first })).ShouldBe(201).Id;
        (await Admin.Post($"/certificates/{second}/revoke", new { reason = Word })).ShouldBe(200);
    }

    /// <summary>Service that a volunteer enters for themselves, so it waits to be approved; answers the record.</summary>
    private async Task<string> Submit(string from = "08:00", string to = "09:00")
    {
        var volunteer = await O.Volunteer(Team);
        var service = Service(volunteer, At(from), At(to));
        service["note"] = Word;
        return (await (await O.SignedInAs(volunteer)).Post("/service-records", service)).ShouldBe(201).Id;
    }

    private static IEnumerable<JsonNode> Leaves(JsonNode node) => node switch
    {
        JsonObject some => some.Select(member => member.Value).OfType<JsonNode>().SelectMany(Leaves),
        JsonArray some => some.OfType<JsonNode>().SelectMany(Leaves),
        _ => [node],
    };

    /// <summary>An id, a day, an instant, a certificate's number, or a word of an enum.</summary>
    [GeneratedRegex(@"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d(T[\d:.]+Z)?|\d{4}-\d{6}|[a-z][A-Za-z]*)$")]
    private static partial Regex Harmless();
}
