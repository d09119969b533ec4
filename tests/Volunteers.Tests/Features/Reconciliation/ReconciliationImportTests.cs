using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>How rows that are missing here become records, once.</summary>
public sealed class ReconciliationImportTests(TestDatabases databases) : ReconciliationTest(databases)
{
    [Fact]
    public async Task What_is_missing_here_is_booked_with_its_origin_at_the_first_free_time()
    {
        var person = await Person("A-1", "李雷");
        await O.Record(Activity, person, At("08:30"), At("10:00"));
        var made = await Reconcile("A-1,,,2026-06-07,90,,R0\r\nA-1,,,2026-06-07,120,,R1\r\nA-1,,,2026-06-07,30,,R2\r\n");

        Assert.Equal((2, 0, 0), Done(await Import(made)));

        var records = await Records();
        Assert.Equal(["00:00 30 R2", "00:30 90 ", "02:00 120 R1"], records.Select(record => $"{record["startsAt"]!.ToString()[11..16]} {record["minutes"]} {record["origin"]?["reference"]}"));
        Assert.All(records.Where(record => record["origin"] is not null), record =>
        {
            Assert.Equal(("import", "approved", "志愿深圳"), ((string?)record["evidence"], (string?)record["status"], (string?)record["origin"]!["system"]));
            Assert.Contains("志愿深圳", (string)record["note"]!, StringComparison.Ordinal);
        });
        Assert.Equal((240, 3), await Credited());
        await VerifiedPosition();
        Assert.Equal(2, (await Rows(made, "missingHere")).Count(row => row["importedRecordId"] is not null));
        Assert.Equal((2, 2), (Number(await Admin.Get($"/reconciliations/{made.Id}"), "imported"), Number(await Admin.Get($"/reconciliations/{made.Id}"), "version")));
    }

    [Fact]
    public async Task The_same_file_twice_changes_nothing_with_numbers_of_its_own_and_without()
    {
        await Person("A-1", "李雷");
        const string rows = "A-1,,,2026-06-07,60,送考,R1\r\nA-1,,,2026-06-07,60,,\r\nA-1,,,2026-06-07,60,,\r\nA-1,,,2026-06-08,30,送考,\r\n";
        var first = await Reconcile(rows);
        Assert.Equal((4, 0, 0), Done(await Import(first)));
        var before = await Records();

        var second = await Reconcile(rows);
        Assert.Equal((4, 0, 0, 0, 0), Counts(second));
        Assert.Equal((0, 0, 0), Done(await Import(second)));
        Assert.Equal((0, 4, 0), Done(await Import(first)));

        Assert.Equal(before.Select(record => record.ToJsonString()), (await Records()).Select(record => record.ToJsonString()));
        await VerifiedPosition();
    }

    [Fact]
    public async Task A_row_is_known_again_by_its_number_after_its_record_was_corrected_to_another_day()
    {
        await Person("A-1", "李雷");
        await Import(await Reconcile("A-1,,,2026-06-07,60,,R1\r\n"));
        var record = Assert.Single(await Records());
        (await Do(Admin, "correct", (string)record["id"]!, new { reason = "The day before.", startsAt = At("08:00", 6), endsAt = At("08:45", 6) })).ShouldBe(200);

        var row = Assert.Single(await Rows(await Reconcile("A-1,,,2026-06-07,60,,R1\r\n")));

        Assert.Equal(("different", "2026-06-06", 45), ((string?)row["list"], (string?)row["dateHere"], (int)row["minutesHere"]!));
    }

