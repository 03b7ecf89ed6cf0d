/** The servers that have asked for less, by where they are and where from here they were spoken to. */
import type { FlowId, Instant, Peer } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { reportIn } from "../message/overload.ts";
import { responseTo } from "../message/print.ts";
import type { Via } from "../message/via.ts";
import type { Entropy } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { MAX_THROTTLES } from "./limits.ts";
import { isPreferred, Throttle } from "./throttle.ts";
import type { ClientTransaction, ClientTransactionUser } from "./user.ts";

/** They only make less work; a call that cannot be ended goes on at both ends. */
const ENDS_WORK: ReadonlySet<string> = new Set(["BYE", "CANCEL"]);

export class Throttles {
  readonly #entropy: Entropy;
  readonly #byPlace = new Map<string, Throttle>();

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  /** Servers that have reported, overloaded or no more. */
  get size(): number {
    return this.#byPlace.size;
  }

  /** A response has come; `via` is ours. */
  heard(now: Instant, peer: Peer, via: Via): void {
    const report = reportIn(via.params);
    if (report === undefined) return;
    const place = placeOf(peer);
    const throttle = this.#byPlace.get(place) ?? new Throttle(this.#entropy);
    throttle.heard(now, report);
    if (this.#byPlace.has(place) || this.#hasRoom(now)) this.#byPlace.set(place, throttle);
  }

  /** Whether a request is not to be sent there (R109). */
  keepsBack(now: Instant, request: Request, peer: Peer): boolean {
    if (this.#byPlace.size === 0 || ENDS_WORK.has(request.method)) return false;
    const place = placeOf(peer);
    const throttle = this.#byPlace.get(place);
    return throttle !== undefined && !throttle.passes(now, isPreferred(request));
  }

  #hasRoom(now: Instant): boolean {
    if (this.#byPlace.size < MAX_THROTTLES) return true;
    for (const [place, throttle] of this.#byPlace) {
      if (throttle.isOver(now)) this.#byPlace.delete(place);
    }
    return this.#byPlace.size < MAX_THROTTLES;
  }
}

/** A request that was not sent: its user hears 503, as if the server had said so (RFC 7339 §5.10). */
export class KeptBack implements ClientTransaction, TimerOwner {
  readonly branch: string;
  readonly request: Request;
  readonly flow: FlowId;
  readonly #timers: Timers;
  readonly #ended: (kept: KeptBack) => unknown;
  readonly #timer: Timer = new Timer("kept-back", this);
  #user: ClientTransactionUser | undefined;

  constructor(
    branch: string,
    request: Request,
    flow: FlowId,
    timers: Timers,
    ended: (kept: KeptBack) => unknown,
  ) {
    this.branch = branch;
    this.request = request;
    this.flow = flow;
    this.#timers = timers;
    this.#ended = ended;
  }

  /** The user is told in a moment: never before the call that sends has returned. */
  start(now: Instant, user: ClientTransactionUser): void {
    this.#user = user;
    this.#timers.set(this.#timer, now);
  }

  rang(now: Instant): void {
    const user = this.#user;
    this.drop();
    user?.responded(now, responseTo(this.request, 503, "Kept Back"));
  }

  abandon(): void {
    this.drop();
  }

  reclaim(): boolean {
    return this.#user !== undefined;
  }

  drop(): void {
    this.#user = undefined;
    this.#timers.silence(this.#timer);
    this.#ended(this);
  }
}

/** A new connection has another port of ours, and leads to the same server. */
function placeOf({ transport, address, port, localAddress, localPort }: Peer): string {
  const from = transport === "udp" ? `${localAddress}:${localPort}` : localAddress;
  return `${from} ${transport}:${address}:${port}`;
}
