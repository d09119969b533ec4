using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace Volunteers.Benchmarks.Core;

/// <summary>Entities into their table through binary COPY, columns and conversions as the service's own model has them.</summary>
internal sealed class BinaryCopy<T> : IAsyncDisposable where T : class
{
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlBinaryImporter importer;
    private readonly Column[] columns;

    private BinaryCopy(NpgsqlConnection connection, NpgsqlBinaryImporter importer, Column[] columns) =>
        (this.connection, this.importer, this.columns) = (connection, importer, columns);

    public static async Task<BinaryCopy<T>> Begin(DbContext db)
    {
        var type = db.Model.FindEntityType(typeof(T))!;
        Column[] columns = [.. type.GetProperties().Where(IsWritten).Select(property => new Column(property))];
        var connection = new NpgsqlConnection(db.Database.GetConnectionString());
        await connection.OpenAsync();
        var importer = await connection.BeginBinaryImportAsync($"copy {type.GetTableName()} ({string.Join(", ", columns.Select(column => column.Name))}) from stdin (format binary)");
        return new BinaryCopy<T>(connection, importer, columns);
    }

    public void Write(T entity)
    {
        importer.StartRow();
        foreach (var column in columns)
        {
            if (column.ValueOf(entity) is { } value) importer.Write(value, column.StoreType);
            else importer.WriteNull();
        }
    }

    public async Task Complete() => await importer.CompleteAsync();

    public async ValueTask DisposeAsync()
    {
        await importer.DisposeAsync();
        await connection.DisposeAsync();
    }

    /// <summary>What the database gives or computes is left to it.</summary>
    private static bool IsWritten(IProperty property) => property is { PropertyInfo: not null } && property.GetComputedColumnSql() is null
        && property.GetDefaultValueSql() is null && property.GetValueGenerationStrategy() is NpgsqlValueGenerationStrategy.None;

    private sealed class Column(IProperty property)
    {
        private readonly IClrPropertyGetter getter = property.GetGetter();
        private readonly Func<object?, object?>? convert = property.GetTypeMapping().Converter?.ConvertToProvider;

        public string Name { get; } = property.GetColumnName();

        /// <summary>Without its length.</summary>
        public string StoreType { get; } = property.GetColumnType().Split('(')[0];

        public object? ValueOf(T entity)
        {
            var value = getter.GetClrValue(entity);
            return value is null || convert is null ? value : convert(value);
        }
    }
}
