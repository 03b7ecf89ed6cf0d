/**
 * The transaction layer (RFC 3261 §17): the one face of transactions and transport towards phones and servers. A
 * machine forwards its facts about bytes here; `Timers` and the outbox are the machine's own.
 */
import { newBranch } from "../identifiers.ts";
import type {
  FlowId,
  Instant,
  Local,
  LossCause,
  Opening,
  Peer,
  Target,
  World,
} from "../machine.ts";
import type { Message, Request, Response } from "../message/message.ts";
import { hasOneVia, printVia } from "../message/via.ts";
import type { Primitives } from "../primitives.ts";
import type { Timers } from "../timers.ts";
import { ClientSide } from "./client-side.ts";
import type { FlowRecord } from "./flow-record.ts";
import { MAX_SERVER_TRANSACTIONS } from "./limits.ts";
import type { MessageUser } from "./reception.ts";
import type { Alternates } from "./response-route.ts";
import { ServerSide } from "./server-side.ts";
import { RFC_TIMER_VALUES, type TimerValues } from "./timer-values.ts";
import { Trace } from "./trace.ts";
import { Transport } from "./transport.ts";
import type {
  ClientTransaction,
  ClientTransactionUser,
  Flow,
  FlowUser,
  ListenerUser,
  MediaUser,
  Resending,
  TransactionUser,
} from "./user.ts";

/** What a layer is made of. */
export interface LayerOptions {
  readonly world: World;
  readonly timers: Timers;
  readonly primitives: Primitives;
  readonly user: TransactionUser;
  /** Of server transactions; those of clients come with each request. */
  readonly values?: TimerValues;
  /** Report transitions and timers as events. */
  readonly tracing?: boolean;
  /** Send requests above 1300 bytes over TCP (RFC 3261 §18.1.1); true unless said otherwise. */
  readonly largeOverTcp?: boolean;
  readonly maxServerTransactions?: number;
  /** Where else responses may go (RFC 3263 §5); without it nowhere. */
  readonly alternates?: Alternates;
  /** Its users forward nothing: a response with a Via of somebody beyond is dropped (RFC 3261 §8.1.3.3). */
  readonly endpoint?: boolean;
}

/** Transactions and transport of one machine: forward its facts here, and be its `user`. */
export class TransactionLayer implements MessageUser {
  readonly #transport: Transport;
  readonly #clients: ClientSide;
  readonly #servers: ServerSide;
  readonly #primitives: Primitives;
  readonly #endpoint: boolean;

  constructor(options: LayerOptions) {
    this.#endpoint = options.endpoint === true;
    const { world, timers, primitives, user } = options;
    const trace = options.tracing === true ? new Trace(world) : undefined;
    const transport = new Transport(world, timers, primitives, this, options.alternates);
    this.#transport = transport;
    this.#primitives = primitives;
    const largeOverTcp = options.largeOverTcp ?? true;
    this.#clients = new ClientSide({ timers, primitives, user, largeOverTcp, transport, trace });
    const values = options.values ?? RFC_TIMER_VALUES;
    const limit = options.maxServerTransactions ?? MAX_SERVER_TRANSACTIONS;
    this.#servers = new ServerSide({ timers, primitives, user, values, limit, transport, trace });
  }

  /** Flows and transactions held: 0 after `stop`. */
  get size(): number {
    return this.#transport.size + this.transactions;
  }

  get transactions(): number {
    return this.#clients.size + this.#servers.size;
  }

  // Requests and responses.

  /** Sends a request that has its Via; `user` is never told before this has returned. */
  request(
    now: Instant,
    request: Request,
    flow: Flow,
    resending: Resending,
    user: ClientTransactionUser,
  ): ClientTransaction {
    return this.#clients.request(now, request, flow, resending, user);
  }

  /** Sends the ACK of a 2xx, or any request as a stateless proxy does. */
  requestStateless(now: Instant, request: Request, flow: Flow): void {
    this.#clients.requestStateless(now, request, flow);
  }

  /** Answers a request that has no transaction (RFC 3261 §8.2.7). */
  respondStateless(now: Instant, request: Request, flow: Flow, response: Response): void {
    this.#servers.respondStateless(now, request, flow, response);
  }

