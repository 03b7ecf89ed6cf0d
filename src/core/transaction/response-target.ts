/** Where the responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4). */
import type { Peer, Target, TransportName } from "../machine.ts";
import type { Via } from "../message/via.ts";
import { isReliable } from "./flow-record.ts";

/**
 * True for nearly all: back over the flow of the request, while there is one. Otherwise the sender wants datagrams at
 * another port than the one he sent from.
 */
export function answersGoBack(via: Via, peer: Peer): boolean {
  if (isReliable(peer.transport)) return true;
  return (via.port || 5060) === peer.port || via.rport !== undefined;
}

/**
 * The target when they do not go back; undefined if there is none. It is always at the address that the request came
 * from: `maddr` would let anybody have us send to a third party. A browser cannot be called at its sent-by (RFC 7118
 * §5). The names of sent-by are the business of whoever can ask the DNS (§18.2.2, RFC 3263 §5).
 */
export function responseTarget(via: Via, { transport, address, port }: Peer): Target | undefined {
  if (transport === "ws" || transport === "wss") return undefined;
  if (isReliable(transport)) {
    return { transport, address, port: via.port || defaultPort(transport) };
  }
  return { transport, address, port: via.rport === undefined ? via.port || 5060 : port };
}

/** The port of RFC 3261 §18.1.1, RFC 7118 where none is written. */
export function defaultPort(transport: TransportName): number {
  switch (transport) {
    case "tls":
      return 5061;
    case "ws":
      return 80;
    case "wss":
      return 443;
    default:
      return 5060;
  }
}
