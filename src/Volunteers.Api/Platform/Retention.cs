namespace Volunteers.Platform;

/// <summary>How many days are kept what is of use for a while only; 0 for ever, where that is allowed.</summary>
internal sealed class Retention
{
    /// <summary>Answers to requests with an Idempotency-Key, from the first of them on; at least 1.</summary>
    public int IdempotencyDays { get; init; } = 3;

    /// <summary>Sign-ins that have ended, with their tokens; at least 1.</summary>
    public int SignInDays { get; init; } = 31;

    /// <summary>Failed sign-ins, from the last of them on; at least 1, for so long the lockout counts them.</summary>
    public int FailedSignInDays { get; init; } = 1;

    /// <summary>Invitations, used or not, from when they expired.</summary>
    public int InvitationDays { get; init; } = 30;

    /// <summary>Applications that nobody has answered: they are declined then.</summary>
    public int ApplicationDays { get; init; } = 180;

    /// <summary>What a device said at a check-in: its clock, and how far away it was. That somebody came is kept.</summary>
    public int AttendanceDetailDays { get; init; } = 365;

    /// <summary>Comparisons with files of another system, whose rows name people.</summary>
    public int ReconciliationDays { get; init; } = 90;

    /// <summary>Imports and exports, with their files, from when they were asked for.</summary>
    public int JobDays { get; init; } = 7;

    /// <summary>What happened and was or is to be told to webhooks, with the log of its deliveries.</summary>
    public int WebhookDays { get; init; } = 30;

    /// <summary>What changed, for copies that are kept in step: whoever was away for longer takes everything anew; at least 1.</summary>
    public int ChangesDays { get; init; } = 30;

    public bool MakesSense => this is { IdempotencyDays: >= 1, SignInDays: >= 1, FailedSignInDays: >= 1, ChangesDays: >= 1 }
        && new[] { ChangesDays, IdempotencyDays, SignInDays, FailedSignInDays, InvitationDays, ApplicationDays, AttendanceDetailDays, ReconciliationDays, WebhookDays, JobDays }.All(days => days is >= 0 and <= 36_500);
}
