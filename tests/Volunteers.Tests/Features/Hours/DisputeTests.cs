using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Hours;

/// <summary>A volunteer says that a record is not right; a coordinator explains, corrects or voids.</summary>
public sealed class DisputeTests(TestDatabases databases) : HoursTest(databases)
{
    [Fact]
    public async Task An_answer_that_corrects_books_the_correction_with_the_explanation_as_its_reason()
    {
        var (self, record) = await Mine();
        var dispute = (await Dispute(self, record, "It was until eleven.")).ShouldBe(201);
        Assert.Equal(("open", "It was until eleven.", null), (Text(dispute, "status"), Text(dispute, "message"), Text(dispute, "outcome")));
        Assert.Equal($"{O.Path}/disputes/{dispute.Id}", dispute.Header("Location"));

        var answered = (await Reply(Admin, dispute.Id, new { explanation = "The list says so too.", correction = new { endsAt = At("11:00") } })).ShouldBe(200);

        Assert.Equal(("answered", "corrected", "The list says so too."), (Text(answered, "status"), Text(answered, "outcome"), Text(answered, "explanation")));
        var corrected = await Admin.Get($"/service-records/{record}");
        Assert.Equal((180, 180, "The list says so too."), (Number(corrected, "minutes"), Number(corrected, "creditedMinutes"), Text(corrected, "reviewReason")));
        Assert.Equal((180, 1), await Credited());
        Assert.Equal(3, await VerifiedPosition());
        Assert.Equal(answered.Text, (await self.Get($"/disputes/{dispute.Id}")).ShouldBe(200).Text);
    }

    [Fact]
    public async Task An_answer_that_voids_posts_the_hours_back()
    {
        var (self, record) = await Mine();
        var dispute = (await Dispute(self, record)).Id;

        var answered = (await Reply(Admin, dispute, new { explanation = "It was somebody else.", @void = true })).ShouldBe(200);

        Assert.Equal("voided", Text(answered, "outcome"));
        Assert.Equal("voided", Text(await self.Get($"/service-records/{record}"), "status"));
        Assert.Equal((0, 0), await Credited());
        await VerifiedPosition();
    }

    [Fact]
    public async Task An_explanation_changes_nothing_about_the_record()
    {
        var (self, record) = await Mine();
        var before = (await self.Get($"/service-records/{record}")).Text;

        var answered = (await Reply(Admin, (await Dispute(self, record)).Id, new { explanation = "The way there does not count." })).ShouldBe(200);

        Assert.Equal("explained", Text(answered, "outcome"));
        Assert.Equal(before, (await self.Get($"/service-records/{record}")).Text);
        Assert.Equal(1, await VerifiedPosition());
    }

    [Fact]
    public async Task A_correction_that_a_rule_refuses_leaves_the_dispute_open()
    {
        var (self, record) = await Mine();
        var dispute = (await Dispute(self, record)).Id;

        (await Reply(Admin, dispute, new { explanation = "Longer.", correction = new { minutes = 121 } })).ShouldRefuse(409, "minutes_exceed_period");

        Assert.Equal("open", Text(await self.Get($"/disputes/{dispute}"), "status"));
        Assert.Equal((120, 1), await Credited());
        (await Reply(Admin, dispute, new { explanation = "Shorter.", correction = new { minutes = 119 } })).ShouldBe(200);
    }

    [Fact]
    public async Task What_counts_no_more_or_never_did_is_disputed_too_but_only_explained()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var rejected = (await Record(self, volunteer, At("08:00"), At("09:00"))).ShouldBe(201).Id;
        (await Do(Admin, "reject", rejected)).ShouldBe(200);
        var voided = await O.Record(Activity, volunteer, At("10:00"), At("11:00"));
        (await Do(Admin, "void", voided)).ShouldBe(200);

