using System.Text.Json.Nodes;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Changes;

/// <summary>
/// A copy of what one caller may see, kept as the README tells integrators to: an item counts only if its position is above
/// the one that is known of the thing, deleted ones included; and 410 begins anew.
/// </summary>
internal sealed class Phone(Api api, int limit = 50)
{
    private readonly Dictionary<(string Resource, string Id), (long Position, string? Value)> known = [];

    public string? Cursor { get; private set; }

    /// <summary>How often it was told to begin anew.</summary>
    public int Anew { get; private set; }

    public SortedDictionary<string, string> Copy =>
        new(known.Where(each => each.Value.Value is not null).ToDictionary(each => $"{each.Key.Resource} {each.Key.Id}", each => each.Value.Value!), StringComparer.Ordinal);

    public static async Task<SortedDictionary<string, string>> FreshCopy(Api api, int limit = 200)
    {
        var phone = new Phone(api, limit);
        await phone.Pull();
        return phone.Copy;
    }

    /// <summary>Without a cursor it begins, with nothing.</summary>
    public Task<Answer> Ask()
    {
        if (Cursor is null) known.Clear();
        return api.Get($"/changes?limit={limit}{(Cursor is null ? "" : $"&since={Cursor}")}");
    }

    /// <summary>What it was sent, in whatever order; goes on from there, unless it is far behind.</summary>
    public void Take(Answer answer, bool goOn = true)
    {
        foreach (var item in answer.Items) Take(item!);
        if (goOn) Cursor = (string)answer["next"]!;
    }

    /// <summary>Everything there is to have now; answers the items.</summary>
    public async Task<List<JsonNode>> Pull()
    {
        var taken = new List<JsonNode>();
        while (true)
        {
            var answer = await Ask();
            if (answer.Status == 410)
            {
                Forget();
                continue;
            }
            answer.ShouldBe(200);
            taken.AddRange(answer.Items.Select(item => item!));
            Take(answer);
            if (!(bool)answer["hasMore"]!) return taken;
        }
    }

    public void Forget()
    {
        known.Clear();
        Cursor = null;
        Anew++;
    }

    private void Take(JsonNode item)
    {
        var (key, position) = (((string)item["resource"]!, (string)item["id"]!), (long)item["position"]!);
        Assert.Equal((bool)item["deleted"]!, item["value"] is null);
        if (!known.TryGetValue(key, out var have) || position > have.Position) known[key] = (position, item["value"]?.ToJsonString());
    }
}
