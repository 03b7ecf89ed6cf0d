/** Reads `play:`: each entry has one verb, and may have `at` with `since`, `within`, and `mark`. */
import { type Names, readSought, SOUGHT_KEYS } from "./read-sought.ts";
import type { Action, Ends, PhoneCommand, ServerFault, Step, WayFault } from "./scenario.ts";
import type { Item, Table } from "./yaml-reader.ts";

type ReadText = (item: Item) => string;
type Verb = (item: Item, fields: Table, names: Names, text: ReadText) => Action | undefined;

/** A play's longest wait, in seconds. */
const LONGEST = 86_400;
const DEFAULT_WITHIN = 10;
/** The longest delay of a packet, in seconds. */
const LONGEST_DELAY = 60;
/** Packets that come behind others are so late unless said, in seconds. */
const REORDERED_SECONDS = 0.05;
/** Of the packets hit, unless said. */
const DEFAULT_SHARE = 0.3;

const VERBS: Readonly<Record<string, Verb>> = {
  start: (item, _fields, names) => {
    const name = oneNamed(item, [...names.servers, ...names.phones, ...names.loads]);
    if (name === undefined) return undefined;
    return { do: names.servers.includes(name) ? "start-server" : "start-phone", name };
  },
  stop: (item, _fields, names) => {
    const name = oneNamed(item, [...names.phones, ...names.servers, ...names.loads]);
    if (name === undefined) return undefined;
    if (!names.servers.includes(name)) return { do: "stop-phone", name };
    return { do: "fault", server: name, fault: { kind: "stop" } };
  },
  restart: (item, fields, names) => {
    const name = mortal(item, names);
    const downMs = (fields.take("seconds")?.number(0, LONGEST) ?? 0) * 1000;
    if (name === undefined) return undefined;
    if (!names.servers.includes(name)) return { do: "restart-phone", phone: name, downMs };
    return { do: "restart", server: name, downMs };
  },
  kill: faultVerb("kill"),
  freeze: faultVerb("freeze"),
  revive: faultVerb("revive"),
  reset: wayVerb(() => ({ kind: "reset" })),
  certificate: (item, fields, names) => {
    const shown = fields.need("shown")?.oneOf(["good", "expired", "stranger"]);
    return shown === undefined ? undefined : faultOn(item, names, { kind: "certificate", shown });
  },
  drop: wayVerb(() => ({ kind: "drop" })),
  refuse: wayVerb(() => ({ kind: "refuse" })),
  partition: (item, _fields, names) => {
    const ends = readEnds(item, names);
    if (ends === undefined || ends.length === 2) return wayAction(ends, { kind: "drop" });
    return item.wrong("names one node", "write two, as in partition: [alice, primary]");
  },
  lose: wayVerb((fields) => ({ kind: "lose", share: readShare(fields) })),
  duplicate: wayVerb((fields) => ({ kind: "duplicate", share: readShare(fields) })),
  reorder: wayVerb((fields) => ({
    kind: "reorder",
    share: readShare(fields),
    ms: (fields.take("seconds")?.number(0, LONGEST_DELAY) ?? REORDERED_SECONDS) * 1000,
  })),
  heal: wayVerb(() => ({ kind: "heal" })),
  "answer-503": (item, fields, names) => {
    const retryAfterSeconds = fields.take("retry-after")?.number(0, LONGEST);
    return faultOn(item, names, { kind: "answer-503", retryAfterSeconds });
  },
  delay: wayVerb((fields) => ({
    kind: "delay",
    ms: (fields.need("seconds")?.number(0, LONGEST_DELAY) ?? 0) * 1000,
  })),
  dns: (item, fields, names) => {
    const kind = item.oneOf(["silent", "servfail", "lie", "heal"]);
    if (kind === undefined) return undefined;
    if (kind !== "lie") return { do: "dns", fault: { kind } };
    const address = readLie(fields.need("to"), names);
    return address === undefined ? undefined : { do: "dns", fault: { kind, address } };
  },
  zone: (item, _fields, _names, text) => ({
    do: "dns",
    fault: { kind: "zone", text: text(item) },
  }),
  call: (item, _fields, names) => {
    const call = item.table();
    const from = named(call?.need("from"), names.phones);
    const to = named(call?.need("to"), names.phones);
    call?.close(["from", "to"]);
    if (from === undefined || to === undefined) return undefined;
    return { do: "phone", phone: from, command: { kind: "call", to } };
  },
  hangup: commandVerb("hangup"),
  hold: commandVerb("hold"),
  resume: commandVerb("resume"),
  wait: (item) => {
    const seconds = item.number(0, LONGEST);
    return seconds === undefined ? undefined : { do: "wait", ms: seconds * 1000 };
  },
  until: (item, fields, names) => {
    const withinMs = (fields.take("within")?.number(0, LONGEST) ?? DEFAULT_WITHIN) * 1000;
    const seen = item.table();
    const sought = seen === undefined ? undefined : readSought(seen, names);
    seen?.close(SOUGHT_KEYS);
    return sought === undefined ? undefined : { do: "until", seen: sought, withinMs };
  },
};

