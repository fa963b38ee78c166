// Close codes of RFC 6455 §7.4.1 and its registry: a name, and what the code means.
const known = {
  1000: ["Normal Closure", "The purpose of the connection is fulfilled."],
  1001: ["Going Away", "The server is shutting down, or the page was left."],
  1002: ["Protocol Error", "A frame broke the rules of the protocol."],
  1003: ["Unsupported Data", "A message had a type that is not accepted, such as binary."],
  1005: ["No Status Received", "The other side closed without giving a code."],
  1006: ["Abnormal Closure", "The connection ended without a close frame."],
  1007: ["Invalid Payload Data", "Text that is not UTF-8, or data that was compressed wrongly."],
  1008: ["Policy Violation", "A message broke a rule of the server's."],
  1009: ["Message Too Big", "A message was larger than the server's limit."],
  1010: ["Mandatory Extension", "The client needs an extension the server did not agree to."],
  1011: ["Internal Error", "The server met something it did not expect."],
  1012: ["Service Restart", "The server is restarting: connect again in a moment."],
  1013: ["Try Again Later", "The server is too busy."],
  1014: ["Bad Gateway", "A gateway got no valid answer from the server behind it."],
  1015: ["TLS Handshake", "TLS could not be set up: the certificate may not be trusted."],
};

export function describe(code) {
  if (known[code]) return { name: known[code][0], meaning: known[code][1] };
  if (code >= 4000) {
    return { name: "Private Use", meaning: "The applications on both ends know what it means." };
  }
  if (code >= 3000) {
    return { name: "Registered Use", meaning: "A library or framework gave it its meaning." };
  }
  return { name: "Unassigned", meaning: "This code has no meaning yet." };
}

// Browsers keep the handshake's HTTP status from a page, so all it can do is name the suspects.
// Whether the server answers a plain request tells one half of them from the other.
// It comes as that finding and a list of what may be the cause.
export function suspects(wasOpen, answers) {
  if (!answers) {
    const finding = "The server does not answer plain requests either: it has stopped, " +
      "or the network is down.";
    return [finding, []];
  }
  if (wasOpen) {
    return ["The server still answers plain requests. Perhaps", [
      "it was restarted, or gave this connection up;",
      "a proxy between ends connections that are idle or old.",
    ]];
  }
  return ["The server answers plain requests, but refused this handshake. Perhaps", [
    "the path is not the endpoint's (404);",
    "this page's origin is not allowed (403);",
    "the server is at its limit of connections, or shutting down (503);",
    "a proxy between strips the Upgrade and Connection headers (404, 426).",
  ]];
}

export async function serverAnswers() {
  try {
    await fetch("/", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(3000) });
    return true;
  } catch {
    return false;
  }
}
