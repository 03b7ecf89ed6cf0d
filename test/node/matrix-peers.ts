/**
 * Servers of the fault matrix on real sockets of Node, with faults that only real peers have: a process that is gone,
 * one that accepts and never reads, one whose host resets what stands. What they say is MatrixPeer's.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import type { MatrixTransport } from "../../src/apps/sim/matrix/axes.ts";
import { MatrixPeer } from "../../src/apps/sim/matrix/peer.ts";
import { StreamFramer } from "../../src/core/message/framing.ts";
import { nodePrimitives } from "../../src/worlds/node/primitives.ts";

export interface RealPeer {
  readonly words: MatrixPeer;
  /** Ends every connection in order. */
  hangUp(): void;
  /** From now on nothing that comes is read. */
  hang(): void;
  /** The process is gone: nobody listens, and what still comes over a connection is answered with RST. */
  die(): void;
  close(): Promise<void>;
}

/** Where it stands, and the certificate it shows. */
export interface PeerPlace {
  readonly address: string;
  readonly port: number;
  readonly transport: MatrixTransport;
  readonly certificate: string;
  readonly key: string;
}

/** Answers that are still to come. */
class Sayings {
  readonly words: MatrixPeer;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor({ address, port, transport }: PeerPlace) {
    this.words = new MatrixPeer(address, port, transport);
  }

  heard(text: string, say: (text: string) => void): void {
    for (const { afterMs, text: said } of this.words.heard(text)) {
      if (afterMs === 0) {
        say(said);
        continue;
      }
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        say(said);
      }, afterMs);
      this.#timers.add(timer);
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

export async function peerAt(place: PeerPlace): Promise<RealPeer> {
  return place.transport === "udp" ? datagramPeer(place) : streamPeer(place);
}

async function datagramPeer(place: PeerPlace): Promise<RealPeer> {
  const sayings = new Sayings(place);
  const socket = createSocket("udp4");
  let open = true;
  socket.on("message", (bytes, from) => {
    sayings.heard(bytes.toString("latin1"), (text) => {
      if (open) socket.send(Buffer.from(text, "latin1"), from.port, from.address);
    });
  });
  socket.bind(place.port, place.address);
  await once(socket, "listening");
  const die = (): void => {
    if (open) socket.close();
    open = false;
  };
  return {
    words: sayings.words,
    hangUp: () => {},
    hang: () => {
      sayings.words.mood = { kind: "silent" };
    },
    die,
    close: async () => {
      sayings.stop();
      die();
    },
  };
}

/** One connection that stands, whatever is spoken over it. */
interface Line {
  readonly raw: Socket;
  end(): void;
}

class StreamPeer implements RealPeer {
  readonly #sayings: Sayings;
  readonly #place: PeerPlace;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #web = createWebServer();
  readonly #upgrades = new WebSocketServer({ noServer: true, clientTracking: false });
  readonly #sockets = new Set<Socket>();
  readonly #lines = new Set<Line>();
  #hanging = false;
  #dead = false;

  constructor(place: PeerPlace) {
    this.#place = place;
    this.#sayings = new Sayings(place);
    this.#web.on("upgrade", (request, socket, head) => {
      this.#upgrades.handleUpgrade(request, socket, head, (web) =>
        this.#overWebSocket(request.socket, web),
      );
    });
  }

  get words(): MatrixPeer {
    return this.#sayings.words;
  }

  async listen(): Promise<this> {
    this.#server.listen(this.#place.port, this.#place.address);
    await once(this.#server, "listening");
    return this;
  }

  hangUp(): void {
    for (const line of this.#lines) line.end();
  }

  hang(): void {
    this.#hanging = true;
  }

  die(): void {
    this.#dead = true;
    this.#server.close();
  }

  async close(): Promise<void> {
    this.#sayings.stop();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  #accept(raw: Socket): void {
    this.#sockets.add(raw);
    raw.on("error", () => raw.destroy());
    raw.on("close", () => this.#sockets.delete(raw));
    if (this.#hanging) return;
    const { transport, certificate: cert, key } = this.#place;
    if (transport === "tcp") this.#overStream(raw, raw);
    else if (transport === "ws") this.#web.emit("connection", raw);
    else {
      const secureContext = createSecureContext({ cert, key });
      const secure = new TLSSocket(raw, { isServer: true, secureContext });
      secure.on("error", () => secure.destroy());
      this.#overStream(raw, secure);
    }
  }

  #overStream(raw: Socket, stream: Socket): void {
    const framer = new StreamFramer(nodePrimitives().bytes, {
      framed: (text) => this.#sayings.heard(text, (said) => stream.write(said, "latin1")),
      pinged: () => stream.write("\r\n"),
      ponged: () => {},
      faulted: () => raw.destroy(),
    });
    const line: Line = { raw, end: () => stream.end() };
    this.#lines.add(line);
    stream.on("close", () => this.#lines.delete(line));
    stream.on("data", (bytes: Buffer) => {
      if (this.#dead) raw.resetAndDestroy();
      else framer.feed(bytes);
    });
  }

  #overWebSocket(raw: Socket, web: WebSocket): void {
    const line: Line = { raw, end: () => web.close() };
    this.#lines.add(line);
    web.on("close", () => this.#lines.delete(line));
    web.on("error", () => raw.destroy());
    web.on("message", (data) => {
      if (this.#dead) raw.resetAndDestroy();
      else this.#sayings.heard(String(data), (said) => web.send(said));
    });
  }
}

function streamPeer(place: PeerPlace): Promise<RealPeer> {
  return new StreamPeer(place).listen();
}
