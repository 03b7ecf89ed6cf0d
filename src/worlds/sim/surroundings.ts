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
  readonly transport: string;
  readonly local: string;
  readonly remote: string;
  readonly text: string;
}

/** One end of a stream: who has it and under which number. */
export interface StreamEnd {
  readonly host: RemoteHost;
  readonly flow: FlowId;
}

/** A host as others reach it. */
export interface RemoteHost {
  /** @returns false when nobody listens there: ICMP port unreachable. */
  datagramArrived(sender: Peer, bytes: Uint8Array): boolean;
  /** @returns the new end, or undefined when nobody listens. */
  streamArrived(from: StreamEnd, peer: Peer): StreamEnd | undefined;
  streamBytes(flow: FlowId, bytes: Uint8Array): void;
  ended(flow: FlowId, cause: LossCause): void;
}

export interface Surroundings {
  readonly now: Instant;
  readonly network: Network;
  readonly queue: EventQueue;
  after(delayMs: number, happen: () => void): void;
  hostAt(address: string): RemoteHost | undefined;
  answer(question: Question): { readonly afterMs: number; readonly answer: Answer };
  reported(node: string, event: TraceEvent): void;
  /** Undefined: nobody looks. */
  readonly onMessage: ((message: SimulatedMessage) => void) | undefined;
}
