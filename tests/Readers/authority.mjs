// An OpenID Connect authority that is not ours: oidc-provider with its own pages. Takes one JSON command in each line of stdin and answers each with
// one line: { listen } → { issuer }; { clients, accounts } sets it up; { lie } has it answer falsely from now on; { close } takes it off the network.
// Ends with stdin.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair, decodeJwt, SignJWT, UnsecuredJWT } from 'jose';
import { Provider } from 'oidc-provider';

// What the library has to say is no answer.
console.info = console.warn = console.error;

const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const stranger = await generateKeyPair('RS256');
const server = createServer((request, response) => handle(request, response));
let [handle, issuer, lie] = [(request, response) => response.writeHead(404).end(), '', null];

const signed = (claims, key = privateKey) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'its-key' }).sign(key);
const lies = {
  unsigned: claims => new UnsecuredJWT(claims).encode(),
  strangersKey: claims => signed(claims, stranger.privateKey),
  nonce: claims => signed({ ...claims, nonce: 'another' }),
  noNonce: ({ nonce, ...claims }) => signed(claims),
  issuer: claims => signed({ ...claims, iss: 'https://elsewhere.example.org' }),
  audience: claims => signed({ ...claims, aud: 'another' }),
  expired: claims => signed({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }),
};

const commands = {
  listen: () => new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve({ issuer: issuer = `http://127.0.0.1:${server.address().port}` }))),
  async clients({ clients, accounts }) {
    const provider = new Provider(issuer, {
      clients,
      jwks: { keys: [{ ...await exportJWK(privateKey), kid: 'its-key', alg: 'RS256', use: 'sig' }] },
      cookies: { keys: ['of these tests'] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], phone: ['phone_number', 'phone_number_verified'] },
      pkce: { required: () => true },
      // So that the tests see what is asked, and can change it on the way.
      features: { pushedAuthorizationRequests: { enabled: false } },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts[sub] }) }),
    });
    provider.use(async (context, next) => {
      await next();
      const route = context.oidc?.route;
      if (lies[lie] && route === 'token' && context.body?.id_token) context.body.id_token = await lies[lie](decodeJwt(context.body.id_token));
      if (lie === 'userInfo' && route === 'userinfo') context.body = { ...context.body, sub: 'another' };
      if (lie === 'metadata' && route === 'discovery') context.body = { ...context.body, issuer: 'https://elsewhere.example.org' };
      if (lie === 'broken' && route === 'token') [context.status, context.body] = [500, 'out of order'];
    });
    handle = provider.callback();
    return {};
  },
  lie: command => ({ lie: lie = command.lie }),
  close: () => new Promise(resolve => { server.close(() => resolve({})); server.closeAllConnections(); }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const name = Object.keys(commands).find(known => known in command);
  console.log(JSON.stringify(await commands[name](command)));
}
process.exit(0);
