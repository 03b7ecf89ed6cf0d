/** A bound datagram socket with its many flows, found by address and then port: no key is made for a packet. */
import type { RemoteInfo, Socket } from "node:dgram";
import type { FlowId, Local, LossCause, Peer, Target } from "../../core/machine.ts";
import { isKeepAlive } from "../../core/transaction/keep-alive.ts";
import { type Carrier, causeOf, causeOfBind, type Facts } from "./carrier.ts";
import { DatagramFlow, type Home, type IdleFlows, type Sent } from "./datagram-flow.ts";
import { canonical, isUnspecified, type LocalAddresses, numericSocket } from "./local-address.ts";

/** Who is told of the datagrams of one peer. */
export interface Hearer {
  readonly id: FlowId;
  /** Its peer has been heard. */
  used(): void;
  /** The bound socket has ended, and with it what shares it. */
  abandoned(): void;
}

export class BoundSocket implements Carrier, Home {
  readonly id: FlowId;
  readonly #facts: Facts;
  readonly #idle: IdleFlows;
  readonly #addresses: LocalAddresses;
  readonly #hearers = new Map<string, Map<number, Hearer>>();
  readonly #socket: Socket;
  #local: Local;
  #state: "binding" | "listening" | "closed" = "binding";

  constructor(id: FlowId, local: Local, facts: Facts, idle: IdleFlows, addresses: LocalAddresses) {
    this.id = id;
    this.#local = local;
    this.#facts = facts;
    this.#idle = idle;
    this.#addresses = addresses;
    this.#socket = numericSocket(local.address, { reuseAddr: true });
    this.#socket.on("error", (error) => this.#end(causeOfBind(error)));
    this.#socket.on("message", this.heard);
  }

  /** The address in use; the port is the real one once it listens. */
  get local(): Local {
    return this.#local;
  }

  get peer(): Peer {
    const { transport, address, port } = this.#local;
    return { transport, address: "", port: 0, localAddress: address, localPort: port, listener: 0 };
  }

  /**
   * Binds twice: first alone, which fails if anyone has the port, then in the shared way that connected siblings
   * need and that by itself would let two servers share a port without a word.
   */
  listen(receiveBufferBytes: number): Socket {
    const { port, address } = this.#local;
    const alone = numericSocket(address, {});
    alone.on("error", (error) => {
      alone.close();
      this.#end(causeOfBind(error));
    });
    alone.bind(port, address, () => {
      const found = alone.address().port;
      alone.close();
      this.#socket.bind(found, address, () => this.#listening(found, receiveBufferBytes));
    });
    return this.#socket;
  }

  /** A flow of the machine's own to one peer, through this socket: from now on it hears that peer. */
  open(id: FlowId, target: Target): Carrier {
    const address = canonical(target.address);
    const flow = new DatagramFlow(this.#peerAt(address, target.port), this, undefined);
    flow.id = id;
    flow.sent = (error) => {
      if (error === null || this.#state === "closed") return;
      flow.close();
      this.#facts.lost(id, causeOf(error));
    };
    this.hear(address, target.port, flow);
    this.#facts.opened(id, flow.peer);
    return flow;
  }

  /** A socket that is gone loses what is sent, as a network does; its flows have been told. */
  sendTo(port: number, address: string, bytes: Uint8Array, sent: Sent | undefined): void {
    if (this.#state === "listening") this.#socket.send(bytes, port, address, sent);
  }

  send(): void {
    // A bound address by itself has nobody to send to.
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#socket.close();
    for (const ports of [...this.#hearers.values()]) {
      for (const hearer of [...ports.values()]) hearer.abandoned();
    }
  }

  /** From now on `hearer` is told of this peer's datagrams, in place of any other. */
  hear(address: string, port: number, hearer: Hearer): void {
    let ports = this.#hearers.get(address);
    if (ports === undefined) {
      ports = new Map();
      this.#hearers.set(address, ports);
    }
    ports.set(port, hearer);
  }

  unhear(address: string, port: number, hearer: Hearer): void {
    const ports = this.#hearers.get(address);
    if (ports?.get(port) !== hearer) return;
    ports.delete(port);
    if (ports.size === 0) this.#hearers.delete(address);
  }

  forget(flow: DatagramFlow): void {
    this.unhear(flow.peer.address, flow.peer.port, flow);
  }

  abandoned(flow: DatagramFlow): void {
    flow.close();
    this.#facts.lost(flow.id, "closed");
  }

  /** The hot path of a server: two look-ups, then the machine. */
  readonly heard = (bytes: Uint8Array, from: RemoteInfo): void => {
    let hearer = this.#hearers.get(from.address)?.get(from.port);
    if (hearer === undefined) {
      // Nothing can be answered to port 0, and of somebody unknown a keep-alive keeps nothing alive.
      if (from.port === 0 || isKeepAlive(bytes) || this.#state !== "listening") return;
      hearer = this.#arrive(from);
    }
    hearer.used();
    this.#facts.received(hearer.id, bytes);
  };

  #arrive(from: RemoteInfo): DatagramFlow {
    const flow = new DatagramFlow(this.#peerAt(from.address, from.port), this, this.#idle);
    flow.id = this.#facts.arrived(flow);
    this.#idle.add(flow);
    this.hear(from.address, from.port, flow);
    this.#facts.opened(flow.id, flow.peer);
    return flow;
  }

  #peerAt(address: string, port: number): Peer {
    const { transport, address: bound, port: localPort } = this.#local;
    const localAddress = isUnspecified(bound) ? this.#addresses.towards(address) : bound;
    return { transport, address, port, localAddress, localPort, listener: this.id };
  }

  #listening(port: number, receiveBufferBytes: number): void {
    this.#state = "listening";
    this.#local = { ...this.#local, port };
    this.#socket.setRecvBufferSize(receiveBufferBytes);
    this.#facts.bound(this.id, this.#local);
  }

  #end(cause: LossCause): void {
    if (this.#state === "closed") return;
    this.close();
    this.#facts.lost(this.id, cause);
  }
}
