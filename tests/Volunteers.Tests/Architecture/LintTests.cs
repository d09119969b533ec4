using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>What others ask of an OpenAPI document (tests/Lint), asked of ours as it is served.</summary>
public sealed class LintTests(TestDatabases databases) : ApiTest(databases)
{
    protected override (string Name, string Value)[] Configuration => OpenApiTests.Served;

    [Theory]
    [InlineData("v1")]
    [InlineData("v1-3.0")]
    public async Task The_linters_have_nothing_to_say_of_the_document(string document)
    {
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, (await Host.Anonymous.Get($"/openapi/{document}.json")).ShouldBe(200).Text, TestContext.Current.CancellationToken);
        try
        {
            var (clean, said) = await NodeReader.Lint(file);
            Assert.True(clean, said);
            Assert.Contains("0 problems", said, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
