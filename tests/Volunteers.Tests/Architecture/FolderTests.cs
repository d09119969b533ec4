using System.Runtime.CompilerServices;
using Volunteers.Data;
using Volunteers.Platform;
using Xunit;

namespace Volunteers.Tests.Architecture;

public sealed class FolderTests
{
    /// <summary>Who may use whom, in the order of the house. Data holds the one DbContext, so it knows every entity.</summary>
    public static readonly TheoryData<string, string> Folders = new()
    {
        { "Platform", "" },
        { "Platform.OpenApi", "Platform" },
        { "Platform.Pdf", "" },
        { "Platform.Audit", "Platform" },
        { "Platform.Outbox", "Platform" },
        { "Data", "Platform Platform.Audit Platform.Outbox Organizations Identity Teams Volunteers Projects Activities Hours Recognition Reports Certificates Reconciliation Jobs Audit Webhooks" },
        { "Organizations", "Platform Platform.Audit Platform.OpenApi Data" },
        { "Identity", "Platform Platform.Audit Platform.OpenApi Data Organizations" },
        { "Teams", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity" },
        { "Volunteers", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Teams" },
        { "Projects", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Teams Volunteers" },
        { "Activities", "Platform Platform.Audit Platform.Outbox Platform.OpenApi Data Organizations Identity Teams Volunteers Projects" },
        { "Hours", "Platform Platform.Audit Platform.Outbox Platform.OpenApi Data Organizations Identity Teams Volunteers Projects Activities" },
        { "Recognition", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Teams Volunteers Projects Activities Hours" },
        { "Reports", "Platform Platform.Audit Platform.OpenApi Platform.Pdf Data Organizations Identity Teams Volunteers Projects Activities Hours Recognition" },
        { "Certificates", "Platform Platform.Audit Platform.Outbox Platform.OpenApi Platform.Pdf Data Organizations Identity Teams Volunteers Projects Activities Hours Reports" },
        { "Reconciliation", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Teams Volunteers Projects Activities Hours" },
        { "Jobs", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Teams Volunteers Projects Activities Hours Reports" },
        { "Audit", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Reports" },
        { "Webhooks", "Platform Platform.Audit Platform.OpenApi Platform.Outbox Data Organizations Identity Activities Hours Certificates" },
        { "Changes", "Platform Platform.Audit Platform.OpenApi Data Organizations Identity Teams Volunteers Projects Activities Hours Recognition Certificates" },
        { "Privacy", "Platform Platform.Audit Platform.Outbox Platform.OpenApi Data Organizations Identity Teams Volunteers Projects Activities Hours Recognition Reports Certificates Reconciliation Jobs Audit Changes" },
    };

    private static readonly Type[] Types = [.. typeof(VolunteersDb).Assembly.GetTypes().Where(type =>
        !type.IsNested && type.Namespace?.StartsWith("Volunteers", StringComparison.Ordinal) == true
        && !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && type.Namespace is not ("Volunteers.Data.Migrations" or "Volunteers.Data.CompiledModel"))];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_uses_only_what_stands_above_it(string folder, string uses)
    {
        var allowed = uses.Split(' ').Append(folder).ToHashSet();
        var types = Types.Where(type => FolderOf(type) == folder).ToArray();
        var used = types.SelectMany(type => TypeReferences.Of(type).Where(t => t.Namespace is not null && !t.Name.StartsWith('<')).Select(t => (type, t))).ToArray();

        Assert.NotEmpty(types);
        Assert.True(used.Length > 0 || types.Length < 4);
        Assert.Empty(used.Where(pair => !allowed.Contains(FolderOf(pair.t))).Select(pair => $"{pair.type.FullName} uses {pair.t.FullName}"));
    }

    [Fact]
    public void Every_folder_has_its_row() =>
        Assert.Equal(Folders.Select(row => row.Data.Item1).Order(), Types.Select(FolderOf).Distinct().Order());

    /// <summary>A search that finds nothing would find nothing wrong.</summary>
    [Fact]
    public void What_a_type_uses_is_found_in_signatures_attributes_and_bodies()
    {
        var used = TypeReferences.Of(typeof(Volunteers.Features.Hours.ServiceRecord)).Select(FolderOf).ToHashSet();

        Assert.Superset(new HashSet<string> { "Platform", "Activities", "Volunteers", "Teams" }, used);
        Assert.Contains(typeof(Problems), TypeReferences.Of(typeof(Access)));
    }

    [Fact]
    public void Nothing_is_called_a_helper()
    {
        string[] refused = ["Extensions", "Helper", "Helpers", "Service", "Services", "Common", "Utils", "Util", "Manager", "Dto"];
        var names = Types.SelectMany(type => type.Namespace!.Split('.').Append(type.Name.Split('`')[0])).Distinct().ToArray();

        Assert.Contains("TeamEndpoints", names);
        Assert.DoesNotContain(names, name => refused.Any(word => name.EndsWith(word, StringComparison.Ordinal)));
    }

    private static string FolderOf(Type type) => (type.Namespace ?? "")
        .Replace("Volunteers.Features.", "", StringComparison.Ordinal)
        .Replace("Volunteers.Data", "Data", StringComparison.Ordinal)
        .Replace("Volunteers.Platform", "Platform", StringComparison.Ordinal);
}
