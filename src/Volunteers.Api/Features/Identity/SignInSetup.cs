using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Client;
using OpenIddict.EntityFrameworkCore.Models;
using OpenIddict.Server;
using OpenIddict.Validation.AspNetCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>A standard OAuth 2.0 and OpenID Connect server over ASP.NET Core Identity, everything it keeps in PostgreSQL.</summary>
internal static class SignInSetup
{
    public const string ApiScope = "api";

    public static void AddSignIn(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        var https = builder.Configuration.RequiresHttps(builder.Environment);
        services.AddDataProtection().SetApplicationName("Volunteers").PersistKeysToDbContext<VolunteersDb>();

        services.AddIdentityCore<Account>(options =>
            {
                options.Password = new PasswordOptions
                {
                    RequiredLength = PasswordRule.Shortest, RequireDigit = false, RequireLowercase = false, RequireUppercase = false, RequireNonAlphanumeric = false,
                };
                options.User.AllowedUserNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@+";
            })
            .AddPasswordValidator<PasswordRule>()
            .AddEntityFrameworkStores<VolunteersDb>();
        services.AddScoped<SignInCheck>();
        services.AddScoped<ProofAgain>();
        services.AddScoped<ResetCheck>();
        services.AddScoped<PasswordCheck>();
        services.AddScoped<SecondFactorCheck>();
        services.AddScoped<Lockout>();
        services.AddSingleton<NobodysPassword>();
        services.AddSingleton<KnownDevices>();
        services.AddScoped<ClientSessions>();
        services.AddSingleton<SignInAttempts>();
        services.AddSingleton<SignInTrail>();
        services.AddScoped(provider => (ClientApplications)provider.GetRequiredService<IOpenIddictApplicationManager>());

        services.AddOpenIddict()
            .AddCore(options =>
            {
                options.UseEntityFrameworkCore().UseDbContext<VolunteersDb>().ReplaceDefaultEntities<Guid>();
                options.ReplaceApplicationManager<OpenIddictEntityFrameworkCoreApplication<Guid>, ClientApplications>();
            })
            .AddServer(options =>
            {
                // Tokens name the address they were given at, and are good only there, unless replicas share a name.
                if (builder.Configuration.GetValue<Uri>("SignIn:Issuer") is { } issuer) options.SetIssuer(issuer);
                options.SetTokenEndpointUris("connect/token").SetRevocationEndpointUris("connect/revoke").SetAuthorizationEndpointUris(ReturnUrl.Authorize)
                    .SetEndSessionEndpointUris(LogoutEndpoint.Path).SetUserInfoEndpointUris(UserInfoEndpoint.Path);
                options.AllowPasswordFlow().AllowRefreshTokenFlow().AllowClientCredentialsFlow().AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
                options.Configure(server =>
                {
                    // A challenge in plain text protects nobody who can read the request; other response modes need a script.
                    server.CodeChallengeMethods.IntersectWith([OpenIddictConstants.CodeChallengeMethods.Sha256]);
                    server.ResponseModes.IntersectWith([OpenIddictConstants.ResponseModes.Query]);
                });
                options.RegisterScopes(ApiScope, OpenIddictConstants.Scopes.OfflineAccess, OpenIddictConstants.Scopes.OpenId, OpenIddictConstants.Scopes.Profile);
                options.RegisterScopes([.. Scope.All.Keys]);
                options.SetAccessTokenLifetime(TimeSpan.FromMinutes(15)).SetRefreshTokenLifetime(TimeSpan.FromDays(30));
                // A refresh token is good once: whoever brings a used one may have stolen it, and the family ends.
                options.SetRefreshTokenReuseLeeway(TimeSpan.Zero);
                options.EndFamilies();
                options.TraceRefusedClients();
                SwaggerRedirect.Use(options);
                options.AddEventHandler<OpenIddictServerEvents.ExtractTokenRequestContext>(handler => handler
                    .UseSingletonHandler<SignInAttempts.AtTokenEndpoint>().SetOrder(int.MaxValue - 100_000));
                // The mobile app reads nothing from the token, but a gateway may check its signature.
                options.DisableAccessTokenEncryption();
                var aspNetCore = options.UseAspNetCore().EnableTokenEndpointPassthrough().EnableAuthorizationEndpointPassthrough()
                    .EnableEndSessionEndpointPassthrough().EnableUserInfoEndpointPassthrough().EnableErrorPassthrough();
                if (!https) aspNetCore.DisableTransportSecurityRequirement();
            })
            .AddValidation(options =>
            {
                options.UseLocalServer();
                options.AddAudiences(ApiScope);
                // From the header alone: what stands in an address is kept in histories and logs, and a form is read only by whom it is for.
                options.UseAspNetCore().DisableAccessTokenExtractionFromBodyForm().DisableAccessTokenExtractionFromQueryString();
            });
        services.AddSingleton<IConfigureOptions<OpenIddictServerOptions>, KeysFromDatabase>();
        services.AddAuthentication(OpenIddictValidationAspNetCoreDefaults.AuthenticationScheme);
        BrowserSessions.AddTo(services, https);
        builder.AddExternalSignIn(https);

        services.AddSingleton<Callers>();
        services.AddSingleton<ICallers>(provider => provider.GetRequiredService<Callers>());
        services.AddHostedService(provider => provider.GetRequiredService<Callers>());

        services.AddOptions<RegisteredClients>().Configure(options => options.All = builder.Configuration.GetSection(RegisteredClients.Section).Get<RegisteredClient[]>() ?? [])
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<RegisteredClients>, RegisteredClients.Validator>();
        services.AddHostedService<ClientRegistration>();
    }

