// Checks a signed message ({ secret, headers, body }) from stdin with the library of Standard Webhooks and prints what is in it, as JSON.
import { Webhook } from 'standardwebhooks';
import { text } from 'node:stream/consumers';

const { secret, headers, body } = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
