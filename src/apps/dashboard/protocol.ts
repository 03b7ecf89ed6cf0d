/**
 * What the page and whoever serves it say to each other: traces with their casts in one direction, commands in the
 * other. The lab speaks it over HTTP, the playground with a worker in the same page.
 */
import type { Deed } from "../scenario/scenario.ts";
import type { TraceRecord } from "../trace/record.ts";

/** One thing to look at: the lab itself, a scenario played beside it, a file. */
export interface TraceHeader {
  /** Unique among the traces of one server. */
  readonly id: string;
  readonly title: string;
  /** Wall clock at instant 0, milliseconds since 1970. */
  readonly epochMs: number;
  readonly servers: readonly ShownServer[];
  readonly phones: readonly ShownPhone[];
  readonly standing: Standing;
  /** Paused: a play waits before its next deed, virtual time stands still. */
  readonly held: boolean;
  /** Its clock is a simulation's: it moves when records are told, and not by itself. */
  readonly virtual: boolean;
  /** Each node has a network of its own: something can befall the way between any two. */
  readonly networked?: boolean;
  /** There is a resolver, which can fail. */
  readonly resolver?: boolean;
  /** Of a simulation that is over: how many times faster than real time it was. */
  readonly speed?: number;
}

/** `live`: commands reach it; `playing`: a scenario under way; the rest are over. */
export type Standing = "live" | "playing" | "passed" | "failed" | "over";

export interface ShownServer {
  readonly name: string;
  readonly role: "working" | "fallback";
  /** It listens for TLS, too: it can show another certificate. */
  readonly tls?: boolean;
  /** Of others, which it is. */
  readonly program?: string;
  /** Why it cannot be told to answer 503; undefined: it can. */
  readonly unmoved?: string;
}

export interface ShownPhone {
  readonly name: string;
  readonly user: string;
  /** As for servers; `sipp` is no phone, but calls by the dozen. */
  readonly program?: string;
  /** Provisioning files, without passwords: decisions name their lines. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** First of all, and again after every reconnection: whatever was known before is void. */
export interface Greeting {
  readonly scenarios: readonly { readonly name: string; readonly title: string }[];
  /** Whether changes need the token. */
  readonly guarded: boolean;
}

export interface RecordBatch {
  readonly trace: string;
  readonly records: readonly TraceRecord[];
  /** Now, in milliseconds of that trace. */
  readonly now: number;
}

/** What the page may ask for. */
export type PageCommand =
  | Deed
  | { readonly do: "play"; readonly scenario: string }
  | { readonly do: "pause" | "resume" | "step"; readonly trace: string };
