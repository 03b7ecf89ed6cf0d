/** Which of an account's registrations are wanted: all at once, or one at a time. */
import type { Instant, LossCause } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Timers } from "../timers.ts";
import type { AccountEvents } from "./account-events.ts";
import type { Registration } from "./registration.ts";

/** What a strategy may ask of its account. */
export interface StrategyHost {
  readonly policy: RedundancyPolicy;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly events: AccountEvents;
  /** The server whose turn it is has changed; both 1-based. */
  workingServerChanged(now: Instant, from: number, to: number): void;
  /** Every place of this server is known to be dead. */
  isDead(now: Instant, route: ServerRoute): boolean;
  /** A probe of a better server has ended. */
  probed(now: Instant, registration: Registration, good: boolean): void;
  /** Hysteresis before a return (goodProbes): sends OPTIONS instead of REGISTER. */
  probe(now: Instant, server: number, probed: (now: Instant, good: boolean) => void): void;
}

export interface RegistrationStrategy {
  /** The server that requests go to first, 1-based. */
  readonly workingServer: number;
  start(now: Instant): void;
  accepted(now: Instant, registration: Registration): void;
  /**
   * @param retryAfterMs what the server asked for, 0 if nothing.
   * @param unsent it had asked another request for that, and nothing was sent: there is nothing to back off from.
   */
  failed(now: Instant, registration: Registration, retryAfterMs: number, unsent: boolean): void;
  /** A binding left behind has been removed, or as good as that. */
  removed(now: Instant, registration: Registration): void;
  /** @param recalled the registrar wants it made anew, wherever that is best now (RFC 3680 §5.1, R84). */
  refreshDue(now: Instant, registration: Registration, recalled: boolean): void;
  flowLost(now: Instant, registration: Registration, cause: LossCause): void;
  /** A request found every place of this server dead: is its registration worth anything? */
  doubt(now: Instant, registration: Registration): void;
  /** A request wants to go to a server where the account is not registered. */
  moveTo(
    now: Instant,
    registration: Registration,
    place: Place,
    moved: (now: Instant, registered: boolean) => void,
  ): void;
  stop(now: Instant): void;
  /** Silences its timers; nothing is sent. */
  close(): void;
}
