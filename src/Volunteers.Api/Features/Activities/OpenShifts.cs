using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Organizations;

namespace Volunteers.Features.Activities;

/// <summary>For whom an activity is to be open.</summary>
internal enum OpenFor
{
    /// <summary>The caller.</summary>
    Me,
}

/// <summary>What a volunteer may join.</summary>
internal static class OpenShifts
{
    /// <summary>
    /// Shifts that this volunteer could have a place on this moment: published, of one of their teams or a team above it, still
    /// open, with a place left, asking for nothing they cannot do that day, free of clashes, and not theirs already.
    /// </summary>
    public static IQueryable<Shift> OpenTo(this VolunteersDb db, Organization organization, Guid volunteerId, DateTimeOffset now)
    {
        var (id, zone) = (organization.Id, organization.TimeZone);
        return db.Shifts.FromSql(
            $"""
             with recursive above as (
                 select t.id, t.parent_team_id, m.left_on from team_members m join teams t on t.organization_id = m.organization_id and t.id = m.team_id
                 where m.organization_id = {id} and m.volunteer_id = {volunteerId}
                 union
                 select t.id, t.parent_team_id, a.left_on from above a join teams t on t.organization_id = {id} and t.id = a.parent_team_id
             )
             select s.* from shifts s
             join activities a on a.organization_id = s.organization_id and a.id = s.activity_id and a.status = 'published'
             join volunteers v on v.organization_id = s.organization_id and v.id = {volunteerId} and v.status = 'active'
             where s.organization_id = {id} and s.ends_at > {now} and coalesce(s.sign_up_closes_at, s.starts_at) > {now}
               and (s.capacity is null or s.taken < s.capacity)
               and exists (select 1 from above where above.id = a.team_id and (above.left_on is null or above.left_on >= (s.starts_at at time zone {zone})::date))
               and not exists (select 1 from sign_ups u where u.organization_id = {id} and u.shift_id = s.id and u.volunteer_id = {volunteerId} and u.status <> 'cancelled')
               and not exists (
                   select 1 from sign_ups u join shifts o on o.organization_id = u.organization_id and o.id = u.shift_id
                   where u.organization_id = {id} and u.volunteer_id = {volunteerId} and u.status in ('confirmed', 'attended')
                     and o.starts_at < s.ends_at and o.ends_at > s.starts_at)
               and not exists (
                   select 1 from unnest(s.skills) as needed(name) where not exists (
                       select 1 from jsonb_to_recordset(v.skills) as has("Name" text, "ExpiresOn" date)
                       where has."Name" = needed.name and (has."ExpiresOn" is null or has."ExpiresOn" >= (s.starts_at at time zone {zone})::date)))
             """).AsNoTracking();
    }
}

/// <summary>A shift the caller may join.</summary>
/// <param name="ShiftId">The shift.</param>
/// <param name="Name">Its name.</param>
/// <param name="StartsAt">When it starts.</param>
/// <param name="EndsAt">When it ends.</param>
/// <param name="PlacesLeft">How many more may come; null for no limit.</param>
internal sealed record OpenShift(Guid ShiftId, string Name, DateTimeOffset StartsAt, DateTimeOffset EndsAt, int? PlacesLeft);
