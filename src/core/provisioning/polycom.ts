/**
 * Polycom UC Software and Spectralink 84: from settings to one policy per registration. Three levels stand above one
 * another: reg.x.server.y over voIpProt.server.x, reg.x.outboundProxy over voIpProt.SIP.outboundProxy, and the
 * server's failOver values under the proxy's.
 */

import type {
  AccountPolicy,
  FailbackMode,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
} from "../redundancy/policy.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../redundancy/policy-defaults.ts";
import {
  accountNumbers,
  failbackAddress,
  forAccount,
  inheritOrigins,
  section,
  sibling,
  userAndDomain,
} from "./assemble.ts";
import { polycomLamps } from "./lamps.ts";
import { withdrawIdleFailover } from "./polycom-rules.ts";
import type { Setting, Settings } from "./settings.ts";
import { staticRecords } from "./static-records.ts";
import { isLiteral } from "./value-form.ts";

/** `failbackMode` holds where no file says: manuals of the Spectralink 84 disagree between two of them. */
export function buildPolycom(settings: Settings, failbackMode: FailbackMode): AccountPolicy[] {
  const accounts: AccountPolicy[] = [];
  for (const account of accountNumbers(settings)) {
    settings.begin();
    const policy = new Registration(settings, account, failbackMode).build();
    if (policy) accounts.push(policy);
  }
  return accounts;
}

/** One `reg.x` while it is being built. */
class Registration {
  readonly #settings: Settings;
  readonly #account: number;
  readonly #path: string;
  readonly #standard: Omit<ServerPolicy, "address">;
  readonly #rowsOf = new Map<number, readonly string[]>();

  constructor(settings: Settings, account: number, failbackMode: FailbackMode) {
    this.#settings = settings;
    this.#account = account;
    this.#path = `account.${account}`;
    this.#standard = { ...SERVER_DEFAULTS.polycom, failbackMode };
  }

