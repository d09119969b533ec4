using Microsoft.Net.Http.Headers;

namespace Volunteers.Platform;

/// <summary>Which web pages of other origins may call the API from a browser: those of <c>Cors:Origins</c>, none as delivered.</summary>
internal static class CrossOrigin
{
    public static void AddCrossOrigin(this WebApplicationBuilder builder)
    {
        var origins = builder.Configuration.GetSection("Cors:Origins").Get<string[]>() ?? [];
        if (Array.Find(origins, origin => !IsOrigin(origin)) is { } wrong)
            throw new StartupRefused($"Cors:Origins: {wrong} is not an origin. Write scheme, host and port alone, for example https://app.example.org.");

        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins(origins)
            .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete)
            .WithHeaders(HeaderNames.Authorization, HeaderNames.ContentType, HeaderNames.Accept, HeaderNames.AcceptLanguage, HeaderNames.IfMatch,
                HeaderNames.IfNoneMatch, HeaderNames.TraceParent, "Idempotency-Key", "X-Request-Id")
            // What the contract answers in headers. No credentials: a page sends a token, never a cookie.
            .WithExposedHeaders(HeaderNames.ETag, HeaderNames.Location, HeaderNames.Link, HeaderNames.RetryAfter, HeaderNames.ContentDisposition,
                HeaderNames.WWWAuthenticate, "Idempotency-Replayed", "X-Request-Id")
            .SetPreflightMaxAge(TimeSpan.FromHours(1))));
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" && uri.GetLeftPart(UriPartial.Authority) == text;
}
