using System.Diagnostics;
using FluentValidation;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace Volunteers.Platform;

/// <summary>Every 4xx and 5xx as RFC 9457 problem+json with a stable code, whoever noticed the error.</summary>
internal static class Problems
{
    public const string ContentType = "application/problem+json";

    public static void AddProblems(this IServiceCollection services)
    {
        services.AddExceptionHandler<ExceptionAnswers>();
        // Without this a malformed body is an exception in Development and a bare 400 elsewhere.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }

    public static void UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(_ => { });
        app.UseStatusCodePages(context => Write(context.HttpContext, CodeOf(context.HttpContext.Response.StatusCode)));
    }

    public static Task Write(HttpContext http, string code, params object[] arguments) =>
        Write(http, Of(http.Response.StatusCode, code, arguments));

    public static Task Write(HttpContext http, int status, string code, params object[] arguments) =>
        Write(http, Of(status, code, arguments));

    public static async Task Write(HttpContext http, ProblemDetails problem)
    {
        problem.Extensions["traceId"] = Activity.Current?.Id ?? http.TraceIdentifier;
        http.Response.StatusCode = problem.Status!.Value;
        if (HttpMethods.IsHead(http.Request.Method)) return;
        // Told also where the time limit has cancelled everything else of this request.
        await http.Response.WriteAsJsonAsync(problem, options: null, ContentType, CancellationToken.None);
    }

    public static ProblemDetails Of(int status, string code, params object[] arguments) => new()
    {
        Type = $"urn:volunteers:problem:{code}",
        Title = Messages.Title(code),
        Status = status,
        Detail = Messages.Detail(code, arguments),
        Extensions = { ["code"] = code },
    };

    public static ProblemDetails Of(RuleBreach breach)
    {
        var problem = Of(breach.Status, breach.Code, breach.Arguments);
        if (breach.Pointer is { } pointer)
            problem.Extensions["errors"] = new Dictionary<string, string[]> { [pointer] = [problem.Detail!] };
        if (breach is BatchRefused batch)
            problem.Extensions["refusals"] = batch.Refusals;
        return problem;
    }

    public static ProblemDetails Of(ValidationException invalid)
    {
        // A rule that has a code of its own says it, where nothing else is wrong.
        var code = invalid.Errors.Select(error => error.ErrorCode).Distinct().ToArray() is [{ } only] && Messages.Has(only) ? only : "invalid_request";
        var problem = Of(StatusCodes.Status400BadRequest, code);
        problem.Extensions["errors"] = invalid.Errors
            .GroupBy(error => JsonPointer.FromPropertyPath(error.PropertyName))
            .ToDictionary(group => group.Key, group => group.Select(error => error.ErrorMessage).Distinct().ToArray());
        return problem;
    }

    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "malformed_request",
        StatusCodes.Status401Unauthorized => "not_signed_in",
        StatusCodes.Status403Forbidden => "forbidden",
        StatusCodes.Status404NotFound => "not_found",
        StatusCodes.Status405MethodNotAllowed => "method_not_allowed",
        StatusCodes.Status406NotAcceptable => "not_acceptable",
        StatusCodes.Status413PayloadTooLarge => "body_too_large",
        StatusCodes.Status415UnsupportedMediaType => "unsupported_media_type",
        StatusCodes.Status503ServiceUnavailable => "unavailable",
        >= 500 => "internal_error",
        _ => "refused",
    };

    /// <summary>The one place where exceptions become answers.</summary>
    private sealed class ExceptionAnswers(ILogger<ExceptionAnswers> log) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken ct)
        {
            if (exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested)
            {
                http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                return true;
            }

            var problem = exception switch
            {
                RuleBreach breach => Of(breach),
                ValidationException invalid => Of(invalid),
                BadHttpRequestException bad => BadRequests.Of(bad),
                _ => DatabaseErrors.Of(exception, HttpMethods.IsDelete(http.Request.Method)),
            };

            if (problem is null)
            {
                log.LogError(exception, "Unhandled error at {Method} {Route} in {TraceId}", http.Request.Method, http.GetEndpoint()?.DisplayName, Activity.Current?.TraceId.ToHexString());
                problem = Of(StatusCodes.Status500InternalServerError, "internal_error");
            }
            if (exception is RuleBreach { RetryAfter: { } wait }) RateLimiting.AskToWait(http, wait);
            if (problem.Status == StatusCodes.Status503ServiceUnavailable) http.Response.Headers.RetryAfter = "2";

            await Write(http, problem);
            return true;
        }
    }
}
