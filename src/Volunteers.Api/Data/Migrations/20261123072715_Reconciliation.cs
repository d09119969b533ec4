using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class Reconciliation : Migration
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
                name: "ix_column_mappings_organization_id_name",
                table: "column_mappings",
                columns: new[] { "organization_id", "name" },
                unique: true);

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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "team_not_found",
                table: "activities");

            migrationBuilder.DropForeignKey(
                name: "volunteer_not_found",
                table: "attendance_events");

            migrationBuilder.DropForeignKey(
                name: "record_not_found",
                table: "hour_postings");

            migrationBuilder.DropTable(
                name: "column_mappings");

            migrationBuilder.DropTable(
                name: "reconciliation_rows");

            migrationBuilder.DropTable(
                name: "reconciliations");

            migrationBuilder.DropIndex(
                name: "imported_before",
                table: "service_records");

            migrationBuilder.DropColumn(
                name: "origin_reference",
                table: "service_records");

            migrationBuilder.DropColumn(
                name: "origin_system",
                table: "service_records");
        }
    }
}
