import { closeProblem, describe } from "./closecodes.js";
import { Connection, endpointURL } from "./connection.js";
import { diagnose } from "./diagnosis.js";
import { bytes, duration } from "./format.js";
import { inspectorPath } from "./inspector.js";
import { Log } from "./log.js";
import { clearErrors, showError, showOutcome, showSending } from "./notices.js";
import { Plot } from "./plot.js";

const $ = (id) => document.getElementById(id);
const maxFile = 2 ** 30;
const maxQueued = 2 ** 20;
const maxUnanswered = 100;

const log = new Log($("log"));
const plot = new Plot($("plot"), $("plot-caption"));
const totals = { sent: 0, received: 0, bytesOut: 0, bytesIn: 0 };
const onTouchScreen = matchMedia("(pointer: coarse)");
let connection = null;
let connectAgain = false; // as soon as the connection has ended
let repeatTimer = 0;
let fileTimer = 0; // 0 unless a file is being sent

// Connection

function connect() {
  const subprotocols = $("subprotocols").value.split(",").map((s) => s.trim()).filter(Boolean);
  connectAgain = false;
  $("outcome").hidden = true;
  clearErrors();
  const path = $("path").value.trim();
  const inspector = inspectorEndpoint();
  const inspecting = inspector !== undefined && path.split("?")[0] === inspector;
  connection = new Connection(endpointURL(path), subprotocols, inspecting, {
    open: opened,
    message: received,
    refuse: refused,
    close: closed,
  });
  showState("connecting", "Connecting…");
}

function opened() {
  const { url, subprotocol, extensions, version } = connection;
  const details = [
    subprotocol ? `subprotocol ${subprotocol}` : "no subprotocol",
    extensions.replaceAll(/;[^,]*/g, "") || "no extensions", // without their parameters
    version,
  ].filter(Boolean).join(", ");
  $("endpoint").textContent = `${url}, ${details}`;
  showSending("");
  log.event(`Connected to ${url}, ${details}`);
  showState("open", "Connected");
}

// inspectorEndpoint returns the path of the inspector, or undefined if the server has none.
function inspectorEndpoint() {
  return $("inspector")?.dataset.path;
}

// inspect connects to the inspector. The path is shown, to copy and to change.
function inspect() {
  $("path").value = inspectorPath($("inspector"));
  connectAgain = connection !== null;
  if (!connectAgain) return connect();
  showState("closing", "Closing…");
  connection.close(1000, "");
}

function disconnect() {
  const [code, reason] = [$("code").value.trim(), $("reason").value];
  const [field, problem] = closeProblem(code, reason) ?? [];
  clearErrors();
  if (field) return showError($(field), problem);
  showState("closing", "Closing…");
  connection.close(Number(code) || 1000, reason);
}

// refused is called if the browser rejects an argument; nothing has been sent.
function refused() {
  connection = null;
  showState("closed", "Disconnected");
  showError($("subprotocols"), "Not connected: subprotocols are different names, separated by " +
    "commas, of ASCII letters, digits and !#$%&'*+-.^_`|~");
}

async function closed({ code, reason, wasClean }) {
  const { wasOpen, url, closeReason, inspecting } = connection;
  connection = null;
  stopRepeating();
  clearErrors();
  $("endpoint").textContent = "Not connected.";
  const bad = !wasClean || (code >= 1002 && code < 3000 && code !== 1005);
  showState(bad ? "failed" : "closed", wasOpen ? "Disconnected" : "Not connected");

  const { name, meaning } = describe(code);
  const title = wasOpen ? `Closed with ${code} ${name}` : `Not connected: ${code} ${name}`;
  const limit = code === 1009 ? limitNote() : "";
  const why = code === 1006 ? "" : ` ${reasonText(reason, closeReason)}`;
  log.event(wasOpen ? `${title}.${why}` : `${title}, ${url}`);
  showOutcome(bad, title, meaning + limit + why);
  if (connectAgain) return connect();
  if (code !== 1006 || closeReason !== null) return;
  const endpoint = document.body.dataset.wsPath;
  const [finding, causes] = await diagnose(wasOpen, url, endpoint, inspectorEndpoint());
  if (connection) return;
  if (inspecting && !wasOpen) log.event(finding);
  showOutcome(true, title, wasOpen ? `${meaning} ${finding}` : finding, causes);
}

function reasonText(reason, closeReason) {
  if (reason) return `Reason: “${reason}”`;
  return closeReason ? `Reason given by this page: “${closeReason}”` : "No reason was given.";
}

function showState(state, text) {
  const open = state === "open";
  $("state").dataset.state = state;
  $("state").textContent = text;
  $("connect").textContent = connection ? "Disconnect" : "Connect";
  $("connect").classList.toggle("primary", !connection);
  for (const id of ["path", "subprotocols"]) $(id).readOnly = connection !== null;
  // A disabled element would lose the focus, and leave the keyboard at the top of the page.
  for (const id of ["send", "pick", "repeat"]) $(id).ariaDisabled = String(!open);
}

