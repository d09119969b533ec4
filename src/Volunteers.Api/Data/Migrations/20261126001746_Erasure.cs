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
                name: "ix_openiddict_tokens_subject",
                table: "openiddict_tokens",
                column: "subject");

            migrationBuilder.CreateIndex(
                name: "ix_openiddict_authorizations_subject",
                table: "openiddict_authorizations",
                column: "subject");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_openiddict_tokens_subject",
                table: "openiddict_tokens");

            migrationBuilder.DropIndex(
                name: "ix_openiddict_authorizations_subject",
                table: "openiddict_authorizations");

            migrationBuilder.DropColumn(
                name: "erased_at",
                table: "volunteers");
        }
    }
}
