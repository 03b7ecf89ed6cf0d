/**
 * Datagram flows: SIP over UDP (RFC 3261 §18) and RTP. A bound socket carries many flows, one for each remote address
 * and port; a connected one carries a single flow, shares the bound address, and is told of ICMP errors.
 */
import type { FlowId, Local, Opening, Target } from "../../core/machine.ts";
import { BoundSocket } from "./bound-socket.ts";
import type { Carrier, Facts } from "./carrier.ts";
import { ConnectedFlow } from "./connected-flow.ts";
import { IdleFlows } from "./datagram-flow.ts";
import type { Limits } from "./limits.ts";
import { LocalAddresses } from "./local-address.ts";
import type { OpenSockets } from "./open-sockets.ts";

export class DatagramTransport {
  readonly #facts: Facts;
  readonly #limits: Limits;
  readonly #sockets: OpenSockets;
  readonly #bound = new Map<FlowId, BoundSocket>();
  readonly #addresses = new LocalAddresses();
  readonly #idle: IdleFlows;

  constructor(facts: Facts, limits: Limits, sockets: OpenSockets) {
    this.#facts = facts;
    this.#limits = limits;
    this.#sockets = sockets;
    this.#idle = new IdleFlows(limits.datagramIdleMs, limits.mostDatagramFlows, (flow) => {
      flow.close();
      facts.lost(flow.id, "idle");
    });
  }

  bind(flow: FlowId, local: Local): Carrier {
    const bound = new BoundSocket(flow, local, this.#facts, this.#idle, this.#addresses);
    this.#bound.set(flow, bound);
    const socket = bound.listen(this.#limits.receiveBufferBytes);
    this.#sockets.follow(socket);
    socket.once("close", () => this.#bound.delete(flow));
    return bound;
  }

  open(flow: FlowId, target: Target, opening: Opening): Carrier {
    const bound = this.#bound.get(opening.from);
    if (bound !== undefined && !opening.connected) return bound.open(flow, target);
    // With no bound socket to share, nobody but the target can have reason to send to this one.
    const connected = new ConnectedFlow(flow, target, bound, this.#facts);
    this.#sockets.follow(connected.connect());
    return connected;
  }

  stop(): void {
    this.#idle.stop();
  }
}