    [Fact]
    public async Task The_same_import_sent_at_the_same_moment_books_each_row_once()
    {
        for (var i = 0; i < 5; i++) await Person($"A-{i}", $"人{i}");
        var rows = string.Concat(Enumerable.Range(0, 40).Select(i => $"A-{i % 5},,,2026-06-{(i % 28) + 1:00},60,,R{i}\r\n"));
        var (one, other) = (await Reconcile(rows), await Reconcile(rows));

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Import(i % 2 == 0 ? one : other))));

        Assert.All(answers, answer => answer.ShouldBe(200));
        Assert.Equal(40, answers.Sum(answer => Number(answer, "imported")));
        Assert.Equal([40, 0, 0, 0, 0, 0, 0, 0], answers.Select(answer => Number(answer, "imported")).OrderDescending());
        Assert.Equal((2400, 40), await Credited());
        Assert.Equal(40, await VerifiedPosition());
    }

    [Fact]
    public async Task A_file_without_numbers_of_its_own_that_was_compared_twice_is_booked_once()
    {
        await Person("A-1", "李雷");
        const string rows = "A-1,,,2026-06-07,60,送考,\r\nA-1,,,2026-06-07,60,送考,\r\nA-1,,,2026-06-08,30,,\r\n";
        var (one, other) = (await Reconcile(rows), await Reconcile(rows));

        Assert.Equal((3, 0, 0), Done(await Import(one)));
        Assert.Equal((0, 3, 0), Done(await Import(other)));

        Assert.Equal((150, 3), await Credited());
    }

    [Fact]
    public async Task Imports_at_the_same_moment_share_the_activities_that_they_make()
    {
        for (var i = 0; i < 6; i++) await Person($"A-{i}", $"人{i}");
        var made = new List<Answer>();
        for (var i = 0; i < 6; i++) made.Add(await Reconcile($"A-{i},,,2026-06-07,60,爱心送考,R{i}\r\n"));

        var answers = await Task.WhenAll(made.Select(reconciliation => Task.Run(() => Import(reconciliation, new { teamId = Team, category = "送考" }))));

        Assert.All(answers, answer => Assert.Equal((1, 0, 0), Done(answer)));
        Assert.Single((await Admin.Get("/activities?category=送考")).Items);
    }

    [Fact]
    public async Task All_rows_or_none_unless_the_refused_are_skipped()
    {
        var person = await Person("A-1", "李雷");
        await Person("A-2", "王芳");
        var stranger = (await Admin.Post("/volunteers", new { number = "A-3", name = "赵云" })).ShouldBe(201).Id;
        var submitted = (await Record(await O.SignedInAs(person), person, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\nA-2,,,2026-06-07,60,,R2\r\nA-3,,,2026-06-07,60,,R3\r\nA-2,,,2026-06-08,961,,R4\r\nA-2,,,2026-06-09,721,,R5\r\n");
        Assert.NotNull(stranger);

        var refused = await Import(made);

        refused.ShouldRefuse(409, "reconciliation_import_refused");
        string[] expected = ["2 waiting_here", "4 not_a_member", "5 no_free_time", "6 daily_limit"];
        Assert.Equal(expected, Refusals(refused));
        Assert.Single(await Records());

        var skipping = await Import(made, new { activityId = Activity, skipRefused = true });
        Assert.Equal((1, 0, 4), Done(skipping));
        Assert.Equal(expected, Refusals(skipping));
        Assert.Equal((60, 1), await Credited());

        (await Do(Admin, "approve", submitted)).ShouldBe(200);
        Assert.Equal(["2 changed_since", "4 not_a_member", "5 no_free_time", "6 daily_limit"], Refusals(await Import(made)));
        await VerifiedPosition();
    }

    [Fact]
    public async Task One_file_read_by_two_mappings_before_either_is_imported_is_booked_once()
    {
        await Person("A-1", "李雷");
        await Save("bare", new { system = "志愿深圳", columns = new { number = "志愿者编号", date = "服务日期", minutes = "服务分钟" } });
        const string rows = "A-1,,,2026-06-07,60,送考,R1\r\nA-1,,,2026-06-08,60,送考,R2\r\n";
        var (numbered, bare) = (await Reconcile(rows), await Reconcile(rows, "mapping=bare&from=2026-06-01&to=2026-06-30"));
        // In two steps: what was made of one row does not stand in the way of the next.
        Assert.Equal((1, 0, 0), Done(await Import(numbered, new { activityId = Activity, rows = new[] { 2 } })));
        Assert.Equal((1, 1, 0), Done(await Import(numbered)));

        Assert.Equal(["2 changed_since", "3 changed_since"], Refusals(await Import(bare)));
        Assert.Equal((2, 0, 0, 0, 0), Counts(await Reconcile(rows, "mapping=bare&from=2026-06-01&to=2026-06-30")));
        Assert.Equal((120, 2), await Credited());
    }

    [Fact]
    public async Task Service_that_was_moved_to_the_day_since_the_comparison_is_not_booked_again()
    {
        var person = await Person("A-1", "李雷");
        var record = await O.Record(Activity, person, At("08:00", 8), At("09:00", 8));
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\n");
        Assert.Equal((0, 1, 1, 0, 0), Counts(made));
        (await Do(Admin, "correct", record, new { reason = "The day before.", startsAt = At("08:00"), endsAt = At("09:00") })).ShouldBe(200);

        Assert.Equal(["2 changed_since"], Refusals(await Import(made)));
        Assert.Equal((1, 0, 0, 0, 0), Counts(await Reconcile("A-1,,,2026-06-07,60,,R1\r\n")));
        Assert.Equal((60, 1), await Credited());
    }

    [Fact]
    public async Task What_was_submitted_since_the_comparison_is_not_booked_beside_it()
    {
        var person = await Person("A-1", "李雷");
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\n");
        (await Record(await O.SignedInAs(person), person, At("08:00"), At("09:00"))).ShouldBe(201);

        Assert.Equal(["2 changed_since"], Refusals(await Import(made)));
        Assert.Equal((0, 0), await Credited());
    }

    [Fact]
    public async Task Rows_are_chosen_by_their_number_in_the_file()
    {
        var person = await Person("A-1", "李雷");
        await O.Record(Activity, person, At("08:00", 9), At("09:00", 9));
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\nA-1,,,2026-06-08,60,,R2\r\nA-1,,,2026-06-09,60,,R3\r\n");

        Assert.Equal((1, 0, 0), Done(await Import(made, new { rows = new[] { 3 }, activityId = Activity })));
        var refused = await Import(made, new { rows = new[] { 2, 4, 99 }, activityId = Activity });
        refused.ShouldRefuse(409, "reconciliation_import_refused");
        Assert.Equal(["4 not_missing_here", "99 not_missing_here"], Refusals(refused));
        Assert.Equal(["2026-06-08", "2026-06-09"], (await Records()).Select(record => (string?)record["serviceDate"]));
    }

    [Fact]
    public async Task Nobody_imports_their_own_hours()
    {
        var person = await Person("A-1", "李雷");
        var coordinator = await O.CoordinatorWhoIs(person);
        var made = await Reconcile("A-1,,,2026-06-07,60,,R1\r\n", by: coordinator);

        Assert.Equal(["2 own_hours"], Refusals(await Import(made, by: coordinator)));
        Assert.Equal((1, 0, 0), Done(await Import(made)));
    }

    [Fact]
    public async Task A_row_whose_record_was_voided_does_not_come_back_by_itself()
    {
        await Person("A-1", "李雷");
        await Import(await Reconcile("A-1,,,2026-06-07,60,,R1\r\n"));
        (await Do(Admin, "void", (string)Assert.Single(await Records())["id"]!)).ShouldBe(200);

        var again = await Reconcile("A-1,,,2026-06-07,60,,R1\r\n");

        Assert.Equal((0, 0, 1, 0, 0), Counts(again));
        Assert.Equal(["2 imported_before"], Refusals(await Import(again)));
        Assert.Equal((0, 0), await Credited());
    }

    [Fact]
    public async Task In_a_team_each_activity_of_the_file_gets_one_of_its_name_day_by_day()
    {
        await Person("A-1", "李雷");
        await Person("A-2", "王芳");
        var under = new { teamId = Team, category = "送考" };
        var made = await Reconcile("A-1,,,2026-06-07,60,爱心送考,R1\r\nA-2,,,2026-06-07,90,爱心送考,R2\r\nA-1,,,2026-06-08,60,爱心送考,R3\r\nA-2,,,2026-06-08,60,,R4\r\n");

        Assert.Equal((4, 0, 0), Done(await Import(made, under)));
        Assert.Equal((1, 0, 0), Done(await Import(await Reconcile("A-1,,,2026-06-09,60,,R9\r\n"), under)));
        Assert.Equal((1, 0, 0), Done(await Import(await Reconcile("A-2,,,2026-06-09,60,,R10\r\n"), under)));

        var activities = (await Admin.Get("/activities?category=送考")).Items;
        Assert.Equal(["志愿深圳", "志愿深圳", "爱心送考", "爱心送考"], activities.Select(activity => (string?)activity!["title"]).Order(StringComparer.Ordinal));
        Assert.All(activities, activity => Assert.Equal(("published", Team), ((string?)activity!["status"], (string?)activity["teamId"])));
        Assert.All(await Records(), record => Assert.Equal(("送考", Team), ((string?)record["category"], (string?)record["teamId"])));
    }

    [Fact]
    public async Task Times_of_the_file_are_kept_and_over_midnight_is_the_next_day()
    {
        await Person("A-1", "李雷");
        await Save("times", new { system = "S", columns = new { number = "n", date = "d", startsAt = "from", endsAt = "to", minutes = "m" } });
        var made = (await Admin.Post("/reconciliations?mapping=times&from=2026-06-01&to=2026-06-30",
            Rosters.Csv("n,d,from,to,m\r\nA-1,2026-06-07,22:00,01:00,150\r\nA-1,2026-06-07,09:00,,60\r\nA-1,2026-06-08,00:30,02:00,60\r\n"))).ShouldBe(201);

        var import = await Import(made, new { activityId = Activity, skipRefused = true });

        Assert.Equal(["4 overlapping_service"], Refusals(import));
        Assert.Equal(["2026-06-07T00:00 60 2026-06-07", "2026-06-07T14:00 150 2026-06-07"],
            (await Records()).Select(record => $"{record["startsAt"]!.ToString()[..16]} {record["minutes"]} {record["serviceDate"]}"));
    }
}
