/**
 * The programs of others on one stage: started, ready when their port is there, their words kept as
 * `process.said`.
 */
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { obeyedBy } from "../../scenario/read-guests.ts";
import type {
  GuestProgram,
  LoadPlan,
  PhoneCommand,
  PhonePlan,
  ServerFault,
  ServerPlan,
} from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import type { TraceRecord } from "../../trace/record.ts";
import type { Place } from "../addresses.ts";
import type { Member } from "../member.ts";
import type { LabNetwork } from "../network/lab-network.ts";
import { GUEST_PORT, placeOfLoad } from "../places.ts";
import type { Ground } from "../process-arguments.ts";
import { CONTROL_PORT, dialPort } from "./baresip-control.ts";
import { isBound } from "./bound-port.ts";
import { Guest, type GuestUser, type Launch } from "./guest.ts";
import { type Handset, launchPhone, takeUp } from "./handsets.ts";
import { launchKamailio, tellKamailio } from "./kamailio.ts";
import { MOST_LINES } from "./limits.ts";
import { findProgram } from "./programs.ts";
import { launchSipp, sippCount } from "./sipp.ts";

/** The stage, as its guests see it. */
export interface GuestHost {
  now(): number;
  note(record: TraceRecord): void;
  /** @throws StageFault when the stage is being closed. */
  adopt(member: Member): void;
  /** It ended, and nobody here wanted it to. */
  died(member: Member, why: string): void;
}

/** A program has so long to take its port, milliseconds. */
const READY_MS = 60_000;
/** How often the system is asked for the port, which tells no event of its own, milliseconds. */
const LOOK_MS = 20;

export class Guests implements GuestUser {
  readonly #host: GuestHost;
  readonly #lines = new Map<string, number>();
  readonly #handsets = new Map<string, Handset>();
  readonly #loads = new Set<string>();
  readonly #lives = new Map<string, { readonly from: number; to: number }[]>();

  constructor(host: GuestHost) {
    this.#host = host;
  }

  /**
   * Resolves with the instant at which its port was there.
   * @throws StageFault when it is not installed, or ends instead.
   */
  async startServer(plan: ServerPlan, ground: Ground): Promise<number> {
    const { guest } = plan;
    if (guest === undefined) throw new StageFault(`${plan.name} is ours`);
    const place = ground.block.server(plan.name, ground.topology.servers.indexOf(plan));
    const launch = await launchKamailio(plan, guest, ground);
    const server = await this.#start(plan.name, guest.program, launch, place, ground.network);
    return this.#started("server.started", server, guest.program);
  }

  /** As `startServer`, when it can be steered, too. */
  async startPhone(plan: PhonePlan, index: number, ground: Ground): Promise<number> {
    const { name, guest: kind } = plan;
    if (kind === undefined) throw new StageFault(`${name} is ours`);
    const { address } = ground.block.phone(index);
    const launch = await launchPhone(plan, kind, index, ground);
    const guest = await this.#start(
      name,
      kind.program,
      launch,
      { address, port: GUEST_PORT },
      ground.network,
    );
    const told = (event: Omit<TraceRecord, "at">): void => this.#note(event);
    const dial = (): Promise<Duplex | undefined> =>
      ground.network?.dial(name, CONTROL_PORT) ?? dialPort(address, CONTROL_PORT);
    const handset = await takeUp(guest, kind.program, dial, launch.folder, told);
    this.#handsets.set(name, handset);
    return this.#started("phone.started", guest, kind.program);
  }

  /** As `startServer`. */
  async startLoad(plan: LoadPlan, ground: Ground): Promise<number> {
    const place = placeOfLoad(plan, ground);
    const launch = await launchSipp(plan, place, ground);
    this.#loads.add(plan.name);
    const load = await this.#start(
      plan.name,
      "sipp",
      launch,
      place,
      ground.network,
      plan.transport,
    );
    return this.#started("load.started", load, "sipp");
  }

  /**
   * Dials, hangs up; resolves with the instant at which it was told.
   * @throws StageFault when it refuses, or is not up.
   */
  async command(name: string, command: PhoneCommand, uri: string): Promise<number> {
    const handset = this.#handsets.get(name);
    if (handset === undefined) throw new StageFault(`${name} is not up`);
    return await handset.obey(command, uri, () => this.#host.now());
  }

  /**
   * Lets a server refuse, or show another certificate; resolves with the instant at which it was told. One that is
   * down or frozen is not told: whatever it is would be over when it comes back.
   * @throws StageFault when it has a configuration of its own.
   */
  async tellServer(
    server: Member | undefined,
    { name, guest }: ServerPlan,
    fault: ServerFault,
    ground: Ground,
  ): Promise<number> {
    if (fault.kind !== "heal" && !obeyedBy(guest).includes(fault.kind)) {
      throw new StageFault(
        `${name} is a program of others, which cannot be told to: ${fault.kind}`,
      );
    }
    if (server?.running === true && !server.frozen) {
      await tellKamailio(join(ground.folder, name), fault);
    }
    return this.#host.now();
  }

  /** Whether one of that name ran at that instant. */
  lived(name: string, at: number): boolean {
    return this.#lives.get(name)?.some(({ from, to }) => at >= from && at <= to) ?? false;
  }

  said(guest: Guest, line: string): void {
    const lines = (this.#lines.get(guest.name) ?? 0) + 1;
    this.#lines.set(guest.name, lines);
    this.#handsets.get(guest.name)?.said(line);
    if (lines <= MOST_LINES) this.#note({ node: guest.name, event: "process.said", line });
  }

  ended(guest: Guest, asked: boolean, why: string): void {
    const { name: node, exitCode, folder } = guest;
    const life = this.#lives.get(node)?.at(-1);
    if (life !== undefined) life.to = this.#host.now();
    const count = this.#loads.has(node) ? sippCount(folder) : undefined;
    if (count !== undefined) this.#note({ node, event: "load.ended", ...count });
    // SIPp says by its status whether every call went well: all came to an end.
    const done = count !== undefined && typeof exitCode === "number";
    if (asked || done) this.#note({ node, event: "process.ended", why });
    else this.#host.died(guest, why);
  }

  async #start(
    name: string,
    program: GuestProgram,
    launch: Omit<Launch, "program">,
    { address, port }: Place,
    network: LabNetwork | undefined,
    transport: "udp" | "tcp" = "udp",
  ): Promise<Guest> {
    const path = findProgram(program);
    if (path === undefined) throw new StageFault(`${name} needs ${program}, which is not there`);
    const command = { program: path, args: launch.args };
    const guest = new Guest(
      name,
      { ...launch, ...(network?.command(name, command) ?? command) },
      this,
    );
    const lives = this.#lives.get(name) ?? [];
    this.#lives.set(name, [...lives, { from: this.#host.now(), to: Number.POSITIVE_INFINITY }]);
    this.#host.adopt(guest);
    const until = this.#host.now() + READY_MS;
    while (!isBound(address, port, transport, network?.processOf(name))) {
      if (!guest.running && this.#loads.has(name)) return guest;
      if (!guest.running || this.#host.now() > until) {
        await guest.kill();
        const words = guest.lastWords === "" ? "it said nothing" : guest.lastWords;
        throw new StageFault(`${name} (${program}) does not start: ${words}`);
      }
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
    return guest;
  }

  #note(event: Omit<TraceRecord, "at">): void {
    this.#host.note({ at: this.#host.now(), ...event } as TraceRecord);
  }

  #started(event: string, { name: node, pid }: Guest, program: GuestProgram): number {
    const at = this.#host.now();
    this.#host.note({ at, node, event, program, pid });
    return at;
  }
}
