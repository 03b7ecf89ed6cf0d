/**
 * Registered at every server at once. Each registration lives for itself; requests go to the first server
 * whose registration stands. A return needs no probe: the registration's own retries find the server back.
 */
import type { Instant } from "../machine.ts";
import { backoffMs } from "../redundancy/backoff.ts";
import type { Place } from "../redundancy/server-set.ts";
import { FOLLOWED, LAST } from "./register-options.ts";
import type { Registration } from "./registration.ts";
import type { RegistrationStrategy, StrategyHost } from "./registration-strategy.ts";

export class ConcurrentRegistration implements RegistrationStrategy {
  readonly #host: StrategyHost;
  readonly #registrations: readonly Registration[];
  /** Servers that refused the last REGISTER or were silent, or that another request found dead. */
  #away: Set<Registration> | undefined;
  workingServer: number;

  constructor(host: StrategyHost, registrations: readonly Registration[]) {
    this.#host = host;
    this.#registrations = registrations;
    this.workingServer = registrations[0]?.route.index ?? 1;
  }

  start(now: Instant): void {
    for (const registration of this.#registrations) this.#register(now, registration);
  }

  accepted(now: Instant, registration: Registration): void {
    this.#away?.delete(registration);
    this.#choose(now);
  }

  failed(now: Instant, registration: Registration, retryAfterMs: number, unsent: boolean): void {
    this.#isAway(now, registration);
    const { policy, entropy } = this.#host;
    const wait = unsent ? 0 : backoffMs(policy.backoff, registration.failures, entropy);
    registration.retryAt(now, Math.max(wait, retryAfterMs));
    this.#choose(now);
  }

  removed(): void {}

  refreshDue(now: Instant, registration: Registration, recalled: boolean): void {
    this.#register(now, registration, recalled);
  }

  flowLost(now: Instant, registration: Registration): void {
    if (this.#host.isDead(now, registration.route)) this.doubt(now, registration);
    else this.#register(now, registration);
  }

  doubt(now: Instant, registration: Registration): void {
    if (registration.state === "failed") return;
    this.#isAway(now, registration);
    this.#register(now, registration);
    this.#choose(now);
  }

  moveTo(
    now: Instant,
    _registration: Registration,
    _place: Place,
    moved: (now: Instant, registered: boolean) => void,
  ): void {
    moved(now, true);
  }

  stop(now: Instant): void {
    for (const registration of this.#registrations) registration.remove(now);
  }

  close(): void {}

  /**
   * Servers that share their location keep one binding of our contact, with the lifetime that was granted last: what
   * stands elsewhere is renewed before that runs out, and once is enough.
   */
  #isAway(now: Instant, registration: Registration): void {
    this.#away ??= new Set();
    const known = this.#away.has(registration);
    this.#away.add(registration);
    if (known || !registration.bound(now)) return;
    for (const other of this.#registrations) {
      if (!this.#away.has(other)) other.renewBefore(now, registration.expiresAt);
    }
  }

  /** The last server of the list gets the full patience: nothing comes after it. */
  #register(now: Instant, registration: Registration, fromTop = false): void {
    const options = registration === this.#registrations.at(-1) ? LAST : FOLLOWED;
    registration.register(now, fromTop ? { ...options, fromTop } : options);
  }

  /** The first server that is not known to be away; while all are, nothing is gained by a change. */
  #choose(now: Instant): void {
    const chosen = this.#registrations.find((one) => this.#away?.has(one) !== true);
    if (chosen === undefined || chosen.route.index === this.workingServer) return;
    const before = this.workingServer;
    this.workingServer = chosen.route.index;
    this.#host.workingServerChanged(now, before, this.workingServer);
  }
}
