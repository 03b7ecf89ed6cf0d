/**
 * A server that has too much to do says so early (RFC 7339, RFC 7415, R108). Clients that offered to keep requests back
 * are told how many; of the others some are refused, with a Retry-After that spreads their return (R111).
 *
 * How much is too much is a fact of the world: how long what arrives waits until it is looked at. From it the share to
 * be kept back is found as PIE does for a queue (RFC 8033 §4.2): by its distance from a target, and by its trend.
 */
import { uniform } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { type OverloadReport, offeredIn, withReport } from "../message/overload.ts";
import { replaceTopParams, topVia, type Via } from "../message/via.ts";
import type { Entropy } from "../primitives.ts";
import { isPreferred, LossSieve } from "../transaction/throttle.ts";
import type { Flow } from "../transaction/user.ts";
import type { TraceEvent } from "../vocabulary.ts";

export interface OverloadOptions {
  readonly entropy: Entropy;
  /** Seconds over which what is refused is asked to come back, where half of all is; the more the longer. */
  readonly retrySpread: number;
  /** Milliseconds since the epoch, at instant 0. */
  readonly epochOffset: number;
  report(event: TraceEvent): void;
}

/** Two of these waits are far below T1, so that nobody resends yet. */
const TARGET_WAIT_MS = 100;

/** Where even those are refused who have been told and go on: what was told does not suffice. */
const HARD_WAIT_MS = 400;

/** What a second of wait above the target, and of growth since the last fact, adds to the share. */
const DISTANCE_GAIN = 0.5;
const TREND_GAIN = 2;

/** Something must get through, or nobody would be told that it is over. */
const MOST_LOSS = 0.98;

const VALIDITY_MS = 1_000;

/** So long after the end clients are still told that it has come. */
const FAREWELL_MS = 2_000;

const LONGEST_RETRY_SECONDS = 600;

/** Clients that asked for a rate and share it, as far as they are counted, and for how long that is believed. */
const MAX_RATE_CLIENTS = 1_000;
const COUNTING_MS = 1_000;

export class Overload {
  /** Something is to be done about requests; false: not even a look at them. */
  active = false;
  readonly #options: OverloadOptions;
  readonly #sieve: LossSieve;
  #loss = 0;
  #waitMs = 0;
  #relievedAt: Instant = 0;
  #sequence = 0;
  /** Requests taken, and refused, since it began. */
  #refused = 0;
  /** For RFC 7415: requests taken in the second that is being counted, and in the one before. */
  #countedFrom: Instant = 0;
  #taken = 0;
  #takenPerSecond = 0;
  readonly #rateClients = new Set<string>();

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#sieve = new LossSieve(options.entropy);
  }

  /** The share of requests that is too much, 0..1. */
  get loss(): number {
    return this.#loss;
  }

  /** What arrives now has to wait so long before it is looked at. To be told ten times a second. */
  waited(now: Instant, waitMs: number): void {
    const trend = waitMs - this.#waitMs;
    this.#waitMs = waitMs;
    if (!this.active && waitMs <= TARGET_WAIT_MS) return;
    const change = DISTANCE_GAIN * (waitMs - TARGET_WAIT_MS) + TREND_GAIN * trend;
    const loss = Math.min(MOST_LOSS, Math.max(0, this.#loss + change / 1000));
    if (loss > 0 && !this.active) this.#begin(now);
    if (loss > 0) this.#relievedAt = now;
    else if (now - this.#relievedAt > FAREWELL_MS) this.#end();
    this.#loss = loss;
    this.#sequence = (now + this.#options.epochOffset) / 1000;
  }

  /** Undefined: the request is taken, and its sender told if he asked for it; otherwise the Retry-After in seconds. */
  refusal(now: Instant, request: Request, flow: Flow): number | undefined {
    const via = topVia(request.headers);
    const offered = via === undefined ? undefined : offeredIn(via.params);
    if (via !== undefined && offered !== undefined) this.#tell(now, request, via, offered, flow);
    const left = offered !== undefined && this.#waitMs < HARD_WAIT_MS;
    if (left || this.#loss === 0 || this.#sieve.passes(this.#loss, isPreferred(request))) {
      this.#taken += 1;
      return undefined;
    }
    this.#refused += 1;
    return this.#retryAfter();
  }

  #begin(now: Instant): void {
    this.active = true;
    this.#refused = 0;
    this.#countedFrom = now;
    this.#options.report({ event: "server.overloaded", waitMs: Math.round(this.#waitMs) });
  }

  #end(): void {
    this.active = false;
    this.#rateClients.clear();
    this.#options.report({ event: "server.relieved", refused: this.#refused });
  }

  /** Into the Via of the request, which every response to it copies. */
  #tell(now: Instant, request: Request, via: Via, offered: readonly string[], flow: Flow): void {
    const rate = !offered.includes("loss") && offered.includes("rate");
    const report: OverloadReport = {
      algorithm: rate ? "rate" : "loss",
      value: rate ? this.#rateFor(now, flow) : Math.round(this.#loss * 100),
      validityMs: this.#loss === 0 ? 0 : VALIDITY_MS,
      sequence: this.#sequence,
    };
    replaceTopParams(request.headers, via, withReport(via.params, report));
  }

  /** An equal part of what was taken lately, a little less or more as the wait commands. */
  #rateFor(now: Instant, { peer }: Flow): number {
    if (this.#rateClients.size < MAX_RATE_CLIENTS) {
      this.#rateClients.add(`${peer.address}:${peer.port}`);
    }
    const passed = now - this.#countedFrom;
    if (passed >= COUNTING_MS || this.#takenPerSecond === 0) {
      this.#takenPerSecond = (this.#taken * 1000) / Math.max(passed, COUNTING_MS);
      this.#taken = 0;
      this.#countedFrom = now;
    }
    const correction = this.#waitMs > TARGET_WAIT_MS ? 0.8 : 1.1;
    const part = (this.#takenPerSecond * correction) / this.#rateClients.size;
    return Math.max(1, Math.round(part));
  }

  #retryAfter(): number {
    const { entropy, retrySpread } = this.#options;
    const window = Math.min(LONGEST_RETRY_SECONDS, retrySpread / 2 / (1 - this.#loss));
    return 1 + Math.floor(uniform(entropy, 0, window));
  }
}
