/**
 * The stage of virtual time: the very same phones and servers as simulated processes, the same records. An hour
 * passes as fast as it can be computed; the promises that the interface asks for are kept when they are made.
 */

import { messageEvent } from "../../api/message-event.ts";
import { type User, Users } from "../../core/server/users.ts";
import type { NetworkOptions } from "../../worlds/sim/network.ts";
import { Prng } from "../../worlds/sim/prng.ts";
import type { SimulatedEvent } from "../../worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../worlds/sim/surroundings.ts";
import { readZone } from "../lab/zone-file.ts";
import { fillPlaceholders } from "../scenario/placeholders.ts";
import type {
  DnsFault,
  Ends,
  Fate,
  PhoneCommand,
  PhonePlan,
  ServerFault,
  Topology,
  WayFault,
} from "../scenario/scenario.ts";
import { type Stage, StageFault } from "../scenario/stage.ts";
import { FAULTS_STREAM, WayBook } from "../scenario/way-book.ts";
import type { TraceRecord } from "../trace/record.ts";
import { BLOCK, GRACE_MS, StagePhones } from "./stage-phones.ts";
import { EPOCH_MS, Town } from "./town.ts";

export interface SimStageOptions {
  readonly seed: number;
  readonly network?: NetworkOptions;
  /** Told of each record as it comes. */
  readonly watch?: (record: TraceRecord) => void;
}

/** About what a loopback interface and a process at its end take, and more than the judge forgives clocks. */
const LOOPBACK: NetworkOptions = { latencyMs: [2.5, 2.5], loss: 0, duplication: 0 };
/** A process has so long to say that it is ready, in milliseconds. */
const READY_MS = 15_000;
/** Whoever plays a scenario takes so long to act on what has happened: the packets under way have arrived by then. */
const REACTION_MS = 20;

/** Each at the server's port, and so many after it. */
const ORDINARY_DOORS = [
  { transport: "udp", after: 0 },
  { transport: "tcp", after: 0 },
] as const;
const TLS_DOOR = [{ transport: "tls", after: 1 }] as const;

export class SimStage implements Stage {
  readonly records: TraceRecord[] = [];
  readonly #options: SimStageOptions;
  readonly #phones: StagePhones;
  readonly #placeholders = new Map<string, string>();
  readonly #ways: WayBook;
  #topology: Topology | undefined;
  #town: Town | undefined;

