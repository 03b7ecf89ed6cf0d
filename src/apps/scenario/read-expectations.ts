/** Reads what must be seen: `expect:` and `sequence:` of a scenario file. */
import { type Names, readEvent, readSought, SOUGHT_KEYS } from "./read-sought.ts";
import type { Demand, Expectation, Sequence, Step } from "./scenario.ts";
import { SEQUENCE_EVENTS } from "./scenario.ts";
import type { Item, Table } from "./yaml-reader.ts";

/** Largest number of seconds or of matches that a demand may name. */
const MOST = 86_400;
const DEFAULT_GIVE_SECONDS = 0.25;
const DEMAND_KEYS = ["at", "only", "give", "between", "within", "never", "every", "times", "count"];
const FRAME_KEYS = ["since", "until", "mark", "figure"];

export function readExpectations(
  expect: Item | undefined,
  names: Names,
  steps: readonly Step[],
): Expectation[] {
  const marks = new Set(["start", "end"]);
  for (const step of steps) if (step.mark !== undefined) marks.add(step.mark);
  const expectations: Expectation[] = [];
  for (const item of expect?.list() ?? []) {
    const fields = item.table();
    if (fields === undefined) continue;
    const sought = readSought(fields, names);
    const since = readMoment(fields.take("since"), marks) ?? "start";
    const until = readMoment(fields.take("until"), marks);
    const demand = readDemand(item, fields);
    const mark = fields.take("mark")?.text();
    const figure = fields.take("figure")?.text();
    fields.close([...SOUGHT_KEYS, ...DEMAND_KEYS, ...FRAME_KEYS]);
    if (mark !== undefined) marks.add(mark);
    if (sought === undefined || demand === undefined) continue;
    expectations.push({ line: item.line, sought, since, until, demand, mark, figure });
  }
  return expectations;
}

function readMoment(item: Item | undefined, marks: ReadonlySet<string>): string | undefined {
  const moment = item?.text();
  if (moment === undefined || marks.has(moment)) return moment;
  return item?.wrong(`names ${moment}`, `name a moment marked before: ${[...marks].join(", ")}`);
}

function readDemand(item: Item, fields: Table): Demand | undefined {
  const giveMs = (fields.take("give")?.number(0, MOST) ?? DEFAULT_GIVE_SECONDS) * 1000;
  const at = fields.take("at");
  if (at !== undefined) {
    const only = fields.take("only")?.flag() ?? false;
    return { kind: "at", instants: seconds(at), giveMs, only };
  }
  const between = fields.take("between");
  if (between !== undefined) {
    const [fromMs, toMs, ...more] = seconds(between);
    if (fromMs !== undefined && toMs !== undefined && more.length === 0) {
      return { kind: "between", fromMs, toMs };
    }
    return between.wrong("is not two numbers", "write [FROM, TO] in seconds");
  }
  const within = fields.take("within")?.number(0, MOST);
  if (within !== undefined) return { kind: "between", fromMs: 0, toMs: within * 1000 };
  if (fields.take("never")?.flag() === true) return { kind: "never" };
  const every = fields.take("every")?.number(0.001, MOST);
  if (every !== undefined) {
    const least = fields.take("times")?.number(1, MOST) ?? 1;
    return { kind: "every", periodMs: every * 1000, giveMs, least };
  }
  return readCount(item, fields);
}

function readCount(item: Item, fields: Table): Demand | undefined {
  const count = fields.take("count");
  if (count === undefined) {
    return item.wrong("demands nothing", "add at, between, within, every, count or never: true");
  }
  if (!count.isList) {
    const exactly = count.number(0, MOST);
    return exactly === undefined ? undefined : { kind: "count", least: exactly, most: exactly };
  }
  const [least, most] = count.list().map((one) => one.number(0, MOST));
  if (least === undefined || most === undefined) {
    return count.wrong("is not two numbers", "write [LEAST, MOST]");
  }
  return { kind: "count", least, most };
}

/** A number or a list of numbers, in milliseconds. */
function seconds(item: Item): number[] {
  const items = item.isList ? item.list() : [item];
  return items.flatMap((one) => {
    const value = one.number(0, MOST);
    return value === undefined ? [] : [value * 1000];
  });
}

export function readSequences(item: Item | undefined, names: Names): Sequence[] {
  const all = item?.table()?.takeAll() ?? [];
  return all.map(([node, list]) => {
    if (![...names.phones, ...names.servers].includes(node)) {
      list.wrong("is nobody here", `name one of ${[...names.phones, ...names.servers].join(", ")}`);
    }
    const fields = list.isTable ? list.table() : undefined;
    const leftOut = fields?.take("leaving-out")?.list() ?? [];
    const leavingOut = leftOut.flatMap((one) => one.oneOf(SEQUENCE_EVENTS) ?? []);
    const written = fields === undefined ? list : fields.need("events");
    fields?.close(["leaving-out", "events"]);
    const events = (written?.list() ?? []).flatMap((one) => {
      const pattern = readEvent(one, node);
      if (pattern === undefined) return [];
      if (SEQUENCE_EVENTS.includes(pattern.event)) return [pattern];
      one.wrong(`is ${pattern.event}`, `write one of ${SEQUENCE_EVENTS.join(", ")}`);
      return [];
    });
    return { line: list.line, node, events, leavingOut };
  });
}
