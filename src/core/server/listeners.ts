/** The addresses this server listens on, and which of them it names to whom. */
import type { FlowId, Local, Peer, TransportName } from "../machine.ts";
import { placeText } from "./flow-token.ts";

/** A listening address as peers can use it: never a wildcard. */
export interface Place {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
}

export class Listeners {
  readonly #advertised: string | undefined;
  readonly #places = new Map<FlowId, Place>();
  /** Bound flows for datagrams, which leave through a socket of their own family only. */
  readonly #datagrams = new Map<FlowId, "ipv4" | "ipv6">();
  #addresses: readonly string[] = [];

  /** @param advertised what peers are told instead of a wildcard address. */
  constructor(advertised: string | undefined) {
    this.#advertised = advertised;
  }

  add(flow: FlowId, local: Local): Place {
    const wild = local.address === "0.0.0.0" || local.address === "::";
    const address = wild && this.#advertised !== undefined ? this.#advertised : local.address;
    const place = { transport: local.transport, address, port: local.port };
    this.#places.set(flow, place);
    if (local.transport === "udp") this.#datagrams.set(flow, familyOf(local.address));
    this.#addresses = this.#list();
    return place;
  }

  remove(flow: FlowId): void {
    this.#places.delete(flow);
    this.#datagrams.delete(flow);
    this.#addresses = this.#list();
  }

  get flows(): readonly FlowId[] {
    return [...this.#places.keys()];
  }

  get transports(): readonly TransportName[] {
    return [...new Set([...this.#places.values()].map(({ transport }) => transport))];
  }

  /** The bound flow that datagrams leave through: `preferred` if it can be, otherwise the first; 0 if there is none. */
  datagramsFrom(preferred: FlowId, address: string): FlowId {
    const family = familyOf(address);
    if (this.#datagrams.get(preferred) === family) return preferred;
    for (const [flow, own] of this.#datagrams) if (own === family) return flow;
    return 0;
  }

  /** Where a bound flow is; undefined: it is none of ours. */
  addressOf(flow: FlowId): string | undefined {
    return this.#places.get(flow)?.address;
  }

  /** The place to name to the far end of a flow: where it can reach us again. */
  placeFor(peer: Peer): Place {
    const own = this.#places.get(peer.listener);
    if (own !== undefined) return own;
    const places = [...this.#places.values()];
    const alike = places.filter(({ transport }) => transport === peer.transport);
    const here = alike.find(({ address }) => address === peer.localAddress);
    return here ?? alike[0] ?? (places[0] as Place);
  }

  /** Every place as text, the one for other nodes first: datagrams if there are any. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  #list(): string[] {
    const places = [...this.#places.values()];
    const datagrams = places.filter(({ transport }) => transport === "udp");
    const streams = places.filter(({ transport }) => transport !== "udp");
    return [...datagrams, ...streams].map(({ transport, address, port }) =>
      placeText(transport, address, port),
    );
  }
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