        foreach (var record in new[] { rejected, voided })
        {
            var dispute = (await Dispute(self, record)).ShouldBe(201).Id;
            (await Reply(Admin, dispute, new { explanation = "Less.", correction = new { minutes = 30 } })).ShouldRefuse(409, "not_approved");
            (await Reply(Admin, dispute, new { explanation = "Void.", @void = true })).ShouldRefuse(409, "not_approved");
            (await Reply(Admin, dispute, new { explanation = "You were not there." })).ShouldBe(200);
        }
    }

    [Fact]
    public async Task One_dispute_is_open_at_a_time_and_none_is_answered_twice()
    {
        var (self, record) = await Mine();
        var first = (await Dispute(self, record)).ShouldBe(201).Id;
        (await Dispute(self, record)).ShouldRefuse(409, "dispute_open");

        (await Reply(Admin, first)).ShouldBe(200);
        (await Reply(Admin, first)).ShouldRefuse(409, "dispute_closed");
        (await self.Post($"/disputes/{first}/withdraw")).ShouldRefuse(409, "dispute_closed");

        var second = (await Dispute(self, record)).ShouldBe(201).Id;
        Assert.Equal("withdrawn", Text((await self.Post($"/disputes/{second}/withdraw")).ShouldBe(200), "status"));
        (await Reply(Admin, second)).ShouldRefuse(409, "dispute_closed");
        (await Dispute(self, record)).ShouldBe(201);
    }

    [Fact]
    public async Task Only_whose_record_it_is_disputes_it()
    {
        var (_, record) = await Mine();
        var stranger = await O.SignedInAs(await O.Volunteer(Team));
        (await Dispute(stranger, record)).ShouldRefuse(404, "not_found");
        (await Dispute(Admin, record)).ShouldRefuse(403, "only_own_dispute");
        (await Dispute(await O.SignedInWithRole("auditor"), record)).ShouldRefuse(403, "forbidden");
        var headcount = (await Headcount(Admin, 3, At("12:00"), At("13:00"))).ShouldBe(201).Id;
        (await Dispute(Admin, headcount)).ShouldRefuse(403, "only_own_dispute");
        (await Dispute(Admin, Guid.NewGuid().ToString())).ShouldRefuse(404, "not_found");
    }

    [Fact]
    public async Task Nobody_answers_about_their_own_hours()
    {
        var volunteer = await O.Volunteer(Team);
        var coordinator = await O.CoordinatorWhoIs(volunteer);
        var dispute = (await Dispute(coordinator, await O.Record(Activity, volunteer, At("08:00"), At("10:00")))).ShouldBe(201).Id;

        (await Reply(coordinator, dispute)).ShouldRefuse(409, "own_hours");
        (await Reply(coordinator, dispute, new { explanation = "More.", correction = new { endsAt = At("11:00") } })).ShouldRefuse(409, "own_hours");
        (await Reply(coordinator, dispute, new { explanation = "Gone.", @void = true })).ShouldRefuse(409, "own_hours");

        (await Reply(Admin, dispute)).ShouldBe(200);
    }

    [Fact]
    public async Task Coordinators_see_and_answer_those_of_their_teams_and_volunteers_see_their_own()
    {
        var otherTeam = await O.Team();
        var (self, record) = await Mine();
        var dispute = (await Dispute(self, record)).Id;
        var (theirs, elsewhere) = (await O.SignedInWithRole("coordinator", Team), await O.SignedInWithRole("coordinator", otherTeam));
        var stranger = await O.SignedInAs(await O.Volunteer(Team));

        foreach (var nobody in new[] { elsewhere, stranger })
        {
            Assert.Empty((await nobody.Get("/disputes")).ShouldBe(200).Items);
            (await nobody.Get($"/disputes/{dispute}")).ShouldRefuse(404, "not_found");
        }
        (await Reply(elsewhere, dispute)).ShouldRefuse(404, "not_found");
        (await Reply(stranger, dispute)).ShouldRefuse(403, "forbidden");
        (await stranger.Post($"/disputes/{dispute}/withdraw")).ShouldRefuse(404, "not_found");
        (await theirs.Post($"/disputes/{dispute}/withdraw")).ShouldRefuse(403, "only_own_dispute");
        foreach (var reader in new[] { self, theirs, Admin, await O.SignedInWithRole("auditor") })
            Assert.Equal(dispute, (string?)Assert.Single((await reader.Get("/disputes?status=open")).ShouldBe(200).Items)!["id"]);
        (await Reply(theirs, dispute)).ShouldBe(200);
    }

    [Fact]
    public async Task The_list_is_narrowed_by_status_team_and_volunteer_oldest_first()
    {
        var (first, record) = await Mine();
        var open = (await Dispute(first, record)).Id;
        var (second, other) = await Mine();
        var answered = (await Dispute(second, other)).Id;
        (await Reply(Admin, answered)).ShouldBe(200);
        var volunteer = (string)(await Admin.Get($"/disputes/{open}"))["volunteerId"]!;

        Assert.Equal([open, answered], await Listed(""));
        Assert.Equal([open], await Listed("?status=open"));
        Assert.Equal([answered], await Listed("?status=answered"));
        Assert.Empty(await Listed("?status=withdrawn"));
        Assert.Equal([open], await Listed($"?volunteer={volunteer}"));
        Assert.Equal(2, (await Listed($"?team={Team}")).Length);
        Assert.Empty(await Listed($"?team={await O.Team()}"));
        var page = (await Admin.Get("/disputes?limit=1")).ShouldBe(200);
        Assert.Equal(answered, (string?)Assert.Single((await Admin.Get($"/disputes?limit=1&cursor={(string?)page["next"]}")).Items)!["id"]);
    }

    [Fact]
    public async Task Who_has_left_still_disputes_what_they_gave()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = await O.Record(Activity, volunteer, At("08:00"), At("10:00"));
        (await Admin.Patch($"/volunteers/{volunteer}", new { status = "left" })).ShouldBe(200);

        var dispute = (await Dispute(self, record)).ShouldBe(201).Id;

        (await Reply(Admin, dispute)).ShouldBe(200);
        Assert.Equal("answered", Text((await self.Get($"/disputes/{dispute}")).ShouldBe(200), "status"));
    }

    [Fact]
    public async Task Ordinary_reviews_go_on_while_a_dispute_is_open()
    {
        var volunteer = await O.Volunteer(Team);
        var self = await O.SignedInAs(volunteer);
        var record = (await Record(self, volunteer, At("08:00"), At("10:00"))).ShouldBe(201).Id;
        var dispute = (await Dispute(self, record)).ShouldBe(201).Id;

        (await Do(Admin, "approve", record, new { })).ShouldBe(200);
        (await Do(Admin, "correct", record, new { reason = "Less.", minutes = 60 })).ShouldBe(200);
        (await Do(Admin, "void", record)).ShouldBe(200);

        Assert.Equal("open", Text(await self.Get($"/disputes/{dispute}"), "status"));
    }

    [Fact]
    public async Task What_says_nothing_or_too_much_is_refused()
    {
        var (self, record) = await Mine();
        (await Dispute(self, record, " ")).ShouldRefuse(400, "invalid_request");
        (await Dispute(self, record, new string('x', 1001))).ShouldRefuse(400, "invalid_request");
        var dispute = (await Dispute(self, record, new string('理', 1000))).ShouldBe(201).Id;

        (await Reply(Admin, dispute, new { explanation = "" })).ShouldRefuse(400, "invalid_request");
        (await Reply(Admin, dispute, new { explanation = new string('x', 501) })).ShouldRefuse(400, "invalid_request");
        (await Reply(Admin, dispute, new { explanation = "Both.", @void = true, correction = new { minutes = 5 } })).ShouldRefuse(400, "invalid_request");
        (await Reply(Admin, dispute, new { explanation = "Nothing.", correction = new { } })).ShouldRefuse(400, "invalid_request");
        (await Reply(Admin, dispute, new { explanation = "None.", correction = new { minutes = 0 } })).ShouldRefuse(400, "invalid_request");
        (await Reply(Admin, dispute, new { explanation = "Turned.", correction = new { endsAt = At("07:00") } })).ShouldRefuse(400, "at_most_a_day");
        Assert.Equal("open", Text(await self.Get($"/disputes/{dispute}"), "status"));
    }

    [Fact]
    public async Task The_same_dispute_sent_twice_with_one_key_is_one()
    {
        var (self, record) = await Mine();

        var first = await self.Post($"/service-records/{record}/disputes", new { message = "No." }, ("Idempotency-Key", "once"));
        var again = await self.Post($"/service-records/{record}/disputes", new { message = "No." }, ("Idempotency-Key", "once"));

        Assert.Equal(first.ShouldBe(201).Text, again.ShouldBe(201).Text);
        Assert.Single((await self.Get("/disputes")).Items);
    }

    [Fact]
    public async Task Of_many_at_the_same_moment_one_disputes_and_one_answers()
    {
        var (self, record) = await Mine();

        var opened = await AtOnce(20, _ => Dispute(self, record));
        var dispute = Assert.Single(opened, answer => answer.Status == 201).Id;
        Assert.All(opened.Where(answer => answer.Status != 201), answer => answer.ShouldRefuse(409, "dispute_open"));

        var answers = await AtOnce(21, i => (i % 3) switch
        {
            0 => Reply(Admin, dispute, new { explanation = "Longer.", correction = new { endsAt = At("11:00") } }),
            1 => Reply(Admin, dispute, new { explanation = "Wrong.", @void = true }),
            _ => self.Post($"/disputes/{dispute}/withdraw"),
        });
        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.ShouldRefuse(409, "dispute_closed"));
        Assert.True(await VerifiedPosition() <= 3);
        Assert.Equal(2, await Count($"select count(*) from service_record_events where step like 'dispute%'"));
    }

    /// <summary>Two hours from eight to ten, entered by a coordinator, and whose they are.</summary>
    private async Task<(Api Self, string Record)> Mine()
    {
        var volunteer = await O.Volunteer(Team);
        return (await O.SignedInAs(volunteer), await O.Record(Activity, volunteer, At("08:00"), At("10:00")));
    }

    private async Task<string[]> Listed(string query) => [.. (await Admin.Get("/disputes" + query)).ShouldBe(200).Items.Select(d => (string)d!["id"]!)];

    private static Task<Answer> Dispute(Api by, string record, string message = "It was longer.") => by.Post($"/service-records/{record}/disputes", new { message });

    private static Task<Answer> Reply(Api by, string dispute, object? answer = null) => by.Post($"/disputes/{dispute}/answer", answer ?? new { explanation = "It is right." });

    private static Task<Answer[]> AtOnce(int howMany, Func<int, Task<Answer>> act) =>
        Task.WhenAll(Enumerable.Range(0, howMany).Select(i => Task.Run(() => act(i))));
}
