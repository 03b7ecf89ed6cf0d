/**
 * A request too large for a datagram (RFC 3261 §18.1.1): it leaves over TCP, and over UDP after all if nobody takes
 * TCP there. The transaction begins when that is known.
 */
import type { FlowId, Instant, LossCause } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { Timer, type TimerOwner, type Timers } from "../timers.ts";
import type { FlowRecord } from "./flow-record.ts";
import { patience } from "./timer-values.ts";
import type { Transport } from "./transport.ts";
import type {
  ClientTransaction,
  ClientTransactionUser,
  Flow,
  FlowUser,
  Resending,
} from "./user.ts";

export interface BeginsRequests {
  readonly timers: Timers;
  encode(message: Request): Uint8Array;
  begin(
    now: Instant,
    request: Request,
    branch: string,
    bytes: Uint8Array,
    flow: FlowRecord,
    resending: Resending,
    user: ClientTransactionUser,
  ): ClientTransaction;
  settled(large: LargeRequest): void;
}

/** Nobody takes TCP there: the datagram may get through (§18.1.1). */
const NO_TCP: readonly LossCause[] = ["refused", "reset", "unreachable"];

export class LargeRequest implements ClientTransaction, FlowUser, TimerOwner {
  readonly request: Request;
  readonly branch: string;
  readonly #host: BeginsRequests;
  readonly #transport: Transport;
  readonly #datagrams: FlowRecord;
  readonly #resending: Resending;
  readonly #timer: Timer;
  /** Undefined once it is settled. */
  #user: ClientTransactionUser | undefined;
  #transaction: ClientTransaction | undefined;

  constructor(
    host: BeginsRequests,
    transport: Transport,
    request: Request,
    branch: string,
    datagrams: FlowRecord,
    resending: Resending,
  ) {
    this.#host = host;
    this.#transport = transport;
    this.request = request;
    this.branch = branch;
    this.#datagrams = datagrams;
    this.#resending = resending;
    this.#timer = new Timer("B", this);
  }

  get flow(): FlowId {
    return this.#transaction?.flow ?? this.#datagrams.id;
  }

  start(now: Instant, user: ClientTransactionUser): void {
    this.#user = user;
    this.#host.timers.set(this.#timer, now + patience(this.#resending));
    const { address, port, listener } = this.#datagrams.peer;
    const target = { transport: "tcp", address, port } as const;
    this.#transport.reach(now, target, { from: listener, connected: false }, this);
  }

  reached(now: Instant, flow: Flow): void {
    this.#begin(now, this.#transport.find(flow), "TCP");
  }

  unreached(now: Instant, cause: LossCause): void {
    if (NO_TCP.includes(cause)) {
      this.#begin(now, this.#datagrams, "UDP");
    } else {
      const user = this.#settle();
      user?.failed(now, "transport", cause);
    }
  }

  rang(now: Instant): void {
    this.#settle()?.failed(now, "timeout", undefined);
  }

  /** Before anything was sent nothing can be heard of it either. */
  abandon(now: Instant): void {
    if (this.#transaction !== undefined) this.#transaction.abandon(now);
    else this.drop();
  }

  reclaim(): boolean {
    return this.#transaction?.reclaim() === true;
  }

  drop(): void {
    this.#settle();
    this.#transaction?.drop();
  }

  #begin(now: Instant, flow: FlowRecord, transport: "TCP" | "UDP"): void {
    const user = this.#settle();
    if (user === undefined) return;
    const { headers } = this.request;
    const via = headers.get("via") ?? "";
    const named = via.replace(/^(SIP\/2\.0\/)\w+/, `$1${transport}`);
    headers.setAt(headers.indexOf("via"), named);
    const bytes = this.#host.encode(this.request);
    const { request, branch } = this;
    this.#transaction = this.#host.begin(now, request, branch, bytes, flow, this.#resending, user);
  }

  #settle(): ClientTransactionUser | undefined {
    const user = this.#user;
    this.#user = undefined;
    this.#host.timers.silence(this.#timer);
    this.#host.settled(this);
    return user;
  }
}
