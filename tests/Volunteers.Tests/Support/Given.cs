namespace Volunteers.Tests.Support;

/// <summary>
/// Steps that bring about a situation, through the API as a client would. The first organization is made when it is first
/// needed; every name is its own, so that nothing collides.
/// </summary>
public sealed class Given(ApiHost host)
{
    public const string Password = "a-good-password";

    private Api? operatorApi;
    private OrganizationSteps? organization;
    private int count;

    public string Unique(string word) => $"{word} {Interlocked.Increment(ref count)}";

    public async Task<Api> Operator() => operatorApi ??= await host.SignInAsOperator();

    /// <summary>The test's own organization, in Asia/Shanghai; the operator is its administrator.</summary>
    public async Task<OrganizationSteps> Organization() => organization ??= await AnotherOrganization();

    public async Task<OrganizationSteps> AnotherOrganization(string timeZone = "Asia/Shanghai", object? settings = null)
    {
        var api = await Operator();
        var made = (await api.Post("/v1/organizations", new { name = Unique("Community"), timeZone, settings })).ShouldBe(201);
        return new OrganizationSteps(host, this, made.Id, api.At($"/v1/organizations/{made.Id}"));
    }
}

/// <summary>Steps within one organization. <see cref="Admin"/> is its administrator, with paths below the organization.</summary>
public sealed class OrganizationSteps(ApiHost host, Given given, string id, Api admin)
{
    public string Id => id;

    public string Path => $"/v1/organizations/{id}";

    public Api Admin => admin;

    public async Task<string> Team(string? parentTeamId = null) =>
        (await admin.Post("/teams", new { name = given.Unique("Team"), parentTeamId })).ShouldBe(201).Id;

    public async Task<string> Volunteer(string? inTeam = null)
    {
        var volunteer = (await admin.Post("/volunteers", new { name = given.Unique("Volunteer") })).ShouldBe(201).Id;
        if (inTeam is not null) await Member(inTeam, volunteer);
        return volunteer;
    }

    public async Task<string[]> Volunteers(int howMany, string? inTeam = null)
    {
        var volunteers = new string[howMany];
        for (var i = 0; i < howMany; i++) volunteers[i] = await Volunteer(inTeam);
        return volunteers;
    }

    public async Task Member(string teamId, string volunteerId, string role = "member") =>
        (await admin.Put($"/teams/{teamId}/members/{volunteerId}", new { role })).ShouldBe(200);

    public async Task<string> Project(string category = "patrol") =>
        (await admin.Post("/projects", new { title = given.Unique("Project"), category, status = "adopted" })).ShouldBe(201).Id;

    /// <summary>A published activity, on 7 June 2026 from 14:30 to 18:30 local time unless said otherwise.</summary>
    public async Task<string> Activity(
        string teamId, string startsAt = "2026-06-07T14:30:00+08:00", string endsAt = "2026-06-07T18:30:00+08:00", string category = "patrol", string? projectId = null)
    {
        var activity = (await admin.Post("/activities", new { title = given.Unique("Activity"), teamId, projectId, category, startsAt, endsAt })).ShouldBe(201).Id;
        (await admin.Post($"/activities/{activity}/publish")).ShouldBe(200);
        return activity;
    }

    /// <summary>A published activity of four hours, the next morning unless said otherwise.</summary>
    public Task<string> UpcomingActivity(string teamId, DateTimeOffset? startsAt = null, int hours = 4)
    {
        var start = startsAt ?? new DateTimeOffset(host.Clock.GetUtcNow().Date.AddDays(2), TimeSpan.Zero);
        return Activity(teamId, start.ToString("O"), start.AddHours(hours).ToString("O"));
    }

    /// <summary>A shift of the whole activity unless said otherwise.</summary>
    public async Task<string> Shift(string activityId, int? capacity = null, DateTimeOffset? startsAt = null, DateTimeOffset? endsAt = null, string[]? skills = null) =>
        (await admin.Post($"/activities/{activityId}/shifts", new { name = given.Unique("Shift"), capacity, startsAt, endsAt, skills })).ShouldBe(201).Id;

    /// <summary>A sign-up entered by the administrator; answers its status.</summary>
    public async Task<string> SignUp(string shiftId, string volunteerId) =>
        (string)(await admin.Post($"/shifts/{shiftId}/sign-ups", new { volunteerId })).ShouldBe(201)["status"]!;

    /// <summary>Service entered by the administrator, so approved and posted.</summary>
    public async Task<string> Record(string activityId, string volunteerId, string startsAt, string endsAt, int? minutes = null) =>
        (await admin.Post("/service-records", new { activityId, volunteerId, startsAt, endsAt, minutes })).ShouldBe(201).Id;

    /// <summary>An account made from an invitation, linked to the volunteer, signed in, with paths below the organization.</summary>
    public async Task<Api> SignedInAs(string volunteerId)
    {
        var (login, _) = await Account(volunteerId);
        return (await host.SignIn(login, Given.Password)).At(Path);
    }

    /// <summary>An account with this role and no profile of its own, signed in, with paths below the organization.</summary>
    public async Task<Api> SignedInWithRole(string role, string? teamId = null)
    {
        var (login, accountId) = await Account(await Volunteer());
        (await admin.Put($"/roles/{accountId}", new { roles = new[] { new { role, teamId } } })).ShouldBe(200);
        return (await host.SignIn(login, Given.Password)).At(Path);
    }

    /// <summary>A coordinator who is also a volunteer, with hours of their own.</summary>
    public async Task<Api> CoordinatorWhoIs(string volunteerId, string? teamId = null)
    {
        var (login, accountId) = await Account(volunteerId);
        (await admin.Put($"/roles/{accountId}", new { roles = new object[] { new { role = "coordinator", teamId }, new { role = "volunteer", volunteerId } } }))
            .ShouldBe(200);
        return (await host.SignIn(login, Given.Password)).At(Path);
    }

    public async Task<(string Login, string AccountId)> Account(string volunteerId)
    {
        var invitation = (await admin.Post($"/volunteers/{volunteerId}/invitation")).ShouldBe(200);
        var login = $"person{given.Unique("").Trim()}@example.org";
        var account = await host.Anonymous.Post("/v1/accounts",
            new { invitationCode = (string)invitation["code"]!, login, password = Given.Password, displayName = "Somebody" });
        return (login, account.ShouldBe(201).Id);
    }
}
