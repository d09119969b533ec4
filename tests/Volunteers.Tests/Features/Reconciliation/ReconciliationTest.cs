using System.Text.Json.Nodes;
using Volunteers.Tests.Features.Hours;
using Volunteers.Tests.Features.Volunteers;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Reconciliation;

/// <summary>A saved mapping of another platform's export, and short words for reconciling with it.</summary>
public abstract class ReconciliationTest(TestDatabases databases) : HoursTest(databases)
{
    protected const string Heading = "志愿者编号,手机号,姓名,服务日期,服务分钟,活动名称,记录编号\r\n";
    protected const string June = "mapping=sz&from=2026-06-01&to=2026-06-30";

    protected static readonly object Mapping = new
    {
        system = "志愿深圳",
        columns = new { number = "志愿者编号", phone = "手机号", name = "姓名", date = "服务日期", minutes = "服务分钟", activity = "活动名称", reference = "记录编号" },
    };

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Save("sz", Mapping);
    }

    protected async Task Save(string name, object mapping) => (await Admin.Put($"/column-mappings/{name}", mapping)).ShouldBe(200);

    /// <summary>Somebody in the team, with this number, name and phone.</summary>
    protected async Task<string> Person(string number, string name, string? phone = null)
    {
        var id = (await Admin.Post("/volunteers", new { number, name, phone })).ShouldBe(201).Id;
        await O.Member(Team, id);
        return id;
    }

    protected async Task<Answer> Reconcile(string rows, string query = June, Api? by = null) =>
        (await (by ?? Admin).Post($"/reconciliations?{query}", Rosters.Csv(Heading + rows))).ShouldBe(201);

    protected async Task<JsonObject[]> Rows(Answer reconciliation, string? list = null) =>
        [.. (await Admin.Get($"/reconciliations/{reconciliation.Id}/rows?limit=200{(list is null ? "" : "&list=" + list)}")).ShouldBe(200).Items.Select(row => row!.AsObject())];

    protected Task<Answer> Import(Answer reconciliation, object? request = null, Api? by = null) =>
        (by ?? Admin).Post($"/reconciliations/{reconciliation.Id}/import", request ?? new { activityId = Activity });

    protected static (int Same, int MissingThere, int MissingHere, int Different, int Unmatched) Counts(Answer reconciliation)
    {
        var counts = reconciliation["counts"]!;
        return ((int)counts["same"]!, (int)counts["missingThere"]!, (int)counts["missingHere"]!, (int)counts["different"]!, (int)counts["unmatched"]!);
    }

    protected static (int Imported, int Already, int Refused) Done(Answer import) =>
        ((int)import.ShouldBe(200)["imported"]!, (int)import["already"]!, import["refused"]!.AsArray().Count);

    protected static string[] Refusals(Answer answer) => [.. answer["refused"]!.AsArray().Select(refusal => $"{refusal!["row"]} {refusal["code"]}")];

    protected static string[] Codes(IEnumerable<JsonObject> rows) => [.. rows.Select(row => $"{row["row"]} {row["code"]}")];

    protected async Task<JsonObject[]> Records() => [.. (await Admin.Get("/service-records?limit=200")).ShouldBe(200).Items.Select(record => record!.AsObject())];
}