/** What only a server of ours does when it is told to. */
const OURS_ONLY: readonly ServerFault["kind"][] = ["answer-503", "certificate"];

/** Every word that a step may be written with. */
export const STEP_VERBS: readonly string[] = Object.keys(VERBS);

export function readSteps(play: Item | undefined, names: Names, text: ReadText): Step[] {
  const marks = new Set(["start"]);
  const steps: Step[] = [];
  for (const item of play?.list() ?? []) {
    const fields = item.table();
    if (fields === undefined) continue;
    const step = readStep(item, fields, names, marks, text);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

function readStep(
  item: Item,
  fields: Table,
  names: Names,
  marks: Set<string>,
  text: ReadText,
): Step | undefined {
  const at = readAt(fields, marks);
  const mark = fields.take("mark")?.text();
  const verbs = Object.entries(VERBS).flatMap(([word, verb]) => {
    const value = fields.take(word);
    return value === undefined ? [] : [{ word, verb, value }];
  });
  const [first, second] = verbs;
  if (first === undefined || second !== undefined) {
    item.wrong("has not exactly one verb", `write one of ${Object.keys(VERBS).join(", ")}`);
    return undefined;
  }
  const action = first.verb(first.value, fields, names, text);
  fields.close(["at", "since", "mark", "within", "retry-after", "seconds", "share", "to", "shown"]);
  if (mark !== undefined) marks.add(mark);
  if (action === undefined) return undefined;
  return { line: item.line, text: describe(action), at, action, mark };
}

function readAt(fields: Table, marks: ReadonlySet<string>): Step["at"] {
  const seconds = fields.take("at")?.number(0, LONGEST);
  const since = fields.take("since");
  const moment = since?.text() ?? "start";
  if (!marks.has(moment)) {
    since?.wrong(`names ${moment}`, `name a moment marked before: ${[...marks].join(", ")}`);
  }
  return seconds === undefined ? undefined : { moment, ms: seconds * 1000 };
}

function faultVerb(kind: "kill" | "freeze" | "revive"): Verb {
  return (item, _fields, names) => {
    const name = mortal(item, names);
    if (name === undefined || names.servers.includes(name)) {
      return name === undefined ? undefined : { do: "fault", server: name, fault: { kind } };
    }
    return { do: "fate", phone: name, fate: { kind } };
  };
}

/** A server or a phone, whoever wrote its program. */
function mortal(item: Item, names: Names): string | undefined {
  return oneNamed(item, [...names.servers, ...names.phones]);
}

/** One server, as ever; a phone; or two nodes and what is between them. */
function wayVerb(read: (fields: Table) => WayFault): Verb {
  return (item, fields, names) => {
    const fault = read(fields);
    const ends = readEnds(item, names);
    const [server] = ends ?? [];
    const alone = ends?.length === 1 && server !== undefined && names.servers.includes(server);
    if (alone && isServerFault(fault)) return { do: "fault", server, fault };
    return wayAction(ends, fault);
  };
}

function isServerFault(fault: WayFault): fault is WayFault & ServerFault {
  return ["drop", "refuse", "delay", "heal", "reset"].includes(fault.kind);
}

function wayAction(ends: Ends | undefined, fault: WayFault): Action | undefined {
  return ends === undefined ? undefined : { do: "way", ends, fault };
}

function readEnds(item: Item, names: Names): Ends | undefined {
  const nodes = [...names.servers, ...names.phones, ...(names.networked ? names.loads : [])];
  if (!item.isList) {
    const one = oneNamed(item, nodes);
    return one === undefined ? undefined : [one];
  }
  const list = item.list();
  const [one, other] = list.map((end) => oneNamed(end, [...nodes, "dns"]));
  if (list.length === 2 && (one === undefined || other === undefined)) return undefined;
  if (one !== undefined && other !== undefined && one !== other && list.length === 2) {
    if (names.guests.has(one) && names.guests.has(other) && !names.networked) {
      const wrong = "are two programs of others, and nothing of the lab stands between them";
      return item.wrong(wrong, "write network: namespaces at the top, or name a node of ours");
    }
    return one === "dns" ? [other, one] : [one, other];
  }
  return item.wrong("is not two nodes", "write two that differ, as in [alice, primary]");
}

function readShare(fields: Table): number {
  return fields.take("share")?.number(0, 1) ?? DEFAULT_SHARE;
}

/** A server, or an IPv4 address. */
function readLie(item: Item | undefined, names: Names): string | undefined {
  const text = item?.text();
  if (text === undefined || names.servers.includes(text)) return text;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return text;
  return item?.wrong(`is ${text}`, `write an address, or one of ${names.servers.join(", ")}`);
}

function faultOn(item: Item, names: Names, fault: ServerFault): Action | undefined {
  const server = oneNamed(item, names.servers);
  if (server === undefined) return undefined;
  const deaf = names.guests.has(server) && names.obeys.get(server)?.includes(fault.kind) !== true;
  if (deaf && OURS_ONLY.includes(fault.kind)) {
    const wrong = `is ${server}, a program of others, which cannot be told to`;
    const remedy =
      fault.kind === "certificate" ? "add tls: true to it" : "let it have the lab's configuration";
    return item.wrong(wrong, `${remedy}, or use kill, freeze, drop, refuse, delay or reset`);
  }
  return { do: "fault", server, fault };
}

function commandVerb(kind: Exclude<PhoneCommand["kind"], "call">): Verb {
  return (item, _fields, names) => {
    const phone = oneNamed(item, names.phones);
    return phone === undefined ? undefined : { do: "phone", phone, command: { kind } };
  };
}

function named(item: Item | undefined, names: readonly string[]): string | undefined {
  return item === undefined ? undefined : oneNamed(item, names);
}

function oneNamed(item: Item, names: readonly string[]): string | undefined {
  return item.oneOf(names);
}

function describe(action: Action): string {
  switch (action.do) {
    case "fault":
      return `${action.fault.kind} ${action.server}`;
    case "way":
      return `${action.fault.kind} ${action.ends.join(" - ")}`;
    case "fate":
      return `${action.fate.kind} ${action.phone}`;
    case "restart":
      return `restart ${action.server}`;
    case "restart-phone":
      return `restart ${action.phone}`;
    case "dns":
      return `dns ${action.fault.kind}`;
    case "phone": {
      const { command } = action;
      const whom = command.kind === "call" ? ` ${command.to}` : "";
      return `${action.phone} ${command.kind}${whom}`;
    }
    case "wait":
      return `wait ${action.ms / 1000} s`;
    case "until":
      return `until ${action.seen.text}`;
    default:
      return `${action.do.replace("-", " ")} ${action.name}`;
  }
}
