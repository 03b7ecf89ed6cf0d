/** The flags of `dialtone serve` as a checked configuration, or every fault at once. */
import { isHost } from "../../api/option-values.ts";
import type { Local } from "../../core/machine.ts";
import { parseUri } from "../../core/message/uri.ts";
import type { Fault } from "../../core/provisioning/configuration.ts";
import { DIGEST_ALGORITHMS } from "../../core/server/authenticator.ts";
import type { OfferedAlgorithm } from "../../core/server/users.ts";
import { readLocal } from "../../worlds/node/listen-address.ts";
import { isUnspecified } from "../../worlds/node/local-address.ts";
import { type HostPort, splitHostPort } from "../flag-values.ts";

/** The flags as commander hands them over. */
export interface ServeFlags {
  readonly listen?: readonly string[];
  readonly domain?: readonly string[];
  readonly role?: string;
  readonly users?: string;
  readonly open?: boolean;
  readonly digest?: string;
  readonly store?: string;
  readonly name?: string;
  readonly http?: string;
  readonly dns?: readonly string[];
  readonly advertise?: string;
  readonly serviceRoute?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly ca?: readonly string[];
  readonly clients?: string;
  readonly minExpires?: string;
  readonly maxExpires?: string;
  readonly spread?: string;
  readonly retryWithin?: string;
  readonly acceptForeign?: boolean;
  readonly clockSkew?: string;
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly control?: boolean;
}

export interface ServeOptions {
  readonly listen: readonly Local[];
  readonly domains: readonly string[];
  readonly role: "working" | "fallback";
  /** The users file; undefined: everybody is let in. */
  readonly usersFile: string | undefined;
  /** Of challenges, strongest first. */
  readonly algorithms: readonly OfferedAlgorithm[];
  readonly store: string;
  readonly name: string;
  readonly http: HostPort | undefined;
  /** The address that peers are told when a listening address is a wildcard. */
  readonly advertise: string | undefined;
  /** Told to registered phones (RFC 3608), with its brackets; empty: none. */
  readonly serviceRoute: string;
  readonly minExpires: number;
  readonly maxExpires: number;
  /** Share by which grants are shortened at most, 0..0.5 (R111). */
  readonly expirySpread: number;
  /** Who is refused in an overload is asked back within so many seconds. */
  readonly retryWithin: number;
  /** Seconds by which the clock of this node is wrong, for rehearsals. */
  readonly clockSkew: number;
  readonly acceptForeign: boolean;
  readonly json: boolean;
  readonly trace: boolean;
  /** Commands come over standard input. */
  readonly control: boolean;
}

export interface OptionsReading {
  readonly options: ServeOptions;
  readonly faults: readonly Fault[];
}

/** @param host the name of this machine. */
export function readOptions(flags: ServeFlags, host: string): OptionsReading {
  const reader = new FlagReader(flags, host);
  return { options: reader.read(), faults: reader.faults };
}

class FlagReader {
  readonly faults: Fault[] = [];
  readonly #flags: ServeFlags;
  readonly #host: string;

  constructor(flags: ServeFlags, host: string) {
    this.#flags = flags;
    this.#host = host;
  }

  read(): ServeOptions {
    const flags = this.#flags;
    const listen = this.#listen();
    const minExpires = this.#seconds("--min-expires", flags.minExpires, 10);
    const maxExpires = this.#seconds("--max-expires", flags.maxExpires, 7_200);
    if (minExpires > maxExpires) {
      const wrong = `${minExpires} is above --max-expires, ${maxExpires}`;
      this.#fault("--min-expires", wrong, "write a shorter one, or a longer --max-expires");
    }
    this.#secure(listen);
    this.#access();
    return {
      listen,
      domains: this.#domains(),
      role: this.#role(),
      usersFile: flags.users,
      algorithms: this.#algorithms(),
      store: this.#store(),
      name: this.#name(listen[0]),
      serviceRoute: this.#serviceRoute(),
      http: flags.http === undefined ? undefined : this.#hostPort("--http", flags.http),
      advertise: this.#advertise(listen),
      minExpires,
      maxExpires,
      expirySpread: this.#percent("--spread", flags.spread) / 100,
      retryWithin: this.#seconds("--retry-within", flags.retryWithin, 300),
      acceptForeign: flags.acceptForeign === true,
      clockSkew: this.#skew(flags.clockSkew),
      json: flags.json === true,
      trace: flags.trace === true,
      control: flags.control === true,
    };
  }

