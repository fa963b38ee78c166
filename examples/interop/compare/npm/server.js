// The echo server of the npm package ws: node server.js GREETING. Prints its address.
import { WebSocketServer } from 'ws';

const greeting = process.argv[2];
const prefix = Buffer.from(greeting);

const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws' });

wss.on('listening', () => console.log(`ws://127.0.0.1:${wss.address().port}/ws`));

wss.on('connection', (ws) => {
  ws.on('error', console.error);
  ws.on('message', (data, isBinary) => {
    // A string plus a Buffer is a string, so replies to binary messages are concatenated as bytes.
    ws.send(isBinary ? Buffer.concat([prefix, data]) : greeting + data);
  });
});
