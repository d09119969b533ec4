using System.Diagnostics;
using Npgsql;

namespace Volunteers.Tests.Support;

/// <summary>What requests say to one database while this listens: one entry for each trip to it. Npgsql tells of every one; those of background tasks are no part of a request.</summary>
public sealed class SaidStatements : IDisposable
{
    private readonly List<string> statements = [];
    private readonly ActivityListener listener;

    public SaidStatements(string connectionString)
    {
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database;
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name != "Npgsql" || (string?)activity.GetTagItem("db.namespace") != database) return;
                var request = activity.Parent;
                while (request is { Source.Name: not "Microsoft.AspNetCore" }) request = request.Parent;
                if (request is not null) lock (statements) statements.Add($"{activity.GetTagItem("db.query.text")}");
            },
        };
        ActivitySource.AddActivityListener(listener);
    }

    public IReadOnlyList<string> All
    {
        get
        {
            lock (statements) return [.. statements];
        }
    }

    public void Dispose() => listener.Dispose();
}
