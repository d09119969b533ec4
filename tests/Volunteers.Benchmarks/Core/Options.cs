using System.Globalization;

namespace Volunteers.Benchmarks.Core;

/// <summary>What was asked for on the command line.</summary>
internal sealed record Options
{
    public IReadOnlyList<string> Scenarios { get; private init; } = [];

    /// <summary>How many approved service records the city has.</summary>
    public long Rows { get; private init; } = 5_000_000;

    public int Rounds { get; private init; } = 3;

    /// <summary>How long each contestant runs in each round.</summary>
    public int Seconds { get; private init; } = 5;

    /// <summary>Where a filled city is kept for the next run; nowhere when null.</summary>
    public string? Data { get; private init; }

    /// <summary>A folder of a service that is published already; it is published anew when null.</summary>
    public string? Service { get; private init; }

    /// <summary>Where the figures go as JSON.</summary>
    public string? Out { get; private init; }

    /// <exception cref="BenchmarkRefused">With the usage, when something is not understood.</exception>
    public static Options Parse(string[] args, IEnumerable<string> scenarios)
    {
        var usage = $"""
                     Usage: dotnet run -c Release --project tests/Volunteers.Benchmarks -- SCENARIO
                              [--rows N] [--rounds N] [--seconds N] [--data DIR] [--service DIR] [--out FILE.json]

                     Scenarios, several with commas: all, fill, {string.Join(", ", scenarios)}
                     """;
        if (args.Length % 2 == 0) throw new BenchmarkRefused(usage);

        var options = new Options { Scenarios = args[0] switch { "all" => [.. scenarios], "fill" => [], _ => args[0].Split(',') } };
        if (options.Scenarios.Except(scenarios).Any()) throw new BenchmarkRefused(usage);
        foreach (var pair in args[1..].Chunk(2))
            options = pair[0] switch
            {
                "--rows" => options with { Rows = Number(pair[1], least: 10_000, most: 1_000_000_000) },
                "--rounds" => options with { Rounds = Number(pair[1], least: 1, most: 100) },
                "--seconds" => options with { Seconds = Number(pair[1], least: 1, most: 600) },
                "--data" => options with { Data = Path.GetFullPath(pair[1]) },
                "--service" => options with { Service = Path.GetFullPath(pair[1]) },
                "--out" => options with { Out = Path.GetFullPath(pair[1]) },
                _ => throw new BenchmarkRefused(usage),
            };
        return options;

        int Number(string text, int least, int most) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : throw new BenchmarkRefused(usage);
    }
}

/// <summary>The benchmark cannot run, and its message says why to whoever started it.</summary>
internal sealed class BenchmarkRefused(string message) : Exception(message);
