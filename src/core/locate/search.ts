/** One location while it runs: the steps of RFC 3263 §4.1 and §4.2, and the targets they have found. */
import type { Inquiry } from "../inquiry.ts";
import { type Instant, NEVER } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import type { RecordType } from "../vocabulary.ts";
import { byPrecedence, isName, literalFamily, normalizeHost } from "./address.ts";
import { MAX_NAPTR_DEPTH, MAX_QUESTIONS, MAX_TARGETS } from "./limits.ts";
import type { LocatedTarget, LocationFailure } from "./located.ts";
import type { Found, NameSource } from "./name-service.ts";
import { chooseNaptr, type NaptrStep, type SipTransport } from "./naptr.ts";
import { orderSrv, type SrvChoice } from "./srv-order.ts";

export interface SearchOptions {
  /** Transports the caller can use. */
  readonly supported: readonly SipTransport[];
  /** Address families the caller can use; both are asked and ordered by RFC 6724 (RFC 7984 §4.1). */
  readonly families: readonly ("ipv4" | "ipv6")[];
  readonly srvOrder: "rfc2782" | "highest-weight-first";
  /** SRV asked for when NAPTR gives nothing. */
  readonly srvTransports: "udp" | "all";
}

/** `used`: there were records, whatever became of them; `denied`: by the target "."; `none`: no such record. */
type Outcome = "used" | "denied" | "none" | "silent";

const SRV_PREFIX: Readonly<Record<SipTransport, string>> = {
  udp: "_sip._udp.",
  tcp: "_sip._tcp.",
  tls: "_sips._tcp.",
  ws: "_sip._ws.",
  wss: "_sips._ws.",
};

/** RFC 3261 §19.1.2, RFC 7118 §5. */
export function defaultPort(transport: SipTransport): number {
  switch (transport) {
    case "tls":
      return 5061;
    case "ws":
      return 80;
    case "wss":
      return 443;
    default:
      return 5060;
  }
}

export class Search {
  readonly targets: LocatedTarget[] = [];
  readonly steps: string[] = [];
  readonly #domain: string;
  readonly #names: NameSource;
  readonly #entropy: Entropy;
  readonly #options: SearchOptions;
  readonly #seen = new Set<string>();
  #expiresAt: Instant = NEVER;
  #questions = 0;
  #rank = 0;
  #silent = false;
  #denied = false;
  #unsupported = false;

  constructor(domain: string, names: NameSource, entropy: Entropy, options: SearchOptions) {
    this.#domain = domain;
    this.#names = names;
    this.#entropy = entropy;
    this.#options = options;
  }

  /** When the first of the records used expires. */
  get expiresAt(): Instant {
    return this.#expiresAt;
  }

