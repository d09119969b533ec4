using System.Text;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>The code on the organizer's screen, read as a phone reads it.</summary>
public sealed class CheckInPictureTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task The_picture_holds_the_shift_and_the_code_that_checks_in()
    {
        var shift = await O.Shift(await O.UpcomingActivity(Team, Clock.GetUtcNow().AddMinutes(10)));
        var person = await O.Volunteer(Team);
        var phone = await O.SignedInAs(person);
        await O.SignUp(shift, person);

        var screen = (await Admin.Get($"/shifts/{shift}/check-in-code")).ShouldBe(200);
        var read = (string?)(await NodeReader.Read("read-qr.mjs", Encoding.UTF8.GetBytes(Text(screen, "svg")!)))["content"];

        Assert.Equal(Text(screen, "content"), read);
        Assert.Equal($"volunteers:check-in?organization={O.Id}&shift={shift}&code={Text(screen, "code")}", read);
        var code = read!.Split("code=")[1];
        Assert.Equal("attended", Text((await phone.Post($"/shifts/{shift}/check-in", new { code })).ShouldBe(200), "status"));
        var picture = (await Admin.Get($"/shifts/{shift}/check-in-code?format=svg")).ShouldBe(200);
        Assert.Equal("image/svg+xml", picture.ContentHeaders.ContentType?.MediaType);
        Assert.NotNull((string?)(await NodeReader.Read("read-qr.mjs", Encoding.UTF8.GetBytes(picture.Text)))["content"]);
    }
}
