using System.Data.Common;
using System.Globalization;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

internal enum ExportFormat
{
    Csv,
    Xlsx,
}

internal enum ExportStatus
{
    Submitted,
    Rejected,
}

/// <summary>Which service records to export.</summary>
/// <param name="From">First local day on which the service began.</param>
/// <param name="To">Last local day on which it began; at most ten years after the first.</param>
/// <param name="Team">Given in exactly this team; its sub-teams are not included.</param>
/// <param name="Volunteer">Given by this volunteer.</param>
/// <param name="Activity">Given for this activity.</param>
/// <param name="Category">Given under this category.</param>
/// <param name="Evidence">How we know.</param>
/// <param name="Status">What is not booked, in this state now. Every record that was ever booked, as the ledger has it, when not given.</param>
/// <param name="AsOf">As the ledger stood at this position, or at this instant (RFC 3339), with the names of that instant (of a position: of when it was booked); as it stands now, with the names of now, when not given. Who recorded it always has the name of now. Not together with a status.</param>
/// <param name="Format">The form of the answer; by <c>Accept</c> when not given, CSV when that leaves it open.</param>
internal sealed record RecordExportQuery(
    [property: FromQuery] DateOnly From, [property: FromQuery] DateOnly To, [property: FromQuery] Guid? Team = null,
    [property: FromQuery] Guid? Volunteer = null, [property: FromQuery] Guid? Activity = null, [property: FromQuery] string? Category = null,
    [property: FromQuery] Evidence? Evidence = null, [property: FromQuery] ExportStatus? Status = null, [property: FromQuery] string? AsOf = null,
    [property: FromQuery] ExportFormat? Format = null)
{
    internal sealed class Validator : AbstractValidator<RecordExportQuery>
    {
        public Validator()
        {
            RuleFor(query => query.To).GreaterThanOrEqualTo(query => query.From).WithMessage(_ => Messages.Title("to_before_from"));
            RuleFor(query => query.To).LessThanOrEqualTo(query => query.From.AddYears(10)).WithMessage(_ => Messages.Title("period_too_long"));
            RuleFor(query => query.Category).Length(1, 50);
            RuleFor(query => query.AsOf).MaximumLength(40).Must(asOf => asOf is null || LedgerPoint.IsReadable(asOf)).WithMessage(_ => Messages.Title("unreadable_as_of"));
        }
    }
}

/// <summary>The lines of an export: what is asked of the database, and how a row becomes cells.</summary>
internal sealed class RecordExport(RecordExportQuery query, LedgerPoint asOf, Organization organization, Tenant tenant)
{
    private const string Recorders =
        """
        left join accounts by_account on by_account.id = x.recorded_by
        left join organization_clients by_client on by_client.organization_id = $1 and by_client.id = x.recorded_by
        """;

    /// <summary>
    /// A record stands in the file as its last event that was booked whole by the position; its minutes are the sum of its
    /// postings up to there. So they add up to the hour report at every position, one in the middle of a correction too.
    /// </summary>
    private const string Booked =
        """
        with booked as (
            select record_id, sum(minutes)::bigint as minutes, sum(person_times)::bigint as person_times, max(position) as last
            from hour_postings s where {conditions} group by record_id
        )
        select r.id, l.volunteer_id, r.headcount_method, l.team_id, l.activity_id, l.project_id, l.category, l.service_date, e.starts_at, e.ends_at,
               b.minutes, b.person_times, l.evidence, e.status, r.note, r.recorded_at, r.recorded_by, e.at as reviewed_at
        from booked b
        join hour_postings l on l.organization_id = $1 and l.position = b.last
        join service_records r on r.organization_id = $1 and r.id = b.record_id
        join lateral (
            select * from service_record_events e
            where e.organization_id = $1 and e.record_id = b.record_id and cardinality(e.positions) > 0
              and e.positions[cardinality(e.positions)] <= $4
            order by e.sequence desc limit 1
        ) e on true
        where l.service_date between $2 and $3
        """;

    /// <summary>
    /// What is not booked, and what is as the ledger stands now: the same as above, for the two change together, and in the order
    /// of an index. An instant that was reckoned as a day of some place, or named out of a headcount of that day, lies within two days of it.
    /// </summary>
    private const string AsItStands =
        """
        select s.id, s.volunteer_id, s.headcount_method, s.team_id, s.activity_id, s.project_id, s.category, s.service_date, s.starts_at, s.ends_at,
               (case s.status when 'approved' then s.minutes - s.claimed_minutes when 'voided' then 0 else s.minutes end)::bigint as minutes,
               (case s.status when 'approved' then s.person_times - s.claimed_person_times when 'voided' then 0 else s.person_times end)::bigint as person_times,
               s.evidence, s.status, s.note, s.recorded_at, s.recorded_by, coalesce((
                   select e.at from service_record_events e
                   where e.organization_id = $1 and e.record_id = s.id and cardinality(e.positions) > 0 order by e.sequence desc limit 1
               ), s.reviewed_at) as reviewed_at
        from service_records s
        where {conditions} and s.service_date between $2 and $3
          and s.starts_at >= ($2::date - 1)::timestamp at time zone 'UTC' and s.starts_at < ($3::date + 3)::timestamp at time zone 'UTC'
        """;

    private static readonly ReportColumn[] Shape =
    [
        new("export_record", CellKind.Text), new("report_volunteer_number", CellKind.Text), new("report_volunteer", CellKind.Text), new("report_team", CellKind.Text),
        new("report_activity", CellKind.Text), new("report_project", CellKind.Text), new("report_category", CellKind.Text), new("export_service_date", CellKind.Date),
        new("export_starts_at", CellKind.Time), new("export_ends_at", CellKind.Time), new("report_minutes", CellKind.Integer), new("report_hours", CellKind.Decimal),
        new("report_person_times", CellKind.Integer), new("report_evidence", CellKind.Text), new("export_status", CellKind.Text), new("export_note", CellKind.Text),
        new("export_recorded_at", CellKind.Time), new("export_recorded_by", CellKind.Text), new("export_reviewed_at", CellKind.Time),
    ];

