/**
 * The network of one stage: a namespace for each node, a relay in this process between them, the resolver at its edge.
 * Every packet between two nodes passes the rules, whoever wrote their programs.
 */
import type { Duplex } from "node:stream";
import { Prng } from "../../../worlds/sim/prng.ts";
import type { Ends, WayFault } from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import { FAULTS_STREAM, WayBook } from "../../scenario/way-book.ts";
import type { Place } from "../addresses.ts";
import { Cell, type Command } from "./cell.ts";
import { Gateway } from "./gateway.ts";
import { Relay, type RelayUser } from "./relay.ts";

/** The same packets meet the same chance in each play. */
const SEED = 1;
/** As scenarios call the resolver. */
const RESOLVER = "dns";

export interface NetworkPlan {
  /** Name to address. */
  readonly nodes: ReadonlyMap<string, string>;
  /** Where it is for them, and where it stands on this machine. */
  readonly resolver: { readonly seen: Place; readonly real: Place };
}

export class LabNetwork {
  readonly #plan: NetworkPlan;
  readonly #relay: Relay;
  readonly #ways: WayBook;
  readonly #cells = new Map<string, Cell>();
  readonly #gateway: Gateway;

  private constructor(plan: NetworkPlan, user: RelayUser) {
    const { seen, real } = plan.resolver;
    this.#plan = plan;
    this.#relay = new Relay(user);
    this.#ways = new WayBook(this.#relay.book, new Prng(SEED, FAULTS_STREAM));
    this.#gateway = new Gateway(real, (packet) => this.#relay.carry(packet));
    this.#relay.attach(seen.address, (_packet, asked) => {
      if (asked.transport === "udp" && asked.toPort === seen.port) this.#gateway.ask(asked);
    });
  }

  /** @throws StageFault when a network cannot be had. */
  static async open(plan: NetworkPlan, user: RelayUser): Promise<LabNetwork> {
    const network = new LabNetwork(plan, user);
    const opened = await Promise.allSettled(
      [...plan.nodes].map(([name, address]) => network.#open(name, address)),
    );
    const failed = opened.find(({ status }) => status === "rejected");
    if (failed?.status !== "rejected") return network;
    await network.close();
    throw new StageFault(`no network can be had: ${String(failed.reason)}`);
  }

  /** What runs a program in the network of that node. */
  command(node: string, command: Command): Command {
    return this.#cell(node).command(command);
  }

  /** `/proc/PID/net` tells of the network of that node. */
  processOf(node: string): number {
    return this.#cell(node).pid;
  }

  /** A connection to a port of that node, past the rules; undefined: nobody listens there. */
  dial(node: string, port: number): Promise<Duplex | undefined> {
    return this.#cell(node).dial(port);
  }

  /** What befalls the packets between two nodes, or between one and everybody. */
  disturb(ends: Ends, fault: WayFault): void {
    if (fault.kind === "heal") this.#ways.heal(ends);
    else if (fault.kind === "reset") this.#reset(ends);
    else this.#ways.set(ends, fault, (node) => this.#addressOf(node));
  }

  /** Every way on which that node was named first. */
  healOf(node: string): void {
    this.#ways.healOf(node);
  }

  /** Whoever still runs there reaches nobody any more. */
  async close(): Promise<void> {
    this.#relay.close();
    this.#gateway.close();
    await Promise.all([...this.#cells.values()].map((cell) => cell.close()));
  }

  async #open(name: string, address: string): Promise<void> {
    const cell = await Cell.open(address, (packet) => this.#relay.carry(packet));
    this.#cells.set(name, cell);
    this.#relay.attach(address, (packet) => cell.put(packet));
  }

  #reset([node, other]: Ends): void {
    const own = this.#addressOf(node);
    const far = other === undefined ? undefined : this.#addressOf(other);
    this.#relay.reset(
      (from, to) => (from === own && (far ?? to) === to) || (to === own && (far ?? from) === from),
    );
  }

  #addressOf(node: string): string {
    if (node === RESOLVER) return this.#plan.resolver.seen.address;
    return this.#plan.nodes.get(node) ?? "";
  }

  #cell(node: string): Cell {
    const cell = this.#cells.get(node);
    if (cell === undefined) throw new StageFault(`${node} has no network`);
    return cell;
  }
}
