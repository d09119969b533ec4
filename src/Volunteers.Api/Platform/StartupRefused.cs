namespace Volunteers.Platform;

/// <summary>The service cannot start as it is set up; the message says what to do, and is all that is printed.</summary>
internal class StartupRefused(string message) : Exception(message);
