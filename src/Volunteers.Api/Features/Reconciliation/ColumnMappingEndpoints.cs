using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using System.Text.RegularExpressions;
using FluentValidation;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Volunteers;
using Volunteers.Platform;
using Volunteers.Platform.Audit;
using Volunteers.Platform.OpenApi;

namespace Volunteers.Features.Reconciliation;

internal static class ColumnMappingEndpoints
{
    public static void MapColumnMappings(this RouteGroupBuilder organization)
    {
        var mappings = organization.MapGroup("/column-mappings").WithTags("Reconciliation").Scoped(Scope.Hours);

        mappings.MapGet("", List).WithName("listColumnMappings").ShowsNoPersonalData().Allows(Access.Read);
        mappings.MapGet("/{mappingName}", Get).WithName("getColumnMapping").ShowsNoPersonalData().Allows(Access.Read).RefusesWith(404);
        mappings.MapPut("/{mappingName}", Set).WithName("setColumnMapping").Allows(Access.CoordinateAll);
        mappings.MapDelete("/{mappingName}", Delete).WithName("deleteColumnMapping").Allows(Access.CoordinateAll).RefusesWith(404);
    }

    /// <summary>Lists how exports of other systems are read, in the order in which they were first saved.</summary>
    private static Task<Paged<ColumnMappingView>> List([AsParameters] PageQuery page, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        db.ColumnMappings.Where(m => m.OrganizationId == tenant.Id).ToPage(page, m => m.Id, ColumnMappingView.Projection, ct);

    /// <summary>Shows how the exports of another system are read.</summary>
    private static async Task<Results<Found<ColumnMappingView>, NotFound>> Get([MaxLength(60)] string mappingName, Tenant tenant, VolunteersDb db, CancellationToken ct) =>
        await db.MappingOf(tenant.Id, mappingName, ct) is { } mapping ? Answer.Found(ColumnMappingView.Of(mapping)) : TypedResults.NotFound();

    /// <summary>Saves how the exports of another system are read, under a new name or in place of what the name stood for.</summary>
    /// <remarks>
    /// The name has 1 to 60 characters, without a slash. Headings are those of the file, compared without case, blanks and underscores; other columns of the file are left alone. A person is
    /// named by number, phone or name. The day is in <c>date</c>, or in <c>startsAt</c> when that has days too. The time given is in
    /// <c>minutes</c>, in <c>hours</c> (1.5 or 1:30), or is the whole period from <c>startsAt</c> to <c>endsAt</c>. Files may be UTF-8,
    /// UTF-16 with its mark, or GB18030: nothing needs to be said about that.
    /// </remarks>
    private static async Task<Found<ColumnMappingView>> Set(
        [MaxLength(60)] string mappingName, ColumnMappingRequest request, Tenant tenant, VolunteersDb db, TimeProvider clock, CancellationToken ct)
    {
        if (!IsName(mappingName)) throw RuleBreach.Malformed("invalid_mapping_name", "/mappingName");
        // Two who save the same new name at the same moment: the second changes what the first has made.
        await db.LockOrganization(tenant.Id, ct);
        var mapping = await db.MappingOf(tenant.Id, mappingName, ct);
        if (mapping is null) db.Add(mapping = new ColumnMapping(tenant.Id, mappingName, clock.GetUtcNow()));
        mapping.Set(request.System, request.Columns, [.. request.DateFormats ?? []]);
        await db.SaveChangesAsync(ct);
        return Answer.Found(ColumnMappingView.Of(mapping));
    }

    /// <summary>Forgets how the exports of another system are read. What was reconciled stays.</summary>
    private static async Task<Results<NoContent, NotFound>> Delete([MaxLength(60)] string mappingName, Tenant tenant, VolunteersDb db, CancellationToken ct)
    {
        if (!IsName(mappingName)) return TypedResults.NotFound();
        // Not between the reading and the saving of who sets it.
        await db.LockOrganization(tenant.Id, ct);
        return await db.DeleteNoted(db.ColumnMappings.Where(m => m.OrganizationId == tenant.Id && m.Name == mappingName), ct) == 1
            ? TypedResults.NoContent()
            : TypedResults.NotFound();
    }

    public static Task<ColumnMapping?> MappingOf(this VolunteersDb db, Guid organizationId, string name, CancellationToken ct) => IsName(name)
        ? db.ColumnMappings.SingleOrDefaultAsync(m => m.OrganizationId == organizationId && m.Name == name, ct)
        : Task.FromResult<ColumnMapping?>(null);

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 60 && !string.IsNullOrWhiteSpace(name) && !name.Any(c => char.IsControl(c) || char.IsSurrogate(c) || c is '/' or '\\' or '%' or '\uFFFD');
}

/// <summary>How the exports of another system are to be read.</summary>
/// <param name="System">The other system's name, for instance 志愿深圳; imported records carry it. At most 100 characters.</param>
/// <param name="Columns">Under which heading its exports hold what.</param>
/// <param name="DateFormats">How days are written, when not as 2026-06-07, 2026/6/7, 2026.6.7 or 2026年6月7日: up to five of yyyy, MM or M, dd or d with other signs between, for instance <c>dd/MM/yyyy</c>.</param>
internal sealed partial record ColumnMappingRequest(string System, MappedColumns Columns, IReadOnlyList<string>? DateFormats = null)
{
    internal sealed partial class Validator : AbstractValidator<ColumnMappingRequest>
    {
        public Validator(IValidator<MappedColumns> columns)
        {
            RuleFor(request => request.System).Line(100);
            RuleFor(request => request.Columns).NotNull().SetValidator(columns);
            RuleFor(request => request.DateFormats).AtMost(5).WithMessage(_ => Messages.Title("too_many_date_formats"));
            RuleForEach(request => request.DateFormats).NotNull().MaximumLength(20).Matches(Format()).WithMessage(_ => Messages.Title("unknown_date_format"));
        }

