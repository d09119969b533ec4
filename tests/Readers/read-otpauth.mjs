// Reads an otpauth address and a time ({ uri, at }: seconds since 1970) from stdin as an authenticator app does and prints the code it would show, as JSON.
import { generate } from 'otplib';
import { text } from 'node:stream/consumers';

const { uri, at } = JSON.parse(await text(process.stdin));
const address = new URL(uri);
const asked = address.searchParams;
if (address.protocol !== 'otpauth:' || address.host !== 'totp') throw new Error(`Not for this app: ${uri}`);

console.log(JSON.stringify({
  label: decodeURIComponent(address.pathname.slice(1)), issuer: asked.get('issuer'),
  code: await generate({
    secret: asked.get('secret'), epoch: at, digits: Number(asked.get('digits') ?? 6), period: Number(asked.get('period') ?? 30),
    algorithm: (asked.get('algorithm') ?? 'SHA1').toLowerCase(),
  }),
}));
