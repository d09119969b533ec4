namespace Volunteers.Features.Identity;

/// <summary>
/// Where a sign-in ends, as a source of the content security policy. Chromium holds <c>form-action</c> against every redirect
/// that follows a form, the one back to the application included.
/// </summary>
internal static class FormTarget
{
    public static IEnumerable<string> Of(IEnumerable<string> registered) =>
        registered.Select(uri => Uri.TryCreate(uri, UriKind.Absolute, out var target) ? Of(target) : null).OfType<string>().Distinct();

    public static string Of(Uri target) => target.Scheme != Uri.UriSchemeHttp && target.Scheme != Uri.UriSchemeHttps
        ? $"{target.Scheme}:"
        // An application on this machine listens on whatever port is free.
        : target.IsLoopback ? $"{target.Scheme}://{target.IdnHost}:*" : $"{target.Scheme}://{target.Authority}";
}
