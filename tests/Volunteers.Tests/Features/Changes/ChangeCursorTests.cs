using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Privacy;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>From where a copy goes on, and when it cannot.</summary>
public sealed class ChangeCursorTests(TestDatabases databases) : ChangesTest(databases)
{
    [Fact]
    public async Task A_cursor_that_was_altered_or_is_somebody_elses_is_refused()
    {
        var phone = new Phone(Admin);
        await phone.Pull();
        var cursor = phone.Cursor!;
        var elsewhere = await Given.AnotherOrganization();

        foreach (var altered in new[] { "x", cursor[..^4], cursor[..40] + (cursor[40] == 'A' ? 'B' : 'A') + cursor[41..], cursor + "AAAA", "%00", "🚕" })
            (await Admin.Get($"/changes?since={Uri.EscapeDataString(altered)}")).ShouldRefuse(400, "invalid_cursor");
        (await Admin.Get($"/changes?since={new string('A', 401)}")).ShouldRefuse(400, "invalid_request");
        (await Coordinator.Get($"/changes?since={cursor}")).ShouldRefuse(400, "foreign_cursor");
        (await elsewhere.Admin.Get($"/changes?since={cursor}")).ShouldRefuse(400, "foreign_cursor");
        (await Admin.Get("/changes?limit=201")).ShouldRefuse(400, "invalid_request");
        (await Admin.Get($"/changes?since={cursor}")).ShouldBe(200);
    }

    [Fact]
    public async Task A_cursor_is_good_for_thirty_days_and_what_is_older_is_forgotten()
    {
        var (early, late) = (new Phone(Admin), new Phone(Admin));
        await early.Pull();
        await Host.Later(TimeSpan.FromDays(2));
        await late.Pull();
        (await Admin.Patch($"/teams/{Team}", new { description = "Another" })).ShouldBe(200);
        await O.Team();
        // They have their positions, and the day of it.
        (await Admin.Get("/changes")).ShouldBe(200);
        await Host.Later(TimeSpan.FromDays(29));
        await Host.InServices(services => services.GetRequiredService<RetentionWorker>().RunOnce(TestContext.Current.CancellationToken));

        (await early.Ask()).ShouldRefuse(410, "cursor_expired");
        Assert.Equal(2, (await late.Pull()).Count);
        await early.Pull();
        Assert.Equal(1, early.Anew);
        Assert.Equal(early.Copy, late.Copy);

        await Host.Later(TimeSpan.FromDays(29));
        await Host.InServices(services => services.GetRequiredService<RetentionWorker>().RunOnce(TestContext.Current.CancellationToken));
        Assert.Equal(0, await Ask<long>("select count(*) from changes"));
        (await late.Ask()).ShouldBe(200);
    }

    [Fact]
    public async Task A_cursor_from_which_changes_are_missing_or_that_the_database_has_not_reached_needs_another_copy()
    {
        var phone = new Phone(Admin);
        await phone.Pull();
        await O.Team();
        await O.Team();
        (await Admin.Get("/changes")).ShouldBe(200);
        await Tamper("delete from changes where position = (select max(position) - 1 from changes)");
        (await phone.Ask()).ShouldRefuse(410, "resync_required");

        await phone.Pull();
        await Tamper("delete from changes; update change_heads set position = 1");
        (await phone.Ask()).ShouldRefuse(410, "resync_required");
    }

    [Fact]
    public async Task A_change_that_is_committed_late_is_not_missed()
    {
        var phone = new Phone(Admin);
        await phone.Pull();
        await Host.InServices(async services =>
        {
            var ct = TestContext.Current.CancellationToken;
            var db = services.GetRequiredService<VolunteersDb>();
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var slow = await db.Teams.SingleAsync(team => team.Id == Guid.Parse(Team), ct);
            slow.Change(slow.Name, null, "Written first, committed last", []);
            await db.SaveChangesAsync(ct);

            (await Admin.Patch($"/teams/{OtherTeam}", new { description = "Written last, committed first" })).ShouldBe(200);
            Assert.Equal([OtherTeam], (await phone.Pull()).Select(item => (string)item["id"]!));
            Assert.Empty(await phone.Pull());

            await transaction.CommitAsync(ct);
        });

        Assert.Equal([Team], (await phone.Pull()).Select(item => (string)item["id"]!));
        Assert.Contains("committed last", phone.Copy[$"team {Team}"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_reads_while_many_write_misses_nothing()
    {
        var phones = new[] { new Phone(Admin, limit: 7), new Phone(Coordinator, limit: 7), new Phone(Self, limit: 7) };
        await Task.WhenAll(phones.Select(phone => phone.Pull()));
        using var done = new CancellationTokenSource();
        var reading = phones.Select(async phone =>
        {
            while (!done.IsCancellationRequested) await phone.Pull();
        }).ToArray();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(async writer =>
        {
            for (var i = 0; i < 8; i++)
            {
                var activity = await O.UpcomingActivity(writer % 2 == 0 ? Team : OtherTeam);
                var shift = await O.Shift(activity);
                if (i % 2 == 0) (await Admin.Delete($"/shifts/{shift}")).ShouldBe(204);
                else (await Admin.Patch($"/activities/{activity}", new { teamId = i % 4 == 1 ? Team : OtherTeam })).ShouldBe(200);
            }
        }));
        await done.CancelAsync();
        await Task.WhenAll(reading);

        foreach (var (phone, api) in phones.Zip([Admin, Coordinator, Self]))
        {
            await phone.Pull();
            Assert.Equal(await Phone.FreshCopy(api), phone.Copy);
            Assert.Equal(0, phone.Anew);
        }
        Assert.Equal(await Ask<long>("select count(*) from changes"), await Ask<long>("select max(position) from changes"));
    }
}
