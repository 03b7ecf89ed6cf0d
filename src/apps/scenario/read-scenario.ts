/** Reads a scenario file: every fault at once, each with file, line, key and what to write instead. */
import type { Fault } from "../../core/provisioning/configuration.ts";
import { readConfiguration } from "../../core/provisioning/read.ts";
import { readZone } from "../lab/zone-file.ts";
import { fillPlaceholders, knownPlaceholders, placeholdersIn } from "./placeholders.ts";
import { readExpectations, readSequences } from "./read-expectations.ts";
import {
  type GuestGround,
  obeyedBy,
  readGuestPhone,
  readGuestServer,
  readLoads,
} from "./read-guests.ts";
import { readSteps } from "./read-steps.ts";
import type { PhonePlan, PlannedFile, Scenario, ServerPlan, Topology } from "./scenario.ts";
import { type Item, readYaml, type Table } from "./yaml-reader.ts";

export interface ScenarioReading {
  /** Undefined if there is any fault. */
  readonly scenario: Scenario | undefined;
  readonly faults: readonly Fault[];
}

const KEYS = ["name", "title", "network", "servers", "domain", "zone", "phones", "load"];
const LATER_KEYS = ["play", "settle", "expect", "sequence"];
/** A clock may be so many seconds wrong. */
const MOST_SKEW = 100_000_000;
const DEFAULT_DOMAIN = "pbx.lab.test";
const NAME = /^[a-z][a-z0-9-]*$/;

/** `file` is what faults show and `text` its content. */
export function readScenario(file: string, text: string): ScenarioReading {
  const { root, faults } = readYaml(file, text);
  if (root === undefined) return { scenario: undefined, faults };
  const name = root.need("name")?.text() ?? "";
  const title = root.need("title")?.text() ?? "";
  const topology = readTopology(root);
  const names = {
    servers: topology.servers.map((server) => server.name),
    phones: topology.phones.map((phone) => phone.name),
    loads: (topology.loads ?? []).map((load) => load.name),
    networked: topology.network !== undefined,
    obeys: new Map(topology.servers.map(({ name, guest }) => [name, obeyedBy(guest)])),
    guests: new Set(
      [...topology.servers, ...topology.phones]
        .filter(({ guest }) => guest !== undefined)
        .map(({ name }) => name),
    ),
  };
  const known = knownPlaceholders(names.servers);
  const steps = readSteps(root.need("play"), names, (item) => checkedText(item, known));
  const settleMs = (root.take("settle")?.number(0, 3600) ?? 0.5) * 1000;
  const expectations = readExpectations(root.take("expect"), names, steps);
  const sequences = readSequences(root.take("sequence"), names);
  root.close([...KEYS, ...LATER_KEYS]);
  const scenario = { name, file, title, topology, steps, settleMs, expectations, sequences };
  return { scenario: faults.length === 0 ? scenario : undefined, faults };
}

function readTopology(root: Table): Topology {
  const networked = root.take("network")?.oneOf(["loopback", "namespaces"]) === "namespaces";
  const table = root.need("servers")?.table();
  const all = table?.takeAll() ?? [];
  if (table !== undefined && all.length === 0) {
    table.item.wrong("names no server", "add at least primary: working");
  }
  const names = all.map(([name]) => name);
  const known = knownPlaceholders(names);
  const servers = all.map(([name, item]) => readServer(name, item, known));
  const domain = root.take("domain")?.text() ?? DEFAULT_DOMAIN;
  const zoneItem = root.take("zone");
  const zone = zoneItem === undefined ? undefined : checkedZone(zoneItem, known);
  const phones = (root.need("phones")?.table()?.takeAll() ?? []).map(([name, item]) =>
    readPhone(name, item, known, { servers: names, networked }),
  );
  const phoneNames = phones.map((phone) => phone.name);
  const loads = readLoads(root.take("load")?.table(), names, phoneNames);
  return {
    domain,
    zone,
    servers,
    phones,
    ...(loads.length === 0 ? {} : { loads }),
    ...(networked ? { network: "namespaces" } : {}),
  };
}

