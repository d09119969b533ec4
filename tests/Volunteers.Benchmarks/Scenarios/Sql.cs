using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>What the variables of pgbench scripts stand for.</summary>
internal static class Sql
{
    /// <summary>The id of the volunteer with the number that this variable has.</summary>
    public static string Volunteer(string variable) => Id(City.VolunteerPrefix, $":{variable}::bigint");

    public static string Shift(string variable) => Id(City.ShiftPrefix, $":{variable}::bigint");

    public static string SignUp(string variable) => Id(City.SignUpPrefix, $":{variable}::bigint");

    public static string Id(string prefix, string number) => $"('{prefix}' || lpad(to_hex({number}), 12, '0'))::uuid";
}
