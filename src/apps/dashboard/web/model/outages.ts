/** How long each phone was without a server that serves it, and how long its calls took: figures as they happen. */
import { field, type TraceRecord } from "../../../trace/record.ts";
import type { PhoneLives, ServerLives } from "./lives.ts";

export interface Outage {
  readonly phone: string;
  /** When the server it was registered at stopped serving, or when it lost its registration. */
  readonly since: number;
  /** When it was registered at one that serves; undefined: not yet. */
  until: number | undefined;
  /** Where it was before, and where it came to. */
  readonly from: string;
  to: string;
  /** `killed`, `frozen`, `answers 503` …: what befell the server. */
  readonly why: string;
}

export interface CallDelay {
  readonly phone: string;
  readonly peer: string;
  readonly since: number;
  /** When it was answered; undefined: not yet, or never. */
  until: number | undefined;
  /** How it ended without an answer; "" while it may still be answered. */
  failed: string;
}

/** Kept of each; a trace of 100,000 events of a flapping server has some thousands. */
const MOST_FIGURES = 50_000;

export class Outages {
  readonly outages: Outage[] = [];
  readonly calls: CallDelay[] = [];
  readonly #open = new Map<string, Outage>();
  readonly #dialled = new Map<string, CallDelay>();
  readonly #servers: ServerLives;
  readonly #phones: PhoneLives;

  constructor(servers: ServerLives, phones: PhoneLives) {
    this.#servers = servers;
    this.#phones = phones;
  }

  /** After the lives have taken the record. */
  add(record: TraceRecord, server: string | undefined, phone: string | undefined): void {
    if (phone !== undefined) {
      this.#look(phone, record);
      this.#listen(record);
    }
    if (server === undefined) return;
    for (const name of this.#phones.names) {
      const { registered } = this.#phones.standingOf(name);
      if (registered.size > 0) this.#look(name, record);
    }
  }

  #look(phone: string, record: TraceRecord): void {
    const standing = this.#phones.standingOf(phone);
    const serving = [...standing.registered.values()].find((name) => this.#servers.serves(name));
    const open = this.#open.get(phone);
    if (serving !== undefined && open !== undefined) {
      open.until = record.at;
      open.to = standing.current;
      this.#open.delete(phone);
    } else if (serving === undefined && open === undefined && this.#phoneWasServed(phone, record)) {
      const from = standing.current === "" ? this.#lastPlace(phone) : standing.current;
      const why = whyOf(record);
      const outage: Outage = { phone, since: record.at, until: undefined, from, to: "", why };
      this.#open.set(phone, outage);
      if (this.outages.length < MOST_FIGURES) this.outages.push(outage);
    }
  }

  /** Leaving in order is no outage. */
  #phoneWasServed(phone: string, record: TraceRecord): boolean {
    if (record.event === "registration.removed" || record.event === "phone.stopped") return false;
    return this.#lastPlace(phone) !== "" || this.#phones.standingOf(phone).registered.size > 0;
  }

  #lastPlace(phone: string): string {
    const spans = this.#phones.spansOf(phone)?.list ?? [];
    return spans.findLast(({ state }) => state.current !== "")?.state.current ?? "";
  }

  #listen(record: TraceRecord): void {
    const key = `${record.node} ${field(record, "call")}`;
    const delay = this.#dialled.get(key);
    if (record.event === "call.started" && field(record, "direction") !== "incoming") {
      const [phone, peer] = [record.node, field(record, "peer")];
      const started: CallDelay = { phone, peer, since: record.at, until: undefined, failed: "" };
      this.#dialled.set(key, started);
      if (this.calls.length < MOST_FIGURES) this.calls.push(started);
    } else if (record.event === "call.answered" && delay !== undefined) {
      delay.until = record.at;
      this.#dialled.delete(key);
    } else if (record.event === "call.ended" && delay !== undefined) {
      delay.failed = field(record, "why") || "ended";
      this.#dialled.delete(key);
    }
  }
}

function whyOf(record: TraceRecord): string {
  if (record.event === "server.disturbed") return field(record, "how");
  const [, verb = ""] = record.event.split(".");
  const why = field(record, "why");
  return why === "" ? verb.replaceAll("-", " ") : why;
}
