/**
 * I10, second part: what is over at one end is over at the other as soon as a request can get there. Nobody goes on
 * ringing for a caller who has given up (I7), and nobody is left alone in a call. Who gave the name of his phone for an
 * address is reached while a binding stands for it (RFC 5627 §6.1): after that nothing can get there.
 */
import type { Instant } from "../../../core/machine.ts";
import { signalsRegisteredOnly } from "../../../core/phone/unregistered-server.ts";
import type { RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import { CONNECT_TIMEOUT_MS } from "../simulated-stream.ts";
import type { SimulatedEvent } from "../simulation.ts";
import type { SimulatedMessage } from "../surroundings.ts";
import { callIdOf, cseqOf } from "./glance.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";
import type { Bindings } from "./registered.ts";

interface End {
  readonly node: string;
  answered: boolean;
  /** Its name or its flow was asked for, and no server that was to find it has a binding that leads to it any more. */
  unbound: boolean;
  /** When he was looked for he had lost each flow that he had, and knew it, and was registering anew. */
  adrift: boolean;
}

interface Ends {
  readonly begunAt: Instant;
  readonly nodes: Set<string>;
  /** Those that are not over, by node and call. */
  readonly live: Map<string, End>;
  /** When the first of them was over. */
  overAt: Instant | undefined;
  /** Whose phone was it may have had to leave it unsaid. */
  muzzled: boolean;
  /** It was said, by whomever. */
  told: boolean;
}

function newEnds(begunAt: Instant): Ends {
  const nodes = new Set<string>();
  return { begunAt, nodes, live: new Map(), overAt: undefined, muzzled: false, told: false };
}

const ROUTE_HOST = /<sips?:(?:[^@>]*@)?([\d.]+)/g;
const OF_CALLS = /^(?:INVITE|BYE|CANCEL) /;
const BYE_BY_NAME = /^BYE \S*;gr[=; ]/;
/** For want of a binding of a public name, of a temporary one, or of a flow. */
const FOUND_NOBODY = /^SIP\/2\.0 4(?:80|04|30) /;
/** For want of a binding of a public name, or of a flow. */
const OUT_OF_REACH = /^SIP\/2\.0 4[38]0 /;

const STREAMS: ReadonlySet<string> = new Set(["tcp", "tls", "ws", "wss"]);

/** By datagrams, or by flows of its own whichever it has. */
function staysReached({ outbound, servers, proxies }: RedundancyPolicy): boolean {
  const hops = [...servers, ...proxies];
  if (outbound === "always" || hops.every(({ transport }) => transport === "udp")) return true;
  return outbound === "streams" && hops.every(({ transport }) => STREAMS.has(transport));
}

/** The address of the last server that the request is to go through. */
function lastServerOf({ peer }: SimulatedMessage, text: string): string {
  const routes = text.match(/^Route: .*$/gm)?.join() ?? "";
  return Array.from(routes.matchAll(ROUTE_HOST), ([, host = ""]) => host).at(-1) ?? peer.address;
}

export class BothEnds implements Invariant {
  readonly #nodes: ReadonlyMap<string, Watched>;
  readonly #reach: Reach;
  readonly #complain: Complain;
  /** How long CANCEL and BYE may take on their way through everything that may be tried. */
  readonly #partingMs: number;
  /** Whoever is reached over connections alone is not, in a dialog of before his connection broke, but by RFC 5626. */
  readonly #connected: boolean;
  readonly #calls = new Map<string, Ends>();
  readonly #ids = new Map<string, string>();
  /** Through which server an INVITE went last, or was answered, by node and Call-ID. */
  readonly #servers = new Map<string, string>();
  /** Call-IDs of which the end was told to a name. */
  readonly #named = new Set<string>();
  /** The last server that the end of a call was to go through, by Call-ID. */
  readonly #lastOf = new Map<string, string>();
  readonly #bindings: Bindings;
  #nextLook: Instant = 0;

  constructor(
    watched: readonly Watched[],
    reach: Reach,
    bindings: Bindings,
    partingMs: number,
    complain: Complain,
  ) {
    this.#nodes = new Map(watched.map((one) => [one.node, one]));
    this.#reach = reach;
    this.#bindings = bindings;
    this.#connected = watched.some(({ account }) => !staysReached(account.policy));
    this.#partingMs = partingMs;
    this.#complain = complain;
  }

  event({ at, node, event, call, callId }: SimulatedEvent): void {
    if (call === undefined || !this.#nodes.has(node)) return;
    const key = `${node} ${call}`;
    if (event === "call.started") {
      const id = String(callId);
      this.#ids.set(key, id);
      const ends = this.#calls.get(id) ?? newEnds(at);
      this.#calls.set(id, ends);
      ends.nodes.add(node);
      ends.live.set(key, { node, answered: false, unbound: false, adrift: false });
      return;
    }
    const ends = this.#calls.get(this.#ids.get(key) ?? "");
    const end = ends?.live.get(key);
    if (ends === undefined || end === undefined) return;
    if (event === "call.answered") end.answered = true;
    else if (event === "call.ended") {
      ends.live.delete(key);
      if (ends.overAt === undefined) ends.muzzled = this.#muzzled(at, node, this.#ids.get(key));
      ends.overAt ??= at;
    }
  }

  message(message: SimulatedMessage, text: string): void {
    if (OF_CALLS.test(text)) this.#pass(message, text);
    else if (text.startsWith("SIP/2.0 2") && cseqOf(text).endsWith(" INVITE")) {
      this.#note(message, callIdOf(text));
    }
    if (message.direction === "out") {
      if (!text.startsWith("BYE ")) return;
      const id = callIdOf(text);
      this.#lastOf.set(id, lastServerOf(message, text));
      if (BYE_BY_NAME.test(text)) this.#named.add(id);
    } else if (FOUND_NOBODY.test(text) && cseqOf(text).endsWith(" BYE")) {
      const id = callIdOf(text);
      if (this.#named.has(id) || OUT_OF_REACH.test(text)) this.#foundNobody(message.node, id);
    }
  }

  /** Between a phone and its server. */
  #pass(message: SimulatedMessage, text: string): void {
    const { node, direction } = message;
    if (!this.#nodes.has(node)) return;
    const id = callIdOf(text);
    if (text.startsWith("INVITE ")) {
      this.#note(message, id);
      return;
    }
    const ends = this.#calls.get(id);
    if (ends === undefined || direction !== "out") return;
    // Of an answered call CANCEL stops no more than the legs beside that.
    const own = [...ends.live.values()].filter((end) => end.node === node);
    if (text.startsWith("BYE ") || own.every(({ answered }) => !answered)) ends.told = true;
  }

  #note({ node, peer }: SimulatedMessage, id: string): void {
    if (this.#nodes.has(node)) this.#servers.set(`${node} ${id}`, peer.address);
  }

  /** Of a server that was left nothing is said to it, not even that a call is over (onlySignalWithRegistered, C40). */
  #muzzled(now: Instant, node: string, id: string | undefined): boolean {
    const account = this.#nodes.get(node)?.account;
    const address = this.#servers.get(`${node} ${id}`);
    return (
      account?.servers.routes.some(({ index, places }) =>
        places.some(
          ({ hop, target }) =>
            target.address === address &&
            signalsRegisteredOnly(hop) &&
            account.registration(index)?.holds(now, target) === false,
        ),
      ) === true
    );
  }

  /** The last server of the way is to find the name, or to send over the flow: what those before it know is no use. */
  #foundNobody(asking: string, callId: string): void {
    const last = this.#lastOf.get(callId);
    const ends = this.#calls.get(callId);
    if (last === undefined || ends === undefined) return;
    for (const end of ends.live.values()) {
      if (end.node === asking) continue;
      end.unbound = !this.#bindings(last, end.node);
      end.adrift ||= this.#isAdrift(end.node);
    }
  }

  #isAdrift(node: string): boolean {
    const account = this.#nodes.get(node)?.account;
    return (
      account?.servers.routes.every(
        ({ index }) => account.registration(index)?.state !== "registered",
      ) === true
    );
  }

  /** Whoever talked to it is left alone. */
  died(_now: Instant, node: string): void {
    for (const [id, { nodes }] of this.#calls) if (nodes.has(node)) this.#calls.delete(id);
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const [id, { begunAt, live, overAt, muzzled, told }] of this.#calls) {
      if (overAt === undefined) continue;
      if (live.size === 0 || (muzzled && !told)) {
        this.#calls.delete(id);
        continue;
      }
      // What was sent while something was amiss may have been in vain; so is all that goes through a server which has
      // forgotten the call: it does not trust the routes of its earlier life. A connection that was begun in the storm
      // comes to nothing after it, and with it what waits for it.
      const calmFrom = this.#connected ? begunAt : overAt;
      if (this.#reach.calmSince + CONNECT_TIMEOUT_MS > calmFrom || this.#reach.forgotAt >= begunAt)
        continue;
      if (now - overAt <= this.#partingMs) continue;
      for (const { node, answered, unbound, adrift } of live.values()) {
        if (unbound || adrift) continue;
        const doing = answered ? "is left alone in" : "goes on ringing for";
        const what = `${doing} ${id}, which was over ${Math.round(now - overAt)} ms ago`;
        this.#complain({ invariant: answered ? "I10" : "I7", at: now, node, what });
      }
      this.#calls.delete(id);
    }
  }
}
