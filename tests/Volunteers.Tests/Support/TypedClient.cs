using Xunit;

namespace Volunteers.Tests.Support;

/// <summary>
/// TypeScript that is compiled, as strictly as it can be, against types generated from the document of a running service: the example of a phone, and
/// the walk of tests/Client with the same packages.
/// </summary>
public static class TypedClient
{
    private static readonly NodeFolder Client = new("deploy/examples/mobile");
    private static readonly SemaphoreSlim OneAtATime = new(1);
    private static string? built;

    /// <summary>Starts a compiled script. What it asks for on its output is answered; answers all lines that it printed.</summary>
    /// <param name="service">Where the service listens.</param>
    /// <param name="script">Its name without an ending.</param>
    /// <param name="input">The first line that it reads; null for none.</param>
    /// <param name="answer">Is given each line that it prints; answers the line that it reads next, or null.</param>
    public static async Task<IReadOnlyList<string>> Run(Uri service, string script, string? input, Func<string, Task<string?>> answer)
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = await Build(service);
        using var process = await Client.Start(Path.Combine(folder, script + ".js"), [], ("VOLUNTEERS", service.AbsoluteUri));
        var error = process.StandardError.ReadToEndAsync(ct);
        try
        {
            if (input is not null) await process.StandardInput.WriteLineAsync(input.AsMemory(), ct);
            await process.StandardInput.FlushAsync(ct);
            var lines = new List<string>();
            while (await process.StandardOutput.ReadLineAsync(ct) is { } line)
            {
                lines.Add(line);
                if (await answer(line) is not { } reply) continue;
                await process.StandardInput.WriteLineAsync(reply.AsMemory(), ct);
                await process.StandardInput.FlushAsync(ct);
            }
            await process.WaitForExitAsync(ct);
            Assert.True(process.ExitCode == 0, $"{script} failed: {await error}\n{string.Join('\n', lines)}");
            return lines;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Once for all tests: every service of theirs has the same document.</summary>
    private static async Task<string> Build(Uri service)
    {
        await OneAtATime.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (built is not null) return built;
            var folder = Path.Combine(Client.Folder, "generated", $"{Environment.ProcessId}");
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
            Directory.CreateDirectory(folder);
            foreach (var source in Directory.GetFiles(Client.Folder, "*.ts").Append(Path.Combine(NodeFolder.Repository, "tests/Client/walk.ts")).Where(file => !file.EndsWith(".d.ts", StringComparison.Ordinal)))
                File.Copy(source, Path.Combine(folder, Path.GetFileName(source)));
            await File.WriteAllTextAsync(Path.Combine(folder, "tsconfig.json"), """{ "extends": "../../tsconfig.json", "include": ["*.ts"] }""", TestContext.Current.CancellationToken);
            await Client.Run("openapi-typescript/bin/cli.js", new Uri(service, "/openapi/v1.json").AbsoluteUri, "--default-non-nullable=false", "-o", Path.Combine(folder, "volunteers.d.ts"));
            await Client.Run("typescript/bin/tsc", "-p", folder);
            return built = folder;
        }
        finally
        {
            OneAtATime.Release();
        }
    }
}
