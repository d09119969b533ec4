using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform.Audit;

namespace Volunteers.Data;

/// <summary>That a folder of seeds was loaded, so that it is loaded once.</summary>
[NotAudited]
internal sealed class SeedLoad
{
    private SeedLoad() { }

    public string Name { get; private set; } = "";

    public Guid OrganizationId { get; private set; }

    public DateTimeOffset LoadedAt { get; private set; }

    internal sealed class Configuration : IEntityTypeConfiguration<SeedLoad>
    {
        public void Configure(EntityTypeBuilder<SeedLoad> builder)
        {
            builder.ToTable("seed_loads");
            builder.HasKey(load => load.Name);
            builder.Property(load => load.Name).HasMaxLength(100);
        }
    }
}
