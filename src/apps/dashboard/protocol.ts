/**
 * What the page and whoever serves it say to each other: traces with their casts in one direction, commands in the
 * other. The lab speaks it over HTTP, the playground with a worker in the same page.
 */
import type { DnsFault, PhoneCommand, ServerFault } from "../scenario/scenario.ts";
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
  /** Of a simulation that is over: how many times faster than real time it was. */
  readonly speed?: number;
}

/** `live`: commands reach it; `playing`: a scenario under way; the rest are over. */
export type Standing = "live" | "playing" | "passed" | "failed" | "over";

export interface ShownServer {
  readonly name: string;
  readonly role: "working" | "fallback";
}

export interface ShownPhone {
  readonly name: string;
  readonly user: string;
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
  | { readonly do: "fault"; readonly server: string; readonly fault: ServerFault }
  | { readonly do: "dns"; readonly fault: DnsFault }
  | { readonly do: "phone"; readonly phone: string; readonly command: PhoneCommand }
  | { readonly do: "play"; readonly scenario: string }
  | { readonly do: "pause" | "resume" | "step"; readonly trace: string };

/** Whom commands may name. */
export interface CommandScope {
  readonly servers: readonly string[];
  readonly phones: readonly string[];
  readonly scenarios: readonly string[];
}

const LONGEST_DELAY_MS = 60_000;
const LONGEST_RETRY_AFTER = 86_400;
const CALLEE = /^[\w.+*#@:;=-]{1,200}$/;

/** A text if it is no command, saying why. */
export function readCommand(value: unknown, scope: CommandScope): PageCommand | string {
  const said = fieldsOf(value);
  const named = (names: readonly string[], field: string): string | undefined => {
    const name = said[field];
    return typeof name === "string" && names.includes(name) ? name : undefined;
  };
  const verb = said.do;
  switch (verb) {
    case "fault": {
      const server = named(scope.servers, "server");
      const fault = faultOf(said.fault);
      if (server === undefined) return "no such server";
      return fault === undefined ? "no such fault" : { do: verb, server, fault };
    }
    case "dns": {
      const { kind } = fieldsOf(said.fault);
      if (kind !== "silent" && kind !== "servfail" && kind !== "heal") return "no such fault";
      return { do: verb, fault: { kind } };
    }
    case "phone": {
      const phone = named(scope.phones, "phone");
      const command = phoneCommandOf(said.command);
      if (phone === undefined) return "no such phone";
      return command === undefined ? "no such command" : { do: verb, phone, command };
    }
    case "play": {
      const scenario = named(scope.scenarios, "scenario");
      return scenario === undefined ? "no such scenario" : { do: verb, scenario };
    }
    case "pause":
    case "resume":
    case "step":
      return typeof said.trace === "string" ? { do: verb, trace: said.trace } : "no trace named";
    default:
      return "no such command";
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function faultOf(value: unknown): ServerFault | undefined {
  const { kind, retryAfterSeconds, ms } = fieldsOf(value);
  switch (kind) {
    case "kill":
    case "freeze":
    case "revive":
    case "drop":
    case "refuse":
    case "heal":
      return { kind };
    case "answer-503":
      if (retryAfterSeconds === undefined) return { kind, retryAfterSeconds };
      return isWhole(retryAfterSeconds, LONGEST_RETRY_AFTER)
        ? { kind, retryAfterSeconds }
        : undefined;
    case "delay":
      return isWhole(ms, LONGEST_DELAY_MS) ? { kind, ms } : undefined;
    default:
      return undefined;
  }
}

function phoneCommandOf(value: unknown): PhoneCommand | undefined {
  const { kind, to } = fieldsOf(value);
  if (kind === "hangup" || kind === "hold" || kind === "resume") return { kind };
  if (kind !== "call" || typeof to !== "string" || !CALLEE.test(to)) return undefined;
  return { kind, to };
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}
