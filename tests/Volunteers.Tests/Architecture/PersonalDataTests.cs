using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Privacy;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>No table and no column in which a person may stand is forgotten, neither when they ask what is kept nor when they ask to be forgotten.</summary>
public sealed class PersonalDataTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string[] Persons = ["volunteer_id", "account_id", "user_id", "subject", "subject_id", "responsible_volunteer_id"];

    [Fact]
    public async Task Every_table_of_the_model_says_what_it_keeps_of_people()
    {
        await InDb(db =>
        {
            var tables = db.Model.GetEntityTypes().Select(type => type.GetTableName()!).Distinct().ToArray();

            Assert.True(tables.Length > 50);
            Assert.Equal(tables.Order(), PersonalTables.All.Select(table => table.Name).Order());
            Assert.All(PersonalTables.All, table => Assert.True(table.Kind is null ? table.Untold is { Length: > 5 } : table is { Theirs.Length: > 0, Untold: null }, table.Name));
            Assert.Equal(PersonalTables.All.Count(table => table.Kind is not null), PersonalTables.All.Select(table => table.Kind).OfType<string>().Distinct().Count());
        });
    }

    [Fact]
    public async Task Every_table_with_a_person_in_it_is_told_to_them_or_says_why_not()
    {
        await InDb(db =>
        {
            var withPersons = PersonalTables.All.Where(table => TableShape.Of(db, table.Name).Columns.Any(column => Persons.Contains(column.Name))).ToArray();

            Assert.True(withPersons.Length > 25);
            // The keyed hashes of a number that is told.
            Assert.Equal(["identity_marks"], withPersons.Where(table => table.Kind is null).Select(table => table.Name));
            Assert.All(withPersons.Where(table => table.Kind is not null), table => Assert.Contains(Persons, column => table.Theirs!.Contains(column, StringComparison.Ordinal)));
        });
    }

    [Fact]
    public async Task Every_column_that_can_hold_a_text_is_forgotten_or_says_that_it_names_nobody()
    {
        await InDb(db =>
        {
            var (left, seen) = (new List<string>(), 0);
            foreach (var table in PersonalTables.All.Where(table => table.NamesNobody is null))
            {
                var statements = string.Concat(table.Erase.Concat(table.EraseAccount));
                if (statements.Contains($"delete from {table.Name} ", StringComparison.Ordinal)) continue;
                var columns = TableShape.Of(db, table.Name).Columns.Where(column => column.HoldsText).Select(column => column.Name).ToArray();
                string[] named = [.. table.Texts, .. table.Labels, .. table.Words];
                seen += columns.Length;
                left.AddRange(columns.Where(column => !named.Contains(column) && !table.Secrets.Contains(column) && !statements.Contains($"{column} = ", StringComparison.Ordinal))
                    .Select(column => $"{table.Name}.{column}"));
                left.AddRange(named.Except(columns).Select(column => $"{table.Name}.{column} is no column of texts"));
            }

            Assert.True(seen > 100);
            Assert.Empty(left);
        });
    }

    [Fact]
    public async Task Every_column_that_is_kept_secret_is_a_column()
    {
        await InDb(db => Assert.All(PersonalTables.All, table => Assert.Empty(
            table.Secrets.Except(TableShape.Of(db, table.Name).Columns.Select(column => column.Name)).Except(["period"]).Select(column => $"{table.Name}.{column}"))));
    }

    private Task InDb(Action<VolunteersDb> act) => Host.InServices(services =>
    {
        act(services.GetRequiredService<VolunteersDb>());
        return Task.CompletedTask;
    });
}
