/**
 * A configuration as our own dialect says it, whatever it was read from: made from the key table, so that each field
 * that a key decides is written where it differs from what holds anyway. Read again, it gives the same policy.
 */
import { stringify } from "yaml";
import type { AccountPolicy, RegisterBackoff, ServerPolicy } from "../redundancy/policy.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../vocabulary.ts";
import type { PhoneConfiguration } from "./configuration.ts";
import type { KeyRow } from "./key-table.ts";
import { NATIVE_KEYS } from "./native-keys.ts";
import { spellValue, type Value } from "./value-form.ts";

export interface NativeOptions {
  /** Whether passwords are written, too. */
  readonly secrets: boolean;
}

/** One level of the YAML file. */
interface Section {
  servers?: unknown;
  proxies?: unknown;
  [key: string]: unknown;
}

type ServerList = "servers" | "proxies";

const OWN_ACCOUNT = {
  ...ACCOUNT_DEFAULTS,
  enabled: true,
  redundancy: { ...POLICY_DEFAULTS.native, servers: [] },
};
const POLICY_ROWS = rowsUnder("every-account.");
const PLAIN_ROWS = rowsUnder("accounts.X.").filter(
  ({ decides }) => !/\.redundancy\./.test(decides),
);
const SERVER_ROWS = rowsUnder("accounts.X.servers.Y.");
const PROXY_ROWS = rowsUnder("accounts.X.proxies.Y.");
/** What depends on where a server stands, or which one it is. */
const UNSHARED = /^(address|features|register|through-proxy)$/;

/** The text of a file that says all of it; no account is left out. */
export function writeNative(
  configuration: Pick<PhoneConfiguration, "accounts" | "resolvers" | "localPort" | "station">,
  options: NativeOptions,
): string {
  const { accounts, resolvers, localPort, station } = configuration;
  const entries = accounts.map((account) => accountEntry(account, options));
  const phone: Section = {
    ...(localPort === 0 ? {} : { "local-port": localPort }),
    ...(resolvers.length === 0 ? {} : { resolvers }),
    ...stationEntry(station ?? {}),
    ...sharedByAccounts(entries),
    ...sharedByServers(entries),
    accounts: numbered(accounts, entries),
  };
  return stringify(phone, { lineWidth: 0 });
}

function stationEntry(station: NonNullable<PhoneConfiguration["station"]>): Section {
  const { userAgent, ...plain } = station;
  return { ...plain, ...(userAgent === undefined ? {} : { "user-agent": userAgent }) };
}

/** A list, unless numbers have gaps. */
function numbered(accounts: readonly AccountPolicy[], entries: readonly Section[]): unknown {
  if (accounts.every(({ index }, at) => index === at + 1)) return entries;
  return Object.fromEntries(accounts.map(({ index }, at) => [index, entries[at]]));
}

function accountEntry(account: AccountPolicy, { secrets }: NativeOptions): Section {
  const entry: Section = { user: account.user };
  const { redundancy } = account;
  const standard = { ...OWN_ACCOUNT, user: account.user, authName: account.user };
  for (const row of PLAIN_ROWS) {
    if (row.form.kind === "secret" && !secrets) continue;
    put(entry, row, fieldOf(account, row), fieldOf(standard, row));
  }
  for (const row of POLICY_ROWS) {
    if (/\.records\b/.test(row.decides)) continue;
    if (/\.backoff\b/.test(row.decides)) putBackoff(entry, row, redundancy.backoff);
    else put(entry, row, fieldOf(account, row), fieldOf(OWN_ACCOUNT, row));
  }
  putRecords(entry, redundancy.dns.records);
  const { proxies } = redundancy;
  // Without a proxy there is nothing to go through, whatever is said.
  const servers = redundancy.servers.map((server) =>
    proxies.length === 0 ? { ...server, throughProxy: true } : server,
  );
  entry.servers = servers.map((server, at) => serverEntry(server, at, "servers"));
  if (proxies.length > 0) {
    entry.proxies = proxies.map((proxy, at) => serverEntry(proxy, at, "proxies"));
  }
  return entry;
}

function serverEntry(server: ServerPolicy, at: number, list: ServerList): Section {
  const features = at === 0 || list === "proxies" ? "full" : "basic";
  const standard = { ...SERVER_DEFAULTS.native, address: "", features };
  const entry: Section = {};
  for (const row of list === "servers" ? SERVER_ROWS : PROXY_ROWS) {
    const field = row.decides.slice(row.decides.lastIndexOf(".") + 1) as keyof ServerPolicy;
    put(entry, row, server[field], standard[field]);
  }
  return entry;
}

