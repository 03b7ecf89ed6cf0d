/** One process on one machine of the simulated network: the World of its Machine. */
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
import { packetOf } from "../../core/network-rules.ts";
import type { Question, TraceEvent } from "../../core/vocabulary.ts";
import { type HostAddresses, includes } from "./addresses.ts";
import { SimulatedFlow } from "./bound-port.ts";
import { HELD_LIMIT, IDLE_MS } from "./limits.ts";
import { Holdings, isDatagram, isUnspecified, turned } from "./simulated-flow.ts";
import { handshakeOf, StreamEnd, type StreamHost } from "./simulated-stream.ts";
import type {
  DatagramEnd,
  Handshake,
  HandshakeStep,
  RemoteEnd,
  RemoteHost,
  Surroundings,
} from "./surroundings.ts";
import { type Labour, Workbench } from "./workbench.ts";

type Fact = (machine: Machine, now: Instant) => unknown;

/** It can be killed (its ports close, its peers are told), frozen (all stands still, packets wait) and started anew. */
export class SimulatedHost implements World, RemoteHost, StreamHost {
  readonly name: string;
  readonly addresses: HostAddresses;
  /** Whom its certificate is for; undefined: whoever is asked for. */
  identities: readonly string[] | undefined;
  readonly #simulation: Surroundings;
  #machine: Machine;
  #state: "up" | "frozen" | "down" = "up";
  /** Rises with each death: what belonged to an earlier life is void. */
  #life = 0;
  #holdings = new Holdings();
  /** Connections that have arrived and are in the middle of their handshakes: the machine knows nothing of them. */
  readonly #greeting = new Set<StreamEnd>();
  #lastArrived: FlowId = 0;
  #wakeAt: Instant = NEVER;
  /** What waits for a frozen process. */
  #held: Fact[] = [];
  #heldDatagrams = 0;
  #sweeping = false;
  /** Undefined: work takes no time. */
  #bench: Workbench<Fact> | undefined;

  constructor(simulation: Surroundings, name: string, addresses: HostAddresses, machine: Machine) {
    this.#simulation = simulation;
    this.name = name;
    this.addresses = addresses;
    this.#machine = machine;
  }

  get state(): "up" | "frozen" | "down" {
    return this.#state;
  }

  /** Flows and bound ports that the process holds (invariant I8). */
  get holdings(): number {
    return this.#holdings.size;
  }

