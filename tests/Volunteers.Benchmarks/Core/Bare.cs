using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Volunteers.Benchmarks.Core;

/// <summary>
/// The least an HTTP API over the same rows can be: minimal API, plain Npgsql, automatic preparation; no authorization, no
/// limits, no log. Runs as a process of its own.
/// </summary>
internal static class Bare
{
    public static async Task<ServerProcess> Start(string connectionString)
    {
        var port = ServerProcess.FreePort();
        var server = ServerProcess.Start(Path.Combine(AppContext.BaseDirectory, "Volunteers.Benchmarks"), ["bare", port.ToString(CultureInfo.InvariantCulture), connectionString], [], port);
        await server.Ready("/ready");
        return server;
    }

    public static async Task Serve(string port, string connectionString)
    {
        await using var database = NpgsqlDataSource.Create(connectionString + ";No Reset On Close=true;Max Auto Prepare=50;Auto Prepare Min Usages=2");
        var builder = WebApplication.CreateSlimBuilder(["--urls", $"http://127.0.0.1:{port}"]);
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.MapGet("/ready", () => TypedResults.Ok());
        app.MapGet("/volunteers/{organization:guid}/{id:guid}", (Guid organization, Guid id, CancellationToken ct) => Volunteer(database, organization, id, ct));
        app.MapGet("/records/{organization:guid}/{team:guid}", (Guid organization, Guid team, DateTime after, CancellationToken ct) => Records(database, organization, team, after, ct));
        app.MapGet("/hours/{organization:guid}", (Guid organization, DateOnly from, DateOnly to, Guid? team, CancellationToken ct) => Hours(database, organization, from, to, team, ct));
        await app.RunAsync();
    }

    private static async Task<IResult> Volunteer(NpgsqlDataSource database, Guid organization, Guid id, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            """
            select id, number, name, phone, hometown, gender, birth_date, residence, joined_on, status, consent_version, consent_at, version, skills::text
            from volunteers where organization_id = $1 and id = $2
            """);
        command.Parameters.Add(new() { Value = organization });
        command.Parameters.Add(new() { Value = id });
        await using var row = await command.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct)
            ? TypedResults.Ok(new Person(row.GetGuid(0), row.GetString(1), row.GetString(2), Text(row, 3), Text(row, 4), Text(row, 5), Day(row, 6), Text(row, 7),
                row.GetFieldValue<DateOnly>(8), row.GetString(9), Text(row, 10), row.IsDBNull(11) ? null : row.GetDateTime(11), row.GetInt64(12), row.GetString(13)))
            : TypedResults.NotFound();
    }

    private static async Task<IResult> Records(NpgsqlDataSource database, Guid organization, Guid team, DateTime after, CancellationToken ct)
    {
        await using var command = database.CreateCommand(
            """
            select id, volunteer_id, activity_id, team_id, category, starts_at, ends_at, service_date, minutes, person_times, evidence, status, note, recorded_by, recorded_at, version
            from service_records where organization_id = $1 and team_id = $2 and starts_at > $3 order by starts_at, id limit 50
            """);
        command.Parameters.Add(new() { Value = organization });
        command.Parameters.Add(new() { Value = team });
        command.Parameters.Add(new() { Value = after.ToUniversalTime() });
        await using var row = await command.ExecuteReaderAsync(ct);
        var records = new List<Record>(50);
        while (await row.ReadAsync(ct))
        {
            records.Add(new Record(row.GetGuid(0), row.IsDBNull(1) ? null : row.GetGuid(1), row.GetGuid(2), row.GetGuid(3), row.GetString(4), row.GetDateTime(5), row.GetDateTime(6),
                row.GetFieldValue<DateOnly>(7), row.GetInt32(8), row.GetInt32(9), row.GetString(10), row.GetString(11), Text(row, 12), row.GetGuid(13), row.GetDateTime(14), row.GetInt64(15)));
        }
        return TypedResults.Ok(records);
    }

    private static async Task<IResult> Hours(NpgsqlDataSource database, Guid organization, DateOnly from, DateOnly to, Guid? team, CancellationToken ct)
    {
        await using var command = database.CreateCommand(Totals(team is null ? "" : "and s.team_id = $4"));
        command.Parameters.Add(new() { Value = organization });
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = to });
        if (team is { } one) command.Parameters.Add(new() { Value = one });
        await using var row = await command.ExecuteReaderAsync(ct);
        var sums = new List<Sum>();
        while (await row.ReadAsync(ct)) sums.Add(new Sum(row.GetGuid(0), row.GetString(1), row.GetFieldValue<DateOnly>(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5)));
        return TypedResults.Ok(sums);
    }

    /// <summary>Reading the totals, by team and month: organization, first and last day.</summary>
    public static string Totals(string more) =>
        $"""
         select g.team_id, t.name, g.month, g.persons, g.person_times, g.minutes
         from (select s.team_id, s.month, count(distinct s.volunteer_id) as persons, sum(s.person_times)::bigint as person_times, sum(s.minutes)::bigint as minutes
               from hour_totals s where s.organization_id = $1 and s.month between $2 and $3 {more} group by s.team_id, s.month) g
         join teams t on t.organization_id = $1 and t.id = g.team_id order by t.name, g.month
         """;

    private static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    private static DateOnly? Day(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetFieldValue<DateOnly>(at);

    private sealed record Person(
        Guid Id, string Number, string Name, string? Phone, string? Hometown, string? Gender, DateOnly? BirthDate, string? Residence, DateOnly JoinedOn, string Status,
        string? ConsentVersion, DateTime? ConsentAt, long Version, string Skills);

    private sealed record Record(
        Guid Id, Guid? VolunteerId, Guid ActivityId, Guid TeamId, string Category, DateTime StartsAt, DateTime EndsAt, DateOnly ServiceDate, int Minutes, int PersonTimes,
        string Evidence, string Status, string? Note, Guid RecordedBy, DateTime RecordedAt, long Version);

    private sealed record Sum(Guid TeamId, string Team, DateOnly Month, long Persons, long PersonTimes, long Minutes);
}
