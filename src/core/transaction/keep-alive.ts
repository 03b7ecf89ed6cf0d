/**
 * What keeps a flow open, and finds out that it is dead: pings and pongs of RFC 5626 §4.4.1 on connections (a double
 * CRLF asks, a single one answers), STUN Binding requests of §4.4.2 for datagrams.
 *
 * Silence proves something only of a peer that is known to answer: one that has answered before, or has promised to
 * (`Require: outbound`, RFC 6223). Others get CRLFs, which hold a NAT binding open and ask for nothing.
 */
import type { Instant, LossCause } from "../machine.ts";
import {
  haveSameTransaction,
  printBindingAnswer,
  printBindingRequest,
  readStun,
  type StunMessage,
} from "../message/stun.ts";
import type { Primitives } from "../primitives.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { FlowRecord, Vigil } from "./flow-record.ts";
import { PONG_WAIT_MS, STUN_FIRST_WAIT_MS, STUN_SENDS } from "./limits.ts";

export const PING = "\r\n\r\n";
export const PONG = "\r\n";

const CR = 13;
const LF = 10;

/** Datagrams that only hold a NAT binding open: CRLFs, NULs, nothing at all. */
export function isKeepAlive(bytes: Uint8Array): boolean {
  if (bytes.length > 4) return false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte !== CR && byte !== LF && byte !== 0) return false;
  }
  return true;
}

/** The transport as keep-alives see it. */
export interface KeepAliveHost {
  send(now: Instant, flow: FlowRecord, bytes: Uint8Array): void;
  close(now: Instant, flow: FlowRecord, cause: LossCause): void;
}

export class KeepAlives {
  readonly timers: Timers;
  readonly primitives: Primitives;
  readonly host: KeepAliveHost;
  /** The same for all flows: nobody changes what has been sent. */
  readonly #ping: Uint8Array;
  readonly #pong: Uint8Array;

  constructor(timers: Timers, primitives: Primitives, host: KeepAliveHost) {
    this.timers = timers;
    this.primitives = primitives;
    this.host = host;
    this.#ping = primitives.bytes.fromText(PING);
    this.#pong = primitives.bytes.fromText(PONG);
  }

  /** @param promised the peer is bound to answer: if it does not, the flow is closed. */
  send(now: Instant, flow: FlowRecord, promised: boolean): void {
    if (flow.state !== "open") return;
    if (flow.reliable) {
      if (promised) this.#expectPongs(flow);
      this.host.send(now, flow, this.#ping);
    } else if (promised) flow.vigil ??= new BindingCheck(this, flow);
    else this.host.send(now, flow, this.#ping);
    if (promised || flow.reliable) flow.vigil?.asked(now);
  }

  /** The peer has asked whether this side lives. */
  pinged(now: Instant, flow: FlowRecord): void {
    this.host.send(now, flow, this.#pong);
  }

  /** The peer has answered a ping, and must go on doing so (R94). */
  ponged(flow: FlowRecord): void {
    if (flow.state !== "gone") this.#expectPongs(flow);
  }

  /** A STUN message has come instead of a SIP message. */
  stunned(now: Instant, flow: FlowRecord, bytes: Uint8Array): void {
    const message = readStun(bytes);
    if (message === undefined) return;
    if (message.kind === "request") {
      const { address, port } = flow.peer;
      this.host.send(now, flow, printBindingAnswer(message, address, port));
    } else if (flow.vigil instanceof BindingCheck) flow.vigil.answered(now, message);
  }

  #expectPongs(flow: FlowRecord): void {
    flow.vigil ??= new PongWait(this.timers, (now) => this.host.close(now, flow, "timeout"));
  }
}

/** A connection's: ten seconds for a pong, or for anything else. */
class PongWait implements Vigil, TimerOwner {
  readonly late = false;
  readonly #timers: Timers;
  readonly #timer: Timer;
  readonly #missed: (now: Instant) => void;

  constructor(timers: Timers, missed: (now: Instant) => void) {
    this.#timers = timers;
    this.#timer = new Timer("pong", this);
    this.#missed = missed;
  }

  asked(now: Instant): void {
    if (!this.#timer.pending) this.#timers.set(this.#timer, now + PONG_WAIT_MS);
  }

  heard(): void {
    this.#timers.silence(this.#timer);
  }

  rang(now: Instant): void {
    this.#missed(now);
  }
}

/**
 * A datagram flow's: asks again as SIP would, at 0, 0.5, 1.5 and 3.5 s, and gives it up when a silent server would be
 * given up. The far end must see us where it saw us first: otherwise what it has registered leads nowhere (R96).
 */
class BindingCheck implements Vigil, TimerOwner {
  readonly #all: KeepAlives;
  readonly #flow: FlowRecord;
  /** Only while an answer is waited for: a fleet has many flows. */
  #timer: Timer | undefined;
  #request: Uint8Array | undefined;
  #sends = 0;

  constructor(all: KeepAlives, flow: FlowRecord) {
    this.#all = all;
    this.#flow = flow;
  }

  get late(): boolean {
    return this.#sends > 1;
  }

  asked(now: Instant): void {
    if (this.#timer !== undefined) return;
    this.#timer = new Timer("stun", this);
    this.#request = printBindingRequest(this.#all.primitives.entropy);
    this.#sends = 0;
    this.#send(now);
  }

  heard(): void {
    if (this.#timer !== undefined) this.#all.timers.silence(this.#timer);
    this.#timer = undefined;
  }

  answered(now: Instant, { kind, mapped, bytes }: StunMessage): void {
    const asked = this.#request;
    if (asked === undefined || kind !== "success" || mapped === undefined) return;
    if (!haveSameTransaction(asked, bytes)) return;
    this.#request = undefined;
    const flow = this.#flow;
    // Nothing is owed any more, and a fleet has many flows.
    if (!this.late) flow.vigil = undefined;
    const seen = fingerprint(mapped);
    flow.mapped ??= seen;
    if (flow.mapped !== seen) this.#all.host.close(now, flow, "moved");
  }

  rang(now: Instant): void {
    if (this.#sends < STUN_SENDS) this.#send(now);
    else this.#all.host.close(now, this.#flow, "timeout");
  }

  #send(now: Instant): void {
    this.#all.timers.set(this.#timer as Timer, now + STUN_FIRST_WAIT_MS * 2 ** this.#sends);
    this.#sends += 1;
    this.#all.host.send(now, this.#flow, this.#request as Uint8Array);
  }
}

/** FNV-1a, of which 30 bits are kept. */
function fingerprint(words: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 2;
}
