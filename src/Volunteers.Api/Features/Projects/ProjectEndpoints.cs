using System.Linq.Expressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Projects;

internal static class ProjectEndpoints
{
    public static void MapProjects(this RouteGroupBuilder organization)
    {
        var projects = organization.MapGroup("/projects").WithTags("Projects").Scoped(Scope.Activities);

        projects.MapGet("", List).WithName("listProjects").ShowsNoPersonalData();
        projects.MapPost("", Create).WithName("createProject").Allows(Access.Coordinate);
        projects.MapGet("/{projectId:guid}", Get).WithName("getProject").ShowsNoPersonalData().RefusesWith(404);
        projects.MapPatch("/{projectId:guid}", Change).WithName("changeProject").Allows(Access.CoordinateAll).RefusesWith(404);
    }

    /// <summary>Lists the project library.</summary>
    private static Task<Paged<ProjectView>> List(
        [AsParameters] PageQuery page, [AsParameters] ProjectFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var projects = db.Projects.Where(p => p.OrganizationId == tenant.Id);
        if (filter.Category is { } category) projects = projects.Where(p => p.Category == category);
        if (filter.Status is { } status) projects = projects.Where(p => p.Status == status);
        return projects.ToPage(page, p => p.Id, ProjectView.Projection, ct);
    }

    /// <summary>Puts a project into the library. A team coordinator proposes it; who coordinates the whole organization adopts it.</summary>
    private static async Task<Platform.Created<ProjectView>> Create(
        ProjectRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (request.Status != ProjectStatus.Proposed && !tenant.CoordinatesAll) throw RuleBreach.Forbidden("only_proposals");
        var project = new Project(tenant.Id, request.Title, request.Category, request.Summary, request.Defaults, request.Status, clock.GetUtcNow());
        db.Add(project);
        await db.SaveChangesAsync(ct);
        return Answer.Created($"/v1/organizations/{tenant.Id}/projects/{project.Id}", ProjectView.Of(project));
    }

    /// <summary>Shows a project.</summary>
    private static async Task<Results<Found<ProjectView>, NotFound>> Get(Guid projectId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.Projects.Where(p => p.OrganizationId == tenant.Id && p.Id == projectId).Select(ProjectView.Projection).SingleOrDefaultAsync(ct) is { } view
            ? Answer.Found(view)
            : TypedResults.NotFound();

    /// <summary>Changes, adopts or retires a project, which every team uses. Activities made from it stay as they are.</summary>
    private static async Task<Results<Found<ProjectView>, NotFound>> Change(
        Guid projectId, MergePatch<ProjectRequest> patch, IfMatch match, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        var project = await db.Projects.SingleOrDefaultAsync(p => p.OrganizationId == tenant.Id && p.Id == projectId, ct);
        if (project is null) return TypedResults.NotFound();

        match.Check(project);
        var request = await patch.ApplyTo(ProjectRequest.Of(project), ct);
        project.Change(request.Title, request.Category, request.Summary, request.Defaults, request.Status);
        await db.SaveChangesAsync(ct);
        return Answer.Found(ProjectView.Of(project));
    }
}

/// <summary>Which projects to list.</summary>
/// <param name="Category">Exactly this category.</param>
/// <param name="Status">Where they stand in the library.</param>
internal sealed record ProjectFilter([property: FromQuery] string? Category = null, [property: FromQuery] ProjectStatus? Status = null)
{
    internal sealed class Validator : AbstractValidator<ProjectFilter>
    {
        public Validator() => RuleFor(filter => filter.Category).Length(1, 50);
    }
}


/// <summary>A project, as a client writes it.</summary>
/// <param name="Title">At most 100 characters.</param>
/// <param name="Category">The organization's own word, which reports can group by; at most 50 characters.</param>
/// <param name="Summary">At most 4,000 characters.</param>
/// <param name="Defaults">What an activity made from it starts with.</param>
/// <param name="Status">Proposed when not given.</param>
internal sealed record ProjectRequest(
    string Title, string Category, string? Summary = null, ProjectDefaults? Defaults = null, ProjectStatus Status = ProjectStatus.Proposed)
{
    public static ProjectRequest Of(Project project) => new(project.Title, project.Category, project.Summary, project.Defaults, project.Status);

    internal sealed class Validator : AbstractValidator<ProjectRequest>
    {
        public Validator()
        {
            RuleFor(request => request.Title).Line(100);
            RuleFor(request => request.Category).Line(50);
            RuleFor(request => request.Summary).MaximumLength(4000);
            RuleFor(request => request.Defaults!).ChildRules(defaults =>
            {
                defaults.RuleFor(d => d.Minutes).InclusiveBetween(1, 1440);
                defaults.RuleFor(d => d.Capacity).InclusiveBetween(1, 100_000);
                defaults.RuleFor(d => d.Posts).AtMost(20);
                defaults.RuleForEach(d => d.Posts).Line(50);
            }).When(request => request.Defaults is not null);
        }
    }
}

/// <summary>A reusable template in the project library.</summary>
internal sealed record ProjectView(
    Guid Id, string Title, string Category, string? Summary, ProjectDefaults Defaults, ProjectStatus Status, DateTimeOffset CreatedAt, long Version) : IVersioned
{
    public static Expression<Func<Project, ProjectView>> Projection => p =>
        new ProjectView(p.Id, p.Title, p.Category, p.Summary, p.Defaults, p.Status, p.CreatedAt, p.Version);

    public static ProjectView Of(Project project) => Compiled(project);

    private static readonly Func<Project, ProjectView> Compiled = Projection.Compile();
}
