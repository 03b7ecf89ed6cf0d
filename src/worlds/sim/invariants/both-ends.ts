/**
 * I10, second part: what is over at one end is over at the other as soon as a request can get there. Nobody goes on
 * ringing for a caller who has given up (I7), and nobody is left alone in a call.
 */
import type { Instant } from "../../../core/machine.ts";
import type { SimulatedEvent } from "../simulation.ts";
import { type Complain, type Invariant, LOOK_MS, type Reach, type Watched } from "./invariant.ts";

interface End {
  readonly node: string;
  answered: boolean;
}

interface Ends {
  readonly begunAt: Instant;
  readonly nodes: Set<string>;
  /** Those that are not over, by node and call. */
  readonly live: Map<string, End>;
  /** When the first of them was over. */
  overAt: Instant | undefined;
}

function newEnds(begunAt: Instant): Ends {
  return { begunAt, nodes: new Set(), live: new Map(), overAt: undefined };
}

export class BothEnds implements Invariant {
  readonly #nodes: ReadonlySet<string>;
  readonly #reach: Reach;
  readonly #complain: Complain;
  /** How long CANCEL and BYE may take on their way through everything that may be tried. */
  readonly #partingMs: number;
  /** Whoever is reached over connections alone is not, in a dialog that began before his connection broke. */
  readonly #connected: boolean;
  readonly #calls = new Map<string, Ends>();
  readonly #ids = new Map<string, string>();
  #nextLook: Instant = 0;

  constructor(watched: readonly Watched[], reach: Reach, partingMs: number, complain: Complain) {
    this.#nodes = new Set(watched.map(({ node }) => node));
    this.#reach = reach;
    this.#connected = watched.some(({ account: { policy } }) =>
      [...policy.servers, ...policy.proxies].some(({ transport }) => transport !== "udp"),
    );
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
      ends.live.set(key, { node, answered: false });
      return;
    }
    const ends = this.#calls.get(this.#ids.get(key) ?? "");
    const end = ends?.live.get(key);
    if (ends === undefined || end === undefined) return;
    if (event === "call.answered") end.answered = true;
    else if (event === "call.ended") {
      ends.live.delete(key);
      ends.overAt ??= at;
    }
  }

  /** Whoever talked to it is left alone. */
  died(_now: Instant, node: string): void {
    for (const [id, { nodes }] of this.#calls) if (nodes.has(node)) this.#calls.delete(id);
  }

  check(now: Instant): void {
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_MS;
    for (const [id, { begunAt, live, overAt }] of this.#calls) {
      if (overAt === undefined) continue;
      if (live.size === 0) this.#calls.delete(id);
      // What was sent while something was amiss may have been in vain; so is all that goes through a server which has
      // forgotten the call: it does not trust the routes of its earlier life.
      const calmFrom = this.#connected ? begunAt : overAt;
      if (this.#reach.calmSince > calmFrom || this.#reach.forgotAt >= begunAt) continue;
      if (now - overAt <= this.#partingMs) continue;
      for (const { node, answered } of live.values()) {
        const doing = answered ? "is left alone in" : "goes on ringing for";
        const what = `${doing} ${id}, which was over ${Math.round(now - overAt)} ms ago`;
        this.#complain({ invariant: answered ? "I10" : "I7", at: now, node, what });
      }
      this.#calls.delete(id);
    }
  }
}
