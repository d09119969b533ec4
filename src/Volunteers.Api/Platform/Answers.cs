using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Volunteers.Platform;

/// <summary>A representation that knows its version; the version is its ETag.</summary>
internal interface IVersioned
{
    /// <summary>Grows by one with every change; the ETag of the resource.</summary>
    long Version { get; }
}

/// <summary>The ETag that a change was prepared against. A PATCH without one is refused with 428.</summary>
internal sealed class IfMatch(IList<EntityTagHeaderValue> tags)
{
    /// <exception cref="RuleBreach">412: somebody else changed the resource meanwhile.</exception>
    public void Check(IVersioned current)
    {
        var tag = ETag.Of(current);
        if (!tags.Any(t => t == EntityTagHeaderValue.Any || t.Compare(tag, useStrongComparison: true)))
            throw RuleBreach.Precondition("stale_version", StatusCodes.Status412PreconditionFailed);
    }

    public static ValueTask<IfMatch?> BindAsync(HttpContext http)
    {
        var tags = http.Request.GetTypedHeaders().IfMatch;
        return tags.Count == 0
            ? throw RuleBreach.Precondition("if_match_required", StatusCodes.Status428PreconditionRequired)
            : ValueTask.FromResult<IfMatch?>(new IfMatch(tags));
    }
}

internal static class ETag
{
    public static EntityTagHeaderValue Of(IVersioned view) => new('"' + view.Version.ToString(CultureInfo.InvariantCulture) + '"');

    public static void Set(HttpContext http, IVersioned view) => http.Response.GetTypedHeaders().ETag = Of(view);
}

/// <summary>200 with an ETag, or 304 when the caller has this version already.</summary>
internal sealed class Found<T>(T view) : IResult, IValueHttpResult, IEndpointMetadataProvider where T : IVersioned
{
    public object Value => view;

    public Task ExecuteAsync(HttpContext http)
    {
        ETag.Set(http, view);
        if (HttpMethods.IsGet(http.Request.Method)
            && http.Request.GetTypedHeaders().IfNoneMatch.Any(tag => tag == EntityTagHeaderValue.Any || tag.Compare(ETag.Of(view), useStrongComparison: false)))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        return http.Response.WriteAsJsonAsync(view, http.RequestAborted);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(T), ["application/json"]));
}

/// <summary>201 with Location, ETag and the representation.</summary>
internal sealed class Created<T>(string path, T view) : IResult, IEndpointMetadataProvider where T : IVersioned
{
    public Task ExecuteAsync(HttpContext http)
    {
        ETag.Set(http, view);
        http.Response.Headers.Location = path;
        http.Response.StatusCode = StatusCodes.Status201Created;
        return http.Response.WriteAsJsonAsync(view, http.RequestAborted);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status201Created, typeof(T), ["application/json"]));
}

internal static class Answer
{
    public static Found<T> Found<T>(T view) where T : IVersioned => new(view);

    public static Created<T> Created<T>(string path, T view) where T : IVersioned => new(path, view);
}
