/**
 * The programs of others on one stage: started, ready when their port is there, their words kept as
 * `process.said`.
 */
import type { GuestProgram, ServerPlan } from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import type { TraceRecord } from "../../trace/record.ts";
import type { Place } from "../addresses.ts";
import type { Member } from "../member.ts";
import type { Ground } from "../process-arguments.ts";
import { isBound } from "./bound-port.ts";
import { Guest, type GuestUser, type Launch } from "./guest.ts";
import { launchKamailio } from "./kamailio.ts";
import { findProgram } from "./programs.ts";

/** The stage, as its guests see it. */
export interface GuestHost {
  now(): number;
  note(record: TraceRecord): void;
  /** @throws StageFault when the stage is being closed. */
  adopt(member: Member): void;
  ended(member: Member, asked: boolean, why: string): void;
}

/** A program has so long to take its port, milliseconds. */
const READY_MS = 60_000;
/** How often the system is asked for the port, which tells no event of its own, milliseconds. */
const LOOK_MS = 20;
/** Lines of one program that are kept for the report. */
const MOST_LINES = 500;

export class Guests implements GuestUser {
  readonly #host: GuestHost;
  readonly #lines = new Map<string, number>();

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
    await this.#start(plan.name, guest.program, launch, place);
    return this.#started("server.started", plan.name, guest.program);
  }

  said(guest: Guest, line: string): void {
    const lines = (this.#lines.get(guest.name) ?? 0) + 1;
    this.#lines.set(guest.name, lines);
    if (lines > MOST_LINES) return;
    this.#host.note({ at: this.#host.now(), node: guest.name, event: "process.said", line });
  }

  ended(member: Member, asked: boolean, why: string): void {
    this.#host.ended(member, asked, why);
    if (asked) {
      this.#host.note({ at: this.#host.now(), node: member.name, event: "process.ended", why });
    }
  }

  async #start(
    name: string,
    program: GuestProgram,
    launch: Omit<Launch, "program">,
    { address, port }: Place,
  ): Promise<Guest> {
    const path = findProgram(program);
    if (path === undefined) throw new StageFault(`${name} needs ${program}, which is not there`);
    const guest = new Guest(name, { ...launch, program: path }, this);
    this.#host.adopt(guest);
    const until = this.#host.now() + READY_MS;
    while (!isBound(address, port, "udp")) {
      if (!guest.running || this.#host.now() > until) {
        await guest.kill();
        const words = guest.lastWords === "" ? "it said nothing" : guest.lastWords;
        throw new StageFault(`${name} (${program}) does not start: ${words}`);
      }
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
    return guest;
  }

  #started(event: string, node: string, program: GuestProgram): number {
    const at = this.#host.now();
    this.#host.note({ at, node, event, program });
    return at;
  }
}
