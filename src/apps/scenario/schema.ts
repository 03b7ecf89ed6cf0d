/**
 * The JSON Schema (draft 7) of scenario files: what the reader takes and nothing else, as strict as a schema can be.
 * Whether a name is one of the file's own nodes or moments only the reader can tell.
 */
import { SEQUENCE_EVENTS } from "./scenario.ts";

export type SchemaNode = Readonly<Record<string, unknown>>;

/** What text may be written as: a number or a truth value stands for its letters. */
const TEXT = { type: ["string", "number", "boolean"] };
const FLAG = { type: "boolean" };
const LONGEST = 86_400;
/** Phones of others: on the loopback interface nothing else comes from where they stand. */
const OVER_UDP: SchemaNode = { properties: { transport: oneOf("udp") } };

export function scenarioSchema(): SchemaNode {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Dialtone scenario",
    description: "Who is there, what befalls them, what must then be seen. Times are seconds.",
    ...table(
      {
        name: { ...TEXT, description: "As the file is called." },
        title: { ...TEXT, description: "What it shows, in one sentence." },
        network: {
          ...oneOf("loopback", "namespaces"),
          description: "One for all, or one for each node with a relay between.",
        },
        servers: { ...mapOf(server()), description: "By name; the role or what there is to say." },
        domain: { ...TEXT, description: "Of the addresses-of-record." },
        zone: { ...TEXT, description: "What the resolver knows, in master-file form." },
        phones: { ...mapOf(phone()), description: "By name." },
        load: { ...mapOf(load()), description: "Calls by the dozen, by name." },
        play: { ...listOf({ anyOf: steps() }), description: "What is done, in order." },
        settle: { ...number(0, 3600), description: "How long to watch after that." },
        expect: { ...listOf({ anyOf: expectations() }), description: "What must be seen." },
        sequence: { ...mapOf(sequence(), ".+"), description: "Each node's decisions, complete." },
      },
      ["name", "title", "servers", "phones", "play"],
    ),
    anyOf: [
      { properties: { network: oneOf("namespaces") }, required: ["network"] },
      { properties: { phones: { patternProperties: { ".*": OVER_UDP } } } },
    ],
  };
}

function server(): SchemaNode {
  const role = oneOf("working", "fallback");
  const more = {
    role,
    location: oneOf("shared", "own"),
    up: FLAG,
    tls: FLAG,
    "clock-skew": number(-100_000_000, 100_000_000),
  };
  const kamailio = {
    kind: oneOf("kamailio"),
    role,
    up: FLAG,
    expires: number(1, LONGEST),
    tls: FLAG,
    config: { ...TEXT, description: "Its own configuration, or the path of a file *.cfg." },
  };
  const { tls: _tls, ...own } = kamailio;
  const { config: _config, ...labs } = kamailio;
  const others = [table(labs, ["kind"]), table({ ...own, tls: { enum: [false] } }, ["kind"])];
  return { anyOf: [role, table(more, ["role"]), ...others] };
}

function phone(): SchemaNode {
  const files = mapOf({ ...TEXT, description: "A provisioning file of any dialect." }, ".*");
  const answer = oneOf("auto", "ring", "busy");
  const guest = {
    kind: oneOf("baresip", "linphone"),
    user: TEXT,
    password: TEXT,
    answer: oneOf("auto", "ring"),
    server: { ...TEXT, description: "Where it registers; the first server unless said." },
    expires: number(1, LONGEST),
    transport: oneOf("udp", "tcp", "tls"),
  };
  const ours = table({ user: TEXT, password: TEXT, answer, files }, ["user", "files"]);
  return { anyOf: [ours, table(guest, ["kind", "user"])] };
}

function load(): SchemaNode {
  const keys = {
    kind: oneOf("sipp"),
    scenario: { type: "string", pattern: "^uac$|^uas$|\\.xml$" },
    to: { ...TEXT, description: "The server that it sends to." },
    callee: { ...TEXT, description: "The phone that it calls." },
    rate: number(0.1, 1000),
    calls: number(1, 1_000_000),
    talk: number(0, LONGEST),
    patience: number(0.1, LONGEST),
    transport: oneOf("udp", "tcp"),
  };
  const waiting = table({ ...keys, scenario: { type: "string", pattern: "^uas$|\\.xml$" } }, [
    "kind",
    "scenario",
  ]);
  return { anyOf: [table(keys, ["kind", "scenario", "to"]), waiting] };
}

