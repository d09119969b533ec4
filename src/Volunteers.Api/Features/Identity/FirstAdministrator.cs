using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Volunteers.Data;
using Volunteers.Platform;
using Volunteers.Platform.Audit;

namespace Volunteers.Features.Identity;

/// <summary>
/// The account with which everything begins: the platform's operator, and administrator of what is seeded. From
/// configuration; in Development with nothing configured, made up once and kept in the data folder.
/// </summary>
internal static class FirstAdministrator
{
    public const string DevelopmentLogin = "admin@localhost";

    /// <summary>Makes the account unless it is there; null when none is configured.</summary>
    /// <exception cref="StartupRefused">The configured login or password cannot be one.</exception>
    public static async Task<Account?> Ensure(IServiceProvider services, string? loginText, string? password, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(loginText) || string.IsNullOrEmpty(password)) return null;
        var login = Login.Parse(loginText) ?? throw new StartupRefused("Bootstrap:AdminLogin is neither an e-mail address nor a phone number.");

        var accounts = services.GetRequiredService<UserManager<Account>>();
        if (await accounts.FindByNameAsync(login.Value) is { } there) return there;

        var account = new Account(login, "Administrator", services.GetRequiredService<TimeProvider>().GetUtcNow());
        account.MakeOperator();
        var db = services.GetRequiredService<VolunteersDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var notes = new AuditNotes();
        using (notes.Watch(db))
        {
            var made = await accounts.CreateAsync(account, password);
            if (!made.Succeeded) throw new StartupRefused("Bootstrap:AdminPassword is refused: " + string.Join(' ', made.Errors.Select(error => error.Description)));
        }
        await db.LeaveTrace(notes, "bootstrap", Guid.Empty, account.CreatedAt, ct);
        await transaction.CommitAsync(ct);
        return account;
    }

    /// <summary>The password of <see cref="DevelopmentLogin"/>, made at the first start; readable by its owner only.</summary>
    public static async Task<string> DevelopmentPassword(string dataDirectory, CancellationToken ct)
    {
        var file = Path.Combine(dataDirectory, "admin-password");
        if (File.Exists(file)) return (await File.ReadAllTextAsync(file, ct)).Trim();

        var password = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var stream = new StreamWriter(file, options);
        await stream.WriteLineAsync(password);
        return password;
    }
}
