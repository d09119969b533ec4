using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Volunteers.Platform;

/// <summary>Who may use a route. Stated on the group, tightened per route; rows are narrowed by the queries.</summary>
internal static class Access
{
    /// <summary>Any account or client whose token is good.</summary>
    public const string SignedIn = nameof(SignedIn);

    /// <summary>Any account, but no client: what is asked is about a person.</summary>
    public const string Account = nameof(Account);

    /// <summary>Anybody with a role in the organization.</summary>
    public const string Member = nameof(Member);

    /// <summary>Reads what coordinators read: administrator, coordinator, auditor.</summary>
    public const string Read = nameof(Read);

    /// <summary>Enters service: administrator, coordinator, and a volunteer for themselves.</summary>
    public const string TakePart = nameof(TakePart);

    /// <summary>Plans and reviews: administrator, coordinator.</summary>
    public const string Coordinate = nameof(Coordinate);

    /// <summary>Plans for every team: administrator, coordinator of the whole organization.</summary>
    public const string CoordinateAll = nameof(CoordinateAll);

    /// <summary>Settings, roles and clients: administrator.</summary>
    public const string Administer = nameof(Administer);

    /// <summary>Creates organizations: the platform's operator.</summary>
    public const string Operate = nameof(Operate);

    /// <summary>Who that is, for the document.</summary>
    public static readonly IReadOnlyDictionary<string, string> Callers = new Dictionary<string, string>
    {
        [SignedIn] = "any account",
        [Account] = "any account",
        [Member] = "anybody with a role in the organization",
        [Read] = "administrators, coordinators and auditors",
        [TakePart] = "administrators, coordinators, and volunteers for themselves",
        [Coordinate] = "administrators and coordinators",
        [CoordinateAll] = "administrators and coordinators of the whole organization",
        [Administer] = "administrators",
        [Operate] = "the platform's operators",
    };

    public static void AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<IAuthorizationHandler, Decision>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, Refusals>();
        services.AddAuthorizationBuilder()
            .AddPolicy(SignedIn, That(_ => true))
            .AddPolicy(Account, That(caller => !caller.IsClient))
            .AddPolicy(Operate, That(caller => caller.IsOperator))
            .AddPolicy(Member, That(_ => true, _ => true))
            .AddPolicy(Read, Of(Role.Administrator, Role.Coordinator, Role.Auditor))
            .AddPolicy(TakePart, Of(Role.Administrator, Role.Coordinator, Role.Volunteer))
            .AddPolicy(Coordinate, Of(Role.Administrator, Role.Coordinator))
            .AddPolicy(CoordinateAll, That(_ => true, tenant => tenant.CoordinatesAll))
            .AddPolicy(Administer, Of(Role.Administrator))
            .SetFallbackPolicy(null);
    }

    public static TBuilder Allows<TBuilder>(this TBuilder builder, string policy) where TBuilder : IEndpointConventionBuilder =>
        builder.RequireAuthorization(policy);

    private static Action<AuthorizationPolicyBuilder> Of(params Role[] roles) =>
        That(_ => true, tenant => tenant.Caller.Holds(tenant.Id, roles));

    private static Action<AuthorizationPolicyBuilder> That(Func<Caller, bool> caller, Func<Tenant, bool>? inOrganization = null) => policy =>
        policy.AddRequirements(new Requirement(caller, inOrganization), new InScope());

    internal sealed record Requirement(Func<Caller, bool> Caller, Func<Tenant, bool>? InOrganization = null) : IAuthorizationRequirement;

    /// <summary>A client's token is good for what is asked.</summary>
    private sealed record InScope : IAuthorizationRequirement;

    private sealed class Decision(ICallers callers) : IAuthorizationHandler
    {
        public async Task HandleAsync(AuthorizationHandlerContext context)
        {
            if (context.Resource is not HttpContext http) return;
            foreach (var requirement in context.PendingRequirements.ToArray())
            {
                if (Caller.Of(http) is not { } caller) return;

                // A refusal is never taken from memory, nor what the caller is told of their own roles: one granted a moment ago works at once.
                if ((requirement is not Requirement { InOrganization: null } && Meets(http, caller, requirement))
                    || (await callers.Reload(http) is { } fresh && Meets(http, fresh, requirement)))
                    context.Succeed(requirement);
            }
        }

        private static bool Meets(HttpContext http, Caller caller, IAuthorizationRequirement requirement) => requirement switch
        {
            InScope => !caller.IsClient || (Scope.Of(http) is { } scope && caller.Scopes.Contains(scope)),
            Requirement needed => needed.Caller(caller) && (!caller.LacksSecondFactor || IsTheirOwn(http)) && (needed.InOrganization is not { } inOrganization
                || (OrganizationOf(http) is { } id && caller.BelongsTo(id) && inOrganization(new Tenant(id, caller)))),
            _ => false,
        };
    }

    /// <summary>401 without a good token, 404 in an organization where the caller is nobody, 403 elsewhere: a client is told the scope it lacks (RFC 6750).</summary>
    private sealed class Refusals : IAuthorizationMiddlewareResultHandler
    {
        public Task HandleAsync(RequestDelegate next, HttpContext http, AuthorizationPolicy policy, PolicyAuthorizationResult result)
        {
            if (result.Succeeded) return next(http);
            if (Caller.Of(http) is not { } caller)
            {
                http.Response.Headers.WWWAuthenticate = http.Request.Headers.Authorization.Count > 0 ? "Bearer error=\"invalid_token\"" : "Bearer";
                return Problems.Write(http, StatusCodes.Status401Unauthorized, "not_signed_in");
            }
            if (OrganizationOf(http) is { } id && !caller.BelongsTo(id)) return Problems.Write(http, StatusCodes.Status404NotFound, "not_found");
            if (caller.LacksSecondFactor && !IsTheirOwn(http)) return Problems.Write(http, StatusCodes.Status403Forbidden, "second_factor_required");
            if (Scope.Of(http) is not { } scope || !result.AuthorizationFailure!.FailedRequirements.All(failed => failed is InScope))
                return Problems.Write(http, StatusCodes.Status403Forbidden, "forbidden");

            http.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
            return Problems.Write(http, StatusCodes.Status403Forbidden, "insufficient_scope", scope);
        }
    }

    /// <summary>By the route that was matched, not by how the path was written.</summary>
    private static bool IsTheirOwn(HttpContext http) =>
        http.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route } && (route == "/v1/me" || route.StartsWith("/v1/me/", StringComparison.Ordinal));

    private static Guid? OrganizationOf(HttpContext http) =>
        http.Request.RouteValues.TryGetValue("organizationId", out var value) && Guid.TryParse((string?)value, out var id) ? id : null;
}

/// <summary>Knows what the bearer of a token may do; implemented where accounts and grants are.</summary>
internal interface ICallers
{
    /// <summary>From memory when it is fresh enough; null when the token was revoked.</summary>
    ValueTask<Caller?> Find(HttpContext http);

    /// <summary>From the database, now.</summary>
    ValueTask<Caller?> Reload(HttpContext http);

    /// <summary>What an account or a client may do in an organization now, without a token; null when that is nothing.</summary>
    Task<Caller?> OfActor(Guid organizationId, Guid actorId, bool isClient, CancellationToken ct);

    /// <summary>Where an account has a role.</summary>
    Task<Guid[]> OrganizationsOf(Guid accountId, CancellationToken ct);
}