/** One of each verb: with its own further keys, and those of every step. */
function steps(): SchemaNode[] {
  const ends = { anyOf: [TEXT, { ...listOf(TEXT), minItems: 2, maxItems: 2 }] };
  const share = number(0, 1);
  const delay = number(0, 60);
  const wait = number(0, LONGEST);
  return [
    step("start", TEXT),
    step("stop", TEXT),
    step("restart", TEXT, { seconds: wait }),
    step("kill", TEXT),
    step("freeze", TEXT),
    step("revive", TEXT),
    step("reset", ends),
    step("certificate", TEXT, { shown: oneOf("good", "expired", "stranger") }, ["shown"]),
    step("drop", ends),
    step("refuse", ends),
    step("partition", { ...listOf(TEXT), minItems: 2, maxItems: 2 }),
    step("lose", ends, { share }),
    step("duplicate", ends, { share }),
    step("reorder", ends, { share, seconds: delay }),
    step("heal", ends),
    step("answer-503", TEXT, { "retry-after": wait }),
    step("delay", ends, { seconds: delay }, ["seconds"]),
    step("dns", oneOf("silent", "servfail", "heal")),
    step("dns", oneOf("lie"), { to: TEXT }, ["to"]),
    step("zone", TEXT),
    step("call", table({ from: TEXT, to: TEXT }, ["from", "to"])),
    step("hangup", TEXT),
    step("hold", TEXT),
    step("resume", TEXT),
    step("wait", wait),
    step("until", { anyOf: sought().map(([keys, need]) => table(keys, [need])) }, { within: wait }),
  ];
}

function step(
  verb: string,
  value: SchemaNode,
  more: SchemaNode = {},
  needed: readonly string[] = [],
): SchemaNode {
  const frame = { at: number(0, LONGEST), since: TEXT, mark: TEXT };
  return table({ [verb]: value, ...more, ...frame }, [verb, ...needed]);
}

/** An event or a message, each with the key that tells it. */
function sought(): [SchemaNode, string][] {
  return [
    [{ event: TEXT, by: TEXT }, "event"],
    [{ message: TEXT, from: TEXT, to: TEXT, resends: FLAG }, "message"],
  ];
}

/** Each kind of pattern with each kind of demand. */
function expectations(): SchemaNode[] {
  const most = number(0, LONGEST);
  const times = { anyOf: [most, listOf(most)] };
  const pair = { ...listOf(most), minItems: 2, maxItems: 2 };
  const demands: [SchemaNode, string][] = [
    [{ at: times, only: FLAG }, "at"],
    [{ between: pair }, "between"],
    [{ within: most }, "within"],
    [{ never: { enum: [true] } }, "never"],
    [{ every: number(0.001, LONGEST), times: number(1, LONGEST) }, "every"],
    [{ count: { anyOf: [most, pair] } }, "count"],
  ];
  const frame = { give: most, since: TEXT, until: TEXT, mark: TEXT, figure: TEXT };
  return sought().flatMap(([keys, need]) =>
    demands.map(([demand, word]) => table({ ...keys, ...demand, ...frame }, [need, word])),
  );
}

function sequence(): SchemaNode {
  const names = SEQUENCE_EVENTS.map((name) => name.replace(".", "\\."));
  const events = listOf({ type: "string", pattern: `^\\s*(${names.join("|")})(\\s|$)` });
  const leavingOut = listOf({ enum: SEQUENCE_EVENTS });
  return { anyOf: [events, table({ "leaving-out": leavingOut, events }, ["events"])] };
}

function table(properties: SchemaNode, required: readonly string[]): SchemaNode {
  return { type: "object", properties, required, additionalProperties: false };
}

/** Any names, unless said otherwise as the reader has those of nodes. */
function mapOf(value: SchemaNode, name = "^[a-z][a-z0-9-]*$"): SchemaNode {
  return { type: "object", patternProperties: { [name]: value }, additionalProperties: false };
}

function listOf(items: SchemaNode): SchemaNode {
  return { type: "array", items };
}

function number(minimum: number, maximum: number): SchemaNode {
  return { type: "number", minimum, maximum };
}

function oneOf(...words: readonly string[]): SchemaNode {
  return { enum: words };
}
