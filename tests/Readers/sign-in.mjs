// Signs in with openid-client as an application would: discovery, authorization code and PKCE, the sign-in page, tokens, renewal, user info,
// signing out. Reads { issuer, clientId, clientSecret, redirectUri, postLogoutRedirectUri, login, password } from stdin and prints what it got, as JSON.
import * as client from 'openid-client';
import { json } from 'node:stream/consumers';

const input = await json(process.stdin);
const authentication = input.clientSecret ? client.ClientSecretPost(input.clientSecret) : client.None();
const config = await client.discovery(new URL(input.issuer), input.clientId, undefined, authentication, { execute: [client.allowInsecureRequests] });
client.enableNonRepudiationChecks(config);

// A browser without a window: it keeps cookies, follows redirects and fills in forms.
const cookies = new Map();
const unescape = text => text.replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replace(/&amp;/g, '&');

async function open(address, form) {
  for (let hops = 0; hops < 10; hops++) {
    if (!address.href.startsWith(input.issuer)) return { address };
    const response = await fetch(address, {
      method: form ? 'POST' : 'GET', body: form, redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      value ? cookies.set(name, value) : cookies.delete(name);
    }
    const location = response.headers.get('location');
    if (!location) return { address, html: await response.text() };
    [address, form] = [new URL(location, address), undefined];
  }
  throw new Error('redirected in circles');
}

function submit(page, fields) {
  const [, action, content] = page.html.match(/<form method="post" action="([^"]*)">(.*?)<\/form>/s);
  const form = new URLSearchParams();
  for (const [tag] of content.matchAll(/<input[^>]*>/g)) form.set(unescape(tag.match(/name="([^"]*)"/)[1]), unescape(tag.match(/value="([^"]*)"/)[1]));
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return open(new URL(unescape(action), page.address), form);
}

async function authorize(extra) {
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: input.redirectUri, scope: 'openid profile api offline_access', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
  });
  return { address, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } };
}

const first = await authorize({ max_age: '600' });
let page = await open(first.address);
page = await submit(page, { login: input.login, password: input.password });
const asked = page.html !== undefined;
if (asked) page = await submit(page, { decision: 'allow' });
const tokens = await client.authorizationCodeGrant(config, page.address, { ...first.checks, maxAge: 600 });
const claims = tokens.claims();

const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const info = await client.fetchUserInfo(config, renewed.access_token, claims.sub);
const me = await (await client.fetchProtectedResource(config, renewed.access_token, new URL('/v1/me', input.issuer), 'GET')).json();

const silent = await authorize({ prompt: 'none' });
const again = await client.authorizationCodeGrant(config, (await open(silent.address)).address, silent.checks);
await client.tokenRevocation(config, again.refresh_token);
const replay = await client.refreshTokenGrant(config, again.refresh_token).catch(refused => refused.error);

const leaving = await open(client.buildEndSessionUrl(config, { post_logout_redirect_uri: input.postLogoutRedirectUri, id_token_hint: renewed.id_token, state: 'bye' }));
const left = await submit(leaving, { decision: 'signOut' });
const after = await authorize({ prompt: 'none' });
const signedOut = await client.authorizationCodeGrant(config, (await open(after.address)).address, after.checks).catch(refused => refused.error);

console.log(JSON.stringify({
  asked, subject: claims.sub, name: claims.name, signedInFor: Math.round(Date.now() / 1000 - claims.auth_time), sameSubject: renewed.claims().sub === claims.sub, info,
  login: me.login, again: again.claims().sub, replay, left: left.address.href, signedOut,
}));
