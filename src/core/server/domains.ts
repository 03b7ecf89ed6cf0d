/**
 * What counts as this server: its domains, the addresses it listens on, and those of its siblings, which are one
 * system with it. A domain and a listening address are the same domain of addresses-of-record.
 */
import { isToken } from "../message/lexer.ts";
import type { SipUri } from "../message/uri.ts";
import { unescapeUser } from "../message/uri.ts";
import { readPlace } from "./flow-token.ts";

/** Whose bindings, escapes as written. */
export type AddressOfRecord = Pick<SipUri, "user" | "host">;

const SCHEME = "sip:";

/** The prefix of stored bindings. */
const KEY_PREFIX = "aor/";

export class Domains {
  /** The realm of challenges, and the domain under which all aliases are stored. */
  readonly canonical: string;
  /** `@` and that domain. */
  readonly #ending: string;
  readonly #names: ReadonlySet<string>;
  readonly #addresses = new Set<string>();
  readonly #places = new Set<string>();
  readonly #ports = new Set<number>([0]);
  #siblingPlaces: ReadonlySet<string> = new Set();
  #siblingHosts: ReadonlySet<string> = new Set();

  constructor(names: readonly string[]) {
    this.canonical = names[0] as string;
    this.#ending = `@${this.canonical}`;
    this.#names = new Set(names);
  }

  /** Adds an address this server listens on, or is advertised under. */
  listening(transport: string, address: string, port: number): void {
    const host = hostText(address);
    this.#addresses.add(host);
    this.#ports.add(port);
    addPlace(this.#places, transport, host, port);
  }

  /** Replaces the addresses of the other nodes. */
  siblings(addresses: Iterable<string>): void {
    const places = new Set<string>();
    const hosts = new Set<string>();
    for (const text of addresses) {
      const { transport, address, port } = readPlace(text);
      const host = hostText(address);
      hosts.add(host);
      addPlace(places, transport, host, port);
    }
    this.#siblingPlaces = places;
    this.#siblingHosts = hosts;
  }

  /**
   * The address-of-record `sip:user@domain` at our first domain and with nothing else about it, as nearly every REGISTER
   * writes it; undefined: it must be read.
   */
  plain(uri: string): AddressOfRecord | undefined {
    const end = uri.length - this.#ending.length;
    // Slices are compared in a fraction of the time that `startsWith` and `endsWith` take.
    if (end <= SCHEME.length || uri.slice(0, SCHEME.length) !== SCHEME) return undefined;
    if (uri.slice(end) !== this.#ending) return undefined;
    const user = uri.slice(SCHEME.length, end);
    if (!isToken(user, 0, user.length) || user.indexOf("%") >= 0) return undefined;
    return { user, host: this.canonical };
  }

  /** Whether an address-of-record at this host is ours to keep; a port in it says nothing. */
  serves(host: string): boolean {
    return this.#names.has(host) || this.#addresses.has(host) || this.#siblingHosts.has(host);
  }

  /** Whether a Request-URI or a route leads to this very server. */
  isSelf(uri: SipUri): boolean {
    if (this.#places.has(`${uri.host}:${uri.port}`)) return true;
    return this.#names.has(uri.host) && this.#ports.has(uri.port);
  }

  /** Whether it leads to this server or another node of its system. */
  leadsHere(uri: SipUri): boolean {
    return this.isSelf(uri) || this.isSibling(uri);
  }

  /** Whether a Via's sent-by is ours. */
  isOwnPlace(host: string, port: number): boolean {
    return this.#places.has(`${host}:${port}`);
  }

  /** Whether it leads to another node of the same system. */
  isSibling(uri: SipUri): boolean {
    return this.#siblingPlaces.has(`${uri.host}:${uri.port}`);
  }

  /** The store's key of an address-of-record at one of our hosts. */
  key(user: string): string {
    return `${KEY_PREFIX}${unescapeUser(user)}@${this.canonical}`;
  }

  /** The address-of-record as people write it. */
  name(user: string): string {
    return `${unescapeUser(user)}@${this.canonical}`;
  }
}

/** The address-of-record that is stored under a key. */
export function nameOfKey(key: string): string {
  return key.slice(KEY_PREFIX.length);
}

/** The user of that address-of-record. */
export function userOfKey(key: string): string {
  return key.slice(KEY_PREFIX.length, key.lastIndexOf("@"));
}

/** An address as the host of a URI: IPv6 in brackets. */
export function hostText(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** `host:0` stands for the place too where the port is the transport's default one. */
function addPlace(places: Set<string>, transport: string, host: string, port: number): void {
  places.add(`${host}:${port}`);
  const usual = transport === "tls" || transport === "wss" ? 5061 : 5060;
  if (port === usual) places.add(`${host}:0`);
}
