using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class Series : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "detached",
                table: "activities",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateOnly>(
                name: "occurrence_on",
                table: "activities",
                type: "date",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "series_id",
                table: "activities",
                type: "uuid",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "series",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    title = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    team_id = table.Column<Guid>(type: "uuid", nullable: false),
                    project_id = table.Column<Guid>(type: "uuid", nullable: true),
                    category = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    description = table.Column<string>(type: "character varying(4000)", maxLength: 4000, nullable: true),
                    responsible_volunteer_id = table.Column<Guid>(type: "uuid", nullable: true),
                    first_on = table.Column<DateOnly>(type: "date", nullable: false),
                    start_time = table.Column<TimeOnly>(type: "time without time zone", nullable: false),
                    end_time = table.Column<TimeOnly>(type: "time without time zone", nullable: false),
                    recurrence = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: false),
                    endless = table.Column<bool>(type: "boolean", nullable: false),
                    except_on = table.Column<List<DateOnly>>(type: "date[]", nullable: false),
                    publish = table.Column<bool>(type: "boolean", nullable: false),
                    status = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    ended_from = table.Column<DateOnly>(type: "date", nullable: true),
                    made_until = table.Column<DateOnly>(type: "date", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false),
                    location = table.Column<string>(type: "jsonb", nullable: true),
                    shifts = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_series", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "project_not_found",
                        columns: x => new { x.organization_id, x.project_id },
                        principalTable: "projects",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "responsible_volunteer_not_found",
                        columns: x => new { x.organization_id, x.responsible_volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "team_not_found",
                        columns: x => new { x.organization_id, x.team_id },
                        principalTable: "teams",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "standing_sign_ups",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    series_id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    shift_name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    signed_up_by = table.Column<Guid>(type: "uuid", nullable: false),
                    signed_up_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_standing_sign_ups", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "series_not_found",
                        columns: x => new { x.organization_id, x.series_id },
                        principalTable: "series",
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
                name: "occurrence_exists",
                table: "activities",
                columns: new[] { "organization_id", "series_id", "occurrence_on" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_series_organization_id_project_id",
                table: "series",
                columns: new[] { "organization_id", "project_id" });

            migrationBuilder.CreateIndex(
                name: "ix_series_organization_id_responsible_volunteer_id",
                table: "series",
                columns: new[] { "organization_id", "responsible_volunteer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_series_organization_id_team_id",
                table: "series",
                columns: new[] { "organization_id", "team_id" });

            migrationBuilder.CreateIndex(
                name: "ix_series_to_carry_on",
                table: "series",
                columns: new[] { "organization_id", "made_until" },
                filter: "endless and status = 'active'");

            migrationBuilder.CreateIndex(
                name: "already_comes_to_all",
                table: "standing_sign_ups",
                columns: new[] { "organization_id", "series_id", "volunteer_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_standing_sign_ups_organization_id_volunteer_id",
                table: "standing_sign_ups",
                columns: new[] { "organization_id", "volunteer_id" });

            migrationBuilder.AddForeignKey(
                name: "series_not_found",
                table: "activities",
                columns: new[] { "organization_id", "series_id" },
                principalTable: "series",
                principalColumns: new[] { "organization_id", "id" },
                onDelete: ReferentialAction.Restrict);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "project_not_found",
                table: "activities");

            migrationBuilder.DropForeignKey(
                name: "responsible_volunteer_not_found",
                table: "activities");

            migrationBuilder.DropForeignKey(
                name: "series_not_found",
                table: "activities");

            migrationBuilder.DropForeignKey(
                name: "team_not_found",
                table: "activities");

            migrationBuilder.DropForeignKey(
                name: "volunteer_not_found",
                table: "attendance_events");

            migrationBuilder.DropTable(
                name: "standing_sign_ups");

            migrationBuilder.DropTable(
                name: "series");

            migrationBuilder.DropIndex(
                name: "occurrence_exists",
                table: "activities");

            migrationBuilder.DropColumn(
                name: "detached",
                table: "activities");

            migrationBuilder.DropColumn(
                name: "occurrence_on",
                table: "activities");

            migrationBuilder.DropColumn(
                name: "series_id",
                table: "activities");
        }
    }
}
