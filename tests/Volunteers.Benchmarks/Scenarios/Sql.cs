using Volunteers.Benchmarks.Core;

namespace Volunteers.Benchmarks.Scenarios;

/// <summary>What the variables of pgbench scripts stand for.</summary>
internal static class Sql
{
    /// <summary>The id of the volunteer with the number that this variable has.</summary>
    public static string Volunteer(string variable) => Id(City.VolunteerSuffix, $":{variable}::bigint");

    public static string Shift(string variable) => Id(City.ShiftSuffix, $":{variable}::bigint");

    public static string SignUp(string variable) => Id(City.SignUpSuffix, $":{variable}::bigint");

    public static string Id(string suffix, string number) => $"(lpad(to_hex({number}), 12, '0') || '{suffix}')::uuid";

    /// <summary>The same in a script of the load generator.</summary>
    public static string LuaId(string suffix, string number) => $"string.format(\"%08x-%04x{suffix}\", math.floor(({number}) / 65536), ({number}) % 65536)";
}
