import { bytes, clock, duration, hexdump, printable } from "./format.js";

const maxRows = 500;
const maxText = 16 * 1024; // characters kept of a message
const maxBinary = 1024; // bytes kept of a message

const directions = { out: ["↑", "Sent"], in: ["↓", "Received"], event: ["•", "Event"] };

// A Log lists messages and events, the latest last. Contents are inserted as text, not as markup.
export class Log {
  #list;
  #following = true;

  constructor(list) {
    this.#list = list;
    list.addEventListener("scroll", () => {
      this.#following = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    });
  }

  clear() {
    this.#list.replaceChildren();
    this.#following = true;
  }

  event(text) {
    this.#append("event", [span("content", null, span("", text))]);
  }

  // message adds a row; name is that of a file, rtt that of a reply.
  message(direction, data, size, { name, rtt } = {}) {
    const content = span("content");
    const type = typeof data === "string" ? "text" : "binary";
    this.#append(direction, [
      span("type", type),
      span("size", bytes(size)),
      span("rtt", rtt == null ? "" : duration(rtt)),
      content,
    ]);
    if (type === "text") this.#showText(content, data);
    else this.#showBinary(content, data, name);
  }

  #append(direction, cells) {
    const row = document.createElement("li");
    row.className = direction;
    const now = new Date();
    const time = document.createElement("time");
    time.dateTime = now.toISOString();
    time.textContent = clock(now);
    const [sign, word] = directions[direction];
    const label = document.createElement("b");
    label.textContent = word;
    row.append(span("direction", `${sign} `, label), time, ...cells);
    this.#list.append(row);
    while (this.#list.childElementCount > maxRows) this.#list.firstElementChild.remove();
    this.#follow();
  }

  // Scrolling waits for the next frame, to lay out once for any number of rows.
  #follow() {
    if (!this.#following) return;
    requestAnimationFrame(() => {
      this.#list.scrollTop = this.#list.scrollHeight;
    });
  }

  #showText(content, text) {
    const line = text.slice(0, 200).replaceAll(/\s+/g, " ");
    if (text.length <= 80 && !text.includes("\n")) {
      content.append(span("", text === "" ? "(empty)" : text));
      return;
    }
    const rest = text.length - maxText;
    const note = rest > 0 ? `\n… and ${rest.toLocaleString("en")} more characters` : "";
    content.append(foldable(line, text.slice(0, maxText) + note, ""));
  }

  async #showBinary(content, blob, name) {
    const head = blob.slice(0, maxBinary);
    const data = new Uint8Array(await head.arrayBuffer());
    const rest = blob.size - data.length;
    const note = rest > 0 ? `\n… and ${rest.toLocaleString("en")} more bytes` : "";
    const line = (name ? `${name}: ` : "") + printable(data.subarray(0, 100));
    if (data.length === 0) content.append(span("", name ? `${name} (empty)` : "(empty)"));
    else content.append(foldable(line, hexdump(data) + note, "hex"));
    this.#follow();
  }
}

function span(className, text, ...children) {
  const e = document.createElement("span");
  if (className) e.className = className;
  if (text != null) e.textContent = text;
  e.append(...children);
  return e;
}

function foldable(line, full, className) {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const pre = document.createElement("pre");
  summary.append(span("", line));
  pre.textContent = full;
  pre.className = className;
  // Without this, the last row unfolds below the list's edge.
  details.addEventListener("toggle", () => details.scrollIntoView({ block: "nearest" }));
  details.append(summary, pre);
  return details;
}
