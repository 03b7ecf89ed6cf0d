/**
 * The traces that can be looked at, and who looks. Every watcher reads at its own pace from the one list of records,
 * so a slow one costs nothing but its place in it.
 */
import type { TraceRecord } from "../trace/record.ts";
import { MAX_TRACE_RECORDS, MAX_TRACES } from "./limits.ts";
import type { RecordBatch, TraceHeader } from "./protocol.ts";

/** Records of one batch. */
const BATCH = 2_000;

/** One trace that grows. */
export class FeedTrace {
  readonly records: TraceRecord[] = [];
  readonly #changed: () => void;
  readonly #clock: () => number;
  #header: TraceHeader;
  /** Rises with each change of the header. */
  edition = 1;

  constructor(header: TraceHeader, clock: () => number, changed: () => void) {
    this.#header = header;
    this.#clock = clock;
    this.#changed = changed;
  }

  get header(): TraceHeader {
    return this.#header;
  }

  get now(): number {
    return this.#clock();
  }

  get over(): boolean {
    return ["passed", "failed", "over"].includes(this.#header.standing);
  }

  add(record: TraceRecord): void {
    if (this.records.length >= MAX_TRACE_RECORDS) return;
    this.records.push(record);
    this.#changed();
  }

  update(changes: Partial<Pick<TraceHeader, "standing" | "epochMs" | "held">>): void {
    this.#header = { ...this.#header, ...changes };
    this.edition += 1;
    this.#changed();
  }
}

export type FeedNews =
  | { readonly kind: "trace"; readonly data: TraceHeader }
  | { readonly kind: "records"; readonly data: RecordBatch };

export class Feed {
  readonly #traces: FeedTrace[] = [];
  readonly #watchers = new Set<Watcher>();
  #numbers = 0;

  /** @param clock tells now in the trace's own milliseconds. */
  open(header: Omit<TraceHeader, "id">, clock: () => number): FeedTrace {
    this.#numbers += 1;
    const id = `t${this.#numbers}`;
    const trace = new FeedTrace({ ...header, id }, clock, () => this.#changed());
    if (this.#traces.length >= MAX_TRACES) this.#forgetOne();
    this.#traces.push(trace);
    this.#changed();
    return trace;
  }

  get traces(): readonly FeedTrace[] {
    return this.#traces;
  }

  get watching(): number {
    return this.#watchers.size;
  }

  watch(): Watcher {
    const watcher = new Watcher(this, () => this.#watchers.delete(watcher));
    this.#watchers.add(watcher);
    return watcher;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #forgetOne(): void {
    const index = this.#traces.findIndex((trace) => trace.over);
    if (index >= 0) this.#traces.splice(index, 1);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher.wake();
  }
}

/** One page's place in everything. */
export class Watcher {
  readonly #feed: Feed;
  readonly #left: () => void;
  readonly #seen = new Map<FeedTrace, { edition: number; records: number }>();
  #wake: () => void = () => undefined;
  #stale = true;
  closed = false;

  constructor(feed: Feed, left: () => void) {
    this.#feed = feed;
    this.#left = left;
  }

  wake(): void {
    this.#stale = true;
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.#left();
    this.wake();
  }

  /** Resolves when there may be news. */
  async news(): Promise<readonly FeedNews[]> {
    if (!this.#stale) {
      await new Promise<void>((done) => {
        this.#wake = done;
      });
    }
    this.#stale = false;
    return this.closed ? [] : this.#feed.traces.flatMap((trace) => this.#newsOf(trace));
  }

  #newsOf(trace: FeedTrace): FeedNews[] {
    const seen = this.#seen.get(trace) ?? { edition: 0, records: 0 };
    const news: FeedNews[] = [];
    if (seen.edition < trace.edition) news.push({ kind: "trace", data: trace.header });
    const records = trace.records.slice(seen.records, seen.records + BATCH);
    if (records.length > 0) {
      news.push({ kind: "records", data: { trace: trace.header.id, records, now: trace.now } });
    }
    const told = seen.records + records.length;
    if (told < trace.records.length) this.#stale = true;
    this.#seen.set(trace, { edition: trace.edition, records: told });
    return news;
  }
}
