/**
 * The user part of a route that leads over one flow of one node (RFC 5626 §5.1, §5.3): who holds the flow, and
 * where its far end is, sealed so that nobody outside can forge it (R99).
 */
import type { FlowId, Target, TransportName } from "../machine.ts";
import type { Hash } from "../primitives.ts";

export interface FlowToken {
  readonly node: string;
  readonly boot: string;
  /** For datagrams the bound flow it goes through, otherwise the connection. */
  readonly flow: FlowId;
  /** The far end, `transport:address:port`. */
  readonly source: string;
}

/** 80 bits, as in the example of RFC 5626 §5.2. */
const MAC_DIGITS = 20;

const BLOCK = 64;

/** Writes and reads the tokens of one system: HMAC-SHA-256 (RFC 2104) under a key that its nodes share. */
export class FlowTokens {
  readonly #hash: Hash;
  readonly #inner: string;
  readonly #outer: string;

  constructor(hash: Hash, secret: string) {
    this.#hash = hash;
    const key = hash.sha256(`${secret}:flow`);
    this.#inner = mixed(key, 0x36);
    this.#outer = mixed(key, 0x5c);
  }

  /** Names never contain the separator: it is allowed in a URI's user part, but not in a node name. */
  encode(token: FlowToken): string {
    const source = token.source.replaceAll(":", "!");
    const stem = `${token.node}*${token.boot}*${token.flow}*${source}`;
    return `${stem}*${this.#mac(stem)}`;
  }

  /** Undefined: not a token of this system. */
  decode(text: string): FlowToken | undefined {
    const end = text.lastIndexOf("*");
    if (end < 0) return undefined;
    const stem = text.slice(0, end);
    if (text.slice(end + 1) !== this.#mac(stem)) return undefined;
    const [node, boot, flow, source] = stem.split("*");
    if (node === undefined || boot === undefined || source === undefined) return undefined;
    return { node, boot, flow: Number(flow), source: source.replaceAll("!", ":") };
  }

  #mac(stem: string): string {
    const inside = this.#hash.sha256(this.#inner + stem);
    return this.#hash.sha256(this.#outer + octets(inside)).slice(0, MAC_DIGITS);
  }
}

/** The key as one block of the hash, each byte mixed with `pad`. */
function mixed(key: string, pad: number): string {
  let text = "";
  for (let index = 0; index < BLOCK; index += 1) {
    text += String.fromCharCode((index < key.length ? key.charCodeAt(index) : 0) ^ pad);
  }
  return text;
}

function octets(hexadecimal: string): string {
  let text = "";
  for (let at = 0; at < hexadecimal.length; at += 2) {
    text += String.fromCharCode(Number.parseInt(hexadecimal.slice(at, at + 2), 16));
  }
  return text;
}

/** `udp:127.0.0.1:5060`, `tcp:::1:5060`: the last colon ends the address. */
export function placeText(transport: TransportName, address: string, port: number): string {
  return `${transport}:${address}:${port}`;
}

export function readPlace(text: string): Target {
  const first = text.indexOf(":");
  const last = text.lastIndexOf(":");
  return {
    transport: text.slice(0, first) as TransportName,
    address: text.slice(first + 1, last),
    port: Number(text.slice(last + 1)),
  };
}

/** As people write it and files and flags take it: IPv6 in brackets. */
export function shownPlace(text: string): string {
  const first = text.indexOf(":");
  const last = text.lastIndexOf(":");
  if (text.indexOf(":", first + 1) === last) return text;
  return `${text.slice(0, first)}:[${text.slice(first + 1, last)}]${text.slice(last)}`;
}
