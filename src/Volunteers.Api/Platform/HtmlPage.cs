using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Volunteers.Platform;

/// <summary>The few pages that people see in a browser, written whole by the service: nothing is loaded, no script runs.</summary>
internal static class HtmlPage
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
        button{background:#1d4f91;color:#fff;border:1px solid #1d4f91;margin-top:.9rem}
        button.second{background:#fff;color:#1d4f91}
        :focus-visible{outline:3px solid #b36b00;outline-offset:2px}
        form label{display:block;margin-top:.9rem}
        [aria-invalid]{border:2px solid #9b1c1c}
        .error{color:#9b1c1c;font-weight:600;margin:.2rem 0}
        p,li,label{overflow-wrap:anywhere}
        """;

    private static readonly string ContentSecurityPolicy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

    /// <summary>
    /// Title and content are HTML: whoever calls has encoded what came from people. <paramref name="formTargets"/> are the places
    /// elsewhere that the answer to a form may send the browser on to, as sources of a content security policy: browsers hold
    /// that against the whole chain of redirects.
    /// </summary>
    public static ContentHttpResult Of(HttpContext http, int status, string title, string content, IEnumerable<string>? formTargets = null)
    {
        http.Response.Headers.ContentSecurityPolicy = string.Join(' ', [ContentSecurityPolicy, .. formTargets ?? []]);
        http.Response.Headers.ContentLanguage = CultureInfo.CurrentUICulture.Name;
        http.Response.Headers.Vary = "Accept-Language";
        return TypedResults.Text(
            $"""
             <!DOCTYPE html>
             <html lang="{CultureInfo.CurrentUICulture.Name}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
             <title>{title}</title><style>{Style}</style></head>
             <body><main><h1>{title}</h1>
             {content}
             </main></body></html>
             """, "text/html; charset=utf-8", Encoding.UTF8, status);
    }
}
