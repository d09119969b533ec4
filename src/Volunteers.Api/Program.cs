using Microsoft.Extensions.Options;
using Volunteers.Data;
using Volunteers.Features.Activities;
using Volunteers.Features.Audit;
using Volunteers.Features.Certificates;
using Volunteers.Features.Changes;
using Volunteers.Features.Hours;
using Volunteers.Features.Identity;
using Volunteers.Features.Jobs;
using Volunteers.Features.Organizations;
using Volunteers.Features.Privacy;
using Volunteers.Features.Projects;
using Volunteers.Features.Recognition;
using Volunteers.Features.Reconciliation;
using Volunteers.Features.Reports;
using Volunteers.Features.Teams;
using Volunteers.Features.Volunteers;
using Volunteers.Features.Webhooks;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

try
{
    await using var commands = new Commands(args);
    // The settings beside the program, from whatever folder it is started.
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    await commands.FindDatabase(builder);
    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
    });
    builder.Services.AddDiscreetLogs();
    builder.AddTelemetry();
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddDatabase();
    builder.AddSignIn();
    SenderSettings.AddTo(builder);
    builder.Services.AddAccess();
    builder.Services.AddStrictJson();
    builder.Services.AddProblems();
    builder.AddTransport();
    builder.AddCrossOrigin();
    builder.Services.AddTimeLimits();
    builder.Services.AddRateLimits();
    builder.Services.AddTurns();
    builder.Services.AddPersonalData();
    builder.Services.AddAuditTrail();
    builder.Services.AddValidation();
    builder.Services.AddHostedService<ResetMessages>();
    builder.Services.AddHostedService<ShiftSettlement>();
    builder.Services.AddHostedService<SeriesHorizon>();
    builder.Services.AddSingleton<IDepartures, SignUpsOfTheDeparted>();
    builder.Services.AddJobs();
    builder.Services.AddChanges();
    builder.Services.AddPrivacy();
    builder.Services.AddWebhooks();
    builder.Services.AddOpenApiDocuments();
    builder.Services.AddHealth();

    var app = builder.Build();
    app.UseRequestLog();
    app.UseLanguages();
    app.UseSecurityHeaders();
    app.UseProblems();
    app.UseTransport();
    app.UseRouting();
    app.UseCors();
    app.UseRequestTimeouts();
    app.UseAddressLimits();
    app.UseMiddleware<QueryGuard>();
    app.UseStrictJson();
    app.UseTokenForms();
    app.UseAuthentication();
    app.UseCallers();
    app.UseCallerLimits();
    app.UseRefusalTrail();
    app.UseAuthorization();
    app.Use(IdempotencyKey.HashRequest);

    app.MapTokens();
    app.MapAuthorize();
    app.MapSignInPages();
    app.MapExternalSignIn();
    app.MapSecondFactorPage();
    app.MapPasswordResetPages();
    app.MapLogout();
    app.MapUserInfo();
    var v1 = app.MapGroup("/v1").ValidatesRequests().TakesTurns().ChangesInOneTransaction().LeavesATrace();
    v1.MapAccounts();
    v1.MapSessions();
    v1.MapExternalSignIns();
    v1.MapPasswords();
    v1.MapSecondFactor();
    v1.MapOwnExport();
    v1.MapMyErasure();
    v1.MapMyShifts();
    v1.MapMyHours();
    v1.MapOrganizations();
    v1.MapCalendars();
    v1.MapMyCertificates();
    v1.MapVerification();

    var organization = v1.MapGroup("/organizations/{organizationId:guid}").Allows(Access.Member);
    organization.MapCalendarDays();
    organization.MapRoles();
    organization.MapClients();
    organization.MapTeams();
    organization.MapTeamMembers();
    organization.MapVolunteers();
    organization.MapErasure();
    organization.MapConsentTexts();
    organization.MapProjects();
    organization.MapActivities();
    organization.MapSeries();
    organization.MapShifts();
    organization.MapCalendarFeeds();
    organization.MapAttendance();
    organization.MapServiceRecords();
    organization.MapDisputes();
    organization.MapLedger();
    organization.MapStarRules();
    organization.MapStars();
    organization.MapAwards();
    organization.MapTrainings();
    organization.MapRatings();
    organization.MapReports();
    organization.MapColumnMappings();
    organization.MapReconciliations();
    organization.MapCertificates();
    organization.MapJobs();
    organization.MapChanges();
    organization.MapAudit();
    organization.MapWebhooks();

    app.MapVerificationPage();
    app.MapHealth();
    app.MapOpenApiDocuments();

    app.BuildEndpointsOnce();

    await commands.Run(app);
    return Environment.ExitCode;
}
catch (Exception refused) when (refused is StartupRefused or OptionsValidationException)
{
    await Console.Error.WriteLineAsync(refused.Message);
    return 1;
}