  /** The same for a response that has been printed already. */
  respondPrinted(now: Instant, request: Request, flow: Flow, text: string): void {
    this.#servers.respondPrinted(now, request, flow, text);
  }

  /** Puts a Via for this flow on top, with a new branch, which it returns. */
  stampVia(request: Request, flow: Flow): string {
    const { transport, localAddress } = flow.peer;
    const branch = newBranch(this.#primitives.entropy);
    // A zone (fe80::1%eth0) means nothing to others (RFC 4007 §11.2).
    const host = localAddress.includes(":") ? `[${localAddress.split("%")[0]}]` : localAddress;
    const port = this.#transport.listeningPort(flow);
    const via = printVia(transport.toUpperCase(), host, port, branch, ";rport");
    request.headers.prepend("via", via);
    return branch;
  }

  /** Whether a request has come already by another way, to be answered 482 (§8.2.2.2); for end points. */
  isMerged(request: Request): boolean {
    return this.#servers.isMerged(request);
  }

  // Flows.

  reach(now: Instant, target: Target, opening: Opening, user: FlowUser): void {
    this.#transport.reach(now, target, opening, user);
  }

  /** Tells `user` when the flow ends; false: it has ended already. */
  watch(flow: Flow, user: FlowUser): boolean {
    return this.#transport.watch(flow, user);
  }

  unwatch(flow: Flow, user: FlowUser): void {
    this.#transport.unwatch(flow, user);
  }

  /**
   * Keeps a NAT binding or an idle connection open.
   *
   * @param promised the peer has said that it answers keep-alives: its silence ends the flow.
   */
  keepAlive(now: Instant, flow: Flow, promised = false): void {
    this.#transport.keepAlives.send(now, this.#transport.find(flow), promised);
  }

  /** Nothing has come over a connection since `since`, though it should have: whoever reaches there gets another one. */
  doubt(now: Instant, flow: Flow, since: Instant): void {
    this.#transport.doubt(now, flow, since);
  }

  /** The flow of that number, if it is still there. */
  flow(id: FlowId): Flow | undefined {
    return this.#transport.flow(id);
  }

  /** Ends a flow; whoever depends on it is told `cause`. */
  close(now: Instant, flow: Flow, cause: LossCause = "closed"): void {
    this.#transport.close(now, flow, cause);
  }

  bind(local: Local, user: ListenerUser): FlowId {
    return this.#transport.bind(local, user);
  }

  /** Who listens where this flow arrived, or where it was opened from. */
  listenerUser(flow: Flow): ListenerUser | undefined {
    return this.#transport.listenerUser(flow);
  }

  unbind(flow: FlowId): void {
    this.#transport.unbind(flow);
  }

  /** A number for a media flow, which its user binds or opens by himself. */
  nextFlow(): FlowId {
    return this.#transport.nextFlow();
  }

  /** From now on the facts of this flow, and of flows that arrive through it, go to `user`; undefined: to nobody. */
  media(flow: FlowId, user: MediaUser | undefined): void {
    this.#transport.media(flow, user);
  }

  /** Ends everything without a word: no timer, flow or transaction is left. */
  stop(): void {
    this.#clients.drop();
    this.#servers.drop();
    this.#transport.stop();
  }

  // Facts.

  bound(now: Instant, flow: FlowId, local: Local): void {
    this.#transport.bound(now, flow, local);
  }

  opened(now: Instant, flow: FlowId, peer: Peer): void {
    this.#transport.opened(now, flow, peer);
  }

  received(now: Instant, flow: FlowId, bytes: Uint8Array): void {
    this.#transport.received(now, flow, bytes);
  }

  lost(now: Instant, flow: FlowId, cause: LossCause): void {
    this.#transport.lost(now, flow, cause);
  }

  /** A message came in over a flow. */
  arrived(now: Instant, message: Message, flow: FlowRecord): void {
    if (message.kind === "request") this.#servers.received(now, message, flow);
    else if (!this.#endpoint || hasOneVia(message.headers)) {
      this.#clients.received(now, message, flow);
    }
  }
}