        /// <summary>Year, month and day, each once.</summary>
        [GeneratedRegex("^(?=[^y]*yyyy[^y]*$)(?=[^M]*MM?[^M]*$)(?=[^d]*dd?[^d]*$)[yMd/. 年月日-]{6,20}$")]
        private static partial Regex Format();
    }

    internal sealed class ColumnsValidator : AbstractValidator<MappedColumns>
    {
        public ColumnsValidator()
        {
            foreach (var heading in new Expression<Func<MappedColumns, string?>>[]
                     {
                         c => c.Number, c => c.Phone, c => c.Name, c => c.Date, c => c.Minutes, c => c.Hours, c => c.StartsAt, c => c.EndsAt, c => c.Activity, c => c.Reference,
                     })
                RuleFor(heading).OptionalLine(100).Must(text => text is null || ImportWords.Plain(text).Length > 0).WithMessage(_ => Messages.Title("heading_empty"));
            RuleFor(columns => columns.Name).Must((columns, _) => columns is not { Number: null, Phone: null, Name: null }).WithMessage(_ => Messages.Title("person_column_needed"));
            RuleFor(columns => columns.Date).Must((columns, date) => date is not null || columns.StartsAt is not null).WithMessage(_ => Messages.Title("date_column_needed"));
            RuleFor(columns => columns.Minutes).Must((columns, minutes) => minutes is not null || columns.Hours is not null || columns.EndsAt is not null)
                .WithMessage(_ => Messages.Title("duration_column_needed"));
            RuleFor(columns => columns.Hours).Must((columns, hours) => hours is null || columns.Minutes is null).WithMessage(_ => Messages.Title("minutes_or_hours"));
            RuleFor(columns => columns.EndsAt).Must((columns, endsAt) => endsAt is null == columns.StartsAt is null).WithMessage(_ => Messages.Title("start_and_end_column"));
            RuleFor(columns => columns).Must(HaveDistinctHeadings).WithMessage(_ => Messages.Title("each_once")).OverridePropertyName("");
        }

        private static bool HaveDistinctHeadings(MappedColumns columns)
        {
            var headings = columns.All().Select(column => ImportWords.Plain(column.Heading)).ToArray();
            return headings.Distinct().Count() == headings.Length;
        }
    }
}

/// <summary>How the exports of another system are read.</summary>
/// <param name="Name">What it was saved under.</param>
/// <param name="System">The other system's name.</param>
/// <param name="Columns">Under which heading its exports hold what.</param>
/// <param name="DateFormats">How days are written, when not in the usual ways.</param>
/// <param name="Version">Grows by one with every change.</param>
internal sealed record ColumnMappingView(string Name, string System, MappedColumns Columns, IReadOnlyList<string> DateFormats, long Version) : IVersioned
{
    public static Expression<Func<ColumnMapping, ColumnMappingView>> Projection => m => new ColumnMappingView(m.Name, m.System, m.Columns, m.DateFormats, m.Version);

    public static ColumnMappingView Of(ColumnMapping mapping) => Compiled(mapping);

    private static readonly Func<ColumnMapping, ColumnMappingView> Compiled = Projection.Compile();
}
