/**
 * I6: a call is answered or refused within C. I7, last part: a callee rings once. I10: a call that was up at both ends
 * ends only when somebody hangs up, whatever happens to the servers.
 */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";

/** Ends that somebody wanted. */
const WANTED = new Set(["hung-up", "peer-hung-up"]);

export class Calls implements Invariant {
  readonly #bounds = new Map<string, number>();
  readonly #complain: Complain;
  /** Outgoing calls that nobody has answered or refused yet. */
  readonly #waiting = new Map<string, Instant>();
  /** Call-ID by node and call. */
  readonly #ids = new Map<string, string>();
  /** Nodes that have answered, or been answered in, the call of that Call-ID. */
  readonly #up = new Map<string, Set<string>>();
  readonly #rung = new Set<string>();

  constructor(watched: readonly Watched[], complain: Complain) {
    for (const { node, bounds } of watched) this.#bounds.set(node, bounds.callMs);
    this.#complain = complain;
  }

  event({ at, node, event, call, direction, callId, why }: SimulatedEvent): void {
    if (!this.#bounds.has(node)) return;
    const key = `${node} ${call}`;
    switch (event) {
      case "call.started":
        this.#ids.set(key, String(callId));
        if (direction === "outgoing") this.#waiting.set(key, at);
        else this.#ring(at, node, String(callId));
        break;
      case "call.answered":
        this.#waiting.delete(key);
        this.#answered(node, this.#ids.get(key) ?? "");
        break;
      case "call.ended":
        this.#waiting.delete(key);
        if (this.#wasUp(this.#ids.get(key) ?? "") && !WANTED.has(String(why))) {
          const what = `call ${call} ended: ${why}`;
          this.#complain({ invariant: "I10", at, node, what });
        }
        break;
    }
  }

  check(now: Instant): void {
    for (const [key, since] of this.#waiting) {
      const [node = "", call] = key.split(" ");
      const bound = this.#bounds.get(node) ?? Number.POSITIVE_INFINITY;
      if (now - since <= bound) continue;
      this.#waiting.delete(key);
      const what = `call ${call} neither answered nor refused after ${Math.round(bound)} ms`;
      this.#complain({ invariant: "I6", at: now, node, what });
    }
  }

  #answered(node: string, callId: string): void {
    const nodes = this.#up.get(callId) ?? new Set();
    this.#up.set(callId, nodes.add(node));
  }

  #wasUp(callId: string): boolean {
    return (this.#up.get(callId)?.size ?? 0) > 1;
  }

  #ring(at: Instant, node: string, callId: string): void {
    const key = `${node} ${callId}`;
    if (this.#rung.has(key)) {
      this.#complain({ invariant: "I7", at, node, what: `rang twice for ${callId}` });
    }
    this.#rung.add(key);
  }
}
