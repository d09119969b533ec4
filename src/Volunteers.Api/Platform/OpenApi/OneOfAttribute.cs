namespace Volunteers.Platform.OpenApi;

/// <summary>A member that holds one of several views, each of which has its schema.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OneOfAttribute(params Type[] views) : Attribute
{
    public IReadOnlyList<Type> Views => views;
}
