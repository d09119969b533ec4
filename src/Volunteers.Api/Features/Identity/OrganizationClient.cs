using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// Another system that acts for one organization with the client credentials grant. Its secret is kept, hashed, by the
/// authorization server under <see cref="ClientId"/>.
/// </summary>
internal sealed class OrganizationClient : IVersioned
{
    private OrganizationClient() { }

    public OrganizationClient(Guid organizationId, string name, Role role, Guid createdBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Name, Role, CreatedBy, CreatedAt) = (organizationId, name, role, createdBy, now);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public string Name { get; private set; } = "";

    public Role Role { get; private set; }

    public Guid CreatedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public string ClientId => IdOf(OrganizationId, Id);

    public static string IdOf(Guid organizationId, Guid id) => $"{organizationId:n}.{id:n}";

    /// <summary>The organization stands first, so that the row is found where it lives.</summary>
    public static (Guid OrganizationId, Guid Id)? Read(string clientId) =>
        clientId.Split('.') is [var organization, var client]
        && Guid.TryParseExact(organization, "N", out var organizationId) && Guid.TryParseExact(client, "N", out var id)
            ? (organizationId, id)
            : null;

    internal sealed class Configuration : IEntityTypeConfiguration<OrganizationClient>
    {
        public void Configure(EntityTypeBuilder<OrganizationClient> builder)
        {
            builder.ToTable("organization_clients");
            builder.HasKey(c => new { c.OrganizationId, c.Id });
            builder.Property(c => c.Name).HasMaxLength(100);
            builder.HasOne<Organization>().WithMany().HasForeignKey(c => c.OrganizationId);
            builder.Ignore(c => c.ClientId);
        }
    }
}
