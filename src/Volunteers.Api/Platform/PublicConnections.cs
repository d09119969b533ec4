using System.Net;
using System.Net.Sockets;

namespace Volunteers.Platform;

/// <summary>Finds the addresses of a host.</summary>
internal delegate Task<IPAddress[]> NameResolver(string host, CancellationToken ct);

/// <summary>No address of the host is one that this service connects to for somebody else.</summary>
internal sealed class AddressRefused() : IOException("The host has no public address.");

/// <summary>
/// Connections to hosts that others name: to public addresses only. The address is looked up, looked at and connected to in one go,
/// so a name that leads elsewhere a moment later gains nothing; there is no proxy that would look it up once more.
/// </summary>
/// <param name="resolve">Finds addresses.</param>
/// <param name="allowLoopback">This machine itself too: for development.</param>
internal sealed class PublicConnections(NameResolver resolve, bool allowLoopback)
{
    /// <summary>Private, shared, local, documentation, benchmarking, multicast and reserved ranges (IANA's registry of special-purpose addresses), and Azure's host.</summary>
    private static readonly IPNetwork[] Refused4 =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>Whatever is not global unicast is refused, and so IPv4 in other clothes (mapped, compatible, NAT64), local, link-local and multicast addresses.</summary>
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");

    /// <summary>Of those Teredo and other protocols' own, documentation, and 6to4, which leads to any IPv4 address.</summary>
    private static readonly IPNetwork[] Refused6 = [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse)];

    public static bool IsPublic(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !Refused4.Any(network => network.Contains(address)),
        AddressFamily.InterNetworkV6 => !address.IsIPv4MappedToIPv6 && address.ScopeId == 0 && Global6.Contains(address) && !Refused6.Any(network => network.Contains(address)),
        _ => false,
    };

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="AddressRefused">The host has no address that may be connected to.</exception>
    public async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var open = Array.FindAll(await resolve(host, ct), address => IsPublic(address) || (allowLoopback && IPAddress.IsLoopback(address) && !address.IsIPv4MappedToIPv6));
        if (open.Length == 0) throw new AddressRefused();

        for (var i = 0; ; i++)
        {
            var socket = new Socket(open[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(open[i], port), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i < open.Length - 1)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
