/** The options of a phone as a checked configuration: the same that provisioning files come to. */
import { isIP } from "node:net";
import { parseUri, uriParam } from "../core/message/uri.ts";
import type { AnswerMode } from "../core/phone/phone-config.ts";
import type { Fault, PhoneConfiguration } from "../core/provisioning/configuration.ts";
import type {
  AccountPolicy,
  DnsPolicy,
  RedundancyPolicy,
  ServerPolicy,
  ServerTransport,
} from "../core/redundancy/policy.ts";
import {
  ACCOUNT_DEFAULTS,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../core/redundancy/policy-defaults.ts";
import type { TlsSettings } from "../worlds/node/tls.ts";
import { ConfigurationError } from "./errors.ts";
import { isHost, shown, wanted, wrongResolvers } from "./option-values.ts";
import { checkTls } from "./tls-options.ts";

/** One server or outbound proxy; what is left out is as in docs/provisioning.md for our own dialect. */
export type ServerOptions = Partial<Omit<ServerPolicy, "address">> & Pick<ServerPolicy, "address">;

/** `pbx.example.com`, `192.0.2.13:5080`, `tcp:192.0.2.13:5060`, `sip:pbx.example.com;transport=tcp`, or all its parts. */
export type ServerName = string | ServerOptions;

/** How the loss of a server is survived; what is left out is as for our own dialect. Times in milliseconds. */
export type RedundancyOptions = Partial<
  Omit<RedundancyPolicy, "servers" | "proxies" | "dns"> & { readonly dns: Partial<DnsPolicy> }
>;

/** One line of a phone. */
export interface AccountOptions
  extends Partial<
    Pick<
      AccountPolicy,
      | "displayName"
      | "authName"
      | "password"
      | "unregisterOnStart"
      | "messageWaiting"
      | "colleagues"
      | "presenceOf"
      | "watchExpiresSeconds"
      | "publishPresence"
      | "subscribeRegistration"
      | "subscribeExpiresSeconds"
      | "subscribeOverlapSeconds"
      | "subscribeRetryMs"
      | "reliableProvisionals"
      | "sessionTimer"
      | "sessionExpiresSeconds"
      | "sessionRefresher"
    >
  > {
  /** The part of its address before the @. */
  readonly user: string;
  /** The part behind it; the address of the server in use if left out. */
  readonly domain?: string;
  /** In the order of trial; the first is the working server, the others are fallbacks. */
  readonly servers: ServerName | readonly ServerName[];
  /** Outbound proxies. */
  readonly proxies?: ServerName | readonly ServerName[];
  /** False: it calls and sends requests without registering anywhere. Default true. */
  readonly register?: boolean;
  readonly redundancy?: RedundancyOptions;
}

/** What a phone needs beside its accounts. */
export interface PhoneSettings {
  /**
   * The local address, `0.0.0.0` or `::` for all (default: `::` where each server is an IPv6 address, else `0.0.0.0`).
   * This and what follows stands above what files say.
   */
  readonly bind?: string;
  /** The local SIP port, 0..65535; 0: one that is free. Default 0, or what the files say. */
  readonly port?: number;
  /** Resolvers, `HOST` or `HOST:PORT`; those of the files or the system if left out. */
  readonly dns?: string | readonly string[];
  /**
   * Incoming calls: `ring` (default) until the program answers or refuses, `auto`: answered at once, `busy`: refused
   * with 486. A call that rings for a program without a listener for `call` is refused with 486, too.
   */
  readonly answer?: AnswerMode;
  readonly tls?: TlsSettings;
  /** The User-Agent header. Default `Dialtone`. */
  readonly userAgent?: string;
  /** A URN that stays the same over restarts (RFC 5626 §4.1); made of host name and users if left out. */
  readonly instance?: string;
  /** Every SIP message as an event, `message.sent` and `message.received`. Default false. */
  readonly trace?: boolean;
}

/** A phone with one account, or several. */
export type PhoneOptions = PhoneSettings &
  (AccountOptions | { readonly accounts: readonly AccountOptions[] });

const TRANSPORTS: readonly string[] = [
  "udp",
  "tcp",
  "tls",
  "ws",
  "wss",
] satisfies ServerTransport[];
const REDUNDANCY = "account.X.redundancy.";
const ACCOUNT_KEYS = new Set(["user", "domain", "servers", "proxies", "register", "redundancy"]);
const SETTING_KEYS = new Set("bind port dns answer tls userAgent instance trace".split(" "));
const SERVER = "give HOST, HOST:PORT or TRANSPORT:HOST:PORT, TRANSPORT one of udp tcp tls ws wss";
/** Decided by where an account stands, and not by its options. */
const { index: _index, enabled: _enabled, ...PLAIN_DEFAULTS } = ACCOUNT_DEFAULTS;

/**
 * Options as the configuration that files would come to.
 * @param read what the files of the phone came to, if it is made of files.
 * @throws ConfigurationError with every fault at once.
 */
export function configurationOf(
  options: PhoneOptions,
  read?: PhoneConfiguration,
): PhoneConfiguration {
  const reader = new OptionsReader();
  if (typeof options !== "object" || options === null) {
    reader.fault("options", "are missing", "give { user, password, servers }");
    throw new ConfigurationError(reader.faults);
  }
  reader.settings(options);
  const accounts = read?.accounts ?? reader.accounts(options);
  if (reader.faults.length > 0) throw new ConfigurationError(reader.faults);
  if (read !== undefined) return read;
  return {
    dialect: "native",
    accounts,
    readings: [],
    faults: [],
    origins: new Map(),
    resolvers: [],
    localPort: 0,
  };
}

/** A password or name counts as its UTF-8 bytes; inside the core a character is a byte. */
export function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Of an account, and not of the phone. */
function isAccountKey(key: string): boolean {
  return ACCOUNT_KEYS.has(key) || key in PLAIN_DEFAULTS;
}

function withoutSettings(options: AccountOptions): AccountOptions {
  const own = { ...options };
  for (const key of SETTING_KEYS) Reflect.deleteProperty(own, key);
  return own;
}

class OptionsReader {
  readonly faults: Fault[] = [];
  /** The account stands among the settings of the phone. */
  #single = false;

  settings(settings: PhoneSettings): void {
    const { bind, port = 0, dns = [], trace = false } = settings;
    const unknown = Object.keys(settings).filter((key) => !SETTING_KEYS.has(key));
    if ("accounts" in settings) {
      const remedy = `give one of accounts, ${[...SETTING_KEYS].join(", ")}`;
      for (const key of unknown) {
        if (key === "accounts") continue;
        if (isAccountKey(key)) this.fault(key, "contradicts accounts", "give it in each of them");
        else this.fault(key, "is not known", remedy);
      }
    }
    checkTls(settings.tls, (...fault) => this.fault(...fault));
    if (bind !== undefined && (typeof bind !== "string" || isIP(bind) === 0)) {
      this.fault("bind", `${shown(bind)} is no address`, "give one, or 0.0.0.0");
    }
    if (!isPort(port)) this.fault("port", `${shown(port)} is no port`, "give 0 to 65535");
    for (const text of wrongResolvers(dns)) {
      this.fault("dns", `${shown(text)} is no resolver`, "give HOST or HOST:PORT");
    }
    if (typeof trace !== "boolean") {
      this.fault("trace", `cannot be ${shown(trace)}`, "give true or false");
    }
    for (const key of ["answer", "userAgent", "instance"] as const) {
      if (settings[key] !== undefined) this.#value(key, key, settings[key], "");
    }
  }

  accounts(options: PhoneOptions): AccountPolicy[] {
    this.#single = !("accounts" in options);
    const given: unknown = "accounts" in options ? options.accounts : [withoutSettings(options)];
    if (!Array.isArray(given) || given.length === 0) {
      const wrong = Array.isArray(given) ? "is empty" : "is no list";
      this.fault("accounts", wrong, "give a list of one account at least");
      return [];
    }
    return given.flatMap((account: AccountOptions | null, at) => {
      if (typeof account === "object" && account !== null) return [this.#account(account, at + 1)];
      const remedy = "give { user, password, servers }";
      this.fault(`accounts.${at + 1}`, `cannot be ${shown(account)}`, remedy);
      return [];
    });
  }

  #account(options: AccountOptions, index: number): AccountPolicy {
    const { user, domain, register = true } = options;
    const redundancy = this.#object(options.redundancy, `accounts.${index}.redundancy`);
    if (typeof user !== "string" || !/^[^\s@:;<>"\\]+$/.test(user)) {
      const remedy = "give the part before the @, as text";
      this.fault(`accounts.${index}.user`, `${shown(user)} is no user`, remedy);
    }
    if (domain !== undefined && !isHost(domain)) {
      this.fault(`accounts.${index}.domain`, `${shown(domain)} is no domain`, "give a host name");
    }
    if (typeof register !== "boolean") {
      this.fault(
        `accounts.${index}.register`,
        `cannot be ${shown(register)}`,
        "give true or false",
      );
    }
    const plain = this.#plain(options, index);
    const path = `accounts.${index}`;
    const proxies = this.#servers(options.proxies ?? [], `${path}.proxies`);
    const servers = this.#servers(options.servers ?? [], `${path}.servers`).map((server) => ({
      ...server,
      register: register && server.register,
      throughProxy: server.throughProxy && proxies.length > 0,
    }));
    if (servers.length === 0) this.fault(`${path}.servers`, "is empty", "give one server at least");
    const { dns, ...rest } = redundancy;
    const { dns: standardDns, proxies: _proxies, ...standard } = POLICY_DEFAULTS.native;
    this.#check(rest, standard, `${path}.redundancy`, REDUNDANCY, ["dns"]);
    const dnsPath = `${path}.redundancy.dns`;
    this.#check(this.#object(dns, dnsPath), standardDns, dnsPath, `${REDUNDANCY}dns.`);
    return {
      ...ACCOUNT_DEFAULTS,
      ...plain,
      index,
      enabled: true,
      user,
      domain,
      authName: bytesOf(String(options.authName ?? user)),
      password: bytesOf(String(options.password ?? "")),
      displayName: bytesOf(String(options.displayName ?? "")),
      redundancy: {
        ...standard,
        ...rest,
        servers,
        proxies: proxies.map((proxy) => ({ ...proxy, throughProxy: false })),
        dns: { ...standardDns, ...dns },
      },
    };
  }

  fault(key: string, wrong: string, remedy: string): void {
    this.faults.push({ file: "options", line: 1, key, severity: "error", wrong, remedy });
  }

  #plain(options: AccountOptions, index: number): Partial<AccountPolicy> {
    const plain: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(options)) {
      if (!ACCOUNT_KEYS.has(key) && value !== undefined) plain[key] = value;
    }
    const others = [...ACCOUNT_KEYS, ...(this.#single ? SETTING_KEYS : [])];
    this.#check(plain, PLAIN_DEFAULTS, `accounts.${index}`, "account.X.", others);
    return plain;
  }

  #servers(given: ServerName | readonly ServerName[], path: string): ServerPolicy[] {
    const names = Array.isArray(given) ? given : [given];
    return names.map((name: ServerName, at) => this.#server(name, `${path}.${at + 1}`, at === 0));
  }

  #server(name: ServerName, path: string, first: boolean): ServerPolicy {
    const features = first || path.includes("proxies") ? "full" : "basic";
    const standard: ServerPolicy = { ...SERVER_DEFAULTS.native, address: "", features };
    const given = typeof name === "string" ? readServerName(name) : name;
    if (typeof given !== "object" || given === null) {
      this.fault(path, `${shown(name)} is no server`, SERVER);
      return standard;
    }
    if (!isHost(given.address)) {
      if (typeof name === "string") this.fault(path, `${shown(name)} is no server`, SERVER);
      else this.fault(`${path}.address`, `${shown(given.address)} is no host`, "give HOST");
    }
    this.#check(given, standard, path, `${REDUNDANCY}servers.Y.`);
    return { ...standard, ...given };
  }

  /**
   * Each key must be one of those there are, with a value that its row allows.
   * @param others keys that stand beside them and are looked at elsewhere.
   */
  #check(
    given: object,
    standard: object,
    path: string,
    rows: string,
    others: readonly string[] = [],
  ): void {
    const known = standard as Readonly<Record<string, unknown>>;
    for (const [key, value] of Object.entries(given)) {
      if (!(key in known)) {
        const remedy = `give one of ${[...new Set([...others, ...Object.keys(known)])].join(", ")}`;
        this.fault(`${path}.${key}`, "is not known", remedy);
      } else {
        this.#value(`${path}.${key}`, rows + key, value, known[key]);
      }
    }
  }

  #value(path: string, row: string, value: unknown, standard: unknown): void {
    const instead = wanted(row, value, standard);
    if (instead !== undefined) this.fault(path, `cannot be ${shown(value)}`, `give ${instead}`);
  }

  #object<Given extends object>(given: Given | undefined, path: string): Partial<Given> {
    if (typeof given === "object" && given !== null) return given;
    if (given !== undefined) this.fault(path, `cannot be ${shown(given)}`, "give an object");
    return {};
  }
}

/** `TRANSPORT:HOST:PORT`, of which only the host must be there, or a SIP URI; undefined if it is neither. */
export function readServerName(text: string): ServerOptions | undefined {
  if (/^sips?:/i.test(text)) return serverOfUri(text);
  const match =
    /^(?:(udp|tcp|tls|ws|wss):)?(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return undefined;
  const [, transport, literal, host, port] = match;
  return {
    address: literal ?? (host as string),
    ...(transport === undefined ? {} : { transport: transport.toLowerCase() as ServerTransport }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function serverOfUri(text: string): ServerOptions | undefined {
  const uri = parseUri(text);
  if (uri === undefined) return undefined;
  const named = uriParam(uri, "transport")?.toLowerCase();
  const transport = uri.scheme === "sips" ? "tls" : named;
  if (transport !== undefined && !TRANSPORTS.includes(transport)) return undefined;
  return {
    address: uri.host.replace(/^\[|\]$/g, ""),
    ...(transport === undefined ? {} : { transport: transport as ServerTransport }),
    ...(uri.port === 0 ? {} : { port: uri.port }),
  };
}

function isPort(port: unknown): boolean {
  return typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65_535;
}
