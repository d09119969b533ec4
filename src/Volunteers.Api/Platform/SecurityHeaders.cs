namespace Volunteers.Platform;

/// <summary>What every answer tells a browser: take nothing from it but what it says it is, show it in no frame, tell nobody where one came from.</summary>
internal static class SecurityHeaders
{
    /// <summary>For answers that no browser shows. A page brings a policy of its own.</summary>
    private const string NothingLoads = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Swagger UI sets styles on elements and draws its icons from data; its scripts are files beside it.</summary>
    private const string SwaggerUi =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this WebApplication app) => app.Use((http, next) =>
    {
        // As the answer starts: an error on the way empties the headers that were set before.
        http.Response.OnStarting(static state =>
        {
            var http = (HttpContext)state;
            var headers = http.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = http.Request.Path.StartsWithSegments("/swagger") ? SwaggerUi : NothingLoads;
            // About people, mostly: no shared cache keeps it, and one's own asks (by ETag) before it shows it again.
            if (headers.CacheControl.Count == 0 && !http.Request.Path.StartsWithSegments("/swagger")) headers.CacheControl = "private, no-cache";
            return Task.CompletedTask;
        }, http);
        return next(http);
    });
}
