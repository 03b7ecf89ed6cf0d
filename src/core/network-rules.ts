/**
 * What befalls packets on purpose: a Rule sees each packet, and the first that does not let it pass decides. The
 * simulated network and real sockets keep the same book, so that a fault is the same in both.
 */
import type { Instant, Peer, TransportName } from "./machine.ts";
import type { Entropy } from "./primitives.ts";

/** A packet as rules see it. */
export interface Packet {
  readonly transport: TransportName;
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly size: number;
}

/** What goes out on a flow. */
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
 * a connection that stands takes for loss (RFC 1122 §4.2.3.9); `delay`: it takes so much longer, and a stream keeps its
 * order; `copies`: a datagram arrives as often as there are delays.
 */
export type Verdict =
  | { readonly kind: "pass" }
  | { readonly kind: "drop" }
  | { readonly kind: "reject" }
  | { readonly kind: "unreachable" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "copies"; readonly delaysMs: readonly number[] };

/** What a test does to packets. */
export type Rule = (now: Instant, packet: Packet) => Verdict;

/** Nothing happens to the packet. */
export const PASS: Verdict = { kind: "pass" };
/** The packet is lost. */
export const DROP: Verdict = { kind: "drop" };
/** The sender is told: ICMP for datagrams, a reset for streams. */
export const REJECT: Verdict = { kind: "reject" };
export const UNREACHABLE: Verdict = { kind: "unreachable" };

/** Rules by name. */
export class RuleBook {
  readonly #rules = new Map<string, Rule>();

  get empty(): boolean {
    return this.#rules.size === 0;
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
  }

  judge(now: Instant, packet: Packet): Verdict {
    for (const rule of this.#rules.values()) {
      const verdict = rule(now, packet);
      if (verdict.kind !== "pass") return verdict;
    }
    return PASS;
  }
}

/**
 * What can befall the way between two places. `share` of the packets, 0..1, is lost, comes twice, or comes `ms` late and
 * so behind others. `refuse` answers connections with a reset; a datagram that a process refuses is silence to its
 * sender. `delay` holds up what the first side sends.
 */
export type NetworkFault =
  | { readonly kind: "drop" | "refuse" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "lose" | "duplicate"; readonly share: number }
  | { readonly kind: "reorder"; readonly share: number; readonly ms: number };

/** A segment that is lost comes again after so long (RFC 6298 §2.4 as systems have it), milliseconds. */
const RESENT_MS = 200;
/** The second copy of a datagram comes so much later, milliseconds. */
const ECHO_MS = 1;

/**
 * The rule of a fault between two sides, each given by its addresses; an empty other side is everybody else. Streams
 * bring everything once and in order, so what is lost of them is late, and nothing of them comes twice or too soon.
 */
export function ruleBetween(
  fault: NetworkFault,
  side: readonly string[],
  other: readonly string[],
  chance: Entropy,
): Rule {
  const inside = new Set(side);
  const beyond = new Set(other);
  const far = (address: string): boolean =>
    beyond.size === 0 ? !inside.has(address) : beyond.has(address);
  return (_now, { from, to, transport }) => {
    const leaves = inside.has(from) && far(to);
    if (!leaves && !(inside.has(to) && far(from))) return PASS;
    return verdictOn(fault, leaves, transport === "udp" || transport === "rtp", chance);
  };
}

function verdictOn(
  fault: NetworkFault,
  leaves: boolean,
  datagram: boolean,
  chance: Entropy,
): Verdict {
  const hits = (share: number): boolean => chance.uint32() / 0x1_0000_0000 < share;
  switch (fault.kind) {
    case "drop":
      return DROP;
    case "refuse":
      return datagram ? DROP : REJECT;
    case "delay":
      return leaves ? { kind: "delay", ms: fault.ms } : PASS;
    case "lose":
      if (!hits(fault.share)) return PASS;
      return datagram ? DROP : { kind: "delay", ms: RESENT_MS };
    case "duplicate":
      return datagram && hits(fault.share) ? { kind: "copies", delaysMs: [0, ECHO_MS] } : PASS;
    case "reorder":
      return datagram && hits(fault.share) ? { kind: "delay", ms: fault.ms } : PASS;
  }
}
