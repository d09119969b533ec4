using Volunteers.Platform;

namespace Volunteers.Features.Volunteers;

/// <summary>
/// What stands for somebody who was forgotten, in one organization. Made at random: nothing leads from it to the person, nor
/// from one organization to another.
/// </summary>
internal sealed record Pseudonym(string Number, string Name)
{
    public static Pseudonym Make(string locale)
    {
        var code = TypedCode.Make(8);
        var word = Messages.TitleIn(Messages.Of(locale), "erased_volunteer");
        return new Pseudonym($"X-{code}", $"{word} {code}");
    }
}
