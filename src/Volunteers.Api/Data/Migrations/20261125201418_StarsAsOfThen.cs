using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Volunteers.Data.Migrations
{
    /// <inheritdoc />
    public partial class StarsAsOfThen : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "ledger_position",
                table: "reconciliations",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ledger_position",
                table: "reconciliations");

            migrationBuilder.DropColumn(
                name: "joined_on",
                table: "former_states");

            migrationBuilder.DropColumn(
                name: "time_zone",
                table: "former_states");
        }
    }
}
