using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>The receiver of deploy/examples as a process of its own: it verifies with the library of the standard, and knows nothing of this service.</summary>
public sealed class ReceiverProcess : IAsyncDisposable
{
    private static readonly NodeFolder Example = new("deploy/examples/webhook-receiver");

    private readonly Process process;
    private readonly string folder;
    private readonly ConcurrentQueue<JsonNode> said = [];
    private readonly TaskCompletionSource<int> port = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ReceiverProcess(Process process, string folder) => (this.process, this.folder) = (process, folder);

    public string Url => $"http://127.0.0.1:{Port}/";

    public int Port => port.Task.Result;

    public string Folder => folder;

    public int Taken => said.Count(line => line["taken"] is not null);

    public int Repeated => said.Count(line => line["repeated"] is not null);

    public string[] Refused => [.. said.Select(line => (string?)line["refused"]).OfType<string>()];

    /// <summary>The messages that it kept, in the order in which they first came.</summary>
    public JsonNode[] Kept => [.. File.ReadAllLines(Path.Combine(folder, "messages.ndjson")).Select(line => JsonNode.Parse(line)!)];

    /// <param name="secret">What messages are signed with.</param>
    /// <param name="port">Where it listens; a free one unless said.</param>
    /// <param name="folder">What it kept before, if it ran before.</param>
    public static async Task<ReceiverProcess> Start(string secret, int port = 0, string? folder = null)
    {
        folder ??= Directory.CreateTempSubdirectory("volunteers-receiver-").FullName;
        var process = await Example.Start("receiver.mjs", [], ("WEBHOOK_SECRET", secret), ("PORT", $"{port}"), ("KEPT", Path.Combine(folder, "messages.ndjson")));
        var receiver = new ReceiverProcess(process, folder);
        receiver.process.OutputDataReceived += (_, line) => receiver.Read(line.Data);
        receiver.process.ErrorDataReceived += (_, line) => TestContext.Current.SendDiagnosticMessage("{0}", line.Data ?? "");
        receiver.process.BeginOutputReadLine();
        receiver.process.BeginErrorReadLine();
        await receiver.port.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>However long it takes, as long as something comes every five minutes.</summary>
    public async Task Until(Func<ReceiverProcess, bool> met)
    {
        var (came, quiet) = (0, Stopwatch.StartNew());
        for (; !met(this); await Task.Delay(3, TestContext.Current.CancellationToken))
        {
            if (came != Taken + Repeated + Refused.Length) quiet.Restart();
            came = Taken + Repeated + Refused.Length;
            Assert.True(quiet.Elapsed < TimeSpan.FromMinutes(5), $"{Taken} taken, {Repeated} repeated, {Refused.Length} refused.");
        }
    }

    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await Kill();
        process.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null) return;
        var node = JsonNode.Parse(line)!;
        if (node["port"] is { } listens) port.TrySetResult((int)listens);
        else said.Enqueue(node);
    }
}
