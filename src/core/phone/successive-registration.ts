/**
 * Registered at one server at a time, the first that takes us. Below the top a REGISTER probes the better
 * servers each `probeInterval`; its 200 is the failback, and the binding left behind is removed after it (C6).
 *
 *   nowhere ──▶ trying 1, 2, … n ──▶ at server k ──refresh fails──▶ trying k+1 …
 *      ▲               │ all failed        │ k > 1: probe 1 … k−1, success ─▶ at that server
 *      └── back-off ◀──┘
 */
import { type Instant, NEVER } from "../machine.ts";
import { backoffMs, spreadMs } from "../redundancy/backoff.ts";
import type { Place } from "../redundancy/server-set.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { FOLLOWED, LAST } from "./register-options.ts";
import type { Registration } from "./registration.ts";
import type { RegistrationStrategy, StrategyHost } from "./registration-strategy.ts";

export class SuccessiveRegistration implements RegistrationStrategy, TimerOwner {
  readonly #host: StrategyHost;
  readonly #registrations: readonly Registration[];
  #probeTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  /** Where the account is registered; undefined: nowhere (C7). */
  #at: Registration | undefined;
  /** The server registered at last, before any: the first. */
  #lastServer: number;
  /** The round that is on: the one being tried, and those not tried yet. */
  #trying: Registration | undefined;
  #untried: Registration[] | undefined;
  /** A better server being probed. */
  #probing: Registration | undefined;
  #goodProbes = 0;
  #firstGoodAt = 0;
  /** Rounds in which every server failed, in a row. */
  #rounds = 0;
  /** The least that the servers of this round asked us to wait: a single one that asked for nothing is tried soon. */
  #retryAfterMs = NEVER;
  #stopped = false;

  constructor(host: StrategyHost, registrations: readonly Registration[]) {
    this.#host = host;
    this.#registrations = registrations;
    this.#lastServer = registrations[0]?.route.index ?? 1;
  }

