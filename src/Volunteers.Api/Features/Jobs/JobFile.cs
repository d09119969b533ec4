using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>A file as it came in. Read before the handler, so that no transaction waits for an upload.</summary>
internal sealed class JobUpload(byte[] content) : IEndpointParameterMetadataProvider
{
    public const string Ndjson = "application/x-ndjson";

    public const int LargestBytes = 30 * 1024 * 1024;

    public byte[] Content => content;

    /// <summary>The first bytes tell better than a name or a media type what a program has written.</summary>
    public JobFormat Format { get; } = JobTable.FormatOf(content);

    public static async ValueTask<JobUpload?> BindAsync(HttpContext http)
    {
        using var content = await ImportFile.Upload(http);
        return new JobUpload(content.ToArray());
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata([ImportFile.Form, ImportFile.Csv, ImportFile.Xlsx, Ndjson], typeof(IFormFile)));
}

/// <summary>The files of jobs, in the database in pieces: every replica reaches them, and they go with the rows that they belong to.</summary>
internal sealed class JobFiles(PersonalSeal seal, IDataProtectionProvider protection)
{
    public const int ChunkBytes = 1024 * 1024;

    private readonly IDataProtector protector = protection.CreateProtector("Volunteers.JobFiles");

    public JobChunk Chunk(Job job, int number, ReadOnlySpan<byte> content)
    {
        var sealedText = seal.IsConfigured ? seal.Seal(content, BoundTo(job.OrganizationId, job.Id, number)) : null;
        return new JobChunk
        {
            OrganizationId = job.OrganizationId, JobId = job.Id, Number = number, KeyId = sealedText?.KeyId,
            Content = sealedText?.Bytes ?? protector.Protect(content.ToArray()),
        };
    }

    public IEnumerable<JobChunk> Chunks(Job job, byte[] content) =>
        content.Chunk(ChunkBytes).DefaultIfEmpty([]).Select((piece, number) => Chunk(job, number, piece));

    /// <exception cref="RuleBreach">410: it is gone. 503: the key that opens it is not among the settings.</exception>
    public async Task<MemoryStream> Read(VolunteersDb db, Job job, CancellationToken ct)
    {
        if (job.FileBytes is null) throw RuleBreach.Precondition("job_file_gone", StatusCodes.Status410Gone);
        var whole = new MemoryStream();
        await foreach (var chunk in Sealed(db, job).WithCancellation(ct)) whole.Write(Open(chunk, job));
        whole.Position = 0;
        return whole;
    }

    /// <summary>In order.</summary>
    public static IAsyncEnumerable<JobChunk> Sealed(VolunteersDb db, Job job) =>
        db.JobChunks.AsNoTracking().Where(c => c.OrganizationId == job.OrganizationId && c.JobId == job.Id).OrderBy(c => c.Number).AsAsyncEnumerable();

    public byte[] Open(JobChunk chunk, Job job)
    {
        try
        {
            return chunk.KeyId is { } key ? seal.OpenBytes(new SealedText(key, chunk.Content), BoundTo(job.OrganizationId, job.Id, chunk.Number)) : protector.Unprotect(chunk.Content);
        }
        catch (CryptographicException)
        {
            // The keys of then are no longer there.
            throw RuleBreach.Precondition("job_file_gone", StatusCodes.Status410Gone);
        }
    }

    /// <summary>
    /// Brings every piece under the key of now, one statement each: it may be stopped and run again, beside workers that write.
    /// What a replica writes with an old key meanwhile is found by the next round.
    /// </summary>
    /// <returns>How many it sealed, and what it could not open.</returns>
    public async Task<(int Sealed, IReadOnlyList<string> Problems)> Reseal(VolunteersDb db, CancellationToken ct)
    {
        var (key, resealed) = (seal.CurrentKey, 0);
        var problems = new List<string>();
        for (var before = -1; before != resealed;)
        {
            before = resealed;
            problems.Clear();
            var old = db.JobChunks.Where(c => c.KeyId != null && c.KeyId != key);
            foreach (var missing in (await old.Select(c => c.KeyId!).Distinct().ToListAsync(ct)).Where(id => !seal.Opens(id)).Order(StringComparer.Ordinal))
                problems.Add($"Files of jobs are sealed with the key '{missing}', which is not in PersonalData:Keys. Put it back, and run this again, or wait until they are pruned.");
            foreach (var found in await old.Select(c => new { c.OrganizationId, c.JobId, c.Number, c.KeyId }).ToListAsync(ct))
            {
                if (!seal.Opens(found.KeyId!)) continue;
                var piece = db.JobChunks.Where(c => c.OrganizationId == found.OrganizationId && c.JobId == found.JobId && c.Number == found.Number && c.KeyId == found.KeyId);
                if (await piece.AsNoTracking().SingleOrDefaultAsync(ct) is not { } chunk) continue;
                try
                {
                    var bound = BoundTo(chunk.OrganizationId, chunk.JobId, chunk.Number);
                    var anew = seal.Seal(seal.OpenBytes(new SealedText(chunk.KeyId!, chunk.Content), bound), bound);
                    resealed += await piece.ExecuteUpdateAsync(set => set.SetProperty(c => c.KeyId, anew.KeyId).SetProperty(c => c.Content, anew.Bytes), ct);
                }
                catch (CryptographicException)
                {
                    problems.Add($"Piece {chunk.Number} of the file of job {chunk.JobId} of organization {chunk.OrganizationId} is damaged: its key does not open it.");
                }
            }
        }
        return (resealed, problems);
    }

    private static byte[] BoundTo(Guid organizationId, Guid jobId, int number) => Encoding.UTF8.GetBytes($"job {organizationId} {jobId} {number}");
}
