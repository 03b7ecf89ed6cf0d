/**
 * One phone in virtual time among servers that do what they are told, and what happens written down as a ladder:
 * `0.5 REGISTER ↻ primary` is a retransmission, `7.5 200 ← fallback` an answer, `* …` a decision. Packets take no time.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readZone } from "../../../src/apps/lab/zone-file.ts";
import type { SipTransport } from "../../../src/core/locate/naptr.ts";
import { silence } from "../../../src/core/media/tones.ts";
import type { Account } from "../../../src/core/phone/account.ts";
import type { Phone } from "../../../src/core/phone/phone.ts";
import { PhoneMachine } from "../../../src/core/phone/phone-machine.ts";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";
import type { AccountPolicy } from "../../../src/core/redundancy/policy.ts";
import { purePrimitives } from "../../../src/worlds/sim/pure-primitives.ts";
import { SimulatedDns } from "../../../src/worlds/sim/simulated-dns.ts";
import type { SimulatedHost } from "../../../src/worlds/sim/simulated-host.ts";
import { type SimulatedEvent, Simulation } from "../../../src/worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../../src/worlds/sim/surroundings.ts";
import { ScriptedServer } from "./scripted-server.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const PHONE = "192.0.2.100";
export const PHONE_6 = "2001:db8::7";

/** Who stands where, as in the makers' examples. */
const PLACES = {
  primary: "192.0.2.13",
  secondary: "192.0.2.14",
  fallback: "192.0.2.15",
  proxy1: "192.0.2.33",
  proxy2: "192.0.2.34",
} as const;

export type PlaceName = keyof typeof PLACES;

/** The zone of the makers' examples (facts, §5). */
export const ZONE = `
$ORIGIN pbx.example.com.
@          300 IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.pbx.example.com.
_sip._udp  120 IN SRV 10 60 5060 a
_sip._udp  120 IN SRV 20 40 5060 b
a           60 IN A 192.0.2.13
b           60 IN A 192.0.2.14
dual        60 IN A 192.0.2.13
dual        60 IN A 192.0.2.14
gw.branch  600 IN A 192.0.2.15
`;

export interface RehearsalOptions {
  readonly zone?: string;
  /** Events that the ladder shows. */
  readonly events?: readonly string[];
  /** Methods that the ladder shows; all but keep-alives if absent. */
  readonly methods?: readonly string[];
  readonly seed?: number;
  /** The phone's own SIP port; 5060 if absent. */
  readonly localPort?: number;
  /** Transports that the phone can use; UDP and TCP if absent. */
  readonly supported?: readonly SipTransport[];
  /** How long the phone waits for a silent resolver, all repeats together. */
  readonly dnsPatienceMs?: number;
  /** The phone's own address unless said. */
  readonly bindAddress?: string;
}

/** The accounts of a provisioning file of the examples. */
export function sample(name: string): readonly AccountPolicy[] {
  const text = readFileSync(join(ROOT, "examples", "provisioning", name), "utf8");
  return readConfiguration([{ name, text }]).accounts;
}

/** A request of the phone. */
export interface Sent {
  /** Milliseconds after the zero of the ladder. */
  readonly at: number;
  readonly to: string;
  readonly method: string;
  readonly text: string;
  /** A retransmission. */
  readonly again: boolean;
}

export class Rehearsal {
  readonly simulation: Simulation;
  readonly machine: PhoneMachine;
  readonly phone: Phone;
  readonly dns: SimulatedDns;
  readonly host: SimulatedHost;
  readonly events: SimulatedEvent[] = [];
  /** Requests as the phone sent them. */
  readonly sent: Sent[] = [];
  /** All that left the phone, questions of the DNS and keep-alives too, with the second and the place in front. */
  readonly wire: string[] = [];
  readonly #servers = new Map<PlaceName, ScriptedServer>();
  readonly #options: RehearsalOptions;
  readonly #seen = new Set<string>();
  #lines: string[] = [];
  #zeroMs = 0;

  constructor(accounts: readonly AccountPolicy[], options: RehearsalOptions = {}) {
    this.#options = options;
    this.dns = new SimulatedDns(readZone(options.zone ?? ZONE).zone.records);
    const seed = options.seed ?? 1;
    this.simulation = new Simulation({
      seed,
      network: { latencyMs: [0, 0], loss: 0, duplication: 0 },
      answer: (_now, _node, question) => {
        if (question.kind !== "dns") {
          return { afterMs: 0, answer: { kind: "unavailable", why: "no store here" } };
        }
        this.#left(`? ${question.type} ${question.name}`);
        return this.#atOnce(this.dns.ask(question, options.dnsPatienceMs));
      },
      onEvent: (event) => this.#event(event),
      onMessage: (message) => this.#message(message),
    });
    for (const name of Object.keys(PLACES) as PlaceName[]) this.#addServer(name);
    this.machine = new PhoneMachine(purePrimitives(seed, 100));
    this.host = this.simulation.addHost("phone", [PHONE, PHONE_6], this.machine);
    this.phone = this.machine.add({
      accounts,
      bindAddress: options.bindAddress ?? PHONE,
      localPort: options.localPort ?? 5060,
      answer: "auto",
      recordedSamples: 0,
      audioSource: silence,
      userAgent: "Rehearsal",
      instance: "urn:uuid:00000000-0000-4000-8000-000000000000",
      supported: options.supported ?? ["udp", "tcp"],
      rule: (_account, path, value) => `${path}=${String(value)}`,
    });
  }

