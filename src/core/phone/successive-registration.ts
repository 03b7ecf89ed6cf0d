/**
 * Registered at one server at a time, the first that takes us. Below the top a REGISTER probes the better
 * servers each `probeInterval`; its 200 is the failback, and the binding left behind is removed after it (C6).
 *
 *   nowhere ──▶ trying 1, 2, … n ──▶ at server k ──refresh fails──▶ trying k+1 …
 *      ▲               │ all failed        │ k > 1: probe 1 … k−1, success ─▶ at that server
 *      └── back-off ◀──┘
 */
import { type Instant, type LossCause, NEVER } from "../machine.ts";
import { backoffMs, SHORTEST_BACKOFF_MS, spreadMs } from "../redundancy/backoff.ts";
import { Proof, proofMs } from "../redundancy/proof.ts";
import type { Place } from "../redundancy/server-set.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { FOLLOWED, LAST } from "./register-options.ts";
import type { Registration } from "./registration.ts";
import type { RegistrationStrategy, StrategyHost } from "./registration-strategy.ts";

/** What is made of it when it is needed: most phones never register at their fallback server. */
export interface SuccessiveHost extends StrategyHost {
  /** The next server below one at which the account registers, 1-based, the best after 0; 0: there is none. */
  nextRegistrar(above: number): number;
  registration(server: number): Registration | undefined;
  /** The same, if it has been used. */
  begun(server: number): Registration | undefined;
}

/** A round on its way down the list, and what is to be remembered of those before it. */
interface Round {
  /** Undefined between two rounds. */
  trying: Registration | undefined;
  untried: number[];
  /** Rounds in which every server failed, in a row. */
  failed: number;
  /** The least that the servers of this round asked us to wait: a single one that asked for nothing is tried soon. */
  retryAfterMs: number;
  /** A server of this round was asked: not every one had wanted to be left alone. */
  sent: boolean;
  readonly retry: Timer;
}

/** While the account is not at the best server: how the way back is looked for. */
interface Return {
  readonly timer: Timer;
  /** A better server that has to prove itself (hold-down) … */
  candidate: Registration | undefined;
  readonly proof: Proof;
  /** … and then is registered at. */
  probing: Registration | undefined;
}

/** At rest, at the best server, it is nothing but that: a fleet has many of these. */
export class SuccessiveRegistration implements RegistrationStrategy, TimerOwner {
  readonly #host: SuccessiveHost;
  /** Where the account is registered; undefined: nowhere (C7). */
  #at: Registration | undefined;
  /** The server registered at last, before any: the first. */
  #lastServer: number;
  #round: Round | undefined;
  #return: Return | undefined;
  #stopped = false;

  constructor(host: SuccessiveHost) {
    this.#host = host;
    this.#lastServer = this.#first || 1;
  }

  get workingServer(): number {
    return this.#at?.route.index ?? (this.#first || 1);
  }

  start(now: Instant): void {
    this.#begun().untried = this.#listFrom(0);
    this.#tryNext(now);
  }

