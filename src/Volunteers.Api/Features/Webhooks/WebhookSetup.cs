using System.Net;
using Microsoft.Extensions.Options;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

internal static class WebhookSetup
{
    public static void AddWebhooks(this IServiceCollection services)
    {
        services.AddOptions<WebhookSettings>().BindConfiguration("Webhooks")
            .Validate(settings => settings.TimeLimitSeconds is >= 1 and <= 60, "Webhooks:TimeLimitSeconds must be 1 to 60.").ValidateOnStart();
        services.AddSingleton<NameResolver>((host, ct) => Dns.GetHostAddressesAsync(host, ct));
        services.AddSingleton(provider => new PublicConnections(
            provider.GetRequiredService<NameResolver>(), provider.GetRequiredService<IOptions<WebhookSettings>>().Value.AllowLoopback));
        services.AddSingleton<WebhookUrl>();
        services.AddSingleton<WebhookPost>();
        services.AddSingleton<WebhookWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<WebhookWorker>());
        services.AddHostedService<WebhookNotices>();
    }
}
