using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>What every operation has by the conventions of this API, said for each: security, headers, errors, examples.</summary>
internal sealed class OperationTransformer(IServiceProvider services) : IOpenApiOperationTransformer
{
    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var api = context.Description;
        var metadata = api.ActionDescriptor.EndpointMetadata;
        var document = context.Document!;
        var handler = metadata.OfType<MethodInfo>().Last();
        if (HandlerDocs.Of(handler) is var (summary, description)) (operation.Summary, operation.Description) = (summary, description);

        var anonymous = metadata.OfType<IAllowAnonymous>().Any() || !metadata.OfType<IAuthorizeData>().Any();
        // A person's token, or a client's with the scope of this operation (or with all its scopes, which is what api means to it).
        OpenApiSecurityRequirement With(string scope) => new() { [new OpenApiSecuritySchemeReference(DocumentTransformer.SecurityScheme, document)] = [scope] };
        operation.Security = anonymous ? []
            : Scope.Of([.. metadata], api.HttpMethod!) is { } scope ? [With(DocumentTransformer.ApiScope), With(scope)]
            : [With(DocumentTransformer.ApiScope)];

        DescribeParameters(operation, api, handler);
        AddOrganization(operation, api);
        DescribeHeaders(operation, api);
        OptionalBody(operation);
        PatchSchema(operation, api, document);
        DescribeErrors(operation, api, anonymous, document);
        Examples.AddTo(operation, api);
        return Task.CompletedTask;
    }

    internal static OpenApiHeader Header(string description, JsonSchemaType type = JsonSchemaType.String) =>
        new() { Description = description, Schema = new OpenApiSchema { Type = type } };

    private void DescribeParameters(OpenApiOperation operation, ApiDescription api, MethodInfo handler)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            var source = api.ParameterDescriptions.First(p => p.Name == parameter.Name);
            parameter.Name = JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!);
            parameter.Description ??= HandlerDocs.OfParameter(handler, parameter.Name);
            parameter.Description ??= parameter.In == ParameterLocation.Path ? $"The {Words(parameter.Name)}." : null;
            if (parameter.Schema is not OpenApiSchema schema) continue;

            schema.Type ??= JsonSchemaType.String;
            if (schema.Type?.HasFlag(JsonSchemaType.Null) == true) schema.Type &= ~JsonSchemaType.Null;
            if (source.ModelMetadata is { ContainerType: { } filter, PropertyName: { } property } && Limits.Of(filter, services) is { } rules)
                foreach (var rule in rules.GetRulesForMember(property)) Limits.Apply(schema, rule);
        }
    }

    /// <summary>Handlers take the organization as a tenant, so the framework does not see it among their parameters.</summary>
    private static void AddOrganization(OpenApiOperation operation, ApiDescription api)
    {
        operation.Parameters ??= [];
        if (api.RelativePath!.Contains("{organizationId", StringComparison.Ordinal) && operation.Parameters.All(parameter => parameter.Name != "organizationId"))
            operation.Parameters.Insert(0, new OpenApiParameter
            {
                Name = "organizationId", In = ParameterLocation.Path, Required = true, Description = "The organization's id.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
            });
    }

    private static void DescribeHeaders(OpenApiOperation operation, ApiDescription api)
    {
        var method = api.HttpMethod!;
        var responses = operation.Responses!;
        var success = responses.Where(response => response.Key.StartsWith('2')).Select(response => response.Value).OfType<OpenApiResponse>().ToArray();
        var result = api.SupportedResponseTypes.FirstOrDefault(type => type.StatusCode is 200 or 201)?.Type;
        var versioned = result?.IsAssignableTo(typeof(IVersioned)) == true || api.SupportedResponseTypes.Any(type => type.StatusCode == StatusCodes.Status304NotModified);

        if (HttpMethods.IsPost(method))
            operation.Parameters!.Add(HeaderParameter(IdempotencyKey.Header, "Chosen by the client, 1 to 255 printable ASCII characters: a repeat with the same key, within 72 hours, gets the first answer and changes nothing."));
        if (HttpMethods.IsPatch(method))
            operation.Parameters!.Add(HeaderParameter("If-Match", "The ETag of the version that the change was made against.", required: true));
        if (HttpMethods.IsGet(method) && versioned)
        {
            operation.Parameters!.Add(HeaderParameter("If-None-Match", "An ETag that the client has: 304 when it is still the version."));
            responses["304"] = new OpenApiResponse { Description = "The version that the client has is current." };
        }

        foreach (var response in success)
        {
            response.Headers ??= new Dictionary<string, IOpenApiHeader>();
            if (versioned) response.Headers["ETag"] = Header("The version, for If-Match and If-None-Match.");
            if (responses.ContainsKey("201")) response.Headers["Location"] = Header("Where it is.");
            if (HttpMethods.IsPost(method)) response.Headers["Idempotency-Replayed"] = Header("`true` when this is the answer to an earlier request with the same key.");
            if (result is { IsGenericType: true } && result.GetGenericTypeDefinition() == typeof(Page<>))
                response.Headers["Link"] = Header("The next page, `rel=\"next\"`; absent on the last.");
        }
    }

    /// <summary>A body that may be left out is described as such, not as one that may be null.</summary>
    private static void OptionalBody(OpenApiOperation operation)
    {
        foreach (var content in operation.RequestBody?.Content?.Values ?? [])
            if (content.Schema?.OneOf?.OfType<OpenApiSchemaReference>().SingleOrDefault() is { } body) content.Schema = body;
    }

    /// <summary>In a merge patch nothing is required.</summary>
    private static void PatchSchema(OpenApiOperation operation, ApiDescription api, OpenApiDocument document)
    {
        if (!HttpMethods.IsPatch(api.HttpMethod!)) return;
        foreach (var content in operation.RequestBody!.Content!.Values)
        {
            if (content.Schema is not OpenApiSchemaReference reference || document.Components?.Schemas?[reference.Reference.Id!] is not OpenApiSchema whole) continue;
            var id = reference.Reference.Id!.Replace("Request", "Patch", StringComparison.Ordinal);
            if (!document.Components.Schemas.ContainsKey(id))
            {
                var patch = (OpenApiSchema)whole.CreateShallowCopy();
                (patch.Required, patch.Description) = (null, "What is to change: null removes, what is not named stays.");
                document.Components.Schemas[id] = patch;
            }
            content.Schema = new OpenApiSchemaReference(id, document);
        }
    }

    private static void DescribeErrors(OpenApiOperation operation, ApiDescription api, bool anonymous, OpenApiDocument document)
    {
        var statuses = new SortedSet<int>(api.ActionDescriptor.EndpointMetadata.OfType<RefusesWith>().SelectMany(refusals => refusals.Statuses)) { 400, 429, 503 };
        statuses.UnionWith(operation.Responses!.Keys.Select(int.Parse).Where(DocumentTransformer.Errors.ContainsKey));
        if (!anonymous) statuses.UnionWith([401, 403]);
        if (api.RelativePath!.Contains("{organizationId", StringComparison.Ordinal)) statuses.Add(404);
        if (operation.RequestBody is not null) statuses.UnionWith([413, 415]);
        if (HttpMethods.IsPost(api.HttpMethod!)) statuses.UnionWith([410, 422]);
        if (HttpMethods.IsPatch(api.HttpMethod!)) statuses.UnionWith([412, 428]);
        foreach (var status in statuses)
            operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponseReference(DocumentTransformer.Errors[status].Name, document);

        var inOrder = operation.Responses.OrderBy(response => response.Key, StringComparer.Ordinal).ToArray();
        operation.Responses = [];
        foreach (var (status, response) in inOrder) operation.Responses[status] = response;
    }

    private static OpenApiParameter HeaderParameter(string name, string description, bool required = false) => new()
    {
        Name = name, In = ParameterLocation.Header, Description = description, Required = required, Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    /// <summary><c>teamId</c> reads "team's id".</summary>
    private static string Words(string name) => name.EndsWith("Id", StringComparison.Ordinal)
        ? string.Concat(name[..^2].Select(c => char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{c}")) + "'s id"
        : name;
}
