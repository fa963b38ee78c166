import { whyRefused } from "./inspector.js";

// Browsers hide the status of a refused handshake from pages. diagnose returns a finding, and a
// list of possible causes.
// inspector is its path, or undefined.
export async function diagnose(wasOpen, url, endpoint, inspector) {
  if (!(await serverAnswers())) {
    const finding = "The server does not answer plain requests either: it has stopped, " +
      "or the network is down.";
    return [finding, []];
  }
  if (wasOpen) {
    return ["The server still answers plain requests. Perhaps", [
      "it was restarted, or dropped this connection;",
      "a proxy in between closes connections that are idle or old.",
    ]];
  }
  const inspecting = inspector !== undefined && leadsTo(inspector, url);
  const reason = inspecting && (await whyRefused(url).catch(() => null));
  if (reason) return [reason, []];
  if (!inspecting && !leadsTo(endpoint, url)) {
    return [`The path is wrong: this server's endpoint is ${endpoint}.`, []];
  }
  return ["The server answers plain requests, but refused this handshake. Perhaps", [
    "this page's origin is not allowed (403);",
    "the server is at its limit of connections, or shutting down (503);",
    "a proxy in between removes the Upgrade and Connection headers (404, 426).",
  ]];
}

// leadsTo reports whether the server's endpoint, a path or a subtree that ends in a slash, is where
// the URL leads.
function leadsTo(endpoint, url) {
  try {
    const path = decodeURIComponent(new URL(url).pathname);
    return path === endpoint || (endpoint.endsWith("/") && path.startsWith(endpoint));
  } catch {
    return false; // The escapes are not UTF-8.
  }
}

async function serverAnswers() {
  try {
    await fetch("/", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(3000) });
    return true;
  } catch {
    return false;
  }
}
