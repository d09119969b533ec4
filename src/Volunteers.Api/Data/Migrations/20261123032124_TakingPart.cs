using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class TakingPart : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "sequence",
                table: "activities",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "shifts",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    activity_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    starts_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ends_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    capacity = table.Column<int>(type: "integer", nullable: true),
                    sign_up_closes_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cancel_closes_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    skills = table.Column<List<string>>(type: "text[]", nullable: false),
                    taken = table.Column<int>(type: "integer", nullable: false),
                    waiting = table.Column<int>(type: "integer", nullable: false),
                    arrivals = table.Column<long>(type: "bigint", nullable: false),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    settled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_shifts", x => new { x.organization_id, x.id });
                    table.CheckConstraint("shift_ends_before_start", "ends_at > starts_at");
                    table.CheckConstraint("shift_full", "taken >= 0 and waiting >= 0 and (capacity is null or taken <= capacity)");
                    table.ForeignKey(
                        name: "activity_not_found",
                        columns: x => new { x.organization_id, x.activity_id },
                        principalTable: "activities",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "shift_groups",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    shift_id = table.Column<Guid>(type: "uuid", nullable: false),
                    title = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    places = table.Column<int>(type: "integer", nullable: false),
                    named = table.Column<int>(type: "integer", nullable: false),
                    signed_up_by = table.Column<Guid>(type: "uuid", nullable: false),
                    signed_up_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_shift_groups", x => new { x.organization_id, x.id });
                    table.CheckConstraint("group_all_named", "named between 0 and places");
                    table.ForeignKey(
                        name: "shift_not_found",
                        columns: x => new { x.organization_id, x.shift_id },
                        principalTable: "shifts",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "sign_ups",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    shift_id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    status = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    source = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    arrival = table.Column<long>(type: "bigint", nullable: false),
                    signed_up_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    signed_up_by = table.Column<Guid>(type: "uuid", nullable: false),
                    group_id = table.Column<Guid>(type: "uuid", nullable: true),
                    clash_reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    cancelled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    cancel_reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    sequence = table.Column<int>(type: "integer", nullable: false),
                    booking_refusal = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sign_ups", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "group_not_found",
                        columns: x => new { x.organization_id, x.group_id },
                        principalTable: "shift_groups",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Restrict);
                    table.ForeignKey(
                        name: "shift_not_found",
                        columns: x => new { x.organization_id, x.shift_id },
                        principalTable: "shifts",
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
                name: "ix_shift_groups_organization_id_shift_id",
                table: "shift_groups",
                columns: new[] { "organization_id", "shift_id" });

            migrationBuilder.CreateIndex(
                name: "ix_shifts_organization_id_activity_id_starts_at",
                table: "shifts",
                columns: new[] { "organization_id", "activity_id", "starts_at" });

            migrationBuilder.CreateIndex(
                name: "ix_shifts_unsettled",
                table: "shifts",
                columns: new[] { "organization_id", "ends_at" },
                filter: "settled_at is null");

            migrationBuilder.CreateIndex(
                name: "already_signed_up",
                table: "sign_ups",
                columns: new[] { "organization_id", "shift_id", "volunteer_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_sign_ups_organization_id_group_id",
                table: "sign_ups",
                columns: new[] { "organization_id", "group_id" });

            migrationBuilder.CreateIndex(
                name: "ix_sign_ups_organization_id_shift_id_status_arrival",
                table: "sign_ups",
                columns: new[] { "organization_id", "shift_id", "status", "arrival" });

            migrationBuilder.CreateIndex(
                name: "ix_sign_ups_organization_id_volunteer_id_status",
                table: "sign_ups",
                columns: new[] { "organization_id", "volunteer_id", "status" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "volunteer_not_found",
                table: "invitations");

            migrationBuilder.DropForeignKey(
                name: "activity_not_found",
                table: "service_records");

            migrationBuilder.DropTable(
                name: "sign_ups");

            migrationBuilder.DropTable(
                name: "shift_groups");

            migrationBuilder.DropTable(
                name: "shifts");

            migrationBuilder.DropColumn(
                name: "sequence",
                table: "activities");
        }
    }
}