  /** Undefined if `reg.x.address` is not set, or if it has no server (an error then). */
  build(): AccountPolicy | undefined {
    const address = this.#settings.peek([`${this.#path}.user`]);
    if (address === undefined) return undefined;
    const servers = this.#servers();
    if (servers.length === 0) {
      const remedy = `write reg.${this.#account}.server.1.address or voIpProt.server.1.address`;
      const wrong = `registration ${this.#account} has no server`;
      this.#settings.error(address.origin, "no-server", wrong, remedy);
      return undefined;
    }
    const mailbox = this.#settings.take([`${this.#path}.mailbox`], `${this.#path}.messageWaiting`);
    const standard = {
      ...ACCOUNT_DEFAULTS,
      index: this.#account,
      enabled: true,
      messageWaiting: mailbox !== undefined,
      ...this.#ofWorkingServer(),
    };
    const prefixes = [this.#path, "account.*"];
    const plain = section(this.#settings, standard, prefixes, this.#path);
    const redundancy = this.#policy(servers);
    const named = userAndDomain(this.#settings, address.origin, plain.user);
    const authName = plain.authName || named.user;
    const colleagues = polycomLamps(this.#settings, this.#account);
    return { ...plain, ...named, authName, colleagues, redundancy };
  }

  #servers(): ServerPolicy[] {
    const servers: ServerPolicy[] = [];
    for (let number = 1; number <= this.#settings.index.table.limits.Y; number++) {
      const prefixes = this.#rows(number);
      const address = this.#settings.peek(prefixes.map((prefix) => `${prefix}.address`));
      if (address === undefined) continue;
      if (servers.length < number - 1) {
        const missing = address.origin.key.replace(`server.${number}.`, `server.${number - 1}.`);
        const wrong = `there is a server ${number} and no server ${number - 1}`;
        this.#settings.error(address.origin, "missing-server", wrong, `write ${missing} first`);
      }
      servers.push(this.#server(number, prefixes, String(address.value)));
    }
    return servers;
  }

  /** Where server `number` is described: a row of its own with an address hides the global row whole. */
  #rows(number: number): readonly string[] {
    const known = this.#rowsOf.get(number);
    if (known) return known;
    const rows = forAccount(this.#account, `redundancy.servers.${number}`);
    const address = this.#settings.peek([`${rows[0]}.address`]);
    if (address) this.#hide(rows.pop()!, rows[0]!, address);
    this.#rowsOf.set(number, rows);
    return rows;
  }

  /** What the own row repeats is meant to differ; what it does not is lost unseen. */
  #hide(row: string, own: string, address: Setting): void {
    const lost = this.#settings
      .dropUnder(row, address.origin)
      .filter(({ slot }) => this.#settings.peek([own + slot.slice(row.length)]) === undefined);
    const [first] = lost;
    if (first === undefined) return;
    const leaf = first.origin.key.replace(/^voIpProt\.server\.\d+\./, "");
    const more = lost.length > 1 ? ` and ${lost.length - 1} more keys of its row` : "";
    const wrong = `${address.origin.key} at ${address.origin.file}:${address.origin.line} hides this${more}`;
    const remedy = `write ${sibling(address.origin, leaf)} too, or delete that address`;
    this.#settings.warn(first.origin, "hidden-global", wrong, remedy);
  }

  #server(number: number, prefixes: readonly string[], address: string): ServerPolicy {
    const path = `${this.#path}.redundancy.servers.${number}`;
    const heirs = number === 1 ? [this.#settings.peek(this.#proxySlots())] : [];
    const where = failbackAddress(address, heirs);
    const only = withdrawIdleFailover(this.#settings, prefixes, where, this.#standard);
    const features = number === 1 ? "full" : "basic";
    const standard = { ...this.#standard, features, address: "", onlySignalWithRegistered: only };
    const server = section<ServerPolicy>(this.#settings, { ...standard, features }, prefixes, path);
    // The family has one count for all methods.
    const retries = this.#settings.origins.get(`${path}.registerRetries`);
    if (retries) this.#settings.origins.set(`${path}.inviteRetries`, retries);
    return withoutNaptrForLiteral({ ...server, inviteRetries: server.registerRetries });
  }

  #policy(servers: readonly ServerPolicy[]): RedundancyPolicy {
    const { backoff, dns, ...standard } = POLICY_DEFAULTS.polycom;
    const path = `${this.#path}.redundancy`;
    const proxies = this.#proxies(servers[0]!);
    const routed = servers.map((server) => ({
      ...server,
      throughProxy: server.throughProxy && proxies.length > 0,
    }));
    return {
      ...section(
        this.#settings,
        { ...standard, servers: routed, proxies },
        forAccount(this.#account, "redundancy"),
        path,
      ),
      backoff: this.#backoff(backoff),
      dns: {
        ...dns,
        records: staticRecords(this.#settings, this.#account, this.#settings.index.table.limits.Z),
      },
    };
  }

  /** One proxy per registration; what it does not set of failOver and retries it takes from server 1. */
  #proxies(first: ServerPolicy): ServerPolicy[] {
    const prefixes = forAccount(this.#account, "redundancy.proxies.1");
    const address = this.#settings.peek(this.#proxySlots());
    if (address === undefined) return [];
    const path = `${this.#path}.redundancy.proxies.1`;
    const only = withdrawIdleFailover(this.#settings, prefixes, String(address.value), first);
    // Server 1's word on onlySignalWithRegistered counts here only if it was in force there.
    const chained = first.registerOnFailover && first.dropRegistrationOnFailover;
    const { port, transport } = this.#standard;
    const standard: ServerPolicy = {
      ...first,
      port,
      transport,
      register: true,
      throughProxy: false,
      onlySignalWithRegistered: only && (first.onlySignalWithRegistered || !chained),
    };
    const proxy = section(this.#settings, standard, prefixes, path);
    const from = `${this.#path}.redundancy.servers.1`;
    inheritOrigins(this.#settings, path, from, ["port", "transport", "register", "throughProxy"]);
    return [withoutNaptrForLiteral(proxy)];
  }

  #proxySlots(): string[] {
    return forAccount(this.#account, "redundancy.proxies.1.address");
  }

  #backoff(standard: RegisterBackoff): RegisterBackoff {
    if (standard.kind !== "rfc5626") return standard;
    const found = this.#perAccount("redundancy.backoff", {
      baseMs: standard.baseMs,
      maxMs: standard.maxMs,
    });
    const max = this.#settings.origins.get(`${this.#path}.redundancy.backoff.maxMs`);
    if (max && found.maxMs < found.baseMs) {
      const wrong = "it is below registerRetry.baseTimeOut, which is used for both";
      this.#settings.warn(max, "cap-below-base", wrong, `write ${found.baseMs / 1000} or more`);
    }
    return { ...standard, ...found, maxMs: Math.max(found.baseMs, found.maxMs) };
  }

  #ofWorkingServer(): Pick<AccountPolicy, "subscribeExpiresSeconds" | "subscribeOverlapSeconds"> {
    const { subscribeExpiresSeconds, subscribeOverlapSeconds } = ACCOUNT_DEFAULTS;
    return this.#perAccount("", { subscribeExpiresSeconds, subscribeOverlapSeconds });
  }

  /** Fields that the files have per server and the policy per account: those of server 1 count. */
  #perAccount<T extends object>(below: string, defaults: T): T {
    const infix = below === "" ? "" : `.${below}`;
    const prefixes = this.#rows(1).map((row) => `${row}${infix}`);
    const found = section(this.#settings, defaults, prefixes, `${this.#path}${infix}`);
    for (let number = 2; number <= this.#settings.index.table.limits.Y; number++) {
      const rows = this.#rows(number);
      const used = this.#settings.peek(rows.map((row) => `${row}.address`)) !== undefined;
      for (const [field, value] of Object.entries(found)) {
        for (const row of rows) this.#drop(`${row}${infix}.${field}`, used ? value : undefined);
      }
    }
    return found;
  }

  /** `value`: what holds instead; undefined: nobody misses it. */
  #drop(slot: string, value: unknown): void {
    const setting = this.#settings.peek([slot]);
    if (setting === undefined) return;
    const reason = "the value of server 1 holds for all of them";
    this.#settings.drop(setting, reason);
    if (value === undefined || value === setting.value) return;
    const first = setting.origin.key.replace(/(?<=\.server\.)\d+/, "1");
    this.#settings.note(
      setting.origin,
      "server-1-counts",
      reason,
      `write ${first}, or delete this`,
    );
  }
}

/** DNSnaptr is the family's default and means UDP for an address: no fault of the operator's. */
function withoutNaptrForLiteral(server: ServerPolicy): ServerPolicy {
  const literal = server.transport === "naptr" && isLiteral(server.address);
  return literal ? { ...server, transport: "udp" } : server;
}
