using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Volunteers.Tests.Support;
using Xunit;

namespace Volunteers.Tests.Features.Identity;

/// <summary>An OpenID Connect server that is not ours, in a process of its own (tests/Readers/authority.mjs).</summary>
public sealed class OtherAuthority : IAsyncDisposable
{
    public const string ClientId = "volunteers";
    public const string ClientSecret = "what the authority gave us: +/%&";

    private readonly Process process;
    private readonly StringBuilder said = new();

    private OtherAuthority(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) => said.AppendLine(line.Data);
        process.BeginErrorReadLine();
    }

    public string Issuer { get; private set; } = "";

    public static async Task<OtherAuthority> Start()
    {
        var authority = new OtherAuthority(await NodeReader.Start("authority.mjs"));
        authority.Issuer = (string)(await authority.Tell(new { listen = true }))["issuer"]!;
        return authority;
    }

    /// <summary>Knows this service, and of each person what it says of them.</summary>
    public Task<JsonNode> Knows(string redirectUri, object accounts) => Tell(new
    {
        clients = new[] { new { client_id = ClientId, client_secret = ClientSecret, redirect_uris = new[] { redirectUri } } }, accounts,
    });

    /// <summary>From now on it answers falsely, in this way.</summary>
    public Task<JsonNode> Lies(string? how) => Tell(new { lie = how });

    /// <summary>Takes it off the network.</summary>
    public Task<JsonNode> Close() => Tell(new { close = true });

    private async Task<JsonNode> Tell(object command)
    {
        var ct = TestContext.Current.CancellationToken;
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(command).AsMemory(), ct);
        await process.StandardInput.FlushAsync(ct);
        var answer = await process.StandardOutput.ReadLineAsync(ct);
        Assert.True(answer is not null, said.ToString());
        return JsonNode.Parse(answer)!;
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
        }
        process.Dispose();
    }
}

/// <summary>A browser at the authority's own pages: it signs in and consents there, and stops where it is sent back.</summary>
public sealed partial class AuthorityBrowser(string issuer) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });

    /// <summary>Whether it was asked who it is the last time.</summary>
    public bool WasAsked { get; private set; }

    /// <summary>Where the authority sends the browser, once it has signed in as this person.</summary>
    public async Task<Uri> SignIn(Uri address, string person)
    {
        WasAsked = false;
        var (page, at) = await Go(HttpMethod.Get, address, null);
        while (page is not null)
        {
            var form = Form().Match(page);
            Assert.True(form.Success, page);
            WasAsked |= page.Contains("name=\"login\"", StringComparison.Ordinal);
            var fields = new Dictionary<string, string> { ["prompt"] = Prompt().Match(page).Groups[1].Value, ["login"] = person, ["password"] = "whatever" };
            (page, at) = await Go(HttpMethod.Post, new Uri(at, WebUtility.HtmlDecode(form.Groups[1].Value)), new FormUrlEncodedContent(fields));
        }
        return at;
    }

    /// <summary>Where the authority sends the browser of somebody who thinks better of it.</summary>
    public async Task<Uri> Cancel(Uri address)
    {
        var (page, at) = await Go(HttpMethod.Get, address, null);
        var (_, back) = await Go(HttpMethod.Get, new Uri(at, WebUtility.HtmlDecode(Abort().Match(page!).Groups[1].Value)), null);
        return back;
    }

    private async Task<(string? Page, Uri At)> Go(HttpMethod method, Uri address, HttpContent? content)
    {
        while (address.AbsoluteUri.StartsWith(issuer, StringComparison.Ordinal))
        {
            using var request = new HttpRequestMessage(method, address) { Content = content };
            using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            if (response.Headers.Location is not { } location)
            {
                Assert.True(response.IsSuccessStatusCode, text);
                return (text, address);
            }
            (method, address, content) = (HttpMethod.Get, new Uri(address, location), null);
        }
        return (null, address);
    }

    public void Dispose() => http.Dispose();

    [GeneratedRegex("<form[^>]*action=\"([^\"]*)\"")]
    private static partial Regex Form();

    [GeneratedRegex("name=\"prompt\" value=\"([^\"]*)\"")]
    private static partial Regex Prompt();

    [GeneratedRegex("href=\"([^\"]*/abort)\"")]
    private static partial Regex Abort();
}
