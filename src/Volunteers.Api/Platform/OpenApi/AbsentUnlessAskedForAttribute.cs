namespace Volunteers.Platform.OpenApi;

/// <summary>A member that an answer has only where the request asked for it: the document does not promise it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AbsentUnlessAskedForAttribute : Attribute;
