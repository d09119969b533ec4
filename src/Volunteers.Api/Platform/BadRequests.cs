using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;

namespace Volunteers.Platform;

/// <summary>What the framework could not read: broken JSON, wrong types, unknown members, a body that is too large.</summary>
internal static partial class BadRequests
{
    public static ProblemDetails Of(BadHttpRequestException bad) => (bad.StatusCode, bad.InnerException) switch
    {
        (StatusCodes.Status413PayloadTooLarge, _) => Problems.Of(StatusCodes.Status413PayloadTooLarge, "body_too_large"),
        (StatusCodes.Status415UnsupportedMediaType, _) => Problems.Of(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type"),
        (_, JsonException json) => Of(json),
        (var status, _) when BoundParameter().Match(bad.Message) is { Success: true } match =>
            At(Problems.Of(status, "malformed_request"), "/" + JsonNamingPolicy.CamelCase.ConvertName(match.Groups["name"].Value)),
        (var status, _) => Problems.Of(status, "malformed_request"),
    };

    public static ProblemDetails Of(JsonException json) =>
        At(Problems.Of(StatusCodes.Status400BadRequest, "malformed_json"), JsonPointer.FromJsonPath(json.Path));

    private static ProblemDetails At(ProblemDetails problem, string pointer)
    {
        problem.Extensions["errors"] = new Dictionary<string, string[]> { [pointer] = [problem.Detail!] };
        return problem;
    }

    /// <summary>The framework names the parameter only in its message: <c>Failed to bind parameter "int Limit" from "abc".</c></summary>
    [GeneratedRegex("parameter \"(\\S+ )*(?<name>\\w+)\"")]
    private static partial Regex BoundParameter();
}
