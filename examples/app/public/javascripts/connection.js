import { pushPrefix } from "./inspector.js";

// One worker serves all connections in turn: it cannot be loaded again once the server is down.
const worker = new Worker("/javascripts/socket.js");

// A Connection is one WebSocket, from connect to close. It lives in the worker.
export class Connection {
  isOpen = false;
  wasOpen = false;
  subprotocol = "";
  extensions = "";
  version = ""; // of HTTP, if the server has told it
  queued = 0; // bytes not yet sent
  unanswered = 0;
  closeReason = null; // given by this side, if it closed

  // events: open(), message(data, rtt or null), refuse(), close({ code, reason, wasClean })
  constructor(url, subprotocols, inspecting, events) {
    this.url = url;
    this.inspecting = inspecting;
    takeVersion();
    worker.onmessage = ({ data: [name, ...details] }) => {
      this[`_${name}`]?.(...details);
      events[name]?.(...details);
    };
    worker.postMessage(["connect", url, subprotocols, inspecting ? pushPrefix : ""]);
  }

  send(data) {
    this.unanswered++;
    worker.postMessage(["send", data]);
  }

  close(code, reason) {
    this.closeReason = reason;
    worker.postMessage(["close", code, reason]);
  }

  _open(subprotocol, extensions) {
    this.isOpen = this.wasOpen = true;
    this.subprotocol = subprotocol;
    this.extensions = extensions;
    this.version = takeVersion();
  }

  _message() {
    this.unanswered--;
  }

  _queue(bytes) {
    this.queued = bytes;
  }

  _close() {
    this.isOpen = false;
  }
}

// takeVersion returns the cookie that the server sets with its answer to a handshake, and deletes it.
function takeVersion() {
  const found = /(?:^|; )websocket-http=([^;]*)/.exec(document.cookie);
  document.cookie = "websocket-http=; Path=/; Max-Age=0; SameSite=Strict";
  return found?.[1] ?? "";
}

// The slash keeps the URL on this host, whatever the path. URLs of WebSockets have no fragment.
export function endpointURL(path) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const slash = path.startsWith("/") ? "" : "/";
  return `${scheme}//${location.host}${slash}${path.replaceAll("#", "%23")}`;
}
