using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Platform;

public sealed class EnumParameterTests(TestDatabases databases) : ApiTest(databases)
{
    [Fact]
    public async Task A_word_filters_a_list_and_stays_in_the_link_to_the_next_page()
    {
        var o = await Given.Organization();
        await o.Volunteers(3);

        var first = (await o.Admin.Get("/volunteers?status=active&limit=2")).ShouldBe(200);

        Assert.Equal(2, first.Items.Count);
        var link = new Uri(first.Header("Link")!.Split('<', '>')[1]);
        Assert.Single((await new Api(o.Admin.Http, "").Get(link.PathAndQuery)).ShouldBe(200).Items);
        Assert.Empty((await o.Admin.Get("/volunteers?status=paused")).ShouldBe(200).Items);
    }

    [Theory]
    [InlineData("Active")]
    [InlineData("1")]
    [InlineData("active,paused")]
    [InlineData("")]
    public async Task Another_spelling_of_a_word_is_refused(string word) =>
        (await (await Given.Organization()).Admin.Get($"/volunteers?status={word}")).ShouldRefuse(400, "malformed_parameter");
}
