/**
 * The user part of a route that leads over one flow of one node (RFC 5626 §5.1, §5.3): who holds the flow, and
 * where its far end is, under a keyed hash that nobody outside can forge (R99).
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

const MAC_DIGITS = 16;

/** Names never contain the separator: it is allowed in a URI's user part, but not in a node name. */
export function encodeFlowToken(token: FlowToken, hash: Hash, secret: string): string {
  const source = token.source.replaceAll(":", "!");
  const stem = `${token.node}*${token.boot}*${token.flow}*${source}`;
  return `${stem}*${mac(stem, hash, secret)}`;
}

/** Undefined: not a token of this system. */
export function decodeFlowToken(text: string, hash: Hash, secret: string): FlowToken | undefined {
  const end = text.lastIndexOf("*");
  if (end < 0) return undefined;
  const stem = text.slice(0, end);
  if (text.slice(end + 1) !== mac(stem, hash, secret)) return undefined;
  const [node, boot, flow, source] = stem.split("*");
  if (node === undefined || boot === undefined || source === undefined) return undefined;
  return { node, boot, flow: Number(flow), source: source.replaceAll("!", ":") };
}

function mac(stem: string, hash: Hash, secret: string): string {
  return hash.sha256(`${secret}:flow:${stem}`).slice(0, MAC_DIGITS);
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
