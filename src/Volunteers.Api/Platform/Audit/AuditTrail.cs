using System.Reflection;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Volunteers.Platform.Audit;

/// <summary>
/// Every change leaves a trace, written in the very transaction that makes it; every look at personal data leaves one, written
/// before the answer is sent. A refusal that changed nothing leaves none, but for those of <see cref="AuditRefusals"/>.
/// </summary>
internal static class AuditTrail
{
    public static void AddAuditTrail(this IServiceCollection services)
    {
        services.AddHttpContextAccessor();
        services.AddOptions<AuditSettings>().BindConfiguration("Audit").Validate(settings => settings.KeepDays >= AuditSettings.LeastDays,
            $"Audit:KeepDays must be at least {AuditSettings.LeastDays}: the Cybersecurity Law asks for six months.").ValidateOnStart();
        services.AddScoped<AuditNotes>();
        services.AddSingleton<AuditWriter>();
        services.AddSingleton<AuditRefusals>();
        services.AddSingleton<AuditSealer>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditSealer>());
    }

    /// <summary>Stands within the transaction of a change, so it comes after <see cref="WriteTransaction.ChangesInOneTransaction"/>.</summary>
    public static TBuilder LeavesATrace<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new BeforeSending(Look)).AddEndpointFilter((context, next) => HttpMethods.IsGet(context.HttpContext.Request.Method) ? AroundLook(context, next) : AroundChange(context, next));

    /// <summary>This route shows what is known of people who may not be the caller.</summary>
    public static TBuilder ShowsPersonalData<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new PersonalDataShown(AuditKind.Look));

    /// <summary>This route gives it away as a file.</summary>
    public static TBuilder ExportsPersonalData<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new PersonalDataShown(AuditKind.Export));

    /// <summary>This route shows plans, sums or settings, or to somebody their own data: nobody else's.</summary>
    public static TBuilder ShowsNoPersonalData<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new PersonalDataShown(null));

    /// <summary>This change leaves no trace of its own: one is left by what it sets off, and none is if that is nothing.</summary>
    public static TBuilder LeavesNoTrace<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Traceless());

    private static async ValueTask<object?> AroundChange(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var metadata = context.HttpContext.GetEndpoint()!.Metadata;
        if (metadata.GetMetadata<OwnTransaction>() is not null || metadata.GetMetadata<Traceless>() is not null) return await next(context);

        var services = context.HttpContext.RequestServices;
        var notes = services.GetRequiredService<AuditNotes>();
        using (notes.Watch(services.GetRequiredService<DbContext>())) return new ChangeAnswer((IResult)(await next(context))!, notes);
    }

    private static async ValueTask<object?> AroundLook(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = (IResult)(await next(context))!;
        await Look(context.HttpContext, result);
        return result;
    }

    /// <summary>For who sends an answer before the end of the filters: the trace of it, if it shows people.</summary>
    private static async Task Look(HttpContext http, IResult result)
    {
        if (http.GetEndpoint()!.Metadata.GetMetadata<PersonalDataShown>() is not { Kind: { } kind }) return;

        var answer = result is INestedHttpResult nested ? nested.Result : result;
        // An answer that is not made yet says itself what it shows.
        if (answer is not (ILeavesItsTrace or AlreadySent)) await Look(http, kind, Shown.By(answer));
    }

    /// <summary>Returns when the trace is written; nothing may be sent before.</summary>
    public static Task Look(HttpContext http, AuditKind kind, Shown shown)
    {
        var organizationId = Guid.Parse((string)http.Request.RouteValues["organizationId"]!);
        var query = Queries.Of(http);
        var scene = AuditScene.Of(http, shown.AsFile ? AuditKind.Export : kind);
        var volunteers = shown.Volunteers.Concat(scene.VolunteerId is { } named ? [named] : []).Concat(Queries.VolunteerOf(http)).ToHashSet();
        if (shown.IsNothing || IsOneself(scene.Caller!, organizationId, volunteers, shown)) return Task.CompletedTask;
        return http.RequestServices.GetRequiredService<AuditWriter>().Write(AuditDraft.Of(scene, organizationId, new AuditDetails(Query: query, Rows: shown.Rows), volunteers));
    }

    /// <summary>Whoever sees nobody but themselves. What volunteers look up in vain was theirs as well.</summary>
    private static bool IsOneself(Caller caller, Guid organizationId, HashSet<Guid> volunteers, Shown shown)
    {
        var tenant = new Tenant(organizationId, caller);
        return tenant.VolunteerId is { } own && (volunteers.Count > 0 ? volunteers.SetEquals([own]) : shown.Rows == 0 && !tenant.ReadsAll && tenant.Teams.Length == 0);
    }

    /// <summary>The answer of a change, and the trace of it when it is a success.</summary>
    private sealed class ChangeAnswer(IResult answer, AuditNotes notes) : IResult
    {
        public async Task ExecuteAsync(HttpContext http)
        {
            await answer.ExecuteAsync(http);
            if (http.Response.StatusCode >= 400) return;

            var scene = AuditScene.Of(http, AuditKind.Change).On(http.Response.Headers.Location);
            await Write(http.RequestServices.GetRequiredService<DbContext>(), scene, OrganizationsOf(http, scene.Caller, notes), notes, Queries.Of(http), http.RequestAborted);
        }
    }

    /// <summary>What the service does by itself, within the transaction in which it does it; nothing when it did nothing.</summary>
    public static Task LeaveTrace(this DbContext db, AuditNotes notes, string operation, Guid organizationId, DateTimeOffset now, CancellationToken ct, Guid? actorId = null)
    {
        var scene = new AuditScene(now, AuditKind.Change, operation) { ActorId = actorId };
        return db.LeaveTrace(notes, scene, organizationId, ct);
    }

    /// <summary>The same, where the service does what somebody asked for before.</summary>
    public static Task LeaveTrace(this DbContext db, AuditNotes notes, AuditScene scene, Guid organizationId, CancellationToken ct) =>
        notes.Rows.Count + notes.Told.Count == 0 ? Task.CompletedTask : Write(db, scene, [organizationId], notes, query: null, ct);

    private static async Task Write(
        DbContext db, AuditScene scene, Guid[] organizations, AuditNotes notes, IReadOnlyDictionary<string, string>? query, CancellationToken ct)
    {
        foreach (var people in notes.Forgotten.GroupBy(row => row.OrganizationId))
            await AuditValue.Forget(db, people.Key ?? Guid.Empty, [.. people.Select(row => row.VolunteerId).OfType<Guid>()], ct);
        var drafts = organizations.SelectMany(id => AuditDraft.Of(scene, id, notes, new AuditDetails(Query: query))).ToList();
        await AuditSql.Insert((NpgsqlConnection)db.Database.GetDbConnection(), drafts, ct);
    }

    /// <summary>That of the route; above organizations those of what was changed, else those of the caller.</summary>
    private static Guid[] OrganizationsOf(HttpContext http, Caller? caller, AuditNotes notes)
    {
        if (http.Request.RouteValues.TryGetValue("organizationId", out var id)) return [Guid.Parse((string)id!)];

        Guid[] changed = [.. notes.Rows.Select(row => row.OrganizationId).OfType<Guid>().Distinct()];
        return changed.Length > 0 ? changed : AboveOrganizations(caller?.Grants.Select(grant => grant.OrganizationId) ?? []);
    }

    /// <summary>Where something is noted that concerns an account as such: wherever it has a role, or nowhere in particular.</summary>
    public static Guid[] AboveOrganizations(IEnumerable<Guid> organizations) => organizations.Distinct().Take(50).ToArray() is { Length: > 0 } some ? some : [Guid.Empty];
}

