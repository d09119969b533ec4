using System.Collections.Concurrent;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Volunteers.Features.Identity;
using Volunteers.Tests.Support;

namespace Volunteers.Tests.Features.Identity;

/// <summary>The real hasher, and what it was given to hash: each costs the same time.</summary>
internal sealed class CountingHasher : IPasswordHasher<Account>
{
    private readonly PasswordHasher<Account> hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = 1 }));

    /// <summary>What was held against a hash.</summary>
    public ConcurrentBag<string> Looked { get; } = [];

    /// <summary>What a new hash was made of.</summary>
    public ConcurrentBag<string> Made { get; } = [];

    public static ApiHost In(string connectionString, CountingHasher hasher) => new(connectionString)
    {
        Also = services => services.Replace(ServiceDescriptor.Scoped<IPasswordHasher<Account>>(_ => hasher)),
    };

    public string HashPassword(Account user, string password)
    {
        Made.Add(password);
        return hasher.HashPassword(user, password);
    }

    public PasswordVerificationResult VerifyHashedPassword(Account user, string hashedPassword, string providedPassword)
    {
        Looked.Add(providedPassword);
        return hasher.VerifyHashedPassword(user, hashedPassword, providedPassword);
    }
}
