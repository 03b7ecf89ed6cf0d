/** The order in which SRV records are tried: RFC 2782, or the deterministic reading of some phone makers. */

import { uniform } from "../identifiers.ts";
import type { Entropy } from "../primitives.ts";
import type { ResourceRecord } from "../vocabulary.ts";

export type SrvRecord = Extract<ResourceRecord, { type: "SRV" }>;

/** One record in its place; `drawn` of 0..`sum` where chance decided. */
export interface SrvChoice {
  readonly record: SrvRecord;
  readonly drawn?: number;
  readonly sum?: number;
}

export function orderSrv(
  records: readonly SrvRecord[],
  order: "rfc2782" | "highest-weight-first",
  entropy: Entropy,
): SrvChoice[] {
  if (order === "highest-weight-first") {
    return [...records]
      .sort((a, b) => a.priority - b.priority || b.weight - a.weight)
      .map((record) => ({ record }));
  }
  const choices: SrvChoice[] = [];
  const waiting = [...records].sort((a, b) => a.priority - b.priority);
  for (let start = 0; start < waiting.length; ) {
    const priority = (waiting[start] as SrvRecord).priority;
    let end = start;
    while (waiting[end]?.priority === priority) end += 1;
    drawAll(waiting.slice(start, end), entropy, choices);
    start = end;
  }
  return choices;
}

/** Draws records of one priority until none is left: zero weights first in line, then running sums (RFC 2782). */
function drawAll(records: readonly SrvRecord[], entropy: Entropy, choices: SrvChoice[]): void {
  const line = [
    ...records.filter((record) => record.weight === 0),
    ...records.filter((record) => record.weight !== 0),
  ];
  let sum = line.reduce((total, record) => total + record.weight, 0);
  while (line.length > 1) {
    const drawn = Math.floor(uniform(entropy, 0, sum + 1));
    let index = 0;
    let running = (line[0] as SrvRecord).weight;
    while (running < drawn) {
      index += 1;
      running += (line[index] as SrvRecord).weight;
    }
    const [record] = line.splice(index, 1) as [SrvRecord];
    choices.push({ record, drawn, sum });
    sum -= record.weight;
  }
  if (line[0] !== undefined) choices.push({ record: line[0] });
}
