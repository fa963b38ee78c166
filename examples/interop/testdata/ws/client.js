// A client with the npm package ws: node client.js URL. Prints a JSON line for each step;
// ../../npm_ws_test.go has the expected lines. The last step waits for the server to shut down.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import WebSocket from 'ws';

const url = process.argv[2];

const print = (step, result) => console.log(JSON.stringify({ step, ...result }));

async function connect(protocols, options) {
  const ws = new WebSocket(url, protocols, options);
  await once(ws, 'open');
  return ws;
}

async function send(ws, data) {
  const reply = once(ws, 'message');
  ws.send(data);
  const [message, binary] = await reply;
  return { message, binary };
}

async function closed(ws) {
  const [code, reason] = await once(ws, 'close');
  return { code, reason: reason.toString() };
}

async function close(ws, code, reason) {
  const end = closed(ws);
  ws.close(code, reason);
  return end;
}

const digest = (message) => createHash('sha256').update(message).digest('hex');

async function messages() {
  const ws = await connect([], { perMessageDeflate: false });
  for (const [step, data] of [
    ['text', 'Hello from the client'],
    ['Unicode', 'grüße, 世界 🌍'],
    ['empty text', ''],
  ]) {
    const { message, binary } = await send(ws, data);
    print(step, { binary, text: message.toString() });
  }
  const { message, binary } = await send(ws, Buffer.from([0x00, 0xff, 0xfe]));
  print('binary', { binary, hex: message.subarray(-3).toString('hex'), length: message.length });
  const { message: m, binary: b } = await send(ws, Buffer.alloc(1 << 20, 0xa5));
  print('1 MiB', { binary: b, length: m.length, sha256: digest(m) });
  return ws;
}

async function ping(ws) {
  const pong = once(ws, 'pong');
  ws.ping('are you there?');
  const [payload] = await pong;
  print('ping', { pong: payload.toString() });
}

async function compression() {
  for (const [step, perMessageDeflate] of [
    ['deflate off', false],
    ['deflate on', true],
    ['deflate without takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true }],
    ['deflate in small windows', { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
  ]) {
    const ws = await connect([], { perMessageDeflate });
    const replies = [];
    for (const letter of ['a', 'b', 'a']) {
      const { message } = await send(ws, letter.repeat(4096));
      replies.push(`${message.length} ${message.subarray(-2)}`);
    }
    print(step, { extensions: ws.extensions, replies, ...(await close(ws, 1000)) });
  }
}

const ws = await messages();
await ping(ws);
print('close 1000', await close(ws, 1000));
print('close 4321', await close(await connect(), 4321, 'my own reason'));
print('close without a code', await close(await connect()));
const chat = await connect(['chat.v2', 'chat.v1']);
print('subprotocol', { protocol: chat.protocol, ...(await close(chat, 1000)) });
await compression();
const last = await connect();
const end = closed(last);
print('open', {});
print('shutdown', await end);
