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
    const entry = find(this.#first, target);
    if (entry === undefined) return "up";
    if (entry.until <= now && entry.state === "down") return "suspect";
    if (entry.until <= now && entry.state === "quiet") return "up";
    return entry.state;
  }

  /** An attempt got no answer, or its path broke. */
  failed(now: Instant, target: Target, why: string): void {
    const before = find(this.#first, target);
    // Who asked to be left alone is left alone, whatever has become of his connections.
    if (before?.state === "quiet" && before.until > now) return;
    if (before === undefined || before.state === "quiet") {
      this.#first = entered(this.#first, target, "suspect", now, why);
      this.#listener.suspected(now, target, why);
      return;
    }
    before.state = "down";
    before.until = Math.max(before.until, now + DOWN_MS);
  }

  /** What made a target suspect, or quiet; empty: nothing has. */
  why(target: Target): string {
    return find(this.#first, target)?.why ?? "";
  }

  /** Nothing is to be sent there if there is anywhere else: it is down, or suspected and being asked. */
  isLeftOut(now: Instant, target: Target): boolean {
    const entry = find(this.#first, target);
    return entry !== undefined && entry.state !== "quiet" && entry.until > now;
  }

  /** Somebody asks a target that has failed how it is, and will know by then. */
  asked(target: Target, until: Instant): void {
    const entry = find(this.#first, target);
    if (entry !== undefined && entry.state !== "quiet") entry.until = until;
  }

  /** Who asked has learnt nothing: what requests have found out stands. */
  unlearnt(now: Instant, target: Target): void {
    const entry = find(this.#first, target);
    if (entry?.state === "suspect") entry.until = now;
  }

  /** Any response at all proves that the target lives (R69). */
  responded(now: Instant, target: Target): void {
    const before = find(this.#first, target);
    if (before === undefined || (before.state === "quiet" && before.until > now)) return;
    this.#first = without(this.#first, before);
    if (before.state === "quiet") return;
    this.#listener.restored(now, target);
  }

  /** 503 with Retry-After: nothing is sent there until then (RFC 3261 §21.5.4, R50). */
  hush(now: Instant, target: Target, retryAfterSeconds: number): void {
    const until = now + Math.min(retryAfterSeconds * 1000, QUIET_LIMIT_MS);
    this.#first = entered(this.#first, target, "quiet", until, "503 with Retry-After");
  }

  /** When the quiet of a target ends; `now` if it is not quiet. */
  quietUntil(now: Instant, target: Target): Instant {
    const entry = find(this.#first, target);
    return entry?.state === "quiet" && entry.until > now ? entry.until : now;
  }
}

function find(first: Entry | undefined, target: Target): Entry | undefined {
  let entry = first;
  while (entry !== undefined && !sameTarget(entry.target, target)) entry = entry.next;
  return entry;
}

/** @returns the chain as it is then. */
function entered(
  first: Entry | undefined,
  target: Target,
  state: HealthState,
  until: Instant,
  why: string,
): Entry {
  const entry = find(first, target);
  if (first === undefined || entry === undefined) return { target, state, until, why, next: first };
  entry.state = state;
  entry.until = until;
  entry.why = why;
  return first;
}

/** @returns the chain as it is then. */
function without(first: Entry | undefined, entry: Entry): Entry | undefined {
  if (first === entry) return first.next;
  let before = first;
  while (before !== undefined && before.next !== entry) before = before.next;
  if (before !== undefined) before.next = entry.next;
  return first;
}
