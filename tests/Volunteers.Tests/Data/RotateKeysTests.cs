using Npgsql;
using Volunteers.Tests.Features.Jobs;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Data;

/// <summary>The command <c>rotate-keys</c>, run as a process beside a service whose key is <c>test</c>.</summary>
public sealed class RotateKeysTests(TestDatabases databases) : ApiTest(databases)
{
    private static readonly string TestKey = Convert.ToBase64String(new byte[32]), NextKey = Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray());

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Documents_and_files_of_jobs_come_under_the_key_of_now_and_say_what_they_said()
    {
        var o = await Given.Organization();
        var volunteer = (await o.Admin.Post("/volunteers", new { name = "赵钱孙李" })).ShouldBe(201).Id;
        (await o.Admin.Put($"/volunteers/{volunteer}/identity-document", new { kind = "passport", number = "E12345678" })).ShouldBe(200);
        var job = await o.Admin.ExportJob("roster", "csv");
        var file = await o.Admin.ResultFile(job.Id);
        Assert.Equal(["test"], await KeysInUse());

        await using (var forth = Rotate("next", ("PersonalData__Keys__test", TestKey), ("PersonalData__Keys__next", NextKey)))
            Assert.True(await forth.ExitCode() == 0, forth.Output);
        Assert.Equal(["next"], await KeysInUse());

        await using (var lost = Rotate("test", ("PersonalData__Keys__test", TestKey)))
        {
            Assert.Equal(1, await lost.ExitCode());
            Assert.Contains("1 documents are sealed with the key 'next'", lost.Output, StringComparison.Ordinal);
            Assert.Contains("Files of jobs are sealed with the key 'next'", lost.Output, StringComparison.Ordinal);
        }
        Assert.Equal(["next"], await KeysInUse());

        // Back under the key of the service beside it, which reads what it wrote.
        await using (var back = Rotate("test", ("PersonalData__Keys__test", TestKey), ("PersonalData__Keys__next", NextKey)))
            Assert.True(await back.ExitCode() == 0, back.Output);
        Assert.Equal(["test"], await KeysInUse());
        Assert.Equal(file, await o.Admin.ResultFile(job.Id));
        Assert.Equal("E******78", (string?)(await o.Admin.Get($"/volunteers/{volunteer}/identity-document")).ShouldBe(200)["number"]);
    }

    private ServiceProcess Rotate(string current, params (string Name, string Value)[] keys) => ServiceProcess.Run("rotate-keys",
        [("ConnectionStrings__Volunteers", ConnectionString), ("PersonalData__CurrentKey", current), ("PersonalData__HashKey", Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)])), .. keys]);

    private async Task<string[]> KeysInUse()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand("select array_agg(distinct key_id order by key_id) from (select key_id from identity_documents union all select key_id from job_chunks) k", connection);
        return (string[])(await command.ExecuteScalarAsync(Ct))!;
    }
}
