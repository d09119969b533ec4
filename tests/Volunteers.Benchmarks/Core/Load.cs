using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Volunteers.Benchmarks.Core;

/// <summary>A request that is sent exactly once.</summary>
/// <param name="Path">With the query.</param>
/// <param name="Body">JSON to be posted.</param>
internal sealed record Request(string Path, string Body);

/// <summary>How a request went, by the clock of <see cref="Stopwatch"/>.</summary>
/// <param name="Status">Of HTTP.</param>
/// <param name="Sent">When.</param>
/// <param name="Got">When the whole answer was here.</param>
/// <param name="Refusal">What a bad answer says.</param>
internal sealed record Answered(int Status, long Sent, long Got, string? Refusal)
{
    public double Milliseconds => Stopwatch.GetElapsedTime(Sent, Got).TotalMilliseconds;

    public bool IsGood => Status is >= 200 and < 300;
}

/// <summary>Load whose every request counts: each is sent once, over connections that stay open, and its answer kept.</summary>
internal static class Load
{
    private static readonly byte[] EndOfHead = "\r\n\r\n"u8.ToArray();

    /// <summary>Sends them all, as many at once as there are connections.</summary>
    /// <returns>The answers in the order of the requests, and the whole as one sample.</returns>
    public static async Task<(Answered[] Answers, Sample Sample)> Send(ServerProcess server, string token, IReadOnlyList<Request> requests, int connections)
    {
        var answers = new Answered[requests.Count];
        var next = new ConcurrentQueue<int>(Enumerable.Range(0, requests.Count));
        var open = await Task.WhenAll(Enumerable.Range(0, Math.Min(connections, requests.Count)).Select(_ => Connection.Open(server.Address, token)));
        var cpu = server.CpuSeconds;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(open.Select(connection => Task.Run(async () =>
        {
            while (next.TryDequeue(out var index)) answers[index] = await connection.Post(requests[index]);
        })));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var connection in open) connection.Dispose();
        if (answers.FirstOrDefault(answer => !answer.IsGood) is { } bad) Bench.Say($"  {bad.Status}: {bad.Refusal}");

        var latencies = answers.Select(answer => answer.Milliseconds).Order().ToArray();
        return (answers, new Sample(answers.Length, answers.Length / seconds, Sample.Percentile(latencies, 0.5), Sample.Percentile(latencies, 0.99), answers.Count(answer => !answer.IsGood))
        {
            CpuMicroseconds = (server.CpuSeconds - cpu) * 1e6 / answers.Length, MemoryMiB = server.MemoryMiB,
        });
    }

    private sealed class Connection(Socket socket, string host, string token) : IDisposable
    {
        private byte[] buffer = new byte[64 * 1024];

        public static async Task<Connection> Open(Uri address, string token)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, address.Port);
            return new Connection(socket, address.Authority, token);
        }

        public async Task<Answered> Post(Request request)
        {
            var length = Encoding.UTF8.GetByteCount(request.Body);
            var message = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"POST {request.Path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{request.Body}"));
            var sent = Stopwatch.GetTimestamp();
            await socket.SendAsync(message);
            var (status, size) = await Read();
            var got = Stopwatch.GetTimestamp();
            return new Answered(status, sent, got, status is >= 200 and < 300 ? null : Encoding.UTF8.GetString(buffer, 0, size).Split("\r\n\r\n", 2)[^1]);
        }

        public void Dispose() => socket.Dispose();

        /// <summary>The answer's status and size, when the whole of it is here.</summary>
        private async Task<(int Status, int Size)> Read()
        {
            for (var have = 0; ;)
            {
                if (have == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
                var read = await socket.ReceiveAsync(buffer.AsMemory(have));
                if (read == 0) throw new BenchmarkRefused("The service closed a connection.");
                have += read;
                if (IsWhole(buffer.AsSpan(0, have)) && Utf8Parser.TryParse(buffer.AsSpan("HTTP/1.1 ".Length, 3), out int status, out _)) return (status, have);
            }
        }

        private static bool IsWhole(ReadOnlySpan<byte> answer)
        {
            var end = answer.IndexOf(EndOfHead);
            if (end < 0) return false;

            var head = answer[..end];
            var body = answer[(end + EndOfHead.Length)..];
            if (head.IndexOf("chunked"u8) >= 0) return body.EndsWith("0\r\n\r\n"u8);
            var at = head.IndexOf("Content-Length: "u8);
            return at < 0 || (Utf8Parser.TryParse(head[(at + "Content-Length: ".Length)..], out long length, out _) && body.Length >= length);
        }
    }
}
