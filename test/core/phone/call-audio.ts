/** The world of one end of a call as far as audio goes: ports, flows, and datagrams that take 5 ms to the other end. */
import assert from "node:assert/strict";
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Opening,
  Target,
  World,
} from "../../../src/core/machine.ts";
import type { MediaUser } from "../../../src/core/transaction/user.ts";

/** Virtual time, as the bench keeps it. */
export interface Clock {
  readonly now: Instant;
  later(act: () => void, ms?: number): void;
}

interface AudioFlow {
  readonly listener: FlowId;
  readonly localPort: number;
  readonly address: string;
  readonly port: number;
}

export class AudioWorld implements World {
  /** Nothing that is sent here arrives. */
  deaf = false;
  /** No port can be had. */
  full = false;
  readonly #clock: Clock;
  readonly #address: string;
  readonly #other: () => AudioWorld;
  readonly #users = new Map<FlowId, MediaUser>();
  readonly #listeners = new Map<number, FlowId>();
  readonly #flows = new Map<FlowId, AudioFlow>();
  #lastFlow = 0;
  #lastArrived = 0;

  constructor(clock: Clock, address: string, other: () => AudioWorld) {
    this.#clock = clock;
    this.#address = address;
    this.#other = other;
  }

  /** Users, ports and flows in use: 0 when all calls are over (I8). */
  get size(): number {
    return this.#users.size + this.#listeners.size + this.#flows.size;
  }

  get ports(): readonly number[] {
    return [...this.#listeners.keys()];
  }

  nextFlow(): FlowId {
    this.#lastFlow += 1;
    return this.#lastFlow;
  }

  media(flow: FlowId, user: MediaUser | undefined): void {
    if (user === undefined) this.#users.delete(flow);
    else this.#users.set(flow, user);
  }

  bind(flow: FlowId, local: Local): void {
    this.#clock.later(() => {
      const user = this.#users.get(flow);
      const port = 4000 + flow;
      if (user === undefined) return;
      if (this.full) {
        user.lost(this.#clock.now, flow, "in-use");
        return;
      }
      this.#listeners.set(port, flow);
      user.bound(this.#clock.now, flow, { ...local, port });
    }, 0);
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    const localPort = 4000 + opening.from;
    const { address, port } = target;
    this.#flows.set(flow, { listener: opening.from, localPort, address, port });
  }

  close(flow: FlowId): void {
    this.#flows.delete(flow);
    for (const [port, listener] of this.#listeners) {
      if (listener === flow) this.#listeners.delete(port);
    }
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const from = this.#flows.get(flow);
    assert.ok(from, `flow ${flow} is not open`);
    this.#clock.later(() => this.#other().hear(this.#address, from.localPort, from.port, bytes));
  }

  ask(): void {
    assert.fail("calls ask nothing");
  }

  report(): void {
    assert.fail("calls report through their environment");
  }

  /** A datagram reaches a port of this end. */
  hear(address: string, port: number, localPort: number, bytes: Uint8Array): void {
    const listener = this.#listeners.get(localPort);
    if (listener === undefined || this.deaf) return;
    const { now } = this.#clock;
    for (const [flow, known] of this.#flows) {
      if (known.listener === listener && known.address === address && known.port === port) {
        this.#users.get(flow)?.received(now, flow, bytes);
        return;
      }
    }
    this.#lastArrived -= 1;
    const flow = this.#lastArrived;
    const user = this.#users.get(listener);
    this.#flows.set(flow, { listener, localPort, address, port });
    if (user === undefined) return;
    this.#users.set(flow, user);
    const localAddress = this.#address;
    user.opened(now, flow, { transport: "rtp", address, port, localAddress, localPort, listener });
    this.#users.get(flow)?.received(now, flow, bytes);
  }

  /** Every flow to a peer is gone. */
  loseFlows(cause: LossCause): void {
    for (const flow of [...this.#flows.keys()]) {
      const user = this.#users.get(flow);
      this.#flows.delete(flow);
      this.#users.delete(flow);
      user?.lost(this.#clock.now, flow, cause);
    }
  }
}
