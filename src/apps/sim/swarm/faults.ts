/** Sets planned faults on a town and takes them off again, and knows since when each server has been well. */
import type { Instant } from "../../../core/machine.ts";
import { PASS } from "../../../core/network-rules.ts";
import type { Reach } from "../../../worlds/sim/invariants/invariant.ts";
import type { Town } from "../town.ts";
import type { FaultKind, PlannedFault } from "./plan.ts";

/** Faults that end with the process they were done to. */
const OF_A_PROCESS: ReadonlySet<FaultKind> = new Set(["freeze", "refuse-all"]);

export class Faults implements Reach {
  readonly #town: Town;
  /** Faults that are on, by the server they befall. */
  readonly #on = new Map<string, Set<PlannedFault>>();
  /** Faults that befall everybody. */
  readonly #everywhere = new Set<PlannedFault>();
  readonly #wellSince = new Map<string, Instant>();
  /** Since when the network has lost nothing and the resolver has answered. */
  #calmSince: Instant = Number.POSITIVE_INFINITY;
  forgotAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(town: Town) {
    this.#town = town;
  }

  /** @param calm whether the network loses nothing from here on. */
  begin(calm: boolean): void {
    const { now } = this.#town.simulation;
    for (const { spec } of this.#town.servers) this.#wellSince.set(spec.address, now);
    if (calm) this.#calmSince = now;
  }

  /** One that was started while its store was away has waited for that, and serves from now on. */
  started(name: string): void {
    const { address } = this.#town.server(name).spec;
    const since = this.#wellSince.get(address) ?? Number.POSITIVE_INFINITY;
    if (since < Number.POSITIVE_INFINITY) {
      this.#wellSince.set(address, this.#town.simulation.now);
    }
  }

  since(address: string): Instant {
    const own = this.#wellSince.get(address) ?? Number.POSITIVE_INFINITY;
    return Math.max(own, this.#calmSince);
  }

  get calmSince(): Instant {
    return Math.max(this.#calmSince, ...this.#wellSince.values());
  }

  answers(address: string): boolean {
    for (const [name, faults] of this.#on) {
      if (this.#town.server(name).spec.address !== address) continue;
      for (const { kind } of faults) if (kind !== "delay") return false;
    }
    return true;
  }

  plan(fault: PlannedFault): void {
    const { simulation } = this.#town;
    simulation.after(fault.atMs, () => {
      this.#strike(fault);
      simulation.after(fault.forMs, () => this.#mend(fault));
    });
  }

  /** Takes every fault off, and the network's own faults as well. */
  healAll(): void {
    for (const faults of [...this.#on.values(), this.#everywhere]) {
      for (const fault of [...faults]) this.#mend(fault);
    }
    this.#town.simulation.network.healAll();
    this.#calmSince = this.#town.simulation.now;
    for (const address of this.#wellSince.keys()) {
      const since = this.#wellSince.get(address) ?? 0;
      if (since === Number.POSITIVE_INFINITY) this.#wellSince.set(address, this.#calmSince);
    }
  }

  #strike(fault: PlannedFault): void {
    if (fault.server === undefined) {
      this.#everywhere.add(fault);
      this.#calmSince = Number.POSITIVE_INFINITY;
      this.#strikeEverybody(fault);
      return;
    }
    const server = this.#town.server(fault.server);
    const on = this.#on.get(fault.server) ?? new Set();
    this.#on.set(fault.server, on.add(fault));
    this.#wellSince.set(server.spec.address, Number.POSITIVE_INFINITY);
    const { network } = this.#town.simulation;
    const { address } = server.spec;
    switch (fault.kind) {
      case "kill":
        server.host.kill();
        break;
      case "freeze":
        server.host.freeze();
        break;
      case "partition":
        network.partition(`cut ${fault.server}`, [address]);
        break;
      case "delay": {
        const delayed = { kind: "delay", ms: fault.amount } as const;
        network.fault(`slow ${fault.server}`, (_now, packet) =>
          packet.from === address ? delayed : PASS,
        );
        break;
      }
      case "refuse-all":
        server.host.run(() => server.machine.refuseAll(fault.amount));
        break;
    }
  }

  #mend(fault: PlannedFault): void {
    if (fault.server === undefined) {
      if (this.#everywhere.delete(fault)) this.#mendEverybody();
      return;
    }
    const on = this.#on.get(fault.server);
    if (on === undefined || !on.delete(fault)) return;
    const still = new Set([...on].map(({ kind }) => kind));
    const server = this.#town.server(fault.server);
    const { network } = this.#town.simulation;
    if (!still.has("freeze") && server.host.state === "frozen") server.host.thaw();
    if (!still.has("kill") && server.host.state === "down") {
      this.#town.startServer(fault.server);
      // What was done to the process that died is not done to the new one.
      for (const one of on) if (OF_A_PROCESS.has(one.kind)) on.delete(one);
      if (server.spec.location === "own") this.forgotAt = this.#town.simulation.now;
    }
    if (!still.has("partition")) network.heal(`cut ${fault.server}`);
    if (!still.has("delay")) network.heal(`slow ${fault.server}`);
    if (!still.has("refuse-all")) server.host.run(() => server.machine.refuseAll(undefined));
    if (on.size === 0) this.#wellSince.set(server.spec.address, this.#town.simulation.now);
  }

  #strikeEverybody({ kind }: PlannedFault): void {
    if (kind === "dns-silent") this.#town.dns.state = "silent";
    else if (kind === "dns-failing") this.#town.dns.state = "failing";
    else this.#town.shared.available = false;
  }

  #mendEverybody(): void {
    const still = new Set([...this.#everywhere].map(({ kind }) => kind));
    const silent = still.has("dns-silent");
    this.#town.dns.state = silent ? "silent" : still.has("dns-failing") ? "failing" : "answering";
    this.#town.shared.available = !still.has("store-away");
    const lossless = this.#town.simulation.network.options.loss === 0;
    if (this.#everywhere.size === 0 && lossless) this.#calmSince = this.#town.simulation.now;
  }
}
