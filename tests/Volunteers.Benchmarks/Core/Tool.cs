using System.ComponentModel;
using System.Diagnostics;

namespace Volunteers.Benchmarks.Core;

/// <summary>Programs of the machine that are run to their end.</summary>
internal static class Tool
{
    /// <summary>Where each program that a benchmark needs comes from.</summary>
    public static void RefuseIfMissing(Postgres postgres)
    {
        List<string> missing = [];
        if (!IsThere("wrk", "--version")) missing.Add("wrk (Debian and Ubuntu: apt-get install wrk; macOS: brew install wrk)");
        foreach (var program in new[] { "pgbench", "psql" })
            if (!File.Exists(Path.Combine(postgres.Binaries, program)))
                missing.Add($"{program} beside the postgres in {postgres.Binaries} (Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17)");
        if (missing.Count > 0) throw new BenchmarkRefused($"To be installed first: {string.Join("; ", missing)}.");
    }

    /// <returns>What it wrote.</returns>
    public static async Task<string> Run(string program, IEnumerable<string> arguments, Dictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "" };
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        var said = await errors + await output;
        return process.ExitCode == 0 ? said : throw new BenchmarkRefused($"{Path.GetFileName(program)} failed:\n{said[..Math.Min(1500, said.Length)]}");
    }

    private static bool IsThere(string program, string argument)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.WaitForExit();
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