  accepted(now: Instant, registration: Registration): void {
    const before = this.#at;
    const overtaken = this.#round?.trying;
    const probing = this.#return;
    const wasProbe = registration === probing?.probing;
    if (probing !== undefined && wasProbe) probing.probing = undefined;
    this.#endRound();
    this.#at = registration;
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

  failed(now: Instant, registration: Registration, retryAfterMs: number, unsent: boolean): void {
    const probing = this.#return;
    if (probing !== undefined && registration === probing.probing) {
      probing.probing = undefined;
      this.#host.probed(now, registration, false);
      this.#probeNext(now, registration);
      return;
    }
    if (registration === this.#at) this.#lost(registration);
    else if (registration !== this.#round?.trying) return;
    const round = this.#begun();
    round.retryAfterMs = Math.min(round.retryAfterMs, retryAfterMs);
    round.sent ||= !unsent;
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

  /** What all requests leave out already is not asked once more before the others are. */
  flowLost(now: Instant, registration: Registration, cause: LossCause): void {
    const dead = this.#hasAlternatives() && this.#host.isDead(now, registration.route);
    if (dead && registration === this.#at) {
      this.#host.events.registrationFailed(
        registration.route,
        registration.place,
        cause,
        undefined,
      );
      this.#lost(registration);
      this.#tryNext(now);
    } else this.refreshDue(now, registration);
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
    this.#endReturn();
    this.#endRound();
  }

  stop(now: Instant): void {
    this.close();
    for (const server of this.#listFrom(0)) this.#host.begun(server)?.remove(now);
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#round?.retry) {
      this.start(now);
      return;
    }
    const best = this.#host.registration(this.#first);
    if (best === undefined || best === this.#at) return;
    this.#setProbe(now);
    const way = this.#return;
    if (way?.probing === undefined && way?.candidate === undefined) this.#probeOne(now, best);
  }

  /** After a failed round of everything comes the back-off, and then the top again: never an end (C21). */
  #tryNext(now: Instant): void {
    if (this.#stopped || this.#first === 0) return;
    const round = this.#begun();
    const next = this.#host.registration(round.untried.shift() ?? 0);
    round.trying = next;
    if (next !== undefined) {
      this.#register(now, next, round.untried.length > 0);
      return;
    }
    if (round.sent) round.failed += 1;
    const { policy, entropy } = this.#host;
    const wait = round.sent ? backoffMs(policy.backoff, round.failed, entropy) : 0;
    this.#host.timers.set(round.retry, now + Math.max(wait, round.retryAfterMs));
    round.retryAfterMs = NEVER;
    round.sent = false;
  }

  #register(now: Instant, registration: Registration, followed: boolean): void {
    registration.register(now, followed ? FOLLOWED : LAST);
  }

  /** From the top, as if nothing had stood: so a server that is asked to sends its phones home. */
  #anew(now: Instant): void {
    const [first = 0, ...others] = this.#listFrom(0);
    const best = this.#host.registration(first);
    this.#at = undefined;
    this.#endReturn();
    const round = this.#begun();
    round.trying = best;
    round.untried = others;
    best?.register(now, { last: others.length === 0, probe: false, fromTop: true });
  }

  #hasAlternatives(): boolean {
    return this.#host.nextRegistrar(this.#first) !== 0;
  }

  /**
   * The binding we lived on could not be renewed: the others are tried, those below it first. A probe on its way goes
   * on, and serves when the turn comes to its server (R21).
   */
  #lost(registration: Registration): void {
    const server = registration.route.index;
    this.#at = undefined;
    this.#endReturn();
    registration.forget();
    this.#begun().untried = [
      ...this.#listFrom(server),
      ...this.#listFrom(0).filter((one) => one < server),
    ];
  }

  /** A server left upwards is told so; one left downwards is dead, and nothing is sent. */
  #leave(now: Instant, before: Registration): void {
    const after = this.#at as Registration;
    if (after.route.index < before.route.index) before.remove(now);
    else before.stop(now);
  }

  #armProbe(now: Instant): void {
    if (this.#at?.route.index === this.#first) this.#endReturn();
    else if (this.#return?.timer.pending !== true) this.#setProbe(now);
  }

  #setProbe(now: Instant): void {
    const { policy, timers, entropy } = this.#host;
    this.#return ??= this.#newReturn();
    const wait = spreadMs(policy, policy.probeIntervalMs - proofMs(policy), entropy);
    timers.set(this.#return.timer, now + Math.max(wait, SHORTEST_BACKOFF_MS));
  }

  #newReturn(): Return {
    const way: Return = {
      timer: new Timer("probe", this),
      candidate: undefined,
      proof: new Proof(
        this.#host,
        (now, told) => this.#ask(now, way, told),
        (now, good) => this.#proven(now, way, good),
      ),
      probing: undefined,
    };
    return way;
  }

  #probeOne(now: Instant, better: Registration): void {
    const way = this.#return;
    if (way === undefined) return;
    way.candidate = better;
    way.proof.begin(now, proofMs(this.#host.policy));
  }

  #ask(now: Instant, way: Return, told: (now: Instant, good: boolean) => void): void {
    const better = way.candidate as Registration;
    this.#host.probe(now, better.route.index, (at, good) => {
      if (this.#return !== way || better !== way.candidate) return;
      this.#host.probed(at, better, good);
      told(at, good);
    });
  }

  /** The REGISTER that follows a proof is the last word on it. */
  #proven(now: Instant, way: Return, good: boolean): void {
    const better = way.candidate;
    way.candidate = undefined;
    if (better === undefined || this.#return !== way) return;
    if (good && way.probing === undefined) {
      way.probing = better;
      better.register(now, { last: false, probe: true, fromTop: true });
    } else if (!good) this.#probeNext(now, better);
  }

  /** The best server is still away: is one between it and ours back? */
  #probeNext(now: Instant, after: Registration): void {
    const ours = this.#at?.route.index ?? 0;
    const next = this.#host.nextRegistrar(after.route.index);
    const registration = next < ours ? this.#host.registration(next) : undefined;
    if (registration !== undefined) this.#probeOne(now, registration);
  }

  /** The best server, 1-based; 0: none. */
  get #first(): number {
    return this.#host.nextRegistrar(0);
  }

  /** The servers below one, all of them for 0. */
  #listFrom(above: number): number[] {
    const list: number[] = [];
    for (let server = this.#host.nextRegistrar(above); server !== 0; ) {
      list.push(server);
      server = this.#host.nextRegistrar(server);
    }
    return list;
  }

  #begun(): Round {
    this.#round ??= {
      trying: undefined,
      untried: [],
      failed: 0,
      retryAfterMs: NEVER,
      sent: false,
      retry: new Timer("retry", this),
    };
    return this.#round;
  }

  #endRound(): void {
    if (this.#round !== undefined) this.#host.timers.silence(this.#round.retry);
    this.#round = undefined;
  }

  #endReturn(): void {
    if (this.#return !== undefined) this.#host.timers.silence(this.#return.timer);
    this.#return?.proof.stop();
    this.#return = undefined;
  }
}
