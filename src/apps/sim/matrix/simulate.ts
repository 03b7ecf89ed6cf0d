/** One cell of the matrix in virtual time. */

import { DROP, PASS, UNREACHABLE, type Verdict } from "../../../core/network-rules.ts";
import type { Phone } from "../../../core/phone/phone.ts";
import { PhoneMachine } from "../../../core/phone/phone-machine.ts";
import { purePrimitives } from "../../../worlds/sim/pure-primitives.ts";
import { SimulatedDns } from "../../../worlds/sim/simulated-dns.ts";
import type { SimulatedHost } from "../../../worlds/sim/simulated-host.ts";
import { Simulation } from "../../../worlds/sim/simulation.ts";
import { type Cell, cellName, isDnsFault } from "./axes.ts";
import {
  FURTHER_SECONDS,
  lyingZone,
  PLACE_NAMES,
  type PlaceName,
  RESUBSCRIBE_MS,
  RETRY_AFTER_SECONDS,
  SIMULATED,
  STALE_AFTER_MS,
  zoneOf,
} from "./setting.ts";
import { SimulatedServer } from "./simulated-server.ts";
import { phoneOf, prepare, readyAt, trigger } from "./trigger.ts";
import type { MatrixVerdict } from "./verdict.ts";
import { Witness } from "./witness.ts";

/** The fault begins so long after the phone has become ready; a multiple of no other time here. */
const PAUSE_MS = 300;
/** Longer than a slow answer takes, and short of the makers' retry of 30 s. */
const WATCHED_MS = 29_000;
/** One way. */
const LATENCY_MS = 1;
/** So long before the refresh of the subscription is due. */
const JUST_BEFORE_MS = 2 * LATENCY_MS;
const SEED = 1;
/** Streams of chance: the phone's own. */
const PHONE_CHANCE = 100;

export function simulateCell(cell: Cell): MatrixVerdict {
  return new SimulatedCell(cell).play();
}

class SimulatedCell {
  readonly #cell: Cell;
  readonly #dns: SimulatedDns;
  readonly #simulation: Simulation;
  readonly #servers = new Map<PlaceName, SimulatedServer>();
  readonly #phones: PhoneMachine = new PhoneMachine(purePrimitives(SEED, PHONE_CHANCE));
  readonly #witness: Witness;

  constructor(cell: Cell) {
    this.#cell = cell;
    this.#dns = new SimulatedDns(zoneOf(cell, SIMULATED));
    this.#simulation = new Simulation({
      seed: SEED,
      network: { latencyMs: [LATENCY_MS, LATENCY_MS], loss: 0, duplication: 0 },
      answer: (_now, _node, question) =>
        question.kind === "dns"
          ? this.#dns.ask(question)
          : { afterMs: 0, answer: { kind: "unavailable", why: "no store here" } },
    });
    const places = new Map(PLACE_NAMES.map((name) => [SIMULATED.address[name], name]));
    this.#witness = new Witness(this.#phones, places, cell.method);
    for (const name of PLACE_NAMES) this.#addServer(name);
  }

  play(): MatrixVerdict {
    const { method, fault } = this.#cell;
    const simulation = this.#simulation;
    const host = simulation.addHost("phone", [SIMULATED.address.phone], this.#witness);
    const phone = this.#phones.add(phoneOf(this.#cell, SIMULATED));
    const cold = fault === "dns-dead" && method === "REGISTER";
    if (cold) this.#strike();
    host.run((now) => {
      if (cold) this.#witness.begin(now);
      phone.start();
    });
    if (!cold) this.#meet(phone, host);
    simulation.runFor(WATCHED_MS);
    return this.#witness.verdict;
  }

  #addServer(name: PlaceName): void {
    const address = SIMULATED.address[name];
    const server = new SimulatedServer(address, SIMULATED.port, this.#cell.transport);
    if (name === "stranger") server.peer.mood = { kind: "refusing", status: 404 };
    const host = this.#simulation.addHost(name, [address], server);
    if (name === "stranger") host.identities = ["elsewhere.example"];
    host.run(() => {});
    this.#servers.set(name, server);
  }

  /** The phone is at work as usual; then the fault and the request meet. */
  #meet(phone: Phone, host: SimulatedHost): void {
    const { method } = this.#cell;
    const simulation = this.#simulation;
    this.#await("registration.accepted");
    if (method === "SUBSCRIBE") {
      this.#await(readyAt(method));
      simulation.runFor(RESUBSCRIBE_MS - JUST_BEFORE_MS);
    } else {
      simulation.runFor(isDnsFault(this.#cell) ? STALE_AFTER_MS : PAUSE_MS);
      host.run(() => prepare(phone, method));
      this.#await(readyAt(method));
      simulation.runFor(PAUSE_MS);
    }
    this.#witness.begin(simulation.now);
    this.#strike();
    // The end of a connection is known before the request is sent.
    simulation.runFor(LATENCY_MS);
    host.run((now) => trigger(now, phone, method, this.#witness));
  }

  #await(event: string): void {
    const simulation = this.#simulation;
    const happened = (): boolean => this.#witness.count(event) > 0;
    if (simulation.runUntilTrue(happened, simulation.now + WATCHED_MS)) return;
    throw new Error(`${cellName(this.#cell)}: the phone is not ready, no ${event}`);
  }

  #strike(): void {
    for (const { peer } of this.#servers.values()) peer.subscriptionSeconds = FURTHER_SECONDS;
    const primary = this.#simulation.host("primary");
    const server = this.#servers.get("primary") as SimulatedServer;
    const { peer } = server;
    const hangUp = (): void => primary.run(() => server.hangUp());
    switch (this.#cell.fault) {
      case "drop":
        this.#judgeAll(DROP);
        break;
      case "icmp":
        hangUp();
        this.#judgeAll(UNREACHABLE);
        break;
      case "rst":
        // The resets of what stands are lost, so that the request meets one of its own.
        this.#judgeAll(DROP);
        primary.kill();
        this.#simulation.network.healAll();
        break;
      case "mute":
        hangUp();
        peer.mood = { kind: "silent" };
        primary.freeze();
        break;
      case "503-later":
        peer.mood = { kind: "refusing", status: 503, retryAfterSeconds: RETRY_AFTER_SECONDS };
        break;
      case "503":
      case "500":
      case "408":
        peer.mood = { kind: "refusing", status: Number(this.#cell.fault) };
        break;
      case "slow":
        peer.mood = { kind: "slow", ms: SIMULATED.slowMs };
        break;
      case "dns-dead":
        this.#dns.state = "silent";
        break;
      case "dns-lies":
        this.#dns.records = lyingZone(SIMULATED);
        break;
    }
  }

  /** Whatever goes to the primary or comes from it. */
  #judgeAll(verdict: Verdict): void {
    const { primary } = SIMULATED.address;
    this.#simulation.network.fault("primary", (_now, { from, to }) =>
      from === primary || to === primary ? verdict : PASS,
    );
  }
}
