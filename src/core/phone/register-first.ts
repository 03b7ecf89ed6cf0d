/**
 * Whether a request may go to a place as it is, or the account must be registered there first (register_on_enable,
 * reRegisterOn; in successive registration always).
 */
import type { Instant } from "../machine.ts";
import { failbackModeOf } from "../redundancy/failback.ts";
import type { Registering } from "../redundancy/itinerary.ts";
import type { RedundancyPolicy } from "../redundancy/policy.ts";
import type { Place, ServerSet } from "../redundancy/server-set.ts";
import type { Registration } from "./registration.ts";

/** Called once: whether the account is registered at the place now. */
export type Moved = (now: Instant, registered: boolean) => void;

export interface RegisteringAccount {
  readonly policy: RedundancyPolicy;
  readonly servers: ServerSet;
  readonly workingServer: number;
  /** Registers at a server that is not the working one, which it becomes. */
  moveTo(now: Instant, registration: Registration, place: Place, moved: Moved): void;
}

export function registerFirst(
  now: Instant,
  account: RegisteringAccount,
  registration: Registration,
  place: Place,
  prepared: (now: Instant, fit: boolean) => void,
  registering: Registering,
): void {
  const route = account.servers.route(place.server);
  const better = route.indexOf(place.target) < route.inUse;
  // What belongs to a dialog leads where that was made, which need not be where the account belongs: it moves nothing.
  const stays = registering === "nowhere" || (better && registering === "below");
  if (stays || registration.holds(now, place.target)) {
    prepared(now, true);
    return;
  }
  // A REGISTER that was on its way already may have come to stand elsewhere.
  const registered = (at: Instant, good: boolean): void =>
    prepared(at, good && registration.holds(at, place.target));
  const successive = account.policy.registration === "successive";
  if (successive && account.workingServer !== place.server && !registration.bound(now)) {
    account.moveTo(now, registration, place, registered);
    return;
  }
  const other = registration.bound(now) || route.indexOf(place.target) !== route.current;
  if (!place.hop.registerOnFailover || !other) {
    prepared(now, true);
    return;
  }
  // Each new request tries the way back: that is no failover, and what stands goes on standing if it fails.
  const probe = better && registration.bound(now) && failbackModeOf(route) === "newRequests";
  if (place.hop.dropRegistrationOnFailover && !probe) registration.forget();
  registration.register(now, { only: place, last: false, probe, fromTop: false }, registered);
}
