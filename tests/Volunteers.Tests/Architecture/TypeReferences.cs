using System.Reflection;
using System.Reflection.Emit;

namespace Volunteers.Tests.Architecture;

/// <summary>Which types of an assembly a type uses: in its signatures, its attributes and the instructions of its methods.</summary>
internal static class TypeReferences
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>The types of the same assembly, without itself. What is nested counts as its outermost type.</summary>
    public static IReadOnlySet<Type> Of(Type type)
    {
        var found = new HashSet<Type>();
        Visit(type, found);
        return found.Where(t => t.Assembly == type.Assembly).Select(Outermost).Where(t => t != type).ToHashSet();
    }

    private static void Visit(Type type, HashSet<Type> found)
    {
        Add(type.BaseType, found);
        foreach (var contract in type.GetInterfaces()) Add(contract, found);
        Attributes(type, found);
        foreach (var member in type.GetMembers(Everything))
        {
            Attributes(member, found);
            if (member is Type nested) Visit(nested, found);
            else Add(member, found);
            if (member is MethodBase method) Body(method, found);
        }
    }

    private static void Attributes(MemberInfo member, HashSet<Type> found)
    {
        foreach (var attribute in member.GetCustomAttributesData()) Add(attribute.AttributeType, found);
    }

    private static void Add(MemberInfo? member, HashSet<Type> found)
    {
        switch (member)
        {
            case Type type:
                if (type.HasElementType) Add(type.GetElementType(), found);
                else if (!type.IsGenericParameter && found.Add(type.IsGenericType ? type.GetGenericTypeDefinition() : type) | type.IsGenericType)
                    foreach (var argument in type.GetGenericArguments()) Add(argument, found);
                break;
            case FieldInfo field:
                Add(field.DeclaringType, found);
                Add(field.FieldType, found);
                break;
            case MethodBase method:
                Add(method.DeclaringType, found);
                foreach (var parameter in method.GetParameters()) Add(parameter.ParameterType, found);
                if (method is MethodInfo { ReturnType: var returned }) Add(returned, found);
                if (method.IsGenericMethod) foreach (var argument in method.GetGenericArguments()) Add(argument, found);
                break;
        }
    }

    private static void Body(MethodBase method, HashSet<Type> found)
    {
        if (method.GetMethodBody() is not { } body) return;
        foreach (var local in body.LocalVariables) Add(local.LocalType, found);
        foreach (var clause in body.ExceptionHandlingClauses.Where(clause => clause.Flags == ExceptionHandlingClauseOptions.Clause)) Add(clause.CatchType, found);

        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        foreach (var (opCode, operand) in Instructions.Of(body.GetILAsByteArray()!))
            if (opCode.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                Add(method.Module.ResolveMember(operand, typeArguments, methodArguments), found);
    }

    private static Type Outermost(Type type)
    {
        while (type.DeclaringType is { } outer) type = outer;
        return type;
    }
}
