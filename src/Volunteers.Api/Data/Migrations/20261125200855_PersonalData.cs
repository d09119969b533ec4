using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class PersonalData : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "guardian_consent_at",
                table: "volunteers",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "guardian_consent_version",
                table: "volunteers",
                type: "character varying(50)",
                maxLength: 50,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "guardian_name",
                table: "volunteers",
                type: "character varying(100)",
                maxLength: 100,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "guardian_phone",
                table: "volunteers",
                type: "character varying(30)",
                maxLength: 30,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "guardian_relation",
                table: "volunteers",
                type: "character varying(30)",
                maxLength: 30,
                nullable: true);

            migrationBuilder.AddColumn<List<string>>(
                name: "withdrawn_consents",
                table: "volunteers",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.CreateTable(
                name: "consent_receipts",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    purpose = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    version = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    text_hash = table.Column<byte[]>(type: "bytea", nullable: true),
                    action = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    given_by = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    recorded_by = table.Column<Guid>(type: "uuid", nullable: false),
                    recorded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_consent_receipts", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "consent_texts",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    purpose = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    version = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    text_zh = table.Column<string>(type: "character varying(20000)", maxLength: 20000, nullable: true),
                    text_en = table.Column<string>(type: "character varying(20000)", maxLength: 20000, nullable: true),
                    is_required = table.Column<bool>(type: "boolean", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_by = table.Column<Guid>(type: "uuid", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_consent_texts", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_consent_texts_organizations_organization_id",
                        column: x => x.organization_id,
                        principalTable: "organizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "identity_documents",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "character varying(30)", maxLength: 30, nullable: false),
                    key_id = table.Column<string>(type: "character varying(50)", maxLength: 50, nullable: false),
                    sealed_number = table.Column<byte[]>(type: "bytea", nullable: false),
                    recorded_by = table.Column<Guid>(type: "uuid", nullable: false),
                    recorded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_identity_documents", x => new { x.organization_id, x.volunteer_id });
                    table.ForeignKey(
                        name: "volunteer_not_found",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "volunteers",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "identity_marks",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    hash_key_id = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    volunteer_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("identity_document_taken", x => new { x.organization_id, x.hash });
                    table.ForeignKey(
                        name: "fk_identity_marks_identity_documents_organization_id_volunteer",
                        columns: x => new { x.organization_id, x.volunteer_id },
                        principalTable: "identity_documents",
                        principalColumns: new[] { "organization_id", "volunteer_id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_consent_receipts_organization_id_volunteer_id_recorded_at",
                table: "consent_receipts",
                columns: new[] { "organization_id", "volunteer_id", "recorded_at" });

            migrationBuilder.CreateIndex(
                name: "consent_version_taken",
                table: "consent_texts",
                columns: new[] { "organization_id", "purpose", "version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_identity_marks_organization_id_volunteer_id",
                table: "identity_marks",
                columns: new[] { "organization_id", "volunteer_id" });

            // by hand: settings are kept as they were written, and every consent that was given gets its receipt.
            migrationBuilder.Sql(
                """
                update organizations set settings = '{"GuardianForDataBelow": 14, "GuardianForServiceBelow": 18}'::jsonb || settings;
                insert into consent_receipts (organization_id, id, volunteer_id, purpose, version, text_hash, action, given_by, at, recorded_by, recorded_at)
                select organization_id, gen_random_uuid(), id, 'profile', consent_version, null, 'given', 'coordinator', consent_at,
                       '00000000-0000-0000-0000-000000000000', now()
                from volunteers where consent_version is not null;
                """);
            // by hand: end
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "volunteer_not_found",
                table: "calendar_feeds");

            migrationBuilder.DropTable(
                name: "consent_receipts");

            migrationBuilder.DropTable(
                name: "consent_texts");

            migrationBuilder.DropTable(
                name: "identity_marks");

            migrationBuilder.DropTable(
                name: "identity_documents");

            migrationBuilder.DropColumn(
                name: "guardian_consent_at",
                table: "volunteers");

            migrationBuilder.DropColumn(
                name: "guardian_consent_version",
                table: "volunteers");

            migrationBuilder.DropColumn(
                name: "guardian_name",
                table: "volunteers");

            migrationBuilder.DropColumn(
                name: "guardian_phone",
                table: "volunteers");

            migrationBuilder.DropColumn(
                name: "guardian_relation",
                table: "volunteers");

            migrationBuilder.DropColumn(
                name: "withdrawn_consents",
                table: "volunteers");
        }
    }
}
