using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;
using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>The life of a record.</summary>
/// <param name="RecordId">The record.</param>
/// <param name="Steps">In the order in which they happened, disputes and their answers among them.</param>
internal sealed record ServiceRecordHistory(Guid RecordId, IReadOnlyList<ServiceRecordStep> Steps)
{
    public static async Task<ServiceRecordHistory> Of(Guid recordId, Guid organizationId, VolunteersDb db, CancellationToken ct)
    {
        var organization = await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == organizationId, ct);
        var events = await db.ServiceRecordEvents.AsNoTracking().Where(e => e.OrganizationId == organizationId && e.RecordId == recordId).OrderBy(e => e.Sequence).ToListAsync(ct);
        var postings = await db.HourPostings.Where(p => p.OrganizationId == organizationId && p.RecordId == recordId)
            .Select(p => new BookedLine(p.Position, p.Cause, p.Minutes, p.PersonTimes)).ToDictionaryAsync(p => p.Position, ct);
        var names = await NamesOf([.. events.Select(e => e.By).Distinct()], organizationId, db, ct);
        return new ServiceRecordHistory(recordId,
            [.. events.Select(e => Told(e, names.GetValueOrDefault(e.By), [.. e.Positions.Select(position => postings[position])], organization))]);
    }

    private static ServiceRecordStep Told(ServiceRecordEvent e, string? name, BookedLine[] lines, Organization organization)
    {
        var story = new StepStory(e, name, lines, organization);
        return new ServiceRecordStep(e.Step, e.At, e.By, name, e.Reason, story.Text(), e.Status, e.StartsAt, e.EndsAt, e.Minutes, e.PersonTimes,
            e.CreditedMinutes, e.CreditedPersonTimes, story.MinutesBooked, story.PersonTimesBooked, e.Positions);
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
internal sealed record ServiceRecordStep(
    RecordStep Step, DateTimeOffset At, Guid By, string? ByName, string? Reason, string Text, ServiceStatus Status, DateTimeOffset StartsAt, DateTimeOffset EndsAt,
    int Minutes, int PersonTimes, int CreditedMinutes, int CreditedPersonTimes, int MinutesBooked, int PersonTimesBooked, IReadOnlyList<long> Positions);

/// <summary>A posting of the record.</summary>
internal sealed record BookedLine(long Position, PostingCause Cause, int Minutes, int PersonTimes);

/// <summary>A step in words: what happened, why, and what it did to the totals.</summary>
internal sealed class StepStory(ServiceRecordEvent step, string? name, BookedLine[] lines, Organization organization)
{
    public int MinutesBooked => lines.Sum(line => line.Minutes);

    public int PersonTimesBooked => lines.Sum(line => line.PersonTimes);

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
        sentences.Add(Effect());
        return string.Join(CultureInfo.CurrentUICulture.TwoLetterISOLanguageName == "zh" ? "" : " ", sentences);
    }

    private string WhatHappened() => string.Format(CultureInfo.CurrentCulture,
        Messages.Title("history_step_" + JsonNamingPolicy.SnakeCaseLower.ConvertName(step.Step.ToString())),
        Local(step.At), name ?? Messages.Title("history_somebody"), Amount(step.Minutes, step.PersonTimes), Local(step.StartsAt), Local(step.EndsAt));

    private string Effect()
    {
        if (lines.Length == 0) return Messages.Title(step.Status == ServiceStatus.Submitted ? "history_not_booked_yet" : "history_nothing_booked");
        if (lines.All(line => line.Cause == PostingCause.Claimed))
            return Say(MinutesBooked < 0 ? "history_moved_out" : "history_moved_in", Amount(Math.Abs(MinutesBooked), Math.Abs(PersonTimesBooked)));
        return (MinutesBooked, PersonTimesBooked) switch
        {
            (0, 0) => Messages.Title("history_total_same"),
            ( >= 0, >= 0) => Say("history_put_on", Amount(MinutesBooked, PersonTimesBooked)),
            ( <= 0, <= 0) => Say("history_took_off", Amount(-MinutesBooked, -PersonTimesBooked)),
            _ => Say("history_changed_by", Amount(MinutesBooked, PersonTimesBooked)),
        };
    }

    private static string Amount(int minutes, int personTimes) => Say("history_amount",
        Say(minutes is 1 or -1 ? "history_minute" : "history_minutes", minutes), Say(personTimes is 1 or -1 ? "history_person_time" : "history_person_times", personTimes));

    private string Local(DateTimeOffset instant) =>
        TimeZoneInfo.ConvertTime(instant, organization.Zone).ToString(Messages.Title("history_time"), CultureInfo.CurrentCulture);

    private static string Say(string code, params object[] arguments) => string.Format(CultureInfo.CurrentCulture, Messages.Title(code), arguments);
}
