/**
 * Callers that told a leg to stop because it was heard of when the next place had been asked (R18). The callee has rung
 * for nothing then, and rings again for the leg that has the call. So he does for one of another CSeq, sent to meet a
 * challenge, that a frozen server delivers when the first was told to stop, as the caller wants none any more.
 */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { callIdOf, cseqOf, hasToTag, placeOf, sendsRequest } from "./glance.ts";

export class LateStops {
  /** When a place was left that had been silent to an INVITE, by node and place. */
  readonly #leftAt = new Map<string, Instant>();
  /** When each call was placed, by Call-ID. */
  readonly #placedAt = new Map<string, Instant>();
  /** Call-IDs of which a late leg was told to stop, and of those that nobody wants any more. */
  readonly #stopped = new Set<string>();
  readonly #givenUp = new Set<string>();
  /** The numbers that its legs were sent with, by Call-ID. */
  readonly #numbers = new Map<string, Set<string>>();

  event({ at, node, event, method, target, callId, direction }: SimulatedEvent): void {
    if (event === "attempt.failed" && method === "INVITE")
      this.#leftAt.set(`${node} ${target}`, at);
    if (event === "call.started" && direction === "outgoing") {
      this.#placedAt.set(String(callId), at);
    }
  }

  message(message: SimulatedMessage, text: string): void {
    const invites = text.startsWith("INVITE ");
    if (!invites && !text.startsWith("CANCEL ")) return;
    if (!sendsRequest(message, text) || hasToTag(text)) return;
    const callId = callIdOf(text);
    const placedAt = this.#placedAt.get(callId);
    if (placedAt === undefined) return;
    if (invites) {
      const numbers = this.#numbers.get(callId) ?? new Set();
      this.#numbers.set(callId, numbers.add(cseqOf(text)));
      return;
    }
    const leftAt = this.#leftAt.get(`${message.node} ${placeOf(message)}`) ?? placedAt;
    (leftAt > placedAt ? this.#stopped : this.#givenUp).add(callId);
  }

  /** Whether a callee told to stop may ring again: for the leg that is wanted, or one he cannot tell from it. */
  mayRingAgain(callId: string): boolean {
    if (this.#givenUp.has(callId)) return (this.#numbers.get(callId)?.size ?? 0) > 1;
    return this.#stopped.has(callId);
  }
}
