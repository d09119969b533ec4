using Volunteers.Benchmarks.Core;
using Volunteers.Benchmarks.Scenarios;
using Volunteers.Data;

// Started by ourselves: the API that the service is held against.
if (args is ["bare", var port, var connectionString])
{
    await Bare.Serve(port, connectionString);
    return 0;
}

// In this order in `all`: what only reads first, so that it reads the city as it was filled.
(string Name, Func<Bench, Task> Run, bool Writes)[] scenarios =
[
    ("ledger", bench => Checks.LedgerIsWhole(bench, City.Small), Writes: false),
    ("size", Sizes.Run, Writes: false),
    ("read-volunteer", ReadVolunteer.Run, Writes: false),
    ("page", PageOfRecords.Run, Writes: false),
    ("report", HourReports.Run, Writes: false),
    ("export-csv", Exports.Csv, Writes: false),
    ("export-xlsx", Exports.Xlsx, Writes: false),
    ("start", StartAndMemory.Start, Writes: false),
    ("attendance-batch", CheckOuts.CountBatch, Writes: true),
    ("approve", Approvals.Run, Writes: true),
    ("check-out", CheckOuts.Run, Writes: true),
    ("sign-up", SignUps.Run, Writes: true),
    ("record", RecordService.Run, Writes: true),
    ("memory", StartAndMemory.Memory, Writes: false),
];

try
{
    var options = Options.Parse(args, scenarios.Select(scenario => scenario.Name));
    await using var bench = await Bench.Open(options);
    foreach (var (name, run, writes) in scenarios.Where(scenario => options.Scenarios.Contains(scenario.Name)))
    {
        Bench.Say(name);
        if (writes && !bench.MayWrite)
        {
            Bench.Say("  not run: it writes, and a city of this size is not copied");
            continue;
        }
        await run(bench);
        foreach (var line in await bench.Top(8)) Bench.Say($"    {line}");
    }
    Console.WriteLine(bench.Table.Markdown());
    if (options.Out is { } file) await File.WriteAllTextAsync(file, bench.Table.Json(options));
    return 0;
}
catch (Exception refused) when (refused is BenchmarkRefused or EmbeddedPostgresException)
{
    await Console.Error.WriteLineAsync(refused.Message);
    return 1;
}
