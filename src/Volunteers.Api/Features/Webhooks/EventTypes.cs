using Volunteers.Features.Activities;
using Volunteers.Features.Certificates;
using Volunteers.Features.Hours;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Webhooks;

/// <summary>All that a webhook can ask for.</summary>
internal static class EventTypes
{
    /// <summary>What a test delivery brings, whatever its webhook asks for.</summary>
    public static readonly EventType Test = new("webhook.test");

    /// <summary>In reading order.</summary>
    public static readonly IReadOnlyList<string> All =
        [.. new[] { ActivityEvents.All, SignUpEvents.All, ServiceEvents.All, CertificateEvents.All }.SelectMany(types => types).Select(type => type.Name)];
}
