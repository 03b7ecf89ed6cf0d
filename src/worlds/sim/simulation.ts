/**
 * Virtual time, and everything that happens in it, from one seed. Machines are the very same as on real sockets; a
 * week of a fleet passes in seconds, and the same seed gives the same trace, byte for byte.
 */
import type { Instant, Machine } from "../../core/machine.ts";
import type { Answer, Question, TraceEvent } from "../../core/vocabulary.ts";
import { EventQueue } from "./event-queue.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { Prng } from "./prng.ts";
import { SimulatedHost } from "./simulated-host.ts";
import type { SimulatedMessage, Surroundings } from "./surroundings.ts";

/** A trace event with the instant and the node it came from. */
export interface SimulatedEvent extends TraceEvent {
  readonly at: Instant;
  readonly node: string;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly network?: NetworkOptions;
  /** Answers a question of a node after some milliseconds of virtual time. */
  readonly answer?: (now: Instant, question: Question) => { afterMs: number; answer: Answer };
  readonly onEvent?: (event: SimulatedEvent) => void;
  /** Shown each SIP message sent and received; costs nothing when absent. */
  readonly onMessage?: (message: SimulatedMessage) => void;
  /** Called after each step: invariants look here. */
  readonly onStep?: (now: Instant) => void;
}

export class Simulation implements Surroundings {
  readonly prng: Prng;
  readonly network: Network;
  readonly queue: EventQueue = new EventQueue();
  readonly options: SimulationOptions;
  readonly #hosts = new Map<string, SimulatedHost>();
  /** Which host owns an address. */
  readonly #addresses = new Map<string, SimulatedHost>();
  now: Instant = 0;
  /** Events carried out so far. */
  steps = 0;
  /** FNV-1a over all reported events: equal for equal runs. */
  traceHash = 0x811c_9dc5;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.prng = new Prng(options.seed, 1);
    this.network = new Network(new Prng(options.seed, 2), options.network);
  }

  /** Starts a process on a host of its own. */
  addHost(name: string, addresses: readonly string[], machine: Machine): SimulatedHost {
    const host = new SimulatedHost(this, name, machine);
    this.#hosts.set(name, host);
    for (const address of addresses) this.#addresses.set(address, host);
    return host;
  }

  host(name: string): SimulatedHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`no host ${name}`);
    return host;
  }

  hostAt(address: string): SimulatedHost | undefined {
    return this.#addresses.get(address);
  }

  get onMessage(): ((message: SimulatedMessage) => void) | undefined {
    return this.options.onMessage;
  }

  answer(question: Question): { afterMs: number; answer: Answer } {
    const answering = this.options.answer;
    if (answering !== undefined) return answering(this.now, question);
    return { afterMs: 0, answer: { kind: "silent", why: "nobody answers questions here" } };
  }

  after(delayMs: number, happen: () => void): void {
    this.queue.put(this.now + delayMs, happen);
  }

  /** Carries out everything up to and including an instant, which is then now. */
  runUntil(instant: Instant): void {
    while (this.queue.next <= instant) this.step();
    this.now = Math.max(this.now, instant);
  }

  runFor(durationMs: number): void {
    this.runUntil(this.now + durationMs);
  }

  /** Goes on until `done` holds. @returns false if that was not so by `deadline`. */
  runUntilTrue(done: () => boolean, deadline: Instant): boolean {
    while (!done()) {
      if (this.queue.next > deadline) {
        this.now = Math.max(this.now, deadline);
        return done();
      }
      this.step();
    }
    return true;
  }

  step(): void {
    const due = this.queue.next;
    const happen = this.queue.take();
    if (happen === undefined) return;
    this.now = Math.max(this.now, due);
    this.steps += 1;
    happen();
    this.options.onStep?.(this.now);
  }

  reported(node: string, event: TraceEvent): void {
    const timed: SimulatedEvent = { ...event, at: this.now, node };
    this.#hash(`${this.now.toFixed(3)} ${node} ${event.event}`);
    for (const [name, value] of Object.entries(event)) this.#hash(`${name}=${String(value)}`);
    this.options.onEvent?.(timed);
  }

  #hash(text: string): void {
    let hash = this.traceHash;
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
    }
    this.traceHash = hash >>> 0;
  }
}
