using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using Volunteers.Features.Identity;
using Volunteers.Platform;

namespace Volunteers.Features.Privacy;

/// <summary>What is kept sealed for a short while and may be about a person: answers kept for a repeat, and messages that are on their way.</summary>
internal sealed class StoredAnswers(VolunteersDb db, IDataProtectionProvider protection)
{
    private const int AtOnce = 500;

    /// <summary>
    /// Takes away every answer of an organization (all zeros: above organizations) that shows the person. The key stays, so that a
    /// repeat has no second effect; it is answered with 410. A key that itself says who they are goes.
    /// </summary>
    public async Task Forget(Guid organizationId, Guid?[] ids, PersonValues values, CancellationToken ct)
    {
        string[] signs = [.. ids.OfType<Guid>().Select(id => id.ToString()), .. values.Literal, .. values.Phones];
        var (after, callerAfter) = ("", Guid.Empty);
        while (true)
        {
            var records = await db.Set<IdempotencyRecord>().FromSql(
                $"""
                 select * from idempotency_keys where organization_id = {organizationId} and (caller_id, key) > ({callerAfter}, {after})
                 order by caller_id, key limit {AtOnce}
                 """).AsNoTracking().ToListAsync(ct);
            foreach (var record in records)
                if (values.WithoutThem(record.Key) != record.Key) await Delete(record, ct);
                else if (record.Body is { } body && Shows(body, record.Headers!, signs)) await Empty(record, ct);
            if (records.Count < AtOnce) return;
            (callerAfter, after) = (records[^1].CallerId, records[^1].Key);
        }
    }

    /// <summary>Messages asked for with this login.</summary>
    public async Task ForgetMessages(Account account, CancellationToken ct)
    {
        foreach (var message in await db.ResetMessages.AsNoTracking().ToListAsync(ct))
            if (Login.Parse(Read(message))?.Value == account.UserName) await db.ResetMessages.Where(m => m.Id == message.Id).ExecuteDeleteAsync(ct);
    }

    private string? Read(ResetMessage message)
    {
        try
        {
            return message.LoginOf(protection);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private bool Shows(byte[] sealedBody, string headers, string[] signs)
    {
        byte[] body;
        try
        {
            body = IdempotencyKey.Protector(protection).Unprotect(sealedBody);
        }
        catch (CryptographicException)
        {
            // What nobody can open may be about anybody.
            return true;
        }
        var text = headers + "\n" + Unescaped(Encoding.UTF8.GetString(body));
        return signs.Any(sign => text.Contains(sign, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>JSON may write any character as \uXXXX.</summary>
    private static string Unescaped(string text)
    {
        if (!text.Contains("\\u", StringComparison.Ordinal)) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '\\' && i + 5 < text.Length && text[i + 1] == 'u' && ushort.TryParse(text.AsSpan(i + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                plain.Append((char)code);
                i += 5;
            }
            else plain.Append(text[i]);
        return plain.ToString();
    }

    private Task<int> Delete(IdempotencyRecord record, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"delete from idempotency_keys where organization_id = {record.OrganizationId} and caller_id = {record.CallerId} and key = {record.Key}", ct);

    private Task<int> Empty(IdempotencyRecord record, CancellationToken ct) => db.Database.ExecuteSqlAsync(
        $"""
         update idempotency_keys set headers = null, body = null
         where organization_id = {record.OrganizationId} and caller_id = {record.CallerId} and key = {record.Key}
         """, ct);
}
