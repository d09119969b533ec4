using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http.HttpResults;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Platform;

namespace Volunteers.Features.Certificates;

/// <summary>
/// What a phone shows that has read the QR code of a certificate, and where a code is typed in from paper.
/// </summary>
internal static class VerificationPage
{
    public static void MapVerificationPage(this WebApplication app)
    {
        app.MapGet("/verify", Ask).ExcludeFromDescription();
        app.MapGet("/verify/{code}", Show).ExcludeFromDescription().Costs(Cost.Verification);
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
            VerificationStatus.Revoked => (Text("verify_revoked"), Messages.Detail("verify_revoked", view.RevokedOn!.Value)),
            VerificationStatus.Superseded => (Text("verify_superseded"), Messages.Detail("verify_superseded", view.SupersededBy!)),
            _ => (Text("verify_hours_changed"), Messages.Detail("verify_hours_changed", HourFigures.InHours(view.Now!.Minutes), view.Now.PersonTimes)),
        };
        return $"""
                <p class="status {JsonName(view.Status)}">{word}</p>
                {(explanation.Length == 0 ? "" : $"<p>{WebUtility.HtmlEncode(explanation)}</p>")}
                {(view.Name is null ? $"<p>{Text("verify_erased")}</p>" : "")}
                <dl>
                {Row("certificate_number", view.Number)}{(view.Name is { } name ? Row("certificate_name", name) : "")}{Row("certificate_organization", view.Organization)}
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
        return HtmlPage.Of(http, status, Text("verify_title"), content);
    }
}
