/** Whether a phone is reached at its Contact or only over the flow it opened: RFC 5626 §1, RFC 3581 §1. */
import type { Peer } from "../machine.ts";
import type { Headers } from "../message/headers.ts";
import { OPEN_BRACKET } from "../message/lexer.ts";
import { parseUri } from "../message/uri.ts";
import { hasOneVia, topVia } from "../message/via.ts";
import type { Sight } from "./binding.ts";
import { readPlace } from "./flow-token.ts";

export function sightOf(headers: Headers, peer: Peer): Sight {
  const via = topVia(headers);
  if (via === undefined || !hasOneVia(headers)) return "proxied";
  const { transport, address, port } = peer;
  if (bareHost(via.host) !== address) return "nat";
  return transport !== "udp" || (via.port || 5060) === port ? "same" : "nat";
}

/**
 * @param source where its packets come from, `transport:address:port`.
 * @param outbound the phone asked for RFC 5626: its Contact says nothing about where it is.
 */
export function needsFlow(
  sight: Sight,
  source: string,
  contact: string,
  outbound: boolean,
): boolean {
  if (sight === "proxied") return false;
  if (outbound || sight === "nat") return true;
  const { transport, address } = readPlace(source);
  if (transport === "udp") return false;
  // A connection is used again, unless the Contact names another machine (registered by a third party).
  const host = bareHost(parseUri(contact)?.host ?? "");
  return host === address || !/^[\d.]+$|:/.test(host);
}

/** In a URI: its flow is kept by RFC 5626, by whoever it leads to first (§5.3, §11.4). */
const OUTBOUND = /;ob(?![\w\-.!%*+`'~$[\]/:&])/i;

export function saysOutbound(uri: string): boolean {
  return OUTBOUND.test(uri);
}

/** IPv6 without its brackets. */
export function bareHost(host: string): string {
  return host.charCodeAt(0) === OPEN_BRACKET ? host.slice(1, -1) : host;
}
