/**
 * The seam between deciding and doing. A Machine is told facts (past tense) and answers with
 * intentions (imperative); a World carries the intentions out and tells the facts. Nothing in
 * `core` reads a clock, draws a random number, or touches a socket: all of that comes through here.
 */
import type { Answer, Question, TraceEvent } from "./vocabulary.ts";

/** Milliseconds on the world's monotonic clock: always handed in, never read. */
export type Instant = number;

/** The deadline of a machine that waits for nothing. */
export const NEVER: Instant = Number.POSITIVE_INFINITY;

/**
 * One path that bytes take: a connection, or a (local socket, remote address) pair for datagrams.
 * A machine numbers the flows it opens or binds from 1 upwards; a world numbers those that arrive
 * from -1 downwards, so the two never meet.
 */
export type FlowId = number;

/** Transports of RFC 3261 §18, RFC 7118, and `rtp`: media datagrams, never parsed as SIP. */
export type TransportName = "udp" | "tcp" | "tls" | "ws" | "wss" | "rtp";

/** One place that a server's name resolves to (RFC 3263). */
export interface Target {
  readonly transport: TransportName;
  /** A literal IPv4 or IPv6 address, without brackets. */
  readonly address: string;
  /** 1..65535. */
  readonly port: number;
  /** The configured domain: TLS server name and certificate identity (RFC 5922 §4), never the SRV target. */
  readonly domain?: string;
}

/** A local address to listen on; port 0 lets the system choose. */
export interface Local {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
}

/** Both ends of a flow as the world sees them. */
export interface Peer {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** The bound flow through which this one arrived or was opened; 0 if none. */
  readonly listener: FlowId;
  /** Domains that the certificate of a peer who connected to us proves (RFC 5922 §7.1); undefined: it showed none. */
  readonly domains?: readonly string[];
}

/**
 * Why a flow ended. `refused`: ICMP port unreachable, or connect refused; `unreachable`: other ICMP
 * or no route; `reset`: by the peer; `closed`: in order, by the peer; `timeout`: no connection in time;
 * `tls`: handshake or identity failure; `in-use`, `denied`: the local address cannot be had;
 * `idle`: the world forgot an unused datagram peer; `moved`: the far end sees us at another address than before;
 * `failed`: anything else, for instance a write error.
 */
export type LossCause =
  | "refused"
  | "unreachable"
  | "reset"
  | "closed"
  | "timeout"
  | "tls"
  | "in-use"
  | "denied"
  | "idle"
  | "moved"
  | "failed";

/** How `World.open` makes a flow. */
export interface Opening {
  /** A bound flow whose local address and port are shared (datagrams), or 0: any local address. */
  readonly from: FlowId;
  /**
   * Datagrams only. True: a socket of its own connected to the target, so that ICMP errors are
   * told as `lost` (a phone, one per server). False: through the bound socket (a server, many peers).
   */
  readonly connected: boolean;
}

/** Decides. Told one fact at a time, it never waits, and no peer can make it throw. */
export interface Machine {
  /** A local address asked for with `bind` is listening; `local.port` is the real one. */
  bound(now: Instant, flow: FlowId, local: Local): void;
  /** A flow asked for with `open` is usable, or a peer's flow has arrived at a bound one. */
  opened(now: Instant, flow: FlowId, peer: Peer): void;
  /** `bytes` are valid during the call only; a stream hands over any cut of its bytes. */
  received(now: Instant, flow: FlowId, bytes: Uint8Array): void;
  /** The flow is over, whatever the reason; its number is never used again. */
  lost(now: Instant, flow: FlowId, cause: LossCause): void;
  answered(now: Instant, asked: number, answer: Answer): void;
  elapsed(now: Instant): void;
  /** When `elapsed` is next due; NEVER if nothing is pending. */
  readonly deadline: Instant;
  /** Hands over every intention since the last call, in order. */
  deliver(world: World): void;
}

/** Acts. Told one intention at a time, it never calls the machine back before returning. */
export interface World {
  /** Listen; answered by `bound`, or `lost` with `in-use` or `denied`. */
  bind(flow: FlowId, local: Local): void;
  /** Answered by `opened` or `lost`. Bytes sent before `opened` are kept in order. */
  open(flow: FlowId, target: Target, opening: Opening): void;
  /** The bytes belong to the world from here on: the machine never changes them afterwards. */
  send(flow: FlowId, bytes: Uint8Array): void;
  /** Ends a flow or a bound one; not answered. Unknown flows are ignored. */
  close(flow: FlowId): void;
  /** Answered exactly once by `answered`. */
  ask(asked: number, question: Question): void;
  report(event: TraceEvent): void;
}
