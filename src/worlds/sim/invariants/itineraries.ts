/**
 * I6, third part: the way of a call. It begins at the server that the account works with, goes on in the configured
 * order, leaves out no server that could have it, asks none that the policy keeps from it, and ends with an answer that
 * is one. Where a place is to be registered at first, that has been done (redundancy.md §3).
 */
import type { Instant } from "../../../core/machine.ts";
import { targetName } from "../../../core/redundancy/server-health.ts";
import type { Place } from "../../../core/redundancy/server-set.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { branchOf, callIdOf, cseqOf, hasToTag, placeOf, sendsRequest } from "./glance.ts";
import type { Complain, Invariant, Watched } from "./invariant.ts";
import { QuietPlaces } from "./quiet-places.ts";

/** An outgoing call that nobody has answered or refused. */
interface Way {
  readonly one: Watched;
  readonly begunAt: Instant;
  /** Servers that the account has worked with since. */
  readonly working: Set<number>;
  /** Places by name that it was registered at since, or that its requests went to, and the servers of those. */
  readonly held: Set<string>;
  readonly current: Set<string>;
  readonly bound: Set<number>;
  /** Servers that it was not registered at for a moment: what was under way then goes on. */
  readonly unbound: Set<number>;
  /** Places asked, and servers that were asked or could not be registered at. */
  readonly places: Set<string>;
  readonly tried: Set<number>;
  /** Places that were given up: what they answer comes too late. */
  readonly given: Set<string>;
  last: number;
  /** The INVITE sent last: its branch, and what was heard of it before its final answer. */
  branch: string;
  heard: boolean;
  /** What a place has answered that is no failure of it, and the place. */
  answer: string | undefined;
}

/** Answers that ask for the same once more, in other words, or that tell of another INVITE. */
const AGAIN: ReadonlySet<number> = new Set([401, 407, 422, 482]);

export class Itineraries implements Invariant {
  readonly #watched = new Map<string, Watched>();
  readonly #complain: Complain;
  /** By node and Call-ID, and the keys by node and call. */
  readonly #ways = new Map<string, Way>();
  readonly #keys = new Map<string, string>();
  /** Until when a node took a target for dead; Infinity while it does. */
  readonly #suspectUntil = new Map<string, Instant>();
  readonly #quiet: QuietPlaces;
  /** Servers that were found, by node and number. */
  readonly #located = new Set<string>();

  constructor(watched: readonly Watched[], complain: Complain) {
    for (const one of watched) {
      // What a proxy stands for is several servers at once.
      if (one.account.policy.proxies.length === 0) this.#watched.set(one.node, one);
    }
    this.#quiet = new QuietPlaces(watched);
    this.#complain = complain;
  }

