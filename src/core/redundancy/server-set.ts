/**
 * The servers of one account as places to send to: each server's name resolved to its targets (primary,
 * secondary …), and which of them is in use now. *Configured* order and *current* choice are two fields.
 */
import type { LocationFailure } from "../locate/located.ts";
import type { Instant, Target } from "../machine.ts";
import type { RedundancyPolicy, ServerPolicy } from "./policy.ts";
import { sameTarget, targetName } from "./server-health.ts";

/** One target that a request may go to, and the policy that speaks for it. */
export interface Place {
  /** The configured server, 1-based. */
  readonly server: number;
  /** The server's policy, or that of the outbound proxy in front of it. */
  readonly hop: ServerPolicy;
  readonly target: Target;
  /** When the address records behind it run out (failback mode DNSTTL). */
  readonly expiresAt: Instant;
}

export interface ResolvedTarget {
  readonly target: Target;
  readonly expiresAt: Instant;
  /** Targets of one rank stand in an order that chance made. */
  readonly rank: number;
}

/** What resolving one hop gave; a hop that could not be resolved has no targets. */
export interface ResolvedHop {
  readonly targets: readonly ResolvedTarget[];
  /** Why there are none. */
  readonly why?: LocationFailure;
  /** When the order may be another. */
  readonly expiresAt: Instant;
}

interface Move {
  readonly from: Target;
  readonly to: Target;
}

const NO_PROXIES: readonly ServerPolicy[] = [];
const NO_PLACES: readonly Place[] = [];

/** One configured server. */
export class ServerRoute {
  /** 1-based. */
  readonly index: number;
  readonly policy: ServerPolicy;
  #proxies: readonly ServerPolicy[];
  places: readonly Place[] = NO_PLACES;
  /** Until when `places` stand without asking again; the start of time at first. */
  freshUntil: Instant = Number.NEGATIVE_INFINITY;
  /** Index into `places`: where its requests go now. */
  current = 0;
  /** Index into `places`: where the last one was answered. */
  inUse = 0;
  /** The last move away from one of its places that was told. */
  #told: Move | undefined;
  /** The one that its account made before it. */
  readonly before: ServerRoute | undefined;

  constructor(
    index: number,
    policy: ServerPolicy,
    proxies: readonly ServerPolicy[],
    before?: ServerRoute,
  ) {
    this.before = before;
    this.index = index;
    this.policy = policy;
    this.#proxies = policy.throughProxy ? proxies : NO_PROXIES;
  }

  /** From now on through these; where they are is not known yet. */
  leadThrough(proxies: readonly ServerPolicy[]): void {
    this.#proxies = proxies;
    this.places = NO_PLACES;
    this.freshUntil = Number.NEGATIVE_INFINITY;
    this.current = 0;
    this.inUse = 0;
  }

  /** What its requests are sent to: the server itself, or the outbound proxies in order. */
  get hops(): readonly ServerPolicy[] {
    return this.#proxies.length > 0 ? this.#proxies : [this.policy];
  }

  /** Its requests are sent to the very hops that another's are sent to, wherever those are. */
  isReachedLike({ hops }: ServerRoute): boolean {
    const own = this.hops;
    return own.length === hops.length && own.every((hop, index) => isSameHop(hop, hops[index]));
  }

  get currentPlace(): Place | undefined {
    return this.places[this.current];
  }

  /** Its requests go to `to` instead of `from`. @returns true if that was not told yet. */
  notesMove(from: Target, to: Target): boolean {
    const told = this.#told;
    this.#told = { from, to };
    return told === undefined || !(sameTarget(told.from, from) && sameTarget(told.to, to));
  }

