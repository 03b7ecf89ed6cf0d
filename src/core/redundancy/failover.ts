/**
 * One logical request on its way down the list of places: primary, secondary, fallback, until one answers.
 *
 *   resolving ─▶ trying ──silence, ICMP, RST, 503──▶ next place … ─▶ failed
 *                  │ 1xx: no failover any more (C16, R69)
 *                  └──▶ proceeding ──▶ answered
 *
 * A hedged INVITE (`hedgeMs`) goes to the next place while the first is still asked: the first 1xx of a callee has the
 * call, and a 100 ends no other that is under way: the callee merges what comes second with 482, and the other counts.
 *
 * An attempt left behind goes on being listened to: its late 1xx is cancelled here, its late 2xx is handed up.
 */
import type { Instant, LossCause } from "../machine.ts";
import { retryAfterOf } from "../message/delta.ts";
import type { Response } from "../message/message.ts";
import { Timer, type TimerOwner } from "../timers.ts";
import { Attempt } from "./attempt.ts";
import { AttemptNumbers } from "./attempt-numbers.ts";
import type { FailoverHost } from "./failover-host.ts";
import { Itinerary, type Plan } from "./itinerary.ts";
import { fullPatienceMs, patienceMs } from "./patience.ts";
import type { AttemptPlace, Failure, RequestUser } from "./request.ts";
import { sameTarget } from "./server-health.ts";
import { type Place, ServerRoute } from "./server-set.ts";
import { letsGo } from "./verdict.ts";

type FailoverState = "idle" | "resolving" | "preparing" | "trying" | "proceeding" | "ended";

export class FailoverRequest implements TimerOwner {
  readonly #host: FailoverHost;
  readonly #plan: Plan;
  readonly #user: RequestUser;
  readonly #hedge: Timer;
  readonly #hedges: boolean;
  state: FailoverState = "idle";
  readonly #itinerary: Itinerary;
  readonly #numbers: AttemptNumbers;
  /** Under way, the newest last; beside the one that was heard of only such as may still turn out to have the call. */
  #attempts: Attempt[] = [];
  /** Left because nothing was heard of them. */
  #silent: Attempt[] = [];
  /** The next place is being resolved or made fit. */
  #getting = false;
  #previous: { place: Place; why: string } | undefined;
  #refusal: { response: Response; attempt: Attempt } | undefined;
  #sawSilence = false;
  #cancelled = false;
  #windingUp = false;
  /** The callee has had it: it goes nowhere else. */
  #merged = false;

  constructor(host: FailoverHost, plan: Plan, cseq: number, user: RequestUser) {
    this.#host = host;
    this.#plan = plan;
    this.#user = user;
    this.#hedges = plan.hedges === true && host.policy.hedgeMs > 0;
    this.#numbers = new AttemptNumbers(cseq, this.#hedges);
    this.#itinerary = new Itinerary(host, plan);
    this.#hedge = new Timer("hedge", this);
  }

  /** The CSeq number used last: credentials raise it (R6). */
  get cseq(): number {
    return this.#numbers.last;
  }

