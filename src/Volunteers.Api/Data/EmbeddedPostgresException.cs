using Volunteers.Platform;

namespace Volunteers.Data;

/// <summary>The private PostgreSQL cannot run. The message is for a person and says what to do.</summary>
internal sealed class EmbeddedPostgresException(string message) : StartupRefused(message)
{
    /// <summary>Processes of an earlier run still hold the data folder; trying again in a moment may help.</summary>
    public bool MayPass { get; init; }
}
