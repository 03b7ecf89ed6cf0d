/**
 * Callers that told a leg to stop because it was heard of when the next place had been asked (R18). The callee has rung
 * for nothing then, and rings again for the leg that has the call.
 */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { callIdOf, placeOf, sendsRequest } from "./glance.ts";

export class LateStops {
  /** When a place was left that had been silent to an INVITE, by node and place. */
  readonly #leftAt = new Map<string, Instant>();
  /** When each call was placed, by Call-ID. */
  readonly #placedAt = new Map<string, Instant>();
  /** Call-IDs of which a late leg was told to stop, and of those that nobody wants any more. */
  readonly #stopped = new Set<string>();
  readonly #givenUp = new Set<string>();

  event({ at, node, event, method, target, callId, direction }: SimulatedEvent): void {
    if (event === "attempt.failed" && method === "INVITE")
      this.#leftAt.set(`${node} ${target}`, at);
    if (event === "call.started" && direction === "outgoing") {
      this.#placedAt.set(String(callId), at);
    }
  }

  message(message: SimulatedMessage, text: string): void {
    if (!text.startsWith("CANCEL ") || !sendsRequest(message, text)) return;
    const callId = callIdOf(text);
    const placedAt = this.#placedAt.get(callId);
    if (placedAt === undefined) return;
    const leftAt = this.#leftAt.get(`${message.node} ${placeOf(message)}`) ?? placedAt;
    (leftAt > placedAt ? this.#stopped : this.#givenUp).add(callId);
  }

  /** Whether the caller has stopped a leg of it and still wants the call. */
  hasStopped(callId: string): boolean {
    return this.#stopped.has(callId) && !this.#givenUp.has(callId);
  }
}
