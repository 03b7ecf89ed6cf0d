/** The client half of the layer: requests that go out, and responses that find their transaction (RFC 3261 §17.1). */
import { assert } from "../assert.ts";
import type { Instant } from "../machine.ts";
import { cseqOf } from "../message/cseq.ts";
import type { Request, Response } from "../message/message.ts";
import { printMessage } from "../message/print.ts";
import { topVia } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import type { Timer, Timers } from "../timers.ts";
import type { FlowRecord } from "./flow-record.ts";
import type { ClientEntry, ClientHost } from "./host.ts";
import { InviteClientTransaction } from "./invite-client.ts";
import { type BeginsRequests, LargeRequest } from "./large-request.ts";
import { MAX_DATAGRAM_REQUEST_BYTES } from "./limits.ts";
import { NonInviteClientTransaction } from "./non-invite-client.ts";
import { KeptBack, Throttles } from "./throttles.ts";
import type { Trace } from "./trace.ts";
import type { Transport } from "./transport.ts";
import type {
  ClientTransaction,
  ClientTransactionUser,
  Flow,
  Resending,
  TransactionUser,
} from "./user.ts";

export interface ClientSideParts {
  readonly timers: Timers;
  readonly primitives: Primitives;
  readonly user: TransactionUser;
  readonly largeOverTcp: boolean;
  readonly transport: Transport;
  readonly trace: Trace | undefined;
}

export class ClientSide implements ClientHost, BeginsRequests {
  readonly timers: Timers;
  readonly tracing: boolean;
  readonly #primitives: Primitives;
  readonly #user: TransactionUser;
  readonly #largeOverTcp: boolean;
  readonly #transport: Transport;
  readonly #trace: Trace | undefined;
  readonly #byBranch = new Map<string, ClientEntry>();
  /** CANCELs have the branch of what they cancel. */
  readonly #cancels = new Map<string, ClientEntry>();
  readonly #large = new Set<LargeRequest>();
  readonly #throttles: Throttles;
  readonly #keptBack = new Set<KeptBack>();

  constructor(parts: ClientSideParts) {
    this.timers = parts.timers;
    this.tracing = parts.trace !== undefined;
    this.#primitives = parts.primitives;
    this.#throttles = new Throttles(parts.primitives.entropy);
    this.#user = parts.user;
    this.#largeOverTcp = parts.largeOverTcp;
    this.#transport = parts.transport;
    this.#trace = parts.trace;
  }

  get size(): number {
    return this.#byBranch.size + this.#cancels.size + this.#large.size + this.#keptBack.size;
  }

  /** The request has its Via with a branch nobody had before, but for CANCEL. An ACK needs no transaction. */
  request(
    now: Instant,
    request: Request,
    flow: Flow,
    resending: Resending,
    user: ClientTransactionUser,
  ): ClientTransaction {
    const branch = branchOf(request);
    assert(request.method !== "ACK", "an ACK has no transaction");
    let record = this.#transport.find(flow);
    if (request.method === "CANCEL") {
      const cancelled = this.#byBranch.get(branch);
      cancelled?.expectFinal(now);
      // A request too large for a datagram went another way than its flow says.
      if (cancelled !== undefined) record = this.#transport.flow(cancelled.flow) ?? record;
    }
    if (this.#throttles.keepsBack(now, request, record.peer)) {
      return this.#keepBack(now, request, branch, record, user);
    }
    const bytes = this.encode(request);
    if (
      bytes.length > MAX_DATAGRAM_REQUEST_BYTES &&
      record.asked.transport === "udp" &&
      this.#largeOverTcp
    ) {
      const large = new LargeRequest(this, this.#transport, request, branch, record, resending);
      this.#large.add(large);
      large.start(now, user);
      return large;
    }
    return this.begin(now, request, branch, bytes, record, resending, user);
  }

  begin(
    now: Instant,
    request: Request,
    branch: string,
    bytes: Uint8Array,
    flow: FlowRecord,
    resending: Resending,
    user: ClientTransactionUser,
  ): ClientTransaction {
    const table = this.#tableOf(request.method);
    assert(!table.has(branch), "a branch used twice");
    const Transaction =
      request.method === "INVITE" ? InviteClientTransaction : NonInviteClientTransaction;
    const transaction = new Transaction(now, this, request, branch, bytes, flow, resending, user);
    table.set(branch, transaction);
    if (this.tracing) this.entered(request, transaction.state);
    return transaction;
  }

  /** The large request has become a transaction, or will never be one. */
  settled(large: LargeRequest): void {
    this.#large.delete(large);
  }

  /** Sends without a transaction: the ACK of a 2xx, or as a stateless proxy does. */
  requestStateless(now: Instant, request: Request, flow: Flow): void {
    branchOf(request);
    this.#transport.send(now, this.#transport.find(flow), this.encode(request));
  }

  /** Found by branch and method (§17.1.3); what was not sent from here is not heard (§18.1.2, R45). */
  received(now: Instant, response: Response, flow: FlowRecord): void {
    const via = topVia(response.headers);
    const method = cseqOf(response.headers)?.method;
    if (via === undefined || method === undefined) return;
    const transaction = this.#tableOf(method).get(via.branch);
    if (transaction === undefined) {
      if (method === "INVITE") this.#user.strayed(now, response, flow);
      return;
    }
    if (transaction.request.method !== method) return;
    const sent = topVia(transaction.request.headers);
    if (sent?.host !== via.host || sent.port !== via.port) return;
    this.#throttles.heard(now, flow.peer, via);
    transaction.responded(now, response, flow);
  }

  drop(): void {
    for (const table of [this.#byBranch, this.#cancels]) {
      for (const transaction of [...table.values()]) transaction.drop();
    }
    for (const large of [...this.#large]) large.drop();
    for (const kept of [...this.#keptBack]) kept.drop();
  }

  encode(message: Request): Uint8Array {
    return this.#primitives.bytes.fromText(printMessage(message));
  }

  send(now: Instant, flow: FlowRecord, bytes: Uint8Array): void {
    this.#transport.send(now, flow, bytes);
  }

  /** A connection whose peer said nothing all that time is dead, whatever the system believes (C33). */
  unanswered(now: Instant, flow: FlowRecord, since: Instant): void {
    if (flow.reliable && flow.heardAt <= since) this.#transport.close(now, flow, "timeout");
  }

  ended(transaction: ClientEntry): void {
    this.#tableOf(transaction.request.method).delete(transaction.branch);
  }

  entered(request: Request, state: string): void {
    this.#trace?.entered(request, state, "client");
  }

  rang(request: Request, timer: Timer): void {
    this.#trace?.rang(request, timer, "client");
  }

  #keepBack(
    now: Instant,
    request: Request,
    branch: string,
    flow: FlowRecord,
    user: ClientTransactionUser,
  ): ClientTransaction {
    const ended = (one: KeptBack): unknown => this.#keptBack.delete(one);
    const kept = new KeptBack(branch, request, flow.id, this.timers, ended);
    this.#keptBack.add(kept);
    kept.start(now, user);
    return kept;
  }

  #tableOf(method: string): Map<string, ClientEntry> {
    return method === "CANCEL" ? this.#cancels : this.#byBranch;
  }
}

function branchOf(request: Request): string {
  const branch = topVia(request.headers)?.branch ?? "";
  assert(branch !== "", "a request without a branch of its own");
  return branch;
}
