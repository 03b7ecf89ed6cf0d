/**
 * The stage of real processes: a resolver in this process, servers and phones as children on loopback addresses,
 * faults by signals (kill, freeze) and by control lines (503, drop, delay, refuse). The clock is the wall's.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { fillPlaceholders } from "../scenario/placeholders.ts";
import { obeyedBy } from "../scenario/read-guests.ts";
import type {
  DnsFault,
  Ends,
  Fate,
  PhoneCommand,
  PhonePlan,
  ServerFault,
  ServerPlan,
  Topology,
  WayFault,
} from "../scenario/scenario.ts";
import { type Stage, StageFault } from "../scenario/stage.ts";
import type { TraceRecord } from "../trace/record.ts";
import { type Block, networkBlock } from "./addresses.ts";
import type { Blocks } from "./block.ts";
import { certificateFiles } from "./certificates.ts";
import { Child, type ChildUser } from "./child.ts";
import { Guests } from "./guests/guests.ts";
import { GuestWatch } from "./guests/watch.ts";
import { newLabFolder } from "./lab-folder.ts";
import { befall, type Member } from "./member.ts";
import { LabNetwork } from "./network/lab-network.ts";
import { namePlaces } from "./places.ts";
import { type Ground, phoneArguments, serverArguments } from "./process-arguments.ts";
import { ProcessWays } from "./process-ways.ts";
import { StageResolver } from "./resolver.ts";
import { StartGate } from "./start-gate.ts";
import { usersOf } from "./users.ts";
import { wallClock } from "./wall-clock.ts";

export interface LabStageOptions {
  /** The built `cli.js`. */
  readonly program: string;
  readonly blocks: Blocks;
  /** One block and no other; undefined: any that is free. */
  readonly block?: number;
  /** Shared by stages that stand side by side. */
  readonly gate?: StartGate;
  /** Told of each record as it comes. */
  readonly watch?: (record: TraceRecord) => void;
}

/** A process has so long to say that it is ready, and so long to end, in milliseconds. */
const READY_MS = 60_000;
const GRACE_MS = 5_000;
/** At the end phones may unregister for so long, then servers may write down what they have: 5 s in all. */
const PHONES_GRACE_MS = 3_000;
const SERVERS_GRACE_MS = 1_500;

