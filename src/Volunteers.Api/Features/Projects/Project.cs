using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Projects;

/// <summary>Where a project stands in the library.</summary>
internal enum ProjectStatus
{
    Proposed,
    Adopted,
    Retired,
}

/// <summary>What an activity made from a project starts with.</summary>
/// <param name="Minutes">Planned length, 1 to 1440.</param>
/// <param name="Capacity">Places, 1 to 100,000; null for no limit.</param>
/// <param name="Posts">Names of the posts to fill, at most 20.</param>
internal sealed record ProjectDefaults(int? Minutes = null, int? Capacity = null, IReadOnlyList<string>? Posts = null)
{
    public IReadOnlyList<string> Posts { get; init; } = Posts ?? [];
}

/// <summary>A reusable template in the project library.</summary>
internal sealed class Project : IVersioned
{
    private Project() { }

    public Project(Guid organizationId, string title, string category, string? summary, ProjectDefaults? defaults, ProjectStatus status, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, CreatedAt) = (organizationId, now);
        Change(title, category, summary, defaults, status);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Title { get; private set; } = "";

    public string Category { get; private set; } = "";

    public string? Summary { get; private set; }

    public ProjectDefaults Defaults { get; private set; } = new();

    public ProjectStatus Status { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public void Change(string title, string category, string? summary, ProjectDefaults? defaults, ProjectStatus status) =>
        (Title, Category, Summary, Defaults, Status) = (title, category, summary, defaults ?? new(), status);

    internal sealed class Configuration : IEntityTypeConfiguration<Project>
    {
        public void Configure(EntityTypeBuilder<Project> builder)
        {
            builder.ToTable("projects");
            builder.HasKey(p => new { p.OrganizationId, p.Id });
            builder.Property(p => p.Title).HasMaxLength(100);
            builder.Property(p => p.Category).HasMaxLength(50);
            builder.Property(p => p.Summary).HasMaxLength(4000);
            builder.ComplexProperty(p => p.Defaults, defaults => defaults.ToJson());
            builder.HasOne<Organization>().WithMany().HasForeignKey(p => p.OrganizationId);
        }
    }
}
