using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FluentValidation;
using FluentValidation.Validators;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Hours;
using Volunteers.Features.Reports;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
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
        // What stands between the items of a list is no word.
        Assert.Equal(["list_separator"], Chinese.Where(text => !Han().IsMatch(text.Value)).Select(text => text.Key));
        Assert.DoesNotContain(English, text => Han().IsMatch(Quoted().Replace(text.Value, "")) && text.Key != "unknown_date.detail" && text.Key != "no_heading_row.detail");
    }

    /// <summary>Words in Latin letters that are the same in Chinese: names of standards, units, programs and their settings. Members of the API are known from its document.</summary>
    private static readonly HashSet<string> CalledSoEverywhere =
    [
        "ASCII", "Content-Type", "Cookie", "CSV", "en", "Excel", "GET", "HTTP", "HTTPS", "IANA", "JSON", "KB", "MB", "PDF", "RFC", "Swagger", "TLS", "UI", "UTF-8", "xls", "XLSX", "zh-CN",
        // Of a recurrence rule, a date's format, an address of ours, and the command that migrates.
        "FREQ", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "WKST", "FR",
        "yyyy", "MM", "dd", "HH:mm", "v1", "second-factor", "consent-texts", "Api", "migrate", "claims",
        "ForwardedHeaders:KnownProxies", "PersonalData:CurrentKey", "PersonalData:HashKey", "PersonalData:Keys",
    ];

    [Fact]
    public async Task No_English_is_left_in_the_Chinese_texts()
    {
        var names = new HashSet<string>();
        void Collect(JsonNode? node)
        {
            if (node is JsonArray items)
                foreach (var item in items) Collect(item);
            else if (node is JsonObject members)
                foreach (var (name, value) in members)
                {
                    names.Add(name);
                    if (name is "name" && value is JsonValue) names.Add((string?)value ?? "");
                    if (name is "enum" && value is JsonArray words) names.UnionWith(words.Select(word => word?.ToString() ?? ""));
                    Collect(value);
                }
        }
        Collect((await Host.Anonymous.Get("/openapi/v1.json")).Body);
        Assert.Contains("backToHeadcount", names);

        var words = Chinese.SelectMany(text => Latin().Matches(Place().Replace(text.Value, "")).Select(word => (text.Key, word.Value))).ToArray();

        Assert.Empty(words.Where(word => !CalledSoEverywhere.Contains(word.Value) && !names.Contains(word.Value)).Select(word => $"{word.Key}: {word.Value}"));
        Assert.Empty(CalledSoEverywhere.Except(words.Select(word => word.Value)));
    }

    /// <summary>How the texts of an enum's words begin, where people read them.</summary>
    private static readonly (string Beginning, Type Words)[] WordsOfEnums =
    [
        ("audit_action_", typeof(AuditAction)), ("audit_actor_", typeof(AuditActorKind)), ("audit_kind_", typeof(AuditKind)), ("audit_outcome_", typeof(AuditOutcome)),
        ("audit_role_", typeof(Role)), ("certificate_evidence_", typeof(Evidence)), ("export_headcount_", typeof(CountingMethod)), ("export_status_", typeof(ServiceStatus)),
        ("history_step_", typeof(RecordStep)), ("report_cause_", typeof(PostingCause)), ("report_evidence_", typeof(Evidence)),
    ];

    [Fact]
    public void Every_word_of_an_enum_that_people_read_has_a_text()
    {
        string[] ofStrings = ["consent_purpose_", "consent_scope_"];
        Assert.Equal(WordsOfEnums.Select(words => words.Beginning).Concat(ofStrings).Order(),
            Code().Matches(AllCode()).Select(match => match.Groups["code"].Value).Where(code => code.EndsWith('_')).Distinct().Order());

        Assert.DoesNotContain(WordsOfEnums.SelectMany(words => Enum.GetNames(words.Words).Select(word => words.Beginning + JsonNamingPolicy.SnakeCaseLower.ConvertName(word)))
            .Concat(["consent_purpose_profile", "consent_purpose_guardian", "consent_purpose_identity_document"])
            .Concat(["consent_scope_api", "consent_scope_offline_access", "consent_scope_openid", "consent_scope_profile"]),
            key => !English.ContainsKey(key));
    }

    [Fact]
    public void Every_kind_of_rule_has_words_of_ours()
    {
        Host.StartServer();
        var kinds = typeof(VolunteersDb).Assembly.GetTypes().Where(type => type is { IsAbstract: false, ContainsGenericParameters: false } && type.IsAssignableTo(typeof(IValidator)))
            .Select(type => ActivatorUtilities.CreateInstance(Host.Services, type)).Cast<IValidator>()
            .SelectMany(validator => validator.CreateDescriptor().Rules).SelectMany(rule => rule.Components).Select(component => component.Validator)
            .Where(validator => validator is not IChildValidatorAdaptor).Select(validator => validator.Name).Distinct().ToArray();

        Assert.Contains("NotEmptyValidator", kinds);
        Assert.Empty(kinds.Except(ValidationTexts.Codes.Keys));
        Assert.DoesNotContain(ValidationTexts.Codes.Values, code => !English.ContainsKey(code));
        Assert.Equal("", new ValidationTexts().GetString("masked_value"));
    }

    /// <summary>Files whose code holds Chinese, and why it is no text that belongs into the resources.</summary>
    private static readonly Dictionary<string, string> ChineseInCode = new()
    {
        ["Features/Volunteers/ImportColumns.cs"] = "headings and words that are read",
        ["Features/Volunteers/ImportRow.cs"] = "dates that are read",
        ["Features/Volunteers/ImportEndpoints.cs"] = "an example in the OpenAPI document",
        ["Features/Reconciliation/UpstreamCells.cs"] = "dates and durations that are read",
        ["Features/Reconciliation/ColumnMappingEndpoints.cs"] = "date formats that are read",
        ["Features/Reconciliation/ReconciliationEndpoints.cs"] = "an example in the OpenAPI document",
        ["Features/Jobs/ActivityFile.cs"] = "headings and words that are read, and written to be read again",
        ["Features/Jobs/ServiceRecordFile.cs"] = "headings and words that are read, and written to be read again",
        ["Features/Jobs/JobImport.cs"] = "headings that are passed over when they come back",
        ["Features/Jobs/JobResources.cs"] = "words of an enum, of which files are called",
        ["Features/Jobs/JobCells.cs"] = "times that are read",
        ["Features/Jobs/JobEndpoints.cs"] = "an example in the OpenAPI document",
        ["Features/Certificates/MaskedName.cs"] = "surnames of two characters",
        ["Features/Privacy/OwnExport.cs"] = "an example in the OpenAPI document",
    };

    [Fact]
    public void What_people_read_stands_in_the_resources_and_not_in_the_code()
    {
        var literals = CodeFiles().ToDictionary(file => file.Name, file => Literal().Matches(Comment().Replace(file.Text, "")).Select(match => match.Value).ToArray());

        Assert.Equal(ChineseInCode.Keys.Order(), literals.Where(file => file.Value.Any(text => Han().IsMatch(text))).Select(file => file.Key).Order());
        // A page's words come from outside the tags that the code writes.
        Assert.Empty(literals.SelectMany(file => file.Value.Where(text => WordsInHtml().IsMatch(text)).Select(text => $"{file.Key}: {text}")));
        // Nobody answers problems but Problems, and no rule speaks but from the resources.
        Assert.Equal(["Platform/Problems.cs"], CodeFiles().Where(file => Regex.IsMatch(file.Text, @"Title = |Results\.(Problem|ValidationProblem)\(") && file.Text.Contains("Detail = ", StringComparison.Ordinal)
            && file.Text.Contains("ProblemDetails", StringComparison.Ordinal)).Select(file => file.Name));
        Assert.Empty(CodeFiles().SelectMany(file => Regex.Matches(file.Text, @"\.WithMessage\((?!_ => Messages\.)[^\n]*").Select(match => $"{file.Name}: {match.Value}")));
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

    /// <summary>Those of an operation stand in the document anyway.</summary>
    [Fact]
    public async Task Every_code_that_a_row_of_a_file_or_a_job_can_end_with_stands_in_the_document()
    {
        var document = await File.ReadAllTextAsync(Path.Combine(Here(), "openapi.v1.json"), TestContext.Current.CancellationToken);
        string[] takeFiles = ["Features/Jobs/", "Features/Reconciliation/", "Features/Volunteers/"];
        var codes = CodeFiles().Where(file => takeFiles.Any(folder => file.Name.StartsWith(folder, StringComparison.Ordinal)))
            .SelectMany(file => CodeNotText().Matches(file.Text)).Select(match => match.Groups["code"].Value).Where(English.ContainsKey).ToHashSet();

        Assert.Superset(new HashSet<string> { "unknown_word", "job_broke", "nobody_found", "no_free_time" }, codes);
        Assert.DoesNotContain(codes, code => !Regex.IsMatch(document, $@"\b{code}\b"));
    }

    /// <summary>Written out, and not only to say what it says.</summary>
    [GeneratedRegex(@"(?<!Messages\.\w+\([^""\n]*)""(?<code>[a-z]+(?:_[a-z]+)+)""")]
    private static partial Regex CodeNotText();

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
            "TeamMemberFilter", "TeamMemberRequest", "WebhookSecretRequest",
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

    private static string AllCode() => string.Concat(CodeFiles().Select(file => file.Text));

    private static IEnumerable<(string Name, string Text)> CodeFiles() => Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Source, file).Replace('\\', '/')).Where(name => !name.StartsWith("obj/", StringComparison.Ordinal) && !name.StartsWith("bin/", StringComparison.Ordinal))
        .Select(name => (name, File.ReadAllText(Path.Combine(Source, name))));

    private static string Places(string text) => string.Join(' ', Place().Matches(text).Select(match => match.Value).Order());

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex(@"(RuleBreach(\.\w+)?\(|Problems\.(Of|Write)\([^""\n]*|Messages\.(Title|Detail)(In)?\((?:\w+, |Messages\.Of\([\w.]+\), )?)""(?<code>[a-z_]+)""")]
    private static partial Regex Code();

    [GeneratedRegex(@"\{\w[^}]*\}")]
    private static partial Regex Place();

    [GeneratedRegex("[A-Za-z][A-Za-z0-9:_-]+")]
    private static partial Regex Latin();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"""(\\.|[^""\\\n])*""|""""""[\s\S]*?""""""")]
    private static partial Regex Literal();

    [GeneratedRegex(@"^\s*//[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex("""<(p|h1|li|a|label|button|dt|dd)[^<>{}]*>[^<>{}]*[A-Za-z]{2,}""")]
    private static partial Regex WordsInHtml();

    [GeneratedRegex(@"\p{IsCJKUnifiedIdeographs}")]
    private static partial Regex Han();
}
