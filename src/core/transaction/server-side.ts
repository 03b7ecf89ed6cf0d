/** The server half of the layer: requests that come in find or make their transaction (RFC 3261 §17.2). */
import { newTag } from "../identifiers.ts";
import type { Instant } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import { tagOf } from "../message/name-addr.ts";
import { printMessage, responseTo } from "../message/print.ts";
import { topVia, type Via } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import type { Timer, Timers } from "../timers.ts";
import type { FlowRecord } from "./flow-record.ts";
import type { ResponseSender, ServerEntry, ServerHost } from "./host.ts";
import { InviteServerTransaction } from "./invite-server.ts";
import { NonInviteServerTransaction } from "./non-invite-server.ts";
import { keyOf, ServerTable } from "./server-table.ts";
import type { TimerValues } from "./timer-values.ts";
import type { Trace } from "./trace.ts";
import type { Transport } from "./transport.ts";
import type { Flow, ServerTransaction, TransactionUser } from "./user.ts";

export interface ServerSideParts {
  readonly timers: Timers;
  readonly primitives: Primitives;
  readonly user: TransactionUser;
  readonly values: TimerValues;
  readonly limit: number;
  readonly transport: Transport;
  readonly trace: Trace | undefined;
}

export class ServerSide implements ServerHost {
  readonly timers: Timers;
  readonly values: TimerValues;
  readonly user: TransactionUser;
  readonly tracing: boolean;
  readonly #primitives: Primitives;
  readonly #limit: number;
  readonly #transport: Transport;
  readonly #trace: Trace | undefined;
  readonly #table = new ServerTable();

  constructor(parts: ServerSideParts) {
    this.timers = parts.timers;
    this.values = parts.values;
    this.user = parts.user;
    this.tracing = parts.trace !== undefined;
    this.#primitives = parts.primitives;
    this.#limit = parts.limit;
    this.#transport = parts.transport;
    this.#trace = parts.trace;
  }

  get size(): number {
    return this.#table.size;
  }

  received(now: Instant, request: Request, flow: FlowRecord): void {
    const via = topVia(request.headers) as Via;
    const key = keyOf(request, via);
    switch (request.method) {
      case "ACK":
        this.#acknowledged(now, request, flow, this.#table.find(key, request, via, "INVITE"));
        break;
      case "CANCEL":
        this.#cancelled(now, request, flow, this.#table.find(key, request, via, undefined));
        break;
      default: {
        const known = this.#table.find(key, request, via, request.method);
        if (known === undefined) this.#begin(now, request, flow, key);
        else known.repeated(now);
      }
    }
  }

  isMerged(request: Request): boolean {
    return this.#table.isMerged(request);
  }

  /** Answers without a transaction; nothing will be repeated. */
  respondStateless(now: Instant, request: Request, flow: Flow, response: Response): void {
    this.respondPrinted(now, request, flow, printMessage(response));
  }

  respondPrinted(now: Instant, request: Request, flow: Flow, text: string): void {
    const via = topVia(request.headers);
    if (via === undefined) return;
    const bytes = this.#primitives.bytes.fromText(text);
    this.#transport.respond(now, via, flow, bytes, undefined);
  }

  drop(): void {
    this.#table.drop();
  }

  encode(message: Response): Uint8Array {
    return this.#primitives.bytes.fromText(printMessage(message));
  }

  respond(
    now: Instant,
    request: Request,
    flow: Flow,
    bytes: Uint8Array,
    sender: ResponseSender,
  ): void {
    this.#transport.respond(now, topVia(request.headers) as Via, flow, bytes, sender);
  }

  ended(transaction: ServerEntry): void {
    this.#table.remove(transaction);
  }

  entered(request: Request, state: string): void {
    this.#trace?.entered(request, state, "server");
  }

  rang(request: Request, timer: Timer): void {
    this.#trace?.rang(request, timer, "server");
  }

  #begin(now: Instant, request: Request, flow: FlowRecord, key: string): void {
    const invite = request.method === "INVITE";
    if (this.user.claims?.(now, request, flow) === true) return;
    if (this.#table.size >= this.#limit) {
      this.#answer(now, request, flow, 503, newTag(this.#primitives.entropy));
      return;
    }
    const transaction: ServerEntry & ServerTransaction = invite
      ? new InviteServerTransaction(now, this, request, flow, key)
      : new NonInviteServerTransaction(now, this, request, flow, key);
    this.#table.add(transaction);
    if (this.tracing) this.entered(request, invite ? "Proceeding" : "Trying");
    this.user.requested(now, transaction, flow);
  }

  #acknowledged(
    now: Instant,
    ack: Request,
    flow: FlowRecord,
    transaction: ServerEntry | undefined,
  ): void {
    if (transaction === undefined) this.user.acknowledged(now, ack, flow);
    else transaction.acknowledged(now, ack, flow);
  }

  /**
   * Deviation: CANCEL has no transaction of its own (§9.2 allows it to be answered as it comes): a retransmission is
   * answered again, with the same To tag because that is computed (§8.2.7).
   */
  #cancelled(
    now: Instant,
    cancel: Request,
    flow: FlowRecord,
    transaction: ServerEntry | undefined,
  ): void {
    const computed = this.#primitives.hash.md5(cancel.headers.get("via") ?? "").slice(0, 16);
    if (transaction === undefined) {
      this.#answer(now, cancel, flow, 481, computed);
      return;
    }
    const { lastTo } = transaction;
    this.#answer(now, cancel, flow, 200, (lastTo && tagOf(lastTo)) ?? computed);
    if (transaction.cancelled()) this.user.cancelled(now, transaction, cancel);
  }

  #answer(now: Instant, request: Request, flow: Flow, status: number, toTag: string): void {
    this.respondStateless(now, request, flow, responseTo(request, status, undefined, toTag));
  }
}
