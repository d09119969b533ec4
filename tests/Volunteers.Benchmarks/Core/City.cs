using System.Globalization;

namespace Volunteers.Benchmarks.Core;

/// <summary>
/// How large the city is, and what everything in it is called. Ids are made of numbers, so that a load generator can name
/// any volunteer without having read them.
/// </summary>
internal sealed record City(long Rows)
{
    public const int Organizations = 100;
    public const int Months = 36;

    /// <summary>The one that is ten times the others.</summary>
    public const int Large = 0;

    /// <summary>One like the others.</summary>
    public const int Small = 1;

    /// <summary>One with few people and a fifth of the records, up to a million: a long history to page through and to export.</summary>
    public const int Archive = Organizations - 1;

    private const int Teams = 2_000;
    private const int Volunteers = 200_000;

    /// <summary>The large one counts for ten.</summary>
    private const int Shares = Organizations + 9;

    /// <summary>What the SQL and the scripts of load generators put after a number: that stands where UUIDs of version 7 have their time, which an index tells apart as it does theirs.</summary>
    public const string VolunteerSuffix = "-7003-8000-000000000000";
    public const string ShiftSuffix = "-7006-8000-000000000000";
    public const string SignUpSuffix = "-7007-8000-000000000000";

    public static Guid Organization(int organization) => Id(1, organization, 0);

    public static Guid Team(int organization, int team) => Id(2, organization, team);

    public static Guid Volunteer(int organization, int volunteer) => Id(3, organization, volunteer);

    /// <summary>What a team did in one month of the history.</summary>
    public static Guid Activity(int organization, int team, int month) => Id(4, organization, (team * Months) + month);

    /// <summary>Not of the history: what scenarios make for themselves.</summary>
    public static Guid Shift(int organization, int shift) => Id(6, organization, shift);

    public static int TeamsOf(int organization) => ShareOf(Teams, organization);

    public static int VolunteersOf(int organization) => ShareOf(Volunteers, organization);

    public long ArchiveRows => Math.Min(Rows / 5, 1_000_000);

    public long RowsOf(int organization)
    {
        if (organization == Archive) return ArchiveRows;
        var share = (Rows - ArchiveRows) / (Shares - 1);
        return organization == Large ? Rows - ArchiveRows - (share * (Organizations - 2)) : share;
    }

    /// <summary>The number behind the id of the first volunteer, or shift, of an organization; the others follow.</summary>
    public static long First(int organization) => Number(organization, 0);

    private static Guid Id(int kind, int organization, int number) =>
        Guid.Parse(string.Create(CultureInfo.InvariantCulture, $"{Number(organization, number) >> 16:x8}-{Number(organization, number) & 0xffff:x4}-7{kind:x3}-8000-000000000000"));

    private static long Number(int organization, int number) => (organization * 1_000_000L) + number;

    private static int ShareOf(int all, int organization)
    {
        var share = all / Shares;
        return organization == Large ? all - (share * (Organizations - 1)) : share;
    }
}