  died(_now: Instant, node: string): void {
    this.#quiet.died(node);
    for (const known of [this.#ways, this.#suspectUntil, this.#located]) {
      for (const key of known.keys()) if (key.startsWith(`${node} `)) known.delete(key);
    }
  }

  event(told: SimulatedEvent): void {
    const { at, node, event, target, server, call } = told;
    const one = this.#watched.get(node);
    if (one === undefined) return;
    const key = `${node} ${target}`;
    if (event === "server.suspected") {
      this.#suspectUntil.set(key, Number.POSITIVE_INFINITY);
    } else if (event === "server.restored") {
      this.#suspectUntil.set(key, at);
    } else if (event === "attempt.failed" && told.method === "INVITE") {
      this.#tried(node, server, target);
      for (const { given } of this.#waysOf(node)) given.add(String(target));
    } else if (event === "request.hedged") {
      // It may not have a connection yet.
      this.#tried(node, told.fromServer, told.from);
    } else if (event === "registration.accepted") {
      this.#located.add(`${node} ${server}`);
      for (const way of this.#waysOf(node)) {
        way.held.add(String(target));
        way.bound.add(Number(server));
      }
    } else if (event === "call.started" && told.direction === "outgoing") {
      this.#begin(one, at, `${node} ${told.callId}`);
      this.#keys.set(`${node} ${call}`, `${node} ${told.callId}`);
    } else if (event === "call.ended" || event === "call.answered") {
      const way = this.#ways.get(this.#keys.get(`${node} ${call}`) ?? "");
      if (way !== undefined && event === "call.ended") this.#ended(at, way, told);
      this.#ways.delete(this.#keys.get(`${node} ${call}`) ?? "");
    }
  }

  check(now: Instant): void {
    for (const way of this.#ways.values()) note(now, way);
  }

  message(message: SimulatedMessage, text: string): void {
    if (message.direction === "in") this.#hear(message, text);
    if (!text.startsWith("INVITE ") || !sendsRequest(message, text) || hasToTag(text)) return;
    const { at, node, peer } = message;
    const way = this.#ways.get(`${node} ${callIdOf(text)}`);
    const { transport, address, port } = peer;
    if (way === undefined || !way.one.active || transport === "rtp") return;
    const place = way.one.account.servers.placeOf({ transport, address, port });
    if (place === undefined) return;
    const name = targetName(place.target);
    if (way.branch !== branchOf(text)) way.heard = false;
    way.branch = branchOf(text);
    if (way.places.has(name)) return;
    note(at, way);
    const answered = way.answer === undefined ? undefined : `INVITE to ${name} after ${way.answer}`;
    const wrong =
      answered ?? this.#outOfOrder(at, way, place) ?? this.#unregistered(at, way, place);
    way.places.add(name);
    way.tried.add(place.server);
    way.last = place.server;
    if (wrong !== undefined) this.#complain({ invariant: "I6", at, node, what: wrong });
  }

  #begin(one: Watched, at: Instant, key: string): void {
    const sets = {
      working: new Set<number>(),
      held: new Set<string>(),
      current: new Set<string>(),
    };
    const [unbound, given] = [new Set<number>(), new Set<string>()];
    const more = {
      unbound,
      given,
      bound: new Set<number>(),
      places: new Set<string>(),
      tried: new Set<number>(),
    };
    const begun = { last: 0, branch: "", heard: false, answer: undefined };
    const way: Way = { one, begunAt: at, ...sets, ...more, ...begun };
    note(at, way);
    this.#ways.set(key, way);
  }

  /** Which final answers are failures of a place (C19). */
  #hear(message: SimulatedMessage, text: string): void {
    const [, digits = "0"] = /^SIP\/2\.0 (\d{3})/.exec(text) ?? [];
    const status = Number(digits);
    this.#quiet.message(message, text);
    const way = this.#ways.get(`${message.node} ${callIdOf(text)}`);
    if (way === undefined || status === 0 || way.branch !== branchOf(text)) return;
    if (!cseqOf(text).endsWith(" INVITE")) return;
    const { hedgeMs, failoverOn503, failoverStatuses } = way.one.account.policy;
    if (status < 200) way.heard = true;
    const lets =
      status === 503 ? failoverOn503 : status === 430 || failoverStatuses.includes(status);
    const ends = status >= 400 && !AGAIN.has(status) && !lets;
    const place = placeOf(message);
    if (ends && hedgeMs === 0 && !way.given.has(place)) way.answer = `${status} from ${place}`;
  }

  #ended(at: Instant, way: Way, { why, status }: SimulatedEvent): void {
    const { one, working, places, tried, heard } = way;
    const { account, node, active } = one;
    if (!active) return;
    const located = [...working].every((server) => this.#located.has(`${node} ${server}`));
    if (why === "no-targets" && located && tried.size === 0) {
      const what = "a call found no server, though one was found before";
      this.#complain({ invariant: "I6", at, node, what });
    }
    if (why !== "rejected" || status !== 503 || !account.policy.failoverOn503 || heard) return;
    const open = account.servers.routes.flatMap((route) =>
      tried.has(route.index) ? route.places : [],
    );
    const unasked = open.find(
      (place) =>
        !places.has(targetName(place.target)) &&
        this.#quiet.until(node, targetName(place.target)) === undefined &&
        !this.#wasSuspect(way, place),
    );
    if (unasked === undefined) return;
    const what = `a call was refused with 503, and ${targetName(unasked.target)} not asked`;
    this.#complain({ invariant: "I6", at, node, what });
  }

  #wasSuspect({ one, begunAt }: Way, { target }: Place): boolean {
    return (this.#suspectUntil.get(`${one.node} ${targetName(target)}`) ?? 0) >= begunAt;
  }

  #waysOf(node: string): Way[] {
    return [...this.#ways.values()].filter(({ one }) => one.node === node);
  }

  /** Asked, or not to be had. */
  #tried(node: string, server: unknown, target: unknown): void {
    for (const { tried, places } of this.#waysOf(node)) {
      tried.add(Number(server));
      places.add(String(target));
    }
  }