  #listen(): Local[] {
    const texts = this.#flags.listen ?? [];
    if (texts.length === 0) {
      this.#fault("--listen", "is missing", "write --listen udp:127.0.0.1:5060");
    }
    const listen: Local[] = [];
    for (const text of texts) {
      const local = readLocal(text);
      if (local === undefined) {
        const remedy = "write TRANSPORT:ADDRESS:PORT, TRANSPORT one of udp tcp tls ws wss";
        this.#fault("--listen", `'${text}' is no address to listen on`, remedy);
      } else listen.push(local);
    }
    return listen;
  }

  #domains(): string[] {
    const domains = (this.#flags.domain ?? []).map((domain) => domain.toLowerCase());
    if (domains.length === 0) {
      this.#fault("--domain", "is missing", "write the name after the @ of your users");
    }
    for (const domain of domains) {
      if (/^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/.test(domain)) continue;
      this.#fault("--domain", `'${domain}' is no domain`, "write a host name such as example.com");
    }
    return domains;
  }

  #role(): "working" | "fallback" {
    const role = this.#flags.role ?? "working";
    if (role === "working" || role === "fallback") return role;
    this.#fault("--role", `'${role}' is no role`, "write working or fallback");
    return "working";
  }

  #access(): void {
    const { users, open } = this.#flags;
    if (users !== undefined && open === true) {
      this.#fault("--open", "contradicts --users", "write one of the two");
    } else if (users === undefined && open !== true) {
      const remedy = "write --users FILE, or --open to let everybody in without a password";
      this.#fault("--users", "is missing", remedy);
    }
  }

  /**
   * MD5 alone unless asked otherwise: baresip 1.0, SIPp 3.6 and many desk phones give up at the sight of a challenge
   * they do not know, although another stands beside it.
   */
  #algorithms(): readonly OfferedAlgorithm[] {
    const { digest } = this.#flags;
    if (digest === undefined) return ["MD5"];
    const asked = digest.toUpperCase().split(",");
    const known = DIGEST_ALGORITHMS.filter((algorithm) => asked.includes(algorithm));
    if (known.length === asked.length) return known;
    this.#fault(
      "--digest",
      `'${digest}' is no list of algorithms`,
      "write md5, sha-256,md5 or sha-256",
    );
    return ["MD5"];
  }

  #store(): string {
    const store = this.#flags.store ?? "memory";
    if (store !== "") return store;
    this.#fault("--store", "is empty", "write memory, a folder, or redis://HOST:PORT");
    return "memory";
  }

  /** Unless named, the node is called by its first address: two on one machine must not have one name. */
  #name(first: Local | undefined): string {
    const host = first === undefined || isUnspecified(first.address) ? this.#host : first.address;
    const name = this.#flags.name ?? `${host}-${first?.port ?? 0}`.replaceAll(":", ".");
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) {
      this.#fault("--name", `'${name}' is no node name`, "write letters, digits, dots and hyphens");
    }
    return name;
  }

  #serviceRoute(): string {
    const uri = this.#flags.serviceRoute;
    if (uri === undefined) return "";
    if (parseUri(uri) === undefined) {
      this.#fault("--service-route", `'${uri}' is no SIP URI`, "write sip:HOST;lr");
    }
    return `<${uri}>`;
  }

  #advertise(listen: readonly Local[]): string | undefined {
    const { advertise } = this.#flags;
    const wild = listen.some(({ address }) => isUnspecified(address));
    if (wild && advertise === undefined) {
      const remedy = "write --advertise with the address that phones use";
      this.#fault("--listen", "on every address gives peers none to answer to", remedy);
    }
    if (advertise !== undefined && !isHost(advertise)) {
      this.#fault("--advertise", `'${advertise}' is no host`, "write an address or a name");
    }
    return advertise;
  }

  /** What the files hold is seen to where they are read (tls-files.ts). */
  #secure(listen: readonly Local[]): void {
    const { certificate, key } = this.#flags;
    const secure = listen.find(({ transport }) => transport === "tls" || transport === "wss");
    if (secure !== undefined && certificate === undefined && key === undefined) {
      const wrong = `${secure.transport} needs a certificate and its key`;
      this.#fault("--listen", wrong, "write --certificate FILE --key FILE (PEM)");
    }
  }

  #hostPort(key: string, text: string): HostPort | undefined {
    const split = splitHostPort(text);
    if (split === undefined) this.#fault(key, `'${text}' is no HOST:PORT`, "write 127.0.0.1:8080");
    return split;
  }

  #seconds(key: string, text: string | undefined, otherwise: number): number {
    if (text === undefined) return otherwise;
    if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
    this.#fault(key, `'${text}' is no number of seconds`, "write a whole number above 0");
    return otherwise;
  }

  #skew(text: string | undefined): number {
    if (text === undefined || /^-?\d{1,9}$/.test(text)) return Number(text ?? 0);
    this.#fault("--clock-skew", `'${text}' is no number of seconds`, "write a whole number");
    return 0;
  }

  #percent(key: string, text: string | undefined): number {
    if (text === undefined) return 0;
    if (/^\d{1,2}$/.test(text) && Number(text) <= 50) return Number(text);
    this.#fault(key, `'${text}' is no share`, "write a whole number from 0 to 50");
    return 0;
  }

  #fault(key: string, wrong: string, remedy: string): void {
    this.faults.push({ file: "command line", line: 1, key, severity: "error", wrong, remedy });
  }
}
