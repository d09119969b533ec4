using System.Buffers.Text;
using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class CursorTests(TestDatabases databases) : ApiTest(databases)
{
    [Theory]
    [InlineData("""{"first":"2026-01-01T00:00:00+08:00","second":"01a205e1-4395-7cd1-95a3-0c3fb50c25b3"}""")]
    [InlineData("""{"First":"2026-01-01T00:00:00+08:00","Second":"01a205e1-4395-7cd1-95a3-0c3fb50c25b3"}""")]
    [InlineData("""{"first":"9999-12-31T23:59:59Z","second":"01a205e1-4395-7cd1-95a3-0c3fb50c25b3"}""")]
    [InlineData("""{"first":null,"second":null}""")]
    public async Task A_cursor_of_somebody_elses_making_is_no_error_of_the_service(string cursor)
    {
        var o = await Given.Organization();

        var answer = await o.Admin.Get("/activities?cursor=" + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(cursor)));

        Assert.True(answer.Status == 200 || answer.Code == "invalid_cursor", answer.Text);
    }
}
