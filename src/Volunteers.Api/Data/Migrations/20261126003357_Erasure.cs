using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class Erasure : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "erased_at",
                table: "volunteers",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_volunteers_applied_at",
                table: "volunteers",
                column: "applied_at",
                filter: "applied_at is not null");

            migrationBuilder.CreateIndex(
                name: "ix_openiddict_tokens_subject",
                table: "openiddict_tokens",
                column: "subject");

            migrationBuilder.CreateIndex(
                name: "ix_openiddict_authorizations_subject",
                table: "openiddict_authorizations",
                column: "subject");

            migrationBuilder.CreateIndex(
                name: "ix_attendance_events_received_at",
                table: "attendance_events",
                column: "received_at",
                filter: "device_at is not null or distance is not null");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_volunteers_applied_at",
                table: "volunteers");

            migrationBuilder.DropIndex(
                name: "ix_openiddict_tokens_subject",
                table: "openiddict_tokens");

            migrationBuilder.DropIndex(
                name: "ix_openiddict_authorizations_subject",
                table: "openiddict_authorizations");

            migrationBuilder.DropIndex(
                name: "ix_attendance_events_received_at",
                table: "attendance_events");

            migrationBuilder.DropColumn(
                name: "erased_at",
                table: "volunteers");
        }
    }
}
