using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Hours;

/// <summary>The life of a record.</summary>
/// <param name="RecordId">The record.</param>
/// <param name="Steps">In the order in which they happened, disputes and their answers among them.</param>
internal sealed record ServiceRecordHistory(Guid RecordId, IReadOnlyList<ServiceRecordStep> Steps) : IAboutVolunteer
{
    [JsonIgnore]
    public Guid? VolunteerId { get; private init; }

    public static async Task<ServiceRecordHistory> Of(Guid recordId, Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == organizationId, ct);
        var events = await db.ServiceRecordEvents.AsNoTracking().Where(e => e.OrganizationId == organizationId && e.RecordId == recordId).OrderBy(e => e.Sequence).ToListAsync(ct);
        var late = await db.ServiceRecords.AnyAsync(r => r.OrganizationId == organizationId && r.Id == recordId && r.RecordedLate, ct);
        var lines = await Lines(recordId, organizationId, db, ct);
        var names = await NamesOf([.. events.Select(e => e.By).Distinct()], organizationId, db, ct);
        return new ServiceRecordHistory(recordId,
            [.. events.Select((e, i) => Told(e, names.GetValueOrDefault(e.By), [.. e.Positions.Select(position => lines[position])], late && i == 0, organization))])
        {
            VolunteerId = await db.ServiceRecords.Where(r => r.OrganizationId == organizationId && r.Id == recordId).Select(r => r.VolunteerId).SingleAsync(ct),
        };
    }

    private static ServiceRecordStep Told(ServiceRecordEvent e, string? name, BookedLine[] lines, bool late, Organization organization)
    {
        var story = new StepStory(e, name, lines, late, organization);
        return new ServiceRecordStep(e.Step, e.At, e.By, name, e.Reason, story.Text(), e.Status, e.StartsAt, e.EndsAt, e.Minutes, e.PersonTimes,
            e.CreditedMinutes, e.CreditedPersonTimes, story.MinutesBooked, story.PersonTimesBooked, e.Positions, story.Other?.RecordId);
    }

    /// <summary>The postings of the record. A claim books twice, one after the other: out of the headcount, and to the name.</summary>
    private static async Task<Dictionary<long, BookedLine>> Lines(Guid recordId, Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var lines = await db.HourPostings.Where(p => p.OrganizationId == organizationId && p.RecordId == recordId)
            .Select(p => new BookedLine(p.Position, p.Cause, p.Evidence, p.ServiceDate, p.Minutes, p.PersonTimes)).ToListAsync(ct);
        var others = lines.Where(line => line.Cause == PostingCause.Claimed).ToDictionary(line => line.Minutes < 0 ? line.Position + 1 : line.Position - 1, line => line.Position);
        var sides = await db.HourPostings.Where(p => p.OrganizationId == organizationId && others.Keys.Contains(p.Position))
            .Select(p => new OtherSide(p.Position, p.RecordId, p.Evidence,
                db.Volunteers.Where(v => v.OrganizationId == organizationId && v.Id == p.VolunteerId).Select(v => v.Name).FirstOrDefault())).ToListAsync(ct);
        var known = sides.ToDictionary(side => others[side.Position]);
        return lines.ToDictionary(line => line.Position, line => line with { Other = known.GetValueOrDefault(line.Position) });
    }

    /// <summary>Accounts by the name they gave themselves, clients by the one the organization gave them.</summary>
    private static async Task<Dictionary<Guid, string>> NamesOf(Guid[] ids, Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var names = await db.Clients.Where(c => c.OrganizationId == organizationId && ids.Contains(c.Id)).ToDictionaryAsync(c => c.Id, c => c.Name, ct);
        foreach (var account in await db.Users.Where(a => ids.Contains(a.Id)).Select(a => new { a.Id, a.DisplayName }).ToListAsync(ct))
            names[account.Id] = account.DisplayName;
        if (ids.Contains(ServiceRecord.TheServiceItself)) names[ServiceRecord.TheServiceItself] = Messages.Title("history_the_service");
        return names;
    }
}

/// <summary>One step: who did what, when and why; how the record stood after it; and what it booked.</summary>
/// <param name="Step">What was done.</param>
/// <param name="At">When.</param>
/// <param name="By">The account or client that did it; all zeros for the service itself.</param>
/// <param name="ByName">Its name; null when it is gone.</param>
/// <param name="Reason">Why; of a dispute, what the volunteer says.</param>
/// <param name="Text">All of it in plain words, in the language of the request and the organization's local time.</param>
/// <param name="Status">Where the record stood after it.</param>
/// <param name="StartsAt">When the service began, as of then.</param>
/// <param name="EndsAt">When it ended, as of then.</param>
/// <param name="Minutes">Its minutes, as of then.</param>
/// <param name="PersonTimes">Its participations, as of then.</param>
/// <param name="CreditedMinutes">What stood in the ledger after it.</param>
/// <param name="CreditedPersonTimes">The same of the person-times.</param>
/// <param name="MinutesBooked">What this step booked for the record, signed: 0 when it booked nothing.</param>
/// <param name="PersonTimesBooked">The same of the person-times.</param>
/// <param name="Positions">Where in the ledger it was booked.</param>
/// <param name="OtherRecordId">Of a claim, and of its way back: the headcount on the one side, the record with a name on the other.</param>
internal sealed record ServiceRecordStep(
    RecordStep Step, DateTimeOffset At, Guid By, string? ByName, string? Reason, string Text, ServiceStatus Status, DateTimeOffset StartsAt, DateTimeOffset EndsAt,
    int Minutes, int PersonTimes, int CreditedMinutes, int CreditedPersonTimes, int MinutesBooked, int PersonTimesBooked, IReadOnlyList<long> Positions,
    Guid? OtherRecordId);

