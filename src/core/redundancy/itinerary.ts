/**
 * Where one request goes next: the servers in order, of each its places, those known to be dead at the end, none twice
 * (C44, V8).
 */
import type { Instant, Target } from "../machine.ts";
import type { RedundancyPolicy } from "./policy.ts";
import { type ServerHealth, targetName } from "./server-health.ts";
import type { Place, ServerRoute } from "./server-set.ts";

/** Where a request may go, and from where it starts. */
export interface Plan {
  /** In the order of trial. */
  readonly routes: readonly ServerRoute[];
  /** Position in a route's places to start from; the others of the route follow, wrapping round. */
  startAt(route: ServerRoute): number;
  /** No place counts as the last one: each gets the patience of its retry count only (probes; R60). */
  readonly neverFull: boolean;
  /** An answer makes its place the one in use; false for probes and removals. */
  readonly moves: boolean;
  /** It begins a call: the next place may be asked beside a silent one (`hedgeMs`). */
  readonly hedges?: boolean;
  /** No silence is borne for longer, milliseconds. */
  readonly patienceMs?: number;
  /** It is not known yet whether requests of this kind are answered there: silence says nothing of the target. */
  readonly unproven?: boolean;
  /**
   * It ends something, or carries on what was begun: a place that wants quiet is asked if there is no other, and one
   * where the account cannot be registered.
   */
  readonly finishes?: boolean;
  /** Only this place, if given (re-registration before a failover). */
  readonly only?: Place;
}

/**
 * Where a request may have its account registered first: at every place; at those below the one in use, as one that
 * must leave the place of its dialog; or nowhere, as one that has not left it.
 */
export type Registering = "everywhere" | "below" | "nowhere";

/** Whose request it is. */
export interface Traveller {
  readonly policy: RedundancyPolicy;
  readonly health: ServerHealth;
  /** A place known to be dead is left to the end. */
  passedOver(now: Instant, place: Place): void;
}

export class Itinerary {
  readonly #host: Traveller;
  readonly #plan: Plan;
  readonly #routes: ServerRoute[];
  /** A place has asked for quiet. */
  hushed = false;
  /** Where it would have begun, were that not known to be dead or to want quiet. */
  passedOver: Place | undefined;
  #begun = false;
  #places: Place[] = [];
  /** Places known to be dead, kept for the end. */
  #deferred: Place[] = [];
  /** Places that want quiet, for what must be said all the same. */
  #quiet: Place[] = [];
  /** Targets tried so far; kept only where several servers could lead to one target twice. */
  readonly #tried: Set<string> | undefined;

  constructor(host: Traveller, plan: Plan) {
    this.#host = host;
    this.#plan = plan;
    this.#routes = [...plan.routes];
    this.#tried = plan.routes.length > 1 ? new Set() : undefined;
  }

  get registering(): Registering {
    if (this.#plan.moves) return "everywhere";
    return this.#begun || this.passedOver !== undefined ? "below" : "nowhere";
  }

  /** The next place, or a server whose places are to be found first; undefined: that was all. */
  next(now: Instant): Place | ServerRoute | undefined {
    const place = this.#nextPlace(now);
    if (place !== undefined) return place;
    const route = this.#routes.shift();
    if (route !== undefined) return route;
    this.#places = this.#deferred;
    this.#deferred = [];
    return this.#nextPlace(now) ?? this.#quiet.shift();
  }

  /** The places of a server are up to date. */
  resolved(now: Instant, route: ServerRoute): void {
    const { only } = this.#plan;
    const start = this.#plan.startAt(route);
    const { health, policy } = this.#host;
    const places =
      only === undefined ? [...route.places.slice(start), ...route.places.slice(0, start)] : [only];
    for (const place of places) {
      const { target } = place;
      if (only === undefined && policy.skipKnownDead && health.isLeftOut(now, target)) {
        if (this.#places.length === 0) this.passedOver ??= place;
        this.#deferred.push(place);
        this.#host.passedOver(now, place);
      } else this.#places.push(place);
    }
  }

  /**
   * @param until when its turn would be over.
   * @returns true if nothing comes after this place then: it gets the whole of Timer B or F.
   */
  begin(place: Place, until: Instant): boolean {
    this.#begun = true;
    this.#tried?.add(targetName(place.target));
    if (this.#plan.neverFull || this.#deferred.length + this.#quiet.length > 0) return false;
    const followed = this.#places.some((one) => this.#isOpen(until, one));
    if (this.#host.policy.strictLastTarget) {
      return !followed || this.#places[0]?.server !== place.server;
    }
    return !followed && this.#routes.every((route) => this.#isSpent(until, route));
  }

  #isOpen(until: Instant, place: Place): boolean {
    const quiet = this.#host.health.state(until, place.target) === "quiet";
    return !this.#isTried(place) && (!quiet || this.#plan.finishes === true);
  }

  /** None of its places is open; one not resolved yet has those of a server that is reached by the same hops. */
  #isSpent(until: Instant, route: ServerRoute): boolean {
    const isKnown = ({ places }: ServerRoute) => places.length > 0;
    const known = isKnown(route)
      ? route
      : this.#plan.routes.find((other) => isKnown(other) && other.isReachedLike(route));
    return known?.places.some((one) => this.#isOpen(until, one)) === false;
  }

  /** The server that a proxy leads to next may say something else. */
  mayTryAgain(target: Target): void {
    this.#tried?.delete(targetName(target));
  }

  #nextPlace(now: Instant): Place | undefined {
    let place = this.#places.shift();
    while (place !== undefined && (this.#isTried(place) || this.#isQuiet(now, place))) {
      place = this.#places.shift();
    }
    return place;
  }

  /** Who wants to be left alone may have said so to another request meanwhile. */
  #isQuiet(now: Instant, place: Place): boolean {
    const quiet = this.#host.health.state(now, place.target) === "quiet";
    this.hushed ||= quiet;
    if (quiet) this.passedOver ??= place;
    if (quiet && this.#plan.finishes === true) this.#quiet.push(place);
    return quiet;
  }

  /** Another server, or a proxy in front of it, may stand at a place that was tried already. */
  #isTried(place: Place): boolean {
    return this.#tried?.has(targetName(place.target)) === true;
  }
}
