/** What the page has of `node:net` (package.json, `browser`): whether a text is an address. */
const BYTE = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);
const GROUP = /^[\da-f]{1,4}$/i;

export function isIPv4(text: string): boolean {
  return IPV4.test(text);
}

/** RFC 4291 §2.2, without zones. */
export function isIPv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "") continue;
    const parts = half.split(":");
    const last = parts.at(-1) as string;
    const embedded = index === halves.length - 1 && last.includes(".");
    if (embedded && !isIPv4(parts.pop() as string)) return false;
    if (!parts.every((part) => GROUP.test(part))) return false;
    groups += parts.length + (embedded ? 2 : 0);
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}
