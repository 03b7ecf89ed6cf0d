/**
 * A server that has too much to do says so early (RFC 7339, RFC 7415, R108). Clients that offered to keep requests back
 * are told how many; of the others some are refused, each with an appointment of its own to come back (R111).
 *
 * How much is too much is a fact of the world: how long what arrives waits until it is looked at. The share that is let
 * in follows its distance from a target and its trend, as PIE has it for a queue (RFC 8033 §4.2), but by factors: what
 * is right for a little too much is then right for ten times as much.
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
import { MAX_APPOINTMENTS, MAX_RATE_CLIENTS } from "./limits.ts";

export interface OverloadOptions {
  readonly entropy: Entropy;
  /** No appointment is later than in so many seconds. */
  readonly retryWithin: number;
  /** Milliseconds since the epoch, at instant 0. */
  readonly epochOffset: number;
  report(event: TraceEvent): void;
}

/** Two of these waits are far below T1, so that nobody resends yet. */
const TARGET_WAIT_MS = 100;

/** Above it what waits is refused until the wait is back at the target: whoever waits longer resends. */
const HARD_WAIT_MS = 400;

/** Only what lasts for so many facts is overload: a process that was held up once has nothing to do when it goes on. */
const BELIEVED_AFTER = 4;

/** By what part a second of wait above the target, and of growth since the last fact, lowers the share. */
const DISTANCE_GAIN = 0.3;
const TREND_GAIN = 1.2;

/** What one fact can do. */
const STRONGEST_STEP: readonly [least: number, most: number] = [0.8, 1.05];

/** Something must get through, or nobody would be told that it is over. */
const MOST_LOSS = 0.98;

const VALIDITY_MS = 1_000;

/** So long after the end clients are still told that it has come. */
const FAREWELL_MS = 2_000;

/** What a refusal costs, of what is done for a request that is taken. */
const REFUSAL_WORK = 0.3;

/** The part of what can be done that is promised to those who are to come back: most need two requests. */
const PROMISED_PART = 0.5;

/** How long work is counted until it is believed to be what can be done, and how much the latest count weighs. */
const COUNTING_MS = 1_000;
const COUNT_WEIGHT = 0.5;

export class Overload {
  /** Something is to be done about requests; false: not even a look at them. */
  active = false;
  readonly #options: OverloadOptions;
  readonly #sieve: LossSieve;
  /** The share that is let in. */
  #share = 1;
  #waitMs = 0;
  readonly #latest: number[] = new Array<number>(BELIEVED_AFTER).fill(0);
  #draining = false;
  #relievedAt: Instant = 0;
  #sequence = 0;
  #refused = 0;
  /** Work of the second that is being counted, in requests taken. */
  #work = 0;
  #countedFrom: Instant = 0;
  /** Requests a second that can be done; 0: not known yet. */
  #capacity = 0;
  /** The first appointment that is free, and those given, by a hash of the Call-ID: who resends gets no second one. */
  #freeAt: Instant = 0;
  readonly #given = new Map<number, Instant>();
  readonly #rateClients = new Set<string>();

  constructor(options: OverloadOptions) {
    this.#options = options;
    this.#sieve = new LossSieve(options.entropy);
  }

  /** The share of requests that is too much, 0..1. */
  get loss(): number {
    return 1 - this.#share;
  }

