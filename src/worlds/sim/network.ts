/** The simulated network: how long a packet takes, whether it arrives, and the rules that have been set on it. */
import type { Instant } from "../../core/machine.ts";
import {
  type Packet,
  type Rule,
  RuleBook,
  ruleBetween,
  type Verdict,
} from "../../core/network-rules.ts";
import type { Prng } from "./prng.ts";

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
  readonly #rules = new RuleBook();

  constructor(prng: Prng, options: NetworkOptions = QUIET_NETWORK) {
    this.#prng = prng;
    this.options = options;
  }

  /** Sets or replaces the fault of that name. */
  fault(name: string, rule: Rule): void {
    this.#rules.fault(name, rule);
  }

  heal(name: string): void {
    this.#rules.heal(name);
  }

  healAll(): void {
    this.#rules.healAll();
    this.options = { ...this.options, loss: 0, duplication: 0 };
  }

  /** Cuts two sides off from each other; an empty side means everybody else. */
  partition(name: string, side: readonly string[], other: readonly string[] = []): void {
    this.fault(name, ruleBetween({ kind: "drop" }, side, other, this.#prng));
  }

  judge(now: Instant, packet: Packet): Verdict {
    return this.#rules.judge(now, packet);
  }

  latencyMs(): number {
    const [least, most] = this.options.latencyMs;
    return least === most ? least : least + this.#prng.fraction() * (most - least);
  }

  /** Nothing befalls a datagram but latency: no rule, no other chance. Otherwise see `fate`. */
  get plain(): boolean {
    const { loss, duplication } = this.options;
    return loss === 0 && duplication === 0 && this.#rules.empty;
  }

  fate(now: Instant, packet: Packet): Fate {
    const verdict = this.judge(now, packet);
    if (verdict.kind === "drop") return LOST;
    if (verdict.kind === "reject") return { rejected: "refused", delaysMs: [] };
    if (verdict.kind === "unreachable") return { rejected: "unreachable", delaysMs: [] };
    if (verdict.kind === "copies") {
      const delaysMs = verdict.delaysMs.map((ms) => ms + this.latencyMs());
      return { rejected: undefined, delaysMs };
    }
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
