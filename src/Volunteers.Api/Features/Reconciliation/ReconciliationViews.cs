using System.Linq.Expressions;
using System.Reflection;
using FluentValidation;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reconciliation;

/// <summary>What an export is held against, and how it is read.</summary>
/// <param name="Mapping">The saved column mapping by which the file is read.</param>
/// <param name="From">First local day of service.</param>
/// <param name="To">Last local day of service; at most a year after the first.</param>
/// <param name="Team">Only service in this team and its sub-teams, of people who are or were in them; rows of others are <c>unmatched</c>.</param>
internal sealed record ReconciliationQuery(
    [property: FromQuery] string Mapping, [property: FromQuery] DateOnly From, [property: FromQuery] DateOnly To, [property: FromQuery] Guid? Team = null)
{
    internal sealed class Validator : AbstractValidator<ReconciliationQuery>
    {
        public Validator()
        {
            RuleFor(query => query.Mapping).Line(60);
            RuleFor(query => query.To).GreaterThanOrEqualTo(query => query.From).WithMessage(_ => Messages.Title("to_before_from"));
            RuleFor(query => query.To).LessThanOrEqualTo(query => query.From.AddYears(1)).WithMessage(_ => Messages.Title("at_most_a_year"));
        }
    }
}

/// <summary>Which rows to list.</summary>
/// <param name="List">Only this list.</param>
/// <param name="Volunteer">Only of this volunteer.</param>
internal sealed record ReconciliationRowFilter([property: FromQuery] ReconciliationList? List = null, [property: FromQuery] Guid? Volunteer = null)
{
    public IQueryable<ReconciliationRow> Apply(IQueryable<ReconciliationRow> rows)
    {
        if (List is { } list) rows = rows.Where(r => r.List == list);
        if (Volunteer is { } volunteer) rows = rows.Where(r => r.VolunteerId == volunteer);
        return rows;
    }
}

/// <summary>Which rows to book, and under what: an activity, or a team and a category.</summary>
/// <param name="Rows">Rows of the list <c>missingHere</c>, as the spreadsheet numbers them; all of them when not given.</param>
/// <param name="ActivityId">The activity that all of it was given for.</param>
/// <param name="TeamId">In place of an activity: the team it was given in. Each activity that the file names gets one of that name, day by day.</param>
/// <param name="Category">With a team: the category of those activities; at most 50 characters.</param>
/// <param name="SkipRefused">Book the others when a row is refused; false by default.</param>
internal sealed record ReconciliationImportRequest(
    IReadOnlyList<int>? Rows = null, Guid? ActivityId = null, Guid? TeamId = null, string? Category = null, bool SkipRefused = false)
{
    internal sealed class Validator : AbstractValidator<ReconciliationImportRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Rows).Between(1, UpstreamFile.MostRows).WithMessage(_ => Messages.Title("too_many_import_rows"));
            RuleFor(request => request.Rows).Must(rows => rows is null || rows.Distinct().Count() == rows.Count).WithMessage(_ => Messages.Title("each_once"));
            RuleFor(request => request.ActivityId).Must((request, activity) => activity is null == request.TeamId is not null).WithMessage(_ => Messages.Title("activity_or_team"));
            RuleFor(request => request.Category).OptionalLine(50).MinimumLength(1);
            RuleFor(request => request.Category).Must((request, category) => category is null == request.TeamId is null).WithMessage(_ => Messages.Title("team_with_category"));
        }
    }
}

/// <summary>What came of holding an export against the service of a period.</summary>
/// <param name="Id">The reconciliation.</param>
/// <param name="Mapping">The column mapping by which the file was read.</param>
/// <param name="System">The other system.</param>
/// <param name="From">First local day.</param>
/// <param name="To">Last local day.</param>
/// <param name="TeamId">The team it was limited to.</param>
/// <param name="FileRows">Rows of the file.</param>
/// <param name="Counts">How many rows came into each list.</param>
/// <param name="MinutesThere">Of all rows of the file that could be read.</param>
/// <param name="MinutesHere">Of all records that were compared.</param>
/// <param name="Difference">Minutes here less minutes there: the sum of the rows' differences.</param>
/// <param name="LedgerPosition">The position of the ledger that it was held against.</param>
/// <param name="Imported">Rows of which records were made by an import of this reconciliation.</param>
/// <param name="CreatedBy">The account or client that sent the file.</param>
/// <param name="CreatedAt">When; the lists are as of then.</param>
/// <param name="Version">Grows by one with every import.</param>
internal sealed record ReconciliationView(
    Guid Id, string Mapping, string System, DateOnly From, DateOnly To, Guid? TeamId, int FileRows, ReconciliationCounts Counts,
    long MinutesThere, long MinutesHere, long Difference, long LedgerPosition, int Imported, Guid CreatedBy, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<ReconciliationRun, ReconciliationView>> Projection => r => new ReconciliationView(
        r.Id, r.Mapping, r.System, r.From, r.To, r.TeamId, r.FileRows, r.Counts, r.MinutesThere, r.MinutesHere, r.MinutesHere - r.MinutesThere,
        r.LedgerPosition, r.Imported, r.CreatedBy, r.CreatedAt, r.Version);

    public static ReconciliationView Of(ReconciliationRun run) => Compiled(run);

    private static readonly Func<ReconciliationRun, ReconciliationView> Compiled = Projection.Compile();
}

