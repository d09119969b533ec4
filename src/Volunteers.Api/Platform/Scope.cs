namespace Volunteers.Platform;

/// <summary>
/// What another system may do for its organization: an area of the API, to read or to change. A scope narrows what the
/// client's role allows and never widens it; people are not limited by scopes.
/// </summary>
internal static class Scope
{
    public const string Organization = "organization";
    public const string Roster = "roster";
    public const string Activities = "activities";
    public const string Attendance = "attendance";
    public const string Hours = "hours";
    public const string Recognition = "recognition";
    public const string Reports = "reports";
    public const string Certificates = "certificates";
    public const string Jobs = "jobs";

    /// <summary>Every scope a client can have, in reading order, and what it opens. An organization is changed by people only.</summary>
    public static readonly IReadOnlyDictionary<string, string> All = new OrderedDictionary<string, string>
    {
        ["organization.read"] = "Read the organization, its settings and calendar days, and what the client itself is.",
        ["roster.read"] = "Read teams and volunteers.",
        ["roster.write"] = "Change teams and volunteers, import rosters, answer applications, invite.",
        ["activities.read"] = "Read projects, activities, series, shifts and sign-ups.",
        ["activities.write"] = "Change projects, activities, series, shifts and sign-ups; make calendar feeds.",
        ["attendance.read"] = "Read check-ins and check-outs, and show the check-in code.",
        ["attendance.write"] = "Check volunteers in and out.",
        ["hours.read"] = "Read and export service records, disputes, the ledger, volunteers' totals and reconciliations.",
        ["hours.write"] = "Record and review service, answer disputes, reconcile with another system.",
        ["recognition.read"] = "Read stars, awards, trainings and ratings.",
        ["recognition.write"] = "Record trainings and ratings, propose and confirm awards.",
        ["reports.read"] = "Draw reports.",
        ["reports.write"] = "Issue reports.",
        ["certificates.read"] = "Read and draw certificates.",
        ["certificates.write"] = "Issue and revoke certificates.",
        ["jobs.read"] = "Follow imports and exports, and fetch their files, with the scope to read what is in them.",
        ["jobs.write"] = "Ask for imports and exports and cancel them, with the scope to change or to read what is in them.",
    };

    /// <summary>Clients may use these routes: those that read (GET) with the area's scope to read, the others with that to write.</summary>
    public static TBuilder Scoped<TBuilder>(this TBuilder builder, string area) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ClientArea(area));

    /// <summary>No client may use these routes, whatever its role and scopes.</summary>
    public static TBuilder NotForClients<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ClientArea(null));

    /// <summary>The scope that a client needs here; null where no client may, which is also so where nothing is stated.</summary>
    public static string? Of(IReadOnlyList<object> metadata, string method) => metadata.OfType<ClientArea>().LastOrDefault()?.Name is { } area
        ? area + (HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? ".read" : ".write")
        : null;

    public static string? Of(HttpContext http) => http.GetEndpoint() is { } endpoint ? Of(endpoint.Metadata, http.Request.Method) : null;
}

internal sealed record ClientArea(string? Name);
