/**
 * Drives one Machine on real sockets: tells it each fact, carries out what it intends, and wakes it at its
 * deadline. Facts that intentions cause (an answer at hand, a socket bound at once) wait until the machine has decided.
 */
import { assert } from "../../core/assert.ts";
import {
  type FlowId,
  type Instant,
  type Local,
  type LossCause,
  type Machine,
  NEVER,
  type Opening,
  type Peer,
  type Target,
  type TransportName,
  type World,
} from "../../core/machine.ts";
import type {
  Answer,
  DnsQuestion,
  Question,
  StoreRead,
  StoreWrite,
  TraceEvent,
} from "../../core/vocabulary.ts";
import { type Carrier, type Facts, Nowhere } from "./carrier.ts";
import { Delays, type Rule } from "./faults.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { Network } from "./network.ts";
import type { TlsSettings } from "./tls.ts";

/** A trace event with what only the world knows; `at` in ms since the driver began, `time` ISO 8601. */
export interface TimedEvent extends TraceEvent {
  readonly at: number;
  readonly time: string;
  readonly node: string;
}

/** Answers each question exactly once, at any later time or at once. */
export type Ask<Asked extends Question> = (
  question: Asked,
  answered: (answer: Answer) => void,
) => void;

/** Shown every packet as it is sent or received, for traces and pcap files. */
export type Capture = (
  direction: "in" | "out",
  peer: Peer,
  bytes: Uint8Array,
  transport: TransportName,
  instant: Instant,
) => void;

export interface DriverOptions {
  /** The name of this node in its events. */
  readonly node?: string;
  readonly sink?: (event: TimedEvent) => void;
  /** Without it every DNS question is answered `silent`. */
  readonly resolve?: Ask<DnsQuestion>;
  /** Without it every store question is answered `unavailable`. */
  readonly store?: Ask<StoreRead | StoreWrite>;
  readonly capture?: Capture;
  readonly rule?: Rule;
  readonly limits?: Partial<Limits>;
  readonly tls?: TlsSettings;
}

type Fact = (now: Instant) => void;

/**
 * A timer that rings this much late (ms) means that the process stood still: what has arrived meanwhile is read
 * first.
 */
const LATE_MS = 20;

const NO_BYTES = new Uint8Array();

const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

export class Driver implements World, Facts {
  readonly #machine: Machine;
  readonly #options: DriverOptions;
  readonly #startedAt: Instant = performance.now();
  readonly #carriers = new Map<FlowId, Carrier>();
  readonly #limits: Limits;
  readonly #network: Network;
  readonly #delays = new Delays();
  readonly #capture: Capture | undefined;
  #rule: Rule | undefined;
  #later: Fact[] = [];
  #busy = false;
  #closed = false;
  #lastArrival = 0;
  #now: Instant = this.#startedAt;
  #timer: NodeJS.Timeout | undefined;
  #turnEnd: NodeJS.Immediate | undefined;
  /** The instant at which the timer will ring; never later than the machine's deadline once a turn is over. */
  #armedFor: Instant = NEVER;
  #stampedMs = 0;
  #stamp = "";

  constructor(machine: Machine, options: DriverOptions = {}) {
    this.#machine = machine;
    this.#options = options;
    this.#capture = options.capture;
    this.#rule = options.rule;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#network = new Network(this, this.#limits, options.tls);
  }

  /** Flows and bound addresses in use: 0 once the machine has closed all of its own. */
  get flows(): number {
    return this.#carriers.size;
  }

  get rule(): Rule | undefined {
    return this.#rule;
  }

  /** From here on, this rule (or none) judges every packet. */
  set rule(rule: Rule | undefined) {
    this.#rule = rule;
  }