  /** A request was answered by a place: the next move away from it is news. */
  answeredBy({ target }: Place): void {
    if (this.#told !== undefined && sameTarget(this.#told.from, target)) this.#told = undefined;
  }

  /** Takes in a fresh resolution; the target in use stays in use while it is still listed. */
  resolved(hops: readonly ResolvedHop[], skipSameAddress: boolean): void {
    const before = this.currentPlace;
    const used = this.places[this.inUse];
    const places: Place[] = [];
    const policies = this.hops;
    let freshUntil = Number.POSITIVE_INFINITY;
    for (const [position, hop] of hops.entries()) {
      const addresses = new Set<string>();
      freshUntil = Math.min(freshUntil, hop.expiresAt);
      for (const { target, expiresAt } of steady(hop.targets, this)) {
        const key = skipSameAddress ? target.address : targetName(target);
        if (addresses.has(key)) continue;
        addresses.add(key);
        places.push({
          server: this.index,
          hop: policies[position] as ServerPolicy,
          target,
          expiresAt,
        });
      }
    }
    // A copy has no room to grow: a fleet has many phones.
    this.places = places.slice();
    this.freshUntil = freshUntil;
    this.current = before === undefined ? 0 : Math.max(0, this.indexOf(before.target));
    this.inUse = used === undefined ? 0 : Math.max(0, this.indexOf(used.target));
  }

  /** Position of a target among the places, -1 if it is not one of them. */
  indexOf(target: Target): number {
    return this.places.findIndex((place) => sameTarget(place.target, target));
  }
}

function isSameHop(a: ServerPolicy, b: ServerPolicy | undefined): boolean {
  return a.address === b?.address && a.port === b.port && a.transport === b.transport;
}

/**
 * Chance has its say once: drawn anew at each look-up, the primary would be another one each time, and the phone would
 * go back and forth between servers that are all well.
 */
function steady(targets: readonly ResolvedTarget[], route: ServerRoute): readonly ResolvedTarget[] {
  const { places } = route;
  if (places.length === 0 || targets.length < 2) return targets;
  const before = (target: Target): number => {
    const index = route.indexOf(target);
    return index < 0 ? places.length : index;
  };
  return [...targets].sort((a, b) => a.rank - b.rank || before(a.target) - before(b.target));
}

export class ServerSet {
  readonly #policy: RedundancyPolicy;
  /** Each made when it is first asked for, the newest first: most phones never need their last. */
  #newest: ServerRoute | undefined;

  constructor(policy: RedundancyPolicy) {
    this.#policy = policy;
  }

  get routes(): readonly ServerRoute[] {
    return this.#policy.servers.map((_, position) => this.route(position + 1));
  }

  /** @param index 1-based, as configured. */
  route(index: number): ServerRoute {
    const { servers, proxies } = this.#policy;
    const server = servers[index - 1];
    if (server === undefined) throw new RangeError(`no server ${index}`);
    const known = this.made(index);
    if (known !== undefined) return known;
    this.#newest = new ServerRoute(index, server, proxies, this.#newest);
    return this.#newest;
  }

  /** Where it stands in the list that it is in; undefined: nowhere. */
  placeOf(target: Target): Place | undefined {
    for (let server = 1; server <= this.#policy.servers.length; server += 1) {
      const route = this.made(server);
      const place = route?.places[route.indexOf(target)];
      if (place !== undefined) return place;
    }
    return undefined;
  }

  /** Whether a server of the account, or a proxy in front of one, stands at this address. */
  standsAt(address: string): boolean {
    for (let route = this.#newest; route !== undefined; route = route.before) {
      if (route.places.some(({ target }) => target.address === address)) return true;
    }
    return false;
  }

  /** Its requests go to `to` instead of `from`. @returns true if that was not told yet. */
  notesMove(from: Place, to: Place): boolean {
    return this.made(from.server)?.notesMove(from.target, to.target) !== false;
  }

  /** The same, if anybody has asked for it yet. */
  made(index: number): ServerRoute | undefined {
    let route = this.#newest;
    while (route !== undefined && route.index !== index) route = route.before;
    return route;
  }

  /** The order of trial for a request that starts at one server: it, those below, then those above. */
  orderFrom(index: number): ServerRoute[] {
    const { routes } = this;
    return [...routes.slice(index - 1), ...routes.slice(0, index - 1)];
  }
}
