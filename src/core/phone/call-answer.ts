/**
 * A 2xx to INVITE, repeated from end to end until the ACK comes (RFC 3261 §13.3.1.4, R15): at T1, doubling up to T2,
 * over any transport; without ACK for 64·T1 its owner is told. Of the first INVITE of a call and of later ones.
 */
import type { Instant } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import type { Request, Response } from "../message/message.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { ServerTransaction } from "../transaction/user.ts";

export interface CallAnswerOwner {
  /** Once; `ack` may carry the answer to our offer. */
  answerAcknowledged(now: Instant, ack: Request): void;
  answerUnacknowledged(now: Instant): void;
}

export interface AnswerTiming {
  readonly t1Ms: number;
  readonly t2Ms: number;
}

export class CallAnswer implements TimerOwner {
  readonly #owner: CallAnswerOwner;
  readonly #timers: Timers;
  readonly #timing: AnswerTiming;
  readonly #transaction: ServerTransaction;
  readonly #response: Response;
  readonly #resend: Timer;
  readonly #giveUp: Timer;
  #spacing: number;

  constructor(
    owner: CallAnswerOwner,
    timers: Timers,
    timing: AnswerTiming,
    transaction: ServerTransaction,
    response: Response,
  ) {
    this.#owner = owner;
    this.#timers = timers;
    this.#timing = timing;
    this.#transaction = transaction;
    this.#response = response;
    this.#spacing = timing.t1Ms;
    this.#resend = new Timer("2xx", this);
    this.#giveUp = new Timer("ack", this);
  }

  start(now: Instant): void {
    this.#transaction.respond(now, this.#response);
    this.#timers.set(this.#resend, now + this.#spacing);
    this.#timers.set(this.#giveUp, now + 64 * this.#timing.t1Ms);
  }

  /** @returns whether the ACK is for this answer. */
  acknowledged(now: Instant, ack: Request): boolean {
    const ours = cseqOf(this.#transaction.request.headers)?.number;
    if (cseqOf(ack.headers)?.number !== ours || !this.#giveUp.pending) return false;
    this.stop();
    this.#owner.answerAcknowledged(now, ack);
    return true;
  }

  stop(): void {
    this.#timers.silence(this.#resend);
    this.#timers.silence(this.#giveUp);
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#giveUp) {
      this.stop();
      this.#owner.answerUnacknowledged(now);
      return;
    }
    this.#transaction.respond(now, this.#response);
    this.#spacing = Math.min(2 * this.#spacing, this.#timing.t2Ms);
    this.#timers.set(timer, now + this.#spacing);
  }
}