  /** Whoever is asked stands above that place of the route and has said nothing: nobody below need wait for him. */
  isMuteAbove(index: number, route: ServerRoute): boolean {
    return this.#attempts.every((one) => !one.heard && route.indexOf(one.place.target) < index);
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

  /** Begins nothing more; what is on the wire is waited for. @returns where; undefined: nothing is, it has ended. */
  windUp(now: Instant): AttemptPlace | undefined {
    this.#windingUp = true;
    this.#host.timers.silence(this.#hedge);
    const asking = this.#attempts.filter((attempt) => attempt.windUp(now));
    if (asking.length === 0) this.drop(now);
    return asking.at(-1)?.place as AttemptPlace | undefined;
  }

  /** Ends without a word to anybody; without `now` the whole transaction layer is about to stop. */
  drop(now?: Instant): void {
    this.#silence();
    for (const attempt of this.#attempts) attempt.drop(now);
    this.#attempts = [];
    this.state = "ended";
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#hedge) this.#next(now);
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
    this.#outrun(now, attempt);
    this.#leaveOthers(now, attempt, response.status > 100);
    this.#host.health.responded(now, attempt.place.target);
    if (!this.#cancelled) this.#user.provisional(now, response, attempt.place as AttemptPlace);
  }

  /** From an attempt that was left: if nothing has gone to a next place yet, it has the request after all (C16). */
  heardLate(now: Instant, attempt: Attempt): void {
    if (this.#settledMeanwhile || this.#attempts.some(({ sent }) => sent)) return;
    if (!this.#silent.includes(attempt) || !attempt.rejoin()) return;
    this.#silence();
    for (const other of this.#attempts) other.abandon(now);
    this.#attempts = [attempt];
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
    if (response.status === 482 && !this.#cancelled && this.#rejoin(now, attempt)) return;
    const lets = !this.#cancelled && letsGo(this.#host.policy, this.#user.method, response.status);
    if (lets && this.state === "proceeding" && this.#yields(now, attempt)) return;
    if (lets && this.state !== "proceeding") {
      this.#refusal = { response, attempt };
      // The server that a proxy leads to next may say something else.
      if (this.#host.policy.proxies.length > 0) this.#itinerary.mayTryAgain(target);
      this.#leave(now, attempt, String(response.status));
      return;
    }
    this.#conclude(now, attempt, response);
  }

  /** From an attempt: no final response will come. */
  broken(now: Instant, attempt: Attempt, why: "timeout" | "503" | LossCause): void {
    if (this.state === "ended") return;
    if (this.state === "proceeding" && this.#yields(now, attempt)) return;
    if (this.state === "proceeding" || this.#cancelled) {
      this.#fail(now, {
        why: this.#cancelled ? "cancelled" : why === "timeout" ? why : "transport",
      });
      return;
    }
    this.#leave(now, attempt, why);
  }

  /** From an attempt: it meets a challenge, with all its patience; if another one was heard, nobody is next (C16). */
  retrying(now: Instant, attempt: Attempt): void {
    attempt.cseq = this.#numbers.again(attempt.cseq);
    if (this.#plan.moves) this.#host.challenged(attempt.place);
    if (!this.#attempts.some((one) => one !== attempt && one.heard)) this.#bear(now, attempt);
  }

  /** From an attempt: it sends for the first time, perhaps beside others that have not refused. */
  firstCseq(): number {
    return this.#numbers.begin([...this.#attempts, ...this.#silent].some(({ sent }) => sent));
  }

  compose(attempt: AttemptPlace, cseq: number): ReturnType<RequestUser["compose"]> {
    return this.#user.compose(attempt, cseq);
  }

  get method(): string {
    return this.#user.method;
  }

  /** A 2xx after the end: again from the one that answered, or late from one left behind. */
  #further(now: Instant, attempt: Attempt, response: Response): void {
    const place = attempt.place as AttemptPlace;
    const again = this.#attempts.includes(attempt) && !this.#cancelled;
    if (again) this.#user.repeated(now, response, place, attempt.request);
    else this.#user.late(now, response, place, attempt.request);
  }

  /**
   * Merged at the callee (RFC 3261 §8.2.2.2): an attempt before this one has reached him after all, and is
   * waited for.
   */
  #rejoin(now: Instant, merged: Attempt): boolean {
    this.#leaveOthers(now, merged, false);
    const beside = this.#attempts.filter((attempt) => attempt !== merged);
    const others = [...this.#silent.filter((attempt) => attempt.rejoin()), ...beside];
    if (others.length === 0) return false;
    this.#host.timers.silence(merged.patience);
    this.#attempts = others;
    this.#silent = [];
    this.#merged = true;
    this.state = others.some(({ heard }) => heard) ? "proceeding" : "trying";
    return true;
  }

  /** Somebody answers, and those who were asked before him do not yet: the next request should know (§8). */
  #outrun(now: Instant, first: Attempt): void {
    for (const attempt of this.#attempts) {
      if (attempt === first) return;
      if (attempt.heard || attempt.outrun) continue;
      attempt.outrun = true;
      this.#host.attemptFailed(now, this.#user.method, attempt.place, "hedged");
      this.#host.health.failed(now, attempt.place.target, "hedged");
    }
  }

  /** It came to nothing, and another one that is heard of goes on. */
  #yields(now: Instant, attempt: Attempt): boolean {
    const others = this.#attempts.filter((one) => one !== attempt);
    if (!others.some(({ heard }) => heard)) return false;
    attempt.abandon(now);
    this.#attempts = others;
    return true;
  }

  /** All of them, or those who have not been asked yet: once somebody was heard of they need not be (C16). */
  #leaveOthers(now: Instant, attempt: Attempt | undefined, all: boolean): void {
    const stays = (one: Attempt): boolean => one === attempt || (!all && one.underWay);
    for (const other of this.#attempts) if (!stays(other)) other.abandon(now);
    this.#attempts = this.#attempts.filter(stays);
  }

  #leave(now: Instant, attempt: Attempt, why: string): void {
    const place = attempt.place;
    const refused = /^[3-6]\d\d$/.test(why);
    const mute = why === "timeout" && this.#plan.unproven === true;
    const newest = this.#attempts.at(-1) === attempt;
    attempt.abandon(now);
    this.#attempts = this.#attempts.filter((other) => other !== attempt);
    if (why === "timeout") this.#silent.push(attempt);
    this.#sawSilence ||= why === "timeout";
    if (!refused && !mute) this.#host.health.failed(now, place.target, why);
    this.#host.attemptFailed(now, this.#user.method, place, why, attempt.last);
    if (why === "timeout" && !mute) attempt.doubtFlow(now);
    this.#previous = { place, why };
    // Those beside it have been silent for longer already: the next one's turn came when this one's did.
    if (this.#getting || (this.#attempts.length > 0 && !newest)) return;
    this.#host.timers.silence(this.#hedge);
    this.#next(now);
  }

  #next(now: Instant): void {
    if (this.#windingUp) {
      this.#fail(now, { why: "cancelled" });
      return;
    }
    if (this.#merged) {
      if (this.#attempts.length === 0) this.#fail(now, { why: "timeout" });
      return;
    }
    const step = this.#itinerary.next(now);
    if (step === undefined) {
      if (this.#attempts.length === 0) this.#giveUp(now);
    } else if (!(step instanceof ServerRoute)) {
      this.#prepare(now, step);
    } else if (this.#previous?.place.server === step.index || !this.#exhausted(now)) {
      this.#resolve(now, step);
    }
  }

  /** While the next place was being got ready, one before it was heard of, or nobody wants it any more (C16). */
  get #settledMeanwhile(): boolean {
    return this.state === "ended" || this.state === "proceeding" || this.#cancelled;
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

  #resolve(now: Instant, route: ServerRoute): void {
    this.state = "resolving";
    this.#getting = true;
    this.#host.resolve(now, route, (at) => {
      this.#getting = false;
      if (this.#settledMeanwhile) return;
      this.#itinerary.resolved(at, route);
      this.#next(at);
    });
  }

  #prepare(now: Instant, place: Place): void {
    this.state = "preparing";
    this.#getting = true;
    const prepared = (at: Instant, fit: boolean): void => {
      this.#getting = false;
      if (this.#settledMeanwhile) return;
      if (this.#merged) this.#next(at);
      else if (fit || this.#plan.finishes === true) this.#try(at, place);
      else {
        this.#host.attemptFailed(at, this.#user.method, place, "not-registered");
        this.#next(at);
      }
    };
    this.#host.prepare(now, place, this.#user.method, prepared, this.#itinerary.registering);
  }

  #try(now: Instant, place: Place): void {
    this.state = "trying";
    const beside = this.#attempts.at(-1)?.place;
    const from = this.#previous?.place ?? this.#itinerary.passedOver;
    if (beside !== undefined) {
      this.#host.hedged(now, this.#user.method, beside, place);
    } else if (from !== undefined && !sameTarget(from.target, place.target)) {
      this.#host.failedOver(now, this.#user.method, from, place, this.#previous?.why);
    }
    const attempt = new Attempt(this.#host, this, place);
    attempt.last = this.#itinerary.begin(place, now + this.#patience(place));
    this.#attempts.push(attempt);
    this.#bear(now, attempt);
    attempt.start(now);
  }

  #patience({ hop, target }: Place): number {
    const patience = patienceMs(this.#host.policy, hop, this.#user.method, target.transport);
    return Math.min(patience, this.#plan.patienceMs ?? patience);
  }

  /** Sets how long this attempt may stay silent; over UDP the last one has Timer B or F already. */
  #bear(now: Instant, { last, patience, place }: Attempt): void {
    const { policy, timers } = this.#host;
    if (!last) {
      timers.set(patience, now + this.#patience(place));
      if (this.#hedges) timers.set(this.#hedge, now + policy.hedgeMs);
    } else if (place.target.transport !== "udp") timers.set(patience, now + fullPatienceMs(policy));
  }

  #giveUp(now: Instant): void {
    if (this.#exhausted(now)) return;
    const { hushed } = this.#itinerary;
    const untried = this.#previous === undefined && !this.#sawSilence;
    if (this.#refusal !== undefined) {
      this.#conclude(now, this.#refusal.attempt, this.#refusal.response);
    } else if (untried) {
      this.#fail(now, { why: hushed ? "quiet" : "no-targets" });
    } else {
      this.#fail(now, { why: this.#sawSilence || hushed ? "timeout" : "transport" });
    }
  }

  #conclude(now: Instant, attempt: Attempt, response: Response): void {
    this.#silence();
    this.#outrun(now, attempt);
    this.state = "ended";
    this.#leaveOthers(now, attempt, true);
    const place = attempt.place as AttemptPlace;
    if (this.#cancelled && response.status < 300) {
      this.#user.late(now, response, place, attempt.request);
      this.#user.failed(now, { why: "cancelled" });
      return;
    }
    const unhelpful = this.#refusal?.response === response;
    if (!unhelpful && this.#plan.moves) this.#host.settled(now, place, this.#user.method);
    this.#user.final(now, response, place, attempt.request);
  }

  #fail(now: Instant, failure: Failure): void {
    this.#silence();
    this.state = "ended";
    this.#leaveOthers(now, undefined, true);
    this.#user.failed(now, failure);
  }

  #silence(): void {
    for (const attempt of this.#attempts) this.#host.timers.silence(attempt.patience);
    this.#host.timers.silence(this.#hedge);
  }
}
