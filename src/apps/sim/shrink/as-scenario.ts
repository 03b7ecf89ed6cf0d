/**
 * A plan as a scenario file that the lab can replay: its servers, zone, phones with files of our own dialect, what
 * befalls them and when, and an expectation that states the broken promise. What the format cannot say is told.
 */
import { stringify } from "yaml";
import { writeNative } from "../../../core/provisioning/native-write.ts";
import type { AccountPolicy } from "../../../core/redundancy/policy.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import type { Violation } from "../../../worlds/sim/invariants/invariant.ts";
import { DOMAIN, type PlannedFault, type SwarmPlan } from "../swarm/plan.ts";
import { planBounds } from "../swarm/plan-bounds.ts";

export interface PlanScenario {
  readonly text: string;
  /** What is not in it, for people. */
  readonly untold: readonly string[];
}

type Entry = Readonly<Record<string, unknown>>;

/** The lab gives the first three their names' addresses, and two more before phones begin. */
const SERVER_NAMES: readonly string[] = ["primary", "secondary", "fallback", "fourth", "fifth"];
/** Watched for so long after the promise was broken. */
const AFTER_SECONDS = 10;
const TLS_PORT = 5061;

export function asScenario(plan: SwarmPlan, violation: Violation): PlanScenario {
  const names = new Map(plan.servers.map(({ name }, at) => [name, SERVER_NAMES[at] ?? name]));
  const places = new Map(plan.servers.map(({ name, address }) => [address, nameIn(names, name)]));
  const demand = demandOf(plan, violation);
  const files = plan.accounts.map((account) => fileOf(account, places));
  const file = {
    name: `seed-${plan.seed}`,
    title: `${violation.invariant}: ${violation.what}`,
    domain: DOMAIN,
    servers: Object.fromEntries(
      plan.servers.map((spec) => [nameIn(names, spec.name), serverOf(plan, spec)]),
    ),
    ...(plan.records.length === 0 ? {} : { zone: zoneOf(plan.records, places) }),
    phones: Object.fromEntries(
      plan.accounts.map(({ user, password }, at) => [
        `phone-${user}`,
        { user, password, files: { [`phone-${user}.yaml`]: files[at] } },
      ]),
    ),
    play: playOf(plan, violation, names, demand.play),
    ...(demand.expect.length === 0 ? {} : { expect: demand.expect }),
  };
  const head = `# Seed ${plan.seed} of the swarm, shrunk: dialtone sim --scenario FILE, dialtone lab --scenario FILE\n`;
  return { text: head + stringify(file, { lineWidth: 0 }), untold: untoldOf(plan, demand) };
}

function nameIn(names: ReadonlyMap<string, string>, server: string): string {
  return names.get(server) ?? server;
}

function serverOf(
  { accounts }: SwarmPlan,
  { role, location }: SwarmPlan["servers"][number],
): Entry {
  const hops = accounts.flatMap(({ redundancy }) => [...redundancy.servers, ...redundancy.proxies]);
  const tls = hops.some(({ transport }) => transport === "tls" || transport === "naptr");
  return { role, ...(role === "working" ? { location } : {}), ...(tls ? { tls: true } : {}) };
}

/** Ports follow the addresses they belong to. */
function fileOf(account: AccountPolicy, places: ReadonlyMap<string, string>): string {
  const accounts = [{ ...account, index: 1 }];
  let text = writeNative({ accounts, resolvers: [], localPort: 0 }, { secrets: true });
  for (const [address, name] of places) {
    const port = new RegExp(
      `(address: ${address.replaceAll(".", "\\.")}\\n\\s+port: )(506[01])`,
      "g",
    );
    text = text.replace(port, (_all, before: string, number: string) => {
      return `${before}\${${name}.${number === String(TLS_PORT) ? "tls" : "port"}}`;
    });
    text = text.replaceAll(
      new RegExp(`${address.replaceAll(".", "\\.")}\\b`, "g"),
      `"\${${name}}"`,
    );
  }
  return text;
}

function zoneOf(records: readonly ResourceRecord[], places: ReadonlyMap<string, string>): string {
  const hosts = new Map<string, string>();
  for (const record of records) {
    const place = record.type === "A" ? places.get(record.address) : undefined;
    if (place !== undefined) hosts.set(record.name, place);
  }
  return records.flatMap((record) => lineOf(record, places, hosts)).join("\n");
}

