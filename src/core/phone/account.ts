/**
 * One line of a phone: its servers, its registrations, and where its requests go. It is the host of the
 * redundancy engine, and the one place where the engine's decisions become events.
 */
import { type Instant, type LossCause, NEVER, type Opening, type Target } from "../machine.ts";
import { Credentials } from "../redundancy/credentials.ts";
import { type FailbackHost, failbackModeOf, type Returned } from "../redundancy/failback.ts";
import { Failbacks } from "../redundancy/failbacks.ts";
import { FailoverRequest } from "../redundancy/failover.ts";
import type { FailoverHost } from "../redundancy/failover-host.ts";
import type { Plan, Registering } from "../redundancy/itinerary.ts";
import type { AccountPolicy, RedundancyPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import type { ServerHealth } from "../redundancy/server-health.ts";
import {
  type Place,
  type ResolvedHop,
  type ServerRoute,
  ServerSet,
} from "../redundancy/server-set.ts";
import type { Timers } from "../timers.ts";
import type { Flow, FlowUser } from "../transaction/user.ts";
import type { AccountEnvironment } from "./account-environment.ts";
import { AccountEvents } from "./account-events.ts";
import { AccountProbes } from "./account-probes.ts";
import type { Composer } from "./composer.ts";
import { ConcurrentRegistration } from "./concurrent-registration.ts";
import type { Verdict } from "./options-probe.ts";
import { type Moved, registerFirst } from "./register-first.ts";
import { Registration } from "./registration.ts";
import { awayMs, isUnsent } from "./registration-answer.ts";
import type { RegistrationHost, RegistrationRefusal } from "./registration-host.ts";
import type { RegistrationStrategy, StrategyHost } from "./registration-strategy.ts";
import { SpareFlows } from "./spare-flow.ts";
import { SuccessiveRegistration } from "./successive-registration.ts";
import { returnHome, startIndex } from "./way-home.ts";

export class Account implements FailoverHost, RegistrationHost, StrategyHost, FailbackHost {
  readonly config: AccountPolicy;
  readonly servers: ServerSet;
  readonly composer: Composer;
  readonly credentials: Credentials;
  readonly #environment: AccountEnvironment;
  /** Each made when it is first needed, the newest first. */
  #newest: Registration | undefined;
  readonly #strategy: RegistrationStrategy;
  /** There while requests of a server go elsewhere than to its first place. */
  #failbacks: Failbacks | undefined;
  #askedProbes: AccountProbes | undefined;
  #spares: SpareFlows | undefined;
  /** The last words of calls are said without registering anywhere for them, and there is no way home. */
  #stopping = false;
  /** Who asked for credentials, if none has answered since (auth.optimizedInFailover): the next request goes there. */
  #challenger: Place | undefined;

  constructor(config: AccountPolicy, environment: AccountEnvironment) {
    this.config = config;
    this.#environment = environment;
    this.servers = new ServerSet(this.policy);
    this.credentials = new Credentials(config, environment, this.servers);
    this.composer = environment.composerFor(config);
    this.#strategy =
      this.policy.registration === "concurrent"
        ? new ConcurrentRegistration(
            this,
            this.servers.routes.flatMap(({ index }) => this.registration(index) ?? []),
          )
        : new SuccessiveRegistration(this);
  }

  get policy(): RedundancyPolicy {
    return this.config.redundancy;
  }

  get health(): ServerHealth {
    return this.#environment.health;
  }

  get timers(): Timers {
    return this.#environment.timers;
  }

  get events(): AccountEvents {
    return new AccountEvents(this.#environment, this.config);
  }

  get entropy(): AccountEnvironment["primitives"]["entropy"] {
    return this.#environment.primitives.entropy;
  }

  get sender(): AccountEnvironment["sender"] {
    return this.#environment.sender;
  }

  get failover(): FailoverHost {
    return this;
  }

  get unregisterOnStart(): boolean {
    return this.config.unregisterOnStart;
  }

  get idle(): boolean {
    return this.#environment.idle;
  }

  get probes(): AccountProbes {
    this.#askedProbes ??= new AccountProbes(this, this.#environment.answering);
    return this.#askedProbes;
  }

  /** The server that new requests go to first, 1-based. */
  get workingServer(): number {
    return this.#strategy.workingServer;
  }

  start(now: Instant): void {
    this.#strategy.start(now);
  }

  /** A stop is near. */
  windUp(): void {
    this.#stopping = true;
  }

  /** Removes every binding best-effort and silences every timer. */
  stop(now: Instant): void {
    this.windUp();
    this.#endTrials(now);
    this.#spares?.remove(now);
    this.#strategy.stop(now);
  }

  /** No REGISTER is on its way. */
  get atRest(): boolean {
    return this.#spares?.busy !== true && !this.#made.some(({ busy }) => busy);
  }

  /** Ends everything at once: nothing is sent any more. */
  close(): void {
    this.#endTrials(undefined);
    this.#spares?.close();
    this.#strategy.close();
    for (const one of this.#made) one.stop();
  }

  becameIdle(now: Instant): void {
    this.#failbacks?.becameIdle(now);
  }

  registration(server: number): Registration | undefined {
    if (this.policy.servers[server - 1]?.register !== true) return undefined;
    const known = this.begun(server);
    if (known !== undefined) return known;
    this.#newest = new Registration(this, this.servers.route(server), this.#newest);
    return this.#newest;
  }

  begun(server: number): Registration | undefined {
    let made = this.#newest;
    while (made !== undefined && made.route.index !== server) made = made.before;
    return made;
  }

  nextRegistrar(above: number): number {
    return 1 + this.policy.servers.findIndex(({ register }, index) => register && index >= above);
  }

  /**
   * Sends a request that begins a dialog or stands alone: working server first, then all others. In successive
   * registration each of those is registered at before; in concurrent some policies leave out the unregistered.
   */
  send(now: Instant, user: RequestUser, cseq: number): FailoverRequest {
    const order = this.servers.orderFrom(this.workingServer);
    const all = this.policy.inviteUnregistered || this.policy.registration === "successive";
    const routes = all
      ? order
      : order.filter((route, position) => position === 0 || this.#standsAt(now, route));
    const plan: Plan = {
      routes,
      startAt: (route) => this.#spares?.standIn(now, route) ?? this.#startIndex(route),
      neverFull: false,
      moves: true,
      hedges: user.method === "INVITE",
    };
    const request = new FailoverRequest(this, plan, cseq, user);
    request.start(now);
    return request;
  }

  // What the failover of a request asks and tells.

  resolve(now: Instant, route: ServerRoute, resolved: (now: Instant) => void): void {
    // Literal addresses and the ways of dialogs are not looked up at all, whatever is kept of answers.
    if (route.freshUntil === NEVER || (this.policy.dns.cache && route.freshUntil > now)) {
      resolved(now);
      return;
    }
    this.#environment.resolve(now, route.hops, this.policy, (at, hops) => {
      if (hops.some((hop) => hop.targets.length > 0)) this.#resolved(route, hops);
      else this.events.unresolved(route, hops);
      resolved(at);
    });
  }

  opening(target: Target): Opening {
    return this.#environment.opening(target);
  }

  challenged(place: Place): void {
    if (this.policy.followChallenger) this.#challenger = place;
  }

  prepare(
    now: Instant,
    place: Place,
    method: string,
    prepared: (now: Instant, fit: boolean) => void,
    registering: Registering,
  ): void {
    const registration = this.registration(place.server);
    const asks = method === "REGISTER" || method === "OPTIONS";
    const free = asks || registration === undefined || this.#stopping;
    if (free || this.#spares?.holds(now, place) === true) prepared(now, true);
    else registerFirst(now, this, registration, place, prepared, registering);
  }

  moveTo(now: Instant, registration: Registration, place: Place, moved: Moved): void {
    this.#strategy.moveTo(now, registration, place, moved);
  }

  settled(now: Instant, place: AttemptPlace, method: string): void {
    const route = this.servers.route(place.server);
    const index = Math.max(0, route.indexOf(place.target));
    const before = route.inUse;
    const mode = failbackModeOf(route);
    if (this.#failbacks?.isOld(route, index, place, method) === true) return;
    route.current = index;
    route.answeredBy(place);
    if (this.#challenger?.target !== place.target) this.#challenger = undefined;
    if ((index === 0 && before === 0) || this.#stopping) return;
    route.inUse = index;
    if (index < before) this.events.returned(route.places[before], place, mode);
    this.#failbacks ??= new Failbacks(this);
    this.#failbacks.answered(now, route);
    if (this.#failbacks.idle) this.#failbacks = undefined;
  }

  exhausted(now: Instant, route: ServerRoute, method: string): void {
    if (method === "REGISTER" || method === "OPTIONS" || this.#stopping) return;
    const registration = this.registration(route.index);
    if (registration !== undefined) this.#strategy.doubt(now, registration);
  }

  passedOver(now: Instant, { target }: Place): void {
    this.#environment.passedOver(now, target);
  }

  hedged(_now: Instant, method: string, from: Place, to: Place): void {
    this.events.hedged(method, from, to);
  }

  attemptFailed(_now: Instant, method: string, place: Place, why: string, last?: boolean): void {
    this.events.attemptFailed(method, place, why, last);
  }

  failedOver(_now: Instant, method: string, from: Place, to: Place, why: string | undefined): void {
    const news = this.servers.notesMove(from, to);
    if (why !== undefined) this.events.failedOver(method, from, to, why);
    else if (news) this.events.begunElsewhere(method, from, to, this.health.why(from.target));
  }

  // What registrations ask and tell.

  startAt(route: ServerRoute): number {
    const mode = failbackModeOf(route);
    if (mode === "registration" && this.idle) return 0;
    return this.#startIndex(route);
  }

  keepAlive(now: Instant, flow: Flow, answers: boolean): void {
    this.sender.keepAlive(now, flow, answers);
  }

  verify(now: Instant, place: Place, told: (now: Instant, verdict: Verdict) => void): void {
    this.probes.ask(now, place, told);
  }

  watch(_now: Instant, place: AttemptPlace, user: FlowUser): void {
    this.sender.watch(place.flow, user);
  }

  unwatch(place: AttemptPlace, user: FlowUser): void {
    this.sender.unwatch(place.flow, user);
  }

  refreshDue(now: Instant, server: number, recalled = false): void {
    this.#failbacks?.renewing(this.servers.route(server));
    this.#strategy.refreshDue(now, this.#registered(server), recalled);
  }

  flowLost(now: Instant, server: number, cause: LossCause): void {
    const registration = this.#registered(server);
    const place = registration.place;
    // That we have moved says nothing about the server.
    if (place !== undefined && cause !== "moved") this.health.failed(now, place.target, cause);
    this.events.interrupted(server, place, cause);
    this.#strategy.flowLost(now, registration, cause);
  }

  accepted(now: Instant, server: number, place: AttemptPlace, granted: number): void {
    this.events.accepted(place, granted);
    this.#strategy.accepted(now, this.#registered(server));
    if (this.policy.proxies.length > 1) {
      this.#spares ??= new SpareFlows(this);
      this.#spares.follow(now, this.servers.route(server), place);
    }
    this.#environment.registered(now, this.config.index, server, place);
  }

  refused(now: Instant, refusal: RegistrationRefusal): void {
    const { server, where, why, response, probe } = refusal;
    const route = this.servers.route(server);
    const place = where ?? route.currentPlace;
    if (!probe) this.events.registrationFailed(route, place, why, response?.status);
    const wait = awayMs(now, refusal, this.health, route.places);
    this.#strategy.failed(now, this.#registered(server), wait, isUnsent(refusal));
  }

  removed(now: Instant, server: number): void {
    this.events.report("registration.removed", { server });
    this.#spares?.left(now, server);
    this.#strategy.removed(now, this.#registered(server));
  }

  // What the strategy tells.

  workingServerChanged(now: Instant, from: number, to: number): void {
    const mode = this.policy.registration === "successive" ? "probe" : "registration";
    this.events.movedServer(from, to, mode);
    this.#environment.moved(now, this.config.index);
  }

  probed(_now: Instant, registration: Registration, good: boolean): void {
    this.events.probed(registration.route.index, good);
  }

  isDead(now: Instant, { places }: ServerRoute): boolean {
    const known = this.policy.skipKnownDead && places.length > 0;
    return known && places.every(({ target }) => this.health.isLeftOut(now, target));
  }

  // What failback asks.

  probe(now: Instant, at: Place | number, probed: (now: Instant, good: boolean) => void): void {
    this.probes.ask(now, at, (later, verdict) => probed(later, verdict === "good"));
  }

  goBack(now: Instant, route: ServerRoute, better: Place, returned: Returned): void {
    this.#challenger = undefined;
    // Registered at one server at a time, nothing is sent to a worse one for its own way home.
    const left = this.policy.registration === "successive" && route.index > this.workingServer;
    const registration = left ? undefined : this.registration(route.index);
    returnHome(now, route, better, registration, returned);
  }

  failbackDeferred(route: ServerRoute): void {
    this.events.deferred(route, failbackModeOf(route));
  }

  get #made(): readonly Registration[] {
    return this.policy.servers.flatMap((_, position) => this.begun(position + 1) ?? []);
  }

  #registered(server: number): Registration {
    return this.registration(server) as Registration;
  }

  #endTrials(now: Instant | undefined): void {
    this.#failbacks?.stop();
    this.#askedProbes?.drop(now);
  }

  #standsAt(now: Instant, route: ServerRoute): boolean {
    return this.begun(route.index)?.bound(now) ?? false;
  }

  #startIndex(route: ServerRoute): number {
    const asked = this.#challenger === undefined ? -1 : route.indexOf(this.#challenger.target);
    // Once: followed for ever, the way back would never be taken.
    if (asked >= 0) this.#challenger = undefined;
    return startIndex(route, asked);
  }

  #resolved(route: ServerRoute, hops: readonly ResolvedHop[]): void {
    route.resolved(hops, this.policy.skipSameAddress);
    route.places = this.#environment.places.same(route.policy, route.places);
    this.events.resolved(route);
  }
}
