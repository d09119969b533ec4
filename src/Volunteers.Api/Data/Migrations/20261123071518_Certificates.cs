using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class Certificates : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
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

            migrationBuilder.CreateIndex(
                name: "ix_organizations_code_prefix",
                table: "organizations",
                column: "code_prefix");

            migrationBuilder.CreateIndex(
                name: "ix_hour_postings_organization_id_volunteer_id_service_date",
                table: "hour_postings",
                columns: new[] { "organization_id", "volunteer_id", "service_date" });

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
                name: "ix_former_profiles_account_id",
                table: "former_profiles",
                column: "account_id");

            migrationBuilder.CreateIndex(
                name: "ix_former_profiles_organization_id_volunteer_id",
                table: "former_profiles",
                columns: new[] { "organization_id", "volunteer_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "volunteer_not_found",
                table: "attendance_events");

            migrationBuilder.DropForeignKey(
                name: "volunteer_not_found",
                table: "calendar_feeds");

            migrationBuilder.DropTable(
                name: "certificate_endings");

            migrationBuilder.DropTable(
                name: "former_profiles");

            migrationBuilder.DropTable(
                name: "certificates");

            migrationBuilder.DropIndex(
                name: "ix_organizations_code_prefix",
                table: "organizations");

            migrationBuilder.DropIndex(
                name: "ix_hour_postings_organization_id_volunteer_id_service_date",
                table: "hour_postings");

            migrationBuilder.DropColumn(
                name: "code_prefix",
                table: "organizations");

            migrationBuilder.DropColumn(
                name: "contact",
                table: "organizations");

            migrationBuilder.DropColumn(
                name: "responsible_person",
                table: "organizations");
        }
    }
}
