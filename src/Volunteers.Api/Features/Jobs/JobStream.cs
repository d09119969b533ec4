using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>A file on its way into the database, a piece at a time. Written to asynchronously only.</summary>
internal sealed class JobStream(Func<int, ReadOnlyMemory<byte>, Task> keep) : Stream
{
    /// <summary>Of an export. Who needs more draws it in periods, or reads the lists page by page.</summary>
    public const long LargestBytes = 100L * 1024 * 1024;

    private readonly byte[] piece = new byte[JobFiles.ChunkBytes];
    private int filled;
    private int pieces;
    private long length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => length;

    public override long Position
    {
        get => length;
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if ((length += buffer.Length) > LargestBytes) throw new RuleBreach("export_file_too_large", LargestBytes / 1024 / 1024);
        while (buffer.Length > 0)
        {
            var taken = Math.Min(buffer.Length, piece.Length - filled);
            buffer[..taken].CopyTo(piece.AsMemory(filled));
            (filled, buffer) = (filled + taken, buffer[taken..]);
            if (filled == piece.Length) await Keep();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>The last piece, which need not be full.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => filled > 0 || pieces == 0 ? Keep() : Task.CompletedTask;

    public override void Flush() => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async Task Keep()
    {
        await keep(pieces++, piece.AsMemory(0, filled));
        filled = 0;
    }
}
