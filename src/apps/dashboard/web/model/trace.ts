/** A trace as the page keeps it: rows in order of time, who is there, how everybody stands. It only grows. */
import type { Delivery } from "../../../trace/deliveries.ts";
import { eventRow, type LadderRow, messageRow } from "../../../trace/ladder-rows.ts";
import { Places, type TraceRecord } from "../../../trace/record.ts";
import { Registrations } from "../../../trace/registrations.ts";
import type { TraceHeader } from "../../protocol.ts";
import { Joiner } from "./joiner.ts";
import { PhoneLives, ServerLives } from "./lives.ts";
import { Outages } from "./outages.ts";
import { Troubles } from "./troubles.ts";

export interface Row {
  readonly at: number;
  readonly record: TraceRecord;
  /** Of a message. */
  readonly delivery: Delivery | undefined;
  /** Of anything else. */
  readonly note: LadderRow | undefined;
}

/** A message may be under way for so long before it counts as lost, in milliseconds. */
const UNDER_WAY_MS = 400;
/** Up to so many rows are put in their place one by one; more are sorted. */
const FEW = 4_000;
const MESSAGES: readonly string[] = ["message.sent", "message.received", "message.captured"];

export class Trace {
  header: TraceHeader;
  readonly records: TraceRecord[] = [];
  readonly rows: Row[] = [];
  readonly places: Places = new Places([]);
  readonly servers: ServerLives;
  readonly phones: PhoneLives;
  readonly outages: Outages;
  readonly troubles: Troubles = new Troubles();
  readonly #joiner = new Joiner(this.places);
  readonly #registrations = new Registrations();
  readonly #traced = new Set<string>();
  readonly #strangers = new Set<string>();
  #told = 0;
  #toldAt = 0;
  /** Rises with every change. */
  edition = 0;

  constructor(header: TraceHeader) {
    this.header = header;
    this.servers = new ServerLives(
      header.servers.map(({ name }) => name),
      this.places,
    );
    this.phones = new PhoneLives(
      header.phones.map(({ name }) => name),
      this.places,
    );
    this.outages = new Outages(this.servers, this.phones);
  }

  /** Opened here, by somebody who wants it whoever serves the page. */
  get isFile(): boolean {
    return this.header.id.startsWith("file-");
  }

  /** Commands reach it, or it still grows. */
  get running(): boolean {
    return ["live", "playing"].includes(this.header.standing);
  }

  /** @param now of the trace's own clock when these were told, in milliseconds. */
  append(records: readonly TraceRecord[], now: number): void {
    const fresh: Row[] = [];
    for (const record of records) {
      this.records.push(record);
      const row = this.#rowOf(record);
      if (row !== undefined) fresh.push(row);
    }
    this.#place(fresh);
    this.#told = now;
    this.#toldAt = performance.now();
    this.edition += 1;
  }

  update(header: TraceHeader): void {
    this.header = header;
    this.edition += 1;
  }

  /** Now on the trace's clock; what is over stands still. */
  get now(): number {
    if (!this.running) return this.rows.at(-1)?.at ?? 0;
    return this.header.virtual ? this.#told : this.#told + performance.now() - this.#toldAt;
  }

  /** Named places in order, then strangers as they appeared. */
  get lifelines(): readonly string[] {
    return [...this.places.names, ...this.#strangers];
  }

  isLost({ arrivedAt, to, at }: Delivery): boolean {
    if (arrivedAt !== undefined || !this.#traced.has(to)) return false;
    return !this.running || this.now - at > UNDER_WAY_MS;
  }

  /** What a ladder draws of a row. */
  drawn(row: Row): LadderRow {
    if (row.note !== undefined) return row.note;
    const delivery = row.delivery as Delivery;
    delivery.lost = this.isLost(delivery);
    return messageRow(delivery);
  }

  #rowOf(record: TraceRecord): Row | undefined {
    this.places.add(record);
    if (MESSAGES.includes(record.event)) return this.#messageRow(record);
    if (record.event === "place.named") this.#traced.add(String(record.name));
    const server = this.servers.add(record);
    const phone = this.phones.add(record);
    this.outages.add(record, server, phone);
    this.troubles.add(record);
    const note = eventRow(record, this.places, this.#registrations);
    return note === undefined ? undefined : { at: record.at, record, delivery: undefined, note };
  }

  #messageRow(record: TraceRecord): Row | undefined {
    if (record.event !== "message.captured") this.#traced.add(record.node);
    const delivery = this.#joiner.add(record);
    if (delivery === undefined) return undefined;
    for (const name of [delivery.from, delivery.to]) {
      if (!this.#strangers.has(name) && !this.places.names.includes(name))
        this.#strangers.add(name);
    }
    return { at: record.at, record, delivery, note: undefined };
  }

  #place(fresh: readonly Row[]): void {
    const { rows } = this;
    if (fresh.length > FEW) {
      for (const row of fresh) rows.push(row);
      rows.sort((a, b) => a.at - b.at);
      return;
    }
    for (const row of fresh) {
      let index = rows.length;
      while (index > 0 && (rows[index - 1] as Row).at > row.at) index -= 1;
      if (index === rows.length) rows.push(row);
      else rows.splice(index, 0, row);
    }
  }
}
