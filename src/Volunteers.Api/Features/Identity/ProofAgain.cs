using OpenIddict.Abstractions;
using Volunteers.Data;
using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// Asks a caller who is signed in once more who they are, before something that a found phone must not do. Failures count for the
/// session that the request came with: whoever stole it gets no more guesses, and shuts out nobody else.
/// </summary>
internal sealed class ProofAgain(PasswordCheck passwords, SecondFactorCheck secondFactors, Lockout lockout, SignInTrail trail, VolunteersDb db)
{
    /// <exception cref="RuleBreach">409: it is not the password. 429: too many failures.</exception>
    public Task Password(HttpContext http, Account account, string? password, CancellationToken ct) =>
        Prove(http, account.Id, "wrong_password", () => passwords.IsRight(account, password, ct), ct);

    /// <exception cref="RuleBreach">409: it is not a code that is good now. 429: too many failures.</exception>
    public Task Code(HttpContext http, Guid accountId, string code, CancellationToken ct) =>
        Prove(http, accountId, "wrong_code", () => secondFactors.Use(accountId, code, ct), ct);

    /// <summary>By a code when one is given, else by the password.</summary>
    public async Task Either(HttpContext http, Guid accountId, string? password, string? code, CancellationToken ct)
    {
        if (code is not null) await Code(http, accountId, code, ct);
        else await Password(http, await db.SignedIn(accountId, ct), password, ct);
    }

    private async Task Prove(HttpContext http, Guid accountId, string refusal, Func<Task<bool>> isProven, CancellationToken ct)
    {
        var source = AttemptSource.Session(http.User.GetAuthorizationId() ?? http.User.GetTokenId()!);
        if (!await lockout.Enter(accountId, source, ct)) throw Traced(RuleBreach.TooMany("too_many_attempts", await lockout.WaitOf(accountId, source, ct)));
        if (!await isProven()) throw Traced(new RuleBreach(refusal));
        await lockout.Forget(accountId, source, ct);

        RuleBreach Traced(RuleBreach breach)
        {
            trail.Refused(accountId, breach.Code, http.GetEndpoint()!.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName);
            return breach;
        }
    }
}
