// Close codes of RFC 6455 §7.4.1 and its registry: a name, and what the code means.
const known = {
  1000: ["Normal Closure", "The connection is no longer needed."],
  1001: ["Going Away", "The server is shutting down, or the page was left."],
  1002: ["Protocol Error", "A frame violated the protocol."],
  1003: ["Unsupported Data", "A message had a type that is not accepted, such as binary."],
  1005: ["No Status Received", "The peer closed without a code."],
  1006: ["Abnormal Closure", "The connection ended without a close frame."],
  1007: ["Invalid Payload Data", "Text was not valid UTF-8, or compressed data was corrupt."],
  1008: ["Policy Violation", "A message violated the server's policy."],
  1009: ["Message Too Big", "A message was larger than the server's limit."],
  1010: ["Mandatory Extension", "The client requires an extension that the server did not accept."],
  1011: ["Internal Error", "The server encountered an unexpected error."],
  1012: ["Service Restart", "The server is restarting: connect again in a moment."],
  1013: ["Try Again Later", "The server is too busy."],
  1014: ["Bad Gateway", "A gateway received no valid response from the server behind it."],
  1015: ["TLS Handshake", "The TLS handshake failed: the certificate may not be trusted."],
};

// describe returns the name and the meaning of a close code.
export function describe(code) {
  if (known[code]) return { name: known[code][0], meaning: known[code][1] };
  if (code >= 4000) {
    return { name: "Private Use", meaning: "The application defines its meaning." };
  }
  if (code >= 3000) {
    return { name: "Registered Use", meaning: "A library or framework defines its meaning." };
  }
  return { name: "Unassigned", meaning: "This code has no defined meaning." };
}

// closeProblem returns why a page cannot close a connection with this code and reason: the field,
// and what to tell the user.
export function closeProblem(code, reason) {
  if (!/^(1000|[34]\d{3})?$/.test(code)) {
    return ["code", "Not disconnected: browsers let pages close with 1000, or 3000 to 4999."];
  }
  const length = new TextEncoder().encode(reason).length;
  if (length > 123) {
    return ["reason", `Not disconnected: the reason has ${length} bytes, and 123 is the most.`];
  }
  return null;
}
