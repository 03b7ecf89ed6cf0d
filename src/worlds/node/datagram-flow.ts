/** One remote address and port at a bound datagram socket, and the list that forgets those that nobody uses. */
import type { FlowId, Peer } from "../../core/machine.ts";
import type { Carrier } from "./carrier.ts";

/** Told of the system's error, if any, after a send. Without it a failed send is a lost datagram, and cheaper. */
export type Sent = (error: Error | null) => void;

/** The bound socket as its flows see it. */
export interface Home {
  sendTo(port: number, address: string, bytes: Uint8Array, sent: Sent | undefined): void;
  forget(flow: DatagramFlow): void;
  abandoned(flow: DatagramFlow): void;
}

export class DatagramFlow implements Carrier {
  /** Given once, right after construction: a world's flow is numbered as it arrives. */
  id: FlowId = 0;
  readonly peer: Peer;
  readonly #home: Home;
  /** Where the flow is forgotten when unused; undefined if the machine opened it: the machine alone ends it. */
  readonly #idle: IdleFlows | undefined;
  sent: Sent | undefined;
  newer: DatagramFlow | undefined;
  older: DatagramFlow | undefined;
  /** The period of its last use. */
  usedIn = -1;

  constructor(peer: Peer, home: Home, idle: IdleFlows | undefined) {
    this.peer = peer;
    this.#home = home;
    this.#idle = idle;
  }

  /** Called for each datagram in either direction. */
  used(): void {
    const idle = this.#idle;
    if (idle !== undefined && this.usedIn !== idle.period) idle.use(this);
  }

  send(bytes: Uint8Array): void {
    this.used();
    this.#home.sendTo(this.peer.port, this.peer.address, bytes, this.sent);
  }

  abandoned(): void {
    this.#home.abandoned(this);
  }

  close(): void {
    this.#idle?.remove(this);
    this.#home.forget(this);
  }
}

/** The idle time in periods: with four, a flow is forgotten at the latest a quarter too late. */
const PERIODS = 4;

/**
 * Arrived flows from the longest unused to the latest used, by period and not by datagram: within a period the first
 * use moves a flow, the others cost a comparison.
 */
export class IdleFlows {
  readonly #most: number;
  readonly #idle: (flow: DatagramFlow) => void;
  readonly #periodMs: number;
  /** Runs from the first flow on: what was never used holds nothing. */
  #timer: NodeJS.Timeout | undefined;
  #oldest: DatagramFlow | undefined;
  #newest: DatagramFlow | undefined;
  #size = 0;
  #period = 0;

  constructor(idleMs: number, most: number, idle: (flow: DatagramFlow) => void) {
    this.#most = most;
    this.#idle = idle;
    this.#periodMs = idleMs / PERIODS;
  }

  get period(): number {
    return this.#period;
  }

  get size(): number {
    return this.#size;
  }

  /** A new flow; the longest unused one is ended if there are too many. */
  add(flow: DatagramFlow): void {
    if (this.#size >= this.#most && this.#oldest !== undefined) this.#idle(this.#oldest);
    this.#append(flow);
  }

  use(flow: DatagramFlow): void {
    this.remove(flow);
    this.#append(flow);
  }

  remove(flow: DatagramFlow): void {
    if (flow.usedIn < 0) return;
    if (flow.older === undefined) this.#oldest = flow.newer;
    else flow.older.newer = flow.newer;
    if (flow.newer === undefined) this.#newest = flow.older;
    else flow.newer.older = flow.older;
    flow.older = undefined;
    flow.newer = undefined;
    flow.usedIn = -1;
    this.#size -= 1;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #append(flow: DatagramFlow): void {
    this.#timer ??= setInterval(() => this.#nextPeriod(), this.#periodMs).unref();
    flow.usedIn = this.#period;
    flow.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = flow;
    else this.#newest.newer = flow;
    this.#newest = flow;
    this.#size += 1;
  }

  #nextPeriod(): void {
    this.#period += 1;
    for (
      let flow = this.#oldest;
      flow !== undefined && this.#period - flow.usedIn > PERIODS;
      flow = this.#oldest
    ) {
      this.#idle(flow);
    }
  }
}
