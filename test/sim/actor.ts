/** A machine for tests of the world: it notes every fact with its instant, and intends what the test tells it to. */
import {
  type FlowId,
  type Instant,
  type Local,
  type LossCause,
  type Machine,
  NEVER,
  type Peer,
  type World,
} from "../../src/core/machine.ts";
import { Outbox } from "../../src/core/outbox.ts";
import type { Answer } from "../../src/core/vocabulary.ts";
import type { SimulatedHost } from "../../src/worlds/sim/simulated-host.ts";
import type { Simulation } from "../../src/worlds/sim/simulation.ts";

export class Actor implements Machine {
  /** `12.5 received -1 hello`, instants in milliseconds. */
  readonly log: string[] = [];
  readonly peers: Map<FlowId, Peer> = new Map();
  /** Sends back whatever arrives. */
  echoes = false;
  deadline: Instant = NEVER;
  readonly #outbox = new Outbox();

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.#note(now, `bound ${flow} ${local.address}:${local.port}`);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.peers.set(flow, peer);
    const ends = `${peer.localAddress}:${peer.localPort} ${peer.address}:${peer.port}`;
    this.#note(now, `opened ${flow} ${ends} of ${peer.listener}`);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.#note(now, `received ${flow} ${Buffer.from(bytes).toString("latin1")}`);
    if (this.echoes) this.#outbox.send(flow, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.#note(now, `lost ${flow} ${cause}`);
  }

  answered(now: Instant, asked: number, answer: Answer): void {
    this.#note(now, `answered ${asked} ${answer.kind}`);
  }

  elapsed(now: Instant): void {
    this.deadline = NEVER;
    this.#note(now, "elapsed");
  }

  deliver(world: World): void {
    this.#outbox.deliver(world);
  }

  intend(intention: (world: World) => void): void {
    intention(this.#outbox);
  }

  #note(now: Instant, what: string): void {
    this.log.push(`${Math.round(now * 10) / 10} ${what}`);
  }
}

/** An Actor with its host. */
export class Node {
  readonly actor: Actor;
  readonly host: SimulatedHost;

  constructor(simulation: Simulation, name: string, ...addresses: string[]) {
    this.actor = new Actor();
    this.host = simulation.addHost(name, addresses, this.actor);
  }

  do(intention: (world: World) => void): void {
    this.host.run(() => this.actor.intend(intention));
  }

  say(flow: FlowId, text: string): void {
    this.do((world) => world.send(flow, Buffer.from(text, "latin1")));
  }

  /** What was noted since the last call. */
  take(): string[] {
    return this.actor.log.splice(0);
  }
}
