/** Literal addresses and host names as they stand in URIs and files, and the order of addresses (RFC 6724). */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const NAME = /^[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/;
const MAX_NAME_LENGTH = 253;

/** Lower case, without brackets and without a last dot. */
export function normalizeHost(host: string): string {
  let text = host.toLowerCase();
  if (text.startsWith("[") && text.endsWith("]")) text = text.slice(1, -1);
  return text.endsWith(".") ? text.slice(0, -1) : text;
}

/** Which family a normalized host is a literal of; undefined for a name. */
export function literalFamily(host: string): "ipv4" | "ipv6" | undefined {
  if (IPV4.test(host)) return "ipv4";
  return host.includes(":") && ipv6Groups(host) !== undefined ? "ipv6" : undefined;
}

/** Whether a normalized host can be asked for in the DNS. */
export function isName(host: string): boolean {
  return host.length <= MAX_NAME_LENGTH && NAME.test(host);
}

/** The eight 16-bit groups of an IPv6 literal (RFC 4291 §2.2); a zone (`%eth0`) is ignored. */
export function ipv6Groups(literal: string): number[] | undefined {
  const zone = literal.indexOf("%");
  let text = zone < 0 ? literal : literal.slice(0, zone);
  const lastColon = text.lastIndexOf(":");
  if (text.includes(".", lastColon)) {
    const tail = text.slice(lastColon + 1);
    if (!IPV4.test(tail)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = tail.split(".").map(Number);
    text = `${text.slice(0, lastColon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] as string);
  const tail = halves.length === 2 ? groupsOf(halves[1] as string) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.map((group) => Number.parseInt(group, 16));
}

/**
 * Orders the addresses of one target, best first, by the default policy table of RFC 6724 §2.1 (rule 6). The
 * rules that need the source address are left to routing: a target that cannot be reached is passed over.
 * Equal precedence keeps the order of the answer (rule 10).
 */
export function byPrecedence(addresses: readonly string[]): string[] {
  return [...addresses].sort((a, b) => precedence(b) - precedence(a));
}

const IPV4_PRECEDENCE = 35;

function precedence(address: string): number {
  const groups = address.includes(":") ? ipv6Groups(address) : undefined;
  if (groups === undefined) return IPV4_PRECEDENCE;
  const [first = 0, second = 0] = groups;
  const leadingZeros = groups.findIndex((group) => group !== 0);
  if (leadingZeros === 7 && groups[7] === 1) return 50;
  if (leadingZeros === 5 && groups[5] === 0xffff) return IPV4_PRECEDENCE;
  if (leadingZeros >= 6) return 1;
  if (first === 0x2002) return 30;
  if (first === 0x2001 && second === 0) return 5;
  if ((first & 0xfe00) === 0xfc00) return 3;
  if ((first & 0xffc0) === 0xfec0 || first === 0x3ffe) return 1;
  return 40;
}
