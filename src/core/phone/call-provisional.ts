/**
 * A provisional response that must arrive, as its sender sees it (RFC 3262 §3, R61): repeated at T1, doubling, until
 * its PRACK comes; one at a time. Without PRACK for 64·T1 its owner is told.
 */
import { uniform } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import { cseqOf, parseCSeq } from "../message/cseq.ts";
import type { Request, Response } from "../message/message.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { ServerTransaction } from "../transaction/user.ts";

export interface ProvisionalOwner {
  provisionalUnacknowledged(now: Instant): void;
}

export class ReliableProvisionals implements TimerOwner {
  readonly #owner: ProvisionalOwner;
  readonly #timers: Timers;
  readonly #t1Ms: number;
  readonly #transaction: ServerTransaction;
  readonly #resend: Timer;
  readonly #giveUp: Timer;
  /** Of the response sent last. */
  #rseq: number;
  #response: Response | undefined;
  #spacing = 0;
  #closed = false;

  constructor(
    owner: ProvisionalOwner,
    timers: Timers,
    t1Ms: number,
    transaction: ServerTransaction,
    entropy: Entropy,
  ) {
    this.#owner = owner;
    this.#timers = timers;
    this.#t1Ms = t1Ms;
    this.#transaction = transaction;
    // So far below 2^31 that no call counts beyond it.
    this.#rseq = Math.floor(uniform(entropy, 0, 0x4000_0000));
    this.#resend = new Timer("1xx", this);
    this.#giveUp = new Timer("prack", this);
  }

  /** The response sent last that still waits for its PRACK. */
  get pending(): Response | undefined {
    return this.#response;
  }

  /** Sends a response above 100; while one before it waits, the new one says nothing that is urgent and is left out. */
  send(now: Instant, response: Response): void {
    if (this.#response !== undefined || this.#closed) return;
    this.#rseq += 1;
    response.headers.add("require", "100rel").add("rseq", String(this.#rseq));
    this.#response = response;
    this.#spacing = this.#t1Ms;
    this.#transaction.respond(now, response);
    this.#timers.set(this.#resend, now + this.#spacing);
    this.#timers.set(this.#giveUp, now + 64 * this.#t1Ms);
  }

  /** @returns whether the PRACK names the response that waits for it. */
  names(prack: Request): boolean {
    const rack = /^(\d{1,10})[ \t]+(.*)$/.exec(prack.headers.get("rack") ?? "");
    const invite = parseCSeq(rack?.[2] ?? "");
    const ours = cseqOf(this.#transaction.request.headers);
    return (
      this.#response !== undefined &&
      Number(rack?.[1]) === this.#rseq &&
      invite?.number === ours?.number &&
      invite?.method === "INVITE"
    );
  }

  acknowledged(): void {
    this.#response = undefined;
    this.#silence();
  }

  /** A final response has been sent: nothing is repeated any more, a PRACK that comes late is still its own. */
  close(): void {
    this.#closed = true;
    this.#silence();
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#giveUp) {
      this.close();
      this.#owner.provisionalUnacknowledged(now);
      return;
    }
    this.#transaction.respond(now, this.#response as Response);
    this.#spacing *= 2;
    this.#timers.set(timer, now + this.#spacing);
  }

  #silence(): void {
    this.#timers.silence(this.#resend);
    this.#timers.silence(this.#giveUp);
  }
}
