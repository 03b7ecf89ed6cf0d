/** A server of the matrix as a simulated process. It reads whole messages: nobody cuts them in this world. */
import {
  type FlowId,
  type Instant,
  type Machine,
  NEVER,
  type World,
} from "../../../core/machine.ts";
import { Outbox } from "../../../core/outbox.ts";
import { latin1Bytes, latin1Text } from "../../../worlds/sim/pure-bytes.ts";
import type { MatrixTransport } from "./axes.ts";
import { MatrixPeer } from "./peer.ts";

const LISTENER: FlowId = 1;

interface Later {
  readonly due: Instant;
  readonly flow: FlowId;
  readonly text: string;
}

export class SimulatedServer implements Machine {
  readonly peer: MatrixPeer;
  readonly #outbox = new Outbox();
  readonly #connections = new Set<FlowId>();
  #later: Later[] = [];

  constructor(address: string, port: number, transport: MatrixTransport) {
    this.peer = new MatrixPeer(address, port, transport);
    this.#outbox.bind(LISTENER, { transport, address, port });
  }

  /** Ends every connection in order; datagrams know none. */
  hangUp(): void {
    for (const flow of this.#connections) this.#outbox.close(flow);
    this.#connections.clear();
  }

  bound(): void {}

  opened(_now: Instant, flow: FlowId): void {
    this.#connections.add(flow);
  }

  lost(_now: Instant, flow: FlowId): void {
    this.#connections.delete(flow);
  }

  answered(): void {}

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    for (const { afterMs, text } of this.peer.heard(latin1Text(bytes))) {
      this.#later.push({ due: now + afterMs, flow, text });
    }
    this.elapsed(now);
  }

  elapsed(now: Instant): void {
    const due = this.#later.filter((one) => one.due <= now);
    this.#later = this.#later.filter((one) => one.due > now);
    for (const { flow, text } of due) this.#outbox.send(flow, latin1Bytes(text));
  }

  get deadline(): Instant {
    return this.#later.reduce((least, one) => Math.min(least, one.due), NEVER);
  }

  deliver(world: World): void {
    this.#outbox.deliver(world);
  }
}
