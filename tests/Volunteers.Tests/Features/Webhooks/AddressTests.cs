using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Volunteers.Features.Webhooks;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Webhooks;

/// <summary>A webhook reaches nothing that is not public, whatever its address says and whatever its name leads to by then.</summary>
public sealed class AddressTests(TestDatabases databases) : WebhookTest(databases)
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("168.63.129.16")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.250")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:93.184.215.14")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("3fff::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%2")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public async Task An_address_that_is_not_public_is_refused_before_anything_is_sent(string address)
    {
        Assert.False(PublicConnections.IsPublic(IPAddress.Parse(address)));
        var connections = new PublicConnections((_, _) => Task.FromResult(new[] { IPAddress.Parse(address) }), allowLoopback: false);
        using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = connections.Connect, UseProxy = false });

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.PostAsync(new Uri($"http://hooks.example.org:{new Uri(Receiver.Url).Port}/"), null, Ct));

        Assert.IsType<AddressRefused>(refused.InnerException);
        Assert.Empty(Receiver.Arrivals);
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.1")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("223.5.5.5")]
    [InlineData("2400:3200::1")]
    [InlineData("2606:4700::1111")]
    public void A_public_address_is_not_refused(string address) => Assert.True(PublicConnections.IsPublic(IPAddress.Parse(address)));

    /// <summary>The name led somewhere public when the webhook was made, and to this machine when something is sent.</summary>
    [Fact]
    public async Task A_name_that_leads_elsewhere_by_the_time_of_the_delivery_gains_nothing()
    {
        var asked = 0;
        NameResolver rebinding = (_, _) => Task.FromResult(new[] { IPAddress.Parse(Interlocked.Increment(ref asked) > 1 ? "127.0.0.1" : "10.0.0.7") });
        // Alone with its database: the host of the other tests asks the name servers of this machine.
        var connectionString = await Databases.NewDatabase();
        await using var host = new ApiHost(connectionString) { Also = services => services.Replace(ServiceDescriptor.Singleton(rebinding)) };
        var o = await new Given(host).Organization();
        var made = (await o.Admin.Post("/webhooks", new { url = $"https://hooks.example.org:{new Uri(Receiver.Url).Port}/", eventTypes = new[] { "activity.published" } })).ShouldBe(201);
        await o.Activity(await o.Team());

        for (var tries = 1; tries <= 3; tries++)
        {
            await Deliver(host, o.Id);
            var delivery = Assert.Single((await o.Admin.Get($"/webhooks/{made.Id}/deliveries")).ShouldBe(200).Items)!;
            var attempts = (await o.Admin.Get($"/webhooks/{made.Id}/deliveries/{delivery["id"]}")).ShouldBe(200)["attempts"]!.AsArray();
            Assert.Equal(tries, attempts.Count);
            Assert.All(attempts, attempt => Assert.Equal("addressRefused", (string?)attempt!["fault"]));
            await host.Later(TimeSpan.FromMinutes(10));
        }
        Assert.True(asked >= 3, "The name was not looked up anew.");
        Assert.Empty(Receiver.Arrivals);
    }

    [Theory]
    [InlineData("http://hooks.example.org/")]
    [InlineData("ftp://hooks.example.org/")]
    [InlineData("hooks.example.org")]
    [InlineData("https://user:password@hooks.example.org/")]
    [InlineData("https://hooks.example.org/#here")]
    [InlineData("https://localhost/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("http://127.0.0.1/")]
    [InlineData("https://志愿-.example.org/")]
    public async Task An_address_that_cannot_be_public_is_refused_at_once(string url)
    {
        await using var host = new ApiHost(ConnectionString);
        var admin = (await host.SignInAsOperator()).At(O.Path);

        (await admin.Post("/webhooks", new { url, eventTypes = new[] { "posting.created" } })).ShouldRefuse(400, "webhook_url_refused");
        Assert.Equal(0, await Count("select count(*) from webhooks"));
    }

    [Fact]
    public async Task An_address_that_cannot_even_be_asked_for_holds_up_no_other()
    {
        var (broken, whole) = (await Webhook("service_record.approved"), await Webhook("service_record.approved"));
        await Tamper($"update webhooks set url = 'https://志愿-.example.org/' where id = '{broken.Id}'");
        await Serve();
        await Serve();

        await Deliver();

        Assert.Equal(2, (await Receiver.Received(2)).Select(arrival => arrival.Id).Distinct().Count());
        await Deliver();
        Assert.Equal(2, Receiver.Arrivals.Count);
        Assert.All((await Admin.Get($"{whole.Path}/deliveries")).ShouldBe(200).Items, delivery => Assert.Equal("delivered", (string?)delivery!["status"]));
        var failed = (await Admin.Get($"{broken.Path}/deliveries")).ShouldBe(200).Items[0]!;
        var attempt = (await Admin.Get($"{broken.Path}/deliveries/{failed["id"]}")).ShouldBe(200)["attempts"]!.AsArray()[0]!;
        Assert.Equal("unreachable", (string?)attempt["fault"]);
    }

    [Fact]
    public async Task What_a_certificate_names_is_not_asked_for()
    {
        // The issuer's certificate is to be had at the receiver, says the one of the server that has it not.
        using var authority = Certificates.Authority();
        using var own = Certificates.IssuedBy(authority, new Uri(Receiver.Url));
        await using var server = await TlsServer.Start(own);
        var webhook = await Webhook("service_record.approved");
        (await Admin.Patch(webhook.Path, new { url = server.Url })).ShouldBe(200);
        await Serve();

        await Deliver();

        Assert.True(server.Greeted > 0);
        Assert.Equal("insecure", (string?)(await OnlyDelivery(webhook))["attempts"]!.AsArray()[0]!["fault"]);
        Assert.Empty(Receiver.Arrivals);
    }

    private static Task Deliver(ApiHost host, string organization) => host.InServices(async services =>
    {
        var worker = services.GetRequiredService<WebhookWorker>();
        while (!await worker.Deliver(Guid.Parse(organization), Ct)) await Task.Delay(20, Ct);
    });
}
