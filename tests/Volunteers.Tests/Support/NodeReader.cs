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
    private static readonly NodeFolder Readers = new("tests/Readers");

    /// <summary>Runs a script of tests/Readers with these settings; answers the JSON that it prints.</summary>
    public static Task<JsonNode> Run(string script, object settings) => Readers.Run(script, settings);

    /// <summary>Runs a script of tests/Readers on this input; answers the JSON that it prints.</summary>
    public static Task<JsonNode> Read(string script, byte[] input) => Readers.Read(script, input);

    /// <summary>Starts a script of tests/Readers that goes on until its input ends.</summary>
    public static Task<Process> Start(string script) => Readers.Start(script, []);

    /// <summary>A Chromium of this machine, for the scripts that need one.</summary>
    public static string Chromium()
    {
        string[] places = [Environment.GetEnvironmentVariable("CHROMIUM") ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        var found = Array.Find(places, File.Exists);
        Assert.SkipWhen(found is null, "The pages are looked at with Chromium, which this machine does not have (apt install chromium, or CHROMIUM names it).");
        return found;
    }

    /// <summary>A folder for the pictures that a script takes, beside the tests' own output or where PICTURES says.</summary>
    public static string Pictures(string of) =>
        Directory.CreateDirectory(Path.Combine(Environment.GetEnvironmentVariable("PICTURES") ?? Path.Combine(AppContext.BaseDirectory, "pictures"), of)).FullName;
}

/// <summary>A folder of this repository with scripts for node and the packages that they need.</summary>
public sealed class NodeFolder(string path)
{
    private static readonly SemaphoreSlim OneAtATime = new(1);

    public static string Repository { get; } = Path.GetFullPath(Path.Combine(Here(), "../../.."));

    public string Folder { get; } = Path.Combine(Repository, path);

    /// <summary>Runs a script with these settings as its input; answers the JSON that it prints.</summary>
    public Task<JsonNode> Run(string script, object settings) => Read(script, JsonSerializer.SerializeToUtf8Bytes(settings));

    /// <summary>Runs a script on this input; answers the JSON that it prints.</summary>
    public async Task<JsonNode> Read(string script, byte[] input)
    {
        await Install();
        var (exitCode, output, error) = await Run("node", [Path.Combine(Folder, script)], input);
        Assert.True(exitCode == 0, $"{script} could not read it: {error}\n{Encoding.UTF8.GetString(input)}");
        return JsonNode.Parse(output)!;
    }

    /// <summary>Starts a script that is talked with, or goes on until its input ends.</summary>
    public async Task<Process> Start(string script, string[] arguments, params (string Name, string Value)[] environment)
    {
        await Install();
        var start = new ProcessStartInfo("node", [Path.Combine(Folder, script), .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Runs a program of one of its packages; answers what it said, once it has done what it should.</summary>
    public async Task<string> Run(string program, params string[] arguments)
    {
        await Install();
        var (exitCode, output, error) = await Run("node", [Path.Combine(Folder, "node_modules", program), .. arguments], []);
        Assert.True(exitCode == 0, $"{program} failed: {output}{error}");
        return output;
    }

    /// <summary>Once per checkout and list of packages: other tests of this run wait for the semaphore, other runs for the file.</summary>
    private async Task Install()
    {
        Assert.SkipUnless(await IsThere("node") && await IsThere("npm"), "The independent readers and clients need node and npm, which this machine does not have.");
        await OneAtATime.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await using var rivals = await LockFile();
            var (wanted, installed) = (Path.Combine(Folder, "package-lock.json"), Path.Combine(Folder, "node_modules", ".package-lock.json"));
            if (File.Exists(installed) && File.GetLastWriteTimeUtc(installed) >= File.GetLastWriteTimeUtc(wanted)) return;
            var (exitCode, output, error) = await Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", Folder], []);
            Assert.True(exitCode == 0, $"npm ci failed: {output}{error}");
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private async Task<FileStream> LockFile()
    {
        var name = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Folder)))[..16];
        var file = Path.Combine(Path.GetTempPath(), $"volunteers-readers-{name}.lock");
        while (true)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
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
