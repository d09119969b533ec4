using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;

namespace Volunteers.Data;

/// <summary>For <c>dotnet ef</c>, which reads the model and connects to nothing.</summary>
internal sealed class DesignTimeDb : IDesignTimeDbContextFactory<VolunteersDb>
{
    public VolunteersDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<VolunteersDb>();
        Database.Configure(options, new NpgsqlDataSourceBuilder("Host=localhost").Build());
        return new VolunteersDb(options.Options);
    }
}
