namespace Volunteers.Features.Privacy;

/// <summary>
/// Every table, and what it keeps of people: what one is told and what is forgotten is read from here. A table or a column of
/// texts that is missing fails the build. In the order in which rows may be deleted: who points before who is pointed to.
/// </summary>
internal static class PersonalTables
{
    private const string OfProfile = "(t.organization_id, t.volunteer_id) in (select organization_id, volunteer_id from person)";
    private const string OfRecord = "exists (select 1 from service_records r join person using (organization_id, volunteer_id) where r.organization_id = t.organization_id and r.id = t.record_id)";
    private const string OfAward = "exists (select 1 from awards a join person using (organization_id, volunteer_id) where a.organization_id = t.organization_id and a.id = t.award_id)";
    private const string OfCertificate = "exists (select 1 from certificates c join person using (organization_id, volunteer_id) where c.organization_id = t.organization_id and c.id = t.id)";
    private const string OfResponsible = "(t.organization_id, t.responsible_volunteer_id) in (select organization_id, volunteer_id from person)";
    private const string OfAccount = "t.account_id = @account";
    private const string OfSubject = "t.subject = @account::text";

    private const string TeamName = "(select x.name from teams x where x.organization_id = t.organization_id and x.id = t.team_id) as team";
    private const string ActivityTitle = "(select x.title from activities x where x.organization_id = t.organization_id and x.id = t.activity_id) as activity";
    private const string ShiftActivity =
        "(select x.title from shifts s join activities x on x.organization_id = s.organization_id and x.id = s.activity_id where s.organization_id = t.organization_id and s.id = t.shift_id) as activity";

    /// <summary>In place of a text that the person wrote and that may not be missing.</summary>
    private const string Nothing = "'—'";

