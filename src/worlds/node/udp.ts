/**
 * Datagram flows: SIP over UDP (RFC 3261 §18) and RTP. A bound socket carries many flows, one for each remote address
 * and port; a connected one carries a single flow, shares the bound address, and is told of ICMP errors.
 */
import type { Socket } from "node:dgram";
import type { FlowId, Local, Opening, Target } from "../../core/machine.ts";
import { BoundSocket } from "./bound-socket.ts";
import type { Carrier, Facts } from "./carrier.ts";
import { ConnectedFlow } from "./connected-flow.ts";
import { IdleFlows } from "./datagram-flow.ts";
import { LocalAddresses } from "./local-address.ts";

export interface DatagramLimits {
  /** An arrived flow unused for this long is ended, at the latest a quarter later. */
  readonly idleMs: number;
  /** Arrived flows at a time over all bound sockets; the longest unused makes room. */
  readonly mostArrived: number;
  /** Asked of the system for bound sockets; it may give less. */
  readonly receiveBufferBytes: number;
}

const LIMITS: DatagramLimits = {
  idleMs: 60_000,
  mostArrived: 200_000,
  receiveBufferBytes: 4 << 20,
};

export class DatagramTransport {
  readonly #facts: Facts;
  readonly #limits: DatagramLimits;
  readonly #bound = new Map<FlowId, BoundSocket>();
  readonly #open = new Set<Promise<void>>();
  readonly #addresses = new LocalAddresses();
  readonly #idle: IdleFlows;

  constructor(facts: Facts, limits: Partial<DatagramLimits> = {}) {
    this.#facts = facts;
    this.#limits = { ...LIMITS, ...limits };
    this.#idle = new IdleFlows(this.#limits.idleMs, this.#limits.mostArrived, (flow) => {
      flow.close();
      facts.lost(flow.id, "idle");
    });
  }

  bind(flow: FlowId, local: Local): Carrier {
    const bound = new BoundSocket(flow, local, this.#facts, this.#idle, this.#addresses);
    this.#bound.set(flow, bound);
    this.#follow(bound.listen(this.#limits.receiveBufferBytes), () => this.#bound.delete(flow));
    return bound;
  }

  open(flow: FlowId, target: Target, opening: Opening): Carrier {
    const bound = this.#bound.get(opening.from);
    if (bound !== undefined && !opening.connected) return bound.open(flow, target);
    // With no bound socket to share, nobody but the target can have reason to send to this one.
    const connected = new ConnectedFlow(flow, target, bound, this.#facts);
    this.#follow(connected.connect(), () => undefined);
    return connected;
  }

  /** Resolves when every socket is gone; the carriers must have been closed before. */
  async stopped(): Promise<void> {
    this.#idle.stop();
    await Promise.all(this.#open);
  }

  #follow(socket: Socket, gone: () => void): void {
    const open = new Promise<void>((resolve) => {
      socket.once("close", () => {
        this.#open.delete(open);
        gone();
        resolve();
      });
    });
    this.#open.add(open);
  }
}
