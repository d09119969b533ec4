using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Volunteers;

/// <summary>What a rotation did, and what it could not do.</summary>
internal sealed record KeyRotationResult(int Sealed, int Hashed, IReadOnlyList<string> Problems);

/// <summary>
/// Brings every identity document under the keys of now. In small transactions, one organization after another: it may be
/// stopped and run again, and beside it the service goes on, as long as every replica knows the old keys and the new.
/// </summary>
internal sealed class KeyRotation(VolunteersDb db, PersonalSeal seal, TimeProvider clock)
{
    private const int AtOnce = 200;

    private readonly SortedDictionary<string, int> missingKeys = [];
    private readonly List<string> problems = [];
    private int resealed;
    private int hashed;

    /// <exception cref="StartupRefused">There are no keys.</exception>
    public async Task<KeyRotationResult> Run(CancellationToken ct)
    {
        if (!seal.IsConfigured) throw new StartupRefused("There are no keys to rotate to: set PersonalData:Keys, PersonalData:CurrentKey and PersonalData:HashKey.");

        // A replica may have written with the old keys behind our back: until a round finds nothing to do.
        for (var before = -1; before != resealed + hashed;)
        {
            before = resealed + hashed;
            missingKeys.Clear();
            problems.Clear();
            foreach (var organization in await db.IdentityDocuments.Select(d => d.OrganizationId).Distinct().OrderBy(id => id).ToListAsync(ct))
                for (Guid? after = Guid.Empty; after is not null;)
                    after = await Batch(organization, after.Value, ct);
        }
        return new KeyRotationResult(resealed, hashed, [.. missingKeys.Select(missing =>
            $"{missing.Value} documents are sealed with the key '{missing.Key}', which is not in PersonalData:Keys. Put it back, and run this again."), .. problems]);
    }

    /// <returns>After whom the next batch begins; null after the last.</returns>
    private async Task<Guid?> Batch(Guid organization, Guid after, CancellationToken ct)
    {
        var (key, hashKey, hashKeys) = (seal.CurrentKey, seal.CurrentHashKey, seal.HashKeys.ToArray());
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var documents = await db.IdentityDocuments.FromSql(
            $"""
             select d.* from identity_documents d where d.organization_id = {organization} and d.volunteer_id > {after}
                 and (d.key_id <> {key}
                     or not exists (select 1 from identity_marks m where m.organization_id = {organization} and m.volunteer_id = d.volunteer_id and m.hash_key_id = {hashKey})
                     or exists (select 1 from identity_marks m where m.organization_id = {organization} and m.volunteer_id = d.volunteer_id and m.hash_key_id <> all({hashKeys})))
             order by d.volunteer_id limit {AtOnce} for update of d
             """).AsNoTracking().ToListAsync(ct);
        var notes = new AuditNotes();
        using (notes.Watch(db))
        {
            var changed = 0;
            foreach (var document in documents)
            {
                var before = resealed + hashed;
                await BringUp(document, hashKeys, ct);
                if (resealed + hashed > before) changed++;
            }
            AuditNotes.Tell(db, organization, "identityDocument", AuditAction.Changed, changed);
        }
        await db.LeaveTrace(notes, "rotateKeys", organization, clock.GetUtcNow(), ct);
        await transaction.CommitAsync(ct);
        return documents.Count < AtOnce ? null : documents[^1].VolunteerId;
    }

    private async Task BringUp(IdentityDocument document, string[] hashKeys, CancellationToken ct)
    {
        if (!seal.Opens(document.KeyId))
        {
            missingKeys[document.KeyId] = missingKeys.GetValueOrDefault(document.KeyId) + 1;
            return;
        }
        string number;
        try
        {
            number = document.Open(seal);
        }
        catch (InvalidOperationException damaged)
        {
            problems.Add(damaged.Message);
            return;
        }

        var (organization, volunteer) = (document.OrganizationId, document.VolunteerId);
        if (document.KeyId != seal.CurrentKey)
        {
            document.SealAnew(seal);
            // Not a change of the document, so its version stays.
            await db.Database.ExecuteSqlAsync(
                $"update identity_documents set key_id = {document.KeyId}, sealed_number = {document.SealedNumber} where organization_id = {organization} and volunteer_id = {volunteer}", ct);
            resealed++;
        }
        foreach (var hash in IdentityDocument.HashesOf(organization, document.Kind, number, seal))
        {
            hashed += await db.Database.ExecuteSqlAsync(
                $"""
                 insert into identity_marks (organization_id, hash, hash_key_id, volunteer_id) values ({organization}, {hash.Hash}, {hash.KeyId}, {volunteer})
                 on conflict do nothing
                 """, ct);
            var holder = await db.IdentityMarks.Where(m => m.OrganizationId == organization && m.Hash == hash.Hash).Select(m => (Guid?)m.VolunteerId).SingleOrDefaultAsync(ct);
            // Null: it was just deleted, and the next round settles it.
            if (holder is null || holder == volunteer) continue;
            problems.Add($"Volunteers {holder} and {volunteer} of organization {organization} have the same document: one was entered while its hash key was not set.");
            return;
        }
        await db.IdentityMarks.Where(m => m.OrganizationId == organization && m.VolunteerId == volunteer && !hashKeys.Contains(m.HashKeyId)).ExecuteDeleteAsync(ct);
    }
}
