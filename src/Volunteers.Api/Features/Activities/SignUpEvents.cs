using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Volunteers.Platform.Outbox;

namespace Volunteers.Features.Activities;

/// <summary>What other systems are told of sign-ups.</summary>
internal static class SignUpEvents
{
    public static readonly EventType Confirmed = new("sign_up.confirmed");
    public static readonly EventType Waitlisted = new("sign_up.waitlisted");

    /// <summary>Had waited, and has a place now.</summary>
    public static readonly EventType Promoted = new("sign_up.promoted");
    public static readonly EventType Cancelled = new("sign_up.cancelled");
    public static readonly EventType Attended = new("sign_up.attended");
    public static readonly EventType NoShow = new("sign_up.no_show");

    public static readonly IReadOnlyList<EventType> All = [Confirmed, Waitlisted, Promoted, Cancelled, Attended, NoShow];

    public static IEnumerable<Happening> Of(SignUp signUp, EntityEntry entry)
    {
        var before = entry.State switch
        {
            EntityState.Added => (SignUpStatus?)SignUpStatus.Cancelled,
            EntityState.Modified => (SignUpStatus)entry.Property(nameof(SignUp.Status)).OriginalValue!,
            _ => null,
        };
        if (before is null || before == signUp.Status) yield break;

        var type = signUp.Status switch
        {
            SignUpStatus.Confirmed => before == SignUpStatus.Waitlisted ? Promoted : Confirmed,
            SignUpStatus.Waitlisted => Waitlisted,
            SignUpStatus.Attended => Attended,
            SignUpStatus.NoShow => NoShow,
            _ => Cancelled,
        };
        yield return new Happening(type, signUp.OrganizationId, signUp.Id, new { SignUpId = signUp.Id, signUp.ShiftId, signUp.VolunteerId, signUp.Status, signUp.Source, signUp.GroupId });
    }
}
