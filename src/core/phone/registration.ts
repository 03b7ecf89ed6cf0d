/**
 * One binding kept alive at one server: its own Call-ID and CSeq, new each time the phone starts (C25). It
 * knows how to register, refresh, re-register when its flow breaks, and remove itself; when and where is
 * decided by the account's RegistrationStrategy.
 *
 *   idle ──register──▶ registering ──200──▶ registered ──time, lost flow──▶ registering …
 *     ▲                     │ failed              │ remove
 *     │                     ▼                     ▼
 *     └────────────────  failed              removing ──▶ idle
 */
import { uniform } from "../identifiers.ts";
import type { Instant, LossCause, Target } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { FailoverRequest } from "../redundancy/failover.ts";
import type { Plan } from "../redundancy/itinerary.ts";
import type { AttemptPlace, Failure, RequestUser } from "../redundancy/request.ts";
import { sameTarget } from "../redundancy/server-health.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Timer, TimerOwner } from "../timers.ts";
import type { Flow, FlowUser } from "../transaction/user.ts";
import { type HeldBinding, holding, isHeld } from "./held-binding.ts";
import { termsOf } from "./outbound.ts";
import { PARTING, type RegisterOptions } from "./register-options.ts";
import { composeRegister, isApart } from "./register-request.ts";
import { grantedSeconds, refreshAfterMs, SHORTEST_REFRESH_MS } from "./registration-answer.ts";
import type { RegistrationHost } from "./registration-host.ts";
import { RegistrationUpkeep } from "./registration-upkeep.ts";

/** A removal waits so long for the REGISTER before it, if there is a binding to remove already, milliseconds. */
const PARTING_MS = 1500;

export type RegistrationState = "idle" | "registering" | "registered" | "failed" | "removing";

export class Registration implements RequestUser, TimerOwner, FlowUser {
  readonly route: ServerRoute;
  /** The one that its account made before it. */
  readonly before: Registration | undefined;
  readonly #host: RegistrationHost;
  #used: RegistrationUpkeep | undefined;
  state: RegistrationState = "idle";
  /** Consecutive failures. */
  failures = 0;
  /** Where the binding stands. */
  place: AttemptPlace | undefined;
  /** When that runs out, in whole milliseconds: such a number takes no object of its own. */
  expiresAt: Instant = 0;
  #removing = false;
  #request: FailoverRequest | undefined;
  #options: RegisterOptions | undefined;
  #waiting: ((now: Instant, registered: boolean) => void)[] | undefined;
  /** What is to be sent as soon as a removal or a probe on its way has ended. */
  #next: RegisterOptions | undefined;
  /** Targets left behind where a binding is still believed to stand, with its end. */
  #heldElsewhere: HeldBinding | undefined;

  constructor(host: RegistrationHost, route: ServerRoute, before?: Registration) {
    this.before = before;
    this.#host = host;
    this.route = route;
  }

  get method(): "REGISTER" {
    return "REGISTER";
  }

