using Microsoft.Extensions.DependencyInjection;
using Volunteers.Features.Webhooks;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>A webhook just made.</summary>
public sealed record MadeWebhook(string Id, string Secret)
{
    public string Path => $"/webhooks/{Id}";
}

/// <summary>An organization, and a receiver on this machine that it can have told what happens.</summary>
public abstract class WebhookTest(TestDatabases databases) : HoursTest(databases)
{
    protected override (string Name, string Value)[] Configuration => [("Webhooks:AllowLoopback", "true"), ("Webhooks:TimeLimitSeconds", "2")];

    protected Receiver Receiver { get; private set; } = null!;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Receiver = await Receiver.Start();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Receiver.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected Task<MadeWebhook> Webhook(params string[] eventTypes) => Webhook(Receiver, eventTypes);

    protected async Task<MadeWebhook> Webhook(Receiver receiver, params string[] eventTypes)
    {
        var made = (await Admin.Post("/webhooks", new { url = receiver.Url, eventTypes })).ShouldBe(201);
        return new MadeWebhook(made.Id, (string)made["secret"]!);
    }

    /// <summary>Service of an hour, entered by the administrator, so approved and posted; answers the record.</summary>
    protected async Task<string> Serve(string? volunteer = null, string from = "08:00", string to = "09:00") =>
        (await Record(Admin, volunteer ?? await O.Volunteer(Team), At(from), At(to))).ShouldBe(201).Id;

    /// <summary>All that is due by now has been tried. The service delivers meanwhile, and whoever comes second waits.</summary>
    protected Task Deliver() => Host.InServices(async services =>
    {
        var worker = services.GetRequiredService<WebhookWorker>();
        while (!await worker.Deliver(Guid.Parse(O.Id), Ct)) await Task.Delay(20, Ct);
    });

    protected async Task<string> StatusOf(MadeWebhook webhook) => (string)(await Admin.Get(webhook.Path)).ShouldBe(200)["status"]!;

    protected async Task<Answer> OnlyDelivery(MadeWebhook webhook) =>
        (await Admin.Get($"{webhook.Path}/deliveries/{Assert.Single((await Admin.Get($"{webhook.Path}/deliveries")).ShouldBe(200).Items)!["id"]}")).ShouldBe(200);
}
