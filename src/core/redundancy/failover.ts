/**
 * One logical request on its way down the list of places: primary, secondary, fallback, until one answers.
 *
 *   resolving ─▶ trying ──silence, ICMP, RST, 503──▶ next place … ─▶ failed
 *                  │ 1xx: no failover any more (C16, R69)
 *                  └──▶ proceeding ──▶ answered
 *
 * An attempt left behind goes on being listened to: its late 1xx is cancelled here, its late 2xx is handed up.
 */
import type { Instant, LossCause } from "../machine.ts";
import { retryAfterOf } from "../message/delta.ts";
import type { Response } from "../message/message.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { Attempt } from "./attempt.ts";
import type { FailoverHost } from "./failover-host.ts";
import { fullPatienceMs, patienceMs } from "./patience.ts";
import type { AttemptPlace, Failure, RequestUser } from "./request.ts";
import { targetName } from "./server-health.ts";
import type { Place, ServerRoute } from "./server-set.ts";
import { letsGo } from "./verdict.ts";

/** Where a request may go, and from where it starts. */
export interface Plan {
  /** In the order of trial. */
  readonly routes: readonly ServerRoute[];
  /** Position in a route's places to start from; the others of the route follow, wrapping round. */
  startAt(route: ServerRoute): number;
  /** No place counts as the last one: each gets the patience of its retry count only (probes; R60). */
  readonly neverFull: boolean;
  /** An answer makes its place the one in use; false for probes and removals. */
  readonly moves: boolean;
  /** Only this place, if given (re-registration before a failover). */
  readonly only?: Place;
}

type FailoverState = "idle" | "resolving" | "preparing" | "trying" | "proceeding" | "ended";

export class FailoverRequest implements TimerOwner {
  readonly #host: FailoverHost;
  readonly #plan: Plan;
  readonly #user: RequestUser;
  readonly #hedge: Timer;
  state: FailoverState = "idle";
  #cseq: number;
  #routes: ServerRoute[];
  #places: Place[] = [];
  /** Places known to be dead, kept for the end. */
  #deferred: Place[] = [];
  #attempts: Attempt[] = [];
  /** Left because nothing was heard of them. */
  #silent: Attempt[] = [];
  /** Targets tried so far; kept only where several servers could lead to one target twice. */
  #tried: Set<string> | undefined;
  #previous: { place: Place; why: string } | undefined;
  #refusal: { response: Response; attempt: Attempt } | undefined;
  #sawSilence = false;
  #cancelled = false;
  #windingUp = false;

  constructor(host: FailoverHost, plan: Plan, cseq: number, user: RequestUser) {
    this.#host = host;
    this.#plan = plan;
    this.#cseq = cseq;
    this.#user = user;
    this.#routes = [...plan.routes];
    if (plan.routes.length > 1) this.#tried = new Set();
    this.#hedge = new Timer("hedge", this);
  }

  /** The CSeq number used last: credentials raise it (R6). */
  get cseq(): number {
    return this.#cseq;
  }

  start(now: Instant): void {
    this.#next(now);
  }

