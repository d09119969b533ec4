using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class ReportsAndRecognition : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "origin_reference",
                table: "service_records",
                type: "character varying(200)",
                maxLength: 200,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "origin_system",
                table: "service_records",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "recorded_late",
                table: "service_records",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AlterColumn<string>(
                name: "reason",
                table: "service_record_events",
                type: "character varying(1000)",
                maxLength: 1000,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "character varying(500)",
                oldMaxLength: 500,
                oldNullable: true);

            migrationBuilder.AddColumn<string>(
                name: "contact",
                table: "organizations",
                type: "character varying(200)",
                maxLength: 200,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "responsible_person",
                table: "organizations",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "code_prefix",
                table: "organizations",
                type: "character varying(10)",
                maxLength: 10,
                nullable: false,
                computedColumnSql: "right(id::text, 10)",
                stored: true);

            migrationBuilder.CreateTable(
                name: "awards",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    level = table.Column<int>(type: "integer", nullable: true),
                    awarded_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    reason = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: true),
                    status = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    proposed_on = table.Column<DateOnly>(type: "date", nullable: false),
                    proposed_by = table.Column<Guid>(type: "uuid", nullable: false),
                    proposed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    publicity_from = table.Column<DateOnly>(type: "date", nullable: true),
                    publicity_to = table.Column<DateOnly>(type: "date", nullable: true),
                    confirmed_on = table.Column<DateOnly>(type: "date", nullable: true),
                    confirmed_by = table.Column<Guid>(type: "uuid", nullable: true),
                    withdrawn_on = table.Column<DateOnly>(type: "date", nullable: true),
                    withdrawn_by = table.Column<Guid>(type: "uuid", nullable: true),
                    withdrawal_reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_awards", x => new { x.organization_id, x.id });
                    table.CheckConstraint("publicity_to_before_from", "publicity_to >= publicity_from");
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "calendar_days",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    day = table.Column<DateOnly>(type: "date", nullable: false),
                    kind = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_calendar_days", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_calendar_days_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "certificates",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    year = table.Column<int>(type: "integer", nullable: false),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    code = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    from = table.Column<DateOnly>(type: "date", nullable: false),
                    to = table.Column<DateOnly>(type: "date", nullable: false),
                    language = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: false),
                    purpose = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    volunteer_number = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    volunteer_name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    organization = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    supervising_organization = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    contact = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    responsible_person = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    issued_by = table.Column<Guid>(type: "uuid", nullable: false),
                    issued_by_name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    issued_on = table.Column<DateOnly>(type: "date", nullable: false),
                    issued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ledger_position = table.Column<long>(type: "bigint", nullable: false),
                    minutes = table.Column<long>(type: "bigint", nullable: false),
                    person_times = table.Column<long>(type: "bigint", nullable: false),
                    lines_are = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    replaces_id = table.Column<Guid>(type: "uuid", nullable: true),
                    replaces_number = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: true),
                    by_evidence = table.Column<string>(type: "jsonb", nullable: false),
                    lines = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_certificates", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_certificates_certificates_organization_id_replaces_id",
                        columns: x => new { x.organization_id, x.replaces_id },
                        principalTable: "certificates",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_certificates_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "column_mappings",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    system = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    date_formats = table.Column<string[]>(type: "text[]", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    columns = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_column_mappings", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_column_mappings_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "disputes",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    record_id = table.Column<Guid>(type: "uuid", nullable: false),
                    message = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: false),
                    status = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    created_by = table.Column<Guid>(type: "uuid", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    outcome = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: true),
                    explanation = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    closed_by = table.Column<Guid>(type: "uuid", nullable: true),
                    closed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_disputes", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "record_not_found",
                        columns: x => new { x.organization_id, x.record_id },
                        principalTable: "service_records",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "former_profiles",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    account_id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_former_profiles", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "former_states",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    subject_id = table.Column<Guid>(type: "uuid", nullable: false),
                    until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    number = table.Column<string>(type: "text", nullable: true),
                    team_id = table.Column<Guid>(type: "uuid", nullable: true),
                    project_id = table.Column<Guid>(type: "uuid", nullable: true),
                    category = table.Column<string>(type: "text", nullable: true),
                    status = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: true),
                    starts_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    beneficiaries = table.Column<int>(type: "integer", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_former_states", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_former_states_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "issued_reports",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    query = table.Column<string>(type: "jsonb", nullable: false),
                    teams = table.Column<Guid[]>(type: "uuid[]", nullable: true),
                    position = table.Column<long>(type: "bigint", nullable: false),
                    position_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    names_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    persons = table.Column<long>(type: "bigint", nullable: false),
                    person_times = table.Column<long>(type: "bigint", nullable: false),
                    minutes = table.Column<long>(type: "bigint", nullable: false),
                    digest = table.Column<byte[]>(type: "bytea", nullable: false),
                    sent_to = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    note = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: true),
                    issued_by = table.Column<Guid>(type: "uuid", nullable: false),
                    issued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_issued_reports", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_issued_reports_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "ratings",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    grade = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    rated_by = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    rated_on = table.Column<DateOnly>(type: "date", nullable: false),
                    note = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: true),
                    recorded_by = table.Column<Guid>(type: "uuid", nullable: false),
                    recorded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    revoked_by = table.Column<Guid>(type: "uuid", nullable: true),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    revocation_reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_ratings", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "reconciliations",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    mapping = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    system = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    from = table.Column<DateOnly>(type: "date", nullable: false),
                    to = table.Column<DateOnly>(type: "date", nullable: false),
                    team_id = table.Column<Guid>(type: "uuid", nullable: true),
                    file_rows = table.Column<int>(type: "integer", nullable: false),
                    minutes_there = table.Column<long>(type: "bigint", nullable: false),
                    minutes_here = table.Column<long>(type: "bigint", nullable: false),
                    imported = table.Column<int>(type: "integer", nullable: false),
                    created_by = table.Column<Guid>(type: "uuid", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    counts = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reconciliations", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_reconciliations_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "team_not_found",
                        columns: x => new { x.organization_id, x.team_id },
                        principalTable: "teams",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "star_rules",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    effective_from = table.Column<DateOnly>(type: "date", nullable: false),
                    evidence = table.Column<string[]>(type: "text[]", nullable: false),
                    publicity_days = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    created_by = table.Column<Guid>(type: "uuid", nullable: false),
                    levels = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_star_rules", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_star_rules_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "trainings",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    content = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: true),
                    minutes = table.Column<int>(type: "integer", nullable: false),
                    organizer = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    held_on = table.Column<DateOnly>(type: "date", nullable: false),
                    recorded_by = table.Column<Guid>(type: "uuid", nullable: false),
                    recorded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    revoked_by = table.Column<Guid>(type: "uuid", nullable: true),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    revocation_reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_trainings", x => new { x.organization_id, x.id });
                    table.CheckConstraint("training_minutes_above_zero", "minutes > 0");
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "award_objections",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    award_id = table.Column<Guid>(type: "uuid", nullable: false),
                    message = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: false),
                    by = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    answer = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: true),
                    answered_by = table.Column<Guid>(type: "uuid", nullable: true),
                    answered_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_award_objections", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "award_not_found",
                        columns: x => new { x.organization_id, x.award_id },
                        principalTable: "awards",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "certificate_endings",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    end = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    successor_id = table.Column<Guid>(type: "uuid", nullable: true),
                    successor_number = table.Column<string>(type: "character varying(20)", maxLength: 20, nullable: true),
                    by = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("certificate_already_ended", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "certificate_not_found",
                        columns: x => new { x.organization_id, x.id },
                        principalTable: "certificates",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "fk_certificate_endings_certificates_organization_id_successor_",
                        columns: x => new { x.organization_id, x.successor_id },
                        principalTable: "certificates",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "reconciliation_rows",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    reconciliation_id = table.Column<Guid>(type: "uuid", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    list = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    file_row = table.Column<int>(type: "integer", nullable: true),
                    person_number = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    person_name = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    person_phone = table.Column<string>(type: "character varying(4)", maxLength: 4, nullable: true),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: true),
                    day = table.Column<DateOnly>(type: "date", nullable: true),
                    starts_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ends_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    activity = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    reference = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    minutes_there = table.Column<int>(type: "integer", nullable: true),
                    record_id = table.Column<Guid>(type: "uuid", nullable: true),
                    day_here = table.Column<DateOnly>(type: "date", nullable: true),
                    minutes_here = table.Column<int>(type: "integer", nullable: true),
                    waiting_record_id = table.Column<Guid>(type: "uuid", nullable: true),
                    imported_record_id = table.Column<Guid>(type: "uuid", nullable: true),
                    code = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: true),
                    column = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reconciliation_rows", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "reconciliation_not_found",
                        columns: x => new { x.organization_id, x.reconciliation_id },
                        principalTable: "reconciliations",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "record_not_found",
                        columns: x => new { x.organization_id, x.record_id },
                        principalTable: "service_records",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "imported_before",
                table: "service_records",
                columns: new[] { "organization_id", "origin_system", "origin_reference" },
                unique: true,
                filter: "origin_system is not null");

            migrationBuilder.CreateIndex(
                name: "ix_service_records_organization_id_recorded_at_id",
                table: "service_records",
                columns: new[] { "organization_id", "recorded_at", "id" },
                filter: "status = 'submitted'");

            migrationBuilder.CreateIndex(
                name: "ix_organizations_code_prefix",
                table: "organizations",
                column: "code_prefix");

            migrationBuilder.CreateIndex(
                name: "ix_hour_postings_organization_id_volunteer_id_service_date",
                table: "hour_postings",
                columns: new[] { "organization_id", "volunteer_id", "service_date" });

            migrationBuilder.CreateIndex(
                name: "ix_hour_postings_without_names",
                table: "hour_postings",
                columns: new[] { "organization_id", "service_date" },
                filter: "volunteer_id is null");

            migrationBuilder.CreateIndex(
                name: "ix_award_objections_organization_id_award_id",
                table: "award_objections",
                columns: new[] { "organization_id", "award_id" });

            migrationBuilder.CreateIndex(
                name: "star_award_exists",
                table: "awards",
                columns: new[] { "organization_id", "volunteer_id", "level" },
                unique: true,
                filter: "level is not null and status <> 'withdrawn'");

            migrationBuilder.CreateIndex(
                name: "ix_calendar_days_organization_id_day",
                table: "calendar_days",
                columns: new[] { "organization_id", "day" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_certificate_endings_organization_id_successor_id",
                table: "certificate_endings",
                columns: new[] { "organization_id", "successor_id" });

            migrationBuilder.CreateIndex(
                name: "ix_certificates_organization_id_code",
                table: "certificates",
                columns: new[] { "organization_id", "code" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_certificates_organization_id_replaces_id",
                table: "certificates",
                columns: new[] { "organization_id", "replaces_id" });

            migrationBuilder.CreateIndex(
                name: "ix_certificates_organization_id_volunteer_id",
                table: "certificates",
                columns: new[] { "organization_id", "volunteer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_certificates_organization_id_year_sequence",
                table: "certificates",
                columns: new[] { "organization_id", "year", "sequence" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_column_mappings_organization_id_name",
                table: "column_mappings",
                columns: new[] { "organization_id", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "dispute_open",
                table: "disputes",
                columns: new[] { "organization_id", "record_id" },
                unique: true,
                filter: "status = 'open'");

            migrationBuilder.CreateIndex(
                name: "ix_disputes_organization_id_created_at_id",
                table: "disputes",
                columns: new[] { "organization_id", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_former_profiles_account_id",
                table: "former_profiles",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "ix_former_profiles_organization_id_volunteer_id",
                table: "former_profiles",
                columns: new[] { "organization_id", "volunteer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_former_states_organization_id_subject_id_until",
                table: "former_states",
                columns: new[] { "organization_id", "subject_id", "until" });

            migrationBuilder.CreateIndex(
                name: "ix_ratings_organization_id_volunteer_id_rated_on_id",
                table: "ratings",
                columns: new[] { "organization_id", "volunteer_id", "rated_on", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_reconciliation_rows_organization_id_reconciliation_id_list_",
                table: "reconciliation_rows",
                columns: new[] { "organization_id", "reconciliation_id", "list", "position" });

            migrationBuilder.CreateIndex(
                name: "ix_reconciliation_rows_organization_id_reconciliation_id_posit",
                table: "reconciliation_rows",
                columns: new[] { "organization_id", "reconciliation_id", "position" });

            migrationBuilder.CreateIndex(
                name: "ix_reconciliation_rows_organization_id_record_id",
                table: "reconciliation_rows",
                columns: new[] { "organization_id", "record_id" });

            migrationBuilder.CreateIndex(
                name: "ix_reconciliation_rows_organization_id_volunteer_id",
                table: "reconciliation_rows",
                columns: new[] { "organization_id", "volunteer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_reconciliations_created_at",
                table: "reconciliations",
                column: "created_at");

            migrationBuilder.CreateIndex(
                name: "ix_reconciliations_organization_id_team_id",
                table: "reconciliations",
                columns: new[] { "organization_id", "team_id" });

            migrationBuilder.CreateIndex(
                name: "ix_star_rules_organization_id_version",
                table: "star_rules",
                columns: new[] { "organization_id", "version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_trainings_organization_id_volunteer_id_held_on_id",
                table: "trainings",
                columns: new[] { "organization_id", "volunteer_id", "held_on", "id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "award_objections");

            migrationBuilder.DropTable(
                name: "calendar_days");

            migrationBuilder.DropTable(
                name: "certificate_endings");

            migrationBuilder.DropTable(
                name: "column_mappings");

            migrationBuilder.DropTable(
                name: "disputes");

            migrationBuilder.DropTable(
                name: "former_profiles");

            migrationBuilder.DropTable(
                name: "former_states");

            migrationBuilder.DropTable(
                name: "issued_reports");

            migrationBuilder.DropTable(
                name: "ratings");

            migrationBuilder.DropTable(
                name: "reconciliation_rows");

            migrationBuilder.DropTable(
                name: "star_rules");

            migrationBuilder.DropTable(
                name: "trainings");

            migrationBuilder.DropTable(
                name: "awards");

            migrationBuilder.DropTable(
                name: "certificates");

            migrationBuilder.DropTable(
                name: "reconciliations");

            migrationBuilder.DropIndex(
                name: "imported_before",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_service_records_organization_id_recorded_at_id",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_organizations_code_prefix",
                table: "organizations");

            migrationBuilder.DropIndex(
                name: "ix_hour_postings_organization_id_volunteer_id_service_date",
                table: "hour_postings");

            migrationBuilder.DropIndex(
                name: "ix_hour_postings_without_names",
                table: "hour_postings");

            migrationBuilder.DropColumn(
                name: "code_prefix",
                table: "organizations");

            migrationBuilder.DropColumn(
                name: "origin_reference",
                table: "service_records");

            migrationBuilder.DropColumn(
                name: "origin_system",
                table: "service_records");

            migrationBuilder.DropColumn(
                name: "recorded_late",
                table: "service_records");

            migrationBuilder.DropColumn(
                name: "contact",
                table: "organizations");

            migrationBuilder.DropColumn(
                name: "responsible_person",
                table: "organizations");

            migrationBuilder.AlterColumn<string>(
                name: "reason",
                table: "service_record_events",
                type: "character varying(500)",
                maxLength: 500,
                nullable: true,
                oldClrType: typeof(string),
                oldType: "character varying(1000)",
                oldMaxLength: 1000,
                oldNullable: true);
        }
    }
}
