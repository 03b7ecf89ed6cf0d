/**
 * The second flow of a registration (RFC 5626 §4.2.1, R90): where an account has several outbound proxies and its
 * registrar keeps flows apart, another proxy than the one in use gets a registration of its own, with its own reg-id.
 * Calls then still come in, and requests still go out, while the first flow is dead and not yet replaced.
 */
import type { Instant, LossCause, Opening, Target } from "../machine.ts";
import { backoffMs } from "../redundancy/backoff.ts";
import type { FailoverHost } from "../redundancy/failover-host.ts";
import type { RedundancyPolicy, RegisterBackoff, ServerPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import { targetName } from "../redundancy/server-health.ts";
import { type Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Flow, FlowUser } from "../transaction/user.ts";
import type { AccountEvents } from "./account-events.ts";
import type { Verdict } from "./options-probe.ts";
import { FOLLOWED } from "./register-options.ts";
import { Registration } from "./registration.ts";
import type { RegistrationHost, RegistrationRefusal } from "./registration-host.ts";

/** Whose flow it is. */
export interface SpareAccount extends RegistrationHost, FailoverHost {
  readonly policy: RedundancyPolicy;
  readonly timers: RegistrationHost["timers"];
  readonly events: AccountEvents;
}

/** All that an account has: one for each of its servers at most. */
export class SpareFlows {
  readonly #account: SpareAccount;
  readonly #byServer = new Map<number, SpareFlow>();

  constructor(account: SpareAccount) {
    this.#account = account;
  }

  /** The account is registered at that place, whatever was granted there. */
  follow(now: Instant, route: ServerRoute, place: Place): void {
    const known = this.#byServer.get(route.index);
    if (route.hops.length < 2) return;
    if (!this.#account.composer.termsAt(place.target).outbound) {
      known?.stop(now);
      return;
    }
    const spare = known ?? new SpareFlow(this.#account, route);
    this.#byServer.set(route.index, spare);
    spare.follow(now, place);
  }

  /** The account is registered at that server no more. */
  left(now: Instant, server: number): void {
    this.#byServer.get(server)?.remove(now);
  }

  /** Whether requests may go to a place without registering there first. */
  holds(now: Instant, place: Place): boolean {
    return this.#byServer.get(place.server)?.holds(now, place.target) === true;
  }

  /** Where requests of a server begin whose place in use is in doubt; undefined: there. */
  standIn(now: Instant, route: ServerRoute): number | undefined {
    return this.#byServer.get(route.index)?.standIn(now, route);
  }

  get busy(): boolean {
    return [...this.#byServer.values()].some((spare) => spare.busy);
  }

  /** Removes the bindings best-effort. */
  remove(now: Instant): void {
    for (const spare of this.#byServer.values()) spare.remove(now);
  }

  /** Ends everything at once, without a word. */
  close(): void {
    for (const spare of this.#byServer.values()) spare.stop(undefined);
  }
}

class SpareFlow implements RegistrationHost, FailoverHost {
  readonly flowOnly = true;
  readonly unregisterOnStart = false;
  readonly #account: SpareAccount;
  readonly #main: ServerRoute;
  readonly #registration: Registration;
  /** The proxy that the first flow goes through. */
  #taken: ServerPolicy | undefined;

  constructor(account: SpareAccount, main: ServerRoute) {
    this.#account = account;
    this.#main = main;
    this.#registration = new Registration(this, new ServerRoute(main.index, main.policy, []));
  }

  /**
   * Goes through another proxy than that. What stands at one that is taken now stands until it is replaced, under the
   * same reg-id and the same Call-ID: Kamailio 5.6 takes a new one for a new phone and forgets the first flow.
   */
  follow(now: Instant, { hop }: Place): void {
    if (this.#taken === hop) return;
    this.#taken = hop;
    if (this.#registration.busy) this.#registration.stop(now);
    this.#registration.route.leadThrough(this.#main.hops.filter((proxy) => proxy !== hop));
    this.#registration.register(now, FOLLOWED);
  }

  standIn(now: Instant, route: ServerRoute): number | undefined {
    const { place, state } = this.#registration;
    const inUse = route.currentPlace;
    if (inUse === undefined || place === undefined || state !== "registered") return undefined;
    if (this.health.state(now, inUse.target) === "up") return undefined;
    const index = route.indexOf(place.target);
    return index < 0 ? undefined : index;
  }

  holds(now: Instant, target: Target): boolean {
    return this.#registration.holds(now, target);
  }

  get busy(): boolean {
    return this.#registration.busy;
  }

  /** Best-effort; should the first flow be made again, so is this. */
  remove(now: Instant): void {
    this.#taken = undefined;
    this.#registration.remove(now);
  }

  stop(now: Instant | undefined): void {
    this.#taken = undefined;
    this.#registration.stop(now);
  }

  // What its registration asks and tells.

  startAt(route: ServerRoute): number {
    return route.current;
  }

  keepAlive(now: Instant, flow: Flow, answers: boolean): void {
    this.#account.keepAlive(now, flow, answers);
  }

  verify(now: Instant, place: Place, told: (now: Instant, verdict: Verdict) => void): void {
    this.#account.verify(now, place, told);
  }

  watch(now: Instant, place: AttemptPlace, user: FlowUser): void {
    this.#account.watch(now, place, user);
  }

  unwatch(place: AttemptPlace, user: FlowUser): void {
    this.#account.unwatch(place, user);
  }

  refreshDue(now: Instant): void {
    this.#registration.register(now, FOLLOWED);
  }

  flowLost(now: Instant, server: number, cause: LossCause): void {
    this.#report("flow.interrupted", server, this.#registration.place, { why: cause });
    this.#registration.register(now, FOLLOWED);
  }

  accepted(now: Instant, server: number, place: AttemptPlace, granted: number): void {
    if (this.composer.termsAt(place.target).outbound) {
      this.#report("flow.registered", server, place, { expires: granted });
      return;
    }
    // Beyond that proxy nobody keeps flows apart: a second one would be a second phone.
    this.#report("flow.failed", server, place, { why: "not-granted" });
    this.#registration.stop(now);
  }

  /** While the first flow lives there is no hurry: three times the wait, as RFC 5626 §4.5 has it (R97). */
  refused(now: Instant, { server, where, why, response }: RegistrationRefusal): void {
    const registration = this.#registration;
    const place = registration.route.currentPlace ?? where;
    this.#report("flow.failed", server, place, { why, status: response?.status });
    const wait = backoffMs(threefold(this.policy.backoff), registration.failures, this.entropy);
    registration.retryAt(now, wait);
  }

  removed(): void {}

  // What its REGISTER asks and tells on its way.

  get failover(): FailoverHost {
    return this;
  }

  get policy(): SpareAccount["policy"] {
    return this.#account.policy;
  }

  get timers(): SpareAccount["timers"] {
    return this.#account.timers;
  }

  get entropy(): SpareAccount["entropy"] {
    return this.#account.entropy;
  }

  get composer(): SpareAccount["composer"] {
    return this.#account.composer;
  }

  get health(): SpareAccount["health"] {
    return this.#account.health;
  }

  get sender(): SpareAccount["sender"] {
    return this.#account.sender;
  }

  get credentials(): SpareAccount["credentials"] {
    return this.#account.credentials;
  }

  opening(target: Target): Opening {
    return this.#account.opening(target);
  }

  challenged(): void {}

  resolve(now: Instant, route: ServerRoute, resolved: (now: Instant) => void): void {
    this.#account.resolve(now, route, resolved);
  }

  prepare(
    now: Instant,
    _place: Place,
    _method: string,
    prepared: (now: Instant, fit: boolean) => void,
  ): void {
    prepared(now, true);
  }

  settled(_now: Instant, place: Place): void {
    const { route } = this.#registration;
    route.current = Math.max(0, route.indexOf(place.target));
  }

  passedOver(now: Instant, place: Place): void {
    this.#account.passedOver(now, place);
  }

  exhausted(): void {}
  hedged(): void {}

  attemptFailed(now: Instant, method: string, place: Place, why: string, last?: boolean): void {
    this.#account.attemptFailed(now, method, place, why, last);
  }

  failedOver(now: Instant, method: string, from: Place, to: Place, why: string): void {
    this.#account.failedOver(now, method, from, to, why);
  }

  #report(
    event: string,
    server: number,
    place: Place | undefined,
    fields: Readonly<Record<string, string | number | undefined>>,
  ): void {
    const target = place === undefined ? "" : targetName(place.target);
    this.#account.events.report(event, { server, target, ...fields });
  }
}

function threefold(backoff: RegisterBackoff): RegisterBackoff {
  return backoff.kind === "fixed"
    ? { kind: "fixed", intervalMs: 3 * backoff.intervalMs }
    : { ...backoff, baseMs: 3 * backoff.baseMs };
}
