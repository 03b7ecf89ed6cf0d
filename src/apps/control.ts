/**
 * Commands to a running phone or server (`--control`): one JSON object a line on its standard input, as
 * `{"do":"call","to":"sip:2002@lab.test"}`. Each is answered by an event, `command.obeyed` or `command.refused`, with
 * its `id` if it has one. When the input ends, whoever started the process is gone.
 */
import type { Readable } from "node:stream";
import type { TraceEvent } from "../core/vocabulary.ts";

export interface Control {
  readonly do: string;
  readonly [field: string]: unknown;
}

export interface ControlUser {
  obey(control: Control): void;
  /** A line that is no command. */
  refused(why: string): void;
  /** The input is at its end: the process should stop. */
  ended(): void;
}

/** A longer line is refused, so that nobody fills the memory. */
const MAX_LINE_CHARACTERS = 65_536;

/** Reads until the input ends; the function returned stops reading without telling `ended`. */
export function readControl(input: Readable, user: ControlUser): () => void {
  let held = "";
  const onData = (chunk: string): void => {
    held += chunk;
    const lines = held.split("\n");
    held = lines.pop() as string;
    for (const line of lines) if (line.trim() !== "") obeyLine(line, user);
    if (held.length > MAX_LINE_CHARACTERS) {
      user.refused(`a line is longer than ${MAX_LINE_CHARACTERS} characters`);
      held = "";
    }
  };
  const onEnd = (): void => user.ended();
  input.setEncoding("utf8");
  input.on("data", onData);
  input.once("end", onEnd);
  input.once("error", onEnd);
  return () => {
    input.off("data", onData);
    input.off("end", onEnd);
    input.pause();
  };
}

function obeyLine(line: string, user: ControlUser): void {
  const control = parseControl(line);
  if (control === undefined) user.refused(`no command: ${line.slice(0, 200)}`);
  else user.obey(control);
}

/** Undefined if the line is no object with a `do`. */
export function parseControl(line: string): Control | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const named = typeof value === "object" && value !== null && "do" in value;
    return named && typeof value.do === "string" ? (value as Control) : undefined;
  } catch {
    // Not JSON: told as refused by the caller.
    return undefined;
  }
}

/** Reported in one breath with the deed: from this instant on its effects are to be looked for. */
export function obeyedEvent(control: Control): TraceEvent {
  return { event: "command.obeyed", ...nameOf(control) };
}

export function refusedEvent(control: Control, why: string): TraceEvent {
  return { event: "command.refused", ...nameOf(control), why };
}

/** A line that is no command has neither `do` nor `id` that could be repeated. */
export function unreadEvent(why: string): TraceEvent {
  return { event: "command.refused", why };
}

function nameOf(control: Control): { do: string; id?: number } {
  const { do: deed, id } = control;
  return typeof id === "number" ? { do: deed, id } : { do: deed };
}

/** A number field of a command, or `otherwise`. */
export function controlNumber(control: Control, name: string, otherwise: number): number {
  const value = control[name];
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}

/** A text field of a command, or `otherwise`. */
export function controlText(control: Control, name: string, otherwise: string): string {
  const value = control[name];
  return typeof value === "string" ? value : otherwise;
}
