/** How every phone and server stands now, read off the events: one line each below the ladder. */
import type { Paint } from "../trace/canvas.ts";
import { CanvasRow, type Tone } from "../trace/canvas.ts";
import { field, leavesWell, Places, type TraceRecord } from "../trace/record.ts";

/** After any other event of a call there is one. */
const CALL_WORDS: Readonly<Record<string, string>> = {
  started: "calling",
  ringing: "ringing",
  ended: "",
};

interface PhoneState {
  /** By server index: the target's name where registered. */
  readonly registered: Map<string, string>;
  /** Where the last request went well. */
  current: string;
  call: string;
}

export class StatusBoard {
  readonly #places: Places = new Places([]);
  readonly #phones = new Map<string, PhoneState>();
  readonly #servers = new Map<string, string>();

  constructor(phones: readonly string[], servers: readonly string[]) {
    for (const name of phones) {
      this.#phones.set(name, { registered: new Map(), current: "", call: "" });
    }
    for (const name of servers) this.#servers.set(name, "down");
  }

  add(record: TraceRecord): void {
    this.#places.add(record);
    const phone = this.#phones.get(record.node);
    if (phone !== undefined) this.#phoneEvent(phone, record);
    else if (this.#servers.has(record.node)) this.#serverEvent(record);
  }

  stateOf(server: string): string {
    return this.#servers.get(server) ?? "";
  }

  lines(paint: Paint, width: number): string[] {
    const servers = [...this.#servers].map(([name, state], index) => {
      const tone: Tone = state === "up" ? "good" : "bad";
      return row(width, ` [${index + 1}] ${name.padEnd(10)}`, state, tone).paint(paint);
    });
    const phones = [...this.#phones].map(([name, state]) => {
      const where = [...state.registered].map(([server, target]) => `${server}: ${target}`);
      const registered = where.length === 0 ? "not registered" : `registered ${where.join(", ")}`;
      const current = state.current === "" ? "" : `  current target ${state.current}`;
      const call = state.call === "" ? "" : `  ${state.call}`;
      const tone: Tone = where.length === 0 ? "bad" : "good";
      return row(width, ` ☎   ${name.padEnd(10)}`, registered + current + call, tone).paint(paint);
    });
    return [...servers, ...phones];
  }

  #phoneEvent(phone: PhoneState, record: TraceRecord): void {
    const target = field(record, "target");
    const name = this.#places.nameOf(target) ?? target;
    const server = field(record, "server");
    const [noun, verb] = record.event.split(".");
    if (record.event === "registration.accepted") {
      phone.registered.set(server, name);
      phone.current = name;
    } else if (noun === "registration") phone.registered.delete(server);
    else if (record.event === "request.failed-over") {
      phone.current = this.#places.nameOf(field(record, "to")) ?? field(record, "to");
    } else if (noun === "call" && verb !== undefined) {
      phone.call = CALL_WORDS[verb] ?? "in a call";
    }
  }

  #serverEvent(record: TraceRecord): void {
    const states: Readonly<Record<string, string>> = {
      "server.started": "up",
      "server.killed": "killed",
      "server.halted": "stopped",
      "server.frozen": "frozen",
      "server.revived": "up",
      "process.died": "died",
    };
    const how = field(record, "how");
    const state = states[record.event] ?? (leavesWell(how) ? "up" : how);
    if (state !== "") this.#servers.set(record.node, state);
  }
}

function row(width: number, head: string, text: string, tone: Tone): CanvasRow {
  return new CanvasRow(width).put(0, head, "bold").put(head.length + 1, text, tone);
}
