/** What the layer gives its transactions, so that they know nothing of one another. */
import type { Instant, LossCause } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";
import type { Timer, Timers } from "../timers.ts";
import type { FlowRecord } from "./flow-record.ts";
import type { TimerValues } from "./timer-values.ts";
import type { ClientTransaction, Flow, ServerTransaction, TransactionUser } from "./user.ts";

export interface Host {
  readonly timers: Timers;
  /** Whether `entered` and `rang` are wanted: off, they are not called and cost nothing. */
  readonly tracing: boolean;
  entered(request: Request, state: string): void;
  rang(request: Request, timer: Timer): void;
}

/** A client transaction as the layer finds it again. */
export interface ClientEntry extends ClientTransaction {
  /** @param over the flow it came over, not always that of the request. */
  responded(now: Instant, response: Response, over: FlowRecord): void;
  /** A CANCEL goes out for it. */
  expectFinal(now: Instant): void;
  /** Ends it without a word. */
  drop(): void;
}

export interface ClientHost extends Host {
  encode(message: Request): Uint8Array;
  send(now: Instant, flow: FlowRecord, bytes: Uint8Array): void;
  /** No final response came in time over `flow`, on which the request went out at `since`. */
  unanswered(now: Instant, flow: FlowRecord, since: Instant): void;
  /** The transaction is Terminated: forget it. */
  ended(transaction: ClientEntry): void;
}

/** Told when a response could not be sent at all. */
export interface ResponseSender {
  unsent(now: Instant, cause: LossCause): void;
}

/** A server transaction as the layer finds it again. */
export interface ServerEntry extends ServerTransaction {
  readonly request: Request;
  /** What it is found by: the branch, or of an RFC 2543 request what §17.2.3 compares. */
  readonly key: string;
  /** The next one under the same key. */
  sibling: ServerEntry | undefined;
  /** The To of the last response, if any. */
  readonly lastTo: string | undefined;
  /** The request has come again. */
  repeated(now: Instant): void;
  /** An ACK that belongs to it has come; only INVITE knows what to do with it. */
  acknowledged(now: Instant, ack: Request, flow: Flow): void;
  /** A CANCEL has come: true if the user is to hear of it, once and while there is something to cancel (§9.2). */
  cancelled(): boolean;
  /** Ends it without a word. */
  drop(): void;
}

export interface ServerHost extends Host {
  readonly values: TimerValues;
  readonly user: TransactionUser;
  encode(message: Response): Uint8Array;
  /** Sends to where the responses to `request` go (RFC 3261 §18.2.2). */
  respond(
    now: Instant,
    request: Request,
    flow: Flow,
    bytes: Uint8Array,
    sender: ResponseSender,
  ): void;
  /** The transaction is Terminated: forget it. */
  ended(transaction: ServerEntry): void;
}
