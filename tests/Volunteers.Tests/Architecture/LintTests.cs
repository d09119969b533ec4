using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Architecture;

/// <summary>What others ask of an OpenAPI document (tests/Lint), asked of ours as it is served.</summary>
public sealed class LintTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly NodeFolder Lint = new("tests/Lint");

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
            using var linters = await Lint.Start("lint.mjs", [file]);
            linters.StandardInput.Close();
            var (said, failed) = (linters.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), linters.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            await linters.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.True(linters.ExitCode == 0, await said + await failed);
            Assert.Contains("0 problems", await said, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
