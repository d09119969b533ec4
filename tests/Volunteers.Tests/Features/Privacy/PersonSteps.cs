using System.Text.Json.Nodes;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Privacy;

/// <summary>Somebody with a full life in an organization, and everything that would tell who they are.</summary>
internal sealed record LivedLife(string Id, string AccountId, Api Self, IReadOnlyList<string> Values)
{
    public const string Name = "欧阳若曦", FormerName = "欧阳若溪", Phone = "13912345678", Hometown = "湖南湘西", Residence = "石厦西村七栋",
        Document = "11010519491231002X", BirthDate = "1949-12-31", Guardian = "欧阳守仁", GuardianPhone = "13687654321", Number = "SX-7Q41",
        Login = "ruoxi.ouyang@example.org", DisplayName = "若曦在石厦";

    /// <summary>Each of them tells who they are; the birth date is in the number of their document too.</summary>
    public static readonly string[] Marks =
        [Name, FormerName, Phone, Hometown, Residence, Document, BirthDate, Guardian, GuardianPhone, Number, Login, DisplayName];
}

internal static class PersonSteps
{
    /// <summary>Joins, serves, disputes, is certified and awarded, and is written about by others.</summary>
    public static async Task<LivedLife> Live(this OrganizationSteps o, ApiHost host, string team, string activity)
    {
        var admin = o.Admin;
        var id = (await admin.Post("/volunteers", new
        {
            name = LivedLife.FormerName, number = "SX-OLD9", phone = LivedLife.Phone, hometown = LivedLife.Hometown, residence = LivedLife.Residence, gender = "female",
            birthDate = LivedLife.BirthDate, skills = new[] { new { name = "急救" } }, consent = new { version = "v1", at = "2026-01-01T00:00:00Z" },
            guardian = new { name = LivedLife.Guardian, phone = LivedLife.GuardianPhone, relation = "father", version = "v1", at = "2026-01-01T00:00:00Z" },
        }, ("Idempotency-Key", "made-once"))).ShouldBe(201).Id;
        (await admin.Patch($"/volunteers/{id}", new { name = LivedLife.Name, number = LivedLife.Number })).ShouldBe(200);
        (await admin.Put($"/volunteers/{id}/identity-document", new { kind = "residentId", number = LivedLife.Document })).ShouldBe(200);
        await o.Member(team, id);

        var invitation = (await admin.Post($"/volunteers/{id}/invitation", null, ("Idempotency-Key", LivedLife.Phone))).ShouldBe(200);
        var account = (await host.Anonymous.Post("/v1/accounts", new
        {
            invitationCode = (string)invitation["code"]!, login = LivedLife.Login, password = Given.Password, displayName = LivedLife.DisplayName,
        }, ("Idempotency-Key", "account-once"))).ShouldBe(201).Id;
        var self = (await host.SignIn(LivedLife.Login, Given.Password)).At(o.Path);
        (await host.Anonymous.Post("/v1/password-resets", new { login = LivedLife.Login })).ShouldBe(202);

        var shift = await o.Shift(await o.UpcomingActivity(team, host.Clock.GetUtcNow().AddMinutes(20)));
        (await self.Post($"/shifts/{shift}/sign-ups", new { volunteerId = id })).ShouldBe(201);
        (await admin.Post($"/shifts/{shift}/check-in", new { volunteerId = id })).ShouldBe(200);
        await o.SignUp(await o.Shift(await o.UpcomingActivity(team)), id);
        (await self.Post("/calendar-feeds", new { kind = "own" })).ShouldBe(201);

        var record = (await admin.Post("/service-records", new
        {
            volunteerId = id, activityId = activity, startsAt = "2026-06-07T08:00:00+08:00", endsAt = "2026-06-07T10:00:00+08:00",
            note = $"{LivedLife.Name}（电话 139-1234 5678，证件 {LivedLife.Document.ToLowerInvariant()}）带队",
        })).ShouldBe(201).Id;
        var own = (await self.Post("/service-records", new
        {
            volunteerId = id, activityId = activity, startsAt = "2026-06-07T11:00:00+08:00", endsAt = "2026-06-07T12:00:00+08:00", note = $"我是{LivedLife.FormerName}，住{LivedLife.Residence}",
        })).ShouldBe(201).Id;
        (await admin.Post($"/service-records/{own}/reject", new { reason = $"请{LivedLife.Name}补交照片" })).ShouldBe(200);
        (await self.Post($"/service-records/{record}/disputes", new { message = $"{LivedLife.Name}多做了半小时，请打{LivedLife.Phone}" })).ShouldBe(201);
        // Written about them where it is about somebody else.
        var other = await o.Volunteer(team);
        (await admin.Post("/service-records", new
        {
            volunteerId = other, activityId = activity, startsAt = "2026-06-07T08:00:00+08:00", endsAt = "2026-06-07T09:00:00+08:00", note = $"与{LivedLife.Name}同行，电话+86 {LivedLife.Phone}",
        })).ShouldBe(201);
        (await admin.Patch($"/teams/{team}", new { description = $"联系人{LivedLife.Name} {LivedLife.Phone}" })).ShouldBe(200);
        (await admin.Patch("", new { contact = $"{LivedLife.Phone}", responsiblePerson = LivedLife.Name })).ShouldBe(200);

        var award = (await admin.Post("/awards", new { volunteerId = id, name = "年度之星", reason = $"{LivedLife.Name}随叫随到" })).ShouldBe(201).Id;
        (await admin.Post($"/awards/{award}/publish", new { })).ShouldBe(200);
        (await self.Post($"/awards/{award}/objections", new { message = $"{LivedLife.Name}不敢当" })).ShouldBe(201);
        (await admin.Post($"/volunteers/{id}/trainings", new { name = "急救", content = $"{LivedLife.Name}主讲", minutes = 60, heldOn = "2026-06-01" })).ShouldBe(201);
        (await admin.Post($"/volunteers/{id}/ratings", new { grade = "良好", ratedBy = LivedLife.Guardian, ratedOn = "2026-06-07", note = $"{LivedLife.Guardian}说好" })).ShouldBe(201);
        (await admin.Post($"/volunteers/{id}/certificates", new { from = "2026-06-01", to = "2026-06-30", purpose = $"{LivedLife.Name}升学" })).ShouldBe(201);
        (await admin.Post($"/volunteers/{other}/certificates", new { from = "2026-06-01", to = "2026-06-30" })).ShouldBe(201);
        (await admin.Post("/reports/hours/issued", new { from = "2026-01-01", to = "2026-12-31", groupBy = "volunteer", sentTo = "街道办", note = $"{LivedLife.Name}经手" })).ShouldBe(201);
        (await admin.Put("/column-mappings/upstream", new { system = "Upstream", columns = new { number = "Number", name = "Name", phone = "Phone", date = "Date", minutes = "Minutes" } })).ShouldBe(200);
        (await admin.Post("/reconciliations?mapping=upstream&from=2026-06-01&to=2026-06-30", Volunteers.Rosters.Csv(
            $"Number,Name,Phone,Date,Minutes\r\n{LivedLife.Number},{LivedLife.Name},,2026-06-07,120\r\n,{LivedLife.Name},{LivedLife.GuardianPhone},2026-06-09,60\r\n,,{LivedLife.Phone},bad,1\r\n")))
            .ShouldBe(201);
        return new LivedLife(id, account, self, LivedLife.Marks);
    }

    public static Task<Answer> EraseMe(this LivedLife life, object? request = null) =>
        new Api(life.Self.Http, "").Send(HttpMethod.Delete, "/v1/me", request ?? new { password = Given.Password });

    public static JsonArray Kind(this Answer export, string kind) => export[kind]!.AsArray();
}
