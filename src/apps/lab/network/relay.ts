/**
 * Carries the packets between the networks of the nodes, and does to each what the rules say: the same rules
 * (`core/network-rules.ts`) as in the simulated network, on IP packets as kernels made them. What is refused is answered
 * as a kernel would, what is late waits here.
 */
import { RuleBook, type Verdict } from "../../../core/network-rules.ts";
import { MOST_LATE } from "../guests/limits.ts";
import { Connections } from "./connections.ts";
import { resetFor, type Seen, seenIn } from "./headers.ts";

export interface RelayUser {
  /** Has left its sender. */
  left(packet: Uint8Array, seen: Seen): void;
  /** Comes to its receiver. */
  arrived(packet: Uint8Array, seen: Seen): void;
}

export class Relay {
  /** What befalls the packets. */
  readonly book: RuleBook = new RuleBook();
  readonly #connections = new Connections();
  readonly #ends = new Map<string, (packet: Uint8Array, seen: Seen) => void>();
  readonly #late = new Set<NodeJS.Timeout>();
  readonly #user: RelayUser;

  constructor(user: RelayUser) {
    this.#user = user;
  }

  /** What is sent to that address is handed to `put`; what is sent to one that nobody has is lost. */
  attach(address: string, put: (packet: Uint8Array, seen: Seen) => void): void {
    this.#ends.set(address, put);
  }

  carry(packet: Uint8Array): void {
    const seen = seenIn(packet);
    if (seen === undefined) return;
    this.#user.left(packet, seen);
    const verdict = this.book.judge(performance.now(), seen);
    if (verdict.kind === "drop" || verdict.kind === "unreachable") return;
    if (verdict.kind === "reject") {
      if (seen.tcp !== undefined) this.#put(resetFor(seen, seen.tcp));
      return;
    }
    const fate = this.#connections.saw(seen);
    if (fate === "lost") return;
    if (fate !== "passes") this.#put(fate.answer);
    else if (verdict.kind === "pass") this.#put(packet);
    else this.#putLate(packet, verdict);
  }

  /** Every connection between such two addresses is over, at both ends. */
  reset(which: (from: string, to: string) => boolean): void {
    for (const packet of this.#connections.reset(which)) this.#put(packet);
  }

  close(): void {
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
    this.#ends.clear();
  }

  #putLate(packet: Uint8Array, verdict: Verdict & { readonly kind: "delay" | "copies" }): void {
    const delays = verdict.kind === "delay" ? [verdict.ms] : verdict.delaysMs;
    for (const ms of delays) {
      if (ms <= 0) this.#put(packet);
      else if (this.#late.size < MOST_LATE) {
        const timer = setTimeout(() => {
          this.#late.delete(timer);
          this.#put(packet);
        }, ms);
        this.#late.add(timer);
      }
    }
  }

  #put(packet: Uint8Array): void {
    const seen = seenIn(packet);
    const put = seen === undefined ? undefined : this.#ends.get(seen.to);
    if (seen === undefined || put === undefined) return;
    this.#user.arrived(packet, seen);
    put(packet, seen);
  }
}
