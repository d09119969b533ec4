using Volunteers.Platform;

namespace Volunteers.Features.Identity;

/// <summary>
/// Who must have a second factor, if the service is set up so: whoever grants rights to others. It is one setting for the whole
/// service, because one account may be administrator in several organizations and signs in once for all of them.
/// </summary>
internal static class SecondFactorRule
{
    public static bool IsOn(IConfiguration configuration) => configuration.GetValue("SignIn:RequireSecondFactorForAdministrators", false);

    public static bool Holds(Caller caller) => !caller.IsClient && (caller.IsOperator || caller.Grants.Any(grant => grant.Role == Role.Administrator));
}
