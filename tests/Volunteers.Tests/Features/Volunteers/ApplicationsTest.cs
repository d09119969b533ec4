using Npgsql;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Volunteers;

/// <summary>A test about people who apply to an organization.</summary>
public abstract class ApplicationsTest(TestDatabases databases) : ApiTest(databases)
{
    protected const string Phone = "138 0013 8000";

    protected OrganizationSteps O { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        O = await Given.Organization();
    }

    protected static object Application(string name = "王师傅", string phone = Phone, string? message = "周末可以参加接送。", string? hometown = "湖南") =>
        new { name, phone, hometown, message, consent = new { version = "2020-01" } };

    protected Task<Answer> Apply(object application, OrganizationSteps? to = null) =>
        Host.Anonymous.Post($"{(to ?? O).Path}/volunteers/applications", application);

    /// <summary>Somebody new who has applied; answers their id.</summary>
    protected async Task<string> Applicant(string name = "王师傅", string phone = Phone, OrganizationSteps? to = null)
    {
        (await Apply(Application(name, phone), to)).ShouldBe(202);
        var profiles = await Task.WhenAll((await Applicants(to)).Items.Select(item => Profile((string)item!["id"]!, to)));
        return profiles.Single(profile => (string?)profile["phone"] == phone).Id;
    }

    protected async Task<Answer> Applicants(OrganizationSteps? to = null) => (await (to ?? O).Admin.Get("/volunteers?status=applied")).ShouldBe(200);

    /// <summary>Whole, as lists are not.</summary>
    protected async Task<Answer> Profile(string volunteer, OrganizationSteps? to = null) => (await (to ?? O).Admin.Get($"/volunteers/{volunteer}")).ShouldBe(200);

    protected async Task<string> Known(string status = "active", string phone = Phone) =>
        (await O.Admin.Post("/volunteers", new { name = "王师傅", phone, hometown = "湖北", status })).ShouldBe(201).Id;

    /// <summary>Asks the database itself, as its owner.</summary>
    protected async Task<List<string>> Ask(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken)) rows.Add(reader.GetString(0));
        return rows;
    }

    /// <summary>The tables in which a text stands anywhere.</summary>
    protected async Task<List<string>> TablesWith(string text)
    {
        var tables = await Ask("select tablename::text from pg_tables where schemaname = 'public' order by 1");
        Assert.Contains("volunteers", tables);
        return await Ask(string.Join(" union all ", tables.Select(table => $"(select '{table}' from \"{table}\" t where t::text like '%{text}%' limit 1)")));
    }
}
