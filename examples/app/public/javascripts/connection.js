// One worker serves all connections, one after the other: once the server is gone, there is
// nobody to load another from.
const worker = new Worker("/javascripts/socket.js");

// A Connection is one WebSocket, from connect to close. It lives in the worker.
export class Connection {
  isOpen = false;
  wasOpen = false;
  subprotocol = "";
  extensions = "";
  queued = 0; // bytes that have not left yet
  unanswered = 0;
  goodbye = null; // the reason this side gave, if it closed

  // events: open(), message(data, rtt or null), refuse(why), close({ code, reason, wasClean })
  constructor(url, subprotocols, events) {
    this.url = url;
    worker.onmessage = ({ data: [name, ...details] }) => {
      this[`_${name}`](...details);
      events[name]?.(...details);
    };
    worker.postMessage(["connect", url, subprotocols]);
  }

  send(data) {
    this.unanswered++;
    worker.postMessage(["send", data]);
  }

  close(code, reason) {
    this.goodbye = reason;
    worker.postMessage(["close", code, reason]);
  }

  _open(subprotocol, extensions) {
    this.isOpen = this.wasOpen = true;
    this.subprotocol = subprotocol;
    this.extensions = extensions;
  }

  _message() {
    this.unanswered--;
  }

  _queue(bytes) {
    this.queued = bytes;
  }

  _refuse() {
    this.goodbye = null;
  }

  _close() {
    this.isOpen = false;
  }
}

// A path that begins with a slash stays on this host, whatever follows.
export function endpointURL(path) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${path.startsWith("/") ? "" : "/"}${path}`;
}
