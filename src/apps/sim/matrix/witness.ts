/**
 * Stands between a phone and its world, whichever that is, and notes what the phone does about one method: what it
 * sends where, what it hears, how each try ends, and what its user gets. The steps of a verdict are made here.
 */
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Machine,
  Opening,
  Peer,
  Target,
  World,
} from "../../../core/machine.ts";
import type { Answer, Question, TraceEvent } from "../../../core/vocabulary.ts";
import type { MatrixMethod } from "./axes.ts";
import type { PlaceName } from "./setting.ts";
import type { MatrixVerdict, Step } from "./verdict.ts";

/** Status, branch of the topmost Via, and method of each response in what came in. */
const RESPONSE = /SIP\/2\.0 (\d{3}) [\s\S]*?;branch=([^;,\s]+)[\s\S]*?\r\nCSeq: \d+ (\w+)/gi;
const BRANCH = /;branch=([^;,\s]+)/i;

export class Witness implements Machine, World {
  /** Called after each step and each event. */
  changed: () => void = () => {};
  readonly #events = new Map<string, number>();
  readonly #machine: Machine;
  readonly #places: ReadonlyMap<string, PlaceName>;
  readonly #method: MatrixMethod;
  readonly #flows = new Map<FlowId, PlaceName>();
  #world: World | undefined;
  #now: Instant = 0;
  #zero: Instant | undefined;
  #awaitsRequest = false;
  #steps: Step[] = [];
  #sends = new Map<PlaceName, number>();
  /** Branches of the requests watched that have no final answer yet: some come twice, or belong to earlier requests. */
  readonly #asked = new Set<string>();
  #answered: string | undefined;
  /** Places that were left. */
  #left = new Set<PlaceName>();

  /** @param places who stands at an address. */
  constructor(machine: Machine, places: ReadonlyMap<string, PlaceName>, method: MatrixMethod) {
    this.#machine = machine;
    this.#places = places;
    this.#method = method;
  }

  /** The fault meets the request now. */
  begin(now: Instant): void {
    this.#zero = now;
  }

  /** The fault is there, and meets the request when that is sent. */
  beginWithRequest(): void {
    this.#awaitsRequest = true;
  }

  /** How often an event has been reported so far. */
  count(event: string): number {
    return this.#events.get(event) ?? 0;
  }

  get verdict(): MatrixVerdict {
    return this.#steps;
  }

  /** What the user of a request that stands alone is told. */
  told(now: Instant, what: string): void {
    this.#now = now;
    this.#note(what);
  }

  // Facts.

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.#now = now;
    this.#machine.bound(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.#now = now;
    this.#at(flow, peer.address);
    this.#machine.opened(now, flow, peer);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.#now = now;
    const place = this.#flows.get(flow);
    if (place !== undefined) this.#heard(place, Buffer.from(bytes).toString("latin1"));
    this.#machine.received(now, flow, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.#now = now;
    this.#machine.lost(now, flow, cause);
  }

  answered(now: Instant, asked: number, answer: Answer): void {
    this.#now = now;
    this.#machine.answered(now, asked, answer);
  }

  elapsed(now: Instant): void {
    this.#now = now;
    this.#machine.elapsed(now);
  }

  get deadline(): Instant {
    return this.#machine.deadline;
  }

  deliver(world: World): void {
    this.#world = world;
    this.#machine.deliver(this);
  }

  // Intentions.

  bind(flow: FlowId, local: Local): void {
    this.#world?.bind(flow, local);
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    this.#at(flow, target.address);
    this.#world?.open(flow, target, opening);
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const place = this.#flows.get(flow);
    if (place !== undefined) this.#sent(place, Buffer.from(bytes).toString("latin1"));
    this.#world?.send(flow, bytes);
  }

  close(flow: FlowId): void {
    this.#world?.close(flow);
  }

  ask(asked: number, question: Question): void {
    this.#world?.ask(asked, question);
  }

  report(event: TraceEvent): void {
    this.#events.set(event.event, this.count(event.event) + 1);
    if (this.#zero !== undefined) this.#happened(event);
    this.#world?.report(event);
    this.changed();
  }

  #at(flow: FlowId, address: string): void {
    const place = this.#places.get(address);
    if (place !== undefined) this.#flows.set(flow, place);
  }

  #sent(place: PlaceName, text: string): void {
    if (this.#awaitsRequest && text.startsWith(`${this.#method} `)) {
      this.#awaitsRequest = false;
      this.#zero = this.#now;
    }
    if (this.#zero === undefined) return;
    if (text.startsWith(`${this.#method} `)) {
      this.#sends.set(place, (this.#sends.get(place) ?? 0) + 1);
      this.#asked.add(BRANCH.exec(text)?.[1] ?? "");
    } else if (this.#method === "INVITE" && text.startsWith("BYE ") && this.#left.has(place)) {
      this.#noteOnce(`${place} BYE`);
    }
  }

  #heard(place: PlaceName, text: string): void {
    if (this.#zero === undefined) return;
    for (const [, status = "", branch = "", method = ""] of text.matchAll(RESPONSE)) {
      if (method !== this.#method || Number(status) < 200 || !this.#asked.delete(branch)) continue;
      if (this.#left.has(place)) this.#noteOnce(`${place} late ${status}`);
      else {
        this.#sends.delete(place);
        this.#answered = `${place} ${status}`;
        this.#note(this.#answered);
      }
    }
  }

  #happened(event: TraceEvent): void {
    const { method, target = "", why = "" } = event;
    switch (event.event) {
      case "attempt.failed":
        if (method === this.#method) this.#leave(String(target), String(why));
        break;
      case "server.unresolved":
        this.#note(`server ${event.server} has no address`);
        break;
      case "registration.interrupted":
        this.#note("registers anew");
        break;
      case "registration.accepted":
        if (this.#method === "REGISTER") this.#note("registered");
        break;
      case "registration.failed":
        if (this.#method === "REGISTER") this.#note("not registered there");
        break;
      case "server.fell-back":
        if (this.#method === "REGISTER") this.#note("fallback in charge");
        break;
      case "call.answered":
        this.#note("call up");
        break;
      case "call.ended":
        this.#note(why === "hung-up" ? "call over" : `call over: ${event.status ?? why}`);
        break;
      case "subscription.accepted":
        this.#note("subscribed");
        break;
      case "subscription.ended":
        this.#note("dialog over");
        break;
      case "subscription.failed":
        this.#note(`again in ${Number(event.waitMs) / 1000} s`);
        break;
    }
  }

  #leave(target: string, why: string): void {
    const place = this.#placeOf(target);
    const sends = this.#sends.get(place) ?? 0;
    this.#sends.delete(place);
    this.#left.add(place);
    // Left because of an answer, which stands there already.
    if (this.#answered === `${place} ${why}`) return;
    this.#note(`${place}${sends > 1 ? ` ×${sends}` : ""} ${why}`);
  }

  #placeOf(target: string): PlaceName {
    for (const [address, place] of this.#places) if (target.includes(`:${address}:`)) return place;
    throw new RangeError(`nobody of the matrix stands at ${target}`);
  }

  /** Each late answer is answered. */
  #noteOnce(what: string): void {
    if (!this.#steps.some((step) => step.what === what)) this.#note(what);
  }

  #note(what: string): void {
    if (this.#zero === undefined) return;
    this.#steps.push({ what, atMs: this.#now - this.#zero });
    this.changed();
  }
}
