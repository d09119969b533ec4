using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>What the variables of pgbench scripts stand for.</summary>
internal static class Sql
{
    /// <summary>The id of the volunteer with this number.</summary>
    public static string Volunteer(string variable) => $"('{City.VolunteerPrefix}' || lpad(to_hex(:{variable}::bigint), 12, '0'))::uuid";
}