    private readonly TimeZoneInfo zone = organization.Zone;

    /// <summary>In the language of the request.</summary>
    public IReadOnlyList<ReportColumn> Columns { get; } = [.. Shape.Select(column => column with { Heading = Messages.Title(column.Heading) })];

    public static IReadOnlyList<double> Widths { get; } = [38, 12, 16, 20, 28, 20, 12, 12, 17, 17, 9, 9, 9, 14, 12, 40, 17, 16, 17];

    public string Title => Messages.Detail("export_records", organization.Name, query.From, query.To);

    public NpgsqlCommand Count(NpgsqlConnection connection) => Command(connection, "select count(*) from ({lines}) x");

    /// <summary>Distinct named volunteers with a participation that counts.</summary>
    public NpgsqlCommand Persons(NpgsqlConnection connection) =>
        Command(connection, "select count(*) from (select 1 from ({lines}) x where x.volunteer_id is not null and x.person_times > 0 group by x.volunteer_id) p");

    /// <summary>A cursor that stays on the server, so that neither side ever holds the whole.</summary>
    public NpgsqlCommand Open(NpgsqlConnection connection) => Command(connection,
        $$"""
        declare export no scroll cursor for
        select x.*, v.number, v.name, t.name as team, a.name as activity, p.name as project, coalesce(by_account.display_name, by_client.name, x.recorded_by::text) as recorder
        from ({lines}) x {names} {{Recorders}} order by x.starts_at, x.id
        """);

    /// <summary>The cells of a line, and its minutes and person-times.</summary>
    public (object?[] Cells, long Minutes, long PersonTimes) Read(DbDataReader row)
    {
        var (minutes, personTimes) = (row.GetInt64(10), row.GetInt64(11));
        var method = Text(row, 2);
        return (
        [
            row.GetGuid(0).ToString(), Text(row, 18), method is null ? Text(row, 19) : Messages.Title("export_headcount_" + method),
            Text(row, 20), Text(row, 21), Text(row, 22), Text(row, 6), row.GetFieldValue<DateOnly>(7), Local(row, 8), Local(row, 9),
            minutes, HourFigures.InHours(minutes), personTimes, Messages.Title("report_evidence_" + row.GetString(12)),
            Messages.Title("export_status_" + row.GetString(13)), Text(row, 14), Local(row, 15),
            row.GetGuid(16) == ServiceRecord.TheServiceItself ? Messages.Title("export_the_service") : Text(row, 23), Local(row, 17),
        ], minutes, personTimes);
    }

    public object?[] Total(long count, long persons, long minutes, long personTimes)
    {
        var cells = new object?[Columns.Count];
        (cells[0], cells[2]) = (Messages.Detail("export_total", count), Messages.Detail("export_persons", persons));
        (cells[10], cells[11], cells[12]) = (minutes, HourFigures.InHours(minutes), personTimes);
        return cells;
    }

    private NpgsqlCommand Command(NpgsqlConnection connection, string around)
    {
        var command = connection.CreateCommand();
        command.CommandTimeout = RecordExportAnswer.LongestStatementSeconds;
        string Parameter(object value)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
            return "$" + command.Parameters.Count.ToString(CultureInfo.InvariantCulture);
        }

        Parameter(tenant.Id);
        Parameter(query.From);
        Parameter(query.To);
        var conditions = "s.organization_id = $1"
            + (query.Status is { } status ? $" and s.status = {Parameter(status.ToString().ToLowerInvariant())}"
                : query.AsOf is null ? " and s.status in ('approved', 'voided')" : $" and s.position <= {Parameter(asOf.Position)}")
            + (tenant.ReadsAll ? "" : $" and s.team_id = any({Parameter(tenant.Teams)})")
            + (query.Team is { } team ? $" and s.team_id = {Parameter(team)}" : "")
            + (query.Volunteer is { } volunteer ? $" and s.volunteer_id = {Parameter(volunteer)}" : "")
            + (query.Activity is { } activity ? $" and s.activity_id = {Parameter(activity)}" : "")
            + (query.Category is { } category ? $" and s.category = {Parameter(category)}" : "")
            + (query.Evidence is { } evidence ? $" and s.evidence = {Parameter(evidence.ToString().ToLowerInvariant())}" : "");
        var lines = (query.AsOf is null ? AsItStands : Booked).Replace("{conditions}", conditions, StringComparison.Ordinal);
        var namesAt = asOf.NamesAt is { } at && around.Contains("{names}", StringComparison.Ordinal) ? Parameter(at.ToUniversalTime()) : null;
        var names = string.Join(' ', ReportGroup.NamesAt("volunteers", "name", "x.volunteer_id", "v", namesAt), ReportGroup.NamesAt("teams", "name", "x.team_id", "t", namesAt),
            ReportGroup.NamesAt("activities", "title", "x.activity_id", "a", namesAt), ReportGroup.NamesAt("projects", "title", "x.project_id", "p", namesAt));
        command.CommandText = around.Replace("{lines}", lines, StringComparison.Ordinal).Replace("{names}", names, StringComparison.Ordinal);
        return command;
    }

    private DateTime? Local(DbDataReader row, int at) => row.IsDBNull(at) ? null : TimeZoneInfo.ConvertTime(row.GetFieldValue<DateTimeOffset>(at), zone).DateTime;

    private static string? Text(DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
