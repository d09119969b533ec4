using System.Text.Json;
using Volunteers.Features.Teams;
using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>What a column of a roster may hold.</summary>
internal enum ImportField
{
    Number,
    Name,
    Phone,
    Hometown,
    Gender,
    BirthDate,
    Residence,
    Skills,
    JoinedOn,
    Status,
    ConsentVersion,
    ConsentAt,
    GuardianName,
    GuardianPhone,
    GuardianRelation,
    GuardianConsentVersion,
    GuardianConsentAt,
    IdentityNumber,
    Team,
    TeamRole,
}

/// <summary>A column of the file: where it stands, what it holds, and its heading as the file writes it.</summary>
internal sealed record ImportColumn<TField>(int Index, TField Field, string Heading);

/// <summary>The words that rosters use, in both languages.</summary>
internal static class ImportColumns
{
    /// <summary>More columns than this are refused; blank headings between them count.</summary>
    public const int Most = 100;

    public static readonly ImportWords<ImportField> Headings = new(
        (ImportField.Number, "编号 志愿者编号 志愿者号 number"),
        (ImportField.Name, "姓名 名字 name"),
        (ImportField.Phone, "电话 手机 手机号 手机号码 联系电话 mobile phone"),
        (ImportField.Hometown, "籍贯 家乡 hometown"),
        (ImportField.Gender, "性别 gender"),
        (ImportField.BirthDate, "出生日期 生日 birthDate"),
        (ImportField.Residence, "居住地 居住区域 residence"),
        (ImportField.Skills, "技能 特长 skills"),
        (ImportField.JoinedOn, "加入日期 入队日期 joinedOn"),
        (ImportField.Status, "状态 status"),
        (ImportField.ConsentVersion, "同意书版本 consentVersion"),
        (ImportField.ConsentAt, "同意时间 同意日期 consentAt"),
        (ImportField.GuardianName, "监护人 监护人姓名 guardianName"),
        (ImportField.GuardianPhone, "监护人电话 监护人手机号 guardianPhone"),
        (ImportField.GuardianRelation, "与监护人关系 监护关系 guardianRelation"),
        (ImportField.GuardianConsentVersion, "监护人同意书版本 guardianConsentVersion"),
        (ImportField.GuardianConsentAt, "监护人同意时间 监护人同意日期 guardianConsentAt"),
        (ImportField.IdentityNumber, "身份证号 身份证号码 公民身份号码 identityNumber"),
        (ImportField.Team, "服务队 team"),
        (ImportField.TeamRole, "队内角色 teamRole"));

    public static readonly ImportWords<Gender> Genders = new(
        (Gender.Male, "男 男性 m male"), (Gender.Female, "女 女性 f female"), (Gender.Other, "其他 other"));

    public static readonly ImportWords<VolunteerStatus> Statuses = new(
        (VolunteerStatus.Applied, "申请 申请中 applied"), (VolunteerStatus.Active, "在队 在册 正常 active"),
        (VolunteerStatus.Paused, "暂停 paused"), (VolunteerStatus.Left, "离队 退队 退出 left"));

    public static readonly ImportWords<TeamRole> TeamRoles = new(
        (TeamRole.Leader, "队长 leader"), (TeamRole.Core, "骨干 核心 核心成员 core"), (TeamRole.Member, "队员 成员 member"));

    public static string NameOf<TField>(TField field) where TField : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(field.ToString());

    /// <param name="headings">As the file writes them.</param>
    /// <param name="words">What columns may be called.</param>
    /// <param name="leftOut">Whether a column of that name is passed over.</param>
    public static IReadOnlyList<ImportColumn<TField>> Of<TField>(object?[] headings, ImportWords<TField> words, Func<string, bool>? leftOut = null) where TField : struct, Enum
    {
        if (headings.Length > Most) throw RuleBreach.Malformed("too_many_columns", "", Most);
        var written = headings.Index().Select(heading => (heading.Index, Text: ImportCell.TextOf(heading.Item))).Where(heading => heading.Text.Length > 0).ToList();
        if (!written.Any(heading => words.TryRead(heading.Text, out _))) throw RuleBreach.Malformed("no_heading_row", "");

        var columns = new List<ImportColumn<TField>>(written.Count);
        foreach (var (index, text) in written)
        {
            if (leftOut?.Invoke(text) == true) continue;
            if (!words.TryRead(text, out var field)) throw RuleBreach.Malformed("unknown_heading", "", Short(text));
            if (columns.Find(column => EqualityComparer<TField>.Default.Equals(column.Field, field)) is { } first)
                throw RuleBreach.Malformed("column_twice", "", Short(first.Heading), Short(text));
            columns.Add(new ImportColumn<TField>(index, field, text));
        }
        return columns;
    }

    private static string Short(string text) => text.Length <= 50 ? text : text[..50] + "…";
}
