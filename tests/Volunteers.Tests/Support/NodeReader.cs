using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Volunteers.Tests.Support;

/// <summary>Readers that others wrote, in tests/Readers: they say whether what the service writes can be read elsewhere.</summary>
public static class NodeReader
{
    private static readonly string Folder = Path.GetFullPath(Path.Combine(Here(), "../../Readers"));
    private static readonly string Linters = Path.GetFullPath(Path.Combine(Here(), "../../Lint"));
    private static readonly SemaphoreSlim OneAtATime = new(1);

    /// <summary>Runs a script of tests/Readers with these settings; answers the JSON that it prints.</summary>
    public static Task<JsonNode> Run(string script, object settings) => Read(script, JsonSerializer.SerializeToUtf8Bytes(settings));

    /// <summary>Runs a script of tests/Readers on this input; answers the JSON that it prints.</summary>
    public static async Task<JsonNode> Read(string script, byte[] input)
    {
        await Install(Folder);
        var (exitCode, output, error) = await Run("node", [Path.Combine(Folder, script)], input);
        Assert.True(exitCode == 0, $"{script} could not read it: {error}\n{Encoding.UTF8.GetString(input)}");
        return JsonNode.Parse(output)!;
    }

    /// <summary>What the linters of tests/Lint say of these documents; nothing but how many problems there are, none, when all is well.</summary>
    public static async Task<(bool Clean, string Said)> Lint(params string[] files)
    {
        await Install(Linters);
        var (exitCode, output, error) = await Run("node", [Path.Combine(Linters, "lint.mjs"), .. files], []);
        return (exitCode == 0, output + error);
    }

    /// <summary>Starts a script of tests/Readers that goes on until its input ends.</summary>
    public static async Task<Process> Start(string script)
    {
        await Install(Folder);
        return Process.Start(new ProcessStartInfo("node", [Path.Combine(Folder, script)])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8,
        })!;
    }

    /// <summary>A Chromium of this machine, for the scripts that need one.</summary>
    public static string Chromium()
    {
        string[] places = [Environment.GetEnvironmentVariable("CHROMIUM") ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        var found = Array.Find(places, File.Exists);
        Assert.SkipWhen(found is null, "The pages are looked at with Chromium, which this machine does not have (apt install chromium, or CHROMIUM names it).");
        return found;
    }

    /// <summary>Once per checkout and list of packages: other tests of this run wait for the semaphore, other runs for the file.</summary>
    private static async Task Install(string folder)
    {
        Assert.SkipUnless(await IsThere("node") && await IsThere("npm"), "The independent readers need node and npm, which this machine does not have.");
        await OneAtATime.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await using var rivals = await LockFile(folder);
            var (wanted, installed) = (Path.Combine(folder, "package-lock.json"), Path.Combine(folder, "node_modules", ".package-lock.json"));
            if (File.Exists(installed) && File.GetLastWriteTimeUtc(installed) >= File.GetLastWriteTimeUtc(wanted)) return;
            var (exitCode, output, error) = await Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder], []);
            Assert.True(exitCode == 0, $"npm ci failed: {output}{error}");
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static async Task<FileStream> LockFile(string folder)
    {
        var path = Path.Combine(Path.GetTempPath(), $"volunteers-readers-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..16]}.lock");
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
        }
    }

    private static async Task<bool> IsThere(string program)
    {
        try
        {
            return (await Run(program, ["--version"], [])).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<(int ExitCode, string Output, string Error)> Run(string program, string[] arguments, byte[] input)
    {
        var ct = TestContext.Current.CancellationToken;
        // On Windows npm is a script that only the command interpreter starts.
        var start = OperatingSystem.IsWindows() ? new ProcessStartInfo("cmd", ["/c", program, .. arguments]) : new ProcessStartInfo(program, arguments);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardOutputEncoding = Encoding.UTF8;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        await process.StandardInput.BaseStream.WriteAsync(input, ct);
        process.StandardInput.Close();
        await process.WaitForExitAsync(ct);
        return (process.ExitCode, await output, await error);
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
