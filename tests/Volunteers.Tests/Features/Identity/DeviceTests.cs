using Microsoft.AspNetCore.Http;
using Volunteers.Features.Identity;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

public sealed class DeviceTests
{
    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "Chrome, Windows")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge, Windows")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Mac")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", "Safari, iPhone")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60(0x18003c2d) NetType/WIFI Language/zh_CN", "WeChat, iPhone")]
    [InlineData("Mozilla/5.0 (Linux; Android 15; 24031PN0DC Build/AQ3A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.60", "WeChat, Android")]
    [InlineData("Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1 HuaweiBrowser/5.0", "Huawei Browser, HarmonyOS")]
    [InlineData("okhttp/4.12.0", "okhttp")]
    [InlineData("Volunteers/2.3 (iPhone; iOS 18.6; build 771)", "Volunteers, iPhone")]
    [InlineData("Mozilla/5.0", null)]
    [InlineData("", null)]
    [InlineData("<script>alert(1)</script>", null)]
    [InlineData("13800138000", null)]
    public void A_device_is_known_by_its_family_only(string agent, string? device)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.UserAgent = agent;

        Assert.Equal(device, Device.Of(http));
    }
}
