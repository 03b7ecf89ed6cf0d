/**
 * A datagram flow with a socket of its own, connected to its one peer: the system then tells of ICMP errors, so that a
 * closed port is known in a millisecond and not after Timer F. It shares the local address of a bound socket; the
 * system prefers the connected one for that peer's datagrams, and the bound one gets everybody else's.
 */
import type { RemoteInfo, Socket } from "node:dgram";
import type { FlowId, LossCause, Peer, Target } from "../../core/machine.ts";
import type { BoundSocket, Hearer } from "./bound-socket.ts";
import { type Carrier, causeOf, type Facts } from "./carrier.ts";
import { canonical, numericSocket } from "./local-address.ts";

export class ConnectedFlow implements Carrier, Hearer {
  readonly id: FlowId;
  readonly #bound: BoundSocket | undefined;
  readonly #facts: Facts;
  readonly #socket: Socket;
  #peer: Peer;
  #state: "connecting" | "open" | "closed" = "connecting";
  #unsent: Uint8Array[] = [];

  constructor(id: FlowId, target: Target, bound: BoundSocket | undefined, facts: Facts) {
    this.id = id;
    this.#bound = bound;
    this.#facts = facts;
    const { transport, port } = target;
    const address = canonical(target.address);
    this.#peer = {
      transport,
      address,
      port,
      localAddress: "",
      localPort: 0,
      listener: bound?.id ?? 0,
    };
    this.#socket = numericSocket(address, { reuseAddr: bound !== undefined });
    this.#socket.on("error", (error) => this.#end(causeOf(error)));
    this.#socket.on("message", (bytes, from) => this.#heard(bytes, from));
    this.#socket.once("connect", () => this.#connected());
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** Binding and connecting take no wait between them: hardly a datagram of another peer can slip in. */
  connect(): Socket {
    const { address, port } = this.#peer;
    const bound = this.#bound;
    if (bound !== undefined) {
      bound.hear(address, port, this);
      this.#socket.bind(bound.local.port, bound.local.address);
    }
    if (this.#state === "connecting") this.#socket.connect(port, address);
    return this.#socket;
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "open") this.#socket.send(bytes, this.#sent);
    else this.#unsent.push(bytes);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#unsent = [];
    this.#bound?.unhear(this.#peer.address, this.#peer.port, this);
    this.#socket.close();
  }

  used(): void {
    // The machine opened this flow and alone ends it.
  }

  abandoned(): void {
    // It has its own socket, and outlives the bound one.
  }

  #connected(): void {
    if (this.#state !== "connecting") return;
    this.#state = "open";
    const { address: localAddress, port: localPort } = this.#socket.address();
    this.#peer = { ...this.#peer, localAddress, localPort };
    for (const bytes of this.#unsent) this.#socket.send(bytes, this.#sent);
    this.#unsent = [];
    this.#facts.opened(this.id, this.#peer);
  }

  /** What came between bind and connect may be another peer's: it belongs to the bound socket. */
  #heard(bytes: Uint8Array, from: RemoteInfo): void {
    if (from.port === this.#peer.port && from.address === this.#peer.address) {
      this.#facts.received(this.id, bytes);
    } else this.#bound?.heard(bytes, from);
  }

  readonly #sent = (error: Error | null): void => {
    if (error !== null) this.#end(causeOf(error));
  };

  #end(cause: LossCause): void {
    if (this.#state === "closed") return;
    this.close();
    this.#facts.lost(this.id, cause);
  }
}