  /** Its ends of connections. */
  get streams(): readonly StreamEnd[] {
    return [...this.#holdings.streams.values()].flatMap(({ stream }) => stream ?? []);
  }

  /** Lets the outside speak to the machine, and carries out what it then intends. */
  run(action: (now: Instant) => void): void {
    this.#tell((_machine, now) => action(now));
  }

  /** From now on, and until this process dies, its work takes time. */
  labours(labour: Labour): void {
    const simulation = this.#simulation;
    this.#bench = new Workbench<Fact>(labour, {
      get now() {
        return simulation.now;
      },
      after: (delayMs, deed) => simulation.after(delayMs, deed),
      work: (fact) => {
        if (this.#state === "frozen") this.#held.push(fact);
        else if (this.#state === "up") this.#act(fact);
      },
      settle: () => this.#settle(),
    });
  }

  /** A question was answered without being asked of the world (see Ready): it has cost as much. */
  answeredAtOnce(): void {
    this.#bench?.question();
  }

  /** SIGKILL: ports close at once; peers of streams are reset, datagram peers get ICMP when they next send. */
  kill(): void {
    if (this.#state === "down") return;
    this.#state = "down";
    this.#life += 1;
    const { streams } = this.#holdings;
    this.#holdings.end();
    this.#holdings = new Holdings();
    this.#lastArrived = 0;
    this.#greeting.clear();
    for (const { stream } of streams.values()) stream?.end("reset");
    this.#held = [];
    this.#heldDatagrams = 0;
    this.#wakeAt = NEVER;
    this.#sweeping = false;
    this.#bench?.clear();
    this.#bench = undefined;
  }

  freeze(): void {
    if (this.#state === "up") this.#state = "frozen";
  }

  /** What has arrived meanwhile is read before the clock is looked at. */
  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "up";
    const held = this.#held;
    this.#held = [];
    this.#heldDatagrams = 0;
    for (const fact of held) {
      fact(this.#machine, this.#simulation.now);
      this.#machine.deliver(this);
    }
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
    const ours = isUnspecified(local.address) || includes(this.addresses, local.address);
    const bound = ours ? this.#holdings.bind(flow, local) : undefined;
    if (bound !== undefined) {
      this.#later(0, (machine, now) => {
        if (this.#holdings.boundAs(flow) === bound) machine.bound(now, flow, bound);
      });
    } else this.#later(0, (machine, now) => machine.lost(now, flow, ours ? "in-use" : "denied"));
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    const peer = this.#holdings.peerFor(this.addresses, target, opening);
    if (isDatagram(target.transport)) {
      const made = this.#add(flow, peer, opening.connected, undefined);
      this.#later(0, (machine, now) => {
        if (this.#holdings.flow(flow) === made) machine.opened(now, flow, made.peer);
      });
    } else {
      const end = new StreamEnd(this.#simulation, this, flow, peer);
      this.#add(flow, peer, false, end);
      end.connect(target.domain);
    }
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const from = this.#holdings.flow(flow);
    if (from === undefined) return;
    this.#bench?.packet();
    this.#simulation.carried(this.name, "out", from.peer, bytes);
    if (from.stream === undefined) this.#sendDatagram(from, bytes);
    else from.stream.send(bytes);
  }

  close(flow: FlowId): void {
    if (this.#holdings.boundAs(flow) !== undefined) this.#closeBound(flow);
    const open = this.#holdings.flow(flow);
    if (open === undefined) return;
    this.#holdings.remove(open);
    open.stream?.end("closed");
  }

  ask(asked: number, question: Question): void {
    this.#bench?.question();
    const { afterMs, answer } = this.#simulation.answer(this.name, question);
    this.#later(afterMs, (machine, now) => machine.answered(now, asked, answer));
  }

  report(event: TraceEvent): void {
    this.#simulation.reported(this.name, event);
  }

  // Datagrams.

  #sendDatagram(from: SimulatedFlow, bytes: Uint8Array): void {
    const { network, now } = this.#simulation;
    from.usedAt = Math.floor(now);
    if (network.plain) {
      this.#deliverAfter(network.latencyMs(), from, bytes);
      return;
    }
    const { rejected, delaysMs } = network.fate(now, packetOf(from.peer, bytes.length));
    if (rejected !== undefined) this.#icmp(from, 2 * network.latencyMs(), this.#life, rejected);
    for (const delay of delaysMs) this.#deliverAfter(delay, from, bytes);
  }

  #deliverAfter(delay: number, from: SimulatedFlow, bytes: Uint8Array): void {
    const life = this.#life;
    this.#simulation.after(delay, () => {
      from.remote ??= this.#simulation.hostAt(from.address);
      if (from.remote?.datagramArrived(from, bytes)) return;
      this.#icmp(from, this.#simulation.network.latencyMs(), life, "refused");
    });
  }

  datagramArrived(sender: DatagramEnd, bytes: Uint8Array): boolean {
    if (this.#state === "down") return false;
    if (this.#state === "up" && this.#bench === undefined) {
      const heard = this.#hear(this.#machine, this.#simulation.now, sender, bytes);
      if (heard) this.#settle();
      return heard;
    }
    const bound = this.#holdings.listener(sender);
    if (bound === undefined && this.#holdings.hearer(sender) === undefined) return false;
    if (this.#state === "frozen") {
      this.#heldDatagrams += 1;
      if (this.#heldDatagrams > HELD_LIMIT) return true;
    }
    if (this.#bench?.full === true) return true;
    this.#tell((machine, now) => this.#hear(machine, now, sender, bytes));
    return true;
  }

  /** Who hears it is looked up when it is read: what waited before it may have made or ended a flow. */
  #hear(machine: Machine, now: Instant, sender: DatagramEnd, bytes: Uint8Array): boolean {
    const flow = this.#holdings.hearer(sender) ?? this.#arrived(machine, now, sender);
    if (flow === undefined) return false;
    flow.usedAt = Math.floor(now);
    this.#bench?.packet();
    this.#simulation.carried(this.name, "in", flow.peer, bytes);
    machine.received(now, flow.id, bytes);
    return true;
  }

  #arrived(machine: Machine, now: Instant, sender: Peer): SimulatedFlow | undefined {
    const bound = this.#holdings.listener(sender);
    if (bound === undefined) return undefined;
    this.#lastArrived -= 1;
    const flow = this.#add(this.#lastArrived, turned(sender, bound.flow), false, undefined);
    this.#sweepLater();
    machine.opened(now, flow.id, flow.peer);
    return flow;
  }

  #icmp(from: SimulatedFlow, delay: number, life: number, cause: LossCause): void {
    if (!from.connected || life !== this.#life) return;
    this.#later(delay, (machine, now) => this.#lose(machine, now, from, cause));
  }

  #sweepLater(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#later(IDLE_MS / 4, (machine, now) => {
      this.#sweeping = false;
      let left = false;
      for (const flow of this.#holdings.datagrams.values()) {
        if (flow.id > 0) continue;
        if (now - flow.usedAt >= IDLE_MS) this.#lose(machine, now, flow, "idle");
        else left = true;
      }
      if (left) this.#sweepLater();
    });
  }

  /** Flows through the bound port end with it; connected ones and streams go on. */
  #closeBound(bound: FlowId): void {
    const flows = [...(this.#holdings.boundAs(bound)?.peers() ?? [])];
    this.#holdings.unbind(bound);
    for (const flow of flows) {
      if (flow.connected) continue;
      this.#later(0, (machine, now) => this.#lose(machine, now, flow, "closed"));
    }
  }

  // Streams.

  streamArrived(from: RemoteEnd): RemoteEnd | undefined {
    const bound = this.#holdings.listener(from.peer);
    if (this.#state === "down" || bound === undefined) return undefined;
    this.#lastArrived -= 1;
    const peer = turned(from.peer, bound.flow);
    const end = new StreamEnd(this.#simulation, this, this.#lastArrived, peer);
    end.accept(from);
    this.#add(end.flow, peer, false, end);
    if (handshakeOf(peer.transport).length > 0) this.#greeting.add(end);
    else this.admitted(end);
    return end;
  }

  shakes(_end: StreamEnd, step: HandshakeStep, name: string | undefined): Handshake {
    if (this.#state === "frozen") return "mute";
    const trusted = name === undefined || this.identities?.includes(name) !== false;
    return step === "tls" && !trusted ? "distrusted" : "done";
  }

  admitted(end: StreamEnd): void {
    this.#greeting.delete(end);
    this.connected(end);
  }

  connected(end: StreamEnd): void {
    this.#tellOf(end, (machine, now) => machine.opened(now, end.flow, end.peer));
  }

  heard(end: StreamEnd, bytes: Uint8Array): void {
    this.#tellOf(end, (machine, now) => {
      this.#bench?.packet();
      this.#simulation.carried(this.name, "in", end.peer, bytes);
      machine.received(now, end.flow, bytes);
    });
  }

  broken(end: StreamEnd, cause: LossCause): void {
    const flow = this.#holdings.flow(end.flow);
    if (flow?.stream !== end) return;
    if (this.#greeting.delete(end)) this.#holdings.remove(flow);
    else this.#tell((machine, now) => this.#lose(machine, now, flow, cause));
  }

  #tellOf(end: StreamEnd, fact: Fact): void {
    this.#tell((machine, now) => {
      if (this.#holdings.flow(end.flow)?.stream === end) fact(machine, now);
    });
  }

  // Facts.

  #later(delay: number, fact: Fact): void {
    const life = this.#life;
    this.#simulation.after(delay, () => {
      if (life === this.#life) this.#tell(fact);
    });
  }

  #tell(fact: Fact): void {
    if (this.#state === "down") return;
    if (this.#state === "frozen") {
      this.#held.push(fact);
      return;
    }
    if (this.#bench === undefined) this.#act(fact);
    else this.#bench.take(fact);
  }

  #act(fact: Fact): void {
    fact(this.#machine, this.#simulation.now);
    this.#settle();
  }

  /** Carries out what the machine intends, and sees to it that it is woken at its deadline. */
  #settle(): void {
    this.#machine.deliver(this);
    const deadline = this.#machine.deadline;
    if (deadline >= this.#wakeAt) return;
    this.#wakeAt = deadline;
    const life = this.#life;
    this.#simulation.queue.put(Math.max(deadline, this.#simulation.now), () => {
      if (life !== this.#life || this.#wakeAt !== deadline) return;
      this.#wakeAt = NEVER;
      if (this.#state !== "up") return;
      if (this.#machine.deadline <= this.#simulation.now) this.#simulation.rang();
      this.#tell(elapsed);
    });
  }

  #add(id: FlowId, peer: Peer, connected: boolean, stream: StreamEnd | undefined): SimulatedFlow {
    const flow = new SimulatedFlow(id, peer, connected, stream, Math.floor(this.#simulation.now));
    this.#holdings.add(flow);
    return flow;
  }

  #lose(machine: Machine, now: Instant, flow: SimulatedFlow, cause: LossCause): void {
    if (this.#holdings.flow(flow.id) !== flow) return;
    this.#holdings.remove(flow);
    this.#simulation.lost(this.name, flow.peer, cause);
    machine.lost(now, flow.id, cause);
  }
}

/** Alarms ring late after a freeze, and early ones ring for nothing. */
function elapsed(machine: Machine, now: Instant): void {
  if (machine.deadline <= now) machine.elapsed(now);
}
