// inspectorPath returns the path of the inspector, with what was entered into the panel as its query.
// Empty fields are left out: the server has the bounds, and tells them.
export function inspectorPath(panel) {
  const query = new URLSearchParams();
  for (const { type, name, checked, value } of panel.querySelectorAll("[name]")) {
    const given = type === "checkbox" ? (checked ? "" : "off") : value.trim();
    if (given) query.append(name, given);
  }
  const path = panel.dataset.path;
  return String(query) ? `${path}?${String(query).replaceAll("%40", "@")}` : path;
}

// pushPrefix begins what the inspector sends on its own, without a message to answer.
export const pushPrefix = '{"event":"push",';

// whyRefused asks the inspector without a handshake, to which the answer is hidden from pages. The
// answer is the same if the query is to blame.
export async function whyRefused(url) {
  const response = await fetch(url.replace(/^ws/, "http"), {
    cache: "no-store", signal: AbortSignal.timeout(3000),
  });
  if ([426, 505].includes(response.status)) return null; // It only lacks a handshake.
  return `The inspector answers with ${response.status}: ${(await response.text()).trim()}`;
}
