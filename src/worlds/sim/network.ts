/**
 * The simulated network: how long a packet takes, whether it arrives, and the faults set on it. A Rule sees each
 * packet; the first that does not let it pass decides.
 */
import type { Instant, Peer, TransportName } from "../../core/machine.ts";
import type { Prng } from "./prng.ts";

/** A packet as rules see it. */
export interface Packet {
  readonly transport: TransportName;
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly size: number;
}

export function packetOf(peer: Peer, size: number): Packet {
  return {
    transport: peer.transport,
    from: peer.localAddress,
    fromPort: peer.localPort,
    to: peer.address,
    toPort: peer.port,
    size,
  };
}

/**
 * `pass`: the network's own latency; `drop`: it is lost without a word; `reject`: the host answers that nobody is there,
 * by ICMP port unreachable or RST; `unreachable`: a router answers that there is no way, by ICMP host unreachable, which
 * a connection that stands takes for loss (RFC 1122 §4.2.3.9).
 */
export type Verdict =
  | { readonly kind: "pass" }
  | { readonly kind: "drop" }
  | { readonly kind: "reject" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "delay"; readonly ms: number };

/** What a test does to packets. */
export type Rule = (now: Instant, packet: Packet) => Verdict;

/** Nothing happens to the packet. */
export const PASS: Verdict = { kind: "pass" };
/** The packet is lost. */
export const DROP: Verdict = { kind: "drop" };
/** The sender is told: ICMP for datagrams, a reset for streams. */
export const REJECT: Verdict = { kind: "reject" };
export const UNREACHABLE: Verdict = { kind: "unreachable" };

/** How the network is without faults. */
export interface NetworkOptions {
  /** One way, milliseconds: drawn uniformly between the two for each packet. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Share of datagrams lost, 0..1. */
  readonly loss: number;
  /** Share of datagrams that arrive twice, 0..1. */
  readonly duplication: number;
}

/** 0.1 ms each way, and nothing is lost. */
export const QUIET_NETWORK: NetworkOptions = { latencyMs: [0.1, 0.1], loss: 0, duplication: 0 };

/** A datagram's fate: when its copies arrive (none: lost), or that it was rejected. */
export interface Fate {
  readonly rejected: "refused" | "unreachable" | undefined;
  readonly delaysMs: readonly number[];
}

const LOST: Fate = { rejected: undefined, delaysMs: [] };

/**
 * What happens to packets on their way: latency, loss, duplication, partitions, and rules of a test.
 */
export class Network {
  options: NetworkOptions;
  readonly #prng: Prng;
  readonly #rules = new Map<string, Rule>();

  constructor(prng: Prng, options: NetworkOptions = QUIET_NETWORK) {
    this.#prng = prng;
    this.options = options;
  }

  /** Sets or replaces the fault of that name. */
  fault(name: string, rule: Rule): void {
    this.#rules.set(name, rule);
  }

  heal(name: string): void {
    this.#rules.delete(name);
  }

  healAll(): void {
    this.#rules.clear();
    this.options = { ...this.options, loss: 0, duplication: 0 };
  }

  /** Cuts two sides off from each other; an empty side means everybody else. */
  partition(name: string, side: readonly string[], other: readonly string[] = []): void {
    const inside = new Set(side);
    const beyond = new Set(other);
    const far = (address: string) =>
      beyond.size === 0 ? !inside.has(address) : beyond.has(address);
    this.fault(name, (_now, packet) => {
      const cut =
        (inside.has(packet.from) && far(packet.to)) || (inside.has(packet.to) && far(packet.from));
      return cut ? DROP : PASS;
    });
  }

  judge(now: Instant, packet: Packet): Verdict {
    for (const rule of this.#rules.values()) {
      const verdict = rule(now, packet);
      if (verdict.kind !== "pass") return verdict;
    }
    return PASS;
  }

  latencyMs(): number {
    const [least, most] = this.options.latencyMs;
    return least === most ? least : least + this.#prng.fraction() * (most - least);
  }

  fate(now: Instant, packet: Packet): Fate {
    const verdict = this.judge(now, packet);
    if (verdict.kind === "drop") return LOST;
    if (verdict.kind === "reject") return { rejected: "refused", delaysMs: [] };
    if (verdict.kind === "unreachable") return { rejected: "unreachable", delaysMs: [] };
    const extra = verdict.kind === "delay" ? verdict.ms : 0;
    const { loss, duplication } = this.options;
    if (loss > 0 && this.#prng.chance(loss)) return LOST;
    const first = extra + this.latencyMs();
    if (duplication > 0 && this.#prng.chance(duplication)) {
      return { rejected: undefined, delaysMs: [first, extra + this.latencyMs()] };
    }
    return { rejected: undefined, delaysMs: [first] };
  }
}