  #outOfOrder(at: Instant, way: Way, place: Place): string | undefined {
    const { account } = way.one;
    const { server } = place;
    if (way.last === 0) {
      if (account.policy.followChallenger) return undefined;
      if (way.tried.size > 0) return undefined;
      if (way.working.has(server)) return undefined;
      const open = [...way.working].every((one) => this.#couldHaveIt(at, way, one));
      return open ? `INVITE begins at server ${server}, not ${[...way.working]}` : undefined;
    }
    if (!this.#mayAsk(way, server))
      return `INVITE to server ${server}, where nothing is registered`;
    if (server === way.last || way.tried.has(server) || way.working.size > 1) return undefined;
    const count = account.policy.servers.length;
    const [first = 1] = way.working;
    const turn = (one: number): number => (one - first + count) % count;
    for (const { index } of account.servers.routes) {
      if (turn(index) >= turn(server) || way.tried.has(index)) continue;
      if (this.#couldHaveIt(at, way, index)) {
        return `INVITE to server ${server} before server ${index}`;
      }
    }
    return undefined;
  }

  /** A place of it is not known to be dead, nor wants quiet, and the policy lets it have calls. */
  #couldHaveIt(at: Instant, way: Way, server: number): boolean {
    const { account, node } = way.one;
    if (way.tried.has(server) || !this.#mayAsk(way, server)) return false;
    return account.servers.route(server).places.some((place) => {
      if (account.policy.skipKnownDead && this.#wasSuspect(way, place)) return false;
      return (this.#quiet.until(node, targetName(place.target)) ?? at) <= at;
    });
  }

  #mayAsk(way: Way, server: number): boolean {
    const { inviteUnregistered, registration } = way.one.account.policy;
    if (inviteUnregistered || registration === "successive" || way.working.has(server)) return true;
    return way.bound.has(server);
  }

  #unregistered(at: Instant, way: Way, { server, target, hop }: Place): string | undefined {
    const { account } = way.one;
    const registration = account.registration(server);
    const name = targetName(target);
    if (registration === undefined || way.held.has(name)) return undefined;
    const what = `INVITE to ${name} before the account was registered there`;
    const successive = account.policy.registration === "successive";
    if (successive && !way.working.has(server)) return what;
    const bound = registration.bound(at) && !way.unbound.has(server);
    const moved = bound || !way.current.has(name);
    return hop.registerOnFailover && moved ? what : undefined;
  }
}

/** What may have been so when the next place was chosen. */
function note(now: Instant, way: Way): void {
  const { one, working, held, current, bound, unbound } = way;
  const { account } = one;
  working.add(account.workingServer);
  for (const { index, places, currentPlace } of account.servers.routes) {
    const registration = account.begun(index);
    if (registration?.bound(now) === true) bound.add(index);
    else unbound.add(index);
    if (currentPlace !== undefined) current.add(targetName(currentPlace.target));
    for (const { target } of places) {
      if (registration?.holds(now, target) === true) held.add(targetName(target));
    }
  }
}