  /**
   * The caller no longer wants it. An INVITE that has been heard of is cancelled; one that was not is left,
   * and cancelled should it be heard of late (R18).
   */
  cancel(now: Instant): void {
    if (this.state === "ended" || this.#cancelled) return;
    this.#cancelled = true;
    this.#silence();
    const waiting = this.#attempts.filter((attempt) => attempt.cancel(now));
    if (waiting.length > 0) return;
    this.#fail(now, { why: "cancelled" });
  }

  /** Begins nothing more; what is on the wire is waited for. @returns false if nothing is: it has ended. */
  windUp(now: Instant): boolean {
    this.#windingUp = true;
    this.#host.timers.silence(this.#hedge);
    const asking = this.#attempts.filter((attempt) => attempt.windUp(now));
    if (asking.length === 0) this.drop(now);
    return asking.length > 0;
  }

  /** Ends without a word to anybody; without `now` the whole transaction layer is about to stop. */
  drop(now?: Instant): void {
    this.#silence();
    for (const attempt of this.#attempts) attempt.drop(now);
    this.#attempts = [];
    this.state = "ended";
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#hedge) {
      this.#next(now);
      return;
    }
    const attempt = this.#attempts.find((one) => one.patience === timer);
    if (attempt !== undefined) this.#leave(now, attempt, "timeout");
  }

  /** From an attempt: a provisional response. */
  provisional(now: Instant, attempt: Attempt, response: Response): void {
    if (this.state === "ended") return;
    if (this.#user.method !== "INVITE") {
      // Somebody is at work on it: the whole of Timer F is his (RFC 4320 §4.1).
      this.#host.timers.silence(attempt.patience);
      this.#host.health.responded(now, attempt.place.target);
      return;
    }
    this.state = "proceeding";
    this.#silence();
    for (const other of this.#attempts) if (other !== attempt) other.abandon(now);
    this.#attempts = [attempt];
    this.#host.health.responded(now, attempt.place.target);
    if (!this.#cancelled) this.#user.provisional(now, response, attempt.place as AttemptPlace);
  }

  /** From an attempt: a final response that is not a challenge it could meet. */
  final(now: Instant, attempt: Attempt, response: Response): void {
    if (this.state === "ended") {
      if (response.status < 300) this.#further(now, attempt, response);
      return;
    }
    const target = attempt.place.target;
    this.#host.health.responded(now, target);
    const wait = response.status === 503 ? retryAfterOf(response.headers) : undefined;
    if (wait !== undefined) this.#host.health.hush(now, target, wait.seconds);
    if (response.status === 482 && !this.#cancelled && this.#rejoin()) return;
    if (
      this.state !== "proceeding" &&
      !this.#cancelled &&
      letsGo(this.#host.policy, this.#user.method, response.status)
    ) {
      this.#refusal = { response, attempt };
      // The server that a proxy leads to next may say something else.
      if (this.#host.policy.proxies.length > 0) this.#tried?.delete(targetName(target));
      this.#leave(now, attempt, String(response.status));
      return;
    }
    this.#conclude(now, attempt, response);
  }

  /** From an attempt: no final response will come. */
  broken(now: Instant, attempt: Attempt, why: "timeout" | LossCause): void {
    if (this.state === "ended") return;
    if (this.state === "proceeding" || this.#cancelled) {
      this.#fail(now, {
        why: this.#cancelled ? "cancelled" : why === "timeout" ? why : "transport",
      });
      return;
    }
    this.#leave(now, attempt, why);
  }

  /** From an attempt: it sends again, to meet a challenge, with the next CSeq number and all its patience. */
  retrying(now: Instant, attempt: Attempt): void {
    this.#cseq += 1;
    this.#bear(now, attempt);
  }

  compose(attempt: AttemptPlace): ReturnType<RequestUser["compose"]> {
    return this.#user.compose(attempt, this.#cseq);
  }

  get method(): string {
    return this.#user.method;
  }

  /** A 2xx after the end: again from the one that answered, or late from one left behind. */
  #further(now: Instant, attempt: Attempt, response: Response): void {
    const place = attempt.place as AttemptPlace;
    if (this.#attempts.includes(attempt) && !this.#cancelled) {
      this.#user.repeated(now, response, place, attempt.request);
    } else {
      this.#user.late(now, response, place, attempt.request);
    }
  }

  /**
   * Merged at the callee (RFC 3261 §8.2.2.2): an attempt before this one has reached him after all, and is
   * waited for.
   */
  #rejoin(): boolean {
    const others = this.#silent.filter((attempt) => attempt.rejoin());
    if (others.length === 0) return false;
    this.#attempts = others;
    this.#silent = [];
    this.state = "trying";
    return true;
  }

  #leave(now: Instant, attempt: Attempt, why: string): void {
    const place = attempt.place;
    const refused = /^[3-6]\d\d$/.test(why);
    this.#host.timers.silence(attempt.patience);
    attempt.abandon(now);
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    if (why === "timeout") this.#silent.push(attempt);
    if (!refused) {
      if (why === "timeout") this.#sawSilence = true;
      this.#host.health.failed(now, place.target, why);
    }
    this.#host.attemptFailed(now, this.#user.method, place, why);
    if (why === "timeout") attempt.doubtFlow(now);
    this.#previous = { place, why };
    if (this.#attempts.length > 0) return;
    this.#host.timers.silence(this.#hedge);
    this.#next(now);
  }

  #next(now: Instant): void {
    if (this.#windingUp) {
      this.#fail(now, { why: "cancelled" });
      return;
    }
    let place = this.#places.shift();
    while (place !== undefined && (this.#isTried(place) || this.#isQuiet(now, place))) {
      place = this.#places.shift();
    }
    if (place !== undefined) {
      this.#prepare(now, place);
      return;
    }
    const route = this.#routes.shift();
    if (route !== undefined) {
      if (this.#previous?.place.server !== route.index && this.#exhausted(now)) return;
      this.state = "resolving";
      this.#host.resolve(now, route, (at) => this.#resolved(at, route));
      return;
    }
    if (this.#deferred.length > 0) {
      this.#places = this.#deferred;
      this.#deferred = [];
      this.#next(now);
      return;
    }
    if (this.#attempts.length > 0) return;
    this.#giveUp(now);
  }

  /** While a hedge was being got ready, an attempt before it was heard of: nobody else may ring now (C16). */
  get #settledMeanwhile(): boolean {
    return this.state === "ended" || this.state === "proceeding";
  }

  /**
   * Tells that a server is dead: of one that answered, if only with 503, this is not said (R50). @returns true
   * if that ended it all.
   */
  #exhausted(now: Instant): boolean {
    const server = this.#previous?.place.server;
    const route = this.#plan.routes.find((one) => one.index === server);
    if (route !== undefined && this.#refusal?.attempt.place.server !== server) {
      this.#host.exhausted(now, route, this.#user.method);
    }
    return this.state === "ended";
  }

  /** Another server, or a proxy in front of it, may stand at a place that was tried already (C44, V8). */
  #isTried(place: Place): boolean {
    return this.#tried?.has(targetName(place.target)) === true;
  }

  /** Who wants to be left alone may have said so to another request meanwhile. */
  #isQuiet(now: Instant, { target }: Place): boolean {
    const quiet = this.#host.health.state(now, target) === "quiet";
    this.#sawSilence ||= quiet;
    return quiet;
  }

