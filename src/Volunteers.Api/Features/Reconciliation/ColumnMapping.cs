using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Reconciliation;

/// <summary>Under which heading another system's export holds what; each heading has at most 100 characters.</summary>
/// <param name="Number">Heading of the volunteer number.</param>
/// <param name="Phone">Heading of the phone number.</param>
/// <param name="Name">Heading of the person's name.</param>
/// <param name="Date">Heading of the day of service; may be left out when <c>startsAt</c> holds days too.</param>
/// <param name="Minutes">Heading of the whole minutes given.</param>
/// <param name="Hours">Heading of the hours given, as 1.5 or 1:30.</param>
/// <param name="StartsAt">Heading of the start: a time of day, or a day and a time.</param>
/// <param name="EndsAt">Heading of the end, written as the start is.</param>
/// <param name="Activity">Heading of the activity's name.</param>
/// <param name="Reference">Heading of the other system's own number of the row.</param>
internal sealed record MappedColumns(
    string? Number = null, string? Phone = null, string? Name = null, string? Date = null, string? Minutes = null, string? Hours = null,
    string? StartsAt = null, string? EndsAt = null, string? Activity = null, string? Reference = null)
{
    /// <summary>Each field that has a heading.</summary>
    public IEnumerable<(UpstreamField Field, string Heading)> All()
    {
        (UpstreamField, string?)[] all =
        [
            (UpstreamField.Number, Number), (UpstreamField.Phone, Phone), (UpstreamField.Name, Name), (UpstreamField.Date, Date),
            (UpstreamField.Minutes, Minutes), (UpstreamField.Hours, Hours), (UpstreamField.StartsAt, StartsAt), (UpstreamField.EndsAt, EndsAt),
            (UpstreamField.Activity, Activity), (UpstreamField.Reference, Reference),
        ];
        return all.Where(column => column.Item2 is not null).Select(column => (column.Item1, column.Item2!));
    }
}

/// <summary>What a column of an export may hold.</summary>
internal enum UpstreamField
{
    Number,
    Phone,
    Name,
    Date,
    Minutes,
    Hours,
    StartsAt,
    EndsAt,
    Activity,
    Reference,
}

/// <summary>How the exports of another system are read, kept under a name.</summary>
internal sealed class ColumnMapping : IVersioned
{
    private ColumnMapping() { }

    public ColumnMapping(Guid organizationId, string name, DateTimeOffset now) =>
        (OrganizationId, Id, Name) = (organizationId, Guid.CreateVersion7(now), name);

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Name { get; private set; } = "";

    /// <summary>The other system's name; imported records carry it.</summary>
    public string System { get; private set; } = "";

    public MappedColumns Columns { get; private set; } = new();

    public string[] DateFormats { get; private set; } = [];

    public long Version { get; private set; } = 1;

    public void Set(string system, MappedColumns columns, string[] dateFormats)
    {
        (System, Columns) = (system, columns);
        if (!DateFormats.SequenceEqual(dateFormats)) DateFormats = dateFormats;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<ColumnMapping>
    {
        public void Configure(EntityTypeBuilder<ColumnMapping> builder)
        {
            builder.ToTable("column_mappings");
            builder.HasKey(m => new { m.OrganizationId, m.Id });
            builder.Property(m => m.Name).HasMaxLength(60);
            builder.Property(m => m.System).HasMaxLength(100);
            builder.ComplexProperty(m => m.Columns, columns => columns.ToJson());
            builder.HasOne<Organization>().WithMany().HasForeignKey(m => m.OrganizationId);
            // A mapping is found by its name, which is its own.
            builder.HasIndex(m => new { m.OrganizationId, m.Name }).IsUnique();
        }
    }
}
