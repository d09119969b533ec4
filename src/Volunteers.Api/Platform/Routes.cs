using System.Diagnostics.CodeAnalysis;

namespace Volunteers.Platform;

/// <summary>
/// The framework's <c>MapGet</c> and its like, but a handler and its filters are compiled when the first request asks for
/// them and not at the start: a third of the time to start, for hundreds of handlers of which the first request needs one.
/// On a group they are nearer than the framework's own, which are for whatever has routes.
/// </summary>
internal static class Routes
{
    public static RouteHandlerBuilder MapGet(this RouteGroupBuilder routes, [StringSyntax("Route")] string pattern, Delegate handler) => routes.Map(HttpMethods.Get, pattern, handler);

    public static RouteHandlerBuilder MapPost(this RouteGroupBuilder routes, [StringSyntax("Route")] string pattern, Delegate handler) => routes.Map(HttpMethods.Post, pattern, handler);

    public static RouteHandlerBuilder MapPut(this RouteGroupBuilder routes, [StringSyntax("Route")] string pattern, Delegate handler) => routes.Map(HttpMethods.Put, pattern, handler);

    public static RouteHandlerBuilder MapPatch(this RouteGroupBuilder routes, [StringSyntax("Route")] string pattern, Delegate handler) => routes.Map(HttpMethods.Patch, pattern, handler);

    public static RouteHandlerBuilder MapDelete(this RouteGroupBuilder routes, [StringSyntax("Route")] string pattern, Delegate handler) => routes.Map(HttpMethods.Delete, pattern, handler);

    private static RouteHandlerBuilder Map(this RouteGroupBuilder routes, string method, string pattern, Delegate handler) =>
        RouteHandlerServices.Map(routes, pattern, handler, [method], RequestDelegateFactory.InferMetadata, CompiledWhenAsked, handler.Method);

    private static RequestDelegateResult CompiledWhenAsked(Delegate handler, RequestDelegateFactoryOptions options, RequestDelegateMetadataResult? metadata)
    {
        var compiled = new Lazy<RequestDelegate>(() => RequestDelegateFactory.Create(handler, options, metadata).RequestDelegate);
        return new RequestDelegateResult(http => compiled.Value(http), metadata!.EndpointMetadata);
    }
}
