using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Volunteers.Platform.OpenApi;

/// <summary>
/// What every operation has by the conventions of this API, said for each: who calls it, headers, limits, errors, examples. A new
/// endpoint gives its name (<c>WithName</c>), tag, policy and scope, codes that are not its handler's (<see cref="Refusals"/>), comments on the handler
/// (the first sentence is the summary) and on the parameters of its records, and an example for each schema in <c>Examples.json</c>; the rest is here.
/// </summary>
internal sealed class OperationTransformer(Limits limits, HandlerCodes handlers) : IOpenApiOperationTransformer
{
    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var api = context.Description;
        var metadata = api.ActionDescriptor.EndpointMetadata;
        var document = context.Document!;
        var handler = metadata.OfType<MethodInfo>().Last();
        if (HandlerDocs.Of(handler) is var (summary, description)) (operation.Summary, operation.Description) = (summary, description);

        var policy = metadata.OfType<IAllowAnonymous>().Any() ? null : metadata.OfType<IAuthorizeData>().LastOrDefault()?.Policy;
        DescribeCallers(operation, policy, Scope.Of([.. metadata], api.HttpMethod!), document);
        DescribeParameters(operation, api, handler);
        AddOrganization(operation, api);
        DescribeHeaders(operation, api, document);
        OptionalBody(operation);
        PatchSchema(operation, api, document);
        DescribeErrors(operation, api, policy is null, document);
        Examples.AddTo(operation);
        return Task.CompletedTask;
    }

    /// <summary>A person's token, or a client's with the scope of this operation (or with all its scopes, which is what api means to it).</summary>
    private static void DescribeCallers(OpenApiOperation operation, string? policy, string? scope, OpenApiDocument document)
    {
        OpenApiSecurityRequirement With(string scope) => new() { [new OpenApiSecuritySchemeReference(DocumentTransformer.SecurityScheme, document)] = [scope] };
        operation.Security = policy is null ? [] : scope is null ? [With(DocumentTransformer.ApiScope)] : [With(DocumentTransformer.ApiScope), With(scope)];

        var callers = policy is null ? "anybody, without a token."
            : Access.Callers[policy] + (scope is null ? "; no client." : $"; clients of such a role with the scope `{scope}`.");
        operation.Description = $"{operation.Description}{(operation.Description is null ? "" : "\n\n")}**Who may call it:** {callers}";
    }

    private void DescribeParameters(OpenApiOperation operation, ApiDescription api, MethodInfo handler)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            var source = api.ParameterDescriptions.First(p => p.Name == parameter.Name);
            parameter.Name = JsonNamingPolicy.CamelCase.ConvertName(parameter.Name!);
            parameter.Description ??= HandlerDocs.OfParameter(handler, parameter.Name);
            parameter.Description ??= parameter.In == ParameterLocation.Path ? $"The {Words(parameter.Name)}." : null;
            if (parameter.Schema is OpenApiSchema schema)
            {
                schema.Type ??= JsonSchemaType.String;
                if (schema.Type?.HasFlag(JsonSchemaType.Null) == true) schema.Type &= ~JsonSchemaType.Null;
                if (source.ModelMetadata is { ContainerType: { } filter, PropertyName: { } property }) limits.Apply(schema, filter, property);
                // Route constraints are written for .NET.
                schema.Pattern = schema.Pattern?.Replace("(?-i)", "", StringComparison.Ordinal).Replace(@"\z", @"$(?!\n)", StringComparison.Ordinal);
                Limits.ApplyToTaken(schema);
            }
            // The words of an enum are their own examples.
            if (parameter.Schema is OpenApiSchema { Enum: null or [] } described) parameter.Example ??= Examples.OfParameter(parameter.Name, described.Format);
        }
    }

    /// <summary>Handlers take the organization as a tenant, so the framework does not see it among their parameters.</summary>
    private static void AddOrganization(OpenApiOperation operation, ApiDescription api)
    {
        operation.Parameters ??= [];
        if (api.RelativePath!.Contains("{organizationId", StringComparison.Ordinal) && operation.Parameters.All(parameter => parameter.Name != "organizationId"))
            operation.Parameters.Insert(0, new OpenApiParameter
            {
                Name = "organizationId", In = ParameterLocation.Path, Required = true, Description = "The organization's id.", Example = Examples.OfParameter("organizationId"),
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid", MaxLength = 36 },
            });
    }

    private static void DescribeHeaders(OpenApiOperation operation, ApiDescription api, OpenApiDocument document)
    {
        var method = api.HttpMethod!;
        var responses = operation.Responses!;
        var result = api.SupportedResponseTypes.FirstOrDefault(type => type.StatusCode is 200 or 201)?.Type;
        var versioned = result?.IsAssignableTo(typeof(IVersioned)) == true || api.ActionDescriptor.EndpointMetadata.OfType<IProducesResponseTypeMetadata>().Any(type => type.StatusCode == StatusCodes.Status304NotModified);

        if (HttpMethods.IsPost(method))
            operation.Parameters!.Add(HeaderParameter(IdempotencyKey.Header,
                "Chosen by the client, 1 to 255 printable ASCII characters: a repeat with the same key, within 72 hours, gets the first answer and changes nothing.",
                new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 255, Pattern = "^[ -~]*$" }));
        if (HttpMethods.IsPatch(method))
            operation.Parameters!.Add(HeaderParameter("If-Match", "The ETag of the version that the change was made against.", ETags(), required: true));
        if (HttpMethods.IsGet(method) && versioned)
        {
            operation.Parameters!.Add(HeaderParameter("If-None-Match", "An ETag that the client has: 304 when it is still the version.", ETags()));
            responses["304"] = new OpenApiResponse { Description = "The version that the client has is current.", Headers = Headers(document, Header.ETag) };
        }

        foreach (var response in responses.Where(response => response.Key[0] == '2').Select(response => response.Value).OfType<OpenApiResponse>())
        {
            // What is answered says best itself what it is.
            if ((response.Content?.Values.FirstOrDefault()?.Schema as OpenApiSchemaReference)?.Target?.Description is { } description) response.Description = description;
            response.Headers = Headers(document,
            [
                .. versioned ? [Header.ETag] : Array.Empty<string>(),
                .. responses.ContainsKey("201") ? [Header.Location] : Array.Empty<string>(),
                .. HttpMethods.IsPost(method) ? [Header.Replayed] : Array.Empty<string>(),
                .. result is { IsGenericType: true } && result.GetGenericTypeDefinition() == typeof(Page<>) ? [Header.Link] : Array.Empty<string>(),
            ]);
        }
    }

    /// <summary>Those that every answer has, and these.</summary>
    internal static Dictionary<string, IOpenApiHeader> Headers(OpenApiDocument document, params string[] own) =>
        own.Concat(Header.OfEvery).ToDictionary(name => name, name => (IOpenApiHeader)new OpenApiHeaderReference(name, document));

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

    private void DescribeErrors(OpenApiOperation operation, ApiDescription api, bool anonymous, OpenApiDocument document)
    {
        var statuses = new SortedDictionary<int, SortedSet<string>>();
        SortedSet<string> Codes(int status) => statuses.TryGetValue(status, out var codes) ? codes : statuses[status] = new(StringComparer.Ordinal);

        foreach (var refusal in api.ActionDescriptor.EndpointMetadata.OfType<RefusesWith>()) Codes(refusal.Status).UnionWith(refusal.Codes);
        foreach (var (status, codes) in handlers.Of(operation.OperationId!)) Codes(status).UnionWith(codes.Except(DocumentTransformer.Errors[status].Codes));
        foreach (var request in api.ParameterDescriptions.SelectMany(parameter => new[] { parameter.Type, parameter.ModelMetadata?.ContainerType }).OfType<Type>().Distinct())
            Codes(400).UnionWith(limits.CodesOf(request));
        foreach (var status in operation.Responses!.Keys.Select(int.Parse).Where(DocumentTransformer.Errors.ContainsKey)) Codes(status);
        foreach (var status in new[] { 400, 429, 500, 503 }) Codes(status);
        if (!anonymous) (_, _) = (Codes(401), Codes(403));
        if (api.RelativePath!.Contains("{organizationId", StringComparison.Ordinal)) Codes(404);
        if (operation.RequestBody is not null) (_, _) = (Codes(413), Codes(415));
        if (HttpMethods.IsPost(api.HttpMethod!)) (_, _) = (Codes(410), Codes(422));
        if (HttpMethods.IsPatch(api.HttpMethod!)) (_, _, _) = (Codes(412), Codes(415), Codes(428));

        foreach (var (status, own) in statuses)
            operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = own.Count == 0 && DocumentTransformer.Errors[status].Codes.Length > 0
                ? new OpenApiResponseReference(DocumentTransformer.Errors[status].Name, document)
                // What is not sent twice has no answer that was kept.
                : DocumentTransformer.Refusal(status, own, document, ownOnly: status == StatusCodes.Status410Gone && !HttpMethods.IsPost(api.HttpMethod!));

        foreach (var more in api.ActionDescriptor.EndpointMetadata.OfType<ProblemMembers>())
            if (operation.Responses[more.Status.ToString(CultureInfo.InvariantCulture)] is OpenApiResponse { Content: { } content })
                content[Problems.ContentType].Schema = DocumentTransformer.ProblemWith(SchemaTransformer.NameOf(more.Answer.Name), more.Members, document);

        var inOrder = operation.Responses.OrderBy(response => response.Key, StringComparer.Ordinal).ToArray();
        operation.Responses = [];
        foreach (var (status, response) in inOrder) operation.Responses[status] = response;
    }

    private static OpenApiSchema ETags() => new() { Type = JsonSchemaType.String, MaxLength = 200, Pattern = "^[ -~]*$" };

    private static OpenApiParameter HeaderParameter(string name, string description, OpenApiSchema schema, bool required = false) => new()
    {
        Name = name, In = ParameterLocation.Header, Description = description, Required = required, Schema = schema, Example = Examples.OfParameter(name),
    };

    /// <summary><c>teamId</c> reads "team's id".</summary>
    private static string Words(string name) => name.EndsWith("Id", StringComparison.Ordinal)
        ? string.Concat(name[..^2].Select(c => char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{c}")) + "'s id"
        : name;
}
