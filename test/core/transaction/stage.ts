/** One transaction layer as a Machine under a Script, with a user that writes down all it is told. */
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Machine,
  Peer,
} from "../../../src/core/machine.ts";
import type { Request, Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { cancelFor, responseTo } from "../../../src/core/message/print.ts";
import { Timers } from "../../../src/core/timers.ts";
import { type LayerOptions, TransactionLayer } from "../../../src/core/transaction/layer.ts";
import type {
  ClientTransaction,
  ClientTransactionUser,
  Flow,
  FlowUser,
  ListenerUser,
  Resending,
  ServerTransaction,
  TransactionUser,
} from "../../../src/core/transaction/user.ts";
import { answerTo, countingPrimitives, message, Script } from "../../support/script.ts";

export const RFC_SPACING: Resending = { t1: 500, t2: 4000, t4: 5000, interval: 0, resends: 0 };

export class Stage implements Machine, TransactionUser {
  readonly timers: Timers = new Timers();
  readonly layer: TransactionLayer;
  readonly script: Script;
  /** Server transactions in the order in which they began. */
  readonly begun: ServerTransaction[] = [];
  /** Asked by the layer for each request that needs no transaction. */
  claims?: (now: Instant, request: Request, flow: Flow) => boolean;

  constructor(options: Partial<LayerOptions> = {}) {
    this.script = new Script(this);
    this.layer = new TransactionLayer({
      world: this.script.world,
      timers: this.timers,
      primitives: countingPrimitives(),
      user: this,
      ...options,
    });
  }

  // Shorthand of the tests.

  /** A flow to a peer that is open already. */
  flow(peer: Partial<Peer> = {}): Flow {
    return this.layer.flow(this.script.arrive(peer)) as Flow;
  }

  /** Sends a request; the user's facts are written down. */
  send(
    flow: Flow,
    method: string,
    resending: Resending = RFC_SPACING,
    more: string[] = [],
    wishes: Pick<ClientTransactionUser, "listensOn"> = {},
  ): ClientTransaction {
    let transaction: ClientTransaction | undefined;
    this.script.do((now) => {
      const request = outgoing(method, more);
      const user = { ...this.user(), ...wishes };
      transaction = this.layer.request(now, request, flow, resending, user);
    });
    return transaction as ClientTransaction;
  }

  /** Sends the CANCEL of an INVITE. */
  cancel(call: ClientTransaction, flow: Flow): void {
    this.script.do((now) => {
      this.layer.request(now, cancelFor(call.request), flow, RFC_SPACING, this.user());
    });
  }

  listener(): ListenerUser {
    return {
      listening: (_, flow, { port }) => this.script.note(`user: listening ${flow} at ${port}`),
      deaf: (_, flow, cause) => this.script.note(`user: deaf ${flow}, ${cause}`),
    };
  }

  flowUser(name = "user"): FlowUser {
    return {
      reached: (_, flow) => this.script.note(`${name}: reached ${flow.id}`),
      unreached: (_, cause) => this.script.note(`${name}: unreached, ${cause}`),
    };
  }

  user(): ClientTransactionUser {
    return {
      responded: (_, { status, headers }) => {
        this.script.note(`user: ${status} to ${headers.get("cseq")?.split(" ")[1]}`);
      },
      failed: (_, why, cause) => this.script.note(`user: failed, ${cause ?? why}`),
    };
  }

  /** The peer answers what was sent `back` packets ago. */
  answer(flow: Flow, status: number, back = 0): void {
    this.answerOn(flow.id, status, back);
  }

  answerOn(flow: FlowId, status: number, back = 0): void {
    const sent = this.script.sent.filter(({ text }) => !text.startsWith("SIP/2.0")).at(-1 - back);
    this.script.receive(flow, answerTo(sent?.text ?? "", status));
  }

  /** Answers the latest server transaction. */
  respond(status: number, to: ServerTransaction | undefined = this.begun.at(-1)): void {
    if (to === undefined) throw new Error("no server transaction");
    this.script.do((now) => to.respond(now, responseTo(to.request, status, undefined, "us")));
  }

  // TransactionUser.

  requested(_now: Instant, transaction: ServerTransaction): void {
    this.begun.push(transaction);
    this.script.note(`user: ${transaction.request.method}`);
  }

  cancelled(_now: Instant, transaction: ServerTransaction): void {
    this.script.note(`user: ${transaction.request.method} cancelled`);
  }

  acknowledged(_now: Instant, _ack: Request): void {
    this.script.note("user: ACK");
  }

  undelivered(_now: Instant, transaction: ServerTransaction): void {
    this.script.note(`user: ${transaction.request.method} undelivered`);
  }

  strayed(_now: Instant, response: Response): void {
    this.script.note(`user: stray ${response.status}`);
  }

  // Machine.

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.layer.bound(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.layer.opened(now, flow, peer);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.layer.received(now, flow, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.layer.lost(now, flow, cause);
  }

  answered(): void {}

  elapsed(now: Instant): void {
    this.timers.elapsed(now);
  }

  get deadline(): Instant {
    return this.timers.deadline;
  }

  /** The layer writes straight into the script, so that intentions and what the user hears stand in order. */
  deliver(): void {}
}

let branches = 0;

/** A request to be sent, with its Via; `more` are further header lines. */
export function outgoing(method: string, more: string[] = [], body = ""): Request {
  branches += 1;
  return parsed(incoming(method, { branch: `z9hG4bKout${branches}`, more, body, port: 5070 }));
}

export interface Incoming {
  readonly branch?: string;
  readonly via?: string;
  readonly host?: string;
  readonly port?: number;
  readonly uri?: string;
  readonly toTag?: string;
  readonly cseq?: number;
  readonly callId?: string;
  readonly more?: string[];
  readonly body?: string;
}

/** The text of a request as a peer sends it. */
export function incoming(method: string, options: Incoming = {}): string {
  const { branch = "z9hG4bKin", host = "127.0.0.13", port = 5060, cseq = 1 } = options;
  const { uri = "sip:bob@example.com", callId = "call-1", more = [], body = "" } = options;
  const to = options.toTag === undefined ? "" : `;tag=${options.toTag}`;
  const via = options.via ?? `SIP/2.0/UDP ${host}:${port};branch=${branch}`;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: ${via}`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a",
    `To: <sip:bob@example.com>${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    ...more,
  ];
  return message(lines, body);
}

export function parsed(text: string): Request {
  const made = parseMessage(text);
  if (made.kind !== "request") throw new Error(`not a request: ${text}`);
  return made;
}

/** What one event makes of one state, for the tables of the figures: transitions as `→ State`, times left out. */
export function outcome(stage: Stage, event: () => void): string {
  stage.script.take();
  event();
  const lines = stage.script.take().map((line) =>
    line
      .replace(/^[\d.]+ /, "")
      .replace(/^\* transaction\.entered .*state=(\w+).*$/, "→ $1")
      .replace(/^\* timer\.rang .*timer=(\w+).*$/, "")
      .replace(/^-?\d+ ──▶ (\S+).*$/, "send $1"),
  );
  return lines.filter((line) => line !== "" && !/◀──|✕/.test(line)).join(", ");
}
