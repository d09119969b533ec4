using Microsoft.EntityFrameworkCore;

namespace Volunteers.Platform.Outbox;

/// <summary>What happened is written down in the transaction in which it happens, or not at all; others carry it on from there.</summary>
internal static class Outbox
{
    /// <summary>
    /// Within the transaction of the change and after its rows are written: so they are locked, and what follows on one object comes
    /// after it. What nobody listens for is not kept.
    /// </summary>
    public static async Task Tell(this DbContext db, IReadOnlyCollection<Happening> happenings, DateTimeOffset now, CancellationToken ct)
    {
        if (happenings.Count == 0) return;
        if (db.Database.CurrentTransaction is null) throw new InvalidOperationException("What happens is told in the transaction in which it happens.");

        var organizations = happenings.Select(happening => happening.OrganizationId).ToArray();
        var ids = happenings.Select(_ => Guid.CreateVersion7(now)).ToArray();
        var types = happenings.Select(happening => happening.Type.Name).ToArray();
        var objects = happenings.Select(happening => happening.ObjectId).ToArray();
        var data = happenings.Select(OutboxEvent.Write).ToArray();
        var at = Instant.AsKept(now);
        await db.Database.ExecuteSqlAsync(
            $"""
             insert into outbox_events (organization_id, id, type, object_id, at, data)
             select h.organization_id, h.id, h.type, h.object_id, {at}, h.data::json
             from unnest({organizations}, {ids}, {types}, {objects}, {data}) with ordinality h(organization_id, id, type, object_id, data, place)
             where exists (select 1 from outbox_listeners l where l.organization_id = h.organization_id and l.type = h.type)
             order by h.place
             """, ct);
    }

    /// <summary>What is listened for in an organization from now on, all of it; under a lock that keeps others from saying so at the same time.</summary>
    public static Task Listen(this DbContext db, Guid organizationId, string[] types, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         with gone as (delete from outbox_listeners where organization_id = {organizationId} and type <> all({types}))
         insert into outbox_listeners (organization_id, type) select {organizationId}, unnest({types}) on conflict do nothing
         """, ct);

    /// <summary>Forgets what happened before then, and with it what became of it; a part at a time, and says how many.</summary>
    public static Task<int> Forget(DbContext db, DateTimeOffset before, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         delete from outbox_events e using (select organization_id, id from outbox_events where at < {before} order by at limit 1000) old
         where e.organization_id = old.organization_id and e.id = old.id
         """, ct);
}