  get workingServer(): number {
    return (this.#at ?? this.#registrations[0])?.route.index ?? 1;
  }

  start(now: Instant): void {
    this.#untried = [...this.#registrations];
    this.#tryNext(now);
  }

  accepted(now: Instant, registration: Registration): void {
    const before = this.#at;
    const overtaken = this.#trying;
    const wasProbe = registration === this.#probing;
    if (wasProbe) this.#probing = undefined;
    this.#trying = undefined;
    this.#untried = undefined;
    this.#rounds = 0;
    this.#retryAfterMs = NEVER;
    this.#at = registration;
    this.#silence(this.#retryTimer);
    if (wasProbe) this.#host.probed(now, registration, true);
    const server = registration.route.index;
    if (server !== this.#lastServer) {
      this.#host.workingServerChanged(now, this.#lastServer, server);
      this.#lastServer = server;
    }
    if (before !== undefined && before !== registration) this.#leave(now, before);
    if (overtaken !== undefined && overtaken !== registration) overtaken.stop(now);
    this.#armProbe(now);
  }

  failed(now: Instant, registration: Registration, retryAfterMs: number): void {
    if (registration === this.#probing) {
      this.#probing = undefined;
      this.#host.probed(now, registration, false);
      this.#probeNext(now, registration);
      return;
    }
    if (registration === this.#at) this.#lost(registration);
    else if (registration !== this.#trying) return;
    this.#retryAfterMs = Math.min(this.#retryAfterMs, retryAfterMs);
    this.#tryNext(now);
  }

  /**
   * Servers that share their location know one binding of our contact, whoever was asked to remove it: what stands is
   * made sure of.
   */
  removed(now: Instant, registration: Registration): void {
    const at = this.#at;
    if (this.#stopped || at === undefined || at === registration) return;
    this.#register(now, at, this.#hasAlternatives());
  }

  refreshDue(now: Instant, registration: Registration, recalled = false): void {
    if (registration !== this.#at) return;
    if (recalled) this.#anew(now);
    else this.#register(now, registration, this.#hasAlternatives());
  }

  flowLost(now: Instant, registration: Registration): void {
    this.refreshDue(now, registration);
  }

  doubt(now: Instant, registration: Registration): void {
    this.refreshDue(now, registration);
  }

  moveTo(
    now: Instant,
    registration: Registration,
    place: Place,
    moved: (now: Instant, registered: boolean) => void,
  ): void {
    if (registration === this.#at) {
      moved(now, true);
      return;
    }
    registration.register(now, { only: place, last: false, probe: false, fromTop: false }, moved);
  }

  close(): void {
    this.#stopped = true;
    this.#silence(this.#probeTimer);
    this.#silence(this.#retryTimer);
  }

  stop(now: Instant): void {
    this.close();
    for (const registration of this.#registrations) registration.remove(now);
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#retryTimer) {
      this.start(now);
      return;
    }
    const best = this.#registrations[0];
    if (best === undefined || best === this.#at) return;
    this.#setProbe(now);
    if (this.#probing === undefined) this.#probeOne(now, best);
  }

  /** After a failed round of everything comes the back-off, and then the top again: never an end (C21). */
  #tryNext(now: Instant): void {
    if (this.#stopped || this.#registrations.length === 0) return;
    const next = this.#untried?.shift();
    this.#trying = next;
    if (next !== undefined) {
      this.#register(now, next, this.#untried?.length !== 0);
      return;
    }
    this.#rounds += 1;
    const wait = backoffMs(this.#host.policy.backoff, this.#rounds, this.#host.entropy);
    this.#host.timers.set(this.#retry, now + Math.max(wait, this.#retryAfterMs));
    this.#retryAfterMs = NEVER;
  }

  #register(now: Instant, registration: Registration, followed: boolean): void {
    registration.register(now, followed ? FOLLOWED : LAST);
  }

  /** From the top, as if nothing had stood: so a server that is asked to sends its phones home. */
  #anew(now: Instant): void {
    const [best, ...others] = this.#registrations;
    this.#at = undefined;
    this.#probing = undefined;
    this.#silence(this.#probeTimer);
    this.#trying = best;
    this.#untried = others;
    best?.register(now, { last: others.length === 0, probe: false, fromTop: true });
  }

  #hasAlternatives(): boolean {
    return this.#registrations.length > 1;
  }

  /**
   * The binding we lived on could not be renewed: the others are tried, those below it first. A probe on its way goes
   * on, and serves when the turn comes to its server (R21).
   */
  #lost(registration: Registration): void {
    this.#at = undefined;
    this.#silence(this.#probeTimer);
    registration.forget();
    const index = this.#registrations.indexOf(registration);
    this.#untried = [
      ...this.#registrations.slice(index + 1),
      ...this.#registrations.slice(0, index),
    ];
    this.#probing = undefined;
  }

  /** A server left upwards is told so; one left downwards is dead, and nothing is sent. */
  #leave(now: Instant, before: Registration): void {
    const after = this.#at as Registration;
    if (after.route.index < before.route.index) before.remove(now);
    else before.stop(now);
  }

  #armProbe(now: Instant): void {
    if (this.#at === this.#registrations[0]) this.#silence(this.#probeTimer);
    else if (this.#probeTimer?.pending !== true) this.#setProbe(now);
  }

  #setProbe(now: Instant): void {
    const { policy, timers, entropy } = this.#host;
    timers.set(this.#probe, now + spreadMs(policy, policy.probeIntervalMs, entropy));
  }

  #probeOne(now: Instant, better: Registration): void {
    const { goodProbes, goodProbesMs } = this.#host.policy;
    const proven =
      this.#goodProbes + 1 >= goodProbes &&
      (this.#goodProbes === 0 || now - this.#firstGoodAt >= goodProbesMs);
    if (goodProbes <= 1 || proven) {
      this.#goodProbes = 0;
      this.#probing = better;
      better.register(now, { last: false, probe: true, fromTop: true });
      return;
    }
    this.#host.probe(now, better.route.index, (at, good) => {
      if (this.#stopped) return;
      if (this.#goodProbes === 0) this.#firstGoodAt = at;
      this.#goodProbes = good ? this.#goodProbes + 1 : 0;
      this.#host.probed(at, better, good);
      if (!good) this.#probeNext(at, better);
    });
  }

  /** The best server is still away: is one between it and ours back? */
  #probeNext(now: Instant, after: Registration): void {
    const next = this.#registrations[this.#registrations.indexOf(after) + 1];
    if (next === undefined || this.#at === undefined || next === this.#at) return;
    if (next.route.index < this.#at.route.index) this.#probeOne(now, next);
  }

  get #probe(): Timer {
    this.#probeTimer ??= new Timer("probe", this);
    return this.#probeTimer;
  }

  get #retry(): Timer {
    this.#retryTimer ??= new Timer("retry", this);
    return this.#retryTimer;
  }

  #silence(timer: Timer | undefined): void {
    if (timer !== undefined) this.#host.timers.silence(timer);
  }
}
