/**
 * Virtual time, and everything that happens in it, from one seed. Machines are the very same as on real sockets; a
 * week of a fleet passes in seconds, and the same seed gives the same trace, byte for byte.
 */
import type { Instant, LossCause, Machine, Peer } from "../../core/machine.ts";
import type { Answer, Question, TraceEvent } from "../../core/vocabulary.ts";
import { type HostAddresses, includes, isBlock } from "./addresses.ts";
import { EventQueue } from "./event-queue.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { Prng } from "./prng.ts";
import { SimulatedHost } from "./simulated-host.ts";
import type { SimulatedMessage, Surroundings } from "./surroundings.ts";
import { TraceHash } from "./trace-hash.ts";

/** A trace event with the instant and the node it came from. */
export interface SimulatedEvent extends TraceEvent {
  readonly at: Instant;
  readonly node: string;
}

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly seed: number;
  readonly network?: NetworkOptions;
  /** Answers a question of a node after some milliseconds of virtual time. */
  readonly answer?: (
    now: Instant,
    node: string,
    question: Question,
  ) => { afterMs: number; answer: Answer };
  readonly onEvent?: (event: SimulatedEvent) => void;
  /** The same without a copy for each, where there are very many of them. */
  readonly onReport?: (now: Instant, node: string, event: TraceEvent) => void;
  /** Shown each SIP message sent and received; costs nothing when absent. */
  readonly onMessage?: (message: SimulatedMessage) => void;
  /** Told of each flow that a process loses, before the process is. */
  readonly onLost?: (node: string, peer: Peer, cause: LossCause) => void;
  readonly onLeft?: (peer: Peer) => void;
  /** Called after each step: invariants look here. */
  readonly onStep?: (now: Instant) => void;
}

/** Streams of chance of one seed. */
const OWN_CHANCE = 1;
const NETWORK_CHANCE = 2;

/** Virtual time and all that happens in it, from one seed. */
export class Simulation implements Surroundings {
  readonly prng: Prng;
  readonly network: Network;
  readonly queue: EventQueue = new EventQueue();
  readonly options: SimulationOptions;
  /** Over every event and every packet. */
  readonly trace: TraceHash = new TraceHash();
  readonly #hosts = new Map<string, SimulatedHost>();
  /** Which host owns an address. */
  readonly #addresses = new Map<string, SimulatedHost>();
  /** Hosts with more addresses than are listed. */
  readonly #blocks: SimulatedHost[] = [];
  now: Instant = 0;
  /** Steps carried out so far. */
  steps = 0;
  /** Protocol events so far: packets delivered to a process, and timers that rang in one. */
  events = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.prng = new Prng(options.seed, OWN_CHANCE);
    this.network = new Network(new Prng(options.seed, NETWORK_CHANCE), options.network);
  }

  get hosts(): Iterable<SimulatedHost> {
    return this.#hosts.values();
  }

  /**
   * Starts a process on a host of its own.
   * @throws RangeError when the name or an address is taken.
   */
  addHost(name: string, addresses: HostAddresses, machine: Machine): SimulatedHost {
    if (this.#hosts.has(name)) throw new RangeError(`there is a host ${name} already`);
    const host = new SimulatedHost(this, name, addresses, machine);
    this.#hosts.set(name, host);
    if (isBlock(addresses)) {
      this.#blocks.push(host);
      return host;
    }
    for (const address of addresses) {
      if (this.#addresses.has(address)) throw new RangeError(`${address} is taken`);
      this.#addresses.set(address, host);
    }
    return host;
  }

  /** @throws RangeError when there is none of that name. */
  host(name: string): SimulatedHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`no host ${name}`);
    return host;
  }

  hostAt(address: string): SimulatedHost | undefined {
    const known = this.#addresses.get(address);
    if (known !== undefined) return known;
    return this.#blocks.find((host) => includes(host.addresses, address));
  }

  answer(node: string, question: Question): { afterMs: number; answer: Answer } {
    const answering = this.options.answer;
    if (answering !== undefined) return answering(this.now, node, question);
    const why = "nobody answers questions here";
    return question.kind === "dns"
      ? { afterMs: 0, answer: { kind: "silent", why } }
      : { afterMs: 0, answer: { kind: "unavailable", why } };
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
    this.trace.addInstant(this.now);
    this.trace.addText(node);
    for (const name in event) {
      this.trace.addText(name);
      this.trace.addField(event[name]);
    }
    const { onEvent, onReport } = this.options;
    onReport?.(this.now, node, event);
    onEvent?.({ ...event, at: this.now, node });
  }

  rang(): void {
    this.events += 1;
  }

  lost(node: string, peer: Peer, cause: LossCause): void {
    this.options.onLost?.(node, peer, cause);
  }

  left(peer: Peer): void {
    this.options.onLeft?.(peer);
  }

  carried(node: string, direction: "in" | "out", peer: Peer, bytes: Uint8Array): void {
    this.trace.addInstant(this.now);
    this.trace.addText(node);
    if (direction === "out") this.trace.addBytes(bytes);
    else this.events += 1;
    const { onMessage } = this.options;
    if (onMessage === undefined || peer.transport === "rtp") return;
    onMessage({ at: this.now, node, direction, peer, bytes });
  }
}
