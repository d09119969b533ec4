using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;
using Volunteers.Data;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reconciliation;

internal static class ReconciliationRows
{
    /// <summary>Writes many rows as a set: one by one they would take most of the request's time.</summary>
    public static async Task Keep(this VolunteersDb db, Guid organizationId, IEnumerable<ReconciliationRow> rows, CancellationToken ct)
    {
        await using var copy = await ((NpgsqlConnection)db.Database.GetDbConnection()).BeginBinaryImportAsync(
            """
            copy reconciliation_rows (organization_id, id, reconciliation_id, position, list, file_row, person_number, person_name, person_phone, volunteer_id,
                day, starts_at, ends_at, activity, reference, minutes_there, record_id, day_here, minutes_here, waiting_record_id, code, "column")
            from stdin (format binary)
            """, ct);
        foreach (var row in rows)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(row.OrganizationId, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(row.Id, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(row.ReconciliationId, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(row.Position, NpgsqlDbType.Integer, ct);
            await copy.WriteAsync(JsonNamingPolicy.SnakeCaseLower.ConvertName(row.List.ToString()), NpgsqlDbType.Varchar, ct);
            await Write(row.FileRow, NpgsqlDbType.Integer);
            await WriteText(row.PersonNumber);
            await WriteText(row.PersonName);
            await WriteText(row.PersonPhone);
            await Write(row.VolunteerId, NpgsqlDbType.Uuid);
            await Write(row.Day, NpgsqlDbType.Date);
            await Write(row.StartsAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
            await Write(row.EndsAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
            await WriteText(row.Activity);
            await WriteText(row.Reference);
            await Write(row.MinutesThere, NpgsqlDbType.Integer);
            await Write(row.RecordId, NpgsqlDbType.Uuid);
            await Write(row.DayHere, NpgsqlDbType.Date);
            await Write(row.MinutesHere, NpgsqlDbType.Integer);
            await Write(row.WaitingRecordId, NpgsqlDbType.Uuid);
            await WriteText(row.Code);
            await WriteText(row.Column);
        }
        AuditNotes.Tell(db, organizationId, "reconciliationRow", AuditAction.Created, (int)await copy.CompleteAsync(ct));

        Task Write<T>(T? value, NpgsqlDbType type) where T : struct => value is { } given ? copy.WriteAsync(given, type, ct) : copy.WriteNullAsync(ct);
        Task WriteText(string? value) => value is null ? copy.WriteNullAsync(ct) : copy.WriteAsync(value, NpgsqlDbType.Varchar, ct);
    }
}