/// <summary>A person as the file names them, of a row for which nobody was found here.</summary>
/// <param name="Number">As the file writes it.</param>
/// <param name="Name">As the file writes it.</param>
/// <param name="PhoneEnding">The last four digits of the phone number.</param>
internal sealed record UpstreamPersonView(string? Number, string? Name, string? PhoneEnding);

/// <summary>The volunteer that a row is about.</summary>
internal sealed record ReconciledVolunteer(Guid Id, string Number, string Name);

/// <summary>One row of the file, one record here, or both.</summary>
/// <param name="List">Where it belongs.</param>
/// <param name="Row">The row of the file, as the spreadsheet numbers it; null for a record that is not in it.</param>
/// <param name="Volunteer">Who was found.</param>
/// <param name="Person">Of a row for which nobody was found: what the file calls them.</param>
/// <param name="Date">The local day, as the file has it.</param>
/// <param name="StartsAt">The start, as the file has it.</param>
/// <param name="EndsAt">The end, as the file has it.</param>
/// <param name="Activity">What the file calls the activity; of a record that is not in it, the activity here.</param>
/// <param name="Reference">The other system's number of the row; one made from the row's content when it has none.</param>
/// <param name="MinutesThere">As the file has it.</param>
/// <param name="RecordId">The record here.</param>
/// <param name="DateHere">The record's local day.</param>
/// <param name="MinutesHere">The record's minutes at the time of the reconciliation.</param>
/// <param name="Difference">Minutes here less minutes there; what a side does not have counts as 0.</param>
/// <param name="WaitingRecordId">A record that was submitted and waits for review; as long as it does, the row cannot be imported.</param>
/// <param name="ImportedRecordId">The record that was made of this row by an import.</param>
/// <param name="Code">
/// Why the row cannot be compared; stable. <c>person_missing</c>, <c>nobody_found</c>, <c>several_found</c>, <c>number_and_name_differ</c>, <c>not_in_team</c>,
/// <c>service_of_another_team</c>, <c>outside_period</c>, <c>duplicate_reference</c>, <c>unreadable_date</c>, <c>unreadable_time</c>, <c>unreadable_minutes</c>, <c>start_on_another_day</c>.
/// </param>
/// <param name="Column">The heading of the cell that the code is about.</param>
internal sealed record ReconciliationRowView(
    ReconciliationList List, int? Row, ReconciledVolunteer? Volunteer, UpstreamPersonView? Person, DateOnly? Date, DateTimeOffset? StartsAt, DateTimeOffset? EndsAt,
    string? Activity, string? Reference, int? MinutesThere, Guid? RecordId, DateOnly? DateHere, int? MinutesHere, int Difference,
    Guid? WaitingRecordId, Guid? ImportedRecordId, string? Code, string? Column) : IAboutVolunteer
{
    Guid? IAboutVolunteer.VolunteerId => Volunteer?.Id;

    /// <summary>The code in words, in the language of the request.</summary>
    public string? Detail => Code is null ? null : Messages.Detail(Code);

    public static Expression<Func<ReconciliationRow, ReconciliationRowView>> Projection(VolunteersDb db) => r => new ReconciliationRowView(
        r.List, r.FileRow,
        r.VolunteerId == null ? null : new ReconciledVolunteer(r.VolunteerId.Value,
            db.Volunteers.Where(v => v.OrganizationId == r.OrganizationId && v.Id == r.VolunteerId).Select(v => v.Number).First(),
            db.Volunteers.Where(v => v.OrganizationId == r.OrganizationId && v.Id == r.VolunteerId).Select(v => v.Name).First()),
        r.List == ReconciliationList.Unmatched && r.VolunteerId == null ? new UpstreamPersonView(r.PersonNumber, r.PersonName, r.PersonPhone) : null,
        r.Day, r.StartsAt, r.EndsAt, r.Activity, r.Reference, r.MinutesThere, r.RecordId, r.DayHere, r.MinutesHere, (r.MinutesHere ?? 0) - (r.MinutesThere ?? 0),
        r.WaitingRecordId, r.ImportedRecordId, r.Code, r.Column);
}

/// <summary>What an import did.</summary>
/// <param name="Imported">Rows of which records were made.</param>
/// <param name="Already">Rows that had become records before; nothing was done about them.</param>
/// <param name="Refused">Rows that were refused, by their number in the file, and why.</param>
internal sealed record ReconciliationImportView(int Imported, int Already, IReadOnlyList<ImportRefusal> Refused);

/// <summary>409 with every row that was refused.</summary>
internal sealed class ReconciliationImportRefused(ReconciliationImportView view) : IResult, IEndpointMetadataProvider
{
    public Task ExecuteAsync(HttpContext http)
    {
        var problem = Problems.Of(StatusCodes.Status409Conflict, "reconciliation_import_refused", view.Refused.Count);
        problem.Extensions["refused"] = view.Refused;
        return Problems.Write(http, problem);
    }

    // The 409 stands in RefusesWith, as for every operation.
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) { }
}