function readServer(name: string, item: Item, known: ReadonlySet<string>): ServerPlan {
  checkName(name, item);
  if (!item.isTable) {
    const role = item.oneOf(["working", "fallback"]) ?? "working";
    return { name, role, location: role === "working" ? "shared" : "own", up: true };
  }
  const fields = item.table();
  const kind = fields?.take("kind");
  if (fields !== undefined && kind !== undefined) {
    const own = new Set([...known, "address", "port", "folder"]);
    return readGuestServer(name, kind, fields, (text) => checkedText(text, own));
  }
  const role = fields?.need("role")?.oneOf(["working", "fallback"]) ?? "working";
  const location = fields?.take("location")?.oneOf(["shared", "own"]);
  const up = fields?.take("up")?.flag() ?? true;
  const tls = fields?.take("tls")?.flag() ?? false;
  const clockSkewSeconds = fields?.take("clock-skew")?.number(-MOST_SKEW, MOST_SKEW) ?? 0;
  fields?.close(["kind", "role", "location", "up", "tls", "clock-skew"]);
  const kept = location ?? (role === "working" ? "shared" : "own");
  return { name, role, location: kept, up, tls, clockSkewSeconds };
}

function readPhone(
  name: string,
  item: Item,
  known: ReadonlySet<string>,
  ground: GuestGround,
): PhonePlan {
  checkName(name, item);
  const fields = item.table();
  const kind = fields?.take("kind");
  if (fields !== undefined && kind !== undefined) return readGuestPhone(name, kind, fields, ground);
  const user = fields?.need("user")?.text() ?? "";
  const password = fields?.take("password")?.text() ?? `lab-${user}`;
  const answer = fields?.take("answer")?.oneOf(["auto", "ring", "busy"]) ?? "auto";
  const written = fields?.need("files")?.table()?.takeAll() ?? [];
  const files = written.map(
    ([fileName, content]): PlannedFile => ({
      name: fileName,
      text: checkedText(content, known),
    }),
  );
  checkProvisioning(files, new Map(written), known);
  fields?.close(["kind", "user", "password", "answer", "files"]);
  return { name, user, password, answer, files };
}

/** Files that a phone would take; its own faults are told at the lines they stand in. */
function checkProvisioning(
  files: readonly PlannedFile[],
  items: ReadonlyMap<string, Item>,
  known: ReadonlySet<string>,
): void {
  const used = files.flatMap((file) => [...placeholdersIn(file.text).keys()]);
  const sample = sampleValues(new Set([...known, ...used]));
  const filled = files.map(({ name, text }) => ({ name, text: fillPlaceholders(text, sample) }));
  if (filled.length === 0) return;
  for (const { file, line, key, severity, wrong, remedy } of readConfiguration(filled).faults) {
    if (severity === "error") items.get(file)?.wrongWithin(line, key, wrong, remedy);
  }
}

/** A zone that can be read once its placeholders are filled; faults point into the block of text. */
function checkedZone(item: Item, known: ReadonlySet<string>): string {
  const text = checkedText(item, known);
  const filled = fillPlaceholders(text, sampleValues(known));
  for (const { line, wrong, remedy } of readZone(filled).faults) {
    item.wrongWithin(line, "record", wrong, remedy);
  }
  return text;
}

function sampleValues(known: ReadonlySet<string>): Map<string, string> {
  const sample = (name: string): string => {
    if (name.endsWith(".port") || name.endsWith(".tls")) return "5060";
    return name === "domain" ? DEFAULT_DOMAIN : "192.0.2.1";
  };
  return new Map([...known].map((name) => [name, sample(name)]));
}

function checkName(name: string, item: Item): void {
  if (!NAME.test(name)) item.wrong("is no name", "use small letters, digits and -");
}

/** A text whose placeholders all mean something. */
function checkedText(item: Item, known: ReadonlySet<string>): string {
  const text = item.text() ?? "";
  for (const name of placeholdersIn(text).keys()) {
    if (known.has(name)) continue;
    item.wrong(`uses \${${name}}`, `use one of ${[...known].map((one) => `\${${one}}`).join(" ")}`);
  }
  return text;
}