  get #upkeep(): RegistrationUpkeep {
    this.#used ??= new RegistrationUpkeep(this.#host, this, this.route.policy.expiresSeconds);
    return this.#used;
  }

  /** A 200 stands and has not run out. */
  bound(now: Instant): boolean {
    return this.place !== undefined && this.expiresAt > now;
  }

  /** Whether requests may go to a target without registering there first. */
  holds(now: Instant, target: Target): boolean {
    if (this.bound(now) && this.place !== undefined && sameTarget(this.place.target, target)) {
      return true;
    }
    return isHeld(this.#heldElsewhere, now, target);
  }

  /** Sends REGISTER, unless one is on its way (R21): then its outcome serves this caller, too. */
  register(
    now: Instant,
    options: RegisterOptions,
    done?: (now: Instant, registered: boolean) => void,
  ): void {
    if (done !== undefined) {
      this.#waiting ??= [];
      this.#waiting.push(done);
    }
    if (this.#request !== undefined) {
      this.#join(now, options);
      return;
    }
    this.#upkeep.retries = this.state === "failed" && this.#upkeep.pending;
    this.#host.timers.silence(this.#upkeep);
    // The bindings of an earlier life of this phone go first (unregister_on_reboot).
    this.#upkeep.clearing = this.#upkeep.cseq === 0 && this.#host.unregisterOnStart;
    this.#upkeep.stood = this.state === "registered";
    this.state = "registering";
    this.#options = options;
    this.#removing = false;
    this.#send(now);
  }

  /** Renews sooner than it would, if need be. */
  renewBefore(now: Instant, instant: Instant): void {
    if (this.state !== "registered" || this.#upkeep.refreshAt < instant) return;
    const due = now + Math.max(SHORTEST_REFRESH_MS, (instant - now) / 2);
    this.#host.timers.set(this.#upkeep, due);
    this.#upkeep.refreshAt = Math.floor(due);
  }

  /** Waits, then registers as a refresh would. */
  retryAt(now: Instant, waitMs: number): void {
    this.#host.timers.set(this.#upkeep, now + waitMs);
    this.#upkeep.refreshAt = Math.floor(now + waitMs);
  }

  /**
   * Removes the binding with Expires 0, best-effort: one try where it stands (C6). A REGISTER on its way is waited
   * for: a late 200 would leave what nobody removes. Who has waited for it may want it anew: that comes afterwards.
   */
  remove(now: Instant): void {
    this.#next = undefined;
    if (!this.#removing) this.#part(now);
    this.#conclude(now, false);
  }

  /** The binding is void, and nothing is said about it on the wire (failRegistrationOn). */
  forget(): void {
    this.#silence();
    if (this.place !== undefined) {
      this.#host.unwatch(this.place, this);
      this.#host.composer.ended(this.place.target, this);
    }
    this.place = undefined;
    this.#heldElsewhere = undefined;
    if (this.#request === undefined) this.state = "idle";
  }

  /** Ends everything at once: nothing is sent; without `now` the whole phone is closed. */
  stop(now?: Instant): void {
    this.#request?.drop(now);
    this.#request = undefined;
    this.#removing = false;
    if (this.#used !== undefined) this.#used.parting = false;
    this.#next = undefined;
    this.forget();
    this.state = "idle";
    if (now === undefined) this.#waiting = undefined;
    else this.#conclude(now, false);
  }

  get busy(): boolean {
    return this.#request !== undefined;
  }

  rang(now: Instant, timer: Timer): void {
    if (timer === this.#upkeep.watch) this.#upkeep.watch.due(now);
    else if (this.#upkeep.parting) {
      this.#request?.drop(now);
      this.#removeFrom(now, this.place, this.#options?.also);
    } else {
      this.#upkeep.watch.renewed();
      this.doubted(now);
    }
  }

  doubted(now: Instant): void {
    this.#host.refreshDue(now, this.route.index);
  }

  reached(_now: Instant, _flow: Flow): void {}

  /**
   * The flow of the binding broke: nobody can call us, so register at once (C11, C32); but a server that hangs up
   * after each 200 is given a pause.
   */
  unreached(now: Instant, cause: LossCause): void {
    const standing = this.state === "registered";
    const probing = this.state === "registering" && this.#options?.probe === true;
    if (!(standing || probing) || cause === "idle") return;
    const later = this.#upkeep.broke(now, standing);
    if (later === undefined) this.#host.flowLost(now, this.route.index, cause);
    else this.retryAt(now, later - now);
  }

  compose(attempt: AttemptPlace, cseq: number): Request {
    const upkeep = this.#upkeep;
    upkeep.cseq = cseq;
    const parts = this.#removing && !upkeep.parting;
    const removes = parts || upkeep.clearing;
    const seconds = removes ? 0 : upkeep.expiresSeconds;
    const bound = parts ? this.#options?.only : undefined;
    const flow = bound !== undefined && "flow" in bound ? (bound as AttemptPlace).flow : undefined;
    return composeRegister(this.#host, this.route, upkeep, seconds, attempt, cseq, flow);
  }

  provisional(): void {}
  repeated(): void {}

  /** What was left for dead has registered us after all, under the number of the flow that stands: that goes last. */
  late(now: Instant, response: Response, { flow }: AttemptPlace): void {
    if (this.place === undefined || this.place.flow.id === flow.id) return;
    if (termsOf(response, "").outbound) this.renewBefore(now, now + SHORTEST_REFRESH_MS);
  }

  final(now: Instant, response: Response, attempt: AttemptPlace): void {
    this.#request = undefined;
    if (this.#upkeep.parting) {
      this.#removeFrom(now, response.status < 300 && !this.#upkeep.clearing ? attempt : this.place);
      return;
    }
    if (this.#removing) {
      this.#removed(now);
      return;
    }
    const cleared = this.#upkeep.clearing;
    this.#upkeep.clearing = false;
    if (cleared || this.#upkeep.mayAskAgain(this.#host, response, attempt)) {
      this.#send(now);
      return;
    }
    const granted = grantedSeconds(response, this.#host, this.route, attempt);
    if (granted <= 0) {
      this.#failedWith(now, attempt, "rejected", response);
      return;
    }
    this.#host.composer.granted(attempt, response, this);
    this.#upkeep.watch.accepted(now, attempt, response, this.failures);
    this.#accept(now, attempt, granted);
  }

  failed(now: Instant, failure: Failure): void {
    this.#request = undefined;
    if (this.#upkeep.parting) {
      this.#removeFrom(now, this.place);
      return;
    }
    this.#upkeep.clearing = false;
    if (this.#removing) {
      this.#removed(now);
      return;
    }
    this.#failedWith(now, this.place, failure.why, undefined);
  }

  /** What is on its way serves this caller, too; but a removal does not, nor a probe when our own place is in doubt. */
  #join(now: Instant, options: RegisterOptions): void {
    const current = this.#options as RegisterOptions;
    const { only, probe } = options;
    const elsewhere = only !== undefined && !probe && current.only === undefined && !current.probe;
    const below = elsewhere ? this.route.indexOf(only.target) : -1;
    if (this.#removing) this.#next = options;
    else if (elsewhere && this.#request?.isMuteAbove(below, this.route) === true) {
      // Where nobody answers must not hold up who is to be registered at the next place.
      this.#request.drop(now);
      this.#options = options;
      this.#send(now);
    } else if (!current.probe || probe) return;
    else if (!this.bound(now)) this.#options = { ...current, probe: false };
    else if (only === undefined) this.#next = options;
  }

  #send(now: Instant): void {
    const options = this.#options as RegisterOptions;
    const plan: Plan = {
      routes: [this.route],
      startAt: (route) => (options.fromTop ? 0 : this.#host.startAt(route)),
      neverFull: options.probe || !(options.last || this.#host.policy.strictLastTarget),
      moves: !this.#removing,
      ...(options.only === undefined ? {} : { only: options.only }),
    };
    this.#request = new FailoverRequest(this.#host.failover, plan, this.#upkeep.cseq + 1, this);
    this.#request.start(now);
  }

  #accept(now: Instant, attempt: AttemptPlace, granted: number): void {
    this.#upkeep.tooBrief = 0;
    this.#next = undefined;
    this.failures = 0;
    this.state = "registered";
    const before = this.place;
    if (before !== undefined && before.flow.id !== attempt.flow.id)
      this.#leave(now, before, attempt);
    this.place = attempt;
    this.expiresAt = Math.floor(now + granted * 1000);
    const jitter = uniform(this.#host.entropy, 0, this.#host.policy.refreshJitter);
    const due = now + refreshAfterMs(granted, this.route.policy.overlapSeconds, jitter);
    this.#host.timers.set(this.#upkeep, due);
    this.#upkeep.refreshAt = Math.floor(due);
    this.#host.watch(now, attempt, this);
    this.#options = undefined;
    this.#host.accepted(now, this.route.index, attempt, granted);
    this.#conclude(now, true);
  }

  /** The binding at the place before may go on standing, unless the policy calls it void. */
  #leave(now: Instant, before: AttemptPlace, after: AttemptPlace): void {
    this.#host.unwatch(before, this);
    if (after.hop.dropRegistrationOnFailover) {
      this.#host.composer.ended(before.target, this);
      this.#heldElsewhere = undefined;
      return;
    }
    this.#heldElsewhere = holding(this.#heldElsewhere, now, before.target, this.expiresAt);
  }

  #silence(): void {
    if (this.#used === undefined) return;
    this.#host.timers.silence(this.#used);
    this.#used.watch.silence();
  }

  #failedWith(
    now: Instant,
    where: Place | undefined,
    why: string,
    response: Response | undefined,
  ): void {
    const probe = this.#options?.probe === true;
    const next = this.#takeNext();
    const stands = this.#upkeep.stood && this.bound(now);
    if (probe && (stands || this.#upkeep.retries)) {
      // A trial of another place: what stands goes on standing, what is to be tried again is, when it would have been.
      this.state = stands ? "registered" : "failed";
      this.#host.timers.set(this.#upkeep, Math.max(now, this.#upkeep.refreshAt));
      this.#conclude(now, false);
      if (next !== undefined) this.register(now, next);
      return;
    }
    this.state = "failed";
    // Where nothing was sent nothing has failed: there is no back-off from it.
    if (why !== "quiet") this.failures += 1;
    this.#host.refused(now, { server: this.route.index, where, why, response, probe });
    this.#conclude(now, false);
  }

  #part(now: Instant): void {
    if (this.#used === undefined) return;
    this.#silence();
    this.state = "removing";
    this.#removing = true;
    const asked = this.#request?.windUp(now);
    this.#used.parting = asked !== undefined;
    this.#options = { ...PARTING, also: asked };
    if (asked === undefined) this.#removeFrom(now, this.place);
    else if (this.place !== undefined) this.#host.timers.set(this.#upkeep, now + PARTING_MS);
  }

  /** @param other is asked after it, if what may stand there has another name or place. */
  #removeFrom(now: Instant, place: AttemptPlace | undefined, other = this.place): void {
    this.#request = undefined;
    this.#upkeep.parting = false;
    this.#upkeep.clearing = false;
    this.forget();
    if (place === undefined) {
      this.#removing = false;
      this.#goOn(now);
      return;
    }
    this.state = "removing";
    const also = isApart(this.#host, other, place) ? other : undefined;
    this.#options = { ...PARTING, only: place, also };
    this.#send(now);
  }

  #removed(now: Instant): void {
    const also = this.#options?.also;
    if (also !== undefined) {
      this.#removeFrom(now, also);
      return;
    }
    this.#removing = false;
    this.state = "idle";
    this.#host.removed(now, this.route.index);
    this.#goOn(now);
  }

  #goOn(now: Instant): void {
    const next = this.#takeNext();
    if (next !== undefined) this.register(now, next);
  }

  #takeNext(): RegisterOptions | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  #conclude(now: Instant, registered: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const done of waiting ?? []) done(now, registered);
  }
}
