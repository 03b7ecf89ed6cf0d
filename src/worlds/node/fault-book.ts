/**
 * The rules of `core/network-rules.ts` on the real packets of one process: its own end is one side of every rule, the
 * addresses of peers are the other.
 */
import type { Peer } from "../../core/machine.ts";
import {
  type NetworkFault,
  type Packet,
  packetOf,
  RuleBook,
  ruleBetween,
  type Verdict,
} from "../../core/network-rules.ts";
import type { Entropy } from "../../core/primitives.ts";
import type { Rule, Verdict as Treatment } from "./faults.ts";

/** What stands for this process in its rules. */
const SELF = "self";
const EVERYBODY = "everybody";

/** Whatever lets a rule judge its packets. */
export interface Judged {
  rule: Rule | undefined;
}

export class FaultBook {
  readonly #book = new RuleBook();
  readonly #judged: Judged;
  readonly #chance: Entropy;
  /** When the last bytes of a stream that were held up go on: what comes after them waits, too. */
  readonly #heldUntil = new Map<string, number>();

  constructor(judged: Judged, chance: Entropy) {
    this.#judged = judged;
    this.#chance = chance;
  }

  /**
   * @param peers addresses; empty: everybody. An earlier fault with the same peers is over.
   * @param inward they are the first side: a delay holds up what they send.
   */
  set(fault: NetworkFault, peers: readonly string[], inward = false): void {
    const rule = inward
      ? ruleBetween(fault, peers, [SELF], this.#chance)
      : ruleBetween(fault, [SELF], peers, this.#chance);
    this.#book.fault(nameOf(peers), rule);
    this.#judged.rule = this.#rule;
  }

  /** @param peers as for `set`; undefined: all faults. */
  heal(peers?: readonly string[]): void {
    if (peers === undefined) this.#book.healAll();
    else this.#book.heal(nameOf(peers));
    if (!this.#book.empty) return;
    this.#judged.rule = undefined;
    this.#heldUntil.clear();
  }

  readonly #rule: Rule = ({ direction, peer, bytes }) => {
    const out = direction !== "in";
    const packet = out ? outward(peer, bytes.length) : inward(peer, bytes.length);
    const now = performance.now();
    const treatment = treatmentOf(this.#book.judge(now, packet));
    if (peer.transport === "udp" || peer.transport === "rtp") return treatment;
    return this.#inOrder(`${out} ${peer.localPort} ${peer.address} ${peer.port}`, treatment, now);
  };

  /** Bytes of a stream never overtake one another. */
  #inOrder(stream: string, treatment: Treatment, now: number): Treatment {
    if (treatment === "drop" || treatment === "refuse") return treatment;
    const wanted = treatment === "pass" || "delaysMs" in treatment ? 0 : treatment.delayMs;
    // Timers go by whole milliseconds, cut off: what is to come later must be later by one.
    const at = Math.max(now + wanted, (this.#heldUntil.get(stream) ?? 0) + 1);
    if (at <= now) {
      this.#heldUntil.delete(stream);
      return "pass";
    }
    this.#heldUntil.set(stream, at);
    return { delayMs: Math.ceil(at - now) };
  }
}

function nameOf(peers: readonly string[]): string {
  return peers.length === 0 ? EVERYBODY : [...peers].sort().join(" ");
}

function outward(peer: Peer, size: number): Packet {
  return { ...packetOf(peer, size), from: SELF };
}

function inward(peer: Peer, size: number): Packet {
  const { from, fromPort, to, toPort, ...rest } = outward(peer, size);
  return { ...rest, from: to, fromPort: toPort, to: from, toPort: fromPort };
}

function treatmentOf(verdict: Verdict): Treatment {
  switch (verdict.kind) {
    case "pass":
      return "pass";
    case "drop":
    case "unreachable":
      return "drop";
    case "reject":
      return "refuse";
    case "delay":
      return { delayMs: verdict.ms };
    case "copies":
      return { delaysMs: verdict.delaysMs };
  }
}
