using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>What has to be true however fast it went.</summary>
internal static class Checks
{
    /// <summary>By the service's own verification: dense, chained, and every sum right.</summary>
    public static async Task LedgerIsWhole(Bench bench, int organization)
    {
        var verified = await bench.Service.Get($"/v1/organizations/{City.Organization(organization)}/ledger/verification");
        if (!(bool)verified["valid"]!) throw new BenchmarkRefused($"The ledger is not whole: {verified}");
        bench.Table.Add($"ledger of organization {organization} after it", $"whole, {(long)verified["position"]!:N0} lines", "whole");
    }
}
