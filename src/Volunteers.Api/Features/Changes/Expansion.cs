using Volunteers.Data;

namespace Volunteers.Features.Changes;

/// <summary>
/// What a mark means: which resources look different since, to whom. Done when it is numbered and not when it is made, for only
/// then is it known what else was written meanwhile: whoever signs up while the person is renamed is found here. Each select gives the
/// resource, its id and the keys of who can see it now; keys of before stand in the mark.
/// </summary>
internal static class Expansion
{
    private const string TeamsOfVolunteer = "array(select m.team_id from team_members m where m.organization_id = t.o and m.volunteer_id = {0} and m.left_on is null)";

    private const string IfPublished = "case when {0} then array[@volunteers] else array[]::uuid[] end";

    private const string SignUps =
        """
        select 'sign_up', u.id, array_remove(t.keys, @volunteers) || u.volunteer_id || a.team_id || a.responsible_volunteer_id
        from taken t join sign_ups u on u.organization_id = t.o {0}
            join shifts s on s.organization_id = u.organization_id and s.id = u.shift_id
            join activities a on a.organization_id = s.organization_id and a.id = s.activity_id
        """;

    private const string Disputes =
        """
        select 'dispute', d.id, t.keys || r.team_id || r.volunteer_id
        from taken t join service_records r on r.organization_id = t.o {0} join disputes d on d.organization_id = r.organization_id and d.record_id = r.id
        """;

    private const string Awards =
        """
        select 'award', a.id, t.keys || case when a.status = 'confirmed' or (a.status = 'in_publicity' and a.publicity_from <= @today) then array[@everybody] else array[]::uuid[] end
        from taken t join awards a on a.organization_id = t.o {0}
        """;

    private static readonly string Certificates =
        $"select 'certificate', c.id, t.keys || c.volunteer_id || {With(TeamsOfVolunteer, "c.volunteer_id")} from taken t join certificates c on c.organization_id = t.o {{0}}";

    private static readonly string Shifts =
        $$"""
         select 'shift', s.id, t.keys || a.team_id || {{With(IfPublished, "a.status <> 'draft'")}}
         from taken t join shifts s on s.organization_id = t.o {0} join activities a on a.organization_id = s.organization_id and a.id = s.activity_id
         """;

    private static readonly string Volunteers = $"select 'volunteer', t.row_id, t.keys || t.row_id || {With(TeamsOfVolunteer, "t.row_id")} from taken t";

    private static readonly (MarkKind Kind, string Select)[] All =
    [
        (MarkKind.Organization, "select 'organization', t.row_id, array[@everybody] from taken t"),
        (MarkKind.Ages,
            $"""
             select 'volunteer', v.id, v.id || {With(TeamsOfVolunteer, "v.id")}
             from taken t join volunteers v on v.organization_id = t.o and v.birth_date > @born and v.guardian_name is null
             """),
        (MarkKind.Team, "select 'team', t.row_id, array[t.row_id, @volunteers] from taken t"),
        (MarkKind.Member, Volunteers),
        (MarkKind.Member, With(Certificates, "and c.volunteer_id = t.row_id")),
        (MarkKind.Volunteer, Volunteers),
        (MarkKind.Person, With(SignUps, "and u.volunteer_id = t.row_id")),
        (MarkKind.Person, With(Disputes, "and r.volunteer_id = t.row_id")),
        (MarkKind.Person, With(Awards, "and a.volunteer_id = t.row_id")),
        (MarkKind.Project, "select 'project', t.row_id, array[@everybody] from taken t"),
        (MarkKind.Series,
            $"""
             select 'series', t.row_id, t.keys || s.team_id || {With(IfPublished, "s.publish")}
             from taken t left join series s on s.organization_id = t.o and s.id = t.row_id
             """),
        (MarkKind.Activity,
            $"""
             select 'activity', t.row_id, t.keys || a.team_id || {With(IfPublished, "a.status <> 'draft'")}
             from taken t left join activities a on a.organization_id = t.o and a.id = t.row_id
             """),
        (MarkKind.ActivitySight, With(Shifts, "and s.activity_id = t.row_id")),
        (MarkKind.ActivitySight, With(SignUps, "and u.shift_id in (select x.id from shifts x where x.organization_id = t.o and x.activity_id = t.row_id)")),
        (MarkKind.ActivityTitle, With(Disputes, "and r.activity_id = t.row_id")),
        (MarkKind.Shift, With(Shifts, "and s.id = t.row_id")),
        // One that is gone has its keys in the mark; so has a sign-up.
        (MarkKind.Shift, "select 'shift', t.row_id, t.keys from taken t"),
        (MarkKind.SignUp, With(SignUps, "and u.id = t.row_id")),
        (MarkKind.SignUp, "select 'sign_up', t.row_id, t.keys from taken t"),
        (MarkKind.WaitingList, With(SignUps, "and u.shift_id = t.row_id and u.status = 'waitlisted'")),
        (MarkKind.ServiceRecord,
            """
            select 'service_record', t.row_id, t.keys || r.team_id || r.volunteer_id
            from taken t left join service_records r on r.organization_id = t.o and r.id = t.row_id
            """),
        (MarkKind.RecordDisputes, With(Disputes, "and r.id = t.row_id")),
        (MarkKind.Dispute,
            """
            select 'dispute', d.id, t.keys || r.team_id || r.volunteer_id
            from taken t join disputes d on d.organization_id = t.o and d.id = t.row_id
                join service_records r on r.organization_id = d.organization_id and r.id = d.record_id
            """),
        (MarkKind.Certificate, With(Certificates, "and c.id = t.row_id")),
        (MarkKind.Award, With(Awards, "and a.id = t.row_id")),
    ];

    /// <summary>
    /// The one statement that takes marks and numbers what they mean. One statement sees one moment, so the rows are at least as
    /// new as the marks. Only marks of these kinds: others may be committed while it is written.
    /// </summary>
    public static string Statement(IReadOnlyCollection<MarkKind> kinds) =>
        $"""
         with taken_marks as (
             delete from change_marks where organization_id = @organization and id in (
                 select id from change_marks where organization_id = @organization and kind = any(@kinds) order by id limit @most)
             returning organization_id as o, kind, row_id, keys
         ), expanded (resource, id, keys) as (
             {string.Join("\nunion all\n", All.Where(each => kinds.Contains(each.Kind)).Select(each => Of(each.Kind, each.Select)))}
         ), merged as (
             select resource, id, array_agg(distinct key) filter (where key is not null) as keys
             from expanded left join lateral unnest(keys) as one(key) on true group by resource, id
         )
         insert into changes (organization_id, position, resource, resource_id, keys, at)
         select @organization, @position + row_number() over (order by resource, id), resource, id, coalesce(keys, array[]::uuid[]), @now from merged
         """;

    /// <summary>As the database has it.</summary>
    public static string Word(MarkKind kind) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    private static string Of(MarkKind kind, string select) =>
        select.Replace("from taken t", $"from (select * from taken_marks where kind = '{Word(kind)}') t", StringComparison.Ordinal);

    private static string With(string select, string what) => select.Replace("{0}", what, StringComparison.Ordinal);
}