  /** Why there is no target. */
  get failure(): LocationFailure {
    if (this.#silent) return "silent";
    if (this.#denied) return "refused-by-dot";
    return this.#unsupported ? "unsupported" : "no-records";
  }

  /** No transport is given: NAPTR decides, then SRV, then addresses (RFC 3263 §4.1, §4.2). */
  *byNaptrThenSrv(secure: boolean): Inquiry<void> {
    const byNaptr = yield* this.#byNaptr(this.#domain, secure, 1);
    if (byNaptr !== "none") return;
    let used = false;
    for (const transport of this.#guesses(secure)) {
      const outcome = yield* this.#bySrv(transport, SRV_PREFIX[transport] + this.#domain);
      if (outcome === "silent") return;
      used ||= outcome !== "none";
    }
    // Only where no SRV record stands: never because the targets it names have failed (R68, C18).
    if (!used) yield* this.#byAddress(secure ? "tls" : "udp", this.#domain, 0);
  }

  /** The transport is given: its SRV records, or else the addresses of the name itself (RFC 3263 §4.2). */
  *bySrvThenAddress(transport: SipTransport): Inquiry<void> {
    const outcome = yield* this.#bySrv(transport, SRV_PREFIX[transport] + this.#domain);
    if (outcome === "none") yield* this.#byAddress(transport, this.#domain, 0);
  }

  /** TCP targets first, then those of UDP; where UDP has no SRV records, the TCP ones over UDP. */
  *byTcpThenUdp(): Inquiry<void> {
    yield* this.bySrvThenAddress("tcp");
    const outcome = yield* this.#bySrv("udp", SRV_PREFIX.udp + this.#domain);
    if (outcome === "used" || outcome === "denied") return;
    if (this.targets.length > 0) this.#repeatOver("udp");
    else if (outcome === "none") yield* this.#byAddress("udp", this.#domain, 0);
  }

  /** The addresses of the name itself, over each transport in turn. */
  *byAddressOver(transports: readonly SipTransport[], port: number): Inquiry<void> {
    const [first, ...others] = transports;
    if (first === undefined) return;
    yield* this.#byAddress(first, this.#domain, port);
    for (const transport of others) this.#repeatOver(transport);
  }

  /** The addresses of one host, all families, best first (RFC 7984 §4.1); port 0: the transport's own. */
  *#byAddress(transport: SipTransport, host: string, port: number): Inquiry<Outcome> {
    if (!this.#supports(transport)) return "used";
    const expiries = new Map<string, Instant>();
    let silent = false;
    for (const family of this.#options.families) {
      const found = yield* this.#lookup(host, family === "ipv4" ? "A" : "AAAA");
      silent ||= found.kind === "silent";
      if (found.kind !== "records") continue;
      for (const record of found.records) {
        if ("address" in record) expiries.set(record.address.toLowerCase(), found.expiresAt);
      }
    }
    if (expiries.size === 0) return silent ? this.#silence() : "none";
    const all = [...expiries.keys()];
    for (const address of this.#options.families.length > 1 ? byPrecedence(all) : all) {
      this.#add(transport, address, port, host, expiries.get(address) ?? NEVER);
    }
    return "used";
  }

  /** Every target found so far once more, over another transport. */
  #repeatOver(transport: SipTransport): void {
    if (!this.#supports(transport)) return;
    this.#rank += 1;
    for (const { target, host, expiresAt } of [...this.targets]) {
      this.#add(transport, target.address, target.port, host, expiresAt);
    }
  }

  /** The targets of another search after the own ones. */
  append(other: Search): void {
    if (other.targets.length === 0) return;
    this.steps.push("reserve: static records", ...other.steps);
    this.#rank += 1;
    for (const { target, host, expiresAt } of other.targets) {
      this.#add(target.transport as SipTransport, target.address, target.port, host, expiresAt);
    }
  }

  *#byNaptr(name: string, secure: boolean, depth: number): Inquiry<Outcome> {
    const found = yield* this.#lookup(name, "NAPTR");
    // A resolver that chokes on NAPTR may still know SRV, so silence here ends nothing.
    if (found.kind !== "records") return "none";
    const records = found.records.filter((record) => record.type === "NAPTR");
    const choice = chooseNaptr(records, this.#options.supported, secure);
    if (choice.steps.length === 0 && choice.aboutSip) {
      this.steps.push(`NAPTR ${name}: no service we support`);
      this.#unsupported = true;
      return "used";
    }
    let outcome: Outcome = "none";
    for (const step of choice.steps) {
      const reached = yield* this.#follow(step, secure, depth);
      if (outcome !== "used" && reached !== "none") outcome = reached;
    }
    return outcome;
  }

  *#follow(step: NaptrStep, secure: boolean, depth: number): Inquiry<Outcome> {
    const { order, preference, service, replacement } = step.record;
    const next = normalizeHost(replacement);
    this.steps.push(`NAPTR ${order} ${preference} ${service || "(any)"} → ${next}`);
    const { leadsTo, transport } = step;
    if (leadsTo === "naptr" || transport === undefined) {
      if (depth < MAX_NAPTR_DEPTH) return yield* this.#byNaptr(next, secure, depth + 1);
      this.steps.push(`NAPTR ${next}: chain too long`);
      return "none";
    }
    if (leadsTo === "srv") return yield* this.#bySrv(transport, next);
    this.#rank += 1;
    return yield* this.#byAddress(transport, next, 0);
  }

  *#bySrv(transport: SipTransport, name: string): Inquiry<Outcome> {
    if (!this.#supports(transport)) return "used";
    const found = yield* this.#lookup(name, "SRV");
    if (found.kind === "silent") return this.#silence();
    if (found.kind === "none") return "none";
    const records = found.records.filter((record) => record.type === "SRV");
    const usable = records.filter(({ target }) => target !== "." && target !== "");
    if (usable.length === 0) {
      this.steps.push(`SRV ${name}: "." refuses this service`);
      this.#denied = true;
      return "denied";
    }
    let priority: number | undefined;
    for (const choice of orderSrv(usable, this.#options.srvOrder, this.#entropy)) {
      this.steps.push(choiceStep(choice));
      const drawn = this.#options.srvOrder === "rfc2782" && choice.record.priority === priority;
      if (!drawn) this.#rank += 1;
      priority = choice.record.priority;
      const host = normalizeHost(choice.record.target);
      if (literalFamily(host) === undefined) {
        yield* this.#byAddress(transport, host, choice.record.port);
      } else {
        this.#add(transport, host, choice.record.port, host, found.expiresAt);
      }
    }
    return "used";
  }

  /** Transports whose SRV records are guessed at when NAPTR says nothing. */
  #guesses(secure: boolean): readonly SipTransport[] {
    if (secure) return ["tls"];
    const guesses: readonly SipTransport[] =
      this.#options.srvTransports === "udp" ? ["udp"] : ["udp", "tcp", "tls"];
    return guesses.filter((transport) => this.#options.supported.includes(transport));
  }

  *#lookup(name: string, type: RecordType): Inquiry<Found> {
    this.#questions += 1;
    if (this.#questions > MAX_QUESTIONS || !isName(name)) {
      return { kind: "none", expiresAt: NEVER, origin: "live" };
    }
    const found = yield* this.#names.lookup(name, type);
    this.steps.push(foundStep(name, type, found));
    if (found.kind !== "silent") this.#expiresAt = Math.min(this.#expiresAt, found.expiresAt);
    return found;
  }

  #add(
    transport: SipTransport,
    address: string,
    givenPort: number,
    host: string,
    expiresAt: Instant,
  ): void {
    const port = givenPort || defaultPort(transport);
    const key = `${transport} ${address} ${port}`;
    if (this.targets.length >= MAX_TARGETS || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.targets.push({
      target: { transport, address, port, domain: this.#domain },
      host,
      expiresAt,
      rank: this.#rank,
    });
  }

  #supports(transport: SipTransport): boolean {
    if (this.#options.supported.includes(transport)) return true;
    this.steps.push(`${transport}: unsupported`);
    this.#unsupported = true;
    return false;
  }

  #silence(): "silent" {
    this.#silent = true;
    return "silent";
  }
}

function choiceStep({ record, drawn, sum }: SrvChoice): string {
  const { priority, weight, port, target } = record;
  const chance = drawn === undefined ? "" : `, drew ${drawn} of 0..${sum}`;
  return `SRV ${priority} ${weight} ${port} ${target}${chance}`;
}

function foundStep(name: string, type: RecordType, found: Found): string {
  switch (found.kind) {
    case "silent":
      return `${type} ${name}: silent (${found.why})`;
    case "none":
      return `${type} ${name}: none, ${found.origin}`;
    case "records": {
      const { records, origin } = found;
      if (type === "NAPTR" || type === "SRV") {
        return `${type} ${name}: ${records.length}, ${origin}`;
      }
      const addresses = records.map((record) => ("address" in record ? record.address : ""));
      return `${type} ${name}: ${addresses.join(" ")}, ${origin}`;
    }
  }
}
