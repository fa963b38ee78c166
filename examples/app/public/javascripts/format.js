export function bytes(n) {
  if (n < 1024) return `${n} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let unit = -1;
  do {
    n /= 1024;
    unit++;
  } while (n >= 1023.95 && unit < units.length - 1);
  const digits = n < 99.95 ? n.toFixed(1).replace(/\.0$/, "") : n.toFixed(0);
  return `${digits} ${units[unit]}`;
}

export function duration(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${ms.toFixed(0)} ms`;
  return `${ms.toFixed(ms >= 10 ? 1 : 2)} ms`;
}

export function clock(date) {
  const two = (n) => String(n).padStart(2, "0");
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}

export function count(n, thing) {
  return `${n} ${thing}${n === 1 ? "" : "s"}`;
}

// hexdump shows n bytes in each line.
export function hexdump(data, n) {
  const lines = [];
  for (let at = 0; at < data.length; at += n) {
    const row = data.subarray(at, at + n);
    const hex = Array.from(row, (b) => b.toString(16).padStart(2, "0")).join(" ");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex.padEnd(3 * n - 1)}  ${printable(row)}`);
  }
  return lines.join("\n");
}

export function printable(data) {
  return Array.from(data, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join("");
}
