using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>The documents of some people, locked: the same way for one and for a roster.</summary>
internal sealed class IdentityDocuments
{
    private readonly VolunteersDb db;
    private readonly PersonalSeal seal;
    private readonly Dictionary<Guid, IdentityDocument> documents;
    private readonly ILookup<Guid, IdentityMark> marks;

    private IdentityDocuments(VolunteersDb db, PersonalSeal seal, Dictionary<Guid, IdentityDocument> documents, ILookup<Guid, IdentityMark> marks) =>
        (this.db, this.seal, this.documents, this.marks) = (db, seal, documents, marks);

    /// <summary>The people must be locked before. A document is locked too, for its key may be changed at any time.</summary>
    public static async Task<IdentityDocuments> Lock(VolunteersDb db, Guid organizationId, Guid[] people, PersonalSeal seal, CancellationToken ct)
    {
        var documents = await db.IdentityDocuments.FromSql(
            $"select * from identity_documents where organization_id = {organizationId} and volunteer_id = any({people}) order by volunteer_id for update")
            .ToDictionaryAsync(d => d.VolunteerId, ct);
        var marks = documents.Count == 0 ? [] : await db.IdentityMarks.Where(m => m.OrganizationId == organizationId && people.Contains(m.VolunteerId)).ToListAsync(ct);
        return new IdentityDocuments(db, seal, documents, marks.ToLookup(m => m.VolunteerId));
    }

    /// <summary>Keeps a number in place of what there is; the caller saves.</summary>
    /// <returns>False when it is kept already.</returns>
    /// <exception cref="RuleBreach">There are no keys, or it does not fit the profile.</exception>
    public bool Set(Volunteer volunteer, IdentityKind kind, string number, AgeLimits ages, Guid by, DateTimeOffset now)
    {
        volunteer.RefuseErased();
        RefuseUnlessFits(volunteer.Profile, kind, number, ages);
        var hashes = IdentityDocument.HashesOf(volunteer.OrganizationId, kind, number, seal);
        if (!documents.TryGetValue(volunteer.Id, out var document))
            db.Add(document = documents[volunteer.Id] = new IdentityDocument(volunteer.OrganizationId, volunteer.Id));
        else if (marks[volunteer.Id].Any(mark => hashes.Any(hash => mark.Hash.AsSpan().SequenceEqual(hash.Hash))))
            return false;
        document.Set(kind, number, seal, by, now);
        db.RemoveRange(marks[volunteer.Id]);
        db.AddRange(hashes.Select(hash => new IdentityMark(document, hash)));
        return true;
    }

    /// <exception cref="RuleBreach">The number says another day of birth, or nothing may be recorded of this person.</exception>
    public static void RefuseUnlessFits(VolunteerProfile profile, IdentityKind kind, string number, AgeLimits ages)
    {
        if (profile.Guardian is null && ages.IsChild(profile.BirthDate)) throw ages.DataRefused;
        if (IdentityNumber.BirthDateOf(kind, number) is not { } born) return;
        if (profile.BirthDate is { } known && known != born) throw new RuleBreach("identity_birth_date_differs");
        // Else a number would tell of a minor whom the profile passes off as grown up.
        if (profile.BirthDate is null && ages.IsMinor(born)) throw new RuleBreach("birth_date_needed");
    }

    /// <summary>Holds a birth date that was changed against the number that is kept.</summary>
    public void HoldTo(Volunteer volunteer)
    {
        if (volunteer.BirthDate is { } born && documents.TryGetValue(volunteer.Id, out var document)
            && IdentityNumber.BirthDateOf(document.Kind, document.Open(seal)) is { } proven && proven != born)
            throw new RuleBreach("identity_birth_date_differs");
    }
}

internal static class IdentityConsent
{
    /// <summary>Those of these people whose number may not be kept: the organization asks consent for it, and they have not given it.</summary>
    public static async Task<HashSet<Guid>> WithoutIdentityConsent(this VolunteersDb db, Guid organizationId, Guid[] people, KnownConsents texts, CancellationToken ct)
    {
        if (!texts.Has(ConsentPurposes.IdentityDocument)) return [];
        var receipts = await db.ConsentReceipts
            .Where(r => r.OrganizationId == organizationId && people.Contains(r.VolunteerId) && r.Purpose == ConsentPurposes.IdentityDocument)
            .Select(r => new { r.VolunteerId, r.RecordedAt, r.Id, r.Action }).ToListAsync(ct);
        var given = receipts.GroupBy(r => r.VolunteerId).Where(of => of.OrderBy(r => r.RecordedAt).ThenBy(r => r.Id).Last().Action == ConsentAction.Given).Select(of => of.Key);
        return [.. people.Except(given)];
    }

    public static RuleBreach Missing => new("consent_needed", ConsentPurposes.Told(ConsentPurposes.IdentityDocument));
}
