namespace Volunteers.Platform;

/// <summary>
/// Where the service is found from outside: as the settings say, or else where the request was sent. What a request names as
/// its host may be anybody's, and an address that is kept or printed must not lead there.
/// </summary>
internal static class PublicAddress
{
    public static string Of(HttpRequest request) =>
        request.HttpContext.RequestServices.GetRequiredService<IConfiguration>()["SignIn:Issuer"]?.TrimEnd('/') ?? $"{request.Scheme}://{request.Host}{request.PathBase}";
}
