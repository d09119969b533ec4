using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Jobs;

internal static class JobEndpoints
{
    /// <summary>So long one stream of events lasts; a client that reconnects goes on, by whoever it is then.</summary>
    private static readonly TimeSpan LongestStream = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(500);

    public static void AddJobs(this IServiceCollection services)
    {
        services.AddSingleton<JobFiles>();
        services.AddSingleton<JobProgress>();
        services.AddSingleton<JobRunner>();
        services.AddSingleton<JobWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<JobWorker>());
    }

    public static void MapJobs(this RouteGroupBuilder organization)
    {
        var jobs = organization.MapGroup("/jobs").WithTags("Jobs").Allows(Access.Read).Scoped(Platform.Scope.Jobs);

        jobs.MapGet("", List).WithName("listJobs").ShowsNoPersonalData();
        jobs.MapPost("/imports", Import).WithName("createImportJob").Allows(Access.Coordinate).Costs(Cost.Import).RefusesWith(413, 415, 429)
            .WithMetadata(new RequestSizeLimitAttribute(JobUpload.LargestBytes)).HandlesFiles()
            .TakesSpreadsheet("The file, CSV, XLSX or NDJSON, at most 30 MiB.", "编号,姓名,籍贯,服务队\r\nSX-0048,的哥队员48,湖南,“的哥”志愿服务队\r\n").TakesLinesToo();
        jobs.MapPost("/exports", Export).WithName("createExportJob").Costs(Cost.Export).RefusesWith(404, 429);
        jobs.MapGet("/{jobId:guid}", Get).WithName("getJob").ShowsNoPersonalData().RefusesWith(404);
        jobs.MapGet("/{jobId:guid}/events", Events).WithName("followJob").ShowsNoPersonalData().RefusesWith(404);
        jobs.MapPost("/{jobId:guid}/cancel", Cancel).WithName("cancelJob").RefusesWith(404, 409);
        jobs.MapJobResult();
    }

    /// <summary>Lists imports and exports, the oldest first. Who acts for every team sees all of them, everybody else those they asked for.</summary>
    private static Task<Paged<JobView>> List(
        [AsParameters] PageQuery page, [AsParameters] JobListFilter filter, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        filter.Apply(db.Jobs.VisibleTo(tenant)).ToPage(page, j => j.Id, JobView.Projection, ct);

    /// <summary>Takes in a file of people, activities or service records, in the background and row by row.</summary>
    /// <remarks>
    /// CSV (UTF-8, UTF-16 with a mark, or GB18030), XLSX (its first sheet) or NDJSON (one JSON object per line, its members called as the English headings), as the body itself or as the one
    /// file of a form; at most 30 MiB and 1,000,000 rows. Headings may be Chinese or English, in any order. Each row does what sending it to the API would do, by the same rules and
    /// as the same person; a row that is refused is told in the result with its reason, and takes no other with it. What says nothing new changes nothing, so that an export can be mended and taken in
    /// again, and the same file twice does nothing the second time. An empty cell leaves a value as it is.
    ///
    /// `roster`: the columns of `importVolunteers`; only for who acts for every team. `activities`: activityId 活动编号, title 活动, team 服务队, project 项目, category 类别, description 说明, locationName 地点, latitude 纬度,
    /// longitude 经度, radiusMeters 半径, startsAt 开始时间, endsAt 结束时间, responsibleNumber 负责人编号, status 状态 (of a new one: draft, published or completed); known by its id, else by team, title and start.
    /// `serviceRecords`: recordId 记录编号, volunteerNumber 志愿者编号, volunteerName 志愿者, activityId 活动编号 or activity 活动 and team 服务队, shiftId 班次编号, startsAt 开始时间, endsAt 结束时间, minutes 分钟, personTimes 人次 with headcountMethod 计数方式,
    /// note 备注, dailyLimitOverride 超限理由; new ones have the evidence `import`, known ones are never changed.
    ///
    /// An organization's jobs are done one after the other. A cancelled or failed job keeps what it had done; rows of a dry run reckon with up to 20,000 rows before them.
    /// Files are kept sealed, for 7 days (`Retention:JobDays`), and go when somebody in the organization is forgotten.
    /// </remarks>
    private static async Task<Platform.Created<JobView>> Import(
        JobUpload upload, [AsParameters] JobImportQuery query, HttpContext http, Tenant tenant, VolunteersDb db, JobFiles files, IOptions<RateLimits> limits, TimeProvider clock,
        CancellationToken ct)
    {
        JobRights.Check(tenant, JobKind.Import, query.Resource);
        await RefuseTooMany(tenant, db, limits.Value, ct);
        var job = new Job(tenant, JobKind.Import, query.Resource, upload.Format, CultureInfo.CurrentUICulture.Name, clock.GetUtcNow());
        if (query.DryRun == true) job.Rehearse();
        job.Holds(upload.Content.Length);
        db.Add(job);
        db.AddRange(files.Chunks(job, upload.Content));
        return await Added(job, http, db, ct);
    }

    /// <summary>Draws people, activities or service records as a file, in the background and from one moment.</summary>
    /// <remarks>
    /// With headings and words in the language of `Accept-Language`, in the form that an import takes again. Who asks gets what they may see when it is drawn: a team coordinator what is of their teams, an
    /// auditor phones masked and years of birth left out; nobody the numbers of identity documents. At most 100 MiB.
    /// </remarks>
    private static async Task<Platform.Created<JobView>> Export(
        JobExportRequest request, HttpContext http, Tenant tenant, VolunteersDb db, IOptions<RateLimits> limits, TimeProvider clock, CancellationToken ct)
    {
        JobRights.Check(tenant, JobKind.Export, request.Resource);
        if (request.TeamId is { } team && (!(tenant.ReadsAll || tenant.Teams.Contains(team)) || !await db.Teams.AnyAsync(t => t.OrganizationId == tenant.Id && t.Id == team, ct)))
            throw RuleBreach.NotFound("team_not_found", "/teamId");
        await RefuseTooMany(tenant, db, limits.Value, ct);
        var job = new Job(tenant, JobKind.Export, request.Resource, request.Format, CultureInfo.CurrentUICulture.Name, clock.GetUtcNow());
        job.Narrow(new JobFilter(request.From, request.To, request.TeamId));
        db.Add(job);
        return await Added(job, http, db, ct);
    }

    /// <summary>Shows how far an import or export is.</summary>
    private static async Task<Results<Found<JobView>, NotFound>> Get(Guid jobId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await Find(jobId, tenant, db, ct) is { } view ? Answer.Found(view) : TypedResults.NotFound();

    /// <summary>Shows how far an import or export is, as server-sent events: one for each step, the last when it is over.</summary>
    /// <remarks>
    /// Each event, `job`, holds the job as `getJob` shows it; its id is the version. A stream ends with the job, or after 20 seconds: a client then connects again, as every EventSource does by itself.
    /// </remarks>
    private static async Task<Results<ServerSentEventsResult<JobView>, NotFound>> Events(
        Guid jobId, Tenant tenant, VolunteersDb db, IServiceScopeFactory scopes, CancellationToken ct) =>
        await Find(jobId, tenant, db, ct) is { } first
            ? TypedResults.ServerSentEvents(Steps(first, tenant, scopes, ct))
            : TypedResults.NotFound();

    /// <summary>Stops an import or export. When this is answered nothing more is written; what was done until then stays.</summary>
    private static async Task<Results<Found<JobView>, NotFound>> Cancel(Guid jobId, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!await db.Jobs.VisibleTo(tenant).AnyAsync(j => j.Id == jobId, ct) || await db.LockJob(tenant.Id, jobId, ct) is not { } job) return TypedResults.NotFound();
        job.Cancel(clock.GetUtcNow());
        await db.SaveChangesAsync(ct);
        return Answer.Found(JobView.Of(job));
    }

    private static async Task<Platform.Created<JobView>> Added(Job job, HttpContext http, VolunteersDb db, CancellationToken ct)
    {
        await db.SaveChangesAsync(ct);
        // By then it is committed.
        var worker = http.RequestServices.GetRequiredService<JobWorker>();
        http.Response.OnCompleted(() =>
        {
            worker.Wake();
            return Task.CompletedTask;
        });
        return Answer.Created($"/v1/organizations/{job.OrganizationId}/jobs/{job.Id}", JobView.Of(job));
    }

    /// <summary>Counted one request after the other, so that many at once are not more than may be.</summary>
    private static async Task RefuseTooMany(Tenant tenant, VolunteersDb db, RateLimits limits, CancellationToken ct)
    {
        if (limits.OpenJobs == 0) return;
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({$"jobs {tenant.Id}"}, 0))", ct);
        if (await db.Jobs.CountAsync(j => j.OrganizationId == tenant.Id && (j.State == JobState.Queued || j.State == JobState.Running), ct) >= limits.OpenJobs)
            throw RuleBreach.TooMany("too_many_jobs", TimeSpan.FromSeconds(30));
    }

    private static Task<JobView?> Find(Guid jobId, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.Jobs.VisibleTo(tenant).Where(j => j.Id == jobId).Select(JobView.Projection).SingleOrDefaultAsync(ct);

    /// <summary>No connection is held between two looks.</summary>
    private static async IAsyncEnumerable<SseItem<JobView>> Steps(JobView first, Tenant tenant, IServiceScopeFactory scopes, [EnumeratorCancellation] CancellationToken ct)
    {
        var (view, until) = (first, DateTime.UtcNow + LongestStream);
        yield return Event(view);
        while (!view.IsOver && DateTime.UtcNow < until)
        {
            await Task.Delay(LookAgainAfter, ct);
            await using var scope = scopes.CreateAsyncScope();
            if (await Find(view.Id, tenant, scope.ServiceProvider.GetRequiredService<VolunteersDb>(), ct) is not { } now) yield break;
            if (now.Version == view.Version) continue;
            yield return Event(view = now);
        }
    }

    private static SseItem<JobView> Event(JobView view) =>
        new(view, "job") { EventId = view.Version.ToString(CultureInfo.InvariantCulture), ReconnectionInterval = TimeSpan.FromSeconds(1) };

    private static RouteHandlerBuilder TakesLinesToo(this RouteHandlerBuilder route) => route.AddOpenApiOperationTransformer((operation, _, _) =>
    {
        operation.RequestBody!.Content![JobUpload.Ndjson] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = "One JSON object per line." } };
        return Task.CompletedTask;
    });
}
