/** Pings and pongs of RFC 5626 §4.4.1: a double CRLF asks, a single one answers. */
import type { Instant } from "../machine.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import { PONG_WAIT_MS } from "./limits.ts";

export const PING = "\r\n\r\n";
export const PONG = "\r\n";

const CR = 13;
const LF = 10;

/** Datagrams that only hold a NAT binding open: CRLFs, NULs, nothing at all. */
export function isKeepAlive(bytes: Uint8Array): boolean {
  if (bytes.length > 4) return false;
  for (const byte of bytes) if (byte !== CR && byte !== LF && byte !== 0) return false;
  return true;
}

/**
 * Waits for one peer's pongs. Made when the first pong comes: a peer that has never answered a ping may be
 * one that does not know them, and its silence proves nothing.
 */
export class PongWait implements TimerOwner {
  readonly #timers: Timers;
  readonly #timer: Timer;
  readonly #missed: (now: Instant) => void;

  constructor(timers: Timers, missed: (now: Instant) => void) {
    this.#timers = timers;
    this.#timer = new Timer("pong", this);
    this.#missed = missed;
  }

  pinged(now: Instant): void {
    if (!this.#timer.pending) this.#timers.set(this.#timer, now + PONG_WAIT_MS);
  }

  /** Any bytes show that the peer lives. */
  heard(): void {
    this.#timers.silence(this.#timer);
  }

  rang(now: Instant): void {
    this.#missed(now);
  }
}
