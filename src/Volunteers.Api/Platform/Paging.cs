using System.Buffers.Text;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FluentValidation;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;

namespace Volunteers.Platform;

/// <summary>Which page of a list.</summary>
/// <param name="Limit">How many items at most, 1 to 200; 50 when not given.</param>
/// <param name="Cursor">The <c>next</c> of the page before. Opaque: take it as it came.</param>
internal sealed record PageQuery(int? Limit = null, string? Cursor = null)
{
    public const int Most = 200;

    public int Size => Limit ?? 50;

    internal sealed class Validator : AbstractValidator<PageQuery>
    {
        public Validator()
        {
            RuleFor(page => page.Limit).InclusiveBetween(1, Most);
            RuleFor(page => page.Cursor).MaximumLength(400);
        }
    }
}

/// <summary>One page of a list.</summary>
/// <param name="Items">The items, in the list's stable order.</param>
/// <param name="Next">Send it as <c>cursor</c> for the page that follows; null on the last page.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>A page, answered with a <c>Link</c> header to the one that follows.</summary>
internal sealed class Paged<T>(Page<T> page, string cursorParameter = "cursor") : IResult, IValueHttpResult, IEndpointMetadataProvider
{
    public object Value => page;

    public Task ExecuteAsync(HttpContext http)
    {
        if (page.Next is { } next) Cursors.Link(http, cursorParameter, next);
        return http.Response.WriteAsJsonAsync(page, http.RequestAborted);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Page<T>), ["application/json"]));
}

/// <summary>Where a page ended, as the text that asks for the one that follows.</summary>
internal static class Cursors
{
    public static string Write<TKey>(TKey key) => WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(key, Json.Options));

    /// <exception cref="RuleBreach">It is not one of ours.</exception>
    public static TKey Read<TKey>(string cursor)
    {
        try
        {
            return JsonSerializer.Deserialize<TKey>(Base64Url.DecodeFromChars(cursor), Json.Options) ?? throw new JsonException();
        }
        catch (Exception unreadable) when (unreadable is FormatException or JsonException)
        {
            throw RuleBreach.Malformed("invalid_cursor", "/cursor");
        }
    }

    /// <summary>Says where the page that follows is (RFC 8288).</summary>
    public static void Link(HttpContext http, string parameter, string next)
    {
        var query = QueryHelpers.ParseQuery(http.Request.QueryString.Value).Where(p => p.Key != parameter).Append(new(parameter, next));
        http.Response.Headers.Link = $"<{QueryHelpers.AddQueryString(PublicAddress.Of(http.Request) + http.Request.Path, query)}>; rel=\"next\"";
    }
}

/// <summary>Keyset paging: page 1,000 costs what page 1 costs, and a row added meanwhile moves nothing.</summary>
internal static class Paging
{
    public static Task<Paged<TView>> ToPage<T, TView>(
        this IQueryable<T> query, PageQuery page, Expression<Func<T, Guid>> key, Expression<Func<T, TView>> view, CancellationToken ct)
    {
        if (page.Cursor is not null)
            query = query.Where(Expression.Lambda<Func<T, bool>>(Expression.GreaterThan(key.Body, Captured(Cursors.Read<Guid>(page.Cursor))), key.Parameters));
        return Take(query.OrderBy(key), page, key, view, ct);
    }

    /// <summary>In the order of two keys, the second of which tells apart what the first does not.</summary>
    public static Task<Paged<TView>> ToPage<T, TFirst, TView>(
        this IQueryable<T> query, PageQuery page, Expression<Func<T, TFirst>> first, Expression<Func<T, Guid>> second,
        Expression<Func<T, TView>> view, CancellationToken ct)
    {
        var row = first.Parameters[0];
        var (firstBody, secondBody) = (first.Body, new Rebind(second.Parameters[0], row).Visit(second.Body));
        if (page.Cursor is not null)
        {
            var after = Cursors.Read<TwoKeys<TFirst>>(page.Cursor);
            query = query.Where(Expression.Lambda<Func<T, bool>>(
                Expression.Call(RowGreaterThan, Expression.Constant(EF.Functions),
                    Row<TFirst>(firstBody, secondBody), Row<TFirst>(Captured(after.First), Captured(after.Second))), row));
        }
        var keys = Expression.Lambda<Func<T, TwoKeys<TFirst>>>(
            Expression.New(typeof(TwoKeys<TFirst>).GetConstructors()[0], firstBody, secondBody), row);
        return Take(query.OrderBy(first).ThenBy(second), page, keys, view, ct);
    }

    private static async Task<Paged<TView>> Take<T, TKey, TView>(
        IQueryable<T> query, PageQuery page, Expression<Func<T, TKey>> key, Expression<Func<T, TView>> view, CancellationToken ct)
    {
        var row = key.Parameters[0];
        var keyed = Expression.Lambda<Func<T, Keyed<TKey, TView>>>(
            Expression.New(typeof(Keyed<TKey, TView>).GetConstructors()[0], key.Body, new Rebind(view.Parameters[0], row).Visit(view.Body)), row);
        var items = await query.Select(keyed).Take(page.Size + 1).ToListAsync(ct);
        if (items.Count <= page.Size) return new Paged<TView>(new Page<TView>([.. items.Select(item => item.View)], null));

        items.RemoveAt(page.Size);
        var next = Cursors.Write(items[^1].Key);
        return new Paged<TView>(new Page<TView>([.. items.Select(item => item.View)], next));
    }

    private sealed record Keyed<TKey, TView>(TKey Key, TView View);

    private sealed record TwoKeys<TFirst>(TFirst First, Guid Second);

    /// <summary>A row value comparison is what an index on both keys can serve in one descent.</summary>
    private static readonly MethodInfo RowGreaterThan = typeof(NpgsqlDbFunctionsExtensions).GetMethods()
        .Single(method => method.Name == nameof(NpgsqlDbFunctionsExtensions.GreaterThan));

    private static UnaryExpression Row<TFirst>(Expression first, Expression second) => Expression.Convert(
        Expression.Call(typeof(ValueTuple), nameof(ValueTuple.Create), [typeof(TFirst), typeof(Guid)], first, second), typeof(ITuple));

    /// <summary>As a captured variable, so that EF sends a parameter and keeps one plan.</summary>
    private static MemberExpression Captured<TValue>(TValue value) =>
        Expression.Field(Expression.Constant(new Box<TValue>(value)), nameof(Box<>.Value));

    private sealed class Box<TValue>(TValue value)
    {
        public readonly TValue Value = value;
    }

    private sealed class Rebind(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : base.VisitParameter(node);
    }
}
