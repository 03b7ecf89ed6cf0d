/** What work costs a simulated process, so that it can have too much of it: one thing after another, each in time. */
import type { Instant } from "../../core/machine.ts";

export interface Labour {
  /** Milliseconds for each packet that comes or goes. */
  readonly packetMs: number;
  /** Milliseconds for each question to a store or resolver. */
  readonly questionMs: number;
  /** Told ten times a second how long the oldest of what waits has waited, milliseconds. */
  readonly told?: (now: Instant, waitMs: number) => void;
}

/** What the bench needs of the process that works at it. */
export interface Worker<Piece> {
  readonly now: Instant;
  after(delayMs: number, deed: () => void): void;
  work(piece: Piece): void;
  /** Has the machine act on what it was told. */
  settle(): void;
}

const TOLD_EVERY_MS = 100;

/** Datagrams that wait beyond this are lost: what a socket's buffer holds by default. */
const SOCKET_BUFFER = 256;

/**
 * Of a server that can do so many REGISTERs a second: a packet in, one out, and two questions to the store each. A
 * refusal is the packets only.
 */
export function labourOfServer(registersPerSecond: number): Labour {
  const wholeMs = 1000 / registersPerSecond;
  return { packetMs: wholeMs * 0.15, questionMs: wholeMs * 0.35 };
}

export class Workbench<Piece> {
  readonly #labour: Labour;
  readonly #worker: Worker<Piece>;
  readonly #waiting: { readonly since: Instant; readonly piece: Piece }[] = [];
  #spentMs = 0;
  #busy = false;
  #cleared = false;

  constructor(labour: Labour, worker: Worker<Piece>) {
    this.#labour = labour;
    this.#worker = worker;
    if (labour.told !== undefined) this.#tellLater(labour.told);
  }

  /** No datagram finds room any more. */
  get full(): boolean {
    return this.#waiting.length >= SOCKET_BUFFER;
  }

  /** At once if nothing is being worked on. */
  take(piece: Piece): void {
    this.#waiting.push({ since: this.#worker.now, piece });
    if (!this.#busy) this.#next();
  }

  packet(): void {
    this.#spentMs += this.#labour.packetMs;
  }

  question(): void {
    this.#spentMs += this.#labour.questionMs;
  }

  /** The process is gone, and with it all that waited. */
  clear(): void {
    this.#cleared = true;
    this.#waiting.length = 0;
  }

  #next(): void {
    this.#busy = false;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#spentMs = 0;
      this.#busy = true;
      this.#worker.work(next.piece);
      if (this.#spentMs > 0) {
        this.#worker.after(this.#spentMs, () => this.#next());
        return;
      }
      this.#busy = false;
    }
  }

  #tellLater(told: (now: Instant, waitMs: number) => void): void {
    this.#worker.after(TOLD_EVERY_MS, () => {
      if (this.#cleared) return;
      const { now } = this.#worker;
      told(now, now - (this.#waiting[0]?.since ?? now));
      this.#worker.settle();
      this.#tellLater(told);
    });
  }
}
