/** Where the responses to a request go (RFC 3261 §18.2.2, RFC 3581 §4). */
import type { Peer, Target, TransportName } from "../machine.ts";
import type { Via } from "../message/via.ts";
import { isReliable } from "./flow-record.ts";

/**
 * True for nearly all: back over the flow of the request, while there is one. Otherwise the sender wants datagrams at
 * another address or port than those it sent from.
 */
export function answersGoBack(via: Via, peer: Peer): boolean {
  if (isReliable(peer.transport)) return true;
  if (via.params.indexOf("maddr") >= 0 && maddrOf(via) !== undefined) return false;
  return (via.port || 5060) === peer.port || via.rport !== undefined;
}

/**
 * The target when they do not go back; undefined if there is none. A browser cannot be called at its sent-by
 * (RFC 7118 §5). The names of sent-by are the business of whoever can ask the DNS (§18.2.2, RFC 3263 §5).
 */
export function responseTarget(via: Via, peer: Peer): Target | undefined {
  const { transport } = peer;
  if (transport === "ws" || transport === "wss") return undefined;
  if (isReliable(transport)) {
    return { transport, address: peer.address, port: via.port || defaultPort(transport) };
  }
  const maddr = maddrOf(via);
  if (maddr !== undefined) return { transport, address: maddr, port: via.port || 5060 };
  const port = via.rport === undefined ? via.port || 5060 : peer.port;
  return { transport, address: peer.address, port };
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

/** Only a literal address can be sent to. */
function maddrOf(via: Via): string | undefined {
  const { maddr } = via;
  if (maddr === undefined) return undefined;
  if (maddr.startsWith("[") && maddr.endsWith("]")) return maddr.slice(1, -1);
  const parts = maddr.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part)) ? maddr : undefined;
}