function lineOf(
  record: ResourceRecord,
  places: ReadonlyMap<string, string>,
  hosts: ReadonlyMap<string, string>,
): string[] {
  const head = `${record.name}. ${record.ttl} IN`;
  switch (record.type) {
    case "A":
      return places.has(record.address) ? [`${head} A \${${places.get(record.address)}}`] : [];
    case "SRV": {
      const { priority, weight, port, target } = record;
      const door = `\${${hosts.get(target)}.${port === TLS_PORT ? "tls" : "port"}}`;
      return hosts.has(target) ? [`${head} SRV ${priority} ${weight} ${door} ${target}.`] : [];
    }
    case "NAPTR": {
      const { order, preference, flags, service, replacement } = record;
      return [`${head} NAPTR ${order} ${preference} "${flags}" "${service}" "" ${replacement}.`];
    }
    default:
      return [];
  }
}

interface Timed {
  readonly atMs: number;
  readonly entry: Entry;
}

function playOf(
  plan: SwarmPlan,
  violation: Violation,
  names: ReadonlyMap<string, string>,
  demanded: readonly Timed[],
): Entry[] {
  const started = plan.accounts.map(({ user }, at) => ({
    start: `phone-${user}`,
    ...(at === 0 ? { mark: "begun" } : {}),
  }));
  const faults = plan.faults.flatMap((fault) => faultEntries(fault, plan.stormMs, names));
  const calls = plan.calls.flatMap((_call, at) => callEntries(plan, at));
  const powerless = plan.restarts.flatMap(({ atMs, forMs, phone }): Timed[] => {
    const name = `phone-${plan.accounts[plan.phones.indexOf(phone)]?.user}`;
    return [
      { atMs, entry: { kill: name } },
      { atMs: Math.min(plan.stormMs, atMs + forMs), entry: { revive: name } },
    ];
  });
  const timed = [...faults, ...calls, ...powerless, ...demanded].sort((a, b) => a.atMs - b.atMs);
  const last = Math.max(violation.at, timed.at(-1)?.atMs ?? 0) / 1000 + AFTER_SECONDS;
  return [
    ...started,
    ...timed.map(({ atMs, entry }) => ({ ...entry, at: atMs / 1000, since: "begun" })),
    { wait: 0, at: Math.ceil(last), since: "begun" },
  ];
}

function faultEntries(
  { kind, server = "", amount, atMs, forMs }: PlannedFault,
  stormMs: number,
  names: ReadonlyMap<string, string>,
): Timed[] {
  const name = nameIn(names, server);
  const [begin, end] = wordsOf(kind, name, amount);
  if (begin === undefined || end === undefined) return [];
  return [
    { atMs, entry: begin },
    { atMs: Math.min(stormMs, atMs + forMs), entry: end },
  ];
}

function wordsOf(kind: PlannedFault["kind"], name: string, amount: number): Entry[] {
  switch (kind) {
    case "kill":
      return [{ kill: name }, { revive: name }];
    case "freeze":
      return [{ freeze: name }, { revive: name }];
    case "partition":
      return [{ drop: name }, { heal: name }];
    case "delay":
      return [{ delay: name, seconds: amount / 1000 }, { heal: name }];
    case "refuse-all":
      return [{ "answer-503": name, "retry-after": amount }, { heal: name }];
    case "dns-silent":
      return [{ dns: "silent" }, { dns: "heal" }];
    case "dns-failing":
      return [{ dns: "servfail" }, { dns: "heal" }];
    case "store-away":
      return [];
  }
}

function callEntries(plan: SwarmPlan, number: number): Timed[] {
  const call = plan.calls[number];
  if (call === undefined) return [];
  const { atMs, forMs, holdMs, from, to } = call;
  const ends = [from, to].map((at) => `phone-${plan.accounts[at]?.user}`);
  const [caller = "", callee = ""] = ends;
  const call_ = { call: { from: caller, to: callee }, mark: `dialled-${number + 1}` };
  const ended = { atMs: atMs + forMs, entry: { hangup: caller, mark: `hung-up-${number + 1}` } };
  const held = ends.flatMap((phone): Timed[] =>
    holdMs === undefined
      ? []
      : [
          { atMs: atMs + holdMs, entry: { hold: phone } },
          { atMs: atMs + forMs - 1000, entry: { resume: phone } },
        ],
  );
  return [{ atMs, entry: call_ }, ...held, ended];
}

interface Demanded {
  readonly play: readonly Timed[];
  readonly expect: readonly Entry[];
}

const NOTHING: Demanded = { play: [], expect: [] };

