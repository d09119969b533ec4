using System.Net;
using Microsoft.Extensions.Options;
using Volunteers.Platform;

namespace Volunteers.Features.Webhooks;

/// <summary>How webhooks are delivered.</summary>
internal sealed class WebhookSettings
{
    /// <summary>Addresses on this machine, over plain HTTP too: for development, and never where others may make webhooks.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>Seconds within which a receiver has to answer, 1 to 60.</summary>
    public int TimeLimitSeconds { get; init; } = 10;
}

/// <summary>Where a webhook may be. What its name leads to is looked at whenever something is sent: see <see cref="PublicConnections"/>.</summary>
internal sealed class WebhookUrl(IOptions<WebhookSettings> settings)
{
    public const int Longest = 2000;

    /// <exception cref="RuleBreach">It is no https address that could be reached from outside.</exception>
    public Uri Check(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.UserInfo.Length > 0 || url.Fragment.Length > 0 || url.AbsoluteUri.Length > Longest || !IsName(url) || !IsOutside(url))
            throw RuleBreach.Malformed("webhook_url_refused", "/url");
        return url;
    }

    /// <summary>A name in other letters has to have a form that can be asked for.</summary>
    private static bool IsName(Uri url)
    {
        try
        {
            return url.IdnHost.Length > 0;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }

    private bool IsOutside(Uri url)
    {
        if (settings.Value.AllowLoopback && url.IsLoopback) return url.Scheme is "http" or "https";
        return url.Scheme == "https" && !url.IsLoopback && (!IPAddress.TryParse(url.DnsSafeHost, out var address) || PublicConnections.IsPublic(address));
    }
}
