using Volunteers.Platform;

namespace Volunteers.Features.Hours;

/// <summary>How we know. Shown wherever hours are shown.</summary>
internal enum Evidence
{
    /// <summary>Check-in and check-out.</summary>
    Attendance,

    /// <summary>Entered by a coordinator for others.</summary>
    Coordinator,

    /// <summary>Entered by the volunteer.</summary>
    Self,

    /// <summary>Taken over from another system or from paper.</summary>
    Import,
}

internal enum ServiceStatus
{
    Submitted,
    Approved,
    Rejected,
    Voided,
}

/// <summary>Why a coordinator should look twice.</summary>
internal enum RecordFlag
{
    /// <summary>Nobody checked out; it ends when the shift did.</summary>
    ForgottenCheckOut,

    /// <summary>Taken by the volunteer alone: sent later, or by somebody who can show the code to themselves.</summary>
    SelfReported,

    /// <summary>Names beside a headcount, or a headcount beside names, for one activity at one time, on a coordinator's word that they are not the same people.</summary>
    BesideHeadcount,

    /// <summary>What was left of attendance beside other service of the same volunteer for the same shift: perhaps one participation in two records.</summary>
    PartlyRecorded,
}

/// <summary>When service was given and how much: whole minutes, above zero, never more than the period times the persons.</summary>
internal sealed record ServiceFigures
{
    /// <summary>A day of the largest headcount.</summary>
    public const int MostMinutes = 24 * 60 * 100_000;

    public ServiceFigures(DateTimeOffset startsAt, DateTimeOffset endsAt, int? minutes, int personTimes)
    {
        var most = (long)(endsAt - startsAt).TotalMinutes * personTimes;
        if ((minutes ?? most) is var given && (given < 1 || given > most)) throw new RuleBreach("minutes_exceed_period", most);
        (StartsAt, EndsAt, Minutes, PersonTimes) = (startsAt, endsAt, (int)given, personTimes);
    }

    public DateTimeOffset StartsAt { get; }

    public DateTimeOffset EndsAt { get; }

    public int Minutes { get; }

    public int PersonTimes { get; }
}

/// <summary>Where an imported record came from.</summary>
/// <param name="System">The other system, by the name the organization gave it.</param>
/// <param name="Reference">What that system calls it; made from the row itself where the system has no word for it.</param>
internal sealed record ServiceOrigin(string System, string Reference);
