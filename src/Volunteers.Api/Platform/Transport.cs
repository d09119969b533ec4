using System.Net;
using Microsoft.AspNetCore.HttpOverrides;

namespace Volunteers.Platform;

/// <summary>
/// The way to the service: HTTPS, and the proxies on it whose word about the client counts. Outside Development nothing but
/// the health checks is answered over plain HTTP: a page moves to HTTPS, a call is refused, because its token was
/// readable by whoever carried it and a redirect would hide that.
/// </summary>
internal static class Transport
{
    public static void AddTransport(this WebApplicationBuilder builder)
    {
        // The framework's own switch believes whoever writes the header.
        if (builder.Configuration.GetValue<bool>("ForwardedHeaders_Enabled"))
            throw new StartupRefused("ASPNETCORE_FORWARDEDHEADERS_ENABLED lets every client choose its own address. Set ForwardedHeaders:KnownProxies to the addresses of the proxies instead.");

        var proxies = builder.Configuration.GetSection("ForwardedHeaders:KnownProxies").Get<string[]>() ?? [];
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = proxies.Length == 0 ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            // From the nearest hop to the first that is not one of ours, however many there are.
            options.ForwardLimit = null;
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            foreach (var proxy in proxies) options.KnownIPNetworks.Add(NetworkOf(proxy));
        });
        foreach (var proxy in proxies) _ = NetworkOf(proxy);

        builder.Services.AddHsts(options => (options.MaxAge, options.IncludeSubDomains) = (TimeSpan.FromDays(365), true));
    }

    public static bool RequiresHttps(this IConfiguration configuration, IHostEnvironment environment) =>
        configuration.GetValue("SignIn:RequireHttps", !environment.IsDevelopment());

    public static void UseTransport(this WebApplication app)
    {
        app.UseForwardedHeaders();
        if (!app.Configuration.RequiresHttps(app.Environment)) return;

        app.UseHsts();
        var home = app.Configuration.GetValue<Uri>("SignIn:Issuer");
        app.Use((http, next) => http.Request.IsHttps || http.Request.Path.StartsWithSegments("/health") ? next(http) : Refuse(http, home));
    }

    /// <summary>Only to the service's own address from the settings: what a request names as its host may be anybody's.</summary>
    private static Task Refuse(HttpContext http, Uri? home)
    {
        if (home is not { Scheme: "https" } || !HttpMethods.IsGet(http.Request.Method) || http.Request.Path.StartsWithSegments("/v1"))
            return Problems.Write(http, StatusCodes.Status400BadRequest, "https_required");

        http.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        http.Response.Headers.Location = home.GetLeftPart(UriPartial.Authority) + http.Request.PathBase.ToUriComponent() + http.Request.Path.ToUriComponent() + http.Request.QueryString.ToUriComponent();
        return Task.CompletedTask;
    }

    private static System.Net.IPNetwork NetworkOf(string text) =>
        System.Net.IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8)
        : throw new StartupRefused($"ForwardedHeaders:KnownProxies: {text} is neither an address nor a network such as 10.0.0.0/8.");
}
