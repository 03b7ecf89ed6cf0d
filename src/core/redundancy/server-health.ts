/**
 * What this process knows of each target, shared by all accounts and methods: a request that fails teaches
 * the next one. DNS data is never touched by it.
 *
 *     up ──failure──▶ suspect ──failure──▶ down (until T)       503 + Retry-After: quiet (until T)
 *      ▲                 │                    │                            │
 *      └──any response───┴────any response────┴───────T passed─────────────┘ (down returns to suspect)
 */
import type { Instant, Target } from "../machine.ts";

export type HealthState = "up" | "suspect" | "down" | "quiet";

/** How long a target that failed twice in a row is taken for dead without a new trial, milliseconds. */
export const DOWN_MS = 30_000;

/** A Retry-After is obeyed up to here, milliseconds (RFC 3261 §20.33 sets no limit; a peer must not). */
export const QUIET_LIMIT_MS = 3_600_000;

interface Entry {
  readonly target: Target;
  state: HealthState;
  until: Instant;
  why: string;
  next: Entry | undefined;
}

/** Told of each change, once. */
export interface HealthListener {
  suspected(now: Instant, target: Target, why: string): void;
  restored(now: Instant, target: Target): void;
}

/** The name of a target in events, keys and pages: `udp:192.0.2.13:5060`, `tls:[2001:db8::1]:5061`. */
export function targetName(target: Target): string {
  const host = target.address.includes(":") ? `[${target.address}]` : target.address;
  return `${target.transport}:${host}:${target.port}`;
}

/** Whether two targets have the same name. */
export function sameTarget(one: Target, other: Target): boolean {
  if (one === other) return true;
  const { transport, address, port } = one;
  return other.address === address && other.port === port && other.transport === transport;
}

export class ServerHealth {
  /** Targets that are not simply up: a chain, since they are few, and a fleet has many phones. */
  #first: Entry | undefined;
  readonly #listener: HealthListener;

  constructor(listener: HealthListener) {
    this.#listener = listener;
  }

  state(now: Instant, target: Target): HealthState {
    const entry = this.#find(target);
    if (entry === undefined) return "up";
    if (entry.until <= now && entry.state === "down") return "suspect";
    if (entry.until <= now && entry.state === "quiet") return "up";
    return entry.state;
  }

  /** An attempt got no answer, or its path broke. */
  failed(now: Instant, target: Target, why: string): void {
    const before = this.#find(target);
    // Who asked to be left alone is left alone, whatever has become of his connections.
    if (before?.state === "quiet" && before.until > now) return;
    if (before === undefined || before.state === "quiet") {
      this.#put(target, "suspect", now, why);
      this.#listener.suspected(now, target, why);
      return;
    }
    before.state = "down";
    before.until = Math.max(before.until, now + DOWN_MS);
  }

  /** What made a target suspect, or quiet; empty: nothing has. */
  why(target: Target): string {
    return this.#find(target)?.why ?? "";
  }

  /** Nothing is to be sent there if there is anywhere else: it is down, or suspected and being asked. */
  isLeftOut(now: Instant, target: Target): boolean {
    const entry = this.#find(target);
    return entry !== undefined && entry.state !== "quiet" && entry.until > now;
  }

  /** Somebody asks a target that has failed how it is, and will know by then; `now`: he has learnt nothing. */
  asked(target: Target, until: Instant): void {
    const entry = this.#find(target);
    if (entry !== undefined && entry.state !== "quiet") entry.until = until;
  }

  /** Any response at all proves that the target lives (R69). */
  responded(now: Instant, target: Target): void {
    const before = this.#find(target);
    if (before === undefined || (before.state === "quiet" && before.until > now)) return;
    this.#remove(before);
    if (before.state === "quiet") return;
    this.#listener.restored(now, target);
  }

  /** 503 with Retry-After: nothing is sent there until then (RFC 3261 §21.5.4, R50). */
  hush(now: Instant, target: Target, retryAfterSeconds: number): void {
    const until = now + Math.min(retryAfterSeconds * 1000, QUIET_LIMIT_MS);
    this.#put(target, "quiet", until, "503 with Retry-After");
  }

  /** When the quiet of a target ends; `now` if it is not quiet. */
  quietUntil(now: Instant, target: Target): Instant {
    const entry = this.#find(target);
    return entry?.state === "quiet" && entry.until > now ? entry.until : now;
  }

  #find(target: Target): Entry | undefined {
    let entry = this.#first;
    while (entry !== undefined && !sameTarget(entry.target, target)) entry = entry.next;
    return entry;
  }

  #put(target: Target, state: HealthState, until: Instant, why: string): void {
    const entry = this.#find(target);
    if (entry === undefined) this.#first = { target, state, until, why, next: this.#first };
    else {
      entry.state = state;
      entry.until = until;
      entry.why = why;
    }
  }

  #remove(entry: Entry): void {
    if (this.#first === entry) {
      this.#first = entry.next;
      return;
    }
    let before = this.#first;
    while (before !== undefined && before.next !== entry) before = before.next;
    if (before !== undefined) before.next = entry.next;
  }
}