  /**
   * Ends every connection with such a peer, for both sides as when its process dies; of datagrams nobody hears. Unless
   * said otherwise, with all peers; those who listen have none.
   */
  reset(isMeant: (peer: Peer) => boolean = ({ port }) => port > 0): void {
    for (const [flow, carrier] of [...this.#carriers]) {
      const { transport } = carrier.peer;
      if (transport === "udp" || transport === "rtp" || !isMeant(carrier.peer)) continue;
      if (carrier.reset === undefined) carrier.close();
      else carrier.reset();
      this.lost(flow, "reset");
    }
  }

  /** From now on, both PEM. @throws Error when they are no certificate and its key. */
  showCertificate(certificate: string, key: string): void {
    this.#network.showCertificate(certificate, key);
  }

  /**
   * Lets the outside speak to the machine (start, call, hang up) and carries out what it then intends.
   * @throws whatever `action` or the machine throws: it is a bug, reported as `process.failed`.
   */
  run<Result>(action: (now: Instant) => Result): Result {
    assert(!this.#busy, "run from inside a turn of the machine");
    this.#busy = true;
    const now = this.#tick();
    try {
      const result = action(now);
      this.#settle(now);
      return result;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Closes every socket and timer; the machine hears nothing more. Resolves when all sockets are gone. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#later = [];
    this.#delays.close();
    clearTimeout(this.#timer);
    clearImmediate(this.#turnEnd);
    for (const carrier of this.#carriers.values()) carrier.close();
    this.#carriers.clear();
    await this.#network.stop();
  }

  // Intentions

  bind(flow: FlowId, local: Local): void {
    this.#carriers.set(flow, this.#network.bind(flow, local));
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    const impossible = this.#rule === undefined ? undefined : this.#openWatched(flow, target);
    const from = this.#carriers.get(opening.from);
    this.#carriers.set(flow, impossible ?? this.#network.open(flow, target, opening, from));
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const carrier = this.#carriers.get(flow);
    if (carrier === undefined) return;
    if (this.#capture !== undefined || this.#rule !== undefined)
      this.#sendWatched(flow, carrier, bytes);
    else carrier.send(bytes);
  }

  close(flow: FlowId): void {
    const carrier = this.#carriers.get(flow);
    if (carrier === undefined) return;
    this.#carriers.delete(flow);
    carrier.close();
  }

  ask(asked: number, question: Question): void {
    const answered = (answer: Answer): void => this.#answered(asked, answer);
    if (question.kind === "dns") {
      if (this.#options.resolve !== undefined) this.#options.resolve(question, answered);
      else answered({ kind: "silent", why: "no resolver" });
    } else if (this.#options.store !== undefined) this.#options.store(question, answered);
    else answered({ kind: "unavailable", why: "no store" });
  }

  report(event: TraceEvent): void {
    const sink = this.#options.sink;
    if (sink === undefined) return;
    const wall = Date.now();
    if (wall !== this.#stampedMs) {
      this.#stampedMs = wall;
      this.#stamp = new Date(wall).toISOString();
    }
    const at = Math.round((this.#now - this.#startedAt) * 1000) / 1000;
    sink({ at, time: this.#stamp, node: this.#options.node ?? "", ...event });
  }

  // Facts

  arrived(carrier: Carrier): FlowId {
    this.#lastArrival -= 1;
    this.#carriers.set(this.#lastArrival, carrier);
    return this.#lastArrival;
  }

  bound(flow: FlowId, local: Local): void {
    this.#tell((now) => {
      if (this.#carriers.has(flow)) this.#machine.bound(now, flow, local);
    });
  }

  opened(flow: FlowId, peer: Peer): void {
    this.#tell((now) => {
      if (this.#carriers.has(flow)) this.#machine.opened(now, flow, peer);
    });
  }

  lost(flow: FlowId, cause: LossCause): void {
    this.#tell((now) => {
      if (this.#carriers.delete(flow)) this.#machine.lost(now, flow, cause);
    });
  }

  /** The hot path: no closure and no queue, unless the packet is watched or the machine is busy. */
  received(flow: FlowId, bytes: Uint8Array): void {
    if (this.#busy || this.#capture !== undefined || this.#rule !== undefined) {
      this.#receivedWatched(flow, bytes);
      return;
    }
    if (this.#closed) return;
    this.#busy = true;
    const now = this.#tick();
    try {
      this.#machine.received(now, flow, bytes);
      this.#settle(now);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #tell(fact: Fact): void {
    if (this.#closed) return;
    if (this.#busy) {
      this.#later.push(fact);
      return;
    }
    this.#busy = true;
    const now = this.#tick();
    try {
      fact(now);
      this.#settle(now);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /**
   * An answer from outside any turn gets a tick of its own, so that a promise of the store never sees a bug of
   * ours.
   */
  #answered(asked: number, answer: Answer): void {
    if (!this.#busy && this.#later.length === 0 && !this.#closed) process.nextTick(this.#drain);
    this.#later.push((now) => this.#machine.answered(now, asked, answer));
  }

  readonly #drain = (): void => {
    if (this.#later.length > 0) this.#tell(() => undefined);
  };

  #tick(): Instant {
    this.#now = performance.now();
    return this.#now;
  }

  /** Carries out what the machine intends, then tells it what that caused, until it is quiet. */
  #settle(now: Instant): void {
    const machine = this.#machine;
    machine.deliver(this);
    while (this.#later.length > 0) {
      const facts = this.#later;
      this.#later = [];
      for (const fact of facts) {
        fact(now);
        machine.deliver(this);
      }
    }
    this.#busy = false;
    if (machine.deadline < this.#armedFor) this.#turnEnd ??= setImmediate(this.#arm);
  }

  /**
   * Once a turn of the event loop, however many packets it brought. An alarm that has become too early is left
   * to ring.
   */
  readonly #arm = (): void => {
    this.#turnEnd = undefined;
    const due = this.#machine.deadline;
    if (due >= this.#armedFor || this.#closed) return;
    const delayMs = Math.min(Math.max(Math.ceil(due - performance.now()), 1), LONGEST_TIMEOUT_MS);
    clearTimeout(this.#timer);
    this.#armedFor = due;
    this.#timer = setTimeout(this.#ring, delayMs);
  };

  readonly #ring = (): void => {
    const late = performance.now() - this.#armedFor > LATE_MS;
    this.#armedFor = NEVER;
    if (late) this.#turnEnd ??= setImmediate(this.#elapse);
    else this.#elapse();
  };

  readonly #elapse = (): void => {
    this.#turnEnd = undefined;
    this.#tell((now) => {
      if (this.#machine.deadline <= now) this.#machine.elapsed(now);
    });
  };

  /** A connection that the rule forbids; datagrams need none. */
  #openWatched(flow: FlowId, target: Target): Carrier | undefined {
    if (target.transport === "udp" || target.transport === "rtp") return undefined;
    const nowhere = new Nowhere(target);
    const verdict = this.#rule?.({ direction: "open", peer: nowhere.peer, bytes: NO_BYTES });
    if (verdict === "refuse") this.lost(flow, "refused");
    else if (verdict === "drop") {
      this.#delays.after(this.#limits.connectMs, () => this.lost(flow, "timeout"));
    } else return undefined;
    return nowhere;
  }

  #sendWatched(flow: FlowId, carrier: Carrier, bytes: Uint8Array): void {
    const peer = carrier.peer;
    this.#capture?.("out", peer, bytes, peer.transport, this.#now);
    const verdict = this.#rule?.({ direction: "out", peer, bytes }) ?? "pass";
    if (verdict === "pass") carrier.send(bytes);
    else if (verdict === "refuse") this.#refuse(flow, carrier);
    else if (verdict !== "drop") {
      this.#delays.put(verdict, () => {
        if (this.#carriers.get(flow) === carrier) carrier.send(bytes);
      });
    }
  }

  #receivedWatched(flow: FlowId, bytes: Uint8Array): void {
    const carrier = this.#carriers.get(flow);
    if (carrier === undefined) return;
    const verdict = this.#rule?.({ direction: "in", peer: carrier.peer, bytes }) ?? "pass";
    if (verdict === "pass") this.#receive(flow, carrier, bytes);
    else if (verdict === "refuse") this.#refuse(flow, carrier);
    else if (verdict !== "drop") {
      this.#delays.put(verdict, () => this.#receive(flow, carrier, bytes));
    }
  }

  #receive(flow: FlowId, carrier: Carrier, bytes: Uint8Array): void {
    this.#tell((now) => {
      if (this.#carriers.get(flow) !== carrier) return;
      this.#capture?.("in", carrier.peer, bytes, carrier.peer.transport, now);
      this.#machine.received(now, flow, bytes);
    });
  }

  #refuse(flow: FlowId, carrier: Carrier): void {
    carrier.close();
    this.lost(flow, "refused");
  }

  /** A machine that throws is broken: say so and let the process die. */
  #failed(error: unknown): unknown {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.report({ event: "process.failed", why });
    this.#closed = true;
    return error;
  }
}
