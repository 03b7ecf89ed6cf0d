/**
 * Faults on purpose, between a machine and real sockets: `drill` rehearses failures of real servers without touching
 * them, the lab injects loss and delay. A rule sees each packet and decides.
 */
import type { Peer } from "../../core/machine.ts";

export interface Packet {
  /** "open": a connection is about to be tried: no bytes yet, and a delay is no verdict on it. */
  readonly direction: "in" | "out" | "open";
  readonly peer: Peer;
  readonly bytes: Uint8Array;
}

/**
 * `drop`: silence, and a connection that is tried times out. `refuse`: the flow is lost as if the port were closed.
 * `delayMs`: later; packets that are given unequal delays may overtake one another, as on a network. `delaysMs`: a datagram
 * as often as there are delays.
 */
export type Verdict =
  | "pass"
  | "drop"
  | "refuse"
  | { readonly delayMs: number }
  | { readonly delaysMs: readonly number[] };

export type Rule = (packet: Packet) => Verdict;

/** Actions put off by a rule; all are forgotten at `close`. */
export class Delays {
  readonly #pending = new Set<NodeJS.Timeout>();

  /** As often and as late as a verdict says. */
  put(verdict: Exclude<Verdict, string>, action: () => void): void {
    if ("delayMs" in verdict) this.after(verdict.delayMs, action);
    else for (const delayMs of verdict.delaysMs) this.after(delayMs, action);
  }

  after(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      action();
    }, delayMs);
    this.#pending.add(timer);
  }

  close(): void {
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
