/**
 * An incoming call until it is taken (RFC 3261 §13.3.1): the offer looked at, 180 said and said again, and what the
 * caller may ask in the early dialog: PRACK (RFC 3262 §3) and UPDATE (RFC 3311 §5.2).
 */
import type { Refusal } from "../dialog/offer-answer.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { responseTo } from "../message/print.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import type { Flow, ServerTransaction } from "../transaction/user.ts";
import { answerPlainly, answerTooSoon, refuseBody } from "./call-answers.ts";
import { type CallArrival, refusalOf } from "./call-arrival.ts";
import type { CallEnvironment } from "./call-environment.ts";
import { wantsReliability } from "./call-extensions.ts";
import type { CallMedia } from "./call-media.ts";
import { type ProvisionalOwner, ReliableProvisionals } from "./call-provisional.ts";
import { answerUpdate } from "./call-update.ts";

export interface RingingOwner {
  /** What kept the call from being answered is over: its PRACK has come. */
  answerable(now: Instant): void;
  /** Nobody took the call (480), or the caller does not acknowledge (500, RFC 3262 §3). */
  ringingFailed(now: Instant, status: number, why: string): void;
}

/** 180 is repeated so often; a call that nobody takes ends after the third. */
const RING_AGAIN_MS = 60_000;
const RINGS = 3;

const OFFER_TOO_SOON: Refusal = {
  kind: "refusal",
  status: 488,
  warning: 399,
  why: "the first offer has not been answered",
};

export class CallRinging implements TimerOwner, ProvisionalOwner {
  readonly #environment: CallEnvironment;
  readonly #arrival: CallArrival;
  readonly #media: CallMedia;
  readonly #owner: RingingOwner;
  readonly #timer: Timer;
  readonly #reliable: ReliableProvisionals | undefined;
  /** The answer to the caller's offer, ready to be sent. */
  #answer: string | undefined;
  #rings = 0;

  constructor(
    environment: CallEnvironment,
    arrival: CallArrival,
    media: CallMedia,
    owner: RingingOwner,
  ) {
    this.#environment = environment;
    this.#arrival = arrival;
    this.#media = media;
    this.#owner = owner;
    this.#timer = new Timer("ring", this);
    if (wantsReliability(arrival.request, environment.callPolicy)) {
      const { timers, policy, entropy } = environment;
      this.#reliable = new ReliableProvisionals(
        this,
        timers,
        policy.t1Ms,
        arrival.transaction,
        entropy,
      );
    }
  }

  /** Looks at the offer before anybody is disturbed by it. */
  consider(): Refusal | undefined {
    const { flow, request } = this.#arrival;
    if (request.body === "") return undefined;
    const answer = this.#media.answer(flow, request.body, "sendrecv");
    if (answer.kind === "refusal") return answer;
    this.#answer = answer.body;
    return undefined;
  }

  ring(now: Instant): void {
    const response = this.#arrival.ringing();
    this.#environment.timers.set(this.#timer, now + RING_AGAIN_MS);
    if (this.#reliable === undefined) {
      this.#arrival.transaction.respond(now, response);
      return;
    }
    // The first reliable answer to an INVITE without offer must make one (RFC 3262 §5).
    if (this.#arrival.request.body === "" && this.#media.negotiated === undefined) {
      if (this.#reliable.pending !== undefined) return;
      response.body = this.#media.offer(this.#arrival.flow, "sendrecv");
      response.headers.add("content-type", "application/sdp");
    }
    this.#reliable.send(now, response);
  }

  /** Whether a 200 may be sent: not before the PRACK for a description (RFC 3262 §3). */
  get mayAnswer(): boolean {
    return (this.#reliable?.pending?.body ?? "") === "";
  }

  /** The body of the 200: an answer, an offer, or nothing more to say. */
  acceptance(): string {
    if (this.#answer !== undefined) return this.#answer;
    if (this.#media.negotiated !== undefined) return "";
    return this.#media.offer(this.#arrival.flow, "sendrecv");
  }

  /** A request of the caller's before the call is answered. */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void {
    const { request } = transaction;
    transaction.respond(now, this.#response(now, request, flow));
    if (request.method === "PRACK" && this.mayAnswer) this.#owner.answerable(now);
  }

  /** A PRACK that comes late is still answered. */
  pracked(now: Instant, request: Request): Response {
    const reliable = this.#reliable;
    if (reliable?.names(request) !== true) return responseTo(request, 481);
    const refusal = refuseBody(request);
    if (refusal !== undefined) return refusal;
    if (reliable.pending?.body !== "") {
      const learnt = this.#media.learn(this.#arrival.flow, request.body);
      if (learnt.kind === "refusal") {
        this.#owner.ringingFailed(now, learnt.status, `bad-answer: ${learnt.why}`);
        return refusalOf(request, learnt);
      }
    } else if (request.body !== "") {
      // The offer of the INVITE waits for its answer: this cannot be another one (RFC 3262 §5).
      return refusalOf(request, OFFER_TOO_SOON);
    }
    reliable.acknowledged();
    return responseTo(request, 200);
  }

  stop(): void {
    this.#environment.timers.silence(this.#timer);
    this.#reliable?.close();
  }

  rang(now: Instant): void {
    this.#rings += 1;
    if (this.#rings === RINGS) this.#owner.ringingFailed(now, 480, "no-answer");
    else this.ring(now);
  }

  provisionalUnacknowledged(now: Instant): void {
    this.#owner.ringingFailed(now, 500, "unacknowledged");
  }

  #response(now: Instant, request: Request, flow: Flow): Response {
    const { callPolicy, entropy } = this.#environment;
    switch (request.method) {
      case "INVITE":
        return answerTooSoon(request, entropy);
      case "PRACK":
        return this.pracked(now, request);
      case "UPDATE":
        return answerUpdate(request, flow, {
          environment: this.#environment,
          dialog: this.#arrival.dialog,
          media: this.#media,
          wish: "sendrecv",
          owesAnswer: this.#answer !== undefined,
        });
      default:
        return answerPlainly(request, callPolicy, (key) => this.#media.keyPressed(now, key));
    }
  }
}
