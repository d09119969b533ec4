using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Volunteers.Data;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>The model that the service starts with is generated: it must be the one that the entities describe.</summary>
public sealed class CompiledModelTests
{
    [Fact]
    public void The_compiled_model_is_the_model()
    {
        using var db = new DesignTimeDb().CreateDbContext([]);
        var (described, compiled) = (Lines(db.GetService<IDesignTimeModel>().Model), Lines(db.Model));

        var stale = described.Except(compiled).Concat(compiled.Except(described)).ToArray();
        Assert.True(stale.Length == 0, "Generate the compiled model again, as README.md says. It differs in:\n" + string.Join('\n', stale));
        Assert.True(described.Length > 1_000 && db.Model.GetType().Name == "VolunteersDbModel");
    }

    private static string[] Lines(IModel model) =>
    [
        .. model.ToDebugString(MetadataDebugStringOptions.ShortDefault).Split('\n'),
        .. from entity in model.GetEntityTypes()
           from property in entity.GetProperties()
           select $"{entity.GetTableName()}.{property.GetColumnName()} {property.GetColumnType()} of {entity.Name}.{property.Name} "
               + $"{property.IsNullable} {property.IsConcurrencyToken} {property.GetBeforeSaveBehavior()} {property.GetAfterSaveBehavior()} {property.GetTypeMapping().Converter?.GetType()}",
    ];
}
