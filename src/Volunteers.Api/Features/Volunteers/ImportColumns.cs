using System.Collections.Frozen;
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
internal sealed record ImportColumn(int Index, ImportField Field, string Heading);

/// <summary>The words that rosters use, in both languages. Compared without case, blanks, underscores and the asterisk of required columns.</summary>
internal static class ImportColumns
{
    /// <summary>More columns than this are refused; blank headings between them count.</summary>
    public const int Most = 100;

    private static readonly FrozenDictionary<string, ImportField> Headings = Table(
        (ImportField.Number, "编号 志愿者编号 志愿者号 number"),
        (ImportField.Name, "姓名 名字 name"),
        (ImportField.Phone, "电话 手机 手机号 手机号码 联系电话 phone mobile"),
        (ImportField.Hometown, "籍贯 家乡 hometown"),
        (ImportField.Gender, "性别 gender"),
        (ImportField.BirthDate, "出生日期 生日 birthdate"),
        (ImportField.Residence, "居住地 居住区域 residence"),
        (ImportField.Skills, "技能 特长 skills"),
        (ImportField.JoinedOn, "加入日期 入队日期 joinedon"),
        (ImportField.Status, "状态 status"),
        (ImportField.ConsentVersion, "同意书版本 consentversion"),
        (ImportField.ConsentAt, "同意时间 同意日期 consentat"),
        (ImportField.GuardianName, "监护人 监护人姓名 guardianname"),
        (ImportField.GuardianPhone, "监护人电话 监护人手机号 guardianphone"),
        (ImportField.GuardianRelation, "与监护人关系 监护关系 guardianrelation"),
        (ImportField.GuardianConsentVersion, "监护人同意书版本 guardianconsentversion"),
        (ImportField.GuardianConsentAt, "监护人同意时间 监护人同意日期 guardianconsentat"),
        (ImportField.IdentityNumber, "身份证号 身份证号码 公民身份号码 identitynumber"),
        (ImportField.Team, "服务队 team"),
        (ImportField.TeamRole, "队内角色 teamrole"));

    public static readonly FrozenDictionary<string, Gender> Genders = Table(
        (Gender.Male, "男 男性 male m"), (Gender.Female, "女 女性 female f"), (Gender.Other, "其他 other"));

    public static readonly FrozenDictionary<string, VolunteerStatus> Statuses = Table(
        (VolunteerStatus.Applied, "申请 申请中 applied"), (VolunteerStatus.Active, "在队 在册 正常 active"),
        (VolunteerStatus.Paused, "暂停 paused"), (VolunteerStatus.Left, "离队 退队 退出 left"));

    public static readonly FrozenDictionary<string, TeamRole> TeamRoles = Table(
        (TeamRole.Leader, "队长 leader"), (TeamRole.Core, "骨干 核心 核心成员 core"), (TeamRole.Member, "队员 成员 member"));

    public static string NameOf(ImportField field) => JsonNamingPolicy.CamelCase.ConvertName(field.ToString());

    public static IReadOnlyList<ImportColumn> Of(object?[] headings)
    {
        if (headings.Length > Most) throw RuleBreach.Malformed("too_many_columns", "", Most);
        var written = headings.Index().Select(heading => (heading.Index, Text: ImportRow.TextOf(heading.Item))).Where(heading => heading.Text.Length > 0).ToList();
        if (!written.Any(heading => Headings.ContainsKey(Plain(heading.Text)))) throw RuleBreach.Malformed("no_heading_row", "");

        var columns = new List<ImportColumn>(written.Count);
        foreach (var (index, text) in written)
        {
            if (!Headings.TryGetValue(Plain(text), out var field)) throw RuleBreach.Malformed("unknown_heading", "", Short(text));
            if (columns.Find(column => column.Field == field) is { } first) throw RuleBreach.Malformed("column_twice", "", Short(first.Heading), Short(text));
            columns.Add(new ImportColumn(index, field, text));
        }
        return columns;
    }

    public static string Plain(string word) =>
        string.Concat(word.Where(c => !char.IsWhiteSpace(c) && c is not ('_' or '*' or '＊'))).ToLowerInvariant();

    private static string Short(string text) => text.Length <= 50 ? text : text[..50] + "…";

    private static FrozenDictionary<string, T> Table<T>(params (T Value, string Words)[] rows) =>
        rows.SelectMany(row => row.Words.Split(' '), (row, word) => KeyValuePair.Create(word, row.Value)).ToFrozenDictionary();
}
