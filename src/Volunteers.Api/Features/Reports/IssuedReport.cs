using System.Linq.Expressions;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Volunteers.Features.Organizations;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Reports;

/// <summary>
/// An hour report that was sent to somebody: what was asked, about which teams, where the ledger stood and whose names counted.
/// So it can be drawn again as it was, by whoever may see it. Insert-only, but for names of people who are forgotten.
/// </summary>
[HistoryKept]
internal sealed class IssuedReport
{
    private IssuedReport() { }

    public IssuedReport(ReportScope scope, IssueReportRequest request, HourReport report, DateTimeOffset namesAt, Guid by, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (OrganizationId, Teams, SentTo, Note, IssuedBy, IssuedAt) = (scope.OrganizationId, scope.Teams, request.SentTo, request.Note, by, now);
        Query = JsonSerializer.Serialize(request with { SentTo = null, Note = null, AsOf = null }, Json.Options);
        (Position, PositionAt, NamesAt) = (report.AsOf.Position, report.AsOf.At, namesAt);
        (Persons, PersonTimes, Minutes) = report.Total;
        Digest = DigestOf(report);
    }

    public Guid OrganizationId { get; private set; }

    public Guid Id { get; private set; }

    /// <summary>What was asked, as JSON.</summary>
    public string Query { get; private set; } = "";

    /// <summary>The teams that it is about; null for the whole organization.</summary>
    public Guid[]? Teams { get; private set; }

    public long Position { get; private set; }

    public DateTimeOffset? PositionAt { get; private set; }

    public DateTimeOffset NamesAt { get; private set; }

    public long Persons { get; private set; }

    public long PersonTimes { get; private set; }

    public long Minutes { get; private set; }

    /// <summary>SHA-256 of its rows and total.</summary>
    public byte[] Digest { get; private set; } = [];

    [Personal(Mask.Hidden)]
    public string? SentTo { get; private set; }

    [Personal(Mask.Hidden)]
    public string? Note { get; private set; }

    public Guid IssuedBy { get; private set; }

    public DateTimeOffset IssuedAt { get; private set; }

    public LedgerPoint Point => new(Position, PositionAt) { NamesAt = NamesAt };

    public ReportScope Scope => new(OrganizationId, Teams);

    public IssueReportRequest Request => JsonSerializer.Deserialize<IssueReportRequest>(Query, Json.Options)!;

    /// <summary>
    /// A name that it shows is a pseudonym by now, so it is drawn with that from here on. The digest of before would let a guessed name
    /// be tried against it.
    /// </summary>
    public void ShowsPseudonym(HourReport drawnAgain) => Digest = DigestOf(drawnAgain);

    private static byte[] DigestOf(HourReport report) =>
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { report.From, report.To, report.Rows, report.Total }, ReportRow.InOrder.Options));

    internal sealed class Configuration : IEntityTypeConfiguration<IssuedReport>
    {
        public void Configure(EntityTypeBuilder<IssuedReport> builder)
        {
            builder.ToTable("issued_reports");
            builder.HasKey(i => new { i.OrganizationId, i.Id });
            builder.Property(i => i.Query).HasColumnType("jsonb");
            builder.Property(i => i.SentTo).HasMaxLength(200);
            builder.Property(i => i.Note).HasMaxLength(1000);
            builder.Ignore(i => i.Point).Ignore(i => i.Scope).Ignore(i => i.Request);
            builder.HasOne<Organization>().WithMany().HasForeignKey(i => i.OrganizationId);
        }
    }
}

/// <summary>An hour report that was sent.</summary>
/// <param name="Id">The report.</param>
/// <param name="Query">What was asked.</param>
/// <param name="Teams">The teams that it is about; null for the whole organization.</param>
/// <param name="AsOf">Where the ledger stood.</param>
/// <param name="NamesAt">The instant whose names it shows.</param>
/// <param name="Total">What it came to.</param>
/// <param name="Sha256">Of <c>from</c>, <c>to</c>, <c>rows</c> and <c>total</c> as one JSON object, written as the report is: drawn again, it is the same.</param>
/// <param name="SentTo">To whom.</param>
/// <param name="Note">What was noted with it.</param>
/// <param name="IssuedBy">The account or client that sent it.</param>
/// <param name="IssuedAt">When.</param>
internal sealed record IssuedReportView(
    Guid Id, IssueReportRequest Query, IReadOnlyList<Guid>? Teams, LedgerPoint AsOf, DateTimeOffset NamesAt, HourFigures Total, string Sha256,
    string? SentTo, string? Note, Guid IssuedBy, DateTimeOffset IssuedAt)
{
    public static Expression<Func<IssuedReport, IssuedReportView>> Projection => i => new IssuedReportView(
        i.Id, i.Request, i.Teams, i.Point, i.NamesAt, new HourFigures(i.Persons, i.PersonTimes, i.Minutes), Convert.ToHexStringLower(i.Digest),
        i.SentTo, i.Note, i.IssuedBy, i.IssuedAt);

    public static IssuedReportView Of(IssuedReport report) => Compiled(report);

    private static readonly Func<IssuedReport, IssuedReportView> Compiled = Projection.Compile();
}
