/** The options of a server as a checked configuration, or every fault at once. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Local } from "../core/machine.ts";
import { parseUri } from "../core/message/uri.ts";
import type { Fault } from "../core/provisioning/configuration.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../core/server/registration.ts";
import {
  isBoxName,
  LEAST_VOICEMAIL_AFTER,
  MOST_VOICEMAIL_AFTER,
  mayRingFor,
  type OfferedAlgorithm,
  type User,
  Users,
} from "../core/server/users.ts";
import { readLocal } from "../worlds/node/listen-address.ts";
import { isUnspecified } from "../worlds/node/local-address.ts";
import type { Store } from "../worlds/node/stores/store.ts";
import type { TlsSettings } from "../worlds/node/tls.ts";
import { ConfigurationError } from "./errors.ts";
import { isHost, shown, wrongResolvers } from "./option-values.ts";
import { bytesOf } from "./phone-options.ts";
import type { EngineConfiguration } from "./server-engine.ts";
import { checkTls } from "./tls-options.ts";

/** What is known of a user: a password, or the digests of it that RFC 7616 §3.4.2 calls H(A1). */
export interface UserOptions {
  readonly password?: string;
  /** Hexadecimal digests of `user:realm:password`, instead of the password. */
  readonly ha1?: { readonly MD5?: string; readonly "SHA-256"?: string };
  /** The user or URI whose box takes this user's calls. */
  readonly voicemail?: string;
  /** Seconds that this user's phones ring before that, 5 to 170. Default 20. */
  readonly voicemailAfter?: number;
  /** Called together: a call to the group rings at all of its users. */
  readonly groups?: readonly string[];
}

/** What a server is made of; only `listen`, `domain` and `users` (or `open`) must be given. */
export interface SipServerOptions {
  /** `udp:127.0.0.1:5060`, `tcp:[::1]:0` (0: a port that is free); transports udp, tcp, tls, ws and wss. */
  readonly listen: string | readonly string[];
  /** The domains of the users; the first is the realm of digest challenges. */
  readonly domain: string | readonly string[];
  /** User to password, or to all that is known of the user. */
  readonly users?: Readonly<Record<string, string | UserOptions>>;
  /** Lets everybody in without a password, instead of `users`. Default false. */
  readonly open?: boolean;
  /**
   * Where bindings are kept: `memory` (default), the path of a folder, `redis://HOST:PORT` (`rediss://`,
   * `redis-cluster://`), or a store of your own. Servers with one store are one system.
   */
  readonly store?: string | Store;
  /** `fallback`: basic calls only. Default `working`. */
  readonly role?: "working" | "fallback";
  /** Of this node: 1 to 64 letters, digits, dots, hyphens. Made of the first address if left out. */
  readonly name?: string;
  /** What peers are told when it listens on every address. */
  readonly advertise?: string;
  /** Digest algorithms in the order offered. Default MD5 alone: many desk phones give up at the sight of others. */
  readonly digest?: OfferedAlgorithm | readonly OfferedAlgorithm[];
  /** Certificate chain and key (PEM) for tls and wss, and whom it believes itself. */
  readonly tls?: TlsSettings;
  /** The shortest registration granted, seconds; shorter is answered 423. Default 10. */
  readonly minExpires?: number;
  /** The longest registration granted, seconds. Default 7200. */
  readonly maxExpires?: number;
  /** Grants are shortened by up to this share, 0..0.5, so that phones that came together part. Default 0. */
  readonly expirySpread?: number;
  /** Who is refused in an overload is asked back within so many seconds. Default 300. */
  readonly retryWithin?: number;
  /** The route that registered phones are told to use (RFC 3608): `sip:edge.example.com;lr`. */
  readonly serviceRoute?: string;
  /** Callers of other domains reach users without a password. Default false. */
  readonly acceptForeign?: boolean;
  /** Resolvers, `HOST` or `HOST:PORT`; those of the system if left out. */
  readonly dns?: string | readonly string[];
  /** Every SIP message as an event, `message.sent` and `message.received`. Default false. */
  readonly trace?: boolean;
}

