// The worker that holds the WebSocket: here, round trips are timed undisturbed by what the page
// has to lay out and paint meanwhile.
let socket;
let reporting = 0;

// When the messages under way were sent. Replies come in the order of the messages that they
// answer, so each belongs to the oldest.
let underWay = [];

const commands = {
  connect(url, subprotocols) {
    socket = new WebSocket(url, subprotocols);
    underWay = [];
    socket.binaryType = "blob";
    socket.onopen = () => postMessage(["open", socket.protocol, socket.extensions]);
    socket.onmessage = ({ data }) => {
      const now = performance.now();
      const sent = underWay.shift();
      postMessage(["message", data, sent === undefined ? null : now - sent]);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      postMessage(["close", { code, reason, wasClean }]);
    };
  },

  send(data) {
    underWay.push(performance.now());
    socket.send(data);
    reportQueue();
  },

  close(code, reason) {
    socket.close(code, reason);
  },
};

function reportQueue() {
  postMessage(["queue", socket.bufferedAmount]);
  clearTimeout(reporting);
  const sending = socket.readyState === WebSocket.OPEN && socket.bufferedAmount > 0;
  if (sending) reporting = setTimeout(reportQueue, 100);
}

onmessage = ({ data: [name, ...details] }) => {
  try {
    commands[name](...details);
  } catch (error) {
    // The browser refuses by itself what cannot be a URL, a subprotocol or a close reason.
    postMessage(["refuse", error.message]);
  }
};
