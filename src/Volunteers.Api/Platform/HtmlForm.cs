using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.Extensions.Primitives;

namespace Volunteers.Platform;

/// <summary>A field of a form. An error is shown at it, and read out with it.</summary>
/// <param name="Name">As it is posted.</param>
/// <param name="Label">Plain text.</param>
/// <param name="Autocomplete">What a browser or a password manager fills in.</param>
/// <param name="Type">Of the input.</param>
/// <param name="Value">What stands in it; never a password.</param>
/// <param name="Error">What is wrong with it, plain text.</param>
/// <param name="ErrorId">The element that says what is wrong, when it is about more than this field.</param>
/// <param name="Focus">Where whoever reads the page goes on.</param>
internal sealed record FormField(
    string Name, string Label, string Autocomplete, string Type = "text", string? Value = null, string? Error = null, string? ErrorId = null, bool Focus = false);

/// <summary>A form that came. Unless it is ours, and of this very browser, another site may have sent it.</summary>
internal sealed record PostedForm(IFormCollection Fields, bool IsOurs)
{
    public string this[string field] => Fields[field].ToString();
}

/// <summary>The forms of <see cref="HtmlPage"/>s. Everything given is plain text, and encoded here.</summary>
internal static class HtmlForm
{
    /// <summary>The name under which a form brings its token back.</summary>
    public const string Token = "formToken";

    private const string DecisionField = "decision";

    /// <summary>Posts back to this service, with a token that shows that the form was ours and this browser's.</summary>
    public static string Post(HttpContext http, string path, IEnumerable<KeyValuePair<string, string?>> hidden, string content)
    {
        var token = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http).RequestToken;
        return $"""
                <form method="post" action="{Encode(http.Request.PathBase + path)}">
                {string.Concat(hidden.Append(new(Token, token)).Select(field => $"<input type=\"hidden\" name=\"{Encode(field.Key)}\" value=\"{Encode(field.Value)}\">"))}
                {content}
                </form>
                """;
    }

    /// <summary>What was posted; what cannot be read as a form is an empty one, and not ours.</summary>
    public static async Task<PostedForm> Read(HttpContext http)
    {
        if (!http.Request.HasFormContentType) return new PostedForm(FormCollection.Empty, IsOurs: false);
        try
        {
            var form = await http.Request.ReadFormAsync(http.RequestAborted);
            return new PostedForm(form, await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http));
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            return new PostedForm(FormCollection.Empty, IsOurs: false);
        }
    }

    /// <summary>What was decided on a page of ours that this very person was shown; null for what another site sends.</summary>
    public static async Task<string?> Decision(HttpContext http, ClaimsPrincipal person)
    {
        // Tokens of forms are bound to whoever is the user.
        http.User = person;
        return HttpMethods.IsPost(http.Request.Method) && await Read(http) is { IsOurs: true } form ? form[DecisionField] : null;
    }

    /// <summary>Of a request that comes as a query or as a form: its own parameters, without what our pages add.</summary>
    public static IEnumerable<KeyValuePair<string, StringValues>> Parameters(HttpContext http) =>
        Own(HttpMethods.IsPost(http.Request.Method) ? http.Request.Form : http.Request.Query);

    public static IEnumerable<KeyValuePair<string, StringValues>> Own(IEnumerable<KeyValuePair<string, StringValues>> parameters) =>
        parameters.Where(parameter => parameter.Key is not (DecisionField or Token));

    public static string Field(FormField field)
    {
        var name = Encode(field.Name);
        var errorId = field.Error is null ? field.ErrorId : field.Name + "-error";
        var invalid = errorId is null ? "" : $" aria-invalid=\"true\" aria-describedby=\"{Encode(errorId)}\"";
        return $"""
                <label for="{name}">{Encode(field.Label)}</label>
                {(field.Error is null ? "" : $"<p class=\"error\" id=\"{name}-error\">{Encode(field.Error)}</p>")}
                <input id="{name}" name="{name}" type="{Encode(field.Type)}" value="{Encode(field.Value)}" autocomplete="{Encode(field.Autocomplete)}" required{invalid}{(field.Focus ? " autofocus" : "")} autocapitalize="none" spellcheck="false">
                """;
    }

    public static string Alert(string id, string text) => $"<p class=\"error\" role=\"alert\" id=\"{Encode(id)}\">{Encode(text)}</p>";

    public static string Button(string label, bool second = false) => $"<button{(second ? " class=\"second\"" : "")}>{Encode(label)}</button>";

    public static string Link(string address, string label) => $"<p><a href=\"{Encode(address)}\">{Encode(label)}</a></p>";

    /// <summary>A button that says what was decided: read it with <see cref="Decision"/>.</summary>
    public static string Choice(string value, string label, bool second = false) =>
        $"<button name=\"{DecisionField}\" value=\"{Encode(value)}\"{(second ? " class=\"second\"" : "")}>{Encode(label)}</button>";

    public static string Encode(string? text) => WebUtility.HtmlEncode(text) ?? "";
}
