/**
 * The upward seam of the transaction layer: what a transaction user (RFC 3261 §5) is told. Users
 * are phones, dialogs, failover attempts and servers; they know flows by number and peers by value.
 */
import type { FlowId, Instant, Local, LossCause, Peer } from "../machine.ts";
import type { Request, Response } from "../message/message.ts";

/** A usable path, as the transport layer keeps it. */
export interface Flow {
  readonly id: FlowId;
  readonly peer: Peer;
  /** When bytes last came in. */
  readonly heardAt: Instant;
  /** The keep-alive before this one was answered only when it was sent again, or not yet. */
  readonly late: boolean;
}

/** Told of one flow: of its opening by `reach`, of its end by `watch`. */
export interface FlowUser {
  reached(now: Instant, flow: Flow): void;
  /** The flow cannot be had, or was had, was watched, and is gone. */
  unreached(now: Instant, cause: LossCause): void;
}

/** Told of one address to listen on. */
export interface ListenerUser {
  /** `local.port` is the real one. */
  listening(now: Instant, flow: FlowId, local: Local): void;
  /** The address cannot be had, or was had and is gone. */
  deaf(now: Instant, flow: FlowId, cause: LossCause): void;
}

/** Told the raw facts of media flows. */
export interface MediaUser {
  bound(now: Instant, flow: FlowId, local: Local): void;
  opened(now: Instant, flow: FlowId, peer: Peer): void;
  /** `bytes` are valid during the call only. */
  received(now: Instant, flow: FlowId, bytes: Uint8Array): void;
  lost(now: Instant, flow: FlowId, cause: LossCause): void;
}

/** Told what becomes of a request. */
export interface ClientTransactionUser {
  /** It wants answers even when its flow is lost where they find us all the same, as if it had abandoned it. */
  readonly listensOn?: boolean;
  /** Each provisional, and each final; a 2xx to INVITE each time it comes (RFC 6026 §7.2). */
  responded(now: Instant, response: Response): void;
  /** No final response will come: Timer B or F, or the flow was lost (RFC 3261 §8.1.3.1, §17.1.4). */
  failed(now: Instant, why: "timeout" | "transport", cause: LossCause | undefined): void;
}

/** How a client transaction resends over an unreliable transport. */
export interface Resending {
  /** T1, T2, T4 in milliseconds. */
  readonly t1: number;
  readonly t2: number;
  readonly t4: number;
  /** Fixed spacing of the first resends in milliseconds; 0: Timer A or E. */
  readonly interval: number;
  /** How many come at that spacing; the intervals of those after them double. */
  readonly resends: number;
}

/** How long after the resend that is made now the next one comes, milliseconds. @param since its first was sent. */
export function spacingAfter(
  { interval, resends }: Resending,
  since: number,
  spacing: number,
): number {
  // Timers ring late, never early.
  return since < (resends - 0.5) * interval ? interval : 2 * spacing;
}

/** A request on its way. */
export interface ClientTransaction {
  readonly branch: string;
  readonly request: Request;
  readonly flow: FlowId;
  /**
   * Resend no more, but go on listening until Timer B or F: a target that was only slow must still have its late
   * INVITE answers cancelled, acknowledged and ended.
   */
  abandon(now: Instant): void;
  /** Somebody waits for the answer again, for as long as it takes. @returns false if none can come any more. */
  reclaim(): boolean;
  /** Ends it without a word. */
  drop(): void;
}

/** The responder's end of a request that opened a server transaction. */
export interface ServerTransaction {
  readonly request: Request;
  readonly flow: FlowId;
  respond(now: Instant, response: Response): void;
}

/** The one user of a whole layer, told what belongs to no client transaction. */
export interface TransactionUser {
  /**
   * Asked of each new request but ACK and CANCEL: true if the user answers it statelessly (RFC 3261 §8.2.7), as a
   * registrar may, and as strangers are challenged (§26.3.2.4); no transaction is made then, nothing is repeated, and
   * a retransmission is asked about again.
   */
  claims?(now: Instant, request: Request, flow: Flow): boolean;
  /** A new request. For INVITE the layer sends 100 after 200 ms unless the user has answered (RFC 3261 §17.2.1). */
  requested(now: Instant, transaction: ServerTransaction, flow: Flow): void;
  /** CANCEL that matches a server transaction; the layer has answered the CANCEL with 200 (§9.2). */
  cancelled(now: Instant, transaction: ServerTransaction, cancel: Request): void;
  /** ACK for a 2xx, which belongs to no transaction (§13.3.1.4, §17). */
  acknowledged(now: Instant, ack: Request, flow: Flow): void;
  /** A final response was not acknowledged in time (Timer H), or could not be sent. */
  undelivered(now: Instant, transaction: ServerTransaction): void;
  /** A response to INVITE that matches no client transaction (a late 2xx, for instance). Others are dropped (R59). */
  strayed(now: Instant, response: Response, flow: Flow): void;
}
