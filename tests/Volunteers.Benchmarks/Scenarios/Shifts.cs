using System.Globalization;
using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>Shifts of the large organization's first team, to which everybody belongs.</summary>
internal static class Shifts
{
    /// <summary>Days to come, so far apart that nobody is asked to two of them at a time.</summary>
    public static Task MakeToCome(Bench bench, int first, int count, int capacity) =>
        Make(bench, first, count, capacity, "now() + interval '1 day' + n * interval '2 hours'", "now() + interval '1 day 1 hour' + n * interval '2 hours'");

    /// <summary>Running since an hour.</summary>
    public static Task MakeNow(Bench bench, int first, int count, int capacity) =>
        Make(bench, first, count, capacity, "date_trunc('minute', now()) - interval '1 hour'", "date_trunc('minute', now()) + interval '1 hour'");

    /// <summary>Places on these shifts in turn for so many volunteers.</summary>
    public static Task SignUp(Bench bench, int first, int count, int firstVolunteer, int volunteers) => bench.ExecuteInBoth(string.Create(CultureInfo.InvariantCulture,
        $"""
         insert into sign_ups (organization_id, id, shift_id, volunteer_id, status, source, arrival, signed_up_at, signed_up_by, sequence, forgot_check_out, far_away, self_reported)
         select '{City.Organization(City.Large)}', {Sql.Id(City.SignUpSuffix, "n")}, {Sql.Id(City.ShiftSuffix, $"{first} + n % {count}")}, {Sql.Id(City.VolunteerSuffix, "n")},
                'confirmed', 'coordinator', n / {count} + 1, now() - interval '1 day', (select id from accounts limit 1), 0, false, false, false
         from generate_series({firstVolunteer}, {firstVolunteer + volunteers - 1}) n;
         update shifts s set taken = places, arrivals = places
         from (select shift_id, count(*) as places from sign_ups where organization_id = '{City.Organization(City.Large)}' group by shift_id) p
         where s.organization_id = '{City.Organization(City.Large)}' and s.id = p.shift_id
         """));

    private static Task Make(Bench bench, int first, int count, int capacity, string starts, string ends) => bench.ExecuteInBoth(string.Create(CultureInfo.InvariantCulture,
        $"""
         insert into shifts (organization_id, id, activity_id, name, starts_at, ends_at, capacity, skills, taken, waiting, arrivals, sequence, code_secret, created_at, version)
         select '{City.Organization(City.Large)}', {Sql.Id(City.ShiftSuffix, "n")}, '{City.Activity(City.Large, 0, City.Months - 1)}', '第' || n || '班', {starts}, {ends}, {capacity},
                array[]::text[], 0, 0, 0, 0, sha256(n::text::bytea), now(), 1
         from generate_series({first}, {first + count - 1}) n
         """));
}
