using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Volunteers.Platform.Audit;

/// <summary>One member of a row, as the trail shows it.</summary>
/// <param name="Name">As the API writes it.</param>
/// <param name="Property">Where it is read.</param>
/// <param name="IsText">It may say something about a person, so its values stand beside the event.</param>
/// <param name="Mask">How much of them.</param>
internal sealed record AuditedMember(string Name, PropertyInfo Property, bool IsText, Mask Mask)
{
    public JsonNode? Read(object row) => Masks.Of(Plain(row), Mask);

    /// <summary>Compared before it is masked: another phone number may look the same.</summary>
    public JsonNode? Plain(object row) => Property.GetValue(row) is { } value ? JsonSerializer.SerializeToNode(value, value.GetType(), Json.Options) : null;
}

/// <summary>
/// What the audit trail notes of a kind of row: everything that is mapped, but keys, versions and secrets. Ids, figures, words of an
/// enum, days and instants go into the event; whatever is text goes beside it, and masked where it is marked as personal.
/// </summary>
internal sealed class AuditedType
{
    private static readonly ConcurrentDictionary<IEntityType, AuditedType?> Known = new();

    /// <summary>The event says it, or it says nothing.</summary>
    private static readonly string[] Told = [nameof(IVersioned.Version), "OrganizationId", "CreatedAt", "CreatedBy"];

    private readonly PropertyInfo[] keys;
    private readonly PropertyInfo? organization;

    private AuditedType(IEntityType type)
    {
        var clr = type.ClrType;
        Name = JsonNamingPolicy.CamelCase.ConvertName(clr.Name);
        ForgetsDeleted = clr.IsDefined(typeof(ForgottenWhenDeletedAttribute));
        KeepsHistory = clr.IsDefined(typeof(HistoryKeptAttribute));
        organization = clr.GetProperty("OrganizationId");
        keys = [.. type.FindPrimaryKey()!.Properties.Select(key => key.PropertyInfo!).Where(key => key.Name != "OrganizationId")];
        if (keys.Length == 0) keys = [organization!];
        Members =
        [
            .. type.GetProperties().Where(property => property is { PropertyInfo: not null, ValueGenerated: ValueGenerated.Never or ValueGenerated.OnAdd } && !property.IsPrimaryKey())
                .Select(property => property.PropertyInfo!)
                .Concat(type.GetComplexProperties().Select(property => property.PropertyInfo!))
                .Where(property => property.PropertyType != typeof(byte[]) && !Told.Contains(property.Name) && !Skips(clr, property))
                .Select(property => MemberOf(clr, property)),
        ];
    }

    public string Name { get; }

    public bool KeepsHistory { get; }

    public bool ForgetsDeleted { get; }

    public IReadOnlyList<AuditedMember> Members { get; }

    /// <summary>Null for what the trail takes no notice of: rows of libraries and of the platform, and those that are marked so.</summary>
    public static AuditedType? Of(IEntityType type) => Known.GetOrAdd(type, static type =>
        type.ClrType.Assembly != typeof(AuditedType).Assembly || type.ClrType.Namespace!.StartsWith(typeof(Caller).Namespace!, StringComparison.Ordinal) || type.FindPrimaryKey() is null || type.ClrType.GetCustomAttributes<NotAuditedAttribute>().Any(mark => mark.Member is null)
            ? null
            : new AuditedType(type));

    public Guid? OrganizationOf(object row) => organization?.GetValue(row) as Guid?;

    public string IdOf(object row) => string.Join('/', keys.Select(key => Text(key.GetValue(row))));

    /// <summary>Whom its texts are about: the volunteer, or the thing itself.</summary>
    public Guid? SubjectOf(object row) => AboutVolunteer.Of(row) ?? (keys is [var key] ? key.GetValue(row) as Guid? : null);

    private static string Text(object? key) => key is string text ? text : JsonSerializer.Serialize(key, Json.Options).Trim('"');

    private static bool Skips(Type clr, PropertyInfo property) =>
        property.IsDefined(typeof(NotAuditedAttribute)) || clr.GetCustomAttributes<NotAuditedAttribute>().Any(mark => mark.Member == property.Name);

    private static AuditedMember MemberOf(Type clr, PropertyInfo property)
    {
        var personal = property.GetCustomAttribute<PersonalAttribute>() ?? clr.GetCustomAttributes<PersonalAttribute>().FirstOrDefault(mark => mark.Member == property.Name);
        return new AuditedMember(JsonNamingPolicy.CamelCase.ConvertName(property.Name), property, personal is not null || !IsFigure(property.PropertyType), personal?.Mask ?? Mask.Whole);
    }

    private static bool IsFigure(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsEnum || type.IsPrimitive || type == typeof(decimal) || type == typeof(Guid) || type == typeof(DateTimeOffset) || type == typeof(DateOnly) || type == typeof(TimeOnly);
    }
}

/// <summary>Which volunteer something is about: a row, or what an answer shows.</summary>
internal static class AboutVolunteer
{
    private static readonly ConcurrentDictionary<Type, PropertyInfo?> Properties = new();

    public static Guid? Of(object something) => something is IAboutVolunteer about
        ? about.VolunteerId
        : Find(something.GetType())?.GetValue(something) as Guid?;

    public static bool IsSaidBy(Type type) => type.IsAssignableTo(typeof(IAboutVolunteer)) || Find(type) is not null;

    private static PropertyInfo? Find(Type type) => Properties.GetOrAdd(type, static type =>
        type.GetProperty(nameof(IAboutVolunteer.VolunteerId)) is { } property && (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(Guid) ? property : null);
}