  constructor(options: SimStageOptions) {
    this.#options = options;
    this.#phones = new StagePhones(() => this.#running(), this.#placeholders);
    this.#ways = new WayBook(
      {
        fault: (name, rule) => this.#running().simulation.network.fault(name, rule),
        heal: (name) => this.#running().simulation.network.heal(name),
      },
      new Prng(options.seed, FAULTS_STREAM),
    );
  }

  /** Equal for equal runs, whatever the machine (invariant I9). */
  get traceHash(): number {
    return this.#town?.simulation.trace.value ?? 0;
  }

  now(): number {
    return rounded(this.#town?.simulation.now ?? 0);
  }

  note(record: TraceRecord): void {
    const time = new Date(EPOCH_MS + record.at).toISOString();
    const timed: TraceRecord = { time, ...record };
    this.records.push(timed);
    this.#options.watch?.(timed);
  }

  async open(topology: Topology): Promise<void> {
    this.#topology = topology;
    const users = topology.phones.map(({ user, password }) => userOf(user, password));
    const town = new Town({
      seed: this.#options.seed,
      domains: [topology.domain],
      users: new Users(users),
      renewals: true,
      network: this.#options.network ?? LOOPBACK,
      onEvent: (event) => this.#saw(event),
      onMessage: (message) => this.#carried(message),
    });
    this.#town = town;
    this.#namePlaces(topology);
    if (topology.network !== undefined) {
      const nodes = topology.servers.length + topology.phones.length;
      this.note({ at: 0, node: "stage", event: "network.opened", nodes });
    }
    town.dns.records = this.#zone(topology.zone ?? "");
    topology.servers.forEach(({ name, role, location, tls, clockSkewSeconds = 0 }, index) => {
      const { address, port } = BLOCK.server(name, index);
      const doors = [...ORDINARY_DOORS, ...(tls === true ? TLS_DOOR : [])];
      const listen = doors.map(({ transport, after }) => ({
        transport,
        address,
        port: port + after,
      }));
      town.addServer({ name, role, location, address, port, listen, clockSkewSeconds });
    });
    for (const { name, up } of topology.servers) if (up) await this.startServer(name);
  }

  async startServer(name: string): Promise<number> {
    const town = this.#running();
    town.startServer(name);
    this.#await(`${name} does not start`, () => town.server(name).machine.state === "running");
    return this.now();
  }

  async startPhone(name: string): Promise<number> {
    const plans = this.#topology?.phones ?? [];
    const index = plans.findIndex((phone) => phone.name === name);
    const phone = this.#phones.start(plans[index] as PhonePlan, index);
    this.#await(`${name} does not start`, () => phone.state === "running");
    return this.now();
  }

  async stopPhone(name: string): Promise<number> {
    const at = this.now();
    this.#phones.stop([name]);
    return at;
  }

  async disturbServer(name: string, fault: ServerFault): Promise<number> {
    const town = this.#running();
    const { host, machine } = town.server(name);
    const { simulation } = town;
    switch (fault.kind) {
      case "kill":
        host.kill();
        this.#ended(name);
        break;
      case "stop":
        host.run((now) => machine.stop(now));
        simulation.runUntilTrue(() => machine.state === "stopped", this.now() + GRACE_MS);
        host.kill();
        this.#ended(name);
        break;
      case "freeze":
        host.freeze();
        break;
      case "revive":
        if (host.state === "down") return this.startServer(name);
        host.thaw();
        break;
      case "answer-503":
        host.run(() => machine.refuseAll(fault.retryAfterSeconds ?? 0));
        break;
      case "heal":
        this.#ways.healOf(name);
        host.run(() => machine.refuseAll(undefined));
        break;
      case "reset":
        return this.disturbWay([name], fault);
      case "certificate":
        host.identities = fault.shown === "good" ? undefined : [];
        break;
      case "drop":
      case "refuse":
      case "delay":
        return this.disturbWay([name], fault);
    }
    return this.now();
  }

  async disturbPhone(name: string, { kind }: Fate): Promise<number> {
    const at = this.now();
    if (!this.#phones.befall(name, kind)) return this.startPhone(name);
    if (kind === "kill" || kind === "stop") this.#ended(name);
    return at;
  }

  async disturbWay(ends: Ends, fault: WayFault): Promise<number> {
    const { dns } = this.#running();
    const [node, other] = ends;
    if (other === "dns") {
      if (fault.kind === "drop") dns.deafTo.add(node);
      else if (fault.kind === "heal") dns.deafTo.delete(node);
      else throw new StageFault(`the way to the resolver can be cut, nothing else: ${fault.kind}`);
    } else if (fault.kind === "heal") this.#ways.heal(ends);
    else if (fault.kind === "reset") this.#reset(ends);
    else this.#ways.set(ends, fault, (one) => this.#addressOf(one));
    return this.now();
  }

  /** Connections with the one that was named first, or those to the other. */
  #reset([node, other]: Ends): void {
    const far = other === undefined ? undefined : this.#addressOf(other);
    const host = this.#phones.hostOf(node) ?? this.#running().server(node).host;
    for (const end of [...host.streams]) {
      if (far === undefined || end.peer.address === far) end.reset();
    }
  }

  async disturbDns(fault: DnsFault): Promise<number> {
    const { dns } = this.#running();
    switch (fault.kind) {
      case "silent":
        dns.state = "silent";
        break;
      case "servfail":
        dns.state = "failing";
        break;
      case "heal":
        dns.state = "answering";
        dns.lie = undefined;
        break;
      case "lie":
        dns.lie = this.#placeholders.get(fault.address) ?? fault.address;
        break;
      case "zone":
        dns.records = this.#zone(fault.text);
        break;
    }
    return this.now();
  }

  async commandPhone(name: string, command: PhoneCommand): Promise<number> {
    const to = command.kind === "call" ? command.to : "";
    const callee = this.#topology?.phones.find((phone) => phone.name === to);
    this.#phones.command(name, command, callee?.user ?? to);
    return this.now();
  }

  async pass(until: number): Promise<void> {
    const { simulation } = this.#running();
    const seen = this.records.length;
    while (simulation.queue.next <= until && this.records.length === seen) simulation.step();
    const noticed = this.records.length === seen ? until : simulation.now + REACTION_MS;
    simulation.runUntil(Math.min(until, noticed));
  }

  async close(): Promise<void> {
    const town = this.#town;
    if (town === undefined) return;
    this.#phones.stop(this.#phones.names);
    const servers = [...town.servers].filter(({ host }) => host.state !== "down");
    for (const { host, machine } of servers) {
      host.thaw();
      host.run((now) => machine.stop(now));
    }
    const stopped = (): boolean => servers.every(({ machine }) => machine.state === "stopped");
    town.simulation.runUntilTrue(stopped, town.simulation.now + GRACE_MS);
    for (const { host } of servers) host.kill();
    const left = this.#phones.left;
    const who = left.join(" ");
    this.note({ at: this.now(), node: "stage", event: "stage.closed", left: left.length, who });
  }

  #namePlaces(topology: Topology): void {
    const { address, port } = BLOCK.resolver;
    this.#placeholders
      .set("domain", topology.domain)
      .set("dns", `${address}:${port}`)
      .set("dns.address", address)
      .set("dns.port", String(port));
    topology.phones.forEach((phone, index) => {
      this.#name(phone.name, BLOCK.phone(index).address, 0);
    });
    topology.servers.forEach(({ name }, index) => {
      const place = BLOCK.server(name, index);
      this.#name(name, place.address, place.port);
      this.#placeholders
        .set(name, place.address)
        .set(`${name}.port`, String(place.port))
        .set(`${name}.tls`, String(place.port + 1));
    });
  }

  #name(name: string, address: string, port: number): void {
    this.note({ at: 0, node: "stage", event: "place.named", name, address, port });
  }

  /** As with real processes: a server's rules are kept in its process and end with it, unless a network keeps them. */
  #ended(name: string): void {
    if (this.#topology?.network === undefined) this.#ways.healOf(name);
  }

  #addressOf(node: string): string {
    const phones = this.#topology?.phones ?? [];
    const index = phones.findIndex((phone) => phone.name === node);
    return index < 0 ? this.#running().server(node).spec.address : BLOCK.phone(index).address;
  }

  #zone(text: string): Town["dns"]["records"] {
    const { zone, faults } = readZone(fillPlaceholders(text, this.#placeholders));
    const fault = faults[0];
    if (fault === undefined) return zone.records;
    throw new StageFault(`zone line ${fault.line}: ${fault.wrong}; ${fault.remedy}`);
  }

  #await(otherwise: string, done: () => boolean): void {
    const { simulation } = this.#running();
    if (simulation.runUntilTrue(done, simulation.now + READY_MS)) return;
    throw new StageFault(otherwise);
  }

  #saw({ at, ...event }: SimulatedEvent): void {
    this.note({ ...event, at: rounded(at) });
  }

  #carried({ at, node, direction, peer, bytes }: SimulatedMessage): void {
    const event = messageEvent(direction, peer, bytes, peer.transport);
    if (event !== undefined) this.note({ ...event, node, at: rounded(at) });
  }

  #running(): Town {
    if (this.#town === undefined) throw new StageFault("the stage is not open");
    return this.#town;
  }
}

function userOf(name: string, password: string): User {
  return { name, password, ha1: {}, voicemail: undefined, groups: [] };
}

/** To the microsecond, as in the lab. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
