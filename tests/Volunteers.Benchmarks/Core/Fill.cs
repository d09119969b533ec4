using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Volunteers.Data;
using Volunteers.Features.Hours;
using Volunteers.Features.Organizations;

namespace Volunteers.Benchmarks.Core;

/// <summary>
/// Fills a migrated database with a city. Organizations, people and activities are made by the database itself; records,
/// events, postings and totals by the service's own entities, so that every chain of hashes and every sum is as the service
/// would have written it, and go in through binary COPY, an organization at a time, several at once.
/// </summary>
internal sealed class Fill(Postgres postgres, string database, City city)
{
    private const int AtOnce = 3;

    private static readonly string[] Ledger = ["service_records", "service_record_events", "hour_postings", "hour_totals"];

    /// <summary>What saving asks for.</summary>
    private static readonly ServiceProvider Services = new ServiceCollection().AddSingleton(TimeProvider.System).BuildServiceProvider();

    /// <summary>Whole months, the last of which is over.</summary>
    private readonly DateOnly firstDay = new DateOnly(DateTime.UtcNow.Year, DateTime.UtcNow.Month, 1).AddMonths(-City.Months);

    public async Task Run()
    {
        var watch = Stopwatch.StartNew();
        await MakePeople();
        Say("people, teams and activities");
        var indexes = await DropIndexes();
        var administrator = await postgres.Scalar<Guid>(database, "select id from accounts");
        var next = new ConcurrentQueue<int>(Enumerable.Range(0, City.Organizations).OrderByDescending(city.RowsOf));
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (next.TryDequeue(out var organization)) await MakeHistory(organization, administrator);
        })));
        Say($"{city.Rows:N0} records with their events, postings and totals");
        await postgres.Execute(database, indexes);
        Say("indexes and constraints");
        await postgres.Execute(database,
            // Whoever asks: the administrator of those organizations that are asked about.
            $"""
             insert into role_grants (organization_id, id, account_id, role, granted_by, granted_at, version)
             select id, gen_random_uuid(), '{administrator}', 'administrator', '{administrator}', now(), 1
             from organizations where id in ('{City.Organization(City.Large)}', '{City.Organization(City.Small)}', '{City.Organization(City.Archive)}')
             """,
            "vacuum analyze", "checkpoint",
            string.Create(CultureInfo.InvariantCulture, $"create table benchmark_city as select {city.Rows}::bigint as rows, date '{firstDay:yyyy-MM-dd}' as first_day"));
        Say("vacuum and statistics");

        void Say(string what) => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {watch.Elapsed.TotalSeconds,6:0.0} s  {what}"));
    }

    private async Task MakePeople()
    {
        await using (var db = Db())
        {
            // Its settings are those of a new organization, whatever these are.
            db.Add(new Organization("市志愿者联合会", "Asia/Shanghai", "zh-CN", supervisingOrganizationId: null, settings: null, DateTimeOffset.UtcNow));
            await db.SaveChangesAsync();
        }
        var first = firstDay.ToString("O", CultureInfo.InvariantCulture);
        var sizes = Enumerable.Range(0, City.Organizations).Select(o => string.Create(CultureInfo.InvariantCulture, $"({o}, {City.VolunteersOf(o)}, {City.TeamsOf(o)})"));
        await postgres.Execute(database,
            "create function pg_temp.id(kind int, o int, n int) returns uuid immutable language sql return (lpad(to_hex(o * 1000000::bigint + n), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '-8000-000000000000')::uuid",
            $"create temporary table sizes (o, people, teams) as values {string.Join(", ", sizes)}",
            $"""
             insert into organizations (id, name, time_zone, locale, last_volunteer_number, created_at, version, settings)
             select pg_temp.id(1, o, 0), '第' || o + 1 || '社区志愿服务站', time_zone, locale, 0, timestamptz '{first} 00:00+08', 1, settings
             from generate_series(0, {City.Organizations - 1}) o, (select * from organizations) new
             """,
            // The first team is that of everybody; the others are parts of it.
            $"""
             insert into teams (organization_id, id, name, parent_team_id, created_at, version)
             select pg_temp.id(1, o, 0), pg_temp.id(2, o, t), case t when 0 then '志愿服务总队' else '第' || t || '服务队' end,
                    case when t > 0 then pg_temp.id(2, o, 0) end, timestamptz '{first} 00:00+08', 1
             from sizes, generate_series(0, teams - 1) t
             """,
            $"""
             insert into volunteers (organization_id, id, number, name, phone, hometown, gender, joined_on, status, consent_version, consent_at, created_at, version, skills)
             select pg_temp.id(1, o, 0), pg_temp.id(3, o, v), lpad((v + 1)::text, 6, '0'),
                    substr('王李张刘陈杨黄赵吴周', 1 + v % 10, 1) || substr('伟芳娜敏静丽强磊军洋', 1 + v / 10 % 10, 1) || substr('华明国平文红玉春海云', 1 + v / 100 % 10, 1),
                    '13' || lpad((o * 7919 + v * 104729::bigint)::text, 9, '8'), (array['湖南', '广东', '四川', '江西', '湖北'])[1 + v % 5],
                    case v % 2 when 0 then 'female' else 'male' end, date '{first}', 'active', '2020-11', timestamptz '{first} 00:00+08', timestamptz '{first} 00:00+08', 1, '[]'
             from sizes, generate_series(0, people - 1) v
             """,
            $"""
             insert into team_members (organization_id, id, team_id, volunteer_id, role, joined_on)
             select pg_temp.id(1, o, 0), pg_temp.id(5, o, v), pg_temp.id(2, o, v % teams), pg_temp.id(3, o, v), case when v < teams then 'leader' else 'member' end, date '{first}'
             from sizes, generate_series(0, people - 1) v
             """,
            $"""
             insert into activities (organization_id, id, title, team_id, category, starts_at, ends_at, status, created_at, version)
             select pg_temp.id(1, o, 0), pg_temp.id(4, o, t * {City.Months} + m), (array['路口文明引导', '社区清洁日', '骑行巡逻', '探访老人'])[1 + t % 4], pg_temp.id(2, o, t),
                    (array['交通', '环境', '治安', '关爱'])[1 + t % 4], month at time zone 'Asia/Shanghai', (month + interval '1 month') at time zone 'Asia/Shanghai', 'published',
                    timestamptz '{first} 00:00+08', 1
             from sizes, generate_series(0, teams - 1) t, generate_series(0, {City.Months - 1}) m, lateral (select timestamp '{first}' + make_interval(months => m) as month) months
             """);
    }

    /// <summary>What an organization's ledger says, from its first line to its last.</summary>
    private async Task MakeHistory(int organization, Guid by)
    {
        var id = City.Organization(organization);
        await using var db = Db();
        var zone = (await db.Organizations.AsNoTracking().SingleAsync(o => o.Id == id)).Zone;
        var activities = await db.Activities.AsNoTracking().Where(a => a.OrganizationId == id).ToDictionaryAsync(a => a.Id);
        await using var records = await BinaryCopy<ServiceRecord>.Begin(db);
        await using var events = await BinaryCopy<ServiceRecordEvent>.Begin(db);
        await using var postings = await BinaryCopy<HourPosting>.Begin(db);

        var (rows, people, teams) = (city.RowsOf(organization), City.VolunteersOf(organization), City.TeamsOf(organization));
        var days = firstDay.AddMonths(City.Months).DayNumber - firstDay.DayNumber;
        var totals = new Dictionary<(int Volunteer, DateOnly Month, Evidence Evidence), (long Minutes, long PersonTimes)>();
        var (position, hash, last, postedAt) = (0L, Array.Empty<byte>(), DateOnly.MinValue, DateTimeOffset.MinValue);
        var ofDay = 0L;
        for (var row = 0L; row < rows; row++)
        {
            var day = firstDay.AddDays((int)(row * days / rows));
            ofDay = day == last ? ofDay + 1 : 0;
            last = day;

            // Everybody in turn, so nobody is in two places; who serves twice on a day does it later.
            var volunteer = (int)(row % people);
            var team = volunteer % teams;
            var month = ((day.Year - firstDay.Year) * 12) + day.Month - firstDay.Month;
            var start = new DateTimeOffset(day.ToDateTime(new TimeOnly(6, 0)), zone.BaseUtcOffset).AddMinutes((ofDay / people * 180) + (volunteer * 7 % 60)).ToUniversalTime();
            var figures = new ServiceFigures(start, start.AddMinutes(60 + (row * 13 % 4 * 30)), minutes: null, personTimes: 1);
            postedAt = day.AddDays(1).ToDateTime(new TimeOnly(1, 0), DateTimeKind.Utc) is var booked && booked > postedAt ? booked : postedAt;

            var record = new ServiceRecord(activities[City.Activity(organization, team, month)], City.Volunteer(organization, volunteer), headcountMethod: null, figures, day,
                row % 5 == 0 ? Evidence.Import : Evidence.Coordinator, ServiceStatus.Approved, row % 3 == 0 ? "路口执勤，一切正常" : null, by, postedAt);
            var posting = new HourPosting(Booking.Of(record, PostingCause.Approved), ++position, by, postedAt, hash);
            hash = posting.Hash;
            records.Write(record);
            events.Write(new ServiceRecordEvent(record, RecordStep.Recorded, by, postedAt, reason: null, [posting]));
            postings.Write(posting);

            var key = (volunteer, new DateOnly(day.Year, day.Month, 1), record.Evidence);
            var total = totals.GetValueOrDefault(key);
            totals[key] = (total.Minutes + posting.Minutes, total.PersonTimes + posting.PersonTimes);
        }
        await records.Complete();
        await events.Complete();
        await postings.Complete();
        await CopyTotals(organization, teams, totals);
        await WriteHead(id, position, hash, postedAt);
    }

    private async Task CopyTotals(int organization, int teams, Dictionary<(int Volunteer, DateOnly Month, Evidence Evidence), (long Minutes, long PersonTimes)> totals)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString(database, pooling: false));
        await connection.OpenAsync();
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy hour_totals (organization_id, id, team_id, volunteer_id, month, evidence, minutes, person_times) from stdin (format binary)");
        foreach (var (key, total) in totals)
        {
            await copy.WriteRowAsync(CancellationToken.None, City.Organization(organization), Guid.CreateVersion7(), City.Team(organization, key.Volunteer % teams),
                City.Volunteer(organization, key.Volunteer), key.Month, key.Evidence.ToString().ToLowerInvariant(), total.Minutes, total.PersonTimes);
        }
        await copy.CompleteAsync();
    }

    private async Task WriteHead(Guid organizationId, long position, byte[] hash, DateTimeOffset postedAt)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString(database, pooling: false));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("insert into hour_ledgers (organization_id, position, hash, posted_at) values ($1, $2, $3, $4)", connection)
        {
            Parameters = { new() { Value = organizationId }, new() { Value = position }, new() { Value = hash }, new() { Value = postedAt } },
        };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Takes every index and foreign key off the tables of the ledger.</summary>
    /// <returns>What makes them again, primary keys first and foreign keys last.</returns>
    private async Task<List<string>> DropIndexes()
    {
        var tables = string.Join(", ", Ledger.Select(table => $"'{table}'::regclass"));
        var constraints =
            $"""
             from pg_constraint c where (conrelid in ({tables}) and contype in ('p', 'u', 'x', 'f')) or (confrelid in ({tables}) and contype = 'f')
             order by array_position(array['p', 'u', 'x', 'f']::"char"[], contype)
             """;
        var indexes = $"from pg_index where indrelid in ({tables}) and not exists (select 1 from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))";
        List<string> make =
        [
            .. await postgres.Query<string>(database, $"select format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) {constraints}"),
            .. await postgres.Query<string>(database, $"select pg_get_indexdef(indexrelid) {indexes}"),
        ];
        var drop = await postgres.Query<string>(database, $"select format('alter table %s drop constraint %I', conrelid::regclass, conname) {constraints}");
        drop.Reverse();
        // Foreign keys first, then the keys that they refer to.
        await postgres.Execute(database, [.. await postgres.Query<string>(database, $"select format('drop index %s', indexrelid::regclass) {indexes}"), .. drop]);
        return make;
    }

    private VolunteersDb Db()
    {
        var options = new DbContextOptionsBuilder<VolunteersDb>();
        Database.Configure(options, NpgsqlDataSource.Create(postgres.ConnectionString(database, pooling: false)));
        options.UseApplicationServiceProvider(Services);
        return new VolunteersDb(options.Options);
    }
}
