namespace Volunteers.Features.Reports;

/// <summary>What the archive has written and nobody has sent yet. It cannot seek, so the archive never goes back.</summary>
internal sealed class PackedStream : Stream
{
    private readonly MemoryStream unsent = new();

    public async Task SendTo(Stream stream, CancellationToken ct)
    {
        await stream.WriteAsync(unsent.GetBuffer().AsMemory(0, (int)unsent.Length), ct);
        unsent.SetLength(0);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => unsent.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => unsent.Write(buffer);

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) unsent.Dispose();
        base.Dispose(disposing);
    }
}
