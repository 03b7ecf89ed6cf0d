/** The subscriptions and the publication of one account, and their way out through the redundancy engine. */
import { type Instant, NEVER, type Target } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import { FailoverRequest } from "../redundancy/failover.ts";
import type { Plan } from "../redundancy/itinerary.ts";
import type { AccountPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace, RequestUser } from "../redundancy/request.ts";
import { type Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Timers } from "../timers.ts";
import type { Account } from "./account.ts";
import type { DialogWay, Field } from "./call-environment.ts";
import type { Composer } from "./composer.ts";
import { dialogRoute } from "./dialog-route.ts";
import { MAX_COLLEAGUES } from "./limits.ts";
import { Publication } from "./publication.ts";
import { Subscription } from "./subscription.ts";
import { ColleagueCalls } from "./subscription-colleague.ts";
import type {
  NotifyRegister,
  SubscriptionEnvironment,
  Whereabouts,
} from "./subscription-environment.ts";
import { MessageWaiting, RegistrationEvents } from "./subscription-packages.ts";
import { WatchedPresence } from "./subscription-presence.ts";
import { maySignal } from "./unregistered-server.ts";

export class AccountSubscriptions implements SubscriptionEnvironment {
  readonly register: NotifyRegister;
  readonly #account: Account;
  readonly #subscriptions: readonly Subscription[];
  readonly #publication: Publication | undefined;

  constructor(account: Account, register: NotifyRegister) {
    this.#account = account;
    this.register = register;
    const { messageWaiting, subscribeRegistration, colleagues, presenceOf } = account.config;
    const few = (users: readonly string[]): string[] =>
      [...new Set(users)].slice(0, MAX_COLLEAGUES);
    this.#subscriptions = [
      ...(messageWaiting ? [new MessageWaiting(this)] : []),
      ...(subscribeRegistration ? [new RegistrationEvents(this)] : []),
      ...few(colleagues).map((user) => new ColleagueCalls(this, user)),
      ...few(presenceOf).map((user) => new WatchedPresence(this, user)),
    ].map((eventPackage) => new Subscription(this, eventPackage));
    this.#publication = account.config.publishPresence ? new Publication(this) : undefined;
  }

  /** A PUBLISH is on its way. */
  get busy(): boolean {
    return this.#publication?.busy === true;
  }

  follow(now: Instant): void {
    for (const subscription of this.#subscriptions) subscription.follow(now);
    this.#publication?.follow(now);
  }

  /** The first call of the phone was answered, or the last is over. */
  talks(now: Instant, talking: boolean): void {
    this.#publication?.talks(now, talking);
  }

  stop(now: Instant): void {
    for (const subscription of this.#subscriptions) subscription.stop(now);
    this.#publication?.stop(now);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#publication?.close();
  }

  // What the subscriptions ask.

  get account(): AccountPolicy {
    return this.#account.config;
  }

  get timers(): Timers {
    return this.#account.timers;
  }

  get entropy(): Entropy {
    return this.#account.entropy;
  }

  get composer(): Composer {
    return this.#account.composer;
  }

  server(index: number): ServerPolicy {
    return this.#account.servers.route(index).policy;
  }

  whereabouts(now: Instant): Whereabouts | undefined {
    const server = this.#account.workingServer;
    const registration = this.#account.registration(server);
    const place = registration?.place;
    if (place === undefined || registration?.bound(now) !== true) return undefined;
    if (registration.state === "failed") return undefined;
    return { server, place, full: this.server(server).features === "full" };
  }

  whenSettled(now: Instant, settled: (now: Instant) => void): void {
    const registration = this.#account.registration(this.#account.workingServer);
    if (registration?.busy !== true) settled(now);
    else registration.register(now, { last: false, probe: false, fromTop: false }, settled);
  }

  answers(now: Instant, target: Target): boolean {
    return this.#account.health.state(now, target) === "up";
  }

  /** Short patience: when it is spent the registration is looked at, and where that goes the subscription follows. */
  outside(user: RequestUser, place: AttemptPlace): FailoverRequest {
    return this.#toOnly(this.#account.servers.route(place.server), place, 1, user);
  }

  inside(
    now: Instant,
    user: RequestUser,
    cseq: number,
    way: DialogWay,
  ): FailoverRequest | undefined {
    const account = this.#account;
    const route = dialogRoute(way, account.servers, this.server(account.workingServer));
    const place = route.places[0] as Place;
    if (!maySignal(now, account, place)) return undefined;
    const held = account.registration(place.server)?.holds(now, place.target) === true;
    if (held) return this.#toOnly(route, place, cseq, user);
    // Nothing is to be registered for its sake where the account is not: it belongs to no server.
    const alone = new ServerRoute(0, route.policy, []);
    alone.freshUntil = NEVER;
    return this.#toOnly(alone, { ...place, server: 0 }, cseq, user);
  }

  recalled(now: Instant, server: number, why: string, waitMs: number): void {
    const account = this.#account;
    const registration = account.registration(server);
    if (registration === undefined || registration.busy) return;
    const where = registration.place;
    registration.forget();
    if (waitMs === 0) account.refreshDue(now, server, true);
    else account.refused(now, { server, where, why, response: undefined, probe: false, waitMs });
  }

  contactAt(now: Instant, server: number): string | undefined {
    const registration = this.#account.registration(server);
    const place = registration?.place;
    if (place === undefined || registration?.bound(now) !== true) return undefined;
    return this.composer.contactUri(place.flow.peer);
  }

  report(event: string, fields: Readonly<Record<string, Field>>): void {
    this.#account.events.report(event, fields);
  }

  rule(path: string, value: unknown): string {
    return this.#account.events.rule(path, value);
  }

  /** The dialog belongs to one place: no other is tried. */
  #toOnly(route: ServerRoute, only: Place, cseq: number, user: RequestUser): FailoverRequest {
    const plan: Plan = { routes: [route], startAt: () => 0, neverFull: true, moves: false, only };
    return new FailoverRequest(this.#account, plan, cseq, user);
  }
}
