/**
 * One process on one machine of the simulated network: the World of its Machine. It can be killed (its
 * ports close, its peers are told), frozen (all stands still, packets wait) and started anew.
 */
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
  type World,
} from "../../core/machine.ts";
import type { Question, TraceEvent } from "../../core/vocabulary.ts";
import { latin1Text } from "./pure-bytes.ts";
import {
  type BoundPort,
  EMPTY,
  isDatagram,
  keyOf,
  packetOf,
  pairKey,
  portKey,
  type SimulatedFlow,
  turned,
} from "./simulated-flow.ts";
import type { RemoteHost, StreamEnd, Surroundings } from "./surroundings.ts";

type Fact = (machine: Machine, now: Instant) => void;

/** How long a connection is tried before it has failed, milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;
/** How long a stream's bytes are resent into silence before the connection is given up, milliseconds. */
const STREAM_PATIENCE_MS = 20_000;
const STREAM_RESEND_MS = 500;
/** Packets that the buffers of a frozen process take; more are lost. */
const HELD_LIMIT = 2000;
const FIRST_EPHEMERAL_PORT = 32_768;

export class SimulatedHost implements World, RemoteHost {
  readonly name: string;
  readonly #simulation: Surroundings;
  #machine: Machine;
  #state: "up" | "frozen" | "down" = "up";
  /** Rises with each restart: what belonged to an earlier life is void. */
  #life = 0;
  #bound = new Map<string, BoundPort>();
  #boundFlows = new Map<FlowId, BoundPort>();
  #flows = new Map<FlowId, SimulatedFlow>();
  /** Datagram pairs and streams by `local|remote`. */
  #pairs = new Map<string, SimulatedFlow>();
  #lastArrived: FlowId = 0;
  #lastPort = FIRST_EPHEMERAL_PORT;
  #wakeAt: Instant = NEVER;
  /** What waits for a frozen process. */
  #held: Fact[] = [];

  constructor(simulation: Surroundings, name: string, machine: Machine) {
    this.#simulation = simulation;
    this.name = name;
    this.#machine = machine;
  }

  get state(): "up" | "frozen" | "down" {
    return this.#state;
  }

  /** Flows and bound ports that the process holds (invariant I8). */
  get holdings(): number {
    return this.#flows.size + this.#boundFlows.size;
  }

  /** Lets the outside speak to the machine, and carries out what it then intends. */
  run(action: (now: Instant) => void): void {
    this.#tell((_machine, now) => action(now));
  }

  /** SIGKILL: ports close at once; peers of streams are reset, datagram peers get ICMP when they next send. */
  kill(): void {
    if (this.#state === "down") return;
    this.#state = "down";
    this.#life += 1;
    for (const flow of this.#flows.values()) this.#endRemote(flow, "reset");
    this.#forgetAll();
  }

  freeze(): void {
    if (this.#state === "up") this.#state = "frozen";
  }

  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "up";
    const held = this.#held;
    this.#held = [];
    for (const fact of held) this.#tell(fact);
    this.#settle();
  }

  /** Starts a new process on this host. */
  restart(machine: Machine): void {
    this.kill();
    this.#machine = machine;
    this.#state = "up";
  }

  // What the machine intends.

  bind(flow: FlowId, local: Local): void {
    const port = local.port === 0 ? this.#freePort(local) : local.port;
    const bound: BoundPort = { flow, local: { ...local, port } };
    const key = portKey(local.transport, local.address, port);
    if (this.#bound.has(key)) {
      this.#later(0, (machine, now) => machine.lost(now, flow, "in-use"));
      return;
    }
    this.#bound.set(key, bound);
    this.#boundFlows.set(flow, bound);
    this.#later(0, (machine, now) => machine.bound(now, flow, bound.local));
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    const from = this.#boundFlows.get(opening.from);
    const localAddress = from?.local.address ?? this.#anyAddress();
    const localPort = from?.local.port ?? this.#nextPort();
    const peer: Peer = {
      transport: target.transport,
      address: target.address,
      port: target.port,
      localAddress,
      localPort,
      listener: opening.from,
    };
    const made = this.#add(flow, peer, opening.connected);
    if (isDatagram(peer)) {
      this.#later(0, (machine, now) => machine.opened(now, flow, peer));
      return;
    }
    this.#connect(made, this.#simulation.now + CONNECT_TIMEOUT_MS);
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const from = this.#flows.get(flow);
    if (from === undefined) return;
    this.#show(from.peer, "out", bytes);
    if (isDatagram(from.peer)) this.#sendDatagram(from, bytes);
    else this.#sendStream(from, bytes, this.#simulation.now + STREAM_PATIENCE_MS);
  }

  close(flow: FlowId): void {
    const bound = this.#boundFlows.get(flow);
    if (bound !== undefined) {
      this.#boundFlows.delete(flow);
      this.#bound.delete(portKey(bound.local.transport, bound.local.address, bound.local.port));
      for (const held of [...this.#flows.values()]) {
        if (held.id < 0 && held.peer.listener === flow && isDatagram(held.peer)) this.#remove(held);
      }
    }
    const open = this.#flows.get(flow);
    if (open === undefined) return;
    this.#endRemote(open, "closed");
    this.#remove(open);
  }

  ask(asked: number, question: Question): void {
    const { afterMs, answer } = this.#simulation.answer(question);
    this.#later(afterMs, (machine, now) => machine.answered(now, asked, answer));
  }

  report(event: TraceEvent): void {
    this.#simulation.reported(this.name, event);
  }

  // Datagrams.

  #sendDatagram(from: SimulatedFlow, bytes: Uint8Array): void {
    const { network, now } = this.#simulation;
    const fate = network.fate(now, packetOf(from.peer, bytes));
    if (fate.rejected) this.#icmp(from, network.latencyMs());
    for (const delay of fate.delaysMs) {
      this.#simulation.after(delay, () => {
        const host = this.#simulation.hostAt(from.peer.address);
        if (host?.datagramArrived(from.peer, bytes) !== true) this.#icmp(from, network.latencyMs());
      });
    }
  }