/** The fixed wait stands above the back-off, so that only one of them is said. */
function putBackoff(entry: Section, row: KeyRow, backoff: RegisterBackoff): void {
  const field = row.decides.slice(row.decides.lastIndexOf(".") + 1);
  if (backoff.kind === "fixed") {
    if (field === "backoff") put(entry, row, backoff.intervalMs, undefined);
  } else if (field !== "backoff") {
    put(entry, row, valueAt(backoff, field), valueAt(POLICY_DEFAULTS.native.backoff, field));
  }
}

const KINDS: Readonly<Record<string, readonly ResourceRecord["type"][]>> = {
  naptr: ["NAPTR"],
  srv: ["SRV"],
  a: ["A", "AAAA"],
};

/** Every field of a record is written: its defaults are the DNS's and not ours. */
function putRecords(entry: Section, records: readonly ResourceRecord[]): void {
  for (const [list, types] of Object.entries(KINDS)) {
    const found = records.filter(({ type }) => types.includes(type));
    if (found.length === 0) continue;
    const rows = POLICY_ROWS.filter(({ key }) => key.startsWith(`every-account.dns.${list}.Z.`));
    const written = found.map((record) => {
      const fields: Section = {};
      for (const row of rows) {
        const field = row.decides.slice(row.decides.lastIndexOf(".") + 1);
        put(fields, row, valueAt(record, field), "");
      }
      return fields;
    });
    sectionIn(entry, "dns")[list] = written;
  }
}

/** What every account says alike is said once. */
function sharedByAccounts(entries: readonly Section[]): Section {
  if (entries.length < 2) return {};
  const names = POLICY_ROWS.map(({ key }) => key.split(".")[1]!);
  const shared = moveShared(entries, names);
  return Object.keys(shared).length === 0 ? {} : { "every-account": shared };
}

/** Proxies count as servers: what is said of every server holds for them, too. */
function sharedByServers(entries: readonly Section[]): Section {
  const servers = entries.flatMap(
    (entry) => [...list(entry, "servers"), ...list(entry, "proxies")] as Section[],
  );
  if (servers.length < 2) return {};
  const names = SERVER_ROWS.map(leafOf).filter((name) => !UNSHARED.test(name));
  const shared = moveShared(servers, names);
  return Object.keys(shared).length === 0 ? {} : { "every-server": shared };
}

function list(entry: Section, name: ServerList): readonly unknown[] {
  const found = entry[name];
  return Array.isArray(found) ? found : [];
}

function moveShared(entries: readonly Section[], names: readonly string[]): Section {
  const shared: Section = {};
  for (const name of new Set(names)) {
    const [first, ...others] = entries.map((entry) => JSON.stringify(entry[name]));
    if (first === undefined || others.some((other) => other !== first)) continue;
    shared[name] = entries[0]?.[name];
    for (const entry of entries) delete entry[name];
  }
  return shared;
}

/** Puts a value under the row's own names, unless it is what holds anyway. */
function put(into: Section, row: KeyRow, value: unknown, standard: unknown): void {
  if (value === undefined || JSON.stringify(value) === JSON.stringify(standard)) return;
  const path = leafOf(row).split(".");
  let section = into;
  for (const part of path.slice(0, -1)) section = sectionIn(section, part);
  section[path.at(-1)!] = written(row, value as Value);
}

function sectionIn(section: Section, name: string): Section {
  const known = section[name];
  if (known !== undefined) return known as Section;
  const made: Section = {};
  section[name] = made;
  return made;
}

/** Numbers and lists as YAML has them, everything else in the words of the key's form. */
function written({ form }: KeyRow, value: Value): unknown {
  if (Array.isArray(value)) return value;
  if (form.kind === "number") return Number(value) / form.times;
  return form.kind === "duration" && value === 0 ? 0 : spellValue(form, value);
}

/** `dns.static-first` of `every-account.dns.static-first`; of a record its field. */
function leafOf({ key }: KeyRow): string {
  return key.replace(/^.*\.[XYZ]\.|^every-account\./, "");
}

function rowsUnder(prefix: string): KeyRow[] {
  return NATIVE_KEYS.rows.filter(
    ({ key }) => key.startsWith(prefix) && !/\.[XY]\./.test(key.slice(prefix.length)),
  );
}

/** The value of a row's policy field in an account. */
function fieldOf(account: object, { decides }: KeyRow): unknown {
  const path = decides.replace(/^account\.[X*]\./, "").split(".");
  return path.reduce<unknown>(valueAt, account);
}

function valueAt(value: unknown, field: string): unknown {
  const known = typeof value === "object" && value !== null;
  return known ? Object.getOwnPropertyDescriptor(value, field)?.value : undefined;
}
