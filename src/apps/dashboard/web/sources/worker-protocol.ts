/** What the playground's page and its worker say to each other. */
import type { Verdict } from "../../../scenario/verdict.ts";
import type { PageCommand, RecordBatch, ShownPhone, TraceHeader } from "../../protocol.ts";

/** Everything that a run depends on: equal conditions give equal runs. */
export interface Conditions {
  /** A scenario file. */
  readonly scenario: { readonly name: string; readonly text: string };
  /** By phone: files instead of the scenario's own. */
  readonly files: Readonly<Record<string, ShownPhone["files"]>>;
  /** Share of datagrams that never arrive, 0..1. */
  readonly loss: number;
  /** One way, milliseconds. */
  readonly latencyMs: number;
  readonly seed: number;
  /** Virtual seconds for each real one; Infinity: as fast as it can be computed. */
  readonly speed: number;
}

export type ToWorker =
  | { readonly kind: "load"; readonly conditions: Conditions }
  | { readonly kind: "speed"; readonly speed: number }
  | { readonly kind: "command"; readonly number: number; readonly command: PageCommand };

/** What is wrong, or unwise, with a file. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly key: string;
  readonly severity: string;
  readonly wrong: string;
  readonly remedy: string;
}

export type FromWorker =
  | { readonly kind: "trace"; readonly header: TraceHeader }
  | { readonly kind: "records"; readonly batch: RecordBatch }
  | { readonly kind: "findings"; readonly findings: readonly Finding[] }
  | { readonly kind: "judged"; readonly verdict: Verdict }
  | { readonly kind: "answer"; readonly number: number; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };
