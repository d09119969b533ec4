using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Volunteers.Platform.Audit;

/// <summary>Who does something, when, from where, by which operation and on what.</summary>
internal sealed record AuditScene(DateTimeOffset At, AuditKind Kind, string Operation)
{
    public AuditOutcome Outcome { get; init; }

    public string? Code { get; init; }

    public int Times { get; init; } = 1;

    public AuditActorKind ActorKind { get; init; } = AuditActorKind.Service;

    public Guid? ActorId { get; init; }

    public Caller? Caller { get; init; }

    public Origin? Origin { get; init; }

    public string? ResourceType { get; init; }

    public string? ResourceId { get; init; }

    /// <summary>Whom the path names.</summary>
    public Guid? VolunteerId { get; init; }

    public static AuditScene Of(HttpContext http, AuditKind kind)
    {
        var caller = Platform.Caller.Of(http);
        var (type, id) = ResourceOf(http);
        return new AuditScene(http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(), kind, http.GetEndpoint()!.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName)
        {
            ActorKind = caller switch { null => AuditActorKind.Anonymous, { IsClient: true } => AuditActorKind.Client, _ => AuditActorKind.Account },
            ActorId = caller?.ActorId, Caller = caller, Origin = Origin.Of(http), ResourceType = type, ResourceId = id,
            VolunteerId = http.Request.RouteValues.TryGetValue("volunteerId", out var volunteer) && Guid.TryParse((string?)volunteer, out var named) ? named : null,
        };
    }

    public AuditEvent Event(Guid organizationId, Guid id, Guid[] volunteers, AuditDetails details)
    {
        var held = Caller?.Grants.Where(grant => grant.OrganizationId == organizationId).ToArray() ?? [];
        var role = held.Length == 0 ? (Role?)null : held.Min(grant => grant.Role);
        var grants = held.Where(grant => grant.Role == role).ToArray();
        return new AuditEvent
        {
            OrganizationId = organizationId, Id = id, At = Instant.AsKept(At), Kind = Kind, Operation = Operation, Outcome = Outcome, Code = Code, Times = Times,
            ActorKind = ActorKind, ActorId = ActorId, Role = role,
            Teams = role == Role.Coordinator && grants.All(grant => grant.TeamId is not null) ? [.. grants.Select(grant => grant.TeamId!.Value)] : null,
            Address = Origin?.Address, Agent = Origin?.Agent, TraceId = Origin?.TraceId, ResourceType = ResourceType,
            ResourceId = ResourceId is { Length: > AuditEvent.LongestId } longer ? longer[..AuditEvent.LongestId] : ResourceId, Volunteers = volunteers, Details = details.Write(),
        };
    }

    /// <summary>What was made: the answer says where it is.</summary>
    public AuditScene On(string? location) =>
        location?.Split('/', StringSplitOptions.RemoveEmptyEntries) is [.., var collection, var id] && Guid.TryParse(id, out _)
            ? this with { ResourceType = Singular(collection), ResourceId = id }
            : this;

    /// <summary>The last thing that the path names by an id; without one, what stands first below the organization.</summary>
    private static (string? Type, string? Id) ResourceOf(HttpContext http)
    {
        string? literal = null, type = null, id = null;
        var below = false;
        foreach (var segment in ((RouteEndpoint)http.GetEndpoint()!).RoutePattern.PathSegments)
        {
            if (segment.Parts is [RoutePatternLiteralPart { Content: var content }])
            {
                literal = content;
                if (below && id is null) (type, below) = (Singular(content), false);
            }
            else if (segment.Parts is [RoutePatternParameterPart { Name: "organizationId" }]) (type, below) = ("organization", true);
            else if (segment.Parts is [RoutePatternParameterPart { Name: var name }] && literal is not null)
                (type, id, below) = (Singular(literal), Convert.ToString(http.Request.RouteValues[name], CultureInfo.InvariantCulture), false);
        }
        if (type == "organization") id = Convert.ToString(http.Request.RouteValues["organizationId"], CultureInfo.InvariantCulture);
        return (type ?? Singular(literal ?? ""), id);
    }

    /// <summary><c>service-records</c> is about a <c>serviceRecord</c>.</summary>
    private static string Singular(string collection)
    {
        var words = collection.Split('-');
        words[^1] = words[^1] switch
        {
            "series" => "series",
            [.. var stem, 'i', 'e', 's'] => stem + "y",
            [.. var stem, 's'] => stem,
            var word => word,
        };
        return string.Concat(words.Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));
    }
}

/// <summary>
/// From where a request came, as little of it as serves: the network (/24, /48), not the address, which would tell one household from
/// the next (PIPL, article 6: the least that the purpose needs); the family of the program, not its fingerprint. A keyed hash of
/// the address would still be personal to whoever has the key, and says nothing to who reads the trail.
/// </summary>
internal sealed record Origin(string? Address, string? Agent, string TraceId)
{
    /// <summary>A browser names those that it descends from too, so the first that fits counts.</summary>
    private static readonly (string Mark, string Family)[] Families =
    [
        ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("okhttp", "okhttp"), ("Dart", "Dart"),
        ("CFNetwork", "CFNetwork"), ("Dalvik", "Android"), ("curl", "curl"), ("python", "Python"), ("Java", "Java"), ("Go-http-client", "Go"), ("node", "Node"), ("axios", "Node"),
        ("Postman", "Postman"), ("PowerShell", "PowerShell"),
    ];

    public static Origin Of(HttpContext http) => new(
        NetworkOf(http.Connection.RemoteIpAddress), FamilyOf(http.Request.Headers.UserAgent.ToString()), Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier);

    internal static string? NetworkOf(IPAddress? address)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var kept = address.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 3;
        return $"{new IPAddress([.. bytes[..kept], .. new byte[bytes.Length - kept]])}/{kept * 8}";
    }

    internal static string? FamilyOf(string agent) => agent.Length == 0
        ? null
        : Families.FirstOrDefault(family => agent.Contains(family.Mark, StringComparison.OrdinalIgnoreCase)).Family ?? "other";
}
