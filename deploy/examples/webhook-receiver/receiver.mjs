// Takes the webhooks of Volunteers: checks who sent them, keeps each message once as a line of JSON, and says so.
//   npm install && WEBHOOK_SECRET=whsec_… node receiver.mjs
// PORT (8787) is where it listens, KEPT (messages.ndjson) the file that it keeps them in.
import { appendFileSync, closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const path = process.env.KEPT ?? 'messages.ndjson';

// What was kept before a crash; a last line that was cut off was never answered, so it comes again.
const kept = existsSync(path) ? readFileSync(path, 'utf8') : '';
const whole = kept.slice(0, kept.lastIndexOf('\n') + 1);
const seen = new Set(whole.split('\n').filter(Boolean).map((line) => JSON.parse(line).id));
const file = openSync(path, 'a');
let length = Buffer.byteLength(whole);
ftruncateSync(file, length);

const server = createServer(async (request, response) => {
  try {
    const body = await buffer(request);
    let message;
    try {
      message = webhook.verify(body.toString('utf8'), request.headers);
    } catch (error) {
      console.log(JSON.stringify({ refused: error.message }));
      return response.writeHead(401).end();
    }
    const id = request.headers['webhook-id'];
    if (seen.has(id)) {
      // It was kept, but the answer did not arrive: not an error, only answered again.
      console.log(JSON.stringify({ repeated: id }));
    } else {
      const line = Buffer.from(`${JSON.stringify({ id, ...message })}\n`);
      try {
        appendFileSync(file, line);
        fsyncSync(file);
      } catch (error) {
        // Half a line, on a full disk: the next would go on behind it.
        ftruncateSync(file, length);
        throw error;
      }
      length += line.length;
      seen.add(id);
      console.log(JSON.stringify({ taken: id, type: message.type }));
    }
    // Only now: what is answered is kept.
    response.writeHead(204).end();
  } catch {
    response.destroy();
  }
});
server.listen(Number(process.env.PORT ?? 8787), () => console.log(JSON.stringify({ port: server.address().port })));
process.on('SIGTERM', () => server.close(() => closeSync(file)));
