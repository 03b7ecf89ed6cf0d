/**
 * I6: a call is answered or refused within C. I7, last part: a callee rings once. I10: a call that was up at both ends
 * ends only when somebody hangs up, whatever happens to the servers. Two other ends are as they should be: where the
 * policy says that hold and resume end a call at a server that was left (C40), and by a session timer that nobody
 * refreshed while the call was on hold, so that no audio showed that the other end was there (RFC 4028 §10). So does a
 * hold whose answer is lost: the other end falls silent as it was asked to, and is taken for dead (RFC 3261 §12.2.1.2).
 */
import type { Instant } from "../../../core/machine.ts";
import { signalsRegisteredOnly } from "../../../core/phone/unregistered-server.ts";
import type { RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import type { Complain, Invariant, Reach, Watched } from "./invariant.ts";
import { LateStops } from "./late-stops.ts";

/** Ends for want of an answer, or of any sign of life. */
const SILENT = new Set(["408", "timeout", "transport", "quiet", "session-expired"]);

/** Ends that somebody wanted. */
const WANTED = new Set(["hung-up", "peer-hung-up"]);

function endsLeftCalls({ servers, proxies }: RedundancyPolicy): boolean {
  return [...servers, ...proxies].some(signalsRegisteredOnly);
}

export class Calls implements Invariant {
  readonly #bounds = new Map<string, number>();
  readonly #reach: Reach;
  readonly #complain: Complain;
  /** When each call began, by node and call. */
  readonly #begunAt = new Map<string, Instant>();
  /** Outgoing calls that nobody has answered or refused yet. */
  readonly #waiting = new Map<string, Instant>();
  /** Call-ID by node and call. */
  readonly #ids = new Map<string, string>();
  /** Nodes that have answered, or been answered in, the call of that Call-ID. */
  readonly #up = new Map<string, Set<string>>();
  readonly #rung = new Set<string>();
  /** Those of them that the caller has told to stop. */
  readonly #cancelled = new Set<string>();
  readonly #lateStops = new LateStops();
  /** Calls on hold, by node, call and who holds: `us` or `peer`. */
  readonly #held = new Set<string>();
  /** Call-IDs of calls that have ended as they should at one end: the other finds out in its own way. */
  readonly #over = new Set<string>();
  /** Nodes whose policy ends calls at a server that was left. */
  readonly #strict = new Set<string>();

  constructor(watched: readonly Watched[], reach: Reach, complain: Complain) {
    this.#reach = reach;
    for (const { node, bounds, account } of watched) {
      this.#bounds.set(node, bounds.callMs);
      if (endsLeftCalls(account.policy)) this.#strict.add(node);
    }
    this.#complain = complain;
  }

  event(told: SimulatedEvent): void {
    const { at, node, event, call, direction, callId, why, by } = told;
    this.#lateStops.event(told);
    if (call === undefined || !this.#bounds.has(node)) return;
    const key = `${node} ${call}`;
    switch (event) {
      case "call.held":
        this.#held.add(`${key} ${by}`);
        break;
      case "call.resumed":
        this.#held.delete(`${key} ${by}`);
        break;
      case "call.started":
        this.#ids.set(key, String(callId));
        this.#begunAt.set(key, at);
        if (direction === "outgoing") this.#waiting.set(key, at);
        else this.#ring(at, node, String(callId));
        break;
      case "call.answered":
        this.#waiting.delete(key);
        this.#answered(node, this.#ids.get(key) ?? "");
        break;
      case "call.ended":
        this.#waiting.delete(key);
        this.#ended(at, node, key, String(why));
        break;
    }
  }

  message(message: SimulatedMessage, text: string): void {
    if (this.#bounds.has(message.node)) this.#lateStops.message(message, text);
  }

  /** Its calls end without a word, and what rings there now rings for the first time. */
  died(_now: Instant, node: string): void {
    const own = `${node} `;
    for (const key of this.#waiting.keys()) if (key.startsWith(own)) this.#waiting.delete(key);
    for (const key of this.#held) if (key.startsWith(own)) this.#held.delete(key);
    for (const key of this.#rung) if (key.startsWith(own)) this.#rung.delete(key);
    for (const [key, callId] of this.#ids) if (key.startsWith(own)) this.#over.add(callId);
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

  #ended(at: Instant, node: string, key: string, why: string): void {
    const callId = this.#ids.get(key) ?? "";
    if (why === "cancelled") this.#cancelled.add(`${node} ${callId}`);
    if (!this.#wasUp(callId) || this.#over.has(callId)) return;
    const right =
      WANTED.has(why) ||
      // Without its ACK an answer has not made a session (RFC 3261 §13.3.1.4, R15).
      why === "unacknowledged" ||
      (why === "session-expired" && this.#isHeld(key) && !this.#wasCalm(key)) ||
      (SILENT.has(why) && this.#silencedByHold(key, callId)) ||
      (why === "not-registered" && this.#strict.has(node));
    this.#over.add(callId);
    if (right) return;
    const what = `call ${key.slice(node.length + 1)} ended: ${why}`;
    this.#complain({ invariant: "I10", at, node, what });
  }

  #isHeld(key: string): boolean {
    return this.#held.has(`${key} us`) || this.#held.has(`${key} peer`);
  }

  /** Nothing kept anybody from refreshing it. */
  #wasCalm(key: string): boolean {
    return this.#reach.calmSince <= (this.#begunAt.get(key) ?? Number.NEGATIVE_INFINITY);
  }

  /** The other end has taken a hold of this one's, which has not heard so. */
  #silencedByHold(key: string, callId: string): boolean {
    if (this.#held.has(`${key} us`)) return false;
    return [...this.#ids].some(
      ([other, id]) => id === callId && other !== key && this.#held.has(`${other} peer`),
    );
  }

  #wasUp(callId: string): boolean {
    return (this.#up.get(callId)?.size ?? 0) > 1;
  }

  #ring(at: Instant, node: string, callId: string): void {
    const key = `${node} ${callId}`;
    // A late leg was told to stop, and another one has the call.
    const again = this.#cancelled.delete(key) && this.#lateStops.mayRingAgain(callId);
    if (this.#rung.has(key) && !again) {
      this.#complain({ invariant: "I7", at, node, what: `rang twice for ${callId}` });
    }
    this.#rung.add(key);
  }
}
