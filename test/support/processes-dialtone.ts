/** `dialtone phone` and `dialtone serve` as processes of an interop test: their events, and commands to them. */
import { join } from "node:path";
import { readable } from "../../src/apps/output.ts";
import type { Household, Running } from "./processes.ts";

export const CLI: string = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

export interface DialtoneEvent {
  /** Milliseconds since the process started. */
  readonly at: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A SIP message it sent or received. */
export interface SipMessage {
  /** Its place among all events. */
  readonly index: number;
  readonly at: number;
  /** `udp:127.0.0.13:5060`. */
  readonly peer: string;
  readonly startLine: string;
  readonly text: string;
}

/** What fields an event must have; a pattern for a string. */
export type Wanted = Readonly<Record<string, string | number | boolean | RegExp>>;

export class Dialtone {
  readonly process: Running;
  #read = 0;
  readonly #events: DialtoneEvent[] = [];

  constructor(household: Household, name: string, args: readonly string[]) {
    const flags = ["--json", "--trace", "--control"];
    const program = [`--tls-keylog=${household.keyLog}`, CLI];
    this.process = household.spawn(name, process.execPath, [...program, ...args, ...flags], shown);
  }

  /** All so far, oldest first. */
  get events(): readonly DialtoneEvent[] {
    const { lines } = this.process;
    for (; this.#read < lines.length; this.#read += 1) {
      const line = lines[this.#read] as string;
      if (line.startsWith("{")) this.#events.push(JSON.parse(line) as DialtoneEvent);
    }
    return this.#events;
  }

  /** Where the record stands now: what is asked for from here on came later. */
  get mark(): number {
    return this.events.length;
  }

  /** Waits for the first event after `from` that is wanted. */
  event(name: string, wanted: Wanted = {}, from = 0, patienceMs?: number): Promise<DialtoneEvent> {
    const fields = Object.entries(wanted).map(([key, value]) => `${key} ${String(value)}`);
    return this.process.until(
      `${name} {${fields.join(", ")}}`,
      () => this.all(name, wanted, from)[0],
      patienceMs,
    );
  }

  /** Those seen so far. */
  all(name: string, wanted: Wanted = {}, from = 0): DialtoneEvent[] {
    return this.events.slice(from).filter((event) => event.event === name && fits(event, wanted));
  }

  /** Messages seen so far whose first line begins with `start`. */
  messages(direction: "sent" | "received", start: string, from = 0): SipMessage[] {
    return this.events.flatMap((event, index) => {
      if (index < from || event.event !== `message.${direction}`) return [];
      const message = messageOf(event, index);
      return message.startLine.startsWith(start) ? [message] : [];
    });
  }

  command(control: Readonly<Record<string, unknown>>): void {
    this.process.write(`${JSON.stringify(control)}\n`);
  }

  /** Hangs up, unregisters, ends: resolves with the exit code. */
  async stop(): Promise<number | null | undefined> {
    this.command({ do: "stop" });
    await this.process.exited;
    return this.process.exitCode;
  }
}

function fits(event: DialtoneEvent, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const found = event[key];
    return value instanceof RegExp ? value.test(String(found)) : found === value;
  });
}

/** An event as people read it; of a message its first line. */
function shown(line: string): string {
  if (!line.startsWith("{")) return line;
  const { time: _time, node: _node, data, ...event } = JSON.parse(line) as DialtoneEvent;
  const text = data === undefined ? "" : Buffer.from(String(data), "base64").toString("latin1");
  return `${readable({ ...event, time: "", node: "" })} ${text.slice(0, text.indexOf("\r\n"))}`;
}

function messageOf(event: DialtoneEvent, index: number): SipMessage {
  const text = Buffer.from(String(event.data), "base64").toString("latin1");
  return {
    index,
    at: event.at,
    peer: `${String(event.transport)}:${String(event.remote)}`,
    startLine: text.slice(0, text.indexOf("\r\n")),
    text,
  };
}
