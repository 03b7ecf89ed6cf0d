/** How each server stands over time, and each phone: read off the events as they come, kept as spans. */
import { field, leavesWell, type Places, type TraceRecord } from "../../../trace/record.ts";

/** `sick`: it lives and does not serve: 503, drops, refuses or is slow. */
export type Health = "up" | "suspect" | "sick" | "frozen" | "down";

export interface Span<State> {
  readonly at: number;
  readonly state: State;
}

/** States in order of time; the last one lasts. */
export class Spans<State> {
  readonly list: Span<State>[] = [];

  set(at: number, state: State): void {
    this.list.push({ at, state });
  }

  get last(): State | undefined {
    return this.list.at(-1)?.state;
  }

  /** The state at an instant; undefined before the first. */
  at(instant: number): State | undefined {
    return this.list[this.indexAt(instant)]?.state;
  }

  indexAt(instant: number): number {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.list[middle] as Span<State>).at <= instant) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

interface ServerState {
  fate: Exclude<Health, "suspect">;
  readonly suspectedBy: Set<string>;
  how: string;
}

const FATES: Readonly<Record<string, Exclude<Health, "suspect">>> = {
  "server.started": "up",
  "server.killed": "down",
  "server.halted": "down",
  "server.frozen": "frozen",
  "server.revived": "up",
  "phone.killed": "down",
  "phone.halted": "down",
  "phone.frozen": "frozen",
  "phone.revived": "up",
  "process.died": "down",
};

/** Servers and whoever else a phone may suspect. */
export class ServerLives {
  readonly #states = new Map<string, ServerState>();
  readonly #spans = new Map<string, Spans<Health>>();
  readonly #places: Places;

  constructor(servers: readonly string[], places: Places) {
    this.#places = places;
    for (const name of servers) {
      this.#states.set(name, { fate: "down", suspectedBy: new Set(), how: "" });
      this.spansOf(name).set(Number.NEGATIVE_INFINITY, "down");
    }
  }

  spansOf(name: string): Spans<Health> {
    let spans = this.#spans.get(name);
    if (spans === undefined) {
      spans = new Spans();
      this.#spans.set(name, spans);
    }
    return spans;
  }

  /** What is known now; somebody never heard of is up. */
  healthOf(name: string): Health {
    return this.#spans.get(name)?.last ?? "up";
  }

  /** What was done to it: `503`, `drop` …; "" if nothing. */
  troubleOf(name: string): string {
    return this.#states.get(name)?.how ?? "";
  }

  serves(name: string): boolean {
    const health = this.healthOf(name);
    return health === "up" || health === "suspect";
  }

  /** Who is known to stand badly or well since this record; undefined: nobody. */
  add(record: TraceRecord): string | undefined {
    const { event } = record;
    if (event === "server.suspected" || event === "server.restored") {
      const name = this.#places.nameOf(field(record, "target")) ?? field(record, "target");
      const { suspectedBy } = this.#stateOf(name);
      if (event === "server.suspected") suspectedBy.add(record.node);
      else suspectedBy.delete(record.node);
      return this.#settle(name, record.at);
    }
    if (event === "server.disturbed") {
      const how = field(record, "how");
      const state = this.#stateOf(record.node);
      state.fate = leavesWell(how) ? "up" : "sick";
      state.how = leavesWell(how) ? "" : how;
      return this.#settle(record.node, record.at);
    }
    const fate = FATES[event];
    if (fate === undefined || (event === "process.died" && !this.#states.has(record.node))) {
      return undefined;
    }
    const state = this.#stateOf(record.node);
    state.fate = fate;
    state.how = "";
    return this.#settle(record.node, record.at);
  }

  #settle(name: string, at: number): string {
    const { fate, suspectedBy } = this.#stateOf(name);
    const health = fate === "up" && suspectedBy.size > 0 ? "suspect" : fate;
    const spans = this.spansOf(name);
    if (spans.last !== health) spans.set(at, health);
    return name;
  }

  #stateOf(name: string): ServerState {
    let state = this.#states.get(name);
    if (state === undefined) {
      state = { fate: "up", suspectedBy: new Set(), how: "" };
      this.#states.set(name, state);
    }
    return state;
  }
}

/** How a phone stands. */
export interface PhoneStanding {
  /** Names of where it is registered, by server entry: `1` → `primary`. */
  readonly registered: ReadonlyMap<string, string>;
  /** Where its last request went well; "" while it is registered nowhere. */
  readonly current: string;
  /** The configured server that works for it, 1-based. */
  readonly workingServer: number;
  /** "", `calling`, `ringing`, `in a call`. */
  readonly call: string;
}

const NOWHERE: PhoneStanding = { registered: new Map(), current: "", workingServer: 1, call: "" };
const CALL_STATES: Readonly<Record<string, string>> = {
  "call.started": "calling",
  "call.ringing": "ringing",
  "call.answered": "in a call",
  "call.held": "in a call, on hold",
  "call.resumed": "in a call",
  "call.ended": "",
};

export class PhoneLives {
  readonly #spans = new Map<string, Spans<PhoneStanding>>();
  readonly #places: Places;

  constructor(phones: readonly string[], places: Places) {
    this.#places = places;
    for (const name of phones) this.#spans.set(name, new Spans());
  }

  get names(): readonly string[] {
    return [...this.#spans.keys()];
  }

  spansOf(name: string): Spans<PhoneStanding> | undefined {
    return this.#spans.get(name);
  }

  standingOf(name: string): PhoneStanding {
    return this.#spans.get(name)?.last ?? NOWHERE;
  }

  /** The phone whose standing changed; undefined: none. A node that registers is a phone, named before or not. */
  add(record: TraceRecord): string | undefined {
    if (record.event === "registration.accepted" && !this.#spans.has(record.node)) {
      this.#spans.set(record.node, new Spans());
    }
    const spans = this.#spans.get(record.node);
    if (spans === undefined) return undefined;
    const before = spans.last ?? NOWHERE;
    const after = this.#after(before, record);
    if (after === before) return undefined;
    spans.set(record.at, after);
    return record.node;
  }

  #after(before: PhoneStanding, record: TraceRecord): PhoneStanding {
    const { event } = record;
    const server = field(record, "server");
    const call = CALL_STATES[event];
    if (call !== undefined) return call === before.call ? before : { ...before, call };
    switch (event) {
      case "registration.accepted": {
        const target = this.#nameOf(record, "target");
        if (before.registered.get(server) === target && before.current !== "") return before;
        const registered = new Map(before.registered).set(server, target);
        return { ...before, registered, current: currentOf(registered, before.workingServer) };
      }
      case "registration.failed":
      case "registration.removed": {
        if (!before.registered.has(server)) return before;
        const registered = new Map(before.registered);
        registered.delete(server);
        return { ...before, registered, current: currentOf(registered, before.workingServer) };
      }
      case "server.fell-back":
      case "server.failed-back": {
        const workingServer = Number(record.to) || before.workingServer;
        const { registered } = before;
        return { ...before, workingServer, current: currentOf(registered, workingServer) };
      }
      case "process.died":
      case "phone.killed":
      case "phone.halted":
      case "phone.stopped":
        return NOWHERE;
      default:
        return before;
    }
  }

  #nameOf(record: TraceRecord, name: string): string {
    const place = field(record, name);
    return this.#places.nameOf(place) ?? place;
  }
}

/** The working server's, or any other that is left. */
function currentOf(registered: ReadonlyMap<string, string>, workingServer: number): string {
  return registered.get(String(workingServer)) ?? [...registered.values()][0] ?? "";
}
