using Microsoft.Extensions.DependencyInjection;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Audit;

/// <summary>What is most a person's own: documents, consents, guardians.</summary>
public sealed class AuditPersonTests(TestDatabases databases) : AuditTest(databases)
{
    private const string Number = "E12345678";

    [Fact]
    public async Task An_identity_document_that_is_entered_looked_at_and_deleted_is_told_without_its_number()
    {
        var volunteer = await O.Volunteer(Team);
        var path = $"/volunteers/{volunteer}/identity-document";

        (await Admin.Put(path, new { kind = "passport", number = Number })).ShouldBe(200);
        (await Admin.Get(path)).ShouldBe(200);
        (await Admin.Delete(path)).ShouldBe(204);

        var entered = await TheEvent("operation=setIdentityDocument");
        Assert.Equal("created", (string?)Change(entered, "identityDocument")["action"]);
        Assert.Equal((null, "passport"), Fields(Change(entered, "identityDocument"))["kind"]);
        Assert.Equal([volunteer], Texts(await TheEvent($"operation=getIdentityDocument&kind=look&volunteer={volunteer}"), "volunteerIds"));
        Assert.Equal("deleted", (string?)Change(await TheEvent($"operation=deleteIdentityDocument&volunteer={volunteer}"), "identityDocument")["action"]);
        Assert.DoesNotContain(Number, await Trail(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Keys_that_are_rotated_are_told_once()
    {
        (await Admin.Put($"/volunteers/{await O.Volunteer(Team)}/identity-document", new { kind = "passport", number = Number })).ShouldBe(200);
        await Tamper("delete from identity_marks");

        for (var i = 0; i < 2; i++)
            await Host.InServices(async services => await new KeyRotation(services.GetRequiredService<VolunteersDb>(), services.GetRequiredService<PersonalSeal>(), Clock).Run(Ct));

        var e = await TheEvent("operation=rotateKeys");
        Assert.Equal(("service", 1), ((string?)e["actor"]!["kind"], (int)Change(e, "identityDocument")["count"]!));
    }

    [Fact]
    public async Task Consent_texts_receipts_and_their_withdrawal_are_told()
    {
        var volunteer = await O.Volunteer(Team);
        (await Admin.Put("/consent-texts/photos", new { version = "v1", textEn = "Pictures of activities may show you.", required = true })).ShouldBe(200);
        (await Admin.Post($"/volunteers/{volunteer}/consents", new { purpose = "photos", action = "given", version = "v1" })).ShouldBe(201);
        (await Admin.Post($"/volunteers/{volunteer}/consents", new { purpose = "photos", action = "withdrawn" })).ShouldBe(201);
        (await Admin.Put("/consent-texts/photos", new { version = "v2", textEn = "Pictures may show you." })).ShouldBe(200);

        var texts = await Events("operation=setConsentText");
        Assert.All(texts, e => Assert.Equal("created", (string?)Change(e, "consentText")["action"]));
        // With the second text the consent is needed no longer, and whoever took it back is held back no longer.
        Assert.Equal(1, (int)Change(texts[0], "volunteer")["count"]!);
        var receipts = await Events($"operation=recordConsent&volunteer={volunteer}");
        Assert.Equal(2, receipts.Length);
        Assert.Equal(("[]", """["photos"]"""), Fields(Change(receipts[0], "volunteer"))["withdrawnConsents"]);
    }

    [Fact]
    public async Task A_guardian_is_shown_masked()
    {
        var child = (await Admin.Post("/volunteers", new
        {
            name = "Child", birthDate = Clock.GetUtcNow().AddYears(-15).ToString("yyyy-MM-dd", null), consent = new { version = "v1", at = Clock.GetUtcNow() },
            guardian = new { name = "欧阳锋利", phone = "13712345678", relation = "grandmother", version = "v1", at = Clock.GetUtcNow() },
        })).ShouldBe(201).Id;

        var fields = Fields(Change(await TheEvent($"operation=createVolunteer&volunteer={child}"), "volunteer"));

        Assert.Equal(("欧***", "137****5678", "***"), (fields["guardianName"].After, fields["guardianPhone"].After, fields["guardianRelation"].After));
        var trail = await Trail();
        foreach (var value in new[] { "欧阳锋利", "13712345678", "grandmother" }) Assert.DoesNotContain(value, trail, StringComparison.Ordinal);
    }

    private Task<string> Trail() => Ask<string>("select string_agg(e::text, '') || coalesce((select string_agg(v::text, '') from audit_values v), '') from audit_events e");
}
