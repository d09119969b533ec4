namespace Volunteers.Platform;

/// <summary>
/// The framework builds the endpoints of a group anew for each part that asks: the matcher, the policies, the OpenAPI
/// document. With some hundred routes that is a good part of the time to start; what is built once here serves them all.
/// </summary>
internal static class BuiltEndpoints
{
    /// <summary>After the last route is mapped.</summary>
    public static void BuildEndpointsOnce(this IEndpointRouteBuilder app)
    {
        using var mapped = new CompositeEndpointDataSource(app.DataSources.ToArray());
        var built = new DefaultEndpointDataSource(mapped.Endpoints);
        app.DataSources.Clear();
        app.DataSources.Add(built);
    }
}