/// <summary>A posting of the record.</summary>
internal sealed record BookedLine(long Position, PostingCause Cause, Evidence Evidence, DateOnly ServiceDate, int Minutes, int PersonTimes)
{
    public OtherSide? Other { get; init; }
}

/// <summary>Where the minutes of a claim went to, or came from; the volunteer's name if that record has one.</summary>
internal sealed record OtherSide(long Position, Guid RecordId, Evidence Evidence, string? Name);

/// <summary>A step in words: what happened, why, and what it did to the totals.</summary>
internal sealed class StepStory(ServiceRecordEvent step, string? name, BookedLine[] lines, bool late, Organization organization)
{
    public int MinutesBooked => lines.Sum(line => line.Minutes);

    public int PersonTimesBooked => lines.Sum(line => line.PersonTimes);

    public OtherSide? Other => lines is [var line] ? line.Other : null;

    public string Text()
    {
        var sentences = new List<string> { WhatHappened() };
        if (step.Reason is { } reason)
        {
            sentences.Add(Say(step.Step switch
            {
                RecordStep.Disputed => "history_words",
                RecordStep.DisputeAnswered => "history_answer",
                _ => "history_reason",
            }, reason));
        }
        if (late) sentences.Add(Messages.Title("history_late"));
        sentences.AddRange(Effect());
        return string.Join(Languages.IsChinese ? "" : " ", sentences);
    }

    private string WhatHappened() => string.Format(CultureInfo.CurrentCulture,
        step.Step == RecordStep.Claimed && MinutesBooked > 0
            ? Messages.Title("history_named")
            : Messages.Title("history_step_" + JsonNamingPolicy.SnakeCaseLower.ConvertName(step.Step.ToString())),
        Local(step.At), name ?? Messages.Title("history_somebody"), Amount(step.Minutes, step.PersonTimes), Local(step.StartsAt), Local(step.EndsAt),
        Other?.Name ?? Messages.Title("history_somebody"));

    private IEnumerable<string> Effect()
    {
        if (lines.Length == 0) return [Messages.Title(step.Status == ServiceStatus.Submitted ? "history_not_booked_yet" : "history_nothing_booked")];
        if (Other is { } other) return Moved(lines[0].Evidence, other.Evidence);
        if (lines is [var before, var after] && before.ServiceDate != after.ServiceDate)
            return [Say("history_other_day", Amount(-before.Minutes, -before.PersonTimes), Local(before.ServiceDate), Amount(after.Minutes, after.PersonTimes), Local(after.ServiceDate))];
        return [(MinutesBooked, PersonTimesBooked) switch
        {
            (0, 0) => Messages.Title("history_total_same"),
            ( >= 0, >= 0) => Say("history_put_on", Amount(MinutesBooked, PersonTimesBooked)),
            ( <= 0, <= 0) => Say("history_took_off", Amount(-MinutesBooked, -PersonTimesBooked)),
            ( > 0, _) => Say("history_put_and_took", Amount(MinutesBooked, 0), Amount(0, -PersonTimesBooked)),
            _ => Say("history_put_and_took", Amount(0, PersonTimesBooked), Amount(-MinutesBooked, 0)),
        }];
    }

    private IEnumerable<string> Moved(Evidence here, Evidence there)
    {
        yield return Say(
            step.Step switch
            {
                RecordStep.Voided => "history_moved_back",
                RecordStep.Returned => "history_came_back",
                _ => MinutesBooked < 0 ? "history_moved_out" : "history_moved_in",
            }, Amount(Math.Abs(MinutesBooked), Math.Abs(PersonTimesBooked)));
        if (here != there) yield return Say("history_other_evidence", Word(MinutesBooked < 0 ? here : there), Word(MinutesBooked < 0 ? there : here));
    }

    /// <summary>Of what there is none, nothing is said.</summary>
    private static string Amount(int minutes, int personTimes)
    {
        var time = Say(minutes == 1 ? "history_minute" : "history_minutes", minutes);
        var times = Say(personTimes == 1 ? "history_person_time" : "history_person_times", personTimes);
        return personTimes == 0 ? time : minutes == 0 ? times : Say("history_amount", time, times);
    }

    private string Local(DateTimeOffset instant) =>
        TimeZoneInfo.ConvertTime(instant, organization.Zone).ToString(Messages.Title("history_time"), CultureInfo.CurrentCulture);

    private static string Local(DateOnly day) => day.ToString(Messages.Title("history_day"), CultureInfo.CurrentCulture);

    private static string Word(Evidence evidence) => Messages.Title("report_evidence_" + JsonNamingPolicy.SnakeCaseLower.ConvertName(evidence.ToString()));

    private static string Say(string code, params object[] arguments) => string.Format(CultureInfo.CurrentCulture, Messages.Title(code), arguments);
}
