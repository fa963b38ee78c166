// node client.mjs HOST:PORT talks to the server and prints a JSON line for each step.
// ../transcript_test.go has the expected lines.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import WebSocket from 'ws';

const address = process.argv[2];

const print = (step, result) => console.log(JSON.stringify({ step, ...result }));

async function connect(protocols) {
  const ws = new WebSocket(`ws://${address}/ws`, protocols);
  await once(ws, 'open');
  return ws;
}

async function echo(step, ws, ...fragments) {
  const reply = once(ws, 'message');
  fragments.forEach((data, i) => ws.send(data, { fin: i === fragments.length - 1 }));
  const [message, binary] = await reply;
  const text = message.toString();
  const sha256 = createHash('sha256').update(message).digest('hex');
  print(step, { binary, ...(text.length < 100 ? { text } : { length: text.length, sha256 }) });
}

async function ping(ws, data) {
  const pong = once(ws, 'pong');
  ws.ping(data);
  const [payload] = await pong;
  print('ping', { pong: payload.toString() });
}

async function close(step, ws, code, reason) {
  const end = once(ws, 'close');
  ws.close(code, reason);
  const [gotCode, gotReason] = await end;
  print(step, { code: gotCode, reason: gotReason.toString() });
}

async function get(path, showBody) {
  const response = await fetch(`http://${address}${path}`);
  const body = await response.text();
  print(`GET ${path}`, { status: response.status, ...(showBody ? { body } : {}) });
}

const ws = await connect();
print('open', { protocol: ws.protocol, extensions: ws.extensions });
await echo('text', ws, 'Hello from the client');
await echo('Unicode', ws, 'grüße, 世界 🌍');
await echo('empty text', ws, '');
await echo('fragments', ws, 'Hello ', '', 'again');
await echo('1 MiB', ws, 'x'.repeat(1 << 20));
await ping(ws, 'are you there?');
await ping(ws, '');
await close('close 1000', ws, 1000);
await close('close 4321', await connect(), 4321, 'my own reason');
await close('close without a code', await connect());
const chat = await connect(['chat.v2', 'chat.v1']);
print('subprotocol', { protocol: chat.protocol });
await close('close in Unicode', chat, 1001, 'tschüß');
await get('/users', true);
await get('/', false);
await get('/ws', false);
await get('/no/such/route', false);
