/**
 * The judge: from a scenario and the trace of a play, whatever the world it was played in, to a verdict. Pure.
 * Expectations are taken in the order of the file, so that one may name a moment for those after it.
 */
import { type Delivery, deliveries } from "../trace/deliveries.ts";
import { field, Places, type TraceRecord } from "../trace/record.ts";
import { Registrations } from "../trace/registrations.ts";
import { describeDemand, meetDemand } from "./demand.ts";
import { CLOCK_GIVE_MS, describeEvent, matchesDelivery, matchesEvent } from "./pattern.ts";
import type { EventPattern, Expectation, Scenario, Sequence, Sought } from "./scenario.ts";
import { SEQUENCE_EVENTS } from "./scenario.ts";
import type { Failure, Figure, Verdict } from "./verdict.ts";

export function judge(scenario: Scenario, trace: readonly TraceRecord[]): Verdict {
  const bench = new Bench(scenario, trace);
  const figures: Figure[] = [];
  const failures: Failure[] = [...bench.accidents()];
  for (const expectation of scenario.expectations) {
    const { figure, failure } = bench.weigh(expectation);
    if (figure !== undefined) figures.push(figure);
    if (failure !== undefined) failures.push(failure);
  }
  failures.push(...scenario.sequences.flatMap((sequence) => bench.compare(sequence)));
  return {
    scenario: scenario.name,
    title: scenario.title,
    passed: failures.length === 0,
    lastedMs: bench.lastedMs,
    figures,
    failures,
  };
}

class Bench {
  readonly #scenario: Scenario;
  readonly #trace: readonly TraceRecord[];
  /** Until the end of the play: how everybody is sent home is no part of it. */
  readonly #records: readonly TraceRecord[];
  readonly #places: Places;
  readonly #deliveries: readonly Delivery[];
  readonly #moments = new Map<string, number>();

  constructor(scenario: Scenario, trace: readonly TraceRecord[]) {
    this.#scenario = scenario;
    for (const record of trace) {
      if (record.event === "moment.reached") this.#moments.set(field(record, "name"), record.at);
    }
    this.#trace = trace;
    const end = this.#moments.get("end") ?? Number.POSITIVE_INFINITY;
    this.#records = trace.filter((record) => record.at <= end).sort((a, b) => a.at - b.at);
    this.#places = new Places(trace);
    this.#deliveries = deliveries(this.#records, this.#places);
  }

  get lastedMs(): number {
    return (this.#moments.get("end") ?? 0) - (this.#moments.get("start") ?? 0);
  }

  /** What no scenario allows: a step that waited in vain, a process that died by itself or would not end. */
  accidents(): Failure[] {
    return this.#trace.flatMap((record) => {
      if (record.event === "scenario.stalled") {
        const where = this.#where(Number(record.line));
        return [{ where, expected: field(record, "step"), seen: this.#lately(record.at) }];
      }
      const where = this.#scenario.file;
      if (record.event === "process.died") {
        const seen = `${record.node} died: ${field(record, "why")}`;
        return [{ where, expected: `${record.node} goes on running`, seen }];
      }
      if (record.event === "stage.closed" && Number(record.left) > 0) {
        const seen = `${field(record, "left")} left: ${field(record, "who")}`;
        return [{ where, expected: "no process is left", seen }];
      }
      return [];
    });
  }

  weigh(expectation: Expectation): { figure?: Figure; failure?: Failure } {
    const { sought, since, until, demand, mark, figure: label } = expectation;
    const expected = `${sought.text} ${describeDemand(demand)} after ${since}`;
    const where = this.#where(expectation.line);
    const from = this.#moments.get(since);
    const to = until === undefined ? Number.POSITIVE_INFINITY : this.#moments.get(until);
    if (from === undefined || to === undefined) {
      const missing = from === undefined ? since : until;
      return { failure: { where, expected, seen: `the moment ${missing} never came` } };
    }
    const instants = this.#instants(sought)
      .filter((at) => at >= from - CLOCK_GIVE_MS && at < to - CLOCK_GIVE_MS)
      .map((at) => Math.max(0, at - from));
    const met = meetDemand(demand, instants);
    const first = met.values[0];
    if (mark !== undefined && instants[0] !== undefined && demand.kind !== "never") {
      this.#moments.set(mark, from + (demand.kind === "at" ? (first ?? 0) : instants[0]));
    }
    return {
      ...(label === undefined ? {} : { figure: { label, values: met.values, text: met.text } }),
      ...(met.met ? {} : { failure: { where, expected, seen: met.seen } }),
    };
  }

  /** The decisions of one node, renewals apart and repeats counted once, must be exactly those listed. */
  compare(sequence: Sequence): Failure[] {
    const fields = new Map<string, string[]>();
    for (const pattern of sequence.events) {
      const names = pattern.tests.map((test) => test.field);
      fields.set(pattern.event, [...new Set([...(fields.get(pattern.event) ?? []), ...names])]);
    }
    const seen: { text: string; record: TraceRecord }[] = [];
    const registrations = new Registrations();
    for (const record of this.#records) {
      if (record.node !== sequence.node || registrations.renews(record)) continue;
      if (!SEQUENCE_EVENTS.includes(record.event)) continue;
      if (sequence.leavingOut.includes(record.event)) continue;
      const text = describeEvent(record, fields.get(record.event) ?? [], this.#places);
      if (text !== seen.at(-1)?.text) seen.push({ text, record });
    }
    const matches = (pattern: EventPattern | undefined, record: TraceRecord | undefined): boolean =>
      pattern !== undefined && record !== undefined && matchesEvent(pattern, record, this.#places);
    const length = Math.max(seen.length, sequence.events.length);
    for (let index = 0; index < length; index += 1) {
      const pattern = sequence.events[index];
      if (matches(pattern, seen[index]?.record)) continue;
      const place = `as decision ${index + 1} of ${sequence.node}`;
      const all = seen.map((one) => one.text).join(", ");
      return [
        {
          where: this.#where(sequence.line),
          expected: `${pattern?.text ?? "nothing more"} ${place}`,
          seen: `${seen[index]?.text ?? "nothing"} (all: ${all})`,
        },
      ];
    }
    return [];
  }

  #instants(sought: Sought): number[] {
    return sought.kind === "message"
      ? this.#deliveries.filter((one) => matchesDelivery(sought, one)).map((one) => one.at)
      : this.#records.filter((one) => matchesEvent(sought, one, this.#places)).map((one) => one.at);
  }

  #where(line: number): string {
    return `${this.#scenario.file}:${line}`;
  }

  /** The last few decisions before an instant. */
  #lately(until: number): string {
    const decisions = this.#records.filter(
      (record) => record.at <= until && SEQUENCE_EVENTS.includes(record.event),
    );
    const last = decisions.slice(-4).map((record) => {
      const about = describeEvent(
        record,
        ["target", "why"].filter((name) => name in record),
        this.#places,
      );
      return `${((record.at - (this.#moments.get("start") ?? 0)) / 1000).toFixed(2)} s ${record.node} ${about}`;
    });
    return last.length === 0 ? "no decision at all" : last.join("; ");
  }
}
