using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Hours;

/// <summary>What other systems are told of service: each step of a record, and each line of the ledger. Both are about the record, so they come in order.</summary>
internal static class ServiceEvents
{
    private static readonly Dictionary<RecordStep, EventType> Steps = new()
    {
        [RecordStep.Recorded] = new("service_record.recorded"),
        [RecordStep.Approved] = new("service_record.approved"),
        [RecordStep.Rejected] = new("service_record.rejected"),
        [RecordStep.Corrected] = new("service_record.corrected"),
        [RecordStep.Voided] = new("service_record.voided"),
        [RecordStep.Claimed] = new("service_record.claimed"),
        [RecordStep.Returned] = new("service_record.returned"),
        [RecordStep.Disputed] = new("service_record.disputed"),
        [RecordStep.DisputeWithdrawn] = new("service_record.dispute_withdrawn"),
        [RecordStep.DisputeAnswered] = new("service_record.dispute_answered"),
    };

    private static readonly EventType Posted = new("posting.created");

    public static readonly IReadOnlyList<EventType> All = [.. Steps.Values, Posted];

    public static IEnumerable<Happening> Of(ServiceRecordEvent step, ServiceRecord record)
    {
        yield return Of(step.Step);
        // What a coordinator enters is approved as it is recorded.
        if (step is { Step: RecordStep.Recorded, Status: ServiceStatus.Approved }) yield return Of(RecordStep.Approved);

        Happening Of(RecordStep what) => new(Steps[what], step.OrganizationId, step.RecordId, new
        {
            step.RecordId, record.VolunteerId, record.ActivityId, record.TeamId, step.Status, record.Evidence, step.StartsAt, step.EndsAt, step.Minutes, step.PersonTimes,
            step.CreditedMinutes, step.CreditedPersonTimes, step.Positions,
        });
    }

    public static IEnumerable<Happening> Of(HourPosting posting)
    {
        yield return new Happening(Posted, posting.OrganizationId, posting.RecordId, new
        {
            posting.Position, posting.RecordId, posting.Cause, posting.VolunteerId, posting.ActivityId, posting.TeamId, posting.ProjectId, posting.Evidence, posting.ServiceDate,
            posting.Minutes, posting.PersonTimes,
        });
    }
}
