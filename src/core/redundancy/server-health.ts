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
  state: HealthState;
  until: Instant;
  readonly why: string;
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

export class ServerHealth {
  /** Targets that are not simply up; made with the first of them. */
  #entries: Map<string, Entry> | undefined;
  readonly #listener: HealthListener;

  constructor(listener: HealthListener) {
    this.#listener = listener;
  }

  state(now: Instant, target: Target): HealthState {
    const entry = this.#entries?.get(targetName(target));
    if (entry === undefined) return "up";
    if (entry.until <= now && entry.state === "down") return "suspect";
    if (entry.until <= now && entry.state === "quiet") return "up";
    return entry.state;
  }

  /** An attempt got no answer, or its path broke. */
  failed(now: Instant, target: Target, why: string): void {
    const name = targetName(target);
    const before = this.#entries?.get(name);
    // Who asked to be left alone is left alone, whatever has become of his connections.
    if (before?.state === "quiet" && before.until > now) return;
    if (before === undefined || before.state === "quiet") {
      this.#put(name, { state: "suspect", until: now, why });
      this.#listener.suspected(now, target, why);
      return;
    }
    before.state = "down";
    before.until = Math.max(before.until, now + DOWN_MS);
  }

  /** What made a target suspect, or quiet; empty: nothing has. */
  why(target: Target): string {
    return this.#entries?.get(targetName(target))?.why ?? "";
  }

  /** Nothing is to be sent there if there is anywhere else: it is down, or suspected and being asked. */
  isLeftOut(now: Instant, target: Target): boolean {
    const entry = this.#entries?.get(targetName(target));
    return entry !== undefined && entry.state !== "quiet" && entry.until > now;
  }

  /** Somebody asks a target that has failed how it is, and will know by then; `now`: he has learnt nothing. */
  asked(target: Target, until: Instant): void {
    const entry = this.#entries?.get(targetName(target));
    if (entry !== undefined && entry.state !== "quiet") entry.until = until;
  }

  /** Any response at all proves that the target lives (R69). */
  responded(now: Instant, target: Target): void {
    const name = targetName(target);
    const before = this.#entries?.get(name);
    if (before === undefined || (before.state === "quiet" && before.until > now)) return;
    this.#entries?.delete(name);
    if (before.state === "quiet") return;
    this.#listener.restored(now, target);
  }

  /** 503 with Retry-After: nothing is sent there until then (RFC 3261 §21.5.4, R50). */
  hush(now: Instant, target: Target, retryAfterSeconds: number): void {
    const until = now + Math.min(retryAfterSeconds * 1000, QUIET_LIMIT_MS);
    this.#put(targetName(target), { state: "quiet", until, why: "503 with Retry-After" });
  }

  /** When the quiet of a target ends; `now` if it is not quiet. */
  quietUntil(now: Instant, target: Target): Instant {
    const entry = this.#entries?.get(targetName(target));
    return entry?.state === "quiet" && entry.until > now ? entry.until : now;
  }

  #put(name: string, entry: Entry): void {
    this.#entries ??= new Map();
    this.#entries.set(name, entry);
  }
}
