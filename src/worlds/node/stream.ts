/**
 * Stream flows: SIP over TCP and TLS (RFC 3261 §18, RFC 5923). The machine gets bytes in whatever cuts they arrive and
 * does the framing itself.
 */
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type Server } from "node:tls";
import type { FlowId, Local, Target } from "../../core/machine.ts";
import { type Carrier, type Facts, Nowhere, peerOf } from "./carrier.ts";
import type { Limits } from "./limits.ts";
import { Listener, peerOfAccepted } from "./listener.ts";
import type { OpenSockets } from "./open-sockets.ts";
import { StreamFlow } from "./stream-flow.ts";
import type { TlsSide } from "./tls.ts";

/** No delay for small messages, and a dead peer is noticed some day. */
export const STREAM_OPTIONS = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
} as const;

export class StreamTransport {
  readonly #facts: Facts;
  readonly #limits: Limits;
  readonly #tls: TlsSide;
  readonly #sockets: OpenSockets;

  constructor(facts: Facts, limits: Limits, tls: TlsSide, sockets: OpenSockets) {
    this.#facts = facts;
    this.#limits = limits;
    this.#tls = tls;
    this.#sockets = sockets;
  }

  bind(flow: FlowId, local: Local): Carrier {
    const secure = local.transport === "tls";
    if (secure && !this.#tls.canListen) {
      this.#facts.report({ event: "listener.failed", why: "TLS needs a certificate and its key" });
      this.#facts.lost(flow, "tls");
      return new Nowhere(local);
    }
    const server = secure ? this.#secureServer() : createServer(STREAM_OPTIONS);
    const listener = new Listener(flow, local, server, this.#facts);
    server.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
      const peer = peerOfAccepted(socket, listener);
      if (peer === undefined) socket.destroy();
      else new StreamFlow(socket, peer, this.#facts, this.#limits).accepted();
    });
    listener.listen(this.#limits, this.#sockets);
    return listener;
  }

  #secureServer(): Server {
    const { unansweredMs } = this.#limits;
    const server = createTlsServer({ ...this.#tls.listening(unansweredMs), ...STREAM_OPTIONS });
    this.#tls.follow(server);
    return server;
  }

  /** `localAddress`: to connect from; undefined for whichever the system chooses. */
  open(flow: FlowId, target: Target, localAddress: string | undefined): Carrier {
    const { address: host, port } = target;
    const options = { ...STREAM_OPTIONS, ...(localAddress === undefined ? {} : { localAddress }) };
    const socket =
      target.transport === "tls"
        ? this.#tls.connect(target, options)
        : connect({ ...options, host, port });
    this.#sockets.follow(socket);
    const stream = new StreamFlow(socket, peerOf(target), this.#facts, this.#limits);
    stream.connecting(flow);
    return stream;
  }
}
