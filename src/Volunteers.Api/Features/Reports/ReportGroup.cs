using System.Collections.Frozen;
using System.Data.Common;
using System.Globalization;
using Volunteers.Features.Hours;
using Volunteers.Platform;

namespace Volunteers.Features.Reports;

/// <summary>
/// Something that a report is grouped by: how it is found in SQL, how it is shown, and which columns it fills in a
/// spreadsheet. Only what stands here ever becomes SQL.
/// </summary>
internal sealed class ReportGroup
{
    /// <summary>As a client writes it.</summary>
    public required string Name { get; init; }

    /// <summary>Over the rows <c>s</c> that are added up: postings or activities.</summary>
    public required string Key { get; init; }

    /// <summary>Over the kept totals; null where they are not kept that finely.</summary>
    public string? KeyInTotals { get; init; }

    /// <summary>From the sums <c>g</c>, in which the key is <see cref="Alias"/>.</summary>
    public required string Show { get; init; }

    /// <summary>Given the parameter with the instant whose names count, or null for those of now; see <see cref="NamesAt"/>.</summary>
    public Func<string?, string> Join { get; init; } = _ => "";

    public required string OrderBy { get; init; }

    /// <summary>How many columns <see cref="Show"/> has.</summary>
    public int Width { get; init; } = 1;

    /// <summary>From the columns that begin at this ordinal.</summary>
    public required Func<DbDataReader, int, object?> Read { get; init; }

    public required IReadOnlyList<TextColumn<object?>> Columns { get; init; }

    public string Alias => "by_" + Name;

    public static readonly ReportGroup Team = new()
    {
        Name = "team", Key = "s.team_id", KeyInTotals = "s.team_id",
        Join = at => NamesAt("teams", "name", "g.by_team", "t", at), Show = "g.by_team, t.name", Width = 2, OrderBy = "t.name, g.by_team",
        Read = (row, at) => new ReportTeam(row.GetGuid(at), Text(row, at + 1)),
        Columns = [new("report_team", team => ((ReportTeam)team!).Name)],
    };

    public static readonly ReportGroup Volunteer = new()
    {
        Name = "volunteer", Key = "s.volunteer_id", KeyInTotals = "s.volunteer_id",
        Join = at => NamesAt("volunteers", "name", "g.by_volunteer", "v", at), Show = "g.by_volunteer, v.number, v.name", Width = 3,
        OrderBy = "v.number, g.by_volunteer",
        Read = (row, at) => row.IsDBNull(at) ? null : new ReportVolunteer(row.GetGuid(at), Text(row, at + 1), Text(row, at + 2)),
        Columns =
        [
            new("report_volunteer_number", volunteer => ((ReportVolunteer?)volunteer)?.Number),
            new("report_volunteer", volunteer => volunteer is ReportVolunteer named ? named.Name : Messages.Title("report_headcounts")),
        ],
    };

    public static readonly ReportGroup Activity = new()
    {
        Name = "activity", Key = "s.activity_id",
        Join = at => NamesAt("activities", "title", "g.by_activity", "a", at), Show = "g.by_activity, a.name", Width = 2, OrderBy = "a.name, g.by_activity",
        Read = (row, at) => new ReportActivity(row.GetGuid(at), Text(row, at + 1)),
        Columns = [new("report_activity", activity => ((ReportActivity)activity!).Title)],
    };

    public static readonly ReportGroup Project = new()
    {
        Name = "project", Key = "s.project_id",
        Join = at => NamesAt("projects", "title", "g.by_project", "p", at), Show = "g.by_project, p.name", Width = 2, OrderBy = "p.name, g.by_project",
        Read = (row, at) => row.IsDBNull(at) ? null : new ReportProject(row.GetGuid(at), Text(row, at + 1)),
        Columns = [new("report_project", project => project is ReportProject made ? made.Title : Messages.Title("report_no_project"))],
    };

    public static readonly ReportGroup Category = new()
    {
        Name = "category", Key = "s.category", Show = "g.by_category", OrderBy = "g.by_category", Read = (row, at) => row.GetString(at),
        Columns = [new("report_category", category => (string?)category)],
    };

    public static readonly ReportGroup Evidence = new()
    {
        Name = "evidence", Key = "s.evidence", KeyInTotals = "s.evidence", Show = "g.by_evidence", OrderBy = "g.by_evidence",
        Read = (row, at) => Enum.Parse<Evidence>(row.GetString(at), ignoreCase: true),
        Columns = [new("report_evidence", evidence => Messages.Title("report_evidence_" + evidence!.ToString()!.ToLowerInvariant()))],
    };

    public static readonly ReportGroup Month = Time("month", CellKind.Month, "to_char(s.service_date, 'YYYY-MM')", "to_char(s.month, 'YYYY-MM')", (row, at) => row.GetString(at));

    public static readonly ReportGroup Day = Time("day", CellKind.Date, "s.service_date", null, (row, at) => row.GetFieldValue<DateOnly>(at));

    public static readonly ReportGroup Year =
        Time("year", CellKind.Integer, "extract(year from s.service_date)::int", "extract(year from s.month)::int", (row, at) => row.GetInt32(at));

    public static readonly FrozenDictionary<string, ReportGroup> All =
        new[] { Team, Volunteer, Activity, Project, Category, Evidence, Month, Day, Year }.ToFrozenDictionary(group => group.Name);

    /// <summary>What something was called at an instant: the first of its former names that ended later, else the name of now, which a team that was deleted since has none of. Volunteers have a number too.</summary>
    /// <param name="table">Of what has the name.</param>
    /// <param name="column">Its name in that table.</param>
    /// <param name="key">Its id where it is joined to.</param>
    /// <param name="alias">Of the join, which has <c>name</c> and <c>number</c>.</param>
    /// <param name="at">The parameter with the instant; null for now.</param>
    public static string NamesAt(string table, string column, string key, string alias, string? at)
    {
        var number = table == "volunteers" ? "n.number" : "null::text";
        return at is null
            ? $"left join lateral (select n.{column} as name, {number} as number from {table} n where n.organization_id = $1 and n.id = {key}) {alias} on true"
            : $"""
               left join lateral (
                   select name, number, until, id from former_states where organization_id = $1 and subject_id = {key} and until > {at}
                   union all
                   select n.{column}, {number}, 'infinity', n.id from {table} n where n.organization_id = $1 and n.id = {key}
                   order by until, id limit 1) {alias} on true
               """;
    }

    private static ReportGroup Time(string name, CellKind kind, string key, string? keyInTotals, Func<DbDataReader, int, object?> read) => new()
    {
        Name = name, Key = key, KeyInTotals = keyInTotals, Show = "g.by_" + name, OrderBy = "g.by_" + name, Read = read,
        Columns = [new("report_" + name, value => value is string month ? DateOnly.ParseExact(month, "yyyy-MM", CultureInfo.InvariantCulture) : value, kind)],
    };

    private static string Text(DbDataReader row, int at) => row.IsDBNull(at) ? "" : row.GetString(at);
}

/// <summary>A team in a report.</summary>
internal sealed record ReportTeam(Guid Id, string Name);

/// <summary>A volunteer in a report: no more of the person than number and name.</summary>
internal sealed record ReportVolunteer(Guid Id, string Number, string Name);

/// <summary>An activity in a report.</summary>
internal sealed record ReportActivity(Guid Id, string Title);

/// <summary>A project in a report.</summary>
internal sealed record ReportProject(Guid Id, string Title);
