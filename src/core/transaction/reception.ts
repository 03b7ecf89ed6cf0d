/** From the bytes of a flow to messages (RFC 3261 §18.2.1, §18.3): framing, keep-alives, malformed messages. */
import { newTag } from "../identifiers.ts";
import type { Instant, LossCause } from "../machine.ts";
import { type FrameUser, StreamFramer } from "../message/framing.ts";
import type { Malformed, Message } from "../message/message.ts";
import { parseMessage } from "../message/parse.ts";
import { printMessage, responseTo } from "../message/print.ts";
import { isStun } from "../message/stun.ts";
import { stampSource, topVia, type Via } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import type { FlowRecord } from "./flow-record.ts";
import { HalfMessages } from "./half-messages.ts";
import { isKeepAlive, type KeepAlives, PING } from "./keep-alive.ts";

/** Told each message that could be read; of a request the top Via says where it came from. */
export interface MessageUser {
  arrived(now: Instant, message: Message, flow: FlowRecord): void;
}

/** The transport as its receiving half sees it. */
export interface ReceptionHost {
  readonly keepAlives: Pick<KeepAlives, "pinged" | "ponged" | "stunned">;
  close(now: Instant, flow: FlowRecord, cause: LossCause): void;
  respond(now: Instant, via: Via, flow: FlowRecord, bytes: Uint8Array, sender: undefined): void;
}

export class Reception {
  readonly #primitives: Primitives;
  readonly #host: ReceptionHost;
  readonly #user: MessageUser;
  /** The instant of the bytes that framers are being fed. */
  #now: Instant = 0;
  /** There was a ping among them. */
  #pinged = false;
  readonly #halves: HalfMessages;

  constructor(primitives: Primitives, timers: Timers, host: ReceptionHost, user: MessageUser) {
    this.#primitives = primitives;
    this.#host = host;
    this.#user = user;
    this.#halves = new HalfMessages(timers, (now, record) => host.close(now, record, "idle"));
  }

  /** The flow is gone. */
  forget(record: FlowRecord): void {
    if (record.framer === undefined) return;
    record.framer = undefined;
    this.#halves.ended(record);
  }

  received(now: Instant, record: FlowRecord, bytes: Uint8Array): void {
    const { transport } = record.peer;
    if (transport === "tcp" || transport === "tls") {
      this.#now = now;
      record.framer ??= new StreamFramer(this.#primitives.bytes, this.#frameUser(record));
      this.#feed(now, record, record.framer, bytes);
    } else if (!record.reliable && isStun(bytes)) {
      this.#host.keepAlives.stunned(now, record, bytes);
    } else if (!isKeepAlive(bytes)) {
      this.#read(now, record, this.#primitives.bytes.toText(bytes));
    } else if (record.reliable) {
      if (bytes.length === PING.length) this.#host.keepAlives.pinged(now, record);
      else this.#host.keepAlives.ponged(record);
    }
  }

  /** However many pings came together, one pong shows that this side lives. */
  #feed(now: Instant, record: FlowRecord, framer: StreamFramer, bytes: Uint8Array): void {
    framer.feed(bytes);
    if (this.#pinged) {
      this.#pinged = false;
      this.#host.keepAlives.pinged(now, record);
    }
    if (framer.pending === 0) this.#halves.ended(record);
    else if (record.state !== "gone") this.#halves.begun(now, record);
  }

  /** What follows a message that made its reader close the flow is read by nobody. */
  #frameUser(record: FlowRecord): FrameUser {
    return {
      framed: (text) => {
        this.#halves.ended(record);
        if (record.state !== "gone") this.#read(this.#now, record, text);
      },
      pinged: () => {
        this.#pinged = true;
      },
      ponged: () => this.#host.keepAlives.ponged(record),
      faulted: () => this.#host.close(this.#now, record, "failed"),
    };
  }

  #read(now: Instant, record: FlowRecord, text: string): void {
    const message = parseMessage(text);
    if (message.kind === "malformed") {
      this.#refuse(now, record, message);
      return;
    }
    if (message.kind === "request") {
      stampSource(message.headers, record.peer.address, record.peer.port);
    }
    this.#user.arrived(now, message, record);
  }

  /** One answer without body, no larger than what was asked but for a tag; where none can be given, none (§18.3). */
  #refuse(now: Instant, record: FlowRecord, { request, status }: Malformed): void {
    if (request === undefined) return;
    stampSource(request.headers, record.peer.address, record.peer.port);
    const via = topVia(request.headers);
    if (via === undefined) return;
    const tag = newTag(this.#primitives.entropy);
    const text = printMessage(responseTo(request, status, undefined, tag));
    this.#host.respond(now, via, record, this.#primitives.bytes.fromText(text), undefined);
  }
}
