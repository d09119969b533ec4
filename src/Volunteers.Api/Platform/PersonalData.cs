using Microsoft.Extensions.Options;

namespace Volunteers.Platform;

/// <summary>
/// The keys of personal data that is kept sealed. They live outside the database, so that a copy of it opens nothing. None of
/// them, and what needs them answers that it is not set up; everything else runs.
/// </summary>
internal sealed class PersonalData
{
    /// <summary>By their ids, base64 of 32 bytes: every key that anything is still sealed with.</summary>
    public Dictionary<string, string> Keys { get; init; } = [];

    /// <summary>The id of the key with which things are sealed from now on.</summary>
    public string? CurrentKey { get; init; }

    /// <summary>Base64 of 32 bytes: what is compared without being opened is hashed with it.</summary>
    public string? HashKey { get; init; }

    /// <summary>The hash key before, while what was hashed with it is still to be found.</summary>
    public string? PreviousHashKey { get; init; }

    public bool IsEmpty => Keys.Values.All(string.IsNullOrEmpty) && string.IsNullOrEmpty(CurrentKey) && string.IsNullOrEmpty(HashKey);

    /// <summary>Null for what is not set.</summary>
    public static byte[]? Read(string? key) => string.IsNullOrEmpty(key) ? null : Convert.FromBase64String(key);

    /// <summary>Half a set of keys is a mistake that must not wait for the first request. No message says any part of a key.</summary>
    internal sealed class Check : IValidateOptions<PersonalData>
    {
        public ValidateOptionsResult Validate(string? name, PersonalData options)
        {
            if (options.IsEmpty) return ValidateOptionsResult.Success;
            foreach (var (id, key) in options.Keys)
            {
                if (id.Length > 50) return ValidateOptionsResult.Fail("PersonalData:Keys: an id has at most 50 characters.");
                if (!string.IsNullOrEmpty(key) && !IsKey(key)) return ValidateOptionsResult.Fail($"PersonalData:Keys:{id} is not base64 of 32 bytes.");
            }
            if (options.CurrentKey is not { Length: > 0 } current || !options.Keys.Any(key => Same(key.Key, current) && key.Value.Length > 0))
                return ValidateOptionsResult.Fail("PersonalData:CurrentKey must be the id of one of PersonalData:Keys.");
            if (!IsKey(options.HashKey)) return ValidateOptionsResult.Fail("PersonalData:HashKey must be set, to base64 of 32 bytes.");
            return string.IsNullOrEmpty(options.PreviousHashKey) || IsKey(options.PreviousHashKey)
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail("PersonalData:PreviousHashKey is not base64 of 32 bytes.");
        }

        private static bool IsKey(string? text)
        {
            Span<byte> bytes = stackalloc byte[64];
            return text is not null && Convert.TryFromBase64String(text, bytes, out var length) && length == PersonalSeal.KeyBytes;
        }

        private static bool Same(string id, string other) => string.Equals(id, other, StringComparison.OrdinalIgnoreCase);
    }
}

internal static class PersonalDataSetup
{
    public static void AddPersonalData(this IServiceCollection services)
    {
        services.AddOptions<PersonalData>().BindConfiguration(nameof(PersonalData)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<PersonalData>, PersonalData.Check>();
        services.AddSingleton<PersonalSeal>();
    }
}
