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
(string Name, Func<Bench, Task> Run)[] scenarios =
[
    ("ledger", bench => Checks.LedgerIsWhole(bench, City.Small)),
    ("read-volunteer", ReadVolunteer.Run),
    ("page", PageOfRecords.Run),
    ("report", HourReports.Run),
    ("export-csv", Exports.Csv),
    ("export-xlsx", Exports.Xlsx),
    ("start", StartAndMemory.Start),
    ("attendance-batch", CheckOuts.CountBatch),
    ("approve", Approvals.Run),
    ("check-out", CheckOuts.Run),
    ("sign-up", SignUps.Run),
    ("record", RecordService.Run),
    ("memory", StartAndMemory.Memory),
];

try
{
    var options = Options.Parse(args, scenarios.Select(scenario => scenario.Name));
    await using var bench = await Bench.Open(options);
    foreach (var (name, run) in scenarios.Where(scenario => options.Scenario == "all" || options.Scenario == scenario.Name))
    {
        Bench.Say(name);
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
