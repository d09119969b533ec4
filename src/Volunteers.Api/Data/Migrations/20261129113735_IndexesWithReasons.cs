using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class IndexesWithReasons : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_sign_ups_organization_id_group_id",
                table: "sign_ups");

            migrationBuilder.DropIndex(
                name: "ix_service_records_organization_id_claimed_from_id",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_series_organization_id_project_id",
                table: "series");

            migrationBuilder.DropIndex(
                name: "ix_reconciliation_rows_organization_id_record_id",
                table: "reconciliation_rows");

            migrationBuilder.DropIndex(
                name: "ix_organizations_supervising_organization_id",
                table: "organizations");

            migrationBuilder.DropIndex(
                name: "ix_certificates_organization_id_replaces_id",
                table: "certificates");

            migrationBuilder.DropIndex(
                name: "ix_certificate_endings_organization_id_successor_id",
                table: "certificate_endings");

            migrationBuilder.DropIndex(
                name: "ix_activities_organization_id_project_id",
                table: "activities");

            migrationBuilder.DropIndex(
                name: "ix_accounts_normalized_email",
                table: "accounts");

            migrationBuilder.CreateIndex(
                name: "ix_sign_ups_organization_id_group_id",
                table: "sign_ups",
                columns: new[] { "organization_id", "group_id" },
                filter: "group_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_shifts_organization_id_starts_at",
                table: "shifts",
                columns: new[] { "organization_id", "starts_at" });

            migrationBuilder.CreateIndex(
                name: "ix_service_records_headcounts",
                table: "service_records",
                columns: new[] { "organization_id", "activity_id" },
                filter: "volunteer_id is null");

            migrationBuilder.CreateIndex(
                name: "ix_service_records_not_approved",
                table: "service_records",
                columns: new[] { "organization_id", "status", "starts_at", "id" },
                filter: "status <> 'approved'");

            migrationBuilder.CreateIndex(
                name: "ix_service_records_of_shift",
                table: "service_records",
                columns: new[] { "organization_id", "shift_id" },
                filter: "shift_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_service_records_organization_id_claimed_from_id",
                table: "service_records",
                columns: new[] { "organization_id", "claimed_from_id" },
                filter: "claimed_from_id is not null");

            migrationBuilder.CreateIndex(
                name: "ix_awards_organization_id_volunteer_id",
                table: "awards",
                columns: new[] { "organization_id", "volunteer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_refused",
                table: "audit_events",
                columns: new[] { "organization_id", "id" },
                filter: "outcome = 'refused'");

            migrationBuilder.CreateIndex(
                name: "ix_activities_organization_id_ends_at_id",
                table: "activities",
                columns: new[] { "organization_id", "ends_at", "id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_sign_ups_organization_id_group_id",
                table: "sign_ups");

            migrationBuilder.DropIndex(
                name: "ix_shifts_organization_id_starts_at",
                table: "shifts");

            migrationBuilder.DropIndex(
                name: "ix_service_records_headcounts",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_service_records_not_approved",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_service_records_of_shift",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_service_records_organization_id_claimed_from_id",
                table: "service_records");

            migrationBuilder.DropIndex(
                name: "ix_awards_organization_id_volunteer_id",
                table: "awards");

            migrationBuilder.DropIndex(
                name: "ix_audit_events_refused",
                table: "audit_events");

            migrationBuilder.DropIndex(
                name: "ix_activities_organization_id_ends_at_id",
                table: "activities");

            migrationBuilder.CreateIndex(
                name: "ix_sign_ups_organization_id_group_id",
                table: "sign_ups",
                columns: new[] { "organization_id", "group_id" });

            migrationBuilder.CreateIndex(
                name: "ix_service_records_organization_id_claimed_from_id",
                table: "service_records",
                columns: new[] { "organization_id", "claimed_from_id" });

            migrationBuilder.CreateIndex(
                name: "ix_series_organization_id_project_id",
                table: "series",
                columns: new[] { "organization_id", "project_id" });

            migrationBuilder.CreateIndex(
                name: "ix_reconciliation_rows_organization_id_record_id",
                table: "reconciliation_rows",
                columns: new[] { "organization_id", "record_id" });

            migrationBuilder.CreateIndex(
                name: "ix_organizations_supervising_organization_id",
                table: "organizations",
                column: "supervising_organization_id");

            migrationBuilder.CreateIndex(
                name: "ix_certificates_organization_id_replaces_id",
                table: "certificates",
                columns: new[] { "organization_id", "replaces_id" });

            migrationBuilder.CreateIndex(
                name: "ix_certificate_endings_organization_id_successor_id",
                table: "certificate_endings",
                columns: new[] { "organization_id", "successor_id" });

            migrationBuilder.CreateIndex(
                name: "ix_activities_organization_id_project_id",
                table: "activities",
                columns: new[] { "organization_id", "project_id" });

            migrationBuilder.CreateIndex(
                name: "ix_accounts_normalized_email",
                table: "accounts",
                column: "normalized_email");
        }
    }
}
