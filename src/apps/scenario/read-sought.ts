/** Reads what a scenario looks for: an event with who reports it, or a message with its two ends. */
import { parseEventPattern, parseMessageText } from "./pattern.ts";
import type { EventPattern, ServerFault, Sought } from "./scenario.ts";
import type { Item, Table } from "./yaml-reader.ts";

/** Who can be named. */
export interface Names {
  readonly servers: readonly string[];
  readonly phones: readonly string[];
  readonly loads: readonly string[];
  /** Those of the servers and phones that are of another make. */
  readonly guests: ReadonlySet<string>;
  /** What those can be told beside what befalls their processes and ways. */
  readonly obeys: ReadonlyMap<string, readonly ServerFault["kind"][]>;
  /** A relay stands between any two. */
  readonly networked: boolean;
}

export const SOUGHT_KEYS: readonly string[] = ["event", "by", "message", "from", "to", "resends"];

/** `event:` with `by:`, or `message:` with `from:` and `to:`. */
export function readSought(fields: Table, names: Names): Sought | undefined {
  const nodes = [...names.phones, ...names.servers, ...names.loads];
  const event = fields.take("event");
  const message = fields.take("message");
  if (event !== undefined && message !== undefined) {
    return fields.item.wrong("seeks two things", "write either event or message");
  }
  if (event !== undefined) {
    const by = fields.take("by")?.oneOf([...nodes, "dns"]);
    return readEvent(event, by);
  }
  if (message === undefined) {
    return fields.item.wrong("seeks nothing", "add event: NAME or message: METHOD");
  }
  const from = fields.take("from")?.oneOf(nodes);
  const to = fields.take("to")?.oneOf(nodes);
  const resends = fields.take("resends")?.flag() ?? true;
  const text = message.text() ?? "";
  const parsed = parseMessageText(text);
  if (parsed === undefined) {
    return message.wrong(
      `is ${text}`,
      "write a method (REGISTER) or a status with it (200 REGISTER)",
    );
  }
  const way = `${from ?? "anyone"} to ${to ?? "anyone"}`;
  return { kind: "message", text: `${text} from ${way}`, ...parsed, from, to, resends };
}

export function readEvent(item: Item, by: string | undefined): EventPattern | undefined {
  const text = item.text() ?? "";
  const pattern = parseEventPattern(text, by);
  const remedy = "write noun.verb-ed and its fields, as in server.fell-back from=1 to=2";
  return pattern ?? item.wrong(`is ${text}`, remedy);
}
