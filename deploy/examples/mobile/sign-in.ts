// Signs somebody in as RFC 8252 says for apps: the system's browser shows the service's own page, the code comes back to a loopback address (on a
// phone: to volunteers://callback), and nobody but who began can redeem it (PKCE).
import { createHash, randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Tokens { access_token: string; refresh_token: string; expires_in: number }

/** Answers a function that always has a good token: one that is about to run out is renewed, once for all who wait. */
export async function signIn(service: string, open: (address: string) => void, client_id = 'volunteers-mobile'): Promise<() => Promise<string>> {
  const discovery = await fetch(new URL('/.well-known/openid-configuration', service));
  const { authorization_endpoint, token_endpoint } = await discovery.json() as Record<'authorization_endpoint' | 'token_endpoint', string>;
  const [code_verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('base64url')];
  const back = createServer().listen(0, '127.0.0.1');
  await once(back, 'listening');
  const redirect_uri = `http://127.0.0.1:${(back.address() as AddressInfo).port}/callback`;
  open(`${authorization_endpoint}?${new URLSearchParams({
    response_type: 'code', client_id, redirect_uri, state, scope: 'openid api offline_access',
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'), code_challenge_method: 'S256',
  })}`);

  const code = await comesBack();
  back.close();
  let [tokens, until] = await redeem({ grant_type: 'authorization_code', code, redirect_uri, code_verifier });
  let renewing: Promise<void> | undefined;
  return async () => {
    if (Date.now() > until) await (renewing ??= renew().finally(() => { renewing = undefined; }));
    return tokens.access_token;
  };

  async function comesBack(): Promise<string> {
    for await (const [request, response] of on(back, 'request') as AsyncIterable<[IncomingMessage, ServerResponse]>) {
      const answer = new URL(request.url ?? '/', redirect_uri).searchParams;
      const ours = answer.get('state') === state;
      response.writeHead(ours ? 200 : 404, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' }).end(ours ? 'Go back to the app. 请回到应用。' : '');
      if (!ours) continue;
      const [given, refused] = [answer.get('code'), answer.get('error')];
      if (given === null) throw new Error(`Not signed in: ${refused}`);
      return given;
    }
    throw new Error('Nobody came back.');
  }

  async function renew(): Promise<void> {
    [tokens, until] = await redeem({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  }

  async function redeem(fields: Record<string, string>): Promise<[Tokens, number]> {
    const answer = await fetch(token_endpoint, { method: 'POST', body: new URLSearchParams({ client_id, ...fields }) });
    if (!answer.ok) throw new Error(`No token: ${await answer.text()}`);
    const got = await answer.json() as Tokens;
    return [got, Date.now() + (got.expires_in - 30) * 1000];
  }
}
