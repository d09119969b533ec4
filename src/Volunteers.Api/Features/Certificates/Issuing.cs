using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Platform;

namespace Volunteers.Features.Certificates;

/// <summary>Freezes what the ledger says of one volunteer and one period at one of its positions.</summary>
internal static class Issuing
{
    /// <summary>More are summed by month.</summary>
    public const int MostLines = 2000;

    private const int LongestContent = 100;

    /// <param name="db">In the request's transaction.</param>
    /// <param name="organizationId">Whose ledger.</param>
    /// <param name="volunteerId">Somebody whom the caller may do this for.</param>
    /// <param name="request">The period.</param>
    /// <param name="by">The account or client.</param>
    /// <param name="byName">Its name; null for the volunteer themselves.</param>
    /// <param name="now">The moment of issue.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<Certificate> Issue(
        this VolunteersDb db, Guid organizationId, Guid volunteerId, CertificateRequest request, Guid by, string? byName, DateTimeOffset now, CancellationToken ct)
    {
        // One after another: their numbers have no gap.
        var organization = await db.LockOrganization(organizationId, ct);
        var today = organization.DayOf(now);
        if (request.To > today) throw new RuleBreach("period_not_over", today);

        var position = await db.HourLedgers.Where(l => l.OrganizationId == organizationId).Select(l => l.Position).SingleOrDefaultAsync(ct);
        var given = await db.MonthsOf(organizationId, volunteerId, request, position, ct);
        if (given.Sum(month => month.Minutes) <= 0) throw new RuleBreach("nothing_to_certify");
        var lines = await db.LinesOf(organizationId, volunteerId, request, position, ct);
        var byMonth = lines.Count > MostLines;

        var replaced = request.Replaces is { } replaces ? await db.Replaced(organizationId, volunteerId, replaces, ct) : null;
        var volunteer = await db.Volunteers.Where(v => v.OrganizationId == organizationId && v.Id == volunteerId).Select(v => new { v.Number, v.Name }).SingleAsync(ct);
        var last = await db.Certificates.Where(c => c.OrganizationId == organizationId && c.Year == today.Year).MaxAsync(c => (int?)c.Sequence, ct) ?? 0;
        var certificate = new Certificate(organizationId, volunteerId, today.Year, last + 1, now)
        {
            From = request.From, To = request.To, Language = request.Language ?? organization.Locale, Purpose = request.Purpose,
            VolunteerNumber = volunteer.Number, VolunteerName = volunteer.Name,
            Organization = organization.Name, Contact = organization.Contact, ResponsiblePerson = organization.ResponsiblePerson,
            SupervisingOrganization = await db.Organizations.Where(o => o.Id == organization.SupervisingOrganizationId).Select(o => o.Name).SingleOrDefaultAsync(ct),
            IssuedBy = by, IssuedByName = byName, IssuedOn = today, LedgerPosition = position,
            Minutes = given.Sum(month => month.Minutes), PersonTimes = given.Sum(month => month.PersonTimes),
            ByEvidence = [.. given.GroupBy(month => month.Evidence).OrderBy(group => group.Key)
                .Select(group => new CertifiedEvidence(group.Key, group.Sum(month => month.PersonTimes), group.Sum(month => month.Minutes)))
                .Where(evidence => evidence is not { PersonTimes: 0, Minutes: 0 })],
            LinesAre = byMonth ? CertificateLines.Months : CertificateLines.Activities, Lines = byMonth ? Sums(given) : lines,
            ReplacesId = replaced?.Id, ReplacesNumber = replaced?.Number,
        };
        db.Add(certificate);
        await db.SaveChangesAsync(ct);
        if (replaced is not null)
        {
            db.Add(CertificateEnding.Supersede(replaced.Id, certificate));
            await db.SaveChangesAsync(ct);
        }
        return certificate;
    }

    private static async Task<Certificate> Replaced(this VolunteersDb db, Guid organizationId, Guid volunteerId, Guid id, CancellationToken ct) =>
        await db.Certificates.AsNoTracking().SingleOrDefaultAsync(c => c.OrganizationId == organizationId && c.Id == id && c.VolunteerId == volunteerId, ct)
            ?? throw RuleBreach.NotFound("certificate_not_found", "/replaces");

    private static async Task<List<Given>> MonthsOf(
        this VolunteersDb db, Guid organizationId, Guid volunteerId, CertificateRequest request, long position, CancellationToken ct) =>
        await db.HourPostings
            .Where(p => p.OrganizationId == organizationId && p.VolunteerId == volunteerId && p.ServiceDate >= request.From && p.ServiceDate <= request.To && p.Position <= position)
            .GroupBy(p => new { p.ServiceDate.Year, p.ServiceDate.Month, p.Evidence })
            .Select(g => new Given(g.Key.Year, g.Key.Month, g.Key.Evidence, g.Sum(p => (long)p.Minutes), g.Sum(p => (long)p.PersonTimes)))
            .ToListAsync(ct);

    private static async Task<List<CertificateLine>> LinesOf(
        this VolunteersDb db, Guid organizationId, Guid volunteerId, CertificateRequest request, long position, CancellationToken ct)
    {
        var sums = db.HourPostings
            .Where(p => p.OrganizationId == organizationId && p.VolunteerId == volunteerId && p.ServiceDate >= request.From && p.ServiceDate <= request.To && p.Position <= position)
            .GroupBy(p => new { p.ServiceDate, p.ActivityId, p.TeamId, p.Category, p.Evidence })
            .Select(g => new { g.Key, Minutes = g.Sum(p => (long)p.Minutes), PersonTimes = g.Sum(p => (long)p.PersonTimes) })
            .Where(g => g.Minutes != 0 || g.PersonTimes != 0);
        var rows = await sums
            .Join(db.Activities.Where(a => a.OrganizationId == organizationId), g => g.Key.ActivityId, a => a.Id, (Sum, Activity) => new { Sum, Activity })
            .Join(db.Teams.Where(t => t.OrganizationId == organizationId), x => x.Sum.Key.TeamId, t => t.Id, (x, team) => new { x.Sum, x.Activity, Team = team.Name })
            .OrderBy(x => x.Sum.Key.ServiceDate).ThenBy(x => x.Activity.StartsAt).ThenBy(x => x.Activity.Id).ThenBy(x => x.Sum.Key.Evidence).ThenBy(x => x.Team)
            .Take(MostLines + 1)
            .Select(x => new
            {
                x.Sum.Key.ServiceDate, x.Activity.Title, x.Sum.Key.Category, Place = x.Activity.Location == null ? null : x.Activity.Location.Name,
                x.Activity.Description, x.Team, x.Sum.Key.Evidence, x.Sum.PersonTimes, x.Sum.Minutes,
                PersonInCharge = db.Volunteers.Where(v => v.OrganizationId == organizationId && v.Id == x.Activity.ResponsibleVolunteerId).Select(v => v.Name).SingleOrDefault(),
            })
            .ToListAsync(ct);
        return [.. rows.Select(r => new CertificateLine(
            r.ServiceDate, r.Title, r.Category, r.Place, Shortened(r.Description), r.Team, r.PersonInCharge, r.Evidence, r.PersonTimes, r.Minutes))];
    }

    private static List<CertificateLine> Sums(List<Given> given) =>
        [.. given.GroupBy(month => new DateOnly(month.Year, month.Month, 1)).OrderBy(group => group.Key)
            .Select(group => new CertificateLine(group.Key, null, null, null, null, null, null, null, group.Sum(m => m.PersonTimes), group.Sum(m => m.Minutes)))
            .Where(line => line is not { PersonTimes: 0, Minutes: 0 })];

    /// <summary>The beginning of a text, on one line, no character cut in two.</summary>
    internal static string? Shortened(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        var characters = new StringInfo(line);
        return characters.LengthInTextElements <= LongestContent ? line : characters.SubstringByTextElements(0, LongestContent) + "…";
    }

    private sealed record Given(int Year, int Month, Evidence Evidence, long Minutes, long PersonTimes);
}
