/** What a simulated host sees of the simulation around it, and what hosts are to each other. */
import type { FlowId, Instant, LossCause, Peer } from "../../core/machine.ts";
import type { Answer, Question, TraceEvent } from "../../core/vocabulary.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Network } from "./network.ts";

/** One SIP message as a capture at one node would show it. */
export interface SimulatedMessage {
  readonly at: Instant;
  readonly node: string;
  readonly direction: "in" | "out";
  readonly peer: Peer;
  /** Valid during the call only. */
  readonly bytes: Uint8Array;
}

/** What a connection carries: bytes, then its end. */
export type StreamItem = Uint8Array | "closed" | "reset";

/** One side of a connection as the other sees it. */
export interface RemoteEnd {
  /** As this side sees the pair. */
  readonly peer: Peer;
  /** @returns false when this side is gone: it answers with a reset. */
  take(item: StreamItem): boolean;
  /** @param name whom the other side wants to see in the certificate; undefined: anybody. */
  shake(step: HandshakeStep, name: string | undefined): Handshake;
  /** All steps are done. */
  shaken(): void;
}

/** A round trip on top of that of TCP: TLS 1.3 (RFC 8446 §2), the upgrade of WebSocket (RFC 6455 §4). */
export type HandshakeStep = "tls" | "upgrade";

/** `mute`: the process that should answer does nothing; `gone`: its side has ended. */
export type Handshake = "done" | "distrusted" | "mute" | "gone";

/** One side of a flow of datagrams as the other sees it. */
export interface DatagramEnd extends Peer {
  readonly id: FlowId;
  readonly peer: Peer;
  usedAt: Instant;
  /** What comes for its pair is its own: its port is bound, and no newer flow has the same pair. */
  readonly hears: boolean;
  /** Who heard the last one sent, and hears the next one without being looked for if he `hears` still. */
  hearer: DatagramEnd | undefined;
}

/** A host as others reach it. */
export interface RemoteHost {
  /** @returns false when nobody listens there: ICMP port unreachable. */
  datagramArrived(sender: DatagramEnd, bytes: Uint8Array): boolean;
  /** @returns this side's end, or undefined when nobody listens. */
  streamArrived(from: RemoteEnd): RemoteEnd | undefined;
}

export interface Surroundings {
  readonly now: Instant;
  readonly network: Network;
  readonly queue: EventQueue;
  after(delayMs: number, happen: () => void): void;
  hostAt(address: string): RemoteHost | undefined;
  answer(node: string, question: Question): { readonly afterMs: number; readonly answer: Answer };
  reported(node: string, event: TraceEvent): void;
  /** A process loses a flow: the other end, the network or the system has ended it. */
  lost(node: string, peer: Peer, cause: LossCause): void;
  /** A process ends a connection by itself, or dies with it: the other end may not hear of it. */
  left(peer: Peer): void;
  /** A process is woken because a timer of its machine is due. */
  rang(): void;
  /** Bytes that a process hands to the network or takes from it. */
  carried(node: string, direction: "in" | "out", peer: Peer, bytes: Uint8Array): void;
}