    public static readonly IReadOnlyList<PersonalTable> All =
    [
        // Who they are, and what they agreed to.
        new("volunteers")
        {
            Kind = "profiles", Theirs = "(t.organization_id, t.id) in (select organization_id, volunteer_id from person)",
            Also = ["(select x.name from organizations x where x.id = t.organization_id) as organization"],
            ErasedBy = "Volunteer.Erase", Texts = ["application_message"],
            Words = ["number", "name", "phone", "hometown", "residence", "skills", "consent_version", "withdrawn_consents",
                "guardian_name", "guardian_phone", "guardian_relation", "guardian_consent_version"],
        },
        new("former_states")
        {
            Kind = "formerNames", Theirs = "(t.organization_id, t.subject_id) in (select organization_id, volunteer_id from person)",
            Erase = ["update former_states set name = @name, number = @number where organization_id = @organization and subject_id = @volunteer"],
            Words = ["category", "time_zone"],
        },
        new("identity_marks")
        {
            Untold = "Keyed hashes of the number that identityDocuments shows.",
            Erase = ["delete from identity_marks where organization_id = @organization and volunteer_id = @volunteer"],
        },
        new("identity_documents")
        {
            Kind = "identityDocuments", Theirs = OfProfile, Secrets = ["key_id"],
            Erase = ["delete from identity_documents where organization_id = @organization and volunteer_id = @volunteer"],
        },
        new("consent_receipts") { Kind = "consents", Theirs = OfProfile, Words = ["purpose", "version", "text_hash"] },
        new("team_members")
        {
            Kind = "memberships", Theirs = OfProfile, Also = [TeamName],
            Erase =
            [
                """
                update team_members set left_on = greatest(joined_on, @today)
                where organization_id = @organization and volunteer_id = @volunteer and (left_on is null or left_on > @today)
                """,
            ],
        },
        new("invitations")
        {
            Kind = "invitations", Theirs = OfProfile, Secrets = ["code_hash"],
            Erase = ["delete from invitations where organization_id = @organization and volunteer_id = @volunteer"],
        },

        // What they signed up for, and whether they came.
        new("sign_ups") { Kind = "signUps", Theirs = OfProfile, Also = [ShiftActivity], Texts = ["clash_reason", "cancel_reason"], Words = ["booking_refusal"] },
        new("standing_sign_ups")
        {
            Kind = "standingSignUps", Theirs = OfProfile, Labels = ["shift_name"],
            Erase = ["delete from standing_sign_ups where organization_id = @organization and volunteer_id = @volunteer"],
        },
        new("attendance_events") { Kind = "attendance", Theirs = OfProfile, Also = [ShiftActivity] },
        new("calendar_feeds")
        {
            Kind = "calendarFeeds", Theirs = $"({OfProfile} or t.created_by = @account)", Secrets = ["secret_hash"],
            Erase = ["delete from calendar_feeds where organization_id = @organization and (volunteer_id = @volunteer or (created_by = @account and kind = 'own'))"],
            EraseAccount = ["delete from calendar_feeds where created_by = @account"],
        },
        new("activities")
        {
            Kind = "activitiesInCharge", Theirs = OfResponsible, Texts = ["description", "cancel_reason", "location", "outcome"], Labels = ["title"], Words = ["category"],
        },
        new("series")
        {
            Kind = "seriesInCharge", Theirs = OfResponsible, Texts = ["description", "location"], Labels = ["title"], Words = ["category", "recurrence", "shifts"],
        },

        // What they gave.
        new("service_record_events") { Kind = "serviceRecordSteps", Theirs = OfRecord, Texts = ["reason"] },
        new("disputes")
        {
            Kind = "disputes", Theirs = $"({OfRecord} or t.created_by = @account)", Texts = ["message", "explanation"],
            Erase = [$"update disputes set message = {Nothing}, version = version + 1 where organization_id = @organization and created_by = @account"],
        },
        new("service_records")
        {
            Kind = "serviceRecords", Theirs = OfProfile, Also = [ActivityTitle, TeamName], Secrets = ["period"],
            Texts = ["note", "daily_limit_override", "review_reason"], Labels = ["origin_reference"], Words = ["category", "origin_system"],
            Erase =
            [
                """
                update service_records set note = null, version = version + 1
                where organization_id = @organization and volunteer_id = @volunteer and recorded_by = @account and note is not null
                """,
            ],
        },
        new("hour_postings") { Kind = "postings", Theirs = OfProfile, Secrets = ["previous_hash", "hash"], Words = ["category"] },
        new("hour_totals") { Kind = "totals", Theirs = OfProfile, Also = [TeamName] },
        new("reconciliation_rows")
        {
            Kind = "reconciliationRows", Theirs = OfProfile, Labels = ["activity", "reference"], Words = ["code", "column"],
            Erase =
            [
                """
                update reconciliation_rows set person_name = null, person_number = null, person_phone = null
                where organization_id = @organization and (volunteer_id = @volunteer or person_name = any(@names) or person_number = any(@numbers)
                    or (person_name is null and person_number is null and person_phone = any(@tails)))
                """,
            ],
        },

        // What was said of it.
        new("certificate_endings") { Kind = "certificateEndings", Theirs = OfCertificate, Texts = ["reason"], Words = ["successor_number"] },
        new("certificates")
        {
            Kind = "certificates", Theirs = OfProfile, Texts = ["purpose", "contact", "responsible_person", "lines"], Labels = ["organization", "supervising_organization"],
            Words = ["code", "language", "replaces_number", "by_evidence"],
            Erase =
            [
                "update certificates set volunteer_name = @name, volunteer_number = @number where organization_id = @organization and volunteer_id = @volunteer",
                "update certificates set issued_by_name = @name where organization_id = @organization and issued_by = @account and issued_by_name is not null",
            ],
        },
        new("award_objections")
        {
            Kind = "awardObjections", Theirs = $"({OfAward} or t.by = @account)", Texts = ["message", "answer"],
            Erase = [$"update award_objections set message = {Nothing} where organization_id = @organization and by = @account"],
        },
        new("awards") { Kind = "awards", Theirs = OfProfile, Texts = ["reason", "withdrawal_reason", "awarded_by"], Labels = ["name"] },
        new("trainings") { Kind = "trainings", Theirs = OfProfile, Texts = ["content", "organizer", "revocation_reason"], Labels = ["name"] },
        new("ratings") { Kind = "ratings", Theirs = OfProfile, Texts = ["rated_by", "note", "revocation_reason"], Labels = ["grade"] },

        // How they sign in.
        new("former_profiles")
        {
            Kind = "formerProfiles", Theirs = OfAccount,
            Erase = ["delete from former_profiles where organization_id = @organization and (volunteer_id = @volunteer or account_id = @account)"],
            EraseAccount = ["delete from former_profiles where account_id = @account"],
        },
        new("role_grants")
        {
            Kind = "roles", Theirs = OfAccount,
            Erase = ["delete from role_grants where organization_id = @organization and (volunteer_id = @volunteer or account_id = @account)"],
            EraseAccount = ["delete from role_grants where account_id = @account"],
        },
        new("sign_in_sessions") { Kind = "signIns", Theirs = OfAccount, EraseAccount = ["delete from sign_in_sessions where account_id = @account"] },
        new("openiddict_tokens")
        {
            Kind = "tokens", Theirs = OfSubject, Secrets = ["payload", "reference_id", "concurrency_token", "properties"],
            EraseAccount = ["delete from openiddict_tokens where subject = @account::text"],
        },
        new("openiddict_authorizations")
        {
            Kind = "authorizations", Theirs = OfSubject, Secrets = ["concurrency_token", "properties"],
            Also = ["(select x.display_name from openiddict_applications x where x.id = t.application_id) as application"],
            EraseAccount = ["delete from openiddict_authorizations where subject = @account::text"],
        },
        new("external_sign_ins") { Kind = "externalSignIns", Theirs = OfAccount, EraseAccount = ["delete from external_sign_ins where account_id = @account"] },
        new("recovery_codes") { Kind = "recoveryCodes", Theirs = OfAccount, Secrets = ["hash"], EraseAccount = ["delete from recovery_codes where account_id = @account"] },
        new("second_factors")
        {
            Kind = "secondFactors", Theirs = OfAccount, Secrets = ["protected", "last_step"], EraseAccount = ["delete from second_factors where account_id = @account"],
        },
        new("password_resets")
        {
            Kind = "passwordResets", Theirs = OfAccount, Secrets = ["name", "code_hash"], EraseAccount = ["delete from password_resets where account_id = @account"],
        },
        new("failure_counts") { Kind = "failedSignIns", Theirs = "t.subject = @account", EraseAccount = ["delete from failure_counts where subject = @account"] },
        new("account_claims") { Kind = "accountClaims", Theirs = "t.user_id = @account", EraseAccount = ["delete from account_claims where user_id = @account"] },
        new("account_logins") { Kind = "accountLogins", Theirs = "t.user_id = @account", EraseAccount = ["delete from account_logins where user_id = @account"] },
        new("account_tokens")
        {
            Kind = "accountTokens", Theirs = "t.user_id = @account", Secrets = ["value"], EraseAccount = ["delete from account_tokens where user_id = @account"],
        },
        new("accounts")
        {
            Kind = "accounts", Theirs = "t.id = @account", EraseAccount = ["delete from accounts where id = @account"],
            Secrets = ["password_hash", "security_stamp", "concurrency_stamp", "normalized_user_name", "normalized_email"],
        },
        new("idempotency_keys")
        {
            Kind = "idempotencyKeys", Theirs = "t.caller_id = @account", Secrets = ["request_hash", "headers", "body"], ErasedBy = nameof(StoredAnswers),
            EraseAccount = ["delete from idempotency_keys where caller_id = @account"], Words = ["key", "request_hash", "headers", "body"],
        },
        new("reset_messages")
        {
            Untold = "Written whether anybody has the login or not, sealed, and gone within the hour.", ErasedBy = nameof(StoredAnswers), Words = ["language", "protected_login"],
        },

        // What they did and what was done about them. The texts are bound by a hash, so they go whole.
        new("audit_events")
        {
            Kind = "auditEvents",
            Theirs = "(t.actor_id = @account or exists (select 1 from person p where p.organization_id = t.organization_id and t.volunteers @> array[p.volunteer_id]))",
            Words = ["operation", "code", "address", "agent", "trace_id", "resource_type", "resource_id", "details"],
        },
        new("audit_values")
        {
            Kind = "auditTexts", Theirs = "(t.subject_id = @account or (t.organization_id, t.subject_id) in (select organization_id, volunteer_id from person))",
            Secrets = ["salt"], Texts = ["texts"], IsBound = true,
            Erase = ["delete from audit_values where organization_id = @organization and subject_id in (@volunteer, @account)"],
            EraseAccount = ["delete from audit_values where subject_id = @account"],
        },
        new("audit_pending") { Untold = "Events that wait for their place in the chain." },
        new("audit_chain") { Untold = "The order of the events.", Words = ["previous_hash", "hash"] },
        new("audit_heads") { Untold = "Where the chain stands.", Words = ["hash"] },
        new("change_marks") { Untold = "Ids of what was written a moment ago." },
        new("changes") { Untold = "Ids of what changed, kept for a while." },
        new("change_heads") { Untold = "How many changes there were." },
        new("audit_cuts") { Untold = "Where the chain was cut off.", Words = ["hash"] },

        // Files that may hold anybody, sealed: nobody can look who stands in them, so all of an organization go, and what works with them ends. The jobs
        // first: whoever adds a piece holds the job, and is waited for.
        new("jobs")
        {
            Untold = "Imports and exports of an organization: of what kind, and how many rows.", Words = ["language"],
            Erase =
            [
                """
                update jobs set file_bytes = null, failure_arguments = '{}', version = version + 1,
                    failure_code = case when state in ('queued', 'running') then 'job_file_gone' else failure_code end,
                    finished_at = case when state in ('queued', 'running') then now() else finished_at end,
                    state = case when state in ('queued', 'running') then 'failed' else state end
                where organization_id = @organization
                """,
            ],
        },
        new("job_chunks") { Untold = "Pieces of files; what an import brought about is told where it stands.", Erase = ["delete from job_chunks where organization_id = @organization"] },
        new("job_refusals") { Untold = "Why rows of files were refused.", Erase = ["delete from job_refusals where organization_id = @organization"] },

        // What is about no person by itself, but in which people may be named.
        new("organizations") { Untold = "Of an organization.", Texts = ["contact", "responsible_person"], Labels = ["name"], Words = ["code_prefix", "locale", "time_zone", "settings"] },
        new("teams") { Untold = "Of an organization; memberships tell theirs.", Texts = ["description"], Labels = ["name"] },
        new("projects") { Untold = "Of an organization.", Texts = ["summary"], Labels = ["title"], Words = ["category", "defaults"] },
        new("shifts") { Untold = "Of an activity; signUps tell theirs.", Labels = ["name"], Words = ["skills", "code_secret"] },
        new("shift_groups") { Untold = "Places that a group took; signUps tell theirs.", Texts = ["title"] },
        new("issued_reports") { Untold = "What an organization sent to whom: sums.", Texts = ["sent_to", "note"], Words = ["query", "digest"] },
        new("reconciliations") { Untold = "Of a file; reconciliationRows tell theirs.", Labels = ["mapping", "system"], Words = ["counts"] },
        new("column_mappings") { Untold = "How a file is read.", Labels = ["name", "system"], Words = ["columns", "date_formats"] },
        new("calendar_days") { Untold = "Holidays.", Labels = ["name"] },
        new("consent_texts") { Untold = "What everybody is asked; consents tell theirs.", Words = ["purpose", "version", "text_en", "text_zh", "hash"] },
        new("organization_clients") { Untold = "Systems.", Labels = ["name"], Words = ["scopes"] },
        new("organization_client_secrets") { Untold = "Of systems.", Words = ["secret_hash"] },
        new("webhooks") { Untold = "Systems.", Labels = ["description"], Words = ["url", "event_types"] },
        new("webhook_secrets") { Untold = "Of systems.", Words = ["sealed"] },
        new("webhook_attempts") { Untold = "What systems answered." },
        new("webhook_deliveries") { Untold = "Which events went to which systems.", Words = ["type"] },
        new("outbox_events") { Untold = "By ids and figures, what signUps, serviceRecordSteps, postings and certificates tell.", Words = ["type", "data"] },
        new("outbox_listeners") { Untold = "What systems ask for.", Words = ["type"] },
        new("star_rules") { Untold = "A rule.", Words = ["levels", "evidence"] },
        new("hour_ledgers") { Untold = "Where the ledger stands.", Words = ["hash"] },
        new("seed_loads") { Untold = "Which folders were loaded.", NamesNobody = "Names of folders." },
        new("server_keys") { Untold = "Keys of the service.", NamesNobody = "Sealed keys." },
        new("data_protection_keys") { Untold = "Keys of the service.", NamesNobody = "Keys." },
        new("openiddict_applications") { Untold = "Systems and applications.", NamesNobody = "Whoever runs the service, or an administrator, names them." },
        new("openiddict_scopes") { Untold = "Of the authorization server.", NamesNobody = "Words of the API." },
    ];
}
