/** Reads nodes of another make: Kamailio as a server, baresip and linphone as phones, SIPp as a load. */
import type {
  GuestProgram,
  GuestServer,
  GuestText,
  LoadPlan,
  PhonePlan,
  ServerFault,
  ServerPlan,
  Topology,
} from "./scenario.ts";
import type { Item, Table } from "./yaml-reader.ts";

/** Reads a text whose placeholders are checked. */
type ReadText = (item: Item) => string;

/** Registrations last so many seconds unless said. */
const PHONE_EXPIRES = 60;
const SERVER_EXPIRES = 3600;
const LONGEST = 86_400;
const DEFAULT_PATIENCE = 10;
const MOST_RATE = 1000;
const MOST_CALLS = 1_000_000;
const TRANSPORTS = ["udp", "tcp"] as const;
const PHONE_TRANSPORTS = ["udp", "tcp", "tls"] as const;

/** `kind` has been taken from the fields. */
export function readGuestServer(
  name: string,
  kind: Item,
  fields: Table,
  text: ReadText,
): ServerPlan {
  kind.oneOf(["kamailio"]);
  const role = fields.take("role")?.oneOf(["working", "fallback"]) ?? "working";
  const up = fields.take("up")?.flag() ?? true;
  const expiresSeconds = fields.take("expires")?.number(1, LONGEST) ?? SERVER_EXPIRES;
  const config = readConfig(fields.take("config"), text);
  const secure = fields.take("tls");
  const tls = secure?.flag() ?? false;
  if (tls && config !== undefined) {
    secure?.wrong("is not what its own configuration goes by", "write listen=tls:… there");
  }
  fields.close(["kind", "role", "up", "expires", "config", "tls"]);
  const guest = { program: "kamailio", config, expiresSeconds, tls } as const;
  return { name, role, location: "own", up, tls, guest };
}

/** What a server of others can be told: the lab's own configuration listens to it. */
export function obeyedBy(guest: GuestServer | undefined): readonly ServerFault["kind"][] {
  if (guest === undefined || guest.config !== undefined) return [];
  return guest.tls === true ? ["answer-503", "certificate"] : ["answer-503"];
}

/** Text in the scenario, or the path of a file beside it. */
function readConfig(item: Item | undefined, text: ReadText): GuestText | undefined {
  if (item === undefined) return undefined;
  const path = item.text() ?? "";
  return /^\S+\.cfg$/.test(path) ? { path: item.beside(path) } : { text: text(item) };
}

/** Where a phone of others may stand. */
export interface GuestGround {
  readonly servers: readonly string[];
  /** Each node has a network of its own. */
  readonly networked: boolean;
}

/** `kind` has been taken from the fields. */
export function readGuestPhone(
  name: string,
  kind: Item,
  fields: Table,
  { servers, networked }: GuestGround,
): PhonePlan {
  const program = kind.oneOf(["baresip", "linphone"]) ?? "baresip";
  const user = fields.need("user")?.text() ?? "";
  const password = fields.take("password")?.text() ?? `lab-${user}`;
  const answer = fields.take("answer")?.oneOf(["auto", "ring"]) ?? "auto";
  const server = fields.take("server")?.oneOf(servers) ?? servers[0] ?? "";
  const expiresSeconds = fields.take("expires")?.number(1, LONGEST) ?? PHONE_EXPIRES;
  const written = fields.take("transport");
  const transport = written?.oneOf(PHONE_TRANSPORTS) ?? "udp";
  if (transport !== "udp" && !networked) {
    const wrong = `is ${transport}, over which it would come from 127.0.0.1`;
    written?.wrong(wrong, "write udp, or network: namespaces at the top of the file");
  }
  fields.close(["kind", "user", "password", "answer", "server", "expires", "transport"]);
  const guest = { program, server, expiresSeconds, transport };
  return { name, user, password, answer, files: [], guest };
}

export function readLoads(
  table: Table | undefined,
  servers: readonly string[],
  phones: readonly string[],
): LoadPlan[] {
  return (table?.takeAll() ?? []).flatMap(([name, item]) => {
    const fields = item.table();
    return fields === undefined ? [] : [readLoad(name, fields, servers, phones)];
  });
}

function readLoad(
  name: string,
  fields: Table,
  servers: readonly string[],
  phones: readonly string[],
): LoadPlan {
  fields.need("kind")?.oneOf(["sipp"]);
  const scenario = readSippScenario(fields.need("scenario"));
  const to = fields.take("to")?.oneOf(servers);
  const callee = fields.take("callee")?.oneOf(phones);
  const rate = fields.take("rate")?.number(0.1, MOST_RATE) ?? 1;
  const calls = fields.take("calls")?.number(1, MOST_CALLS) ?? 1;
  const talkSeconds = fields.take("talk")?.number(0, LONGEST) ?? 1;
  const patienceSeconds = fields.take("patience")?.number(0.1, LONGEST) ?? DEFAULT_PATIENCE;
  const transport = fields.take("transport")?.oneOf(TRANSPORTS) ?? "udp";
  if (scenario === "uac" && to === undefined) {
    fields.item.wrong("calls nobody's server", "add to: SERVER and callee: PHONE");
  }
  const known = ["kind", "scenario", "to", "callee", "rate", "calls", "talk"];
  fields.close([...known, "patience", "transport"]);
  return { name, scenario, to, callee, rate, calls, talkSeconds, patienceSeconds, transport };
}

function readSippScenario(item: Item | undefined): LoadPlan["scenario"] {
  const text = item?.text() ?? "uac";
  if (text === "uac" || text === "uas") return text;
  if (/\.xml$/.test(text)) return { path: item?.beside(text) ?? text };
  item?.wrong(`is ${text}`, "write uac, uas, or the path of a SIPp scenario that ends in .xml");
  return "uac";
}

/** The programs that a topology needs beside our own, each once. */
export function programsOf({ servers, phones, loads = [] }: Topology): readonly GuestProgram[] {
  const programs = [...servers, ...phones].flatMap(({ guest }) => guest?.program ?? []);
  return [...new Set<GuestProgram>([...programs, ...(loads.length > 0 ? ["sipp" as const] : [])])];
}
