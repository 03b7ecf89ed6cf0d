/** Which of this machine's addresses the system uses towards a peer: a connected datagram socket knows, nothing is sent. */
import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { isIPv6, SocketAddress } from "node:net";

/** Remembered peers; the table starts afresh when it is full, so that a changed route is seen some day. */
const MOST_REMEMBERED = 1024;

export function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** An address spelled as the system spells it, so that it equals the sender of a datagram. */
export function canonical(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: "ipv6" }).address : address;
}

/** A datagram socket that takes numeric addresses only, so that binding and sending never wait for a name lookup. */
export function numericSocket(
  address: string,
  options: Omit<SocketOptions, "type" | "lookup">,
): Socket {
  const six = isIPv6(address);
  return createSocket({
    ...options,
    type: six ? "udp6" : "udp4",
    ...(six ? { ipv6Only: true } : {}),
    lookup: (host, _options, found) => found(null, host, six ? 6 : 4),
  });
}

export class LocalAddresses {
  readonly #known = new Map<string, string>();

  /** The local address of packets to `peer`; the unspecified address when there is no route. */
  towards(peer: string): string {
    const known = this.#known.get(peer);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    const found = probe(peer);
    this.#known.set(peer, found);
    return found;
  }
}

function probe(peer: string): string {
  const socket = numericSocket(peer, {});
  let local = isIPv6(peer) ? "::" : "0.0.0.0";
  // No route is told as an error: the unspecified address then stands.
  socket.on("error", () => undefined);
  socket.connect(9, peer);
  try {
    local = socket.address().address;
  } finally {
    socket.close();
  }
  return local;
}
