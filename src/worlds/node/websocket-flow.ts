/** One WebSocket connection, begun by either side. */
import { isUtf8 } from "node:buffer";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { RawData, WebSocket } from "ws";
import type { FlowId, LossCause, Peer } from "../../core/machine.ts";
import { isKeepAlive } from "../../core/transaction/keep-alive.ts";
import { type Carrier, causeOf, type Facts, isAlert, reportDistrusted } from "./carrier.ts";
import type { Limits } from "./limits.ts";

/** Head and mask of a short frame from a client (RFC 6455 §5.2). */
const MASKED_FRAME_BYTES = 6;

export class WebSocketFlow implements Carrier {
  readonly #facts: Facts;
  readonly #limits: Limits;
  readonly #web: WebSocket;
  readonly #socket: Socket;
  #id: FlowId = 0;
  #peer: Peer;
  /** `securing`: connected, and the TLS handshake under way. */
  #state: "connecting" | "securing" | "open" | "closed" = "connecting";
  #timer: NodeJS.Timeout | undefined;
  #pinging: NodeJS.Timeout | undefined;
  /** Runs while bytes wait for the peer. */
  #stalled: NodeJS.Timeout | undefined;
  #alive = true;
  /** Bytes that have come of a message which is not whole, its frames' heads included. */
  #begun = 0;
  /** There were some at the last ping already. */
  #begunLong = false;
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;

  constructor(web: WebSocket, socket: Socket, peer: Peer, facts: Facts, limits: Limits) {
    this.#web = web;
    this.#socket = socket;
    this.#peer = peer;
    this.#facts = facts;
    this.#limits = limits;
    web.on("message", (data) => this.#heard(data));
    web.on("pong", (data) => {
      this.#alive = true;
      this.#took(data);
    });
    web.on("ping", (data) => this.#took(data));
    web.on("error", (error) => this.#failed(error));
    // A broken connection is a close like any other to the library.
    socket.on("error", (error) => {
      if (this.#state === "open") this.#failed(error);
    });
    web.on("close", () => this.#end("closed"));
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** A connection of ours that is being made. */
  connecting(id: FlowId): void {
    this.#id = id;
    this.#timer = setTimeout(() => this.#end("timeout"), this.#limits.connectMs);
    if (this.#socket instanceof TLSSocket) {
      this.#socket.once("connect", () => this.#proceed("connecting", "securing"));
      this.#socket.once("secureConnect", () => this.#proceed("securing", "connecting"));
    }
    this.#web.once("open", () => this.#opened());
  }

  /** A connection that a peer has made. */
  accepted(): void {
    this.#state = "open";
    this.#id = this.#facts.arrived(this);
    this.#timer = setTimeout(() => this.#end("idle"), this.#limits.unansweredMs);
    this.#pinging = setInterval(() => this.#ping(), this.#limits.pingMs);
    // Told before the reader of frames is, who then says what they made.
    this.#socket.prependListener("data", (bytes: Buffer) => {
      this.#begun += bytes.length;
    });
    this.#facts.opened(this.#id, this.#peer);
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    if (this.#state === "open") {
      // A pong is no answer: whoever only pings would otherwise stay for as long as he likes.
      if (this.#timer !== undefined && !isKeepAlive(bytes)) this.#disarm();
      this.#write(bytes);
    } else {
      this.#unsent.push(bytes);
      this.#unsentBytes += bytes.length;
    }
    const waiting = this.#unsentBytes + this.#web.bufferedAmount;
    if (waiting > this.#limits.mostUnsentBytes) this.#end("failed");
    else if (this.#state === "open" && this.#web.bufferedAmount > 0) {
      this.#stalled ??= setTimeout(this.#progressed, this.#limits.stalledMs, this.#taken);
    }
  }

  /** What was sent before still goes out, as long as the peer takes it soon. */
  close(): void {
    if (this.#state === "closed") return;
    const lingers = this.#state === "open";
    this.#retire();
    if (!lingers) {
      this.#cut();
      return;
    }
    this.#web.close(1000);
    this.#socket.setTimeout(this.#limits.lingerMs, () => this.#socket.destroy());
  }

  /** What the peer's side has taken so far, in the batches that Node hands to the system. */
  get #taken(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Bytes wait for the peer: as long as it takes a batch of them now and then, it lives. */
  readonly #progressed = (before: number): void => {
    this.#stalled = undefined;
    if (this.#web.bufferedAmount === 0) return;
    if (this.#taken > before) {
      this.#stalled = setTimeout(this.#progressed, this.#limits.stalledMs, this.#taken);
    } else this.#end("timeout");
  };

  #failed(error: Error): void {
    if (this.#state === "closed") return;
    if (this.#state !== "securing" && !isAlert(error)) {
      this.#end(causeOf(error));
      return;
    }
    reportDistrusted(this.#facts, this.#peer, error);
    this.#end("tls");
  }

  #proceed(from: "connecting" | "securing", to: "connecting" | "securing"): void {
    // A certificate that is not believed has destroyed the socket in this very event.
    if (this.#state === from && !this.#socket.destroyed) this.#state = to;
  }

  #opened(): void {
    if (this.#state === "closed") return;
    this.#state = "open";
    this.#disarm();
    const { localAddress = "", localPort = 0 } = this.#socket;
    this.#peer = { ...this.#peer, localAddress, localPort };
    for (const bytes of this.#unsent) this.#write(bytes);
    this.#unsent = [];
    this.#unsentBytes = 0;
    this.#facts.opened(this.#id, this.#peer);
  }

  #heard(data: RawData): void {
    this.#begun = 0;
    this.#begunLong = false;
    if (this.#state !== "open") return;
    if (data instanceof ArrayBuffer) this.#facts.received(this.#id, new Uint8Array(data));
    else this.#facts.received(this.#id, Array.isArray(data) ? Buffer.concat(data) : data);
  }

  #write(bytes: Uint8Array): void {
    this.#web.send(bytes, { binary: !isUtf8(bytes) });
  }

  /** A control frame, which may come between the pieces of a message (RFC 6455 §5.4), is no part of it. */
  #took(data: Buffer): void {
    this.#begun = Math.max(0, this.#begun - MASKED_FRAME_BYTES - data.length);
  }

  #ping(): void {
    if (!this.#alive || (this.#begunLong && this.#begun > 0)) {
      this.#end("timeout");
      return;
    }
    this.#begunLong = this.#begun > 0;
    this.#alive = false;
    this.#web.ping();
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #retire(): void {
    this.#state = "closed";
    this.#unsent = [];
    this.#disarm();
    clearInterval(this.#pinging);
    clearTimeout(this.#stalled);
  }

  #cut(): void {
    this.#web.terminate();
    this.#socket.destroy();
  }

  #end(cause: LossCause): void {
    if (this.#state === "closed") return;
    this.#retire();
    this.#cut();
    this.#facts.lost(this.#id, cause);
  }
}
