/** What an account gives its registrations, and is told by them. */
import type { Instant, LossCause } from "../machine.ts";
import type { Response } from "../message/message.ts";
import type { Entropy } from "../primitives.ts";
import type { FailoverHost } from "../redundancy/failover-host.ts";
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import type { AttemptPlace } from "../redundancy/request.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Timers } from "../timers.ts";
import type { Flow, FlowUser } from "../transaction/user.ts";
import type { Composer } from "./composer.ts";
import type { Verdict } from "./options-probe.ts";

/** A REGISTER that came to nothing. */
export interface RegistrationRefusal {
  /** 1-based. */
  readonly server: number;
  /** The place that refused, or where the binding stood. */
  readonly where: Place | undefined;
  readonly why: string;
  /** Undefined: nobody answered. */
  readonly response: Response | undefined;
  /** It was a probe: no registration was lost by it. */
  readonly probe: boolean;
  /** How long to stay away, where something else than `response` says so; NEVER: for good. */
  readonly waitMs?: number;
}

export interface RegistrationHost {
  readonly policy: RedundancyPolicy;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly composer: Composer;
  readonly unregisterOnStart: boolean;
  readonly failover: FailoverHost;
  /** Index of the place a REGISTER starts at. */
  startAt(route: ServerRoute): number;
  /** Its registrations are further flows of RFC 5626, or nothing. */
  readonly flowOnly?: true;
  /** @param answers the far end owes an answer: without one the flow is closed. */
  keepAlive(now: Instant, flow: Flow, answers: boolean): void;
  /** Asks the place of a binding by OPTIONS whether it lives. */
  verify(now: Instant, place: Place, told: (now: Instant, verdict: Verdict) => void): void;
  /** Tells `user` when the flow of a binding is lost. */
  watch(now: Instant, place: AttemptPlace, user: FlowUser): void;
  unwatch(place: AttemptPlace, user: FlowUser): void;
  // Told by the registration at `server`, 1-based:
  refreshDue(now: Instant, server: number): void;
  flowLost(now: Instant, server: number, cause: LossCause): void;
  accepted(now: Instant, server: number, place: AttemptPlace, granted: number): void;
  refused(now: Instant, refusal: RegistrationRefusal): void;
  removed(now: Instant, server: number): void;
}
