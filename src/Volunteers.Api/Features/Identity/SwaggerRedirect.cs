using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;
using static OpenIddict.Server.OpenIddictServerHandlers;

namespace Volunteers.Features.Identity;

/// <summary>
/// Swagger UI is wherever the service is: the one redirect URI it may name follows from the address at which the service is
/// called. Every other client's are those that are registered.
/// </summary>
internal sealed class SwaggerRedirect(IOpenIddictApplicationManager applications) : IOpenIddictServerHandler<ValidateAuthorizationRequestContext>
{
    private const string Page = "swagger/oauth2-redirect.html";

    public static void Use(OpenIddictServerBuilder server)
    {
        server.RemoveEventHandler(Authentication.ValidateClientRedirectUri.Descriptor);
        server.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler
            .UseScopedHandler<SwaggerRedirect>().SetOrder(Authentication.ValidateClientRedirectUri.Descriptor.Order));
    }

    public async ValueTask HandleAsync(ValidateAuthorizationRequestContext context)
    {
        var allowed = context.ClientId == FirstPartyClients.Swagger
            ? (context.Options.Issuer ?? context.BaseUri) is { } address && context.RedirectUri == new Uri(WithSlash(address), Page).AbsoluteUri
            : context.RedirectUri is { Length: > 0 } redirectUri && await applications.FindByClientIdAsync(context.ClientId!, context.CancellationToken) is { } client
                && await applications.ValidateRedirectUriAsync(client, redirectUri, context.CancellationToken);
        if (!allowed) context.Reject(Errors.InvalidRequest, "The redirect URI is not one of this client's.");
    }

    private static Uri WithSlash(Uri address) => address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
}