/** The broken promise, in the words of the format. */
function demandOf(plan: SwarmPlan, violation: Violation): Demanded {
  const { invariant, at, node, what } = violation;
  const one = plan.accounts.find(({ user }) => user === node);
  const other = plan.accounts.find(({ user }) => user !== node);
  if (one === undefined) return NOTHING;
  const bounds = planBounds(plan, one.redundancy);
  const by = `phone-${node}`;
  switch (invariant) {
    case "I1":
      return renewalDemand(one, violation, bounds.registeredMs);
    case "I2": {
      if (other === undefined) return NOTHING;
      const call = { call: { from: by, to: `phone-${other.user}` }, mark: "proof" };
      const expect = [{ event: "call.answered", by, since: "proof", within: 15 }];
      return { play: [{ atMs: at, entry: call }], expect };
    }
    case "I3":
      return what.startsWith("requests go to") ? returnDemand(by, at) : NOTHING;
    case "I4":
      if (!what.includes("in a minute")) return NOTHING;
      return {
        play: [
          { atMs: Math.max(0, at - 60_000), entry: { wait: 0, mark: "minute" } },
          { atMs: at + 1000, entry: { wait: 0, mark: "minute-over" } },
        ],
        expect: [
          {
            message: "REGISTER",
            from: by,
            since: "minute",
            until: "minute-over",
            count: [0, bounds.registersPerMinute],
          },
        ],
      };
    case "I8":
      if (!what.includes("bindings")) return NOTHING;
      return {
        play: [{ atMs: at, entry: { stop: by, mark: "stopped" } }],
        expect: [{ event: "registration.removed", by, since: "stopped", within: AFTER_SECONDS }],
      };
    case "I7":
    case "I10":
      return { play: [], expect: callDemand(plan, by, violation) };
    default:
      return NOTHING;
  }
}

/** A phone rings once for each call, nothing but people ends one, and what one end has ended is over at the other. */
function callDemand(plan: SwarmPlan, by: string, { node, what }: Violation): Entry[] {
  const [, why] = /^call \d+ ended: (\S+)$/.exec(what) ?? [];
  if (why !== undefined) return [{ event: `call.ended why=${why}`, by, never: true }];
  if (what.startsWith("rang twice")) {
    const rings = plan.calls.filter(({ to }) => plan.accounts[to]?.user === node).length;
    return [{ event: "call.started direction=incoming", by, count: [0, rings] }];
  }
  const [, overMs] = /^is left alone in .* over (\d+) ms ago$/.exec(what) ?? [];
  if (overMs === undefined || plan.calls.length !== 1) return [];
  return [
    { event: "call.ended", by, since: "hung-up-1", within: Math.floor(Number(overMs) / 1000) },
  ];
}

/** By then the phone has come home from where it had gone. */
function returnDemand(by: string, at: number): Demanded {
  const within = Math.ceil(at / 1000);
  return {
    play: [{ atMs: at, entry: { wait: 0, mark: "owed" } }],
    expect: [{ event: "server.failed-back to=1", by, since: "begun", until: "owed", within }],
  };
}

/** While a binding lasts it is renewed; and where a server is there for B, the account registers meanwhile. */
function renewalDemand(
  { redundancy }: AccountPolicy,
  { at, node, what }: Violation,
  registeredMs: number,
): Demanded {
  const longest = Math.max(...redundancy.servers.map(({ expiresSeconds }) => expiresSeconds));
  const span = what.includes("run out") ? longest - 1 : Math.ceil(registeredMs / 1000);
  const from = Math.max(0, at - span * 1000);
  return {
    play: [
      { atMs: from, entry: { wait: 0, mark: "looked-from" } },
      { atMs: at, entry: { wait: 0, mark: "missed" } },
    ],
    expect: [
      {
        event: "registration.accepted",
        by: `phone-${node}`,
        since: "looked-from",
        until: "missed",
        within: span,
      },
    ],
  };
}

function untoldOf(plan: SwarmPlan, { expect }: Demanded): string[] {
  const { accounts, servers, faults, ringMs, authenticated, network } = plan;
  const hops = accounts.flatMap(({ redundancy }) => [...redundancy.servers, ...redundancy.proxies]);
  const untold: [boolean, string][] = [
    [new Set(plan.phones).size < accounts.length, "accounts that share a phone"],
    [expect.length === 0, "the broken promise: write what must be seen into expect"],
    [servers.length > SERVER_NAMES.length, `more than ${SERVER_NAMES.length} servers`],
    [hops.some(({ transport }) => transport === "ws"), "servers that speak WebSocket"],
    [faults.some(({ kind }) => kind === "store-away"), "a location store that is away"],
    [ringMs > 0, `somebody answers after ${ringMs / 1000} s: phones answer by themselves`],
    [!authenticated, "servers that ask for no password"],
    [network.loss > 0 || network.duplication > 0, "loss and duplication everywhere"],
  ];
  return untold.flatMap(([holds, words]) => (holds ? [words] : []));
}
