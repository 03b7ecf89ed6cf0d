/** One TCP or TLS connection, begun by either side. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { FlowId, LossCause, Peer } from "../../core/machine.ts";
import { isKeepAlive } from "../../core/transaction/keep-alive.ts";
import { type Carrier, causeOf, type Facts, isAlert, reportDistrusted } from "./carrier.ts";
import type { Limits } from "./limits.ts";

/** An accepted connection is looked at so often in the time that it may be idle. */
const IDLE_LOOKS = 4;

export class StreamFlow implements Carrier {
  readonly #facts: Facts;
  readonly #limits: Limits;
  readonly #socket: Socket;
  #id: FlowId = 0;
  #peer: Peer;
  /** `securing`: connected, and the TLS handshake under way. */
  #state: "connecting" | "securing" | "open" | "closed" = "connecting";
  /** For the connection to be made, or for an inbound one to be worth an answer; then for it to close. */
  #timer: NodeJS.Timeout | undefined;
  /** Runs while bytes wait for the peer. */
  #stalled: NodeJS.Timeout | undefined;
  /** Runs while an accepted connection is open. */
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: Peer, facts: Facts, limits: Limits) {
    this.#socket = socket;
    this.#peer = peer;
    this.#facts = facts;
    this.#limits = limits;
    socket.on("data", (bytes) => this.#facts.received(this.#id, bytes));
    socket.on("error", (error) => {
      const distrusted = this.#state === "securing" || (this.#state === "open" && isAlert(error));
      if (distrusted) reportDistrusted(this.#facts, this.#peer, error);
      this.#end(distrusted ? "tls" : causeOf(error));
    });
    socket.on("close", () => this.#end(this.#state === "securing" ? "tls" : "closed"));
  }

  get peer(): Peer {
    return this.#peer;
  }

  /** A connection of ours that is being made. */
  connecting(id: FlowId): void {
    this.#id = id;
    const socket = this.#socket;
    const secure = socket instanceof TLSSocket;
    this.#timer = setTimeout(() => this.#end("timeout"), this.#limits.connectMs);
    socket.once("connect", () => {
      if (!secure) this.#opened();
      else if (this.#state === "connecting") this.#state = "securing";
    });
    if (secure) socket.once("secureConnect", () => this.#opened());
  }

  /** A connection that a peer has made. */
  accepted(): void {
    this.#state = "open";
    this.#id = this.#facts.arrived(this);
    this.#timer = setTimeout(() => this.#end("idle"), this.#limits.unansweredMs);
    this.#watchMotion(0);
    this.#facts.opened(this.#id, this.#peer);
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    // A pong is no answer: whoever only pings would otherwise stay for as long as he likes.
    if (this.#state === "open" && this.#timer !== undefined && !isKeepAlive(bytes)) this.#disarm();
    if (this.#socket.write(bytes) || this.#state !== "open") return;
    if (this.#socket.writableLength > this.#limits.mostUnsentBytes) this.#end("failed");
    else if (this.#stalled === undefined) this.#watchProgress();
  }

  /** What was sent before still goes out, as long as the peer takes it soon. */
  close(): void {
    if (this.#state === "closed") return;
    const lingers = this.#state === "open";
    this.#retire();
    if (!lingers) {
      this.#socket.destroy();
      return;
    }
    this.#socket.removeAllListeners("data");
    this.#socket.resume();
    this.#socket.destroySoon();
    this.#socket.setTimeout(this.#limits.lingerMs, () => this.#socket.destroy());
  }

  /** At once, and the peer is told by a reset; by an end in the middle of the session where TLS hides the socket. */
  reset(): void {
    if (this.#state === "closed") return;
    this.#retire();
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #opened(): void {
    // A certificate that is not believed has destroyed the socket in this very event.
    if (this.#state === "closed" || this.#socket.destroyed) return;
    this.#state = "open";
    this.#disarm();
    const { localAddress = "", localPort = 0 } = this.#socket;
    this.#peer = { ...this.#peer, localAddress, localPort };
    this.#facts.opened(this.#id, this.#peer);
  }

  /** What the peer's side has taken so far, in the batches that Node hands to the system. */
  get #taken(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Bytes wait for the peer: as long as it takes a batch of them now and then, it lives. */
  readonly #progressed = (before: number): void => {
    this.#stalled = undefined;
    if (this.#socket.writableLength === 0) return;
    if (this.#taken > before) this.#watchProgress();
    else this.#end("timeout");
  };

  #watchProgress(): void {
    this.#stalled = setTimeout(this.#progressed, this.#limits.stalledMs, this.#taken);
  }

  /** A look now and then at what Node counts anyway: the socket's own time-out is begun anew with every packet. */
  readonly #looked = (before: number, still: number): void => {
    const looks = this.#moved === before ? still + 1 : 0;
    if (looks === IDLE_LOOKS) this.#end("idle");
    else this.#watchMotion(looks);
  };

  /** @param still looks at which nothing had moved. */
  #watchMotion(still: number): void {
    const pause = this.#limits.inboundIdleMs / IDLE_LOOKS;
    this.#idle = setTimeout(this.#looked, pause, this.#moved, still).unref();
  }

  get #moved(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #retire(): void {
    this.#state = "closed";
    this.#disarm();
    clearTimeout(this.#stalled);
    clearTimeout(this.#idle);
  }

  #end(cause: LossCause): void {
    if (this.#state === "closed") return;
    this.#retire();
    this.#socket.destroy();
    this.#facts.lost(this.#id, cause);
  }
}