export class LabStage implements Stage, ChildUser {
  readonly records: TraceRecord[] = [];
  readonly #options: LabStageOptions;
  readonly #gate: StartGate;
  readonly #children = new Map<string, Member>();
  readonly #guests: Guests;
  readonly #began = wallClock();
  readonly #placeholders = new Map<string, string>();
  readonly #ways: ProcessWays;
  #topology: Topology | undefined;
  #block: Block | undefined;
  #release: () => void = () => undefined;
  #folder = "";
  #dns: StageResolver | undefined;
  #network: LabNetwork | undefined;
  #watch: GuestWatch | undefined;
  #open = false;
  #wake: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LabStageOptions) {
    this.#options = options;
    this.#gate = options.gate ?? new StartGate();
    this.#guests = new Guests({
      now: () => this.now(),
      note: (record) => this.note(record),
      adopt: (member) => this.#adopt(member),
      died: (member, why) => this.ended(member, false, why),
    });
    this.#ways = new ProcessWays({
      addressOf: (node) => this.addressOf(node),
      isGuest: (node) => this.#isGuest(node),
      ours: () => [...this.#children].flatMap(([name, one]) => (one instanceof Child ? name : [])),
      tell: (node, control) => this.#command(node, control),
    });
  }

  /** Wall clock at this stage's instant 0, milliseconds since 1970. */
  get epochMs(): number {
    return this.#began;
  }

  /** Where users, stores and provisioning files stand while it is open. */
  get folder(): string {
    return this.#folder;
  }

  /** Its address, or that of the phone that was named so. */
  addressOf(name: string): string {
    const { servers = [], phones = [], loads = [] } = this.#topology ?? {};
    const block = this.#block as Block;
    const server = servers.findIndex((one) => one.name === name);
    if (server >= 0) return block.server(name, server).address;
    return block.phone([...phones, ...loads].findIndex((one) => one.name === name)).address;
  }

  /** The resolver, `ADDRESS:PORT`. */
  get resolver(): string {
    return this.#placeholders.get("dns") ?? "";
  }

  /** A text with its placeholders filled in. */
  filled(text: string): string {
    return fillPlaceholders(text, this.#placeholders);
  }

  now(): number {
    return rounded(wallClock() - this.#began);
  }

  note(record: TraceRecord): void {
    const time = new Date(this.#began + record.at).toISOString();
    const timed: TraceRecord = { time, ...record };
    this.records.push(timed);
    this.#options.watch?.(timed);
    this.#wake();
  }

  async open(topology: Topology): Promise<void> {
    this.#topology = topology;
    const servers = topology.servers.map((server) => server.name);
    const { block, release } = await this.#options.blocks.take(this.#options.block, servers);
    const own = topology.network === "namespaces";
    const seen = own ? networkBlock() : block;
    this.#block = seen;
    this.#release = release;
    this.#folder = await newLabFolder();
    namePlaces({ topology, block: seen }, this.#placeholders, (record) => this.note(record));
    await this.#startDns(topology, block);
    this.#watch = new GuestWatch(topology, seen, {
      note: (record) => this.note(record),
      own: (wall) => this.#own(wall),
      now: () => this.now(),
      lived: (name, at) => this.#guests.lived(name, at),
    });
    if (own) await this.#openNetwork(topology, block, this.#watch);
    else await this.#watch.open();
    const users = Object.entries(usersOf(topology)).map(([user, password]) => [user, { password }]);
    await writeFile(join(this.#folder, "users.yaml"), stringify(Object.fromEntries(users)));
    await mkdir(join(this.#folder, "shared"));
    const up = topology.servers.filter((server) => server.up);
    await Promise.all(up.map((server) => this.startServer(server.name)));
    this.#open = true;
  }

  startServer(name: string): Promise<number> {
    const plan = this.#serverPlan(name);
    if (plan.guest !== undefined) {
      return this.#gate.through(this.#open, () => this.#guests.startServer(plan, this.#ground));
    }
    return this.#start(name, "server.started", async () => serverArguments(plan, this.#ground));
  }

  startPhone(name: string): Promise<number> {
    const { phones = [], loads = [] } = this.#topology ?? {};
    const load = loads.find((one) => one.name === name);
    if (load !== undefined) return this.#guests.startLoad(load, this.#ground);
    const index = phones.findIndex((phone) => phone.name === name);
    const plan = phones[index] as PhonePlan;
    if (plan.guest !== undefined) return this.#guests.startPhone(plan, index, this.#ground);
    return this.#start(name, "phone.started", () => phoneArguments(plan, index, this.#ground));
  }

  async stopPhone(name: string): Promise<number> {
    const at = this.now();
    await this.#children.get(name)?.stop(GRACE_MS);
    return at;
  }

  async disturbServer(name: string, fault: ServerFault): Promise<number> {
    switch (fault.kind) {
      case "kill":
      case "stop":
      case "freeze":
      case "revive":
        return this.#befall(name, fault, () => this.startServer(name));
      case "answer-503": {
        if (this.#isGuest(name)) return this.#tellGuest(name, fault);
        const { retryAfterSeconds } = fault;
        const retryAfter = retryAfterSeconds === undefined ? {} : { retryAfter: retryAfterSeconds };
        return this.#command(name, { do: "answer-503", ...retryAfter });
      }
      case "certificate":
        if (this.#isGuest(name)) return this.#tellGuest(name, fault);
        return this.#command(name, { do: "certificate", ...certificateFiles(fault.shown) });
      case "heal":
        this.#network?.healOf(name);
        if (obeyedBy(this.#serverPlan(name).guest).length > 0) await this.#tellGuest(name, fault);
        return this.#ways.healOf(name);
      default:
        return this.disturbWay([name], fault);
    }
  }

  disturbPhone(name: string, fate: Fate): Promise<number> {
    return this.#befall(name, fate, () => this.startPhone(name));
  }

  async #befall(name: string, fate: Fate, start: () => Promise<number>): Promise<number> {
    const at = this.now();
    return (await befall(this.#children.get(name), fate, GRACE_MS)) ? at : await start();
  }

  #tellGuest(name: string, fault: ServerFault): Promise<number> {
    const plan = this.#serverPlan(name);
    return this.#guests.tellServer(this.#children.get(name), plan, fault, this.#ground);
  }

  async disturbWay(ends: Ends, fault: WayFault): Promise<number> {
    if (this.#network !== undefined) {
      this.#network.disturb(ends, fault);
      return this.now();
    }
    const [node, other] = ends;
    if (other !== "dns") return this.#ways.disturb(ends, fault);
    return this.#own(await this.#resolver.deafen(this.addressOf(node), fault));
  }

  #isGuest(name: string): boolean {
    const { servers = [], phones = [] } = this.#topology ?? {};
    return [...servers, ...phones].some((one) => one.name === name && one.guest !== undefined);
  }

  async disturbDns(fault: DnsFault): Promise<number> {
    return this.#own(await this.#resolver.disturb(fault));
  }

  commandPhone(name: string, command: PhoneCommand): Promise<number> {
    const { phones = [], domain = "" } = this.#topology ?? {};
    const to = command.kind === "call" ? command.to : "";
    const callee = phones.find((phone) => phone.name === to);
    if (this.#isGuest(name)) {
      return this.#guests.command(name, command, `sip:${callee?.user ?? to}@${domain}`);
    }
    if (command.kind !== "call") return this.#command(name, { do: command.kind });
    return this.#command(name, { do: "call", to: callee?.user ?? command.to });
  }

  pass(until: number): Promise<void> {
    return new Promise((done) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        done();
      };
      const timer = setTimeout(over, Math.max(0, until - this.now()));
      this.#wake = over;
    });
  }

  /** The same end for everybody who asks. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const children = [...this.#children.values()];
    const { phones = [], loads = [] } = this.#topology ?? {};
    const names = new Set([...phones, ...loads].map(({ name }) => name));
    const callers = children.filter((child) => names.has(child.name));
    await Promise.all(callers.map((child) => child.stop(PHONES_GRACE_MS)));
    await Promise.all(children.map((child) => child.stop(SERVERS_GRACE_MS)));
    await this.#watch?.close();
    await this.#network?.close();
    await this.#dns?.close();
    this.#release();
    if (this.#folder !== "") await rm(this.#folder, { recursive: true, force: true });
    const left = children.filter((child) => child.running).map((child) => child.name);
    const who = left.join(" ");
    this.note({ at: this.now(), node: "stage", event: "stage.closed", left: left.length, who });
  }

  /** Signalling only: fifty packets of sound a second from every phone would bury it. */
  recorded(record: TraceRecord): void {
    if (record.transport === "rtp") return;
    const own = { ...record, at: this.#own(record.at) };
    this.note(own);
    this.#watch?.saw(own);
  }

  ended({ name, lastWords }: Member, asked: boolean, why: string): void {
    if (asked) return;
    const said = lastWords === "" ? "" : `: ${lastWords}`;
    this.note({ at: this.now(), node: name, event: "process.died", why: why + said });
  }

  #adopt(member: Member): void {
    const closing = this.#closing !== undefined;
    this.#children.set(member.name, member);
    if (!closing) return;
    void member.kill();
    throw new StageFault(`${member.name} comes too late: the lab ends`);
  }

  #spawn(name: string, args: readonly string[]): Child {
    if (this.#closing !== undefined) throw new StageFault(`${name} comes too late: the lab ends`);
    const command = { program: process.execPath, args: [this.#options.program, ...args] };
    const child = new Child(name, this.#network?.command(name, command) ?? command, this);
    this.#children.set(name, child);
    return child;
  }

  /** Resolves with the instant at which it says itself that it is ready. */
  async #start(name: string, ready: string, args: () => Promise<string[]>): Promise<number> {
    const given = await args();
    return this.#gate.through(this.#open, async () => {
      const child = this.#spawn(name, given);
      const record = await this.#ready(child, ({ event }) => event === ready);
      for (const control of this.#ways.standing) await child.command(control);
      return this.#own(record.at);
    });
  }

  /** Resolves with the instant at which it obeys, or would but for what befell it. */
  async #command(name: string, command: Readonly<Record<string, unknown>>): Promise<number> {
    const child = this.#children.get(name);
    const answer = child instanceof Child ? await child.command(command) : undefined;
    if (answer === undefined) return this.now();
    if (answer.event === "command.refused") throw new StageFault(`${name}: ${String(answer.why)}`);
    return this.#own(answer.at);
  }

  /** An instant of the wall clock on the clock of this stage. */
  #own(wall: number): number {
    return rounded(wall - this.#began);
  }

  async #ready(child: Child, wanted: (record: TraceRecord) => boolean): Promise<TraceRecord> {
    const timer = setTimeout(() => void child.kill(), READY_MS);
    const record = await child.first(wanted);
    clearTimeout(timer);
    if (record !== undefined) return record;
    const words = child.lastWords === "" ? "it said nothing" : child.lastWords;
    throw new StageFault(`${child.name} does not start: ${words}`);
  }

  #serverPlan(name: string): ServerPlan {
    return this.#topology?.servers.find((server) => server.name === name) as ServerPlan;
  }

  get #ground(): Ground {
    return {
      topology: this.#topology as Topology,
      block: this.#block as Block,
      folder: this.#folder,
      placeholders: this.#placeholders,
      network: this.#network,
    };
  }

  /** The resolver stays where it is. */
  async #openNetwork({ servers, phones, loads = [] }: Topology, real: Block, watch: GuestWatch) {
    const names = [...servers, ...phones, ...loads].map(({ name }) => name);
    this.#network = await LabNetwork.open(
      {
        nodes: new Map(names.map((name) => [name, this.addressOf(name)])),
        resolver: { seen: this.#ground.block.resolver, real: real.resolver },
      },
      watch,
    );
    this.note({ at: this.now(), node: "stage", event: "network.opened", nodes: names.length });
  }

  async #startDns({ zone }: Topology, { resolver }: Block): Promise<void> {
    this.#dns = new StageResolver(this.#placeholders, ({ at, name, type }) =>
      this.note({ at: this.#own(at), node: "dns", event: "name.asked", name, type }),
    );
    await this.#dns.listen(resolver, zone);
  }

  get #resolver(): StageResolver {
    if (this.#dns === undefined) throw new StageFault("no name server is up");
    return this.#dns;
  }
}

/** To the microsecond: the clocks of processes agree no better. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
