using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Volunteers.Features.Reports;
using Volunteers.Platform;

namespace Volunteers.Features.Privacy;

/// <summary>One object: when it was drawn, and a list for each kind.</summary>
internal sealed class PersonJson(Stream stream, DateTimeOffset drawnAt) : IPersonWriter, IAsyncDisposable
{
    private const int SendAfter = 32_000;

    private readonly Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    private IReadOnlyList<string> members = [];
    private bool begun;

    public Task Begin(string kind, IReadOnlyList<string> members, CancellationToken ct)
    {
        if (!begun)
        {
            writer.WriteStartObject();
            writer.WriteString("drawnAt", Instant.AsKept(drawnAt).UtcDateTime);
            begun = true;
        }
        this.members = members;
        writer.WriteStartArray(kind);
        return Task.CompletedTask;
    }

    public async Task Row(IReadOnlyList<JsonNode?> values, CancellationToken ct)
    {
        writer.WriteStartObject();
        for (var i = 0; i < members.Count; i++)
        {
            writer.WritePropertyName(members[i]);
            if (values[i] is { } value) value.WriteTo(writer);
            else writer.WriteNullValue();
        }
        writer.WriteEndObject();
        if (writer.BytesPending > SendAfter) await writer.FlushAsync(ct);
    }

    public Task End(CancellationToken ct)
    {
        writer.WriteEndArray();
        return Task.CompletedTask;
    }

    public async Task Finish(CancellationToken ct)
    {
        writer.WriteEndObject();
        await writer.FlushAsync(ct);
    }

    public ValueTask DisposeAsync()
    {
        // What was not sent on purpose is not sent by the way.
        writer.Reset();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A zip with a file for each kind, as spreadsheets open them.</summary>
internal sealed class PersonCsv : IPersonWriter, IDisposable
{
    private const int SendAfter = 32_000;

    private readonly Stream stream;
    private readonly PackedStream packed = new();
    private readonly ZipArchive archive;
    private readonly StringBuilder text = new();
    private Stream? file;

    public PersonCsv(Stream stream)
    {
        this.stream = stream;
        archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true);
    }

    public Task Begin(string kind, IReadOnlyList<string> members, CancellationToken ct)
    {
        file = archive.CreateEntry($"{kind}.csv", CompressionLevel.Fastest).Open();
        text.Append('\ufeff');
        ReportCsv.AppendTexts(text, members);
        return Task.CompletedTask;
    }

    public async Task Row(IReadOnlyList<JsonNode?> values, CancellationToken ct)
    {
        ReportCsv.AppendTexts(text, [.. values.Select(Cell)]);
        if (text.Length > SendAfter) await Send(ct);
    }

    public async Task End(CancellationToken ct)
    {
        await Send(ct);
        await file!.DisposeAsync();
        file = null;
    }

    public async Task Finish(CancellationToken ct)
    {
        archive.Dispose();
        await packed.SendTo(stream, ct);
    }

    public void Dispose()
    {
        file?.Dispose();
        archive.Dispose();
        packed.Dispose();
    }

    /// <summary>Texts are made harmless, figures are not touched; what has parts is written as JSON.</summary>
    private static string Cell(JsonNode? value) => value switch
    {
        null => "",
        JsonValue one when one.GetValueKind() == JsonValueKind.String => ReportCsv.Harmless(one.GetValue<string>())!,
        _ => value.ToJsonString(Json.Options),
    };

    private async Task Send(CancellationToken ct)
    {
        file!.Write(Encoding.UTF8.GetBytes(text.ToString()));
        text.Clear();
        await packed.SendTo(stream, ct);
    }
}
