using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Platform;

namespace Volunteers.Features.Certificates;

/// <summary>
/// What a phone shows that has read the QR code of a certificate, and where a code is typed in from paper. Written whole by
/// the service: nothing is loaded, no script runs.
/// </summary>
internal static class VerificationPage
{
    private const string Style =
        """
        body{margin:0;font:17px/1.5 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#1c2430;background:#f3f5f8}
        main{max-width:34rem;margin:0 auto;padding:1.5rem 1rem}
        h1{font-size:1.3rem;margin:.2rem 0 1rem}
        .status{padding:.8rem 1rem;border-radius:.6rem;color:#fff;font-weight:600;font-size:1.1rem}
        .valid{background:#17663a}.hoursChanged,.superseded{background:#8a5200}.revoked,.unknown{background:#9b1c1c}
        dl{background:#fff;border-radius:.6rem;padding:.4rem 1rem;margin:1rem 0}
        dt{color:#5a6472;font-size:.85rem;margin-top:.6rem}dd{margin:0 0 .6rem;overflow-wrap:anywhere}
        p{color:#3c4654;font-size:.9rem}
        input,button{font:inherit;padding:.6rem;width:100%;box-sizing:border-box;margin:.3rem 0;border:1px solid #8a94a3;border-radius:.4rem}
        button{background:#1d4f91;color:#fff;border:0}
        """;

    private static readonly string ContentSecurityPolicy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public static void MapVerificationPage(this WebApplication app)
    {
        app.MapGet("/verify", Ask).ExcludeFromDescription();
        app.MapGet("/verify/{code}", Show).ExcludeFromDescription().LimitedBy(RateLimits.Verifications);
    }

    private static IResult Ask(HttpContext http, string? code = null) => string.IsNullOrWhiteSpace(code)
        ? Page(http, StatusCodes.Status200OK, Form(http))
        : TypedResults.LocalRedirect($"~/verify/{Uri.EscapeDataString(code.Trim())}");

    private static async Task<IResult> Show(string code, HttpContext http, VolunteersDb db, CancellationToken ct) =>
        await db.Verify(code, ct) is { } view
            ? Page(http, StatusCodes.Status200OK, Of(view))
            : Page(http, StatusCodes.Status404NotFound, $"<p class=\"status unknown\">{Text("verify_unknown")}</p><p>{Messages.Detail("verify_unknown")}</p>{Form(http)}");

    private static string Of(VerificationView view)
    {
        var (word, explanation) = view.Status switch
        {
            VerificationStatus.Valid => (Text("verify_valid"), ""),
            VerificationStatus.Revoked => (Text("verify_revoked"), Messages.Detail("verify_revoked", view.RevokedAt!.Value.UtcDateTime)),
            VerificationStatus.Superseded => (Text("verify_superseded"), Messages.Detail("verify_superseded", view.SupersededBy!)),
            _ => (Text("verify_hours_changed"), Messages.Detail("verify_hours_changed", HourFigures.InHours(view.Now!.Minutes), view.Now.PersonTimes)),
        };
        return $"""
                <p class="status {JsonName(view.Status)}">{word}</p>
                {(explanation.Length == 0 ? "" : $"<p>{WebUtility.HtmlEncode(explanation)}</p>")}
                <dl>
                {Row("certificate_number", view.Number)}{Row("certificate_name", view.Name)}{Row("certificate_organization", view.Organization)}
                {Row("certificate_period", Messages.Detail("certificate_period", view.From, view.To))}
                {Row("certificate_hours", view.Hours.ToString("N2", CultureInfo.InvariantCulture))}
                {Row("certificate_person_times", view.PersonTimes.ToString("N0", CultureInfo.InvariantCulture))}
                {Evidence(view.ByEvidence)}
                {Row("certificate_issued_on", view.IssuedOn.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))}
                </dl>
                <p>{Text("verify_compare")}</p>
                """;
    }

    private static string JsonName(VerificationStatus status) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(status.ToString());

    private static string Row(string label, string value) => $"<dt>{Text(label)}</dt><dd>{WebUtility.HtmlEncode(value)}</dd>";

    private static string Evidence(IEnumerable<CertifiedEvidence> lines) => $"<dt>{Text("report_evidence")}</dt>" + string.Concat(lines.Select(line =>
        $"<dd>{WebUtility.HtmlEncode(Messages.Detail("verify_evidence", Messages.Title("certificate_evidence_" + line.Evidence.ToString().ToLowerInvariant()), HourFigures.InHours(line.Minutes), line.PersonTimes))}</dd>"));

    private static string Form(HttpContext http) =>
        $"""
         <form method="get" action="{WebUtility.HtmlEncode(http.Request.PathBase)}/verify"><label>{Text("verify_code")}
         <input name="code" required maxlength="64" autocomplete="off" autocapitalize="characters" spellcheck="false"></label><button>{Text("verify_do")}</button></form>
         """;

    private static string Text(string code) => WebUtility.HtmlEncode(Messages.Title(code));

    private static ContentHttpResult Page(HttpContext http, int status, string content)
    {
        Verification.KeepToYourself(http.Response);
        http.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.ContentLanguage = CultureInfo.CurrentUICulture.Name;
        http.Response.Headers.Vary = "Accept-Language";
        return TypedResults.Text(
            $"""
             <!DOCTYPE html>
             <html lang="{CultureInfo.CurrentUICulture.Name}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
             <title>{Text("verify_title")}</title><style>{Style}</style></head>
             <body><main><h1>{Text("verify_title")}</h1>
             {content}
             </main></body></html>
             """, "text/html; charset=utf-8", Encoding.UTF8, status);
    }
}
