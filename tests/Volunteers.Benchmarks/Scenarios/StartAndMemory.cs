using System.Globalization;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>How soon the process serves, and how much it holds: at rest, and after everything that was measured before.</summary>
internal static class StartAndMemory
{
    private static readonly TimeSpan AtRest = TimeSpan.FromSeconds(10);

    public static async Task Start(Bench bench)
    {
        var (token, path) = (await bench.Service.Token(), $"/v1/organizations/{City.Organization(City.Large)}/volunteers/{City.Volunteer(City.Large, 1)}");
        var seconds = new List<double>();
        for (var round = 0; round <= bench.Options.Rounds; round++) seconds.Add((await bench.Restart(path, token)).TotalSeconds);
        bench.Table.Add("start: process to first 200 on a read", string.Create(CultureInfo.InvariantCulture, $"{Line.Median(seconds):0.00} s ({seconds.Min():0.00}–{seconds.Max():0.00})"), "≤ 0.9 s");
    }

    public static async Task Memory(Bench bench)
    {
        var after = bench.Service.Process.MemoryMiB;
        await bench.Restart();
        await Task.Delay(AtRest);
        bench.Table.Add("memory after the scenarios before this one", string.Create(CultureInfo.InvariantCulture, $"{after:0} MiB"), "≤ 300 MiB");
        bench.Table.Add("memory idle", string.Create(CultureInfo.InvariantCulture, $"{bench.Service.Process.MemoryMiB:0} MiB"), "≤ 120 MiB");
    }
}