// Messages

function send(data, size, name) {
  connection.send(data);
  totals.sent++;
  totals.bytesOut += size;
  log.message("out", data, size, { name });
  showTotals();
}

// offline reports whether nothing can be sent, and then says so.
function offline() {
  if (connection?.isOpen) return false;
  showSending("Not sent: there is no connection.", true);
  return true;
}

function sendText() {
  if (offline()) return;
  if (!fileTimer) showSending("");
  const text = $("text").value;
  const encoded = new TextEncoder().encode(text);
  if ($("binary").checked) send(new Blob([encoded]), encoded.length);
  else send(text, encoded.length);
}

function received(data, rtt) {
  const size = typeof data === "string" ? new TextEncoder().encode(data).length : data.size;
  totals.received++;
  totals.bytesIn += size;
  log.message("in", data, size, { rtt });
  if (rtt !== null) {
    plot.add(rtt);
    $("last").textContent = duration(rtt);
    $("median").textContent = duration(plot.median);
  }
  showTotals();
}

function showTotals() {
  $("sent").textContent = totals.sent.toLocaleString("en");
  $("received").textContent = totals.received.toLocaleString("en");
  $("bytes-out").textContent = bytes(totals.bytesOut);
  $("bytes-in").textContent = bytes(totals.bytesIn);
}

// Repeating

// tick sends nothing while the connection does not keep up, instead of queuing.
function tick() {
  if (connection?.queued < maxQueued && connection.unanswered < maxUnanswered) sendText();
}

function startRepeating() {
  clearInterval(repeatTimer);
  log.announce(false);
  repeatTimer = setInterval(tick, Number($("interval").value));
  tick();
}

function stopRepeating() {
  clearInterval(repeatTimer);
  log.announce(true);
  $("repeat").checked = false;
}

// Files

async function sendFile(file) {
  if (!connection?.isOpen) {
    return showSending(`${file.name} was not sent: there is no connection.`, true);
  }
  if (connection.queued + file.size > maxFile) {
    return showSending(`${file.name} was not sent: the limit is 1 GiB at a time.`, true);
  }
  try {
    await file.slice(0, 1).arrayBuffer(); // fails for a folder or a deleted file
  } catch {
    return showSending(`${file.name} was not sent: it cannot be read.`, true);
  }
  if (!connection?.isOpen) return;
  send(file, file.size, file.name);
  watchQueue(file.name);
}

async function sendFiles(files) {
  for (const file of files) await sendFile(file);
}

function limitNote() {
  const limit = Number(document.body.dataset.readLimit);
  return limit > 0 ? ` It is ${bytes(limit)}.` : "";
}

function watchQueue(name) {
  clearInterval(fileTimer);
  showSending(`Sending ${name}…`);
  const sender = connection;
  fileTimer = setInterval(() => {
    const left = sender.queued;
    if (left > 0 && sender.isOpen) {
      return showSending(`Sending ${name}: ${bytes(left)} to go.`);
    }
    clearInterval(fileTimer);
    fileTimer = 0;
    if (left === 0) showSending(`Sent ${name}.`);
    else showSending("The connection closed.", true);
  }, 500);
}

// Event handlers

$("connect").addEventListener("click", () => {
  if (connection) disconnect();
  else connect();
});

// Enter in the path or the subprotocols connects, in the code or the reason it disconnects.
$("connection").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.target.localName !== "input") return;
  const forClosing = $("closing").contains(event.target);
  if (forClosing && connection) disconnect();
  else if (!forClosing && !connection) connect();
});

$("inspection")?.addEventListener("submit", (event) => {
  event.preventDefault();
  inspect();
  log.show();
});

$("message").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
  log.show();
});

// Touch screens have no Shift+Enter, so there Enter adds a line.
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  if (onTouchScreen.matches) return;
  event.preventDefault();
  sendText();
  log.show();
});

$("repeat").addEventListener("click", (event) => {
  if (offline()) event.preventDefault();
});
$("repeat").addEventListener("change", () => {
  if ($("repeat").checked) startRepeating();
  else stopRepeating();
});

$("interval").addEventListener("change", () => {
  if ($("repeat").checked) startRepeating();
});

$("pick").addEventListener("click", () => {
  if (!offline()) $("file").click();
});
$("file").addEventListener("change", async () => {
  log.show();
  await sendFiles(Array.from($("file").files));
  $("file").value = ""; // allows choosing the same file again
});

$("clear").addEventListener("click", () => log.clear());

// Without this, a file dropped beside the target replaces the page.
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  $("drop").classList.toggle("dropping", event.dataTransfer.types.includes("Files"));
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("drop").classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("drop").classList.remove("dropping");
  sendFiles(Array.from(event.dataTransfer.files));
});

connect();
