using Volunteers.Features.Volunteers;

namespace Volunteers.Features.Jobs;

internal static class JobResources
{
    /// <summary>In the languages of the service, what the resource is called.</summary>
    public static readonly ImportWords<JobResource> Names = new(
        (JobResource.Roster, "名册 roster"), (JobResource.Activities, "活动 activities"), (JobResource.ServiceRecords, "服务记录 service-records"));

    public static IJobImport Import(JobResource resource) => resource switch
    {
        JobResource.Roster => new RosterImport(),
        JobResource.Activities => new ActivityImport(),
        _ => new RecordImport(),
    };

    public static IJobExport Export(JobResource resource) => resource switch
    {
        JobResource.Roster => new RosterExport(),
        JobResource.Activities => new ActivityExport(),
        _ => new RecordExport(),
    };
}
