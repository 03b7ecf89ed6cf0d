/**
 * SIP over WebSocket (RFC 7118): subprotocol `sip`, one message a frame. Text where the message is UTF-8, as browsers
 * expect it, and binary where it is not.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, isIPv6, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { FlowId, Local, Target } from "../../core/machine.ts";
import { type Carrier, type Facts, Nowhere, peerOf } from "./carrier.ts";
import type { Limits } from "./limits.ts";
import { Listener, peerOfAccepted } from "./listener.ts";
import type { OpenSockets } from "./open-sockets.ts";
import { STREAM_OPTIONS } from "./stream.ts";
import type { TlsSide } from "./tls.ts";
import { WebSocketFlow } from "./websocket-flow.ts";

const SUBPROTOCOL = "sip";

export class WebSocketTransport {
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
    const secure = local.transport === "wss";
    if (secure && !this.#tls.canListen) {
      this.#facts.report({ event: "listener.failed", why: "TLS needs a certificate and its key" });
      this.#facts.lost(flow, "tls");
      return new Nowhere(local);
    }
    const { unansweredMs, mostMessageBytes, mostMessagePieces, mostUpgradeBytes } = this.#limits;
    const options = {
      ...STREAM_OPTIONS,
      headersTimeout: unansweredMs,
      requestTimeout: unansweredMs,
      // How often Node looks whether those are over.
      connectionsCheckingInterval: Math.ceil(unansweredMs / 4),
      maxHeaderSize: mostUpgradeBytes,
    };
    const server: Server = secure
      ? createSecureServer({ ...this.#tls.listening(unansweredMs), ...options })
      : createServer(options);
    const upgrades = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: mostMessageBytes,
      maxFragments: mostMessagePieces,
      maxBufferedChunks: mostMessagePieces,
      // A few bytes could become a great many.
      perMessageDeflate: false,
      handleProtocols: () => SUBPROTOCOL,
    });
    const listener = new Listener(flow, local, server, this.#facts);
    server.on("request", refuseRequest);
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!offersSip(request)) refuseUpgrade(socket);
      else
        upgrades.handleUpgrade(request, socket, head, (web) =>
          this.#accept(listener, request.socket, web),
        );
    });
    listener.listen(this.#limits, this.#sockets);
    return listener;
  }

  /** `localAddress`: to connect from; undefined for whichever the system chooses. */
  open(flow: FlowId, target: Target, localAddress: string | undefined): Carrier {
    const { transport, address: host, port, domain } = target;
    const options = { ...STREAM_OPTIONS, ...(localAddress === undefined ? {} : { localAddress }) };
    const socket =
      transport === "wss"
        ? this.#tls.connect(target, options)
        : connect({ ...options, host, port });
    this.#sockets.follow(socket);
    const name = domain ?? host;
    const web = new WebSocket(`ws://${isIPv6(name) ? `[${name}]` : name}:${port}/`, SUBPROTOCOL, {
      createConnection: () => socket,
      perMessageDeflate: false,
      maxPayload: this.#limits.mostMessageBytes,
      maxFragments: this.#limits.mostMessagePieces,
      maxBufferedChunks: this.#limits.mostMessagePieces,
    });
    const carrier = new WebSocketFlow(web, socket, peerOf(target), this.#facts, this.#limits);
    carrier.connecting(flow);
    return carrier;
  }

  #accept(listener: Listener, socket: Socket, web: WebSocket): void {
    const peer = peerOfAccepted(socket, listener);
    if (peer === undefined) web.terminate();
    else new WebSocketFlow(web, socket, peer, this.#facts, this.#limits).accepted();
  }
}

function offersSip(request: IncomingMessage): boolean {
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((protocol) => protocol.trim().toLowerCase() === SUBPROTOCOL);
}

/** RFC 7118 §4.2: without the subprotocol there is no SIP to be had here. */
function refuseUpgrade(socket: Duplex): void {
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function refuseRequest(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { upgrade: "websocket", connection: "close" });
  response.end("SIP over WebSocket only (RFC 7118)\n");
}
