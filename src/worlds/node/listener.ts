/** A listening stream socket, whatever is spoken over its connections. */
import type { Server, Socket } from "node:net";
import type { FlowId, Local, Peer } from "../../core/machine.ts";
import { type Carrier, causeOfBind, type Facts } from "./carrier.ts";
import type { Limits } from "./limits.ts";
import type { OpenSockets } from "./open-sockets.ts";

/** Connections that may wait to be accepted, as far as the system allows: a storm of phones comes at once. */
const BACKLOG = 4096;

export class Listener implements Carrier {
  readonly id: FlowId;
  readonly #facts: Facts;
  readonly #server: Server;
  #local: Local;

  constructor(id: FlowId, local: Local, server: Server, facts: Facts) {
    this.id = id;
    this.#local = local;
    this.#server = server;
    this.#facts = facts;
  }

  get peer(): Peer {
    const { transport, address, port } = this.#local;
    return { transport, address: "", port: 0, localAddress: address, localPort: port, listener: 0 };
  }

  listen(limits: Limits, sockets: OpenSockets): void {
    const server = this.#server;
    const { transport, address, port } = this.#local;
    server.maxConnections = limits.mostInbound;
    server.on("connection", (socket) => sockets.follow(socket));
    server.on("drop", () => this.#facts.report({ event: "connection.declined", transport, port }));
    server.on("error", (error) => {
      // One connection that cannot be accepted (too many files, say) does not end the listening.
      if (server.listening) this.#facts.report({ event: "listener.failed", why: error.message });
      else this.#facts.lost(this.id, causeOfBind(error));
    });
    server.listen({ host: address, port, ipv6Only: true, backlog: BACKLOG }, () => {
      sockets.follow(server);
      const bound = server.address();
      if (bound === null || typeof bound === "string") return;
      this.#local = { ...this.#local, port: bound.port };
      this.#facts.bound(this.id, this.#local);
    });
  }

  send(): void {
    // A bound address by itself has nobody to send to.
  }

  /** Its connections are flows of their own, and stay. */
  close(): void {
    this.#server.close();
  }
}

/** Both ends of an accepted connection; undefined if it is gone already. */
export function peerOfAccepted(socket: Socket, listener: Listener): Peer | undefined {
  const { remoteAddress: address, remotePort: port, localAddress, localPort } = socket;
  if (address === undefined || port === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  const { transport } = listener.peer;
  return { transport, address, port, localAddress, localPort, listener: listener.id };
}
