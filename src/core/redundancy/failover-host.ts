/** What a request on its way down the list of places asks of its account, and tells it. */
import type { Instant } from "../machine.ts";
import type { AttemptHost } from "./attempt.ts";
import type { Registering } from "./itinerary.ts";
import type { AttemptPlace } from "./request.ts";
import type { Place, ServerRoute } from "./server-set.ts";

export interface FailoverHost extends AttemptHost {
  /** Resolves the route's name if need be; `route.places` is up to date afterwards (maybe empty). */
  resolve(now: Instant, route: ServerRoute, resolved: (now: Instant) => void): void;
  /**
   * Makes a place fit to be sent to: registers there first where the policy says so. `false`: it
   * could not be done, try the next place.
   * @param registering where it may register: a request of a dialog goes where that leads, as things are.
   */
  prepare(
    now: Instant,
    place: Place,
    method: string,
    prepared: (now: Instant, fit: boolean) => void,
    registering: Registering,
  ): void;
  /** A place has asked for credentials, for a request whose answer makes it the one in use. */
  challenged(place: Place): void;
  /** The place answered: it is in use from here on, as far as the failback mode goes. */
  settled(now: Instant, place: AttemptPlace, method: string): void;
  /** All places of a server failed for a request. */
  exhausted(now: Instant, route: ServerRoute, method: string): void;
  /** A place known to be dead is left to the end. */
  passedOver(now: Instant, place: Place): void;
  /** Nothing was heard of one place, and the next one is asked beside it (`hedgeMs`). */
  hedged(now: Instant, method: string, from: Place, to: Place): void;
  /** @param last nobody was to come after it: it had all the time that a transaction has. */
  attemptFailed(now: Instant, method: string, place: Place, why: string, last?: boolean): void;
  /** @param why undefined: it begins at `to`, since `from` is known to be of no use. */
  failedOver(now: Instant, method: string, from: Place, to: Place, why: string | undefined): void;
}
