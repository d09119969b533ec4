using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FluentValidation;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

public sealed partial class MessageTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string Source = Path.GetFullPath(Path.Combine(Here(), "../../../src/Volunteers.Api"));
    private static readonly Dictionary<string, string> English = Texts("Messages.resx");
    private static readonly Dictionary<string, string> Chinese = Texts("Messages.zh-CN.resx");

    [Fact]
    public void Both_languages_have_the_same_texts_with_the_same_places_for_figures()
    {
        Assert.NotEmpty(English);
        Assert.Equal(English.Keys.Order(), Chinese.Keys.Order());
        Assert.All(English, text => Assert.Equal(Places(text.Value), Places(Chinese[text.Key])));
        Assert.All(Chinese.Where(text => !Han().IsMatch(text.Value)), text => Assert.Fail($"{text.Key} is not Chinese: {text.Value}"));
    }

    [Fact]
    public void Every_code_has_a_text()
    {
        var codes = Code().Matches(AllCode()).Select(match => match.Groups["code"].Value).Distinct().ToArray();

        Assert.Contains("daily_limit", codes);
        Assert.Contains("invitation_invalid", codes);
        // One that ends in an underline is completed by the words of an enum.
        Assert.DoesNotContain(codes, code => code.EndsWith('_') ? !English.Keys.Any(key => key.StartsWith(code, StringComparison.Ordinal)) : !English.ContainsKey(code));
    }

    [Fact]
    public async Task Every_constraint_of_the_database_that_a_request_can_meet_has_a_text()
    {
        var constraints = Array.Empty<string>();
        await Host.InServices(services =>
        {
            constraints = [.. ConstraintsOf(services.GetRequiredService<VolunteersDb>().Model)];
            return Task.CompletedTask;
        });

        Assert.Contains("team_name_taken", constraints);
        Assert.DoesNotContain(constraints, name => !English.ContainsKey(name));
    }

    [Fact]
    public void No_text_is_left_over()
    {
        var code = AllCode();
        var begun = Code().Matches(code).Select(match => match.Groups["code"].Value).Where(word => word.EndsWith('_')).ToArray();

        // The columns of a report are called after what it is grouped by.
        var columns = ReportGroup.All.Keys.Select(name => "report_" + name).ToHashSet();

        // A foreign key called team_not_found speaks as team_in_use when the team is to be deleted.
        Assert.DoesNotContain(English.Keys.Select(key => key.Split('.')[0]).Distinct().Except(columns), key =>
            !code.Contains($"\"{key}\"", StringComparison.Ordinal) && !begun.Any(word => key.StartsWith(word, StringComparison.Ordinal))
            && !(key.EndsWith("_in_use", StringComparison.Ordinal) && code.Contains($"\"{key.Replace("_in_use", "_not_found", StringComparison.Ordinal)}\"", StringComparison.Ordinal)));
    }

    /// <summary>Requests whose every value of the right type is good.</summary>
    private static readonly string[] NeedNoValidator =
        [
            "AuditExportQuery", "CheckInCodeQuery", "ClientSecretRequest", "DisputeFilter", "DrawQuery", "EndSeriesQuery", "ImportQuery", "JobImportQuery", "JobListFilter", "OwnExportQuery", "ReconciliationRowFilter", "SeriesFilter", "ServiceRecordFilter", "SignUpFilter",
            "TeamMemberFilter", "TeamMemberRequest",
        ];

    [Fact]
    public void Every_request_has_a_validator_or_a_reason_to_need_none()
    {
        Host.StartServer();
        var requests = Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.Select(endpoint => endpoint.Metadata.OfType<MethodInfo>().LastOrDefault())
            .SelectMany(method => method?.GetParameters() ?? [])
            .Select(parameter => parameter.ParameterType is { IsGenericType: true } generic && generic.GetGenericTypeDefinition() == typeof(MergePatch<>)
                ? generic.GetGenericArguments()[0] : parameter.ParameterType)
            .Where(type => Regex.IsMatch(type.Name, "(Request|Query|Filter)$") && type.Assembly == typeof(VolunteersDb).Assembly).Distinct().ToArray();

        Assert.True(requests.Length > 10);
        Assert.Equal(NeedNoValidator.Order(), requests.Where(type => Host.Services.GetService(typeof(IValidator<>).MakeGenericType(type)) is null).Select(type => type.Name).Order());
    }

    /// <summary>Names that were chosen: those that EF makes up say nothing to a client, and belong to keys that no request can break.</summary>
    private static IEnumerable<string> ConstraintsOf(IModel model) => model.GetEntityTypes()
        .SelectMany(type => type.GetIndexes().Where(index => index.IsUnique).Select(index => index.GetDatabaseName()!)
            .Concat(type.GetForeignKeys().Select(key => key.GetConstraintName()!)))
        .Where(name => !Regex.IsMatch(name, "^(ix|fk|pk|ak)_", RegexOptions.IgnoreCase)).Distinct();

    private static Dictionary<string, string> Texts(string file) => XDocument.Load(Path.Combine(Source, "Platform", file)).Root!.Elements("data")
        .ToDictionary(data => (string)data.Attribute("name")!, data => (string)data.Element("value")!);

    private static string AllCode() => string.Concat(Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));

    private static string Places(string text) => string.Join(' ', Place().Matches(text).Select(match => match.Value).Order());

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex(@"(RuleBreach(\.\w+)?\(|Problems\.(Of|Write)\([^""\n]*|Messages\.(Title|Detail)\()""(?<code>[a-z_]+)""")]
    private static partial Regex Code();

    [GeneratedRegex(@"\{[0-9][^}]*\}")]
    private static partial Regex Place();

    [GeneratedRegex(@"\p{IsCJKUnifiedIdeographs}")]
    private static partial Regex Han();
}
