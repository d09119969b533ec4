using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Mvc;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>What the file is, and whether it is meant.</summary>
/// <param name="Resource">What the file holds.</param>
/// <param name="DryRun">Say what the import would do, and do nothing.</param>
internal sealed record JobImportQuery([property: FromQuery] JobResource Resource, [property: FromQuery] bool? DryRun = null);

/// <summary>What to export.</summary>
/// <param name="Resource">What the file is to hold.</param>
/// <param name="Format">The form of the file.</param>
/// <param name="From">First local day: of service, or on which activities start. Not for the roster.</param>
/// <param name="To">Last local day. Not for the roster.</param>
/// <param name="TeamId">Only of exactly this team; its sub-teams are not included.</param>
internal sealed record JobExportRequest(JobResource Resource, JobFormat Format, DateOnly? From = null, DateOnly? To = null, Guid? TeamId = null)
{
    internal sealed class Validator : AbstractValidator<JobExportRequest>
    {
        public Validator()
        {
            RuleFor(request => request.To).Must((request, to) => to is null || request.From is null || to >= request.From).WithMessage(_ => Messages.Title("to_before_from"));
            RuleFor(request => request.From).Null().When(request => request.Resource == JobResource.Roster);
            RuleFor(request => request.To).Null().When(request => request.Resource == JobResource.Roster);
        }
    }
}

/// <summary>Which jobs to list.</summary>
/// <param name="Kind">Imports or exports.</param>
/// <param name="State">Queued, running, succeeded, failed or cancelled.</param>
internal sealed record JobListFilter([property: FromQuery] JobKind? Kind = null, [property: FromQuery] JobState? State = null)
{
    public IQueryable<Job> Apply(IQueryable<Job> jobs)
    {
        if (Kind is { } kind) jobs = jobs.Where(j => j.Kind == kind);
        if (State is { } state) jobs = jobs.Where(j => j.State == state);
        return jobs;
    }
}

/// <summary>How far a job is.</summary>
/// <param name="Total">Rows of the file; null until they are counted.</param>
/// <param name="Done">Rows that were gone through; of an import, the sum of the four that follow.</param>
/// <param name="Created">Rows that made something new.</param>
/// <param name="Updated">Rows that changed something.</param>
/// <param name="Unchanged">Rows that say what is known already.</param>
/// <param name="Refused">Rows that were refused; the result says which, and why.</param>
internal sealed record JobCounts(int? Total, int Done, int Created, int Updated, int Unchanged, int Refused);

/// <summary>Why a job could not go on.</summary>
/// <param name="Code">
/// Stable. <c>job_right_lost</c> (whoever asked may not any more), <c>export_too_large</c> (rows), <c>export_file_too_large</c>, <c>job_broke</c> (the service failed five
/// times), <c>personal_key_missing</c> (the key that the file was sealed with, for an hour), or why the file cannot be read, as <c>importVolunteers</c> refuses one.
/// </param>
/// <param name="Detail">In the language of the request.</param>
internal sealed record JobFailure(string Code, string Detail)
{
    public static JobFailure? Of(string? code, string[] arguments) => code is null ? null : new JobFailure(code, Messages.Detail(code, arguments));
}

/// <summary>A file that is taken in or drawn in the background.</summary>
/// <param name="Id">The job.</param>
/// <param name="Kind">Import or export.</param>
/// <param name="Resource">What the file holds.</param>
/// <param name="Format">The form of the file.</param>
/// <param name="DryRun">Nothing is written.</param>
/// <param name="From">First local day of an export.</param>
/// <param name="To">Last local day of an export.</param>
/// <param name="TeamId">The team of an export.</param>
/// <param name="State">Where it stands; succeeded, failed and cancelled are for ever.</param>
/// <param name="Counts">How far it is.</param>
/// <param name="Failure">Why it failed.</param>
/// <param name="FileBytes">The size of the file that came in or was drawn; null while there is none, and once it is gone.</param>
/// <param name="AskedBy">The account or client that asked for it.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">When it was first taken up.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Version">Grows with every step.</param>
internal sealed record JobView(
    Guid Id, JobKind Kind, JobResource Resource, JobFormat Format, bool DryRun, DateOnly? From, DateOnly? To, Guid? TeamId, JobState State, JobCounts Counts, JobFailure? Failure,
    long? FileBytes, Guid AskedBy, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, long Version) : IVersioned
{
    public static Expression<Func<Job, JobView>> Projection => j => new JobView(
        j.Id, j.Kind, j.Resource, j.Format, j.DryRun, j.From, j.To, j.TeamId, j.State, new JobCounts(j.Total, j.Done, j.Created, j.Updated, j.Unchanged, j.Refused),
        JobFailure.Of(j.FailureCode, j.FailureArguments), j.FileBytes, j.AskedBy, j.CreatedAt, j.StartedAt, j.FinishedAt, j.Version);

    public static JobView Of(Job job) => Compiled(job);

    private static readonly Func<Job, JobView> Compiled = Projection.Compile();

    internal bool IsOver => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
}
