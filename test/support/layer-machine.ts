/** A transaction layer as a machine of its own, for whoever is nothing but a user of it. */
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Machine,
  Peer,
  World,
} from "../../src/core/machine.ts";
import { Outbox } from "../../src/core/outbox.ts";
import type { Primitives } from "../../src/core/primitives.ts";
import { Timers } from "../../src/core/timers.ts";
import { TransactionLayer } from "../../src/core/transaction/layer.ts";
import type { TransactionUser } from "../../src/core/transaction/user.ts";

export class LayerMachine implements Machine {
  readonly timers: Timers = new Timers();
  readonly layer: TransactionLayer;
  readonly #outbox = new Outbox();

  constructor(primitives: Primitives, user: TransactionUser) {
    const { timers } = this;
    this.layer = new TransactionLayer({ world: this.#outbox, timers, primitives, user });
  }

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.layer.bound(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.layer.opened(now, flow, peer);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.layer.received(now, flow, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.layer.lost(now, flow, cause);
  }

  answered(): void {}

  elapsed(now: Instant): void {
    this.timers.elapsed(now);
  }

  get deadline(): Instant {
    return this.timers.deadline;
  }

  deliver(world: World): void {
    this.#outbox.deliver(world);
  }
}
