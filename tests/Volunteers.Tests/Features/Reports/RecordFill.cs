namespace Volunteers.Tests.Features.Reports;

/// <summary>
/// Many copies of the first service record there is, with its event and its posting: headcounts, so that no person overlaps
/// with themselves. The hashes are empty; the ledger's end moves along.
/// </summary>
internal static class RecordFill
{
    /// <summary>$1: how many.</summary>
    public const string Sql =
        """
        with first as (select * from service_records order by id limit 1), made as (
            insert into service_records (organization_id, id, headcount_method, activity_id, team_id, project_id, category, starts_at, ends_at, service_date, minutes,
                person_times, claimed_minutes, claimed_person_times, evidence, status, note, recorded_by, recorded_at, reviewed_by, reviewed_at, version)
            select organization_id, gen_random_uuid(), 'counted', activity_id, team_id, project_id, category, starts_at - make_interval(days => i % 2000),
                ends_at - make_interval(days => i % 2000), service_date - i % 2000, minutes, person_times, 0, 0, evidence, 'approved',
                'Kept the crossing, note ' || i, recorded_by, recorded_at, reviewed_by, reviewed_at, 1
            from first, generate_series(1, $1) i
            returning *
        ), numbered as (
            select *, (select position from hour_ledgers l where l.organization_id = made.organization_id) + row_number() over () as position from made
        ), events as (
            insert into service_record_events (organization_id, id, record_id, step, by, at, status, starts_at, ends_at, minutes, person_times, credited_minutes, credited_person_times, positions)
            select organization_id, gen_random_uuid(), id, 'recorded', recorded_by, recorded_at, 'approved', starts_at, ends_at, minutes, person_times, minutes, person_times, array[position]
            from numbered
        ), postings as (
            insert into hour_postings (organization_id, position, record_id, cause, team_id, activity_id, project_id, category, evidence, service_date, minutes, person_times,
                posted_at, posted_by, previous_hash, hash)
            select organization_id, position, id, 'approved', team_id, activity_id, project_id, category, evidence, service_date, minutes, person_times, recorded_at, recorded_by, '', ''
            from numbered
        )
        update hour_ledgers set position = position + $1 where organization_id = (select organization_id from first)
        """;
}
