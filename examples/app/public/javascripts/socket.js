// This worker owns the WebSocket, so that layout and painting of the page do not distort the round
// trip times.
let socket;
let reportTimer = 0;

// Send times of the messages in flight. Replies come in order, so each answers the oldest.
let inFlight = [];

const commands = {
  // Messages that begin with pushPrefix, if it is not "", are no replies.
  connect(url, subprotocols, pushPrefix) {
    socket = new WebSocket(url, subprotocols);
    inFlight = [];
    socket.binaryType = "blob";
    socket.onopen = () => postMessage(["open", socket.protocol, socket.extensions]);
    socket.onmessage = ({ data }) => {
      const now = performance.now();
      const pushed = pushPrefix && typeof data === "string" && data.startsWith(pushPrefix);
      const sent = pushed ? undefined : inFlight.shift();
      postMessage(["message", data, sent === undefined ? null : now - sent]);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      postMessage(["close", { code, reason, wasClean }]);
    };
  },

  send(data) {
    inFlight.push(performance.now());
    socket.send(data);
    reportQueue();
  },

  close(code, reason) {
    socket.close(code, reason);
  },
};

function reportQueue() {
  postMessage(["queue", socket.bufferedAmount]);
  clearTimeout(reportTimer);
  const sending = socket.readyState === WebSocket.OPEN && socket.bufferedAmount > 0;
  if (sending) reportTimer = setTimeout(reportQueue, 100);
}

onmessage = ({ data: [name, ...details] }) => {
  try {
    commands[name](...details);
  } catch {
    postMessage(["refuse"]); // an invalid URL or subprotocol
  }
};