/// <summary>How long the trail is kept.</summary>
internal sealed class AuditSettings
{
    public const int LeastDays = 183;

    /// <summary>Older events go when <c>Volunteers.Api prune</c> is run.</summary>
    public int KeepDays { get; init; } = 1095;
}

/// <summary>What a GET shows of people; every one of them says it. Null: nothing.</summary>
internal sealed record PersonalDataShown(AuditKind? Kind);

/// <summary>See <see cref="AuditTrail.LeavesNoTrace"/>.</summary>
internal sealed record Traceless;

/// <summary>An answer that is read only while it is sent; it calls <see cref="AuditTrail.Look(HttpContext, AuditKind, Shown)"/> before its first byte.</summary>
internal interface ILeavesItsTrace;

/// <summary>An answer that knows how many rows it shows, and whether as a file.</summary>
internal interface IShowsRows
{
    long Rows { get; }

    bool AsFile { get; }
}

/// <summary>What an answer shows of people.</summary>
/// <param name="Rows">How many rows; null when it is one thing.</param>
/// <param name="Volunteers">Whom, where they are named one by one.</param>
/// <param name="AsFile">As a file.</param>
internal sealed record Shown(long? Rows, IReadOnlyCollection<Guid> Volunteers, bool AsFile = false)
{
    /// <summary>It was refused, or was not there.</summary>
    public bool IsNothing { get; private init; }