  get account(): Account {
    return this.phone.accounts[0] as Account;
  }

  server(name: PlaceName): ScriptedServer {
    return this.#servers.get(name) as ScriptedServer;
  }

  hostOf(name: PlaceName): SimulatedHost {
    return this.simulation.host(name);
  }

  start(): this {
    this.host.run(() => this.phone.start());
    return this.until(0);
  }

  /** Port closed: datagrams are answered by ICMP. */
  kill(...names: PlaceName[]): this {
    for (const name of names) this.hostOf(name).kill();
    return this;
  }

  /** Nothing gets through, in either direction. */
  cut(...names: PlaceName[]): this {
    for (const name of names) this.simulation.network.partition(name, [PLACES[name]]);
    return this;
  }

  revive(...names: PlaceName[]): this {
    for (const name of names) {
      this.simulation.network.heal(name);
      const host = this.hostOf(name);
      const server = this.server(name);
      if (host.state === "down") {
        host.restart(server);
        host.run(() => server.listen());
      }
    }
    return this;
  }

  /** Lets time pass until so many seconds after the zero of the ladder. */
  until(seconds: number): this {
    this.simulation.runUntil(this.#zeroMs + seconds * 1000);
    return this;
  }

  /** The ladder starts anew, and its time with it. */
  zero(): this {
    this.#zeroMs = this.simulation.now;
    this.#lines = [];
    return this;
  }

  /** Lets the test speak to the phone. */
  do(action: (now: number) => void): this {
    this.host.run(action);
    this.simulation.runUntil(this.simulation.now);
    return this;
  }

  note(text: string): void {
    const at = (this.simulation.now - this.#zeroMs) / 1000;
    this.#lines.push(`${at.toFixed(1)} ${text}`);
  }

  /** Everything since the last call. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** Compares everything since the last call with these lines, indentation aside. */
  expect(ladder: string): this {
    const lines = ladder.split("\n").map((line) => line.trim());
    assert.deepEqual(
      this.take(),
      lines.filter((line) => line !== ""),
    );
    return this;
  }

  #left(what: string): void {
    this.wire.push(`${((this.simulation.now - this.#zeroMs) / 1000).toFixed(1)} ${what}`);
  }

  #addServer(name: PlaceName): void {
    const server = new ScriptedServer(PLACES[name]);
    this.#servers.set(name, server);
    const host = this.simulation.addHost(name, [PLACES[name]], server);
    host.run(() => server.listen());
  }

  /** Answers of a resolver that answers take no time. */
  #atOnce<Outcome extends { afterMs: number }>(outcome: Outcome): Outcome {
    return this.dns.state === "answering" ? { ...outcome, afterMs: 0 } : outcome;
  }

  #message({ node, direction, peer, bytes }: SimulatedMessage): void {
    if (node !== "phone") return;
    const text = Buffer.from(bytes).toString("latin1");
    const place = nameOf(peer.address);
    const port = peer.port === 5060 ? "" : `:${peer.port}`;
    if (direction === "out")
      this.#left(`→ ${place}${port} ${text.trim() === "" ? "keep-alive" : text}`);
    if (text.trim() === "") return;
    const [first = "", second = ""] = text.split(" ", 2);
    const request = !first.startsWith("SIP/");
    const method = request ? first : (/^CSeq: \d+ (\w+)/im.exec(text)?.[1] ?? "");
    const key = `${place} ${text}`;
    const again = this.#seen.has(key);
    this.#seen.add(key);
    if (request && direction === "out") {
      this.sent.push({ at: this.simulation.now - this.#zeroMs, to: place, method, text, again });
    }
    if (this.#options.methods?.includes(method) === false) return;
    if (!request) {
      this.note(direction === "in" ? `${second} ← ${place}` : `${second} → ${place}`);
      return;
    }
    const arrow = direction === "in" ? "←" : again ? "↻" : "→";
    this.note(`${method}${isRemoval(text) ? " 0" : ""} ${arrow} ${place}`);
  }

  #event(event: SimulatedEvent): void {
    if (event.node !== "phone") return;
    this.events.push(event);
    if (this.#options.events?.includes(event.event) !== true) return;
    const told = Object.entries(event).filter(([name]) => SHOWN.has(name));
    const fields = told.map(([name, value]) => `${name}=${nameOf(String(value))}`);
    this.note(["*", event.event, ...fields].join(" "));
  }
}

/** Fields of events that the ladder shows. */
const SHOWN = new Set([
  "server",
  "target",
  "from",
  "to",
  "why",
  "mode",
  "status",
  "good",
  "toTarget",
]);

function isRemoval(text: string): boolean {
  return text.startsWith("REGISTER ") && /^Expires: 0$/im.test(text);
}

function nameOf(place: string): string {
  const address = place.replace(/^\w+:/, "").replace(/:5060$/, "");
  const found = Object.entries(PLACES).find(([, known]) => known === address);
  return found?.[0] ?? place;
}
