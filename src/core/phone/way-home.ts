/**
 * How an account goes back to a better place of a server: by a REGISTER there, or by nothing but the next request; and
 * where that begins.
 */
import type { Instant } from "../machine.ts";
import { failbackModeOf, type Returned } from "../redundancy/failback.ts";
import { sameTarget } from "../redundancy/server-health.ts";
import type { Place, ServerRoute } from "../redundancy/server-set.ts";
import type { Registration } from "./registration.ts";

/** `returned` is not called where nothing needs to be sent: the next request then shows how it went. */
export function returnHome(
  now: Instant,
  route: ServerRoute,
  home: Place,
  registration: Registration | undefined,
  returned: Returned,
): void {
  const registers =
    home.hop.registerOnFailover ||
    failbackModeOf(route) === "probe" ||
    registration?.place === undefined;
  const stands = registration?.holds(now, home.target) === true && !home.hop.registerOnFailback;
  if (registration === undefined || !registers || stands) {
    route.current = Math.max(0, route.indexOf(home.target));
    if (route.inUse === route.current) returned(now, true);
    return;
  }
  registerAt(now, registration, home, returned);
}

/** What is in use stays in service until the better place has registered us. */
function registerAt(
  now: Instant,
  registration: Registration,
  home: Place,
  returned: Returned,
): void {
  const options = { only: home, last: false, probe: true, fromTop: true };
  registration.register(now, options, (at, registered) => {
    const { place } = registration;
    // It may have been a renewal on its way to the place in use, which says nothing of the first one.
    const elsewhere = registered && place !== undefined && !sameTarget(place.target, home.target);
    if (elsewhere) registerAt(at, registration, home, returned);
    else returned(at, registered);
  });
}

/**
 * Where requests of a server begin: mode newRequests at the primary each time, the others where the last good answer
 * came from.
 * @param asked index of the place that has asked for credentials since, -1: none. One better than the one in use is on
 *   the way home, which has a time of its own.
 */
export function startIndex(route: ServerRoute, asked: number): number {
  if (asked >= route.inUse) return asked;
  return failbackModeOf(route) === "newRequests" ? 0 : route.current;
}
