/** A listening stream socket, whatever is spoken over its connections. */
import { isIPv6, type Server, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { ipv6Groups } from "../../core/locate/address.ts";
import type { FlowId, Local, Peer } from "../../core/machine.ts";
import { type Carrier, causeOfBind, codeOf, type Facts, reasonIn } from "./carrier.ts";
import type { Limits } from "./limits.ts";
import type { OpenSockets } from "./open-sockets.ts";
import { disbelief, provenDomains, refusedFor } from "./tls.ts";

/** Connections that may wait to be accepted, as far as the system allows: a storm of phones comes at once. */
const BACKLOG = 4096;

/** Declined connections are told at most so often, together; of handshakes that fail, one in that time. */
const DECLINED_EVERY_MS = 1_000;

/** The first 64 bits of an address. */
const IPV6_NETWORK_GROUPS = 4;

export class Listener implements Carrier {
  readonly id: FlowId;
  readonly #facts: Facts;
  readonly #server: Server;
  /** Open connections from each IPv4 address and IPv6 /64. */
  readonly #origins = new Map<string, number>();
  #local: Local;
  #declined = 0;
  #declinedAt = Number.NEGATIVE_INFINITY;
  #distrustedAt = Number.NEGATIVE_INFINITY;

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
    const connected = (socket: Socket): void => {
      sockets.follow(socket);
      this.#admit(socket, limits.mostInboundOfOne);
    };
    // Before a flow is made of it, but not before Node's own TLS and HTTP have taken it: they expect a live socket.
    if (transport === "tcp") server.prependListener("connection", connected);
    else server.on("connection", connected);
    server.on("drop", () => this.#decline());
    // Node tells that a handshake has failed or taken too long, and leaves the connection to whoever hears it.
    server.on("tlsClientError", (error: Error, socket: Socket) => {
      this.#failed(error, socket);
      socket.destroy();
    });
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

  /** Tells of a certificate that proves nothing to us: its bearer is let in as anybody is, and might wonder why. */
  distrust(socket: Socket): void {
    const why = disbelief(socket);
    if (why !== undefined) this.#distrusted(socket, why);
  }

  /** Who ends a connection while it is being secured, and says nothing, may only have looked whether we are there. */
  #failed(error: Error, socket: Socket): void {
    const why =
      refusedFor(socket) ?? (codeOf(error) === "ECONNRESET" ? undefined : reasonIn(error));
    const now = performance.now();
    if (why === undefined || now - this.#distrustedAt < DECLINED_EVERY_MS) return;
    this.#distrustedAt = now;
    this.#distrusted(socket, why);
  }

  #distrusted({ remoteAddress: address, remotePort: port }: Socket, why: string): void {
    const { transport } = this.#local;
    this.#facts.report({ event: "connection.distrusted", transport, address, port, why });
  }

  /** Counts the connection for whoever opened it, who may have too many. */
  #admit(socket: Socket, most: number): void {
    const origin = originOf(socket.remoteAddress ?? "");
    const open = this.#origins.get(origin) ?? 0;
    if (open >= most) {
      socket.destroy();
      this.#decline();
      return;
    }
    this.#origins.set(origin, open + 1);
    socket.once("close", () => {
      const left = (this.#origins.get(origin) ?? 1) - 1;
      if (left > 0) this.#origins.set(origin, left);
      else this.#origins.delete(origin);
    });
  }

  /** A flood of connections is no flood of events. */
  #decline(): void {
    this.#declined += 1;
    const now = performance.now();
    if (now - this.#declinedAt < DECLINED_EVERY_MS) return;
    const { transport, port } = this.#local;
    this.#facts.report({ event: "connection.declined", transport, port, count: this.#declined });
    this.#declinedAt = now;
    this.#declined = 0;
  }
}

/** What an attacker has one of: an address, or of IPv6 the network in which all addresses are his. */
function originOf(address: string): string {
  return isIPv6(address)
    ? (ipv6Groups(address)?.slice(0, IPV6_NETWORK_GROUPS).join(":") ?? address)
    : address;
}

/** Both ends of an accepted connection; undefined if it is gone already. */
export function peerOfAccepted(socket: Socket, listener: Listener): Peer | undefined {
  const { remoteAddress: address, remotePort: port, localAddress, localPort } = socket;
  if (socket.destroyed) return undefined;
  if (address === undefined || port === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  const { transport } = listener.peer;
  const domains = provenDomains(socket);
  listener.distrust(socket);
  const peer = { transport, address, port, localAddress, localPort, listener: listener.id };
  return domains === undefined ? peer : { ...peer, domains };
}
