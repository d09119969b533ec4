using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class Security : Migration
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

            migrationBuilder.AddColumn<long>(
                name: "ledger_position",
                table: "reconciliations",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "expires_at",
                table: "organization_clients",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "last_used_at",
                table: "organization_clients",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<List<string>>(
                name: "scopes",
                table: "organization_clients",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "ends_at",
                table: "former_states",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateOnly>(
                name: "joined_on",
                table: "former_states",
                type: "date",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "time_zone",
                table: "former_states",
                type: "character varying(60)",
                maxLength: 60,
                nullable: true);

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
                name: "failure_counts",
                columns: table => new
                {
                    subject = table.Column<Guid>(type: "uuid", nullable: false),
                    source = table.Column<string>(type: "character varying(80)", maxLength: 80, nullable: false),
                    failures = table.Column<int>(type: "integer", nullable: false),
                    last_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    open_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_failure_counts", x => new { x.subject, x.source });
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
                name: "organization_client_secrets",
                columns: table => new
                {
                    organization_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    client_id = table.Column<Guid>(type: "uuid", nullable: false),
                    secret_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_organization_client_secrets", x => new { x.organization_id, x.id });
                    table.ForeignKey(
                        name: "fk_organization_client_secrets_organization_clients_organizati",
                        columns: x => new { x.organization_id, x.client_id },
                        principalTable: "organization_clients",
                        principalColumns: new[] { "organization_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "password_resets",
                columns: table => new
                {
                    account_id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "character varying(4)", maxLength: 4, nullable: false),
                    code_hash = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    organization_id = table.Column<Guid>(type: "uuid", nullable: true),
                    created_by = table.Column<Guid>(type: "uuid", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_password_resets", x => new { x.account_id, x.name });
                    table.ForeignKey(
                        name: "fk_password_resets_accounts_account_id",
                        column: x => x.account_id,
                        principalTable: "accounts",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "reset_messages",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    protected_login = table.Column<byte[]>(type: "bytea", nullable: false),
                    language = table.Column<string>(type: "character varying(10)", maxLength: 10, nullable: false),
                    requested_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    next_try_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reset_messages", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "second_factors",
                columns: table => new
                {
                    account_id = table.Column<Guid>(type: "uuid", nullable: false),
                    @protected = table.Column<byte[]>(name: "protected", type: "bytea", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    confirmed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_step = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_second_factors", x => x.account_id);
                    table.ForeignKey(
                        name: "fk_second_factors_accounts_account_id",
                        column: x => x.account_id,
                        principalTable: "accounts",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "sign_in_sessions",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    account_id = table.Column<Guid>(type: "uuid", nullable: false),
                    client_id = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: true),
                    authorization_id = table.Column<Guid>(type: "uuid", nullable: true),
                    browser_session_id = table.Column<Guid>(type: "uuid", nullable: true),
                    device = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_used_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sign_in_sessions", x => x.id);
                    table.ForeignKey(
                        name: "fk_sign_in_sessions_accounts_account_id",
                        column: x => x.account_id,
                        principalTable: "accounts",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_sign_in_sessions_open_iddict_authorizations_authorization_id",
                        column: x => x.authorization_id,
                        principalTable: "openiddict_authorizations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_sign_in_sessions_sign_in_sessions_browser_session_id",
                        column: x => x.browser_session_id,
                        principalTable: "sign_in_sessions",
                        principalColumn: "id",
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

            migrationBuilder.CreateTable(
                name: "recovery_codes",
                columns: table => new
                {
                    account_id = table.Column<Guid>(type: "uuid", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_recovery_codes", x => new { x.account_id, x.hash });
                    table.ForeignKey(
                        name: "fk_recovery_codes_second_factors_account_id",
                        column: x => x.account_id,
                        principalTable: "second_factors",
                        principalColumn: "account_id",
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
                name: "ix_failure_counts_last_at",
                table: "failure_counts",
                column: "last_at");

            migrationBuilder.CreateIndex(
                name: "ix_identity_marks_organization_id_volunteer_id",
                table: "identity_marks",
                columns: new[] { "organization_id", "volunteer_id" });

            migrationBuilder.CreateIndex(
                name: "ix_organization_client_secrets_organization_id_client_id",
                table: "organization_client_secrets",
                columns: new[] { "organization_id", "client_id" });

            migrationBuilder.CreateIndex(
                name: "ix_password_resets_expires_at",
                table: "password_resets",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "ix_reset_messages_next_try_at",
                table: "reset_messages",
                column: "next_try_at");

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_sessions_account_id_id",
                table: "sign_in_sessions",
                columns: new[] { "account_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_sessions_authorization_id",
                table: "sign_in_sessions",
                column: "authorization_id");

            migrationBuilder.CreateIndex(
                name: "ix_sign_in_sessions_browser_session_id",
                table: "sign_in_sessions",
                column: "browser_session_id");

            // by hand: clients admitted before scopes keep what they could do; an administrator makes each a new secret.
            migrationBuilder.Sql(
                """
                update organization_clients set scopes = array[
                    'organization.read', 'roster.read', 'roster.write', 'activities.read', 'activities.write', 'attendance.read', 'attendance.write',
                    'hours.read', 'hours.write', 'recognition.read', 'recognition.write', 'reports.read', 'reports.write', 'certificates.read', 'certificates.write']
                """);
            // Settings are kept as they were written, and every consent that was given gets its receipt.
            migrationBuilder.Sql(
                """
                update organizations set settings = '{"GuardianForDataBelow": 14, "GuardianForServiceBelow": 18}'::jsonb || settings;
                insert into consent_receipts (organization_id, id, volunteer_id, purpose, version, text_hash, action, given_by, at, recorded_by, recorded_at)
                select organization_id, gen_random_uuid(), id, 'profile', consent_version, null, 'given', 'coordinator', consent_at,
                       '00000000-0000-0000-0000-000000000000', now()
                from volunteers where consent_version is not null;
                """);
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
                name: "failure_counts");

            migrationBuilder.DropTable(
                name: "identity_marks");

            migrationBuilder.DropTable(
                name: "organization_client_secrets");

            migrationBuilder.DropTable(
                name: "password_resets");

            migrationBuilder.DropTable(
                name: "recovery_codes");

            migrationBuilder.DropTable(
                name: "reset_messages");

            migrationBuilder.DropTable(
                name: "sign_in_sessions");

            migrationBuilder.DropTable(
                name: "identity_documents");

            migrationBuilder.DropTable(
                name: "second_factors");

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

            migrationBuilder.DropColumn(
                name: "ledger_position",
                table: "reconciliations");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "organization_clients");

            migrationBuilder.DropColumn(
                name: "last_used_at",
                table: "organization_clients");

            migrationBuilder.DropColumn(
                name: "scopes",
                table: "organization_clients");

            migrationBuilder.DropColumn(
                name: "ends_at",
                table: "former_states");

            migrationBuilder.DropColumn(
                name: "joined_on",
                table: "former_states");

            migrationBuilder.DropColumn(
                name: "time_zone",
                table: "former_states");
        }
    }
}
