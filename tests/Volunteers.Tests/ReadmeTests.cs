using System.Diagnostics;
using System.Runtime.CompilerServices;
using Volunteers.Tests.Data;
using Xunit;

namespace Volunteers.Tests;

public sealed class ReadmeTests : IDisposable
{
    private readonly string folder = ServiceProcess.NewDataFolder();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_tour_prints_what_the_README_says()
    {
        Assert.SkipWhen(!File.Exists("/usr/bin/curl") || !File.Exists("/bin/bash"), "The tour is for curl and bash.");
        var readme = await File.ReadAllTextAsync(Path.Combine(Root(), "README.md"), TestContext.Current.CancellationToken);
        var tour = Between(readme, "```bash\n", "```");
        var expected = Between(readme[readme.IndexOf("The last lines it prints", StringComparison.Ordinal)..], "```\n", "```");
        await using var service = await ServiceProcess.Serve(folder);

        var printed = await Bash(tour
            .Replace("http://localhost:5080", service.Address, StringComparison.Ordinal)
            .Replace("cat ~/.local", $"cat {folder}/admin-password ~/.local", StringComparison.Ordinal));

        var report = expected[..expected.LastIndexOf("{\"valid\"", StringComparison.Ordinal)];
        Assert.Contains(report, printed.Replace("\r\n", "\n", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("{\"valid\":true,\"position\":131,", printed, StringComparison.Ordinal);
    }

    private static string Between(string text, string from, string to)
    {
        var start = text.IndexOf(from, StringComparison.Ordinal) + from.Length;
        return text[start..text.IndexOf(to, start, StringComparison.Ordinal)];
    }

    private static async Task<string> Bash(string script)
    {
        using var bash = Process.Start(new ProcessStartInfo("/bin/bash") { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await bash.StandardInput.WriteAsync(script);
        bash.StandardInput.Close();
        var printed = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        return printed;
    }

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
