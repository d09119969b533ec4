using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Volunteers.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Volunteers.Features.Identity;

/// <summary>Whom an authority vouches for; everything in it was checked against the authority's keys.</summary>
/// <param name="Issuer">Who vouches.</param>
/// <param name="Subject">Whom it means, for ever.</param>
/// <param name="Login">What it has verified and we would know the person by, if it says so.</param>
internal sealed record ExternalPerson(string Issuer, string Subject, Login? Login)
{
    /// <summary>Null for an identity that cannot be kept.</summary>
    public static ExternalPerson? Of(ClaimsPrincipal identityToken, ClaimsPrincipal all, LinkClaim linkBy) =>
        Only(identityToken, Claims.Issuer) is { Length: > 0 and <= 500 } issuer && Only(identityToken, Claims.Subject) is { Length: > 0 and <= 255 } subject
        && !subject.Contains('\0', StringComparison.Ordinal)
            ? new ExternalPerson(issuer, subject, LoginOf(all, linkBy))
            : null;

    private static Login? LoginOf(ClaimsPrincipal all, LinkClaim linkBy) => linkBy switch
    {
        LinkClaim.Email => Verified(all, Claims.Email, Claims.EmailVerified) is { IsEmail: true } login ? login : null,
        // With its country code: what is a mobile here is somebody else's number elsewhere.
        LinkClaim.PhoneNumber when Only(all, Claims.PhoneNumber)?.StartsWith('+') == true => Verified(all, Claims.PhoneNumber, Claims.PhoneNumberVerified),
        _ => null,
    };

    /// <summary>Where identity token and user info contradict each other, nothing is verified.</summary>
    private static Login? Verified(ClaimsPrincipal all, string claim, string verified) =>
        string.Equals(Only(all, verified), "true", StringComparison.OrdinalIgnoreCase) ? Identity.Login.Parse(Only(all, claim)) : null;

    private static string? Only(ClaimsPrincipal principal, string claim) => principal.FindAll(claim).Select(found => found.Value).Distinct().ToArray() is [var only] ? only : null;
}

/// <summary>How a sign-in at an external authority ended here.</summary>
internal abstract record ExternalOutcome
{
    public sealed record Accepted(Account Account) : ExternalOutcome;

    /// <summary>It is this account, which has a second factor: the authority does not stand in for that.</summary>
    public sealed record SecondFactorNeeded(Account Account) : ExternalOutcome;

    /// <summary>Not linked, and the authority says nothing verified that an account could be found by.</summary>
    public sealed record NothingVerified : ExternalOutcome;

    /// <summary>Not linked, and nobody has the verified address as their login.</summary>
    public sealed record Unknown : ExternalOutcome;

    /// <summary>Their account is linked to somebody else at this authority, so the address has changed hands.</summary>
    public sealed record LinkedToAnother : ExternalOutcome;
}

/// <summary>Whose account it is that somebody signs in to at an external authority; links the two, the first time.</summary>
internal sealed class ExternalSignInCheck(UserManager<Account> accounts, SecondFactorCheck secondFactors, SignInTrail trail, VolunteersDb db, TimeProvider clock)
{
    public async Task<ExternalOutcome> SignIn(ExternalPerson person, CancellationToken ct)
    {
        if (await AccountOf(person, ct) is { } linked) return await Found(linked, ct);
        if (person.Login is not { } login) return new ExternalOutcome.NothingVerified();
        if (await accounts.FindByNameAsync(login.Value) is not { } account) return new ExternalOutcome.Unknown();

        await Insert(account.Id, person, ct);
        if (await AccountOf(person, ct) is { } now) return await Found(now, ct);
        trail.Refused(account.Id, "external_taken");
        return new ExternalOutcome.LinkedToAnother();
    }

    /// <summary>True once they are linked, since now or before; false where either of them is linked otherwise.</summary>
    public async Task<bool> Link(Guid accountId, ExternalPerson person, CancellationToken ct)
    {
        await Insert(accountId, person, ct);
        return (await AccountOf(person, ct))?.Id == accountId;
    }

    /// <summary>One person for one account, and one account for one person: the unique indexes decide, whoever comes at the same moment.</summary>
    private async Task Insert(Guid accountId, ExternalPerson person, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var linked = await db.Database.ExecuteSqlAsync(
            $"""
             insert into external_sign_ins (id, account_id, issuer, subject, linked_at)
             values ({id}, {accountId}, {person.Issuer}, {person.Subject}, {now}) on conflict do nothing
             """, ct);
        if (linked == 1) await trail.Changed(db, "linkExternalSignIn", accountId, ct, ("externalSignIn", id.ToString()));
        await transaction.CommitAsync(CancellationToken.None);
    }

    private Task<Account?> AccountOf(ExternalPerson person, CancellationToken ct) => db.Users.AsNoTracking()
        .SingleOrDefaultAsync(account => db.ExternalSignIns.Any(link => link.AccountId == account.Id && link.Issuer == person.Issuer && link.Subject == person.Subject), ct);

    private async Task<ExternalOutcome> Found(Account account, CancellationToken ct)
    {
        if (await secondFactors.IsOn(account.Id, ct)) return new ExternalOutcome.SecondFactorNeeded(account);
        await trail.Succeeded(account.Id, ct);
        return new ExternalOutcome.Accepted(account);
    }
}
