import { count, duration } from "./format.js";

const maxSamples = 120;
const margin = { top: 10, right: 14, bottom: 8, left: 54 };

// A Plot draws the latest round trips. It is SVG, so that the stylesheet sets its colors in either
// color scheme. Its caption describes it in words.
export class Plot {
  #svg;
  #caption;
  #samples = [];
  #drawing = false;

  constructor(svg, caption) {
    this.#svg = svg;
    this.#caption = caption;
    new ResizeObserver(() => this.#redraw()).observe(svg);
  }

  add(rtt) {
    this.#samples.push(rtt);
    if (this.#samples.length > maxSamples) this.#samples.shift();
    this.#redraw();
  }

  get median() {
    if (this.#samples.length === 0) return null;
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  #redraw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
      this.#describe();
    });
  }

  #draw() {
    const { width, height } = this.#svg.getBoundingClientRect();
    if (width === 0) return;
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const worst = this.#samples.length > 0 ? Math.max(0.001, ...this.#samples) : 1;
    const { top, ticks } = scale(worst);
    const bottom = height - margin.bottom;
    const y = (ms) => bottom - (ms / top) * (bottom - margin.top);
    const step = (width - margin.left - margin.right) / (maxSamples - 1);
    const x = (i) => margin.left + i * step;

    const right = width - margin.right;
    const parts = ticks.flatMap((ms) => [
      element("line", { class: "grid", x1: margin.left, x2: right, y1: y(ms), y2: y(ms) }),
      element("text", { x: margin.left - 8, y: y(ms) + 4, "text-anchor": "end" }, label(ms, top)),
    ]);
    if (this.#samples.length > 0) parts.push(...this.#trace(x, y, bottom, right));
    this.#svg.replaceChildren(...parts);
  }

  #trace(x, y, bottom, right) {
    const points = this.#samples.map((ms, i) => `${x(i).toFixed(1)},${y(ms).toFixed(1)}`);
    const last = this.#samples.length - 1;
    const middle = y(this.median);
    return [
      element("path", {
        class: "area",
        d: `M${x(0)},${bottom}L${points.join("L")}L${x(last)},${bottom}Z`,
      }),
      element("line", { class: "median", x1: margin.left, x2: right, y1: middle, y2: middle }),
      element("path", { class: "trace", d: `M${points.join("L")}` }),
      element("circle", { class: "dot", cx: x(last), cy: y(this.#samples[last]), r: 4.5 }),
    ];
  }

  #describe() {
    const n = this.#samples.length;
    if (n === 0) return;
    const best = duration(Math.min(...this.#samples));
    const worst = duration(Math.max(...this.#samples));
    this.#caption.textContent = n === 1
      ? `One round trip: ${best}.`
      : `Latest ${count(n, "round trip")}: best ${best}, ` +
        `median ${duration(this.median)} (dashed), worst ${worst}.`;
  }
}

// scale returns the axis: its top, which is at least max, and ticks at round values.
function scale(max) {
  const rough = max / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const steps = Math.ceil(max / step - 1e-9);
  return { top: steps * step, ticks: Array.from({ length: steps + 1 }, (_, i) => i * step) };
}

function label(ms, top) {
  if (ms === 0) return "0";
  if (top >= 10_000) return `${+(ms / 1000).toPrecision(3)} s`;
  return `${+ms.toPrecision(3)} ms`;
}

function element(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  if (text !== undefined) e.textContent = text;
  return e;
}
