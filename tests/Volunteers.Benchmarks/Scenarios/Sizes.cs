using System.Globalization;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>What a service record costs on the disk, with all that is kept for it.</summary>
internal static class Sizes
{
    private static readonly string[] Tables = ["service_records", "service_record_events", "hour_postings", "hour_totals"];

    public static async Task Run(Bench bench)
    {
        foreach (var table in Tables)
        {
            var sizes = (await bench.Postgres.Query<long[]>(bench.Database,
                $"select array[pg_table_size('{table}'), pg_indexes_size('{table}'), (select count(*) from {table})]"))[0];
            Add(table, sizes[0] + sizes[1], string.Create(CultureInfo.InvariantCulture, $"{sizes[2]:#,0} rows; {Bytes(sizes[0], bench)} of rows, {Bytes(sizes[1], bench)} of indexes"));
        }
        Add("the whole database", await bench.Postgres.Scalar<long>(bench.Database, "select pg_database_size(current_database())"), "");

        void Add(string what, long size, string how) => bench.Table.Add(
            $"size of a record: {what}", string.Create(CultureInfo.InvariantCulture, $"{Bytes(size, bench)}, {size / 1e6:#,0} MB in all{(how.Length == 0 ? "" : $" ({how})")}"), "");
    }

    private static string Bytes(long size, Bench bench) => string.Create(CultureInfo.InvariantCulture, $"{(double)size / bench.Options.Rows:#,0} B");
}