    public static Shown By(IResult answer) => answer switch
    {
        IStatusCodeHttpResult { StatusCode: >= 400 } => new Shown(null, []) { IsNothing = true },
        IShowsRows rows => new Shown(rows.Rows, [], rows.AsFile),
        IAboutVolunteer { VolunteerId: { } volunteer } => new Shown(null, [volunteer]),
        IValueHttpResult { Value: { } value } => By(value),
        _ => new Shown(null, []),
    };

    private static Shown By(object value)
    {
        if (value.GetType().GetProperty("Items")?.GetValue(value) is not IEnumerable<object> items) return new Shown(null, [.. Of(value)]);
        var shown = items.ToList();
        return new Shown(shown.Count, [.. shown.SelectMany(Of).Distinct()]);
    }

    private static IEnumerable<Guid> Of(object item) => AboutVolunteer.Of(item) is { } id ? [id] : [];
}

/// <summary>The parameters of a request, as the trail keeps them.</summary>
internal static class Queries
{
    private const int Longest = 200;

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<MethodInfo, HashSet<string>> Personal = new();

    /// <summary>Without the page; of one that may name a person only that it was given.</summary>
    public static Dictionary<string, string>? Of(HttpContext http)
    {
        // As it was sent: for the handler words are spelled as the members of their enum.
        var query = QueryHelpers.ParseQuery(http.Request.QueryString.Value).Where(parameter => parameter.Key is not ("cursor" or "limit"))
            .Select(parameter => (parameter.Key, Value: parameter.Value.ToString())).Where(parameter => parameter.Value.Length > 0).ToArray();
        if (query.Length == 0) return null;

        var personal = http.GetEndpoint()!.Metadata.OfType<MethodInfo>().LastOrDefault() is { } method ? Personal.GetOrAdd(method, PersonalOf) : [];
        return query.ToDictionary(parameter => parameter.Key, parameter => personal.Contains(parameter.Key) ? "***" : parameter.Value[..Math.Min(Longest, parameter.Value.Length)]);
    }

    /// <summary>Whom a filter names.</summary>
    public static IEnumerable<Guid> VolunteerOf(HttpContext http) => Guid.TryParse(http.Request.Query["volunteer"].ToString(), out var id) ? [id] : [];

    private static HashSet<string> PersonalOf(MethodInfo handler) => handler.GetParameters().SelectMany(parameter => parameter.ParameterType.GetProperties())
        .Where(property => property.IsDefined(typeof(PersonalAttribute))).Select(property => property.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
}
