/** From the bytes of a flow to messages (RFC 3261 §18.2.1, §18.3): framing, keep-alives, malformed messages. */
import { newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Malformed, Message } from "../message/message.ts";
import { parseMessage } from "../message/parse.ts";
import { printMessage, responseTo } from "../message/print.ts";
import { stampSource, topVia, type Via } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import type { FlowRecord } from "./flow-record.ts";
import { isKeepAlive, PING } from "./keep-alive.ts";

/** Told each message that could be read; of a request the top Via says where it came from. */
export interface MessageUser {
  arrived(now: Instant, message: Message, flow: FlowRecord): void;
}

/** The transport as its receiving half sees it. */
export interface ReceptionHost {
  /** A peer asks whether this side lives. */
  pinged(now: Instant, flow: FlowRecord): void;
  /** A peer has answered such a question. */
  ponged(flow: FlowRecord): void;
  respond(now: Instant, via: Via, flow: FlowRecord, bytes: Uint8Array, sender: undefined): void;
}

export class Reception {
  readonly #primitives: Primitives;
  readonly #host: ReceptionHost;
  readonly #user: MessageUser;

  constructor(primitives: Primitives, host: ReceptionHost, user: MessageUser) {
    this.#primitives = primitives;
    this.#host = host;
    this.#user = user;
  }

  received(now: Instant, record: FlowRecord, bytes: Uint8Array): void {
    if (isKeepAlive(bytes)) {
      if (record.reliable) this.#kept(now, record, bytes.length);
      return;
    }
    this.#read(now, record, this.#primitives.bytes.toText(bytes));
  }

  /** RFC 5626 §4.4.1. */
  #kept(now: Instant, record: FlowRecord, length: number): void {
    if (length === PING.length) this.#host.pinged(now, record);
    else this.#host.ponged(record);
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