  datagramArrived(sender: Peer, bytes: Uint8Array): boolean {
    const pair = this.#pairs.get(
      pairKey(sender.transport, sender.address, sender.port, sender.localAddress, sender.localPort),
    );
    const bound = this.#listenerFor(sender);
    if (this.#state === "down" || (pair === undefined && bound === undefined)) return false;
    this.#tell((machine, now) => {
      const flow = pair ?? this.#arrived(machine, now, sender, (bound as BoundPort).flow);
      this.#show(flow.peer, "in", bytes);
      machine.received(now, flow.id, bytes);
    });
    return true;
  }

  #icmp(from: SimulatedFlow, delay: number): void {
    if (!from.connected) return;
    this.#later(delay, (machine, now) => {
      if (this.#flows.get(from.id) !== from) return;
      this.#remove(from);
      machine.lost(now, from.id, "refused");
    });
  }

  // Streams.

  #connect(flow: SimulatedFlow, deadline: Instant): void {
    const { network, now } = this.#simulation;
    const verdict = network.judge(now, packetOf(flow.peer, EMPTY));
    if (verdict.kind === "drop") {
      this.#later(Math.max(0, deadline - now), (machine, at) =>
        this.#loseFlow(machine, at, flow, "timeout"),
      );
      return;
    }
    const trip = network.latencyMs() + (verdict.kind === "delay" ? verdict.ms : 0);
    if (verdict.kind === "reject") {
      this.#later(2 * trip, (machine, at) => this.#loseFlow(machine, at, flow, "refused"));
      return;
    }
    this.#simulation.after(trip, () => {
      const host = this.#simulation.hostAt(flow.peer.address);
      flow.remote = host?.streamArrived({ host: this, flow: flow.id }, flow.peer);
      this.#later(trip, (machine, at) => {
        if (this.#flows.get(flow.id) !== flow) return;
        if (flow.remote !== undefined) machine.opened(at, flow.id, flow.peer);
        else this.#loseFlow(machine, at, flow, "refused");
      });
    });
  }

  streamArrived(from: StreamEnd, peer: Peer): StreamEnd | undefined {
    const bound = this.#listenerFor(peer);
    if (this.#state === "down" || bound === undefined) return undefined;
    this.#lastArrived -= 1;
    const ours = this.#add(this.#lastArrived, turned(peer, bound.flow), false);
    ours.remote = from;
    this.#tell((machine, now) => machine.opened(now, ours.id, ours.peer));
    return { host: this, flow: ours.id };
  }

  /** Lost bytes are resent until they arrive; a path that stays cut ends the connection on both sides. */
  #sendStream(from: SimulatedFlow, bytes: Uint8Array, deadline: Instant): void {
    const { network, now } = this.#simulation;
    const verdict = network.judge(now, packetOf(from.peer, bytes));
    if (verdict.kind === "drop") {
      if (now >= deadline) {
        this.#later(0, (machine, at) => this.#loseFlow(machine, at, from, "timeout"));
      } else {
        this.#simulation.after(STREAM_RESEND_MS, () => this.#sendStream(from, bytes, deadline));
      }
      return;
    }
    const delay = network.latencyMs() + (verdict.kind === "delay" ? verdict.ms : 0);
    from.arrivesAfter = Math.max(from.arrivesAfter, now + delay);
    this.#simulation.queue.put(from.arrivesAfter, () => {
      const remote = from.remote;
      if (remote !== undefined) remote.host.streamBytes(remote.flow, bytes);
    });
  }

  streamBytes(flow: FlowId, bytes: Uint8Array): void {
    const open = this.#flows.get(flow);
    if (open === undefined) return;
    this.#tell((machine, now) => {
      if (this.#flows.get(flow) !== open) return;
      this.#show(open.peer, "in", bytes);
      machine.received(now, flow, bytes);
    });
  }

  #endRemote(flow: SimulatedFlow, cause: LossCause): void {
    const remote = flow.remote;
    if (remote === undefined) return;
    flow.remote = undefined;
    this.#simulation.after(this.#simulation.network.latencyMs(), () =>
      remote.host.ended(remote.flow, cause),
    );
  }

  /** The other end is gone. */
  ended(flow: FlowId, cause: LossCause): void {
    const open = this.#flows.get(flow);
    if (open === undefined) return;
    open.remote = undefined;
    this.#tell((machine, now) => this.#loseFlow(machine, now, open, cause));
  }

  #loseFlow(machine: Machine, now: Instant, flow: SimulatedFlow, cause: LossCause): void {
    if (this.#flows.get(flow.id) !== flow) return;
    this.#endRemote(flow, "reset");
    this.#remove(flow);
    machine.lost(now, flow.id, cause);
  }

  // Facts.

  /** The bound port that a packet to `peer` reaches. */
  #listenerFor(peer: Peer): BoundPort | undefined {
    const { transport, address, port } = peer;
    return (
      this.#bound.get(portKey(transport, address, port)) ??
      this.#bound.get(portKey(transport, "0.0.0.0", port))
    );
  }

  #arrived(machine: Machine, now: Instant, sender: Peer, listener: FlowId): SimulatedFlow {
    this.#lastArrived -= 1;
    const flow = this.#add(this.#lastArrived, turned(sender, listener), false);
    machine.opened(now, flow.id, flow.peer);
    return flow;
  }

  #later(delay: number, fact: Fact): void {
    const life = this.#life;
    this.#simulation.after(delay, () => {
      if (life === this.#life) this.#tell(fact);
    });
  }

  #tell(fact: Fact): void {
    if (this.#state === "down") return;
    if (this.#state === "frozen") {
      if (this.#held.length < HELD_LIMIT) this.#held.push(fact);
      return;
    }
    fact(this.#machine, this.#simulation.now);
    this.#settle();
  }

  /** Carries out what the machine intends, and sees to it that it is woken at its deadline. */
  #settle(): void {
    this.#machine.deliver(this);
    const deadline = this.#machine.deadline;
    if (deadline >= this.#wakeAt || deadline === NEVER) return;
    this.#wakeAt = deadline;
    const life = this.#life;
    this.#simulation.queue.put(Math.max(deadline, this.#simulation.now), () => {
      if (life !== this.#life || this.#wakeAt !== deadline) return;
      this.#wakeAt = NEVER;
      this.#tell((machine, now) => machine.elapsed(now));
    });
  }

  #show(peer: Peer, direction: "in" | "out", bytes: Uint8Array): void {
    const { onMessage } = this.#simulation;
    if (onMessage === undefined || peer.transport === "rtp") return;
    onMessage({
      at: this.#simulation.now,
      node: this.name,
      direction,
      transport: peer.transport,
      local: `${peer.localAddress}:${peer.localPort}`,
      remote: `${peer.address}:${peer.port}`,
      text: latin1Text(bytes),
    });
  }

  // Ports and flows.

  #add(id: FlowId, peer: Peer, connected: boolean): SimulatedFlow {
    const flow: SimulatedFlow = { id, peer, connected, remote: undefined, arrivesAfter: 0 };
    this.#flows.set(id, flow);
    if (isDatagram(peer)) this.#pairs.set(keyOf(peer), flow);
    return flow;
  }

  #remove(flow: SimulatedFlow): void {
    this.#flows.delete(flow.id);
    if (this.#pairs.get(keyOf(flow.peer)) === flow) this.#pairs.delete(keyOf(flow.peer));
  }

  #forgetAll(): void {
    this.#bound = new Map();
    this.#boundFlows = new Map();
    this.#flows = new Map();
    this.#pairs = new Map();
    this.#held = [];
    this.#wakeAt = NEVER;
  }

  #anyAddress(): string {
    const [first] = this.#boundFlows.values();
    return first?.local.address ?? "127.0.0.1";
  }

  #nextPort(): number {
    this.#lastPort += 1;
    return this.#lastPort;
  }

  #freePort(local: Local): number {
    let port = this.#nextPort();
    while (this.#bound.has(portKey(local.transport, local.address, port))) port = this.#nextPort();
    return port;
  }
}
