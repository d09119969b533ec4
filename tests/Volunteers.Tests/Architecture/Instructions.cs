using System.Reflection;
using System.Reflection.Emit;

namespace Volunteers.Tests.Architecture;

/// <summary>The instructions of a method's body, with those operands that have four bytes or fewer; numbers that are part of the instruction are operands, too.</summary>
internal static class Instructions
{
    private static readonly Dictionary<short, OpCode> OpCodeOf = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    public static IEnumerable<(OpCode OpCode, int Operand)> Of(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var opCode = OpCodeOf[code[at] == 0xFE ? (short)(0xFE00 | code[at + 1]) : code[at]];
            at += opCode.Size;
            var size = opCode.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
            yield return (opCode, size switch { 1 => (sbyte)code[at], 4 => BitConverter.ToInt32(code, at), _ => 0 });
            at += size;
        }
    }
}
