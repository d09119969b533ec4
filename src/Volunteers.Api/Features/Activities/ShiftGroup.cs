using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Platform;

namespace Volunteers.Features.Activities;

/// <summary>Places of a shift that a group has without names; each may be named later.</summary>
internal sealed class ShiftGroup
{
    private ShiftGroup() { }

    public ShiftGroup(Shift shift, string name, int places, Guid by, DateTimeOffset now)
    {
        shift.Take(places);
        Id = Guid.CreateVersion7(now);
        (OrganizationId, ShiftId, Title, Places, SignedUpBy, SignedUpAt) = (shift.OrganizationId, shift.Id, name, places, by, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public Guid ShiftId { get; private set; }

    public string Title { get; private set; } = "";

    public int Places { get; private set; }

    /// <summary>How many of them have a name by now.</summary>
    public int Named { get; private set; }

    public Guid SignedUpBy { get; private set; }

    public DateTimeOffset SignedUpAt { get; private set; }

    public void Name()
    {
        if (Named == Places) throw new RuleBreach("group_all_named", Places);
        Named++;
    }

    /// <summary>Gives back what has no name yet; who was named keeps their place.</summary>
    public void GiveBack(Shift shift)
    {
        shift.Free(Places - Named);
        CallOff();
    }

    public void CallOff() => Places = Named;

    internal sealed class Configuration : IEntityTypeConfiguration<ShiftGroup>
    {
        public void Configure(EntityTypeBuilder<ShiftGroup> builder)
        {
            builder.ToTable("shift_groups", table => table.HasCheckConstraint("group_all_named", "named between 0 and places"));
            builder.HasKey(g => new { g.OrganizationId, g.Id });
            builder.Property(g => g.Title).HasMaxLength(100);
            builder.HasOne<Shift>().WithMany().HasForeignKey(g => new { g.OrganizationId, g.ShiftId })
                .HasConstraintName("shift_not_found").OnDelete(DeleteBehavior.Restrict);
            // The groups of a shift.
            builder.HasIndex(g => new { g.OrganizationId, g.ShiftId });
        }
    }
}
