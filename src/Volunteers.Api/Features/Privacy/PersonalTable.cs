namespace Volunteers.Features.Privacy;

/// <summary>
/// What one table keeps of people: how a person's rows are found, what of them the person is told, and what is left of them
/// when the person is erased. In its SQL <c>t</c> is a row, <c>person</c> lists the person's profiles as
/// (organization_id, volunteer_id), and <c>@account</c> is their account.
/// </summary>
internal sealed record PersonalTable(string Name)
{
    /// <summary>What its rows are called in an export; null when nobody is told any.</summary>
    public string? Kind { get; init; }

    /// <summary>Which rows are a person's.</summary>
    public string? Theirs { get; init; }

    /// <summary>Why no row is told to anybody.</summary>
    public string? Untold { get; init; }

    /// <summary>What a row says by id only, in words: further columns of the export.</summary>
    public string[] Also { get; init; } = [];

    /// <summary>Columns that are not told: they open something, or say nothing of the person.</summary>
    public string[] Secrets { get; init; } = [];

    /// <summary>
    /// Statements that forget a person in an organization: <c>@organization</c>, <c>@volunteer</c>, <c>@account</c> (null when they have
    /// none), <c>@name</c> and <c>@number</c> of the pseudonym, <c>@today</c>, and of the person <c>@names</c> and <c>@numbers</c>.
    /// </summary>
    public string[] Erase { get; init; } = [];

    /// <summary>Statements that forget an account, in the order of the tables.</summary>
    public string[] EraseAccount { get; init; } = [];

    /// <summary>Columns in which people write freely: who is erased is named there no longer.</summary>
    public string[] Texts { get; init; } = [];

    /// <summary>Its texts are bound by a hash: a row that names somebody goes, and is not written anew.</summary>
    public bool IsBound { get; init; }

    /// <summary>Columns that name things. Phones, document numbers and logins go from there; a person's name may be the thing's own.</summary>
    public string[] Labels { get; init; } = [];

    /// <summary>Columns whose texts are words, codes, settings and hashes by their kind: they name nobody.</summary>
    public string[] Words { get; init; } = [];

    /// <summary>Why none of its columns names anybody.</summary>
    public string? NamesNobody { get; init; }

    /// <summary>How its rows are forgotten where a statement cannot tell them.</summary>
    public string? ErasedBy { get; init; }
}
