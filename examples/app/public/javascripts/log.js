import { bytes, clock, duration, hexdump, printable } from "./format.js";

const maxRows = 500;
const maxUnfolded = 300; // characters of a message that is shown whole
const maxLines = 6; // of a message that is shown whole
const maxText = 16 * 1024; // characters kept of a message
const maxBinary = 1024; // bytes kept of a message
const wideEnough = 620; // pixels that a hex dump of 16 bytes in each line needs

const directions = { out: ["↑", "Sent"], in: ["↓", "Received"], event: ["•", "Event"] };

// A Log lists messages and events, the latest last. Contents are inserted as text, not as markup.
export class Log {
  #box;
  #list;
  #following = true;
  #end = 0; // where the list ended when the box was scrolled to its end; Infinity: where it ends

  // box scrolls the list that is in it.
  constructor(box) {
    this.#box = box;
    this.#list = box.querySelector("ol");
    box.addEventListener("scroll", () => this.#scrolled());
    box.addEventListener("toggle", () => {
      this.#end = Infinity; // Whoever unfolds a row wants to read it.
      this.#scrolled();
    }, true);
  }

  // The log follows new rows until the user scrolls back. Rows that have come since it was scrolled
  // to its end do not count.
  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.#box;
    this.#following = scrollTop + clientHeight > Math.min(this.#end, scrollHeight) - 40;
    if (!this.#following) this.#end = Infinity;
  }

  // announce switches on or off that screen readers read new rows.
  announce(on) {
    this.#box.setAttribute("aria-live", on ? "polite" : "off");
  }

  // show scrolls the page to the log, which on a small screen is below its lower edge.
  show() {
    this.#box.scrollIntoView({ block: "nearest" });
  }

  clear() {
    this.#list.replaceChildren();
    this.#following = true;
    this.#end = 0;
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
    const arrow = span("", `${sign} `);
    arrow.ariaHidden = "true";
    row.append(span("direction", null, arrow, label), time, ...cells);
    this.#list.append(row);
    while (this.#list.childElementCount > maxRows) this.#removeFirst();
    this.#follow();
  }

  // Without this, focus in a removed row would move to the top of the page.
  #removeFirst() {
    const row = this.#list.firstElementChild;
    if (row.contains(document.activeElement)) this.#box.focus();
    this.#end -= row.offsetHeight;
    row.remove();
  }

  // Scrolling waits for the next frame, to lay out once for any number of rows.
  #follow() {
    if (!this.#following) return;
    requestAnimationFrame(() => {
      if (this.#following) this.#box.scrollTop = this.#end = this.#box.scrollHeight;
    });
  }

  #showText(content, text) {
    const line = text.slice(0, 200).replaceAll(/\s+/g, " ");
    if (text.length <= maxUnfolded && text.split("\n").length <= maxLines) {
      content.append(span("", text === "" ? "(empty)" : text));
      return;
    }
    const rest = text.length - maxText;
    const note = rest > 0 ? `\n… and ${rest.toLocaleString("en")} more characters` : "";
    content.append(foldable(line, text.slice(0, maxText) + note, ""));
  }

  #bytesPerLine() {
    return this.#box.clientWidth < wideEnough ? 8 : 16;
  }

  async #showBinary(content, blob, name) {
    const head = blob.slice(0, maxBinary);
    const data = new Uint8Array(await head.arrayBuffer());
    const rest = blob.size - data.length;
    const note = rest > 0 ? `\n… and ${rest.toLocaleString("en")} more bytes` : "";
    const line = (name ? `${name}: ` : "") + printable(data.subarray(0, 100));
    if (data.length === 0) content.append(span("", name ? `${name} (empty)` : "(empty)"));
    else content.append(foldable(line, hexdump(data, this.#bytesPerLine()) + note, "hex"));
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
  details.addEventListener("toggle", () => {
    details.closest("li")?.scrollIntoView({ block: "nearest" });
  });
  details.append(summary, pre);
  return details;
}