    /// <summary>What cannot be read, or kept, is refused as RFC 6749 says, before the authorization server stumbles over it.</summary>
    public static void UseTokenForms(this WebApplication app) => app.UseWhen(http => http.Request.Path.StartsWithSegments("/connect"), connect => connect.Use(async (http, next) =>
    {
        try
        {
            if (http.Request.HasFormContentType) await http.Request.ReadFormAsync(http.RequestAborted);
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or IOException)
        {
            await Refuse(http, (unreadable as BadHttpRequestException)?.StatusCode ?? StatusCodes.Status400BadRequest, "The form could not be read.");
            return;
        }
        if (http.Request.Query.Any(parameter => parameter.Value.Append(parameter.Key).Any(text => text?.Contains('\0', StringComparison.Ordinal) == true)))
            await Refuse(http, StatusCodes.Status400BadRequest, "A null character is no part of any parameter.");
        else
            await next(http);

        static Task Refuse(HttpContext http, int status, string why)
        {
            http.Response.StatusCode = status;
            return http.Response.WriteAsJsonAsync(new { error = OpenIddictConstants.Errors.InvalidRequest, error_description = why }, http.RequestAborted);
        }
    }));

    /// <summary>Finds out once per request who calls; a token that was revoked is as good as none.</summary>
    public static void UseCallers(this WebApplication app) => app.Use(async (http, next) =>
    {
        if (http.User.Identity?.IsAuthenticated == true) http.Features.Set(await http.RequestServices.GetRequiredService<ICallers>().Find(http));
        await next(http);
    });

    /// <summary>What a new database needs before anybody can sign in: keys, scopes and our own clients.</summary>
    public static async Task Prepare(IServiceProvider services, CancellationToken ct)
    {
        var db = services.GetRequiredService<VolunteersDb>();
        var protector = services.GetRequiredService<IDataProtectionProvider>();
        foreach (var use in Enum.GetValues<ServerKeyUse>())
            if (!await db.ServerKeys.AnyAsync(key => key.Use == use, ct)) db.Add(ServerKey.Make(use, protector, DateTimeOffset.UtcNow));
        await db.SaveChangesAsync(ct);

        var scopes = services.GetRequiredService<IOpenIddictScopeManager>();
        if (await scopes.FindByNameAsync(ApiScope, ct) is null)
            await scopes.CreateAsync(new OpenIddictScopeDescriptor { Name = ApiScope }, ct);

        await FirstPartyClients.Ensure(services.GetRequiredService<IOpenIddictApplicationManager>(), ct);
        await ClientRegistration.Apply(services, ct);
    }

    /// <summary>Read when the first request needs them, so that replicas share what is in the database.</summary>
    internal sealed class KeysFromDatabase(IServiceScopeFactory scopes, IDataProtectionProvider protector)
        : IConfigureOptions<OpenIddictServerOptions>, IConfigureOptions<OpenIddictClientOptions>
    {
        public void Configure(OpenIddictServerOptions options) => Fill(options.SigningCredentials, options.EncryptionCredentials);

        /// <summary>For the state that goes along with a browser to an external authority; the kind of token stands in each.</summary>
        public void Configure(OpenIddictClientOptions options) => Fill(options.SigningCredentials, options.EncryptionCredentials);

        private void Fill(List<SigningCredentials> signing, List<EncryptingCredentials> encryption)
        {
            using var scope = scopes.CreateScope();
            var keys = scope.ServiceProvider.GetRequiredService<VolunteersDb>().ServerKeys.AsNoTracking().OrderByDescending(key => key.CreatedAt).ToList();
            foreach (var key in keys)
            {
                if (key.Use == ServerKeyUse.Signing)
                    signing.Add(new SigningCredentials(key.ToRsaKey(protector), SecurityAlgorithms.RsaSha256));
                else
                    encryption.Add(new EncryptingCredentials(key.ToSymmetricKey(protector),
                        SecurityAlgorithms.Aes256KW, SecurityAlgorithms.Aes256CbcHmacSha512));
            }
        }
    }
}
