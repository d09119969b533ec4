using System.Net;
using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>The receiver that we show to others does what it says.</summary>
public sealed class ReceiverExampleTests(TestDatabases databases) : WebhookTest(databases)
{
    [Fact]
    public async Task It_keeps_each_message_once_also_across_a_crash_and_refuses_what_is_not_signed()
    {
        var made = (await Admin.Post("/webhooks", new { url = "http://127.0.0.1:1/", eventTypes = new[] { "service_record.approved", "posting.created" } })).ShouldBe(201);
        var (path, secret) = ($"/webhooks/{made.Id}", (string)made["secret"]!);
        var receiver = await ReceiverProcess.Start(secret);
        (await Admin.Patch(path, new { url = receiver.Url })).ShouldBe(200);

        var record = await Serve();
        await receiver.Until(r => r.Taken == 2);
        Assert.Equal(["posting.created", "service_record.approved"], receiver.Kept.Select(message => (string)message["type"]!));
        Assert.All(receiver.Kept, message => Assert.Equal(record, (string?)message["data"]!["recordId"]));

        using var http = new HttpClient();
        using var forged = new HttpRequestMessage(HttpMethod.Post, receiver.Url) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        foreach (var (name, value) in new[] { ("webhook-id", "x"), ("webhook-timestamp", $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}"), ("webhook-signature", "v1,AAAA") }) forged.Headers.Add(name, value);
        using (var answer = await http.SendAsync(forged, Ct)) Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        await receiver.Until(r => r.Refused.Length == 1);

        var (port, folder) = (receiver.Port, receiver.Folder);
        await receiver.Kill();
        await File.AppendAllTextAsync(Path.Combine(folder, "messages.ndjson"), "{\"id\":\"cut o", Ct);
        await using (var again = await ReceiverProcess.Start(secret, port, folder))
        {
            (await Admin.Post($"{path}/redeliveries", new { from = Clock.GetUtcNow().AddHours(-1), to = Clock.GetUtcNow().AddHours(1) })).ShouldBe(200);
            await again.Until(r => r.Repeated == 2);
            Assert.Equal((2, 0, 0), (again.Kept.Length, again.Taken, again.Refused.Length));
        }
        await receiver.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
