using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

public sealed class IndexTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public void Every_index_says_above_it_which_query_or_rule_it_serves()
    {
        var indexes = Directory.GetFiles(Sources(), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/Migrations/", StringComparison.Ordinal) && !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .SelectMany(file => File.ReadLines(file).Prepend("").Zip(File.ReadLines(file), (above, line) => (File: Path.GetFileName(file), Above: above.Trim(), Line: line.Trim())))
            .Where(place => place.Line.Contains(".HasIndex(", StringComparison.Ordinal)).ToArray();

        Assert.True(indexes.Length > 80, $"Only {indexes.Length} indexes were found.");
        Assert.Equal([], indexes.Where(index => !index.Above.StartsWith("// ", StringComparison.Ordinal)).Select(index => $"{index.File}: {index.Line}"));
    }

    [Fact]
    public Task No_index_is_there_but_those_that_are_written_down() => InModel(model =>
        Assert.Equal([], model.GetEntityTypes().SelectMany(type => type.GetIndexes())
            .Where(index => ((IConventionIndex)index).GetConfigurationSource() == ConfigurationSource.Convention).Select(index => index.GetDatabaseName())));

    [Fact]
    public Task No_index_is_the_beginning_of_another() => InModel(model =>
        Assert.Equal([], from type in model.GetEntityTypes()
                         let keys = type.GetKeys().Select(key => key.Properties).Concat(type.GetIndexes().Where(index => index.GetFilter() is null).Select(index => index.Properties)).ToArray()
                         from index in type.GetIndexes()
                         where !index.IsUnique && index.GetFilter() is null && index.GetMethod() is null
                         where keys.Any(longer => longer.Count > index.Properties.Count && longer.Take(index.Properties.Count).SequenceEqual(index.Properties))
                         select index.GetDatabaseName()));

    private Task InModel(Action<IModel> assert) => Host.InServices(services =>
    {
        assert(services.GetRequiredService<VolunteersDb>().GetService<IDesignTimeModel>().Model);
        return Task.CompletedTask;
    });

    private static string Sources([System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/Volunteers.Api"));
}
