using System.Runtime.CompilerServices;
using FluentValidation;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Reports;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;

namespace Volunteers.Features.Jobs;

/// <summary>
/// A roster, by the rules of <see cref="ImportEndpoints"/>, but row by row: what can be taken is taken, and what cannot is told
/// with its reason.
/// </summary>
internal sealed class RosterImport() : JobImport<ImportField>(ImportColumns.Headings)
{
    private readonly ImportRepeats repeats = new();

    public override void PassOver(JobContext at, IReadOnlyList<FileRow> rows)
    {
        var identify = Identities(at);
        foreach (var row in Read(rows)) repeats.Of(identify.Of(row), null);
    }

    protected override async Task<JobBatch> Take(JobContext at, List<ImportRow<ImportField>> rows, CancellationToken ct)
    {
        var organization = await at.Db.LockOrganization(at.OrganizationId, ct);
        var (refused, identify) = (new List<RefusedRow>(), Identities(at));
        rows.RemoveAll(row =>
        {
            if (repeats.Of(identify.Of(row), null) is not { } earlier) return false;
            refused.Add(Refusal(row.Number, null, "duplicate_row", earlier.Row));
            return true;
        });

        // Taking a roster is all or nothing: what is refused is left out, and the rest looked at once more.
        var people = await Examine(Languages.English);
        for (; people.Refused.Count > 0; people = await Examine(Languages.English))
        {
            var chinese = (await Examine(Languages.Chinese)).Refused;
            refused.AddRange(people.Refused.Zip(chinese, (en, zh) => new RefusedRow(en.Row, en.Column, en.Code, en.Detail, zh.Detail)));
            var out_ = people.Refused.Select(refusal => refusal.Row).ToHashSet();
            rows.RemoveAll(row => out_.Contains(row.Number));
        }
        await people.AddNewcomers(ct);
        await at.Db.SaveChangesAsync(ct);
        var departures = at.Services.GetRequiredService<IDepartures>();
        if (people.Departed.Count > 0) await departures.Settle(at.Db, organization, [.. people.Departed], at.Now, ct);
        return new JobBatch(people.Created, people.Updated, people.Unchanged, refused);

        async Task<ImportPeople> Examine(System.Globalization.CultureInfo language)
        {
            Languages.Speak(language);
            at.Db.ChangeTracker.Clear();
            var examined = new ImportPeople(at.Db, organization, new ImportFile(Columns, rows), at.Services.GetRequiredService<IValidator<VolunteerRequest>>(),
                at.Services.GetRequiredService<IDepartures>(), at.Services.GetRequiredService<PersonalSeal>(), at.Tenant.ActorId, at.Now);
            await examined.Take(ct);
            return examined;
        }
    }

    private static ImportIdentities Identities(JobContext at) => new(at.Organization, at.Services.GetRequiredService<PersonalSeal>(), at.Now);
}

/// <summary>
/// The people that whoever asked may see, each as far as they may see them in the one profile that they open; never the number of
/// a document. Whoever was forgotten is not among them.
/// </summary>
internal sealed class RosterExport : IJobExport
{
    private const int AtOnce = 1_000;

    public IReadOnlyList<JobColumn> Columns { get; } =
    [
        .. Enum.GetValues<ImportField>().Where(field => field != ImportField.IdentityNumber).Select(field => JobColumn.Of(ImportColumns.Headings, field,
            field is ImportField.BirthDate or ImportField.JoinedOn ? CellKind.Date : CellKind.Text)),
    ];

    public Task<int> Count(JobContext at, CancellationToken ct) => People(at).CountAsync(ct);

    public async IAsyncEnumerable<object?[]> Rows(JobContext at, [EnumeratorCancellation] CancellationToken ct)
    {
        var (db, tenant) = (at.Db, at.Tenant);
        for (Guid? last = null; ;)
        {
            var after = last ?? Guid.Empty;
            var page = await People(at).Where(v => v.Id > after).OrderBy(v => v.Id).Take(AtOnce)
                .Select(v => new { Volunteer = v, Whole = db.Volunteers.SeenWholeBy(tenant, db).Any(whole => whole.Id == v.Id) }).ToListAsync(ct);
            if (page.Count == 0) yield break;
            var teams = await Teams(at, [.. page.Select(person => person.Volunteer.Id)], ct);
            foreach (var person in page) yield return Row(person.Volunteer, person.Whole, [.. teams[person.Volunteer.Id]], at);
            last = page[^1].Volunteer.Id;
        }
    }

    private static object?[] Row(Volunteer v, bool whole, (string Team, TeamRole Role)[] memberships, JobContext at)
    {
        var (consent, guardian) = (v.Profile.Consent, whole ? v.Guardian : null);
        return
        [
            v.Number, v.Name, whole ? v.Phone : PersonPhone.Masked(v.Phone), v.Hometown, whole && v.Gender is { } gender ? ImportColumns.Genders.Write(gender) : null,
            whole ? v.BirthDate : null, whole ? v.Residence : null, v.Skills.Count == 0 ? null : v.Skills.Select(skill => skill.Name).ToArray(), v.JoinedOn,
            ImportColumns.Statuses.Write(v.Status), consent?.Version, JobWriter.Moment(consent?.At, at.Organization),
            guardian?.Name, guardian?.Phone, guardian?.Relation, guardian?.Version, JobWriter.Moment(guardian?.At, at.Organization),
            memberships.Length == 0 ? null : memberships.Select(membership => membership.Team).ToArray(),
            memberships.Length == 0 ? null : memberships.Select(membership => ImportColumns.TeamRoles.Write(membership.Role)).ToArray(),
        ];
    }

    /// <summary>Those that the caller sees, the ones they have been in longest first.</summary>
    private static async Task<ILookup<Guid, (string Team, TeamRole Role)>> Teams(JobContext at, Guid[] people, CancellationToken ct)
    {
        var (db, tenant) = (at.Db, at.Tenant);
        var memberships = await (
            from m in db.TeamMembers
            join t in db.Teams on new { m.OrganizationId, Id = m.TeamId } equals new { t.OrganizationId, t.Id }
            where m.OrganizationId == at.OrganizationId && people.Contains(m.VolunteerId) && m.LeftOn == null && (tenant.ReadsAll || tenant.Teams.Contains(m.TeamId))
                && (at.Job.TeamId == null || m.TeamId == at.Job.TeamId)
            orderby m.JoinedOn, m.Id
            select new { m.VolunteerId, t.Name, m.Role }).ToListAsync(ct);
        return memberships.ToLookup(m => m.VolunteerId, m => (m.Name, m.Role));
    }

    private static IQueryable<Volunteer> People(JobContext at)
    {
        var (db, team) = (at.Db, at.Job.TeamId);
        var people = db.Volunteers.AsNoTracking().VisibleTo(at.Tenant, db).Where(v => v.ErasedAt == null);
        return team is null ? people : people.Where(v => db.TeamMembers.Any(m => m.OrganizationId == v.OrganizationId && m.VolunteerId == v.Id && m.LeftOn == null && m.TeamId == team));
    }
}
