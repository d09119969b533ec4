using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Volunteers.Data;

namespace Volunteers.Features.Privacy;

/// <summary>A table as the model has it.</summary>
internal sealed record TableShape(IReadOnlyList<string> Keys, IReadOnlyList<ShapedColumn> Columns)
{
    public bool HasVersion => Columns.Any(column => column.Name == "version" && column.Type == typeof(long));

    public IReadOnlySet<string> JsonColumns => Columns.Where(column => column.IsJson).Select(column => column.Name).ToHashSet();

    public int? LongestOf(string column) => Columns.Single(each => each.Name == column).Longest;

    public static TableShape Of(VolunteersDb db, string table)
    {
        var entity = db.Model.GetEntityTypes().Single(type => type.GetTableName() == table);
        var store = StoreObjectIdentifier.Table(table);
        return new TableShape(
            [.. entity.FindPrimaryKey()!.Properties.Select(key => key.GetColumnName(store)!)],
            [
                .. entity.GetProperties().Select(property => new ShapedColumn(property.GetColumnName(store)!, property.ClrType,
                    property.GetColumnType().StartsWith("json", StringComparison.Ordinal), property.GetMaxLength())),
                .. entity.GetComplexProperties().Where(complex => complex.ComplexType.GetContainerColumnName() is not null)
                    .Select(complex => new ShapedColumn(complex.ComplexType.GetContainerColumnName()!, complex.ClrType, IsJson: true, Longest: null)),
            ]);
    }
}

internal sealed record ShapedColumn(string Name, Type Type, bool IsJson, int? Longest)
{
    /// <summary>Whether somebody's name could stand in it: words of an enum, figures, ids and times cannot say one.</summary>
    public bool HoldsText => IsJson || Type == typeof(string) || Type == typeof(byte[]) || (Type != typeof(byte[]) && ElementOf(Type) == typeof(string));

    /// <summary>A word of an enum, which the API writes in another way than the database.</summary>
    public bool IsWord => (Nullable.GetUnderlyingType(Type) ?? Type).IsEnum;

    private static Type? ElementOf(Type type) => type.IsArray ? type.GetElementType() : type.IsGenericType ? type.GetGenericArguments()[0] : null;
}
