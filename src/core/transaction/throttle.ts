/**
 * What a client sends less while a server says that it is overloaded: RFC 7339 §5.10 (loss) and RFC 7415 §3.5 (rate).
 * One Throttle is one server as seen from one flow's local end; it outlives what it was told, so that a late report does
 * not count (RFC 7339 §4.4).
 */
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import type { OverloadReport } from "../message/overload.ts";
import type { Entropy } from "../primitives.ts";

/** A response to a request may come so late: 64*T1, milliseconds (RFC 3261 §17.1). */
const LATEST_MS = 32_000;

/** How fast the mix of requests is forgotten: the weight of one request. */
const MIX_WEIGHT = 1 / 32;

/** Requests that may be sent at once after a pause, by RFC 7415 §3.5.1: ordinary ones, and those to be preferred. */
const BURST = 1;
const PREFERRED_BURST = 5;

/**
 * Lets a share of requests pass, the preferred ones before the others: those are kept back only when it does not do to
 * keep back all others (RFC 7339 §5.10.1).
 */
export class LossSieve {
  readonly #entropy: Entropy;
  /** The share of preferred requests among those lately. */
  #preferredShare = 0.5;

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** @param loss the share to keep back, 0..1. */
  passes(loss: number, preferred: boolean): boolean {
    this.#preferredShare += ((preferred ? 1 : 0) - this.#preferredShare) * MIX_WEIGHT;
    const ordinaryShare = 1 - this.#preferredShare;
    const fromOrdinary = Math.min(loss, ordinaryShare);
    const kept = preferred
      ? (loss - fromOrdinary) / Math.max(this.#preferredShare, MIX_WEIGHT)
      : fromOrdinary / Math.max(ordinaryShare, MIX_WEIGHT);
    return this.#entropy.uint32() / 0x1_0000_0000 >= kept;
  }
}

/** At most so many requests a second: the leaky bucket of RFC 7415 §3.5. */
export class RateBucket {
  #filled = 0;
  #at: Instant = Number.NEGATIVE_INFINITY;

  passes(now: Instant, perSecond: number, preferred: boolean): boolean {
    if (perSecond <= 0) return false;
    const left = Math.max(0, this.#filled - ((now - this.#at) * perSecond) / 1000);
    if (left > (preferred ? PREFERRED_BURST : BURST) - 1) return false;
    this.#filled = left + 1;
    this.#at = now;
    return true;
  }
}

export class Throttle {
  readonly #sieve: LossSieve;
  readonly #bucket = new RateBucket();
  #report: OverloadReport | undefined;
  #until: Instant = Number.NEGATIVE_INFINITY;
  /** When the last report that counted came. */
  #heardAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(entropy: Entropy) {
    this.#sieve = new LossSieve(entropy);
  }

  /**
   * Takes note of a report, unless a later one came before it (R109): no response is late by more than its transaction
   * lives, and a server that numbers anew after a restart is believed then.
   *
   * @returns whether requests are kept back now.
   */
  heard(now: Instant, report: OverloadReport): boolean {
    const before = this.#report;
    const mayBeLate = now - this.#heardAt < LATEST_MS;
    if (mayBeLate && before !== undefined && before.sequence > report.sequence) {
      return this.#until > now;
    }
    this.#report = report;
    this.#heardAt = now;
    const ended = report.validityMs === 0 || (report.algorithm === "loss" && report.value === 0);
    this.#until = ended ? now : now + report.validityMs;
    return !ended;
  }

  isOver(now: Instant): boolean {
    return this.#until <= now;
  }

  passes(now: Instant, preferred: boolean): boolean {
    const report = this.#report;
    if (report === undefined || this.isOver(now)) return true;
    if (report.algorithm === "rate") return this.#bucket.passes(now, report.value, preferred);
    return this.#sieve.passes(report.value / 100, preferred);
  }
}

/**
 * Requests that come first when not all can be served: in a dialog, for help, or of somebody who has shown who he is,
 * as the renewals of registered phones do.
 */
export function isPreferred(request: Request): boolean {
  const { headers, uri } = request;
  if (toOf(headers)?.tag !== undefined || uri.startsWith("urn:service:sos")) return true;
  if (headers.get("priority")?.toLowerCase() === "emergency") return true;
  return headers.has("authorization") || headers.has("proxy-authorization");
}