const KEYS = new Set(
  (
    "listen domain users open store role name advertise digest tls minExpires maxExpires " +
    "expirySpread retryWithin serviceRoute acceptForeign dns trace"
  ).split(" "),
);
const ALGORITHMS: readonly string[] = ["MD5", "SHA-256"] satisfies OfferedAlgorithm[];
const USER_KEYS = new Set(["password", "ha1", "voicemail", "voicemailAfter", "groups"]);
const USER = "{ password, ha1, voicemail, voicemailAfter, groups }";
const USER_NAME = /^[^\s@:;<>"\\]+$/;

/** @throws ConfigurationError with every fault at once. */
export function serverConfiguration(options: SipServerOptions): EngineConfiguration {
  if (typeof options !== "object" || options === null) throw notGiven();
  const reader = new OptionsReader(options);
  const configuration = reader.read();
  if (reader.faults.length > 0) throw new ConfigurationError(reader.faults);
  return configuration;
}

function notGiven(): ConfigurationError {
  const remedy = "give { listen, domain, users }";
  const where = { file: "options", line: 1, key: "options" } as const;
  return new ConfigurationError([{ ...where, severity: "error", wrong: "are missing", remedy }]);
}

class OptionsReader {
  readonly faults: Fault[] = [];
  readonly #options: SipServerOptions;

  constructor(options: SipServerOptions) {
    this.#options = options;
  }

  read(): EngineConfiguration {
    const { role = "working", acceptForeign = false, store = "memory" } = this.#options;
    for (const key of Object.keys(this.#options)) {
      if (!KEYS.has(key)) this.#fault(key, "is not known", `give one of ${[...KEYS].join(", ")}`);
    }
    const listen = this.#listen();
    if (role !== "working" && role !== "fallback") {
      this.#fault("role", `"${role}" is no role`, "give working or fallback");
    }
    const minExpires = this.#seconds("minExpires", DEFAULT_REGISTRAR_LIMITS.minExpires);
    const maxExpires = this.#seconds("maxExpires", DEFAULT_REGISTRAR_LIMITS.maxExpires);
    if (minExpires > maxExpires) {
      const wrong = `${minExpires} is above maxExpires, ${maxExpires}`;
      this.#fault("minExpires", wrong, "give a shorter one, or a longer maxExpires");
    }
    const { expirySpread = 0 } = this.#options;
    if (!(typeof expirySpread === "number" && expirySpread >= 0 && expirySpread <= 0.5)) {
      this.#fault("expirySpread", `${expirySpread} is no such share`, "give 0 to 0.5");
    }
    for (const key of ["open", "acceptForeign", "trace"] as const) {
      const value: unknown = this.#options[key];
      if (value === undefined || typeof value === "boolean") continue;
      this.#fault(key, `cannot be ${shown(value)}`, "give true or false");
    }
    if (!isStore(store)) {
      const remedy = "give memory, a folder, redis://HOST:PORT or a store of your own";
      this.#fault("store", `cannot be ${shown(store)}`, remedy);
    }
    for (const text of wrongResolvers(this.#options.dns ?? [])) {
      this.#fault("dns", `${shown(text)} is no resolver`, "give HOST or HOST:PORT");
    }
    const defaultExpires = Math.min(DEFAULT_REGISTRAR_LIMITS.defaultExpires, maxExpires);
    return {
      name: this.#name(listen[0]),
      domains: this.#domains(),
      listen,
      advertise: this.#advertise(listen),
      role,
      users: this.#users(),
      algorithms: this.#algorithms(),
      acceptForeign,
      limits: { ...DEFAULT_REGISTRAR_LIMITS, minExpires, maxExpires, defaultExpires, expirySpread },
      retryWithin: this.#seconds("retryWithin", 300),
      serviceRoute: this.#serviceRoute(),
      shared: store !== "memory",
      renewals: true,
      tracing: false,
    };
  }

  #listen(): Local[] {
    const texts = [this.#options.listen ?? []].flat();
    if (texts.length === 0) this.#fault("listen", "is missing", "give udp:127.0.0.1:5060");
    const listen: Local[] = [];
    for (const text of texts) {
      const local = readLocal(String(text));
      const remedy = "give TRANSPORT:ADDRESS:PORT, TRANSPORT one of udp tcp tls ws wss";
      if (local === undefined) this.#fault("listen", `${shown(text)} is no address`, remedy);
      else listen.push(local);
    }
    checkTls(this.#options.tls, (...fault) => this.#fault(...fault));
    const secure = listen.find(({ transport }) => transport === "tls" || transport === "wss");
    const { certificate, key } = this.#options.tls ?? {};
    if (secure !== undefined && certificate === undefined && key === undefined) {
      const wrong = `${secure.transport} needs a certificate and its key`;
      this.#fault("tls", wrong, "give tls: { certificate, key }, both PEM");
    }
    return listen;
  }

  #domains(): string[] {
    const domains = [this.#options.domain ?? []]
      .flat()
      .map((domain) => String(domain).toLowerCase());
    const remedy = "give the name after the @ of your users";
    if (domains.length === 0) this.#fault("domain", "is missing", remedy);
    for (const domain of domains) {
      if (/^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/.test(domain)) continue;
      this.#fault("domain", `"${domain}" is no domain`, remedy);
    }
    return domains;
  }

  #users(): Users | undefined {
    const { users, open = false } = this.#options;
    if (users === undefined) {
      if (!open) this.#fault("users", "is missing", "give users, or open: true");
      return undefined;
    }
    if (open) this.#fault("open", "contradicts users", "give one of the two");
    if (Object.prototype.toString.call(users) !== "[object Object]") {
      this.#fault("users", `cannot be ${shown(users)}`, 'give { "2001": "password" }');
      return undefined;
    }
    return new Users(Object.entries(users).map(([name, user]) => this.#user(name, user)));
  }

  #user(name: string, given: string | UserOptions): User {
    const path = `users.${name}`;
    if (!USER_NAME.test(name)) this.#fault(path, "is no user", "give the part before the @");
    const user: UserOptions = typeof given === "string" ? { password: given } : given;
    if (typeof user !== "object" || user === null) {
      this.#fault(path, `cannot be ${shown(given)}`, `give a password as text, or ${USER}`);
      return {
        name: bytesOf(name),
        password: undefined,
        ha1: {},
        voicemail: undefined,
        groups: [],
      };
    }
    for (const key of Object.keys(user)) {
      if (!USER_KEYS.has(key)) this.#fault(`${path}.${key}`, "is not known", `give ${USER}`);
    }
    const { password, ha1 = {}, voicemail, voicemailAfter, groups = [] } = user;
    const missing = password === undefined && ha1?.MD5 === undefined;
    if (missing && ha1?.["SHA-256"] === undefined) {
      this.#fault(path, "has neither password nor ha1", "give one of them");
    }
    this.#text(`${path}.password`, password);
    this.#text(`${path}.voicemail`, voicemail);
    if (typeof voicemail === "string" && !isBoxName(voicemail)) {
      this.#fault(`${path}.voicemail`, `cannot be ${shown(voicemail)}`, "give a user or SIP URI");
    }
    if (voicemailAfter !== undefined && !mayRingFor(voicemailAfter)) {
      const remedy = `give ${LEAST_VOICEMAIL_AFTER} to ${MOST_VOICEMAIL_AFTER}, whole seconds`;
      this.#fault(`${path}.voicemailAfter`, `cannot be ${shown(voicemailAfter)}`, remedy);
    }
    for (const algorithm of ALGORITHMS) {
      this.#text(`${path}.ha1.${algorithm}`, ha1?.[algorithm as OfferedAlgorithm]);
    }
    const named = Array.isArray(groups) && groups.every((group) => typeof group === "string");
    if (!named) this.#fault(`${path}.groups`, `cannot be ${shown(groups)}`, 'give ["sales"]');
    return {
      name: bytesOf(name),
      password: password === undefined ? undefined : bytesOf(String(password)),
      ha1: ha1 ?? {},
      voicemail: typeof voicemail === "string" ? bytesOf(voicemail) : undefined,
      voicemailAfter,
      groups: named ? groups.map(bytesOf) : [],
    };
  }

  #text(key: string, value: unknown): void {
    if (value !== undefined && typeof value !== "string") {
      this.#fault(key, `cannot be ${shown(value)}`, "give text");
    }
  }

  #algorithms(): OfferedAlgorithm[] {
    const algorithms = [this.#options.digest ?? "MD5"].flat();
    const remedy = `give ${ALGORITHMS.join(", ")} or both, the preferred one first`;
    if (algorithms.length === 0) this.#fault("digest", "is empty", remedy);
    for (const algorithm of algorithms) {
      if (!ALGORITHMS.includes(algorithm)) {
        this.#fault("digest", `"${algorithm}" is no algorithm here`, remedy);
      }
    }
    return algorithms;
  }

  #name(first: Local | undefined): string {
    const wild = first === undefined || isUnspecified(first.address);
    const host = wild ? hostname().replace(/[^\w.-]/g, "-") : first.address;
    // Where the system chooses the port, chance tells two nodes of one machine apart.
    const place =
      first === undefined || first.port === 0 ? randomBytes(4).toString("hex") : first.port;
    const name = this.#options.name ?? `${host}-${place}`.replaceAll(":", ".");
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      this.#fault("name", `"${name}" is no node name`, "give letters, digits, dots and hyphens");
    }
    return name;
  }

  #advertise(listen: readonly Local[]): string | undefined {
    const { advertise } = this.#options;
    if (advertise === undefined && listen.some(({ address }) => isUnspecified(address))) {
      const remedy = "give advertise with the address that phones use";
      this.#fault("listen", "on every address gives peers none to answer to", remedy);
    }
    if (advertise !== undefined && !isHost(advertise)) {
      this.#fault("advertise", `${shown(advertise)} is no host`, "give an address or a name");
    }
    return advertise;
  }

  #serviceRoute(): string {
    const uri = this.#options.serviceRoute;
    if (uri === undefined) return "";
    if (parseUri(String(uri)) === undefined) {
      this.#fault("serviceRoute", `${shown(uri)} is no SIP URI`, "give sip:HOST;lr");
    }
    return `<${uri}>`;
  }

  #seconds(key: "minExpires" | "maxExpires" | "retryWithin", otherwise: number): number {
    const value = this.#options[key] ?? otherwise;
    if (Number.isInteger(value) && value > 0) return value;
    this.#fault(key, `${shown(value)} is no number of seconds`, "give a whole number above 0");
    return otherwise;
  }

  #fault(key: string, wrong: string, remedy: string): void {
    this.faults.push({ file: "options", line: 1, key, severity: "error", wrong, remedy });
  }
}

function isStore(given: unknown): boolean {
  if (typeof given === "string") return given !== "";
  return typeof given === "object" && given !== null && "ask" in given && "scan" in given;
}