  /** What arrives now has to wait so long before it is looked at. To be told ten times a second. */
  waited(now: Instant, latestMs: number): void {
    this.#latest.shift();
    this.#latest.push(latestMs);
    const waitMs = Math.min(...this.#latest);
    const trend = waitMs - this.#waitMs;
    this.#waitMs = waitMs;
    if (!this.active && waitMs <= TARGET_WAIT_MS) return;
    const lowered = DISTANCE_GAIN * (waitMs - TARGET_WAIT_MS) + TREND_GAIN * trend;
    const step = Math.min(STRONGEST_STEP[1], Math.max(STRONGEST_STEP[0], 1 - lowered / 1000));
    this.#share = Math.min(1, Math.max(1 - MOST_LOSS, this.#share * step));
    this.#count(now);
    this.#draining = waitMs > (this.#draining ? TARGET_WAIT_MS : HARD_WAIT_MS);
    if (this.#share < 1 && !this.active) this.#begin(now);
    if (this.#share < 1) this.#relievedAt = now;
    else if (now - this.#relievedAt > FAREWELL_MS) this.#end();
    this.#sequence = (now + this.#options.epochOffset) / 1000;
  }

  /** Undefined: the request is taken, and its sender told if he asked for it; otherwise the Retry-After in seconds. */
  refusal(now: Instant, request: Request, flow: Flow): number | undefined {
    const via = topVia(request.headers);
    const offered = via === undefined ? undefined : offeredIn(via.params);
    if (via !== undefined && offered !== undefined) this.#tell(now, request, via, offered, flow);
    if (endsWork(request) || this.#takes(offered !== undefined, isPreferred(request))) {
      this.#work += 1;
      return undefined;
    }
    this.#refused += 1;
    this.#work += REFUSAL_WORK;
    return this.#appointment(now, request.headers.get("call-id") ?? "");
  }

  #takes(offered: boolean, preferred: boolean): boolean {
    if (this.#draining) return preferred;
    return offered || this.#share === 1 || this.#sieve.passes(1 - this.#share, preferred);
  }

  #begin(now: Instant): void {
    this.active = true;
    this.#refused = 0;
    this.#work = 0;
    this.#countedFrom = now;
    this.#freeAt = now;
    this.#options.report({ event: "server.overloaded", waitMs: Math.round(this.#waitMs) });
  }

  #end(): void {
    this.active = false;
    this.#rateClients.clear();
    this.#given.clear();
    this.#options.report({ event: "server.relieved", refused: this.#refused });
  }

  /** Into the Via of the request, which every response to it copies. */
  #tell(now: Instant, request: Request, via: Via, offered: readonly string[], flow: Flow): void {
    const rate = !offered.includes("loss") && offered.includes("rate");
    const report: OverloadReport = {
      algorithm: rate ? "rate" : "loss",
      value: rate ? this.#rateFor(now, flow) : Math.round((1 - this.#share) * 100),
      validityMs: this.#share === 1 ? 0 : VALIDITY_MS,
      sequence: this.#sequence,
    };
    replaceTopParams(request.headers, via, withReport(via.params, report));
  }

  /** An equal part of what can be done, a little less or more as the wait commands. */
  #rateFor(now: Instant, { peer }: Flow): number {
    if (this.#rateClients.size < MAX_RATE_CLIENTS) {
      this.#rateClients.add(`${peer.address}:${peer.port}`);
    }
    const correction = this.#waitMs > TARGET_WAIT_MS ? 0.8 : 1;
    const part = (this.#perSecond(now) * correction) / this.#rateClients.size;
    return Math.max(1, Math.round(part));
  }

  /**
   * Seconds until somebody who is refused may come back: one after the other, at a pace that can be kept; where the
   * list is full, at any time in its latter half.
   */
  #appointment(now: Instant, callId: string): number {
    const { entropy, retryWithin } = this.#options;
    const hash = hashOf(callId);
    const given = this.#given.get(hash) ?? 0;
    if (given > now) return Math.ceil((given - now) / 1_000);
    const perSecond = this.#perSecond(now) * PROMISED_PART;
    const at = Math.max(this.#freeAt, now + 1_000) + 1_000 / perSecond;
    const seconds = Math.ceil((at - now) / 1_000);
    if (seconds > retryWithin) return Math.ceil(uniform(entropy, retryWithin / 2, retryWithin));
    this.#freeAt = at;
    if (this.#given.size >= MAX_APPOINTMENTS) this.#given.clear();
    this.#given.set(hash, at);
    return seconds;
  }

  #perSecond(now: Instant): number {
    if (this.#capacity > 0) return this.#capacity;
    return Math.max(1, (this.#work * 1_000) / Math.max(100, now - this.#countedFrom));
  }

  #count(now: Instant): void {
    const passed = now - this.#countedFrom;
    if (passed < COUNTING_MS) return;
    const done = (this.#work * 1_000) / passed;
    // What is done while nobody waits says nothing of what could be.
    if (this.#waitMs > 0 && done > 0) {
      const weight = this.#capacity === 0 ? 1 : COUNT_WEIGHT;
      this.#capacity += (done - this.#capacity) * weight;
    }
    this.#work = 0;
    this.#countedFrom = now;
  }
}

/** A call that is to end costs less than the refusal and all that a call which goes on brings with it. */
function endsWork({ method }: Request): boolean {
  return method === "BYE";
}

/** FNV-1a: a text would keep the packet alive that it was cut from. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  return hash;
}
