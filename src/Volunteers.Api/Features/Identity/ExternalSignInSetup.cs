using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Client;
using Polly;
using static OpenIddict.Client.OpenIddictClientEvents;

namespace Volunteers.Features.Identity;

/// <summary>
/// This service as a client of external authorities: authorization code with PKCE, state and nonce. The state is kept in the
/// database, is good once and in one browser; identity tokens are checked for signature, issuer, audience, time and nonce.
/// </summary>
internal static class ExternalSignInSetup
{
    /// <summary>How long whoever was sent to an authority may take there.</summary>
    private static readonly TimeSpan InTime = TimeSpan.FromMinutes(15);

    public static void AddExternalSignIn(this WebApplicationBuilder builder, bool https)
    {
        var authorities = ExternalAuthority.Read(builder.Configuration);
        builder.Services.AddSingleton(new ExternalAuthorities(authorities));
        builder.Services.AddScoped<ExternalSignInCheck>();
        if (authorities.Count == 0) return;

        builder.Services.AddOpenIddict().AddClient(options =>
        {
            options.AllowAuthorizationCodeFlow();
            options.SetStateTokenLifetime(InTime);
            options.UseSystemNetHttp()
                .ConfigureHttpClient(http => (http.Timeout, http.MaxResponseContentBufferSize) = (TimeSpan.FromSeconds(10), 1024 * 1024))
                .ConfigureHttpClientHandler(handler => handler.AllowAutoRedirect = false)
                // Somebody waits for the page: who cannot be reached is said at once, and tried again by hand.
                .SetHttpResiliencePipeline(ResiliencePipeline<HttpResponseMessage>.Empty);
            var aspNetCore = options.UseAspNetCore().EnableRedirectionEndpointPassthrough().EnableErrorPassthrough();
            if (!https) aspNetCore.DisableTransportSecurityRequirement();
            aspNetCore.Configure(client =>
            {
                client.CookieBuilder.Name = https ? "__Host-volunteers-external" : "volunteers-external";
                client.CookieBuilder.SecurePolicy = https ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
                client.CookieBuilder.SameSite = SameSiteMode.Lax;
                client.CookieBuilder.Path = "/";
            });
            options.AddEventHandler<HandleConfigurationResponseContext>(handler => handler.UseInlineHandler(AlwaysProveKey).SetOrder(int.MaxValue - 100_000));
            options.AddEventHandler<ProcessErrorContext>(handler => handler.UseInlineHandler(LeaveErrorsToThePage).SetOrder(int.MinValue));
            foreach (var authority in authorities) options.AddRegistration(RegistrationOf(authority));
        });
        builder.Services.AddSingleton<IConfigureOptions<OpenIddictClientOptions>, SignInSetup.KeysFromDatabase>();
    }

    private static OpenIddictClientRegistration RegistrationOf(ExternalAuthority authority)
    {
        var registration = new OpenIddictClientRegistration
        {
            RegistrationId = authority.Id,
            ProviderName = authority.Id,
            Issuer = authority.Issuer,
            ClientId = authority.ClientId,
            ClientSecret = authority.ClientSecret,
            // One for each, so that no authority is sent what another one answered.
            RedirectUri = new Uri(ExternalSignInPages.CallbackOf(authority), UriKind.Relative),
            CodeChallengeMethods = { OpenIddictConstants.CodeChallengeMethods.Sha256 },
            // A query comes with the cookies of a browser that was sent here, a form of another site's does not.
            ResponseModes = { OpenIddictConstants.ResponseModes.Query },
        };
        if (authority.LinkBy != LinkClaim.None) registration.Scopes.Add(authority.LinkBy == LinkClaim.Email ? OpenIddictConstants.Scopes.Email : OpenIddictConstants.Scopes.Phone);
        return registration;
    }

    /// <summary>Authorities that know PKCE do not all say so; one that does not know it overlooks the parameters (RFC 6749, 3.1).</summary>
    private static ValueTask AlwaysProveKey(HandleConfigurationResponseContext context)
    {
        context.Configuration.CodeChallengeMethodsSupported.Add(OpenIddictConstants.CodeChallengeMethods.Sha256);
        return ValueTask.CompletedTask;
    }

    /// <summary>Before the browser leaves, when the authority cannot be asked where to: without an address the page says so.</summary>
    private static ValueTask LeaveErrorsToThePage(ProcessErrorContext context)
    {
        if (context.EndpointType == OpenIddictClientEndpointType.Unknown) context.HandleRequest();
        return ValueTask.CompletedTask;
    }
}
