using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Volunteers.Platform;

namespace Volunteers.Tests.Architecture;

/// <summary>
/// Which refusals the code of a handler can come to: every <see cref="RuleBreach"/> with a code written out, in the methods of the service that it
/// calls, directly or not, and every constraint that has a text, of the entities whose members they set or that they remove. Follows async methods,
/// lambdas, what binds the handler's parameters, and what implements an interface or overrides a method of the service.
/// </summary>
internal static class ReachableCodes
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Assembly Service = typeof(RuleBreach).Assembly;
    private static readonly Type[] Types = Service.GetTypes();
    private static readonly Dictionary<MethodBase, Found> Bodies = [];

    /// <summary>Of every operation, by its name.</summary>
    public static IReadOnlyDictionary<string, SortedDictionary<int, string[]>> OfAll(EndpointDataSource endpoints, IModel model) => endpoints.Endpoints
        .Where(endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>() is not null && endpoint.Metadata.OfType<MethodInfo>().Any())
        .ToDictionary(endpoint => endpoint.Metadata.GetRequiredMetadata<IEndpointNameMetadata>().EndpointName, endpoint => new SortedDictionary<int, string[]>(
            Of(endpoint.Metadata.OfType<MethodInfo>().Last(), endpoint.Metadata.GetRequiredMetadata<IHttpMethodMetadata>().HttpMethods[0], model).GroupBy(refusal => refusal.Status, refusal => refusal.Code)
                .ToDictionary(codes => codes.Key, codes => codes.Order(StringComparer.Ordinal).ToArray())))
        .Where(codes => codes.Value.Count > 0).ToDictionary();

    private static HashSet<(int Status, string Code)> Of(MethodInfo handler, string httpMethod, IModel model)
    {
        var binding = handler.GetParameters().Select(parameter => parameter.ParameterType.GetMethod("BindAsync", Everything)).OfType<MethodInfo>();
        var (codes, seen, next) = (new HashSet<(int, string)>(), new HashSet<MethodBase> { handler }, new Stack<MethodBase>(binding.Append(handler)));
        while (next.TryPop(out var method))
        {
            var found = In(method);
            codes.UnionWith(found.Codes);
            // Who reads only keeps nothing.
            if (!HttpMethods.IsGet(httpMethod))
            {
                codes.UnionWith(found.Sets.SelectMany(set => BrokenBySetting(model, set)));
                if (HttpMethods.IsDelete(httpMethod)) codes.UnionWith(found.Removes.SelectMany(removed => BrokenByRemoving(model, removed)));
            }
            foreach (var called in found.Calls)
                if (seen.Add(called)) next.Push(called);
        }
        return codes;
    }

    /// <summary>A name taken; something else that is not there.</summary>
    private static IEnumerable<(int, string)> BrokenBySetting(IModel model, PropertyInfo property)
    {
        if (model.FindEntityType(property.DeclaringType!) is not { } entity) yield break;
        foreach (var index in entity.GetIndexes().Where(index => index.IsUnique && index.Properties.Any(p => p.PropertyInfo?.Name == property.Name) && Messages.Has(index.GetDatabaseName()!)))
            yield return (StatusCodes.Status409Conflict, index.GetDatabaseName()!);
        foreach (var check in entity.GetCheckConstraints().Where(check => Messages.Has(check.Name!) && entity.FindProperty(property.Name) is { } own && check.Sql.Contains(own.GetColumnName(), StringComparison.Ordinal)))
            yield return (StatusCodes.Status409Conflict, check.Name!);
        if (entity.FindPrimaryKey()?.GetName() is { } primary && Messages.Has(primary)) yield return (StatusCodes.Status409Conflict, primary);
        foreach (var key in entity.GetForeignKeys().Where(key => key.Properties.Any(p => p.PropertyInfo?.Name == property.Name && p.Name != "OrganizationId") && Messages.Has(key.GetConstraintName()!)))
            yield return (StatusCodes.Status404NotFound, key.GetConstraintName()!);
    }

    /// <summary>Something else still needs it.</summary>
    private static IEnumerable<(int, string)> BrokenByRemoving(IModel model, Type removed) =>
        (model.FindEntityType(removed)?.GetReferencingForeignKeys() ?? [])
            .Select(key => key.GetConstraintName()!.Replace("_not_found", "_in_use", StringComparison.Ordinal)).Where(Messages.Has).Select(code => (StatusCodes.Status409Conflict, code));

    private static Found In(MethodBase method)
    {
        lock (Bodies) return Bodies.TryGetValue(method, out var known) ? known : Bodies[method] = Read(method);
    }

    private static Found Read(MethodBase method)
    {
        var found = new Found([], [], [], []);
        if (method.GetCustomAttribute<StateMachineAttribute>() is { StateMachineType: var machine })
            found.Calls.AddRange(machine.GetMethods(Everything).Where(m => m.Name == "MoveNext"));
        if (method.IsVirtual && !method.IsFinal) found.Calls.AddRange(Overrides(method));
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code) return found;

        var (texts, number) = (new List<string>(), 0);
        foreach (var (opCode, operand) in Instructions.Of(code))
        {
            if (opCode == OpCodes.Ldstr) texts.Add(method.Module.ResolveString(operand));
            else if (opCode == OpCodes.Ldc_I4) number = operand;
            else if (opCode.OperandType is OperandType.InlineMethod or OperandType.InlineTok && Resolve(method, operand) is { } called)
            {
                if (called is MethodInfo { IsGenericMethod: true, Name: "Remove" or "RemoveRange" or "DeleteNoted" or "ExecuteDeleteAsync" } remove) found.Removes.AddRange(remove.GetGenericArguments());
                if (called is MethodInfo { IsSpecialName: true } setter && setter.DeclaringType?.Assembly == Service && called.Name.StartsWith("set_", StringComparison.Ordinal) && setter.DeclaringType?.GetProperty(called.Name[4..], Everything) is { } set) found.Sets.Add(set);
                if (called is ConstructorInfo { DeclaringType: { IsGenericType: false } answer } && answer.Assembly == Service && answer.IsAssignableTo(typeof(IResult)))
                    found.Calls.AddRange(answer.GetMethods(Everything).Where(own => own.Name.EndsWith(nameof(IResult.ExecuteAsync), StringComparison.Ordinal)));
                if (Definition(called).DeclaringType is { } type && type.IsAssignableTo(typeof(RuleBreach)) && called is ConstructorInfo or { IsStatic: true } && StatusOf(called, number) is { } status)
                {
                    foreach (var text in texts.Where(IsCode)) found.Codes.Add((status, text));
                    if (type == typeof(BatchRefused)) found.Codes.Add((StatusCodes.Status409Conflict, "batch_refused"));
                    texts.Clear();
                }
                else if (called.DeclaringType == typeof(Problems) && called.GetParameters() is [.., { ParameterType: var last }, { Name: "code" }, _] && last == typeof(int))
                {
                    foreach (var text in texts.Where(IsCode)) found.Codes.Add((number, text));
                    texts.Clear();
                }
                else if (called.DeclaringType?.Assembly == Service && called.GetParameters().Any(parameter => parameter.Name == "refusal"))
                {
                    // Who throws it is told which.
                    foreach (var text in texts.Where(IsCode)) found.Codes.Add((StatusCodes.Status409Conflict, text));
                    found.Calls.Add(Definition(called));
                    texts.Clear();
                }
                else if (called.DeclaringType?.Assembly == Service && called.DeclaringType != typeof(RuleBreach)) found.Calls.Add(Definition(called));
            }
        }
        return found;
    }

    private static bool IsCode(string text) => text.Length > 2 && text.All(c => c is (>= 'a' and <= 'z') or '_') && Messages.Has(text);

    private static int? StatusOf(MethodBase made, int number) => made switch
    {
        ConstructorInfo => StatusCodes.Status409Conflict,
        { Name: nameof(RuleBreach.NotFound) } => StatusCodes.Status404NotFound,
        { Name: nameof(RuleBreach.Forbidden) } => StatusCodes.Status403Forbidden,
        { Name: nameof(RuleBreach.Malformed) } => StatusCodes.Status400BadRequest,
        { Name: nameof(RuleBreach.TooMany) } => StatusCodes.Status429TooManyRequests,
        { Name: nameof(RuleBreach.Precondition) } => number,
        _ => null,
    };

    private static MethodBase? Resolve(MethodBase within, int token)
    {
        var typeArguments = within.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        return within.Module.ResolveMember(token, typeArguments, within.IsGenericMethod ? within.GetGenericArguments() : null) as MethodBase;
    }

    /// <summary>Without type arguments, so that a method is read once.</summary>
    private static MethodBase Definition(MethodBase method)
    {
        if (method is MethodInfo { IsGenericMethod: true } generic) method = generic.GetGenericMethodDefinition();
        return method.DeclaringType is { IsGenericType: true, IsGenericTypeDefinition: false } type
            ? MethodBase.GetMethodFromHandle(method.MethodHandle, type.GetGenericTypeDefinition().TypeHandle) ?? method : method;
    }

    private static IEnumerable<MethodBase> Overrides(MethodBase method)
    {
        var declaring = method.DeclaringType!;
        if (declaring.IsInterface)
        {
            foreach (var type in Types.Where(type => type is { IsInterface: false, IsGenericTypeDefinition: false } && type.IsAssignableTo(declaring)))
            {
                var map = type.GetInterfaceMap(declaring);
                if (Array.IndexOf(map.InterfaceMethods, method) is >= 0 and var at) yield return map.TargetMethods[at];
            }
            yield break;
        }
        foreach (var type in Types.Where(type => type.IsSubclassOf(declaring)))
            foreach (var own in type.GetMethods(Everything).Where(own => own.IsVirtual && own.Name == method.Name && own.GetBaseDefinition() == ((MethodInfo)method).GetBaseDefinition()))
                yield return own;
    }

    private sealed record Found(HashSet<(int Status, string Code)> Codes, List<MethodBase> Calls, List<PropertyInfo> Sets, List<Type> Removes);
}
