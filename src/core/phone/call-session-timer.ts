/**
 * Session timers (RFC 4028; R120): whether the peer is still there is asked at half time by the refresher, and given up
 * shortly before the end by the other side. What follows then is the call's to decide.
 */
import type { Instant } from "../machine.ts";
import { decimalSeconds } from "../message/delta.ts";
import type { Headers } from "../message/headers.ts";
import { paramOf } from "../message/params.ts";
import { lists } from "../message/token-list.ts";
import type { CallPolicy } from "../redundancy/call-policy.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";

export interface SessionTimerOwner {
  /** Half the interval is over: it is our turn to refresh. */
  sessionRefreshDue(now: Instant): void;
  /** Nobody refreshed. `postpone` goes on all the same. */
  sessionExpired(now: Instant): void;
}

/** The least interval that is accepted, seconds (§5). */
export const MIN_SE_SECONDS = 90;
const MAX_SE_SECONDS = 86_400;
/** After a refresh that found nobody. */
const RETRY_MS = 30_000;

export interface SessionInterval {
  readonly seconds: number;
  readonly refresher: "uac" | "uas" | undefined;
}

/** Session-Expires of a message; undefined if there is none or it cannot be read. */
export function sessionIntervalOf(headers: Headers): SessionInterval | undefined {
  const value = headers.get("session-expires");
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(";");
  const digits = semicolon < 0 ? value : value.slice(0, semicolon).trimEnd();
  const seconds = decimalSeconds(digits);
  if (seconds === undefined || seconds === 0) return undefined;
  const refresher =
    semicolon < 0 ? undefined : paramOf(value.slice(semicolon), "refresher")?.toLowerCase();
  return {
    seconds: Math.min(seconds, MAX_SE_SECONDS),
    refresher: refresher === "uac" || refresher === "uas" ? refresher : undefined,
  };
}

/** True if the request must be answered 422 (§9): only a caller that knows the extension understands one. */
export function isTooBrief(headers: Headers): boolean {
  const asked = sessionIntervalOf(headers);
  if (asked === undefined || !lists(headers, "supported", "timer")) return false;
  return asked.seconds < MIN_SE_SECONDS;
}

/**
 * What a UAS agrees to (§9, table 2): as asked, shortened to what this end wants if that is less; the caller refreshes
 * if it can, and we if it cannot. If nothing is asked for, what this end wants by itself.
 */
export function agreedAsUas(headers: Headers, policy: CallPolicy): SessionInterval | undefined {
  const asked = sessionIntervalOf(headers);
  const able = lists(headers, "supported", "timer");
  if (!policy.sessionTimer) {
    if (asked === undefined) return undefined;
    return { seconds: asked.seconds, refresher: able ? (asked.refresher ?? "uac") : "uas" };
  }
  const least = Math.max(MIN_SE_SECONDS, minSeOf(headers) ?? 0);
  const wanted = Math.max(least, policy.sessionExpiresSeconds);
  const refresher = able ? (asked?.refresher ?? policy.sessionRefresher) : "uas";
  return { seconds: Math.min(wanted, asked?.seconds ?? wanted), refresher };
}

/** Min-SE in seconds (§5); undefined if there is none or it cannot be read. */
export function minSeOf(headers: Headers): number | undefined {
  const seconds = decimalSeconds(headers.get("min-se")?.split(";")[0]?.trimEnd() ?? "");
  return seconds === undefined ? undefined : Math.min(seconds, MAX_SE_SECONDS);
}

/** Adds what a 2xx says of the interval agreed on; undefined: nothing. */
export function describeInterval(headers: Headers, interval: SessionInterval | undefined): void {
  if (interval === undefined) return;
  headers.add("session-expires", printSessionInterval(interval));
  if (interval.refresher === "uac") headers.add("require", "timer");
}

/** Adds what an INVITE that begins a call asks for. @param least the Min-SE that a 422 has named; 0: none has. */
export function askForInterval(headers: Headers, policy: CallPolicy, least: number): void {
  if (!policy.sessionTimer) return;
  const seconds = Math.max(policy.sessionExpiresSeconds, MIN_SE_SECONDS, least);
  headers.add(
    "session-expires",
    printSessionInterval({ seconds, refresher: policy.sessionRefresher }),
  );
  if (least > 0) headers.add("min-se", String(least));
}

function printSessionInterval({ seconds, refresher }: SessionInterval): string {
  return `${seconds};refresher=${refresher ?? "uac"}`;
}

export class SessionTimer implements TimerOwner {
  readonly #owner: SessionTimerOwner;
  readonly #timers: Timers;
  readonly #timer: Timer;
  #seconds = 0;
  /** The Min-SE that a 422 has named; 0: none has. */
  #least = 0;
  /** Since the last agreement: whoever wants more and more is not followed. */
  #lengthened = false;
  #refreshing = false;
  #expiresAt: Instant = 0;

  constructor(owner: SessionTimerOwner, timers: Timers) {
    this.#owner = owner;
    this.#timers = timers;
    this.#timer = new Timer("session", this);
  }

  /** Adds Session-Expires to a request of ours, in which `uac` is us, if an interval is agreed on. */
  describe(headers: Headers): void {
    if (this.#seconds === 0) return;
    const refresher = this.#refreshing ? "uac" : "uas";
    headers.add("session-expires", printSessionInterval({ seconds: this.#seconds, refresher }));
    if (this.#least > 0) headers.add("min-se", String(this.#least));
  }

  /** Somebody on the way wants a longer interval (422). @returns false if that asks for no more than was offered. */
  lengthen(headers: Headers): boolean {
    const least = minSeOf(headers) ?? 0;
    if (this.#seconds === 0 || least <= this.#seconds || this.#lengthened) return false;
    this.#lengthened = true;
    this.#least = least;
    this.#seconds = least;
    return true;
  }

  /** A 2xx went out or came in: the interval begins anew, or there is none any more. */
  agree(now: Instant, interval: SessionInterval | undefined, role: "uac" | "uas"): void {
    if (interval === undefined) {
      this.stop();
      return;
    }
    this.#lengthened = false;
    this.#seconds = interval.seconds;
    this.#refreshing = (interval.refresher ?? "uac") === role;
    const whole = interval.seconds * 1000;
    const early = Math.min(32_000, whole / 3);
    this.#expiresAt = now + (this.#refreshing ? whole : whole - early);
    this.#timers.set(this.#timer, this.#refreshing ? now + whole / 2 : this.#expiresAt);
  }

  /** The refresh found nobody: once more in a while, but not beyond the end. */
  refreshFailed(now: Instant): void {
    if (this.#seconds === 0) return;
    const end = Math.max(now, this.#expiresAt);
    this.#timers.set(this.#timer, Math.min(now + RETRY_MS, end));
  }

  /** The end has come and the call goes on: ask again, and look again. */
  postpone(now: Instant): void {
    this.#expiresAt = now + 2 * RETRY_MS;
    this.#timers.set(this.#timer, this.#refreshing ? now + RETRY_MS : this.#expiresAt);
  }

  stop(): void {
    this.#seconds = 0;
    this.#timers.silence(this.#timer);
  }

  rang(now: Instant): void {
    if (now >= this.#expiresAt) this.#owner.sessionExpired(now);
    else this.#owner.sessionRefreshDue(now);
  }
}