  #resolved(now: Instant, route: ServerRoute): void {
    if (this.#settledMeanwhile) return;
    const start = this.#plan.startAt(route);
    const only = this.#plan.only;
    const places =
      only !== undefined ? [only] : [...route.places.slice(start), ...route.places.slice(0, start)];
    for (const place of places) {
      const health = this.#host.health.state(now, place.target);
      if (health === "down" && this.#host.policy.skipKnownDead && only === undefined) {
        this.#deferred.push(place);
      } else this.#places.push(place);
    }
    this.#next(now);
  }

  #prepare(now: Instant, place: Place): void {
    this.state = "preparing";
    const prepared = (at: Instant, fit: boolean): void => {
      if (this.#settledMeanwhile) return;
      if (fit) this.#try(at, place);
      else {
        this.#host.attemptFailed(at, this.#user.method, place, "not-registered");
        this.#next(at);
      }
    };
    this.#host.prepare(now, place, this.#user.method, prepared, this.#plan.moves);
  }

  #try(now: Instant, place: Place): void {
    this.state = "trying";
    const previous = this.#previous;
    if (previous !== undefined && targetName(previous.place.target) !== targetName(place.target)) {
      this.#host.failedOver(now, this.#user.method, previous.place, place, previous.why);
    }
    this.#tried?.add(targetName(place.target));
    const attempt = new Attempt(this.#host, this, place);
    attempt.last = this.#isLast(place);
    this.#attempts.push(attempt);
    this.#bear(now, attempt);
    attempt.start(now);
  }

  /** Sets how long this attempt may stay silent; over UDP the last one has Timer B or F already. */
  #bear(now: Instant, attempt: Attempt): void {
    const { policy, timers } = this.#host;
    const { hop, target } = attempt.place;
    if (attempt.last) {
      if (target.transport !== "udp") timers.set(attempt.patience, now + fullPatienceMs(policy));
      return;
    }
    timers.set(attempt.patience, now + patienceMs(policy, hop, this.#user.method));
    if (policy.hedgeMs > 0 && this.#user.method === "INVITE") {
      timers.set(this.#hedge, now + policy.hedgeMs);
    }
  }

  /** The last place gets the whole of Timer B or F. */
  #isLast(place: Place): boolean {
    if (this.#plan.neverFull) return false;
    if (this.#deferred.length > 0) return false;
    const followed = this.#places.some((one) => !this.#isTried(one));
    if (this.#host.policy.strictLastTarget) {
      return !followed || this.#places[0]?.server !== place.server;
    }
    const spent = (route: ServerRoute): boolean =>
      route.places.length > 0 && route.places.every((one) => this.#isTried(one));
    return !followed && this.#routes.every(spent);
  }

  #giveUp(now: Instant): void {
    if (this.#exhausted(now)) return;
    const previous = this.#previous;
    if (this.#refusal !== undefined) {
      this.#conclude(now, this.#refusal.attempt, this.#refusal.response);
    } else if (previous === undefined && !this.#sawSilence) {
      this.#fail(now, { why: "no-targets" });
    } else {
      this.#fail(now, { why: this.#sawSilence ? "timeout" : "transport" });
    }
  }

  #conclude(now: Instant, attempt: Attempt, response: Response): void {
    this.#silence();
    this.state = "ended";
    for (const other of this.#attempts) if (other !== attempt) other.abandon(now);
    this.#attempts = [attempt];
    if (this.#cancelled && response.status < 300) {
      this.#user.late(now, response, attempt.place as AttemptPlace, attempt.request);
      this.#user.failed(now, { why: "cancelled" });
      return;
    }
    const unhelpful = this.#refusal?.response === response;
    if (!unhelpful && this.#plan.moves) this.#host.settled(now, attempt.place, this.#user.method);
    this.#user.final(now, response, attempt.place as AttemptPlace, attempt.request);
  }

  #fail(now: Instant, failure: Failure): void {
    this.#silence();
    this.state = "ended";
    for (const attempt of this.#attempts) attempt.abandon(now);
    this.#attempts = [];
    this.#user.failed(now, failure);
  }

  #silence(): void {
    for (const attempt of this.#attempts) this.#host.timers.silence(attempt.patience);
    this.#host.timers.silence(this.#hedge);
  }
}
