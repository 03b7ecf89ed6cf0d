/** The name servers a resolver may ask: where they are, and how each has been doing. */
import { getServers } from "node:dns";
import { isIPv6 } from "node:net";

export interface ServerAddress {
  /** A literal address, or a name that the operating system resolves. */
  readonly host: string;
  readonly port: number;
}

const DNS_PORT = 53;
/** A server that failed is asked after the others for so long, then once more in its own place. */
const DOWN_MS = 60_000;

export class NameServer {
  readonly host: string;
  readonly port: number;
  /** False once it has choked on EDNS (RFC 6891 §6.2.2). */
  edns = true;
  #downUntil: number | undefined;

  constructor(address: ServerAddress) {
    this.host = address.host;
    this.port = address.port;
  }

  get family(): 4 | 6 {
    return isIPv6(this.host) ? 6 : 4;
  }

  /** `due`: it was down, and its next chance has come. */
  state(now: number): "up" | "due" | "down" {
    if (this.#downUntil === undefined) return "up";
    return this.#downUntil <= now ? "due" : "down";
  }

  answered(): void {
    this.#downUntil = undefined;
  }

  failed(now: number): void {
    this.#downUntil = now + DOWN_MS;
  }
}

/** In the order configured, those that are down last. */
export function inOrder(servers: readonly NameServer[], now: number): NameServer[] {
  const down = servers.filter((server) => server.state(now) === "down");
  return [...servers.filter((server) => !down.includes(server)), ...down];
}

/** Those of the system (`/etc/resolv.conf`). */
export function systemServers(): ServerAddress[] {
  return readServers(getServers()).servers;
}

/** Reads `HOST`, `HOST:PORT`, `[IPv6]:PORT` and comma-separated lists of them; `wrong` is what cannot be read. */
export function readServers(texts: readonly string[]): {
  servers: ServerAddress[];
  wrong: string[];
} {
  const servers: ServerAddress[] = [];
  const wrong: string[] = [];
  for (const text of texts.flatMap((list) => list.split(",")).map((part) => part.trim())) {
    const server = readServer(text);
    if (server !== undefined) servers.push(server);
    else if (text !== "") wrong.push(text);
  }
  return { servers, wrong };
}

function readServer(text: string): ServerAddress | undefined {
  if (isIPv6(text)) return { host: text, port: DNS_PORT };
  const match = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, digits] = match;
  const port = digits === undefined ? DNS_PORT : Number(digits);
  if (port < 1 || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed)))
    return undefined;
  return { host: bracketed ?? (plain as string), port };
}
