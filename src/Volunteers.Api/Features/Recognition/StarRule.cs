using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;

namespace Volunteers.Features.Recognition;

/// <summary>What one level asks.</summary>
/// <param name="Level">1, 2, 3 … in order.</param>
/// <param name="Hours">Whole hours, more than for the level before; at most 100,000.</param>
/// <param name="MonthsRegistered">Whole months since the volunteer joined, not fewer than for the level before; 0 asks for none.</param>
internal sealed record StarLevel(int Level, int Hours, int MonthsRegistered = 0)
{
    internal long Minutes => Hours * 60L;

    /// <summary>Months, begun ones included, until the tenure is complete.</summary>
    internal int MissingMonths(DateOnly joinedOn, DateOnly day)
    {
        var months = 0;
        while (day.AddMonths(months) < joinedOn.AddMonths(MonthsRegistered)) months++;
        return months;
    }
}

/// <summary>How an organization gives stars from a day on. Insert-only: another rule is another version.</summary>
internal sealed class StarRule
{
    private StarRule() { }

    public StarRule(
        Guid organizationId, int version, DateOnly effectiveFrom, IReadOnlyList<StarLevel> levels, IReadOnlyList<Evidence> evidence, int publicityDays,
        Guid createdBy, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Version, EffectiveFrom, PublicityDays, CreatedBy, CreatedAt) = (organizationId, version, effectiveFrom, publicityDays, createdBy, now);
        (Levels, Evidence) = ([.. levels], [.. evidence.Distinct().Order().Select(Word)]);
    }

    /// <summary>100, 300, 600, 1000 and 1500 hours, as the record measure of 2012 has it: version 0, for who has made no rule.</summary>
    public static StarRule Default { get; } = new()
    {
        Levels = [new(1, 100), new(2, 300), new(3, 600), new(4, 1000), new(5, 1500)], Evidence = [.. Enum.GetValues<Evidence>().Select(Word)],
        EffectiveFrom = DateOnly.MinValue, PublicityDays = 7,
    };

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    public int Version { get; private set; }

    /// <summary>The first local day on which it is in force.</summary>
    public DateOnly EffectiveFrom { get; private set; }

    public List<StarLevel> Levels { get; private set; } = [];

    /// <summary>Which evidence counts, in the words of the ledger.</summary>
    public string[] Evidence { get; private set; } = [];

    public int PublicityDays { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }

    public Guid CreatedBy { get; private set; }

    public static string Word(Evidence evidence) => evidence.ToString().ToLowerInvariant();

    internal sealed class Configuration : IEntityTypeConfiguration<StarRule>
    {
        public void Configure(EntityTypeBuilder<StarRule> builder)
        {
            builder.ToTable("star_rules");
            builder.HasKey(r => new { r.OrganizationId, r.Id });
            builder.ComplexCollection(r => r.Levels, levels =>
            {
                levels.ToJson();
                levels.Ignore(level => level.Minutes);
            });
            builder.HasOne<Organization>().WithMany().HasForeignKey(r => r.OrganizationId);
            // One version after the other; the last counts.
            builder.HasIndex(r => new { r.OrganizationId, r.Version }).IsUnique();
        }
    }
}

/// <summary>The rules of an organization up to a day, in the order in which they came into force; the default before them.</summary>
internal sealed class StarRules
{
    private readonly List<StarRule> inForce;

    /// <summary>Of two that begin on one day the later version holds; one made later for an earlier day ends when the next begins.</summary>
    private StarRules(IEnumerable<StarRule> all, DateOnly day) => inForce =
        [StarRule.Default, .. all.Where(rule => rule.EffectiveFrom <= day).GroupBy(rule => rule.EffectiveFrom).OrderBy(group => group.Key).Select(group => group.MaxBy(rule => rule.Version)!)];

    public StarRule Current => inForce[^1];

    /// <summary>
    /// The day from which each level is given on its present terms: the same hours, months and evidence in every rule since.
    /// Null where the default has them too, because it has always held.
    /// </summary>
    public DateOnly? Since(StarLevel level)
    {
        var first = inForce.Count - 1;
        while (first > 0 && inForce[first - 1].Levels.Contains(level) && inForce[first - 1].Evidence.SequenceEqual(Current.Evidence)) first--;
        return first == 0 ? null : inForce[first].EffectiveFrom;
    }

    /// <param name="db">Where they are kept.</param>
    /// <param name="organizationId">Whose rules.</param>
    /// <param name="day">Those in force on it.</param>
    /// <param name="at">Those made by then: a rule made later on the same day changes nothing of what was before.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<StarRules> Load(VolunteersDb db, Guid organizationId, DateOnly day, DateTimeOffset at, CancellationToken ct) =>
        new(await db.StarRules.AsNoTracking().Where(rule => rule.OrganizationId == organizationId && rule.CreatedAt <= at).ToListAsync(ct), day);
}
