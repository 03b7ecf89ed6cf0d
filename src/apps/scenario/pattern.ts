/**
 * What a scenario looks for in a trace. An event is written `server.fell-back from=1 to=2`, a message `REGISTER`
 * or `200 REGISTER`; a value may name a place (`target=primary`) wherever the event holds its address.
 */
import type { Delivery } from "../trace/deliveries.ts";
import { field, type Places, type TraceRecord } from "../trace/record.ts";
import type { EventPattern, FieldTest, MessagePattern } from "./scenario.ts";

/** Clocks of two processes agree to about a millisecond: what follows a moment may seem to come before it. */
export const CLOCK_GIVE_MS = 2;

/** Undefined if the text is no pattern. */
export function parseEventPattern(text: string, by: string | undefined): EventPattern | undefined {
  const [event = "", ...rest] = text.trim().split(/\s+/);
  if (!/^[a-z][a-z-]*\.[a-z-]+$/.test(event)) return undefined;
  const tests: FieldTest[] = [];
  for (const part of rest) {
    const match = /^([A-Za-z][\w.-]*)(>=|<=|!=|=)(.+)$/.exec(part);
    if (match === null) return undefined;
    const [, name = "", operator, value = ""] = match;
    tests.push({ field: name, operator: operator as FieldTest["operator"], value });
  }
  return { kind: "event", text: by === undefined ? text : `${by}: ${text}`, event, tests, by };
}

/** Undefined if the text is neither a method nor a status with its method. */
export function parseMessageText(
  text: string,
): Pick<MessagePattern, "method" | "status"> | undefined {
  const match = /^(?:([1-6]\d\d) )?([A-Z]+)$/.exec(text.trim());
  return match === null ? undefined : { status: Number(match[1] ?? 0), method: match[2] as string };
}

export function matchesEvent(pattern: EventPattern, record: TraceRecord, places: Places): boolean {
  if (record.event !== pattern.event) return false;
  if (pattern.by !== undefined && record.node !== pattern.by) return false;
  return pattern.tests.every((test) => holds(test, record, places));
}

function holds(test: FieldTest, record: TraceRecord, places: Places): boolean {
  const value = field(record, test.field);
  switch (test.operator) {
    case "=":
      return value === test.value || places.nameOf(value) === test.value;
    case "!=":
      return value !== test.value && places.nameOf(value) !== test.value;
    case ">=":
      return value !== "" && Number(value) >= Number(test.value);
    default:
      return value !== "" && Number(value) <= Number(test.value);
  }
}

export function matchesDelivery(pattern: MessagePattern, delivery: Delivery): boolean {
  const { method, status } = delivery.seen;
  if (method !== pattern.method || status !== pattern.status) return false;
  if (pattern.from !== undefined && delivery.from !== pattern.from) return false;
  if (pattern.to !== undefined && delivery.to !== pattern.to) return false;
  return pattern.resends || !delivery.again;
}

/** An event as a sequence shows it: its name and the fields asked of it, places by name. */
export function describeEvent(
  record: TraceRecord,
  fields: readonly string[],
  places: Places,
): string {
  const shown = fields.map((name) => {
    const value = field(record, name);
    return `${name}=${places.nameOf(value) ?? value}`;
  });
  return [record.event, ...shown].join(" ");
}
