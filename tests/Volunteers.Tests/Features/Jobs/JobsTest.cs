using System.Text;
using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Jobs;

/// <summary>Steps with jobs, asked for and followed as a client does.</summary>
internal static class JobSteps
{
    public const string Lines = "application/x-ndjson";

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static string TypeOf(string format) => format switch { "xlsx" => Rosters.XlsxType, "ndjson" => Lines, _ => "text/csv" };

    /// <summary>Asks for an import, and waits until it is over.</summary>
    public static Task<Answer> ImportJob(this Api api, string resource, string file, bool dryRun = false) =>
        api.ImportJob(resource, Encoding.UTF8.GetBytes(file), file.TrimStart().StartsWith('{') ? Lines : "text/csv", dryRun);

    public static async Task<Answer> ImportJob(this Api api, string resource, byte[] file, string type, bool dryRun = false) =>
        await api.Over((await api.AskForImport(resource, file, type, dryRun)).ShouldBe(201).Id);

    public static Task<Answer> AskForImport(this Api api, string resource, byte[] file, string type, bool dryRun = false) =>
        api.Post($"/jobs/imports?resource={resource}{(dryRun ? "&dryRun=true" : "")}", Rosters.Content(file, type));

    public static async Task<Answer> ExportJob(this Api api, string resource, string format, string language = "zh-CN", object? body = null) =>
        await api.Over((await api.Post("/jobs/exports", body ?? new { resource, format }, ("Accept-Language", language))).ShouldBe(201).Id);

    /// <summary>Exports, and fetches the file.</summary>
    public static async Task<byte[]> Exported(this Api api, string resource, string format, string language = "zh-CN")
    {
        var job = await api.ExportJob(resource, format, language);
        Assert.True((string?)job["state"] == "succeeded", job.Text);
        return await api.ResultFile(job.Id);
    }

    public static async Task<byte[]> ResultFile(this Api api, string jobId, string language = "en")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, api.PathTo($"/jobs/{jobId}/result"));
        request.Headers.Add("Accept-Language", language);
        using var response = await api.Http.SendAsync(request, Ct);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Ct));
        return await response.Content.ReadAsByteArrayAsync(Ct);
    }

    /// <summary>The job as it is when it is over.</summary>
    public static async Task<Answer> Over(this Api api, string jobId)
    {
        for (var deadline = DateTime.UtcNow.AddMinutes(10); ; await Task.Delay(50, Ct))
        {
            var job = (await api.Get($"/jobs/{jobId}")).ShouldBe(200);
            if ((string?)job["state"] is not ("queued" or "running")) return job;
            Assert.True(DateTime.UtcNow < deadline, $"It does not end: {job.Text}");
        }
    }

    public static (string State, int Created, int Updated, int Unchanged, int Refused) Outcome(this Answer job) =>
        ((string)job["state"]!, Count(job, "created"), Count(job, "updated"), Count(job, "unchanged"), Count(job, "refused"));

    public static int Count(this Answer job, string name) => (int)job["counts"]![name]!;

    public static JsonNode[] ReadLines(this byte[] file) =>
        [.. Encoding.UTF8.GetString(file).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
}
