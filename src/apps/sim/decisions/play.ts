/**
 * One row of the decision table, played: a phone with that file and a peer that is registered everywhere, a working
 * server with two targets that share what they know, and a fallback server. What happens when they fall silent one
 * after the other, return, and when the first says 503.
 */
import type { Call } from "../../../core/phone/call.ts";
import { readConfiguration } from "../../../core/provisioning/read.ts";
import { failbackModeOf } from "../../../core/redundancy/failback.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../core/redundancy/policy-defaults.ts";
import type { SimulatedEvent } from "../../../worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../../worlds/sim/surroundings.ts";
import { simulatedPhone } from "../phone-config.ts";
import { Town, type TownPhones } from "../town.ts";
import { FALLBACK, fileOf, NAME, PRIMARY, type Row, SECONDARY } from "./rows.ts";

export interface Decided {
  /** Hold in a call whose server has fallen silent. */
  readonly hold: string;
  /** The next call, and the one after it, with the primary silent. */
  readonly call: string;
  readonly again: string;
  /** Where the account is registered a minute later. */
  readonly registered: string;
  /** A call with both targets silent. */
  readonly fallback: string;
  /** How long after the return of all until requests go to the primary. */
  readonly home: string;
  /** A call while the primary says 503. */
  readonly busy: string;
}

const PHONE = "192.0.2.100";
const PEER = "192.0.2.101";
const PEER_USER = "2099";
const PLACES: Readonly<Record<string, string>> = {
  [PRIMARY]: "primary",
  [SECONDARY]: "secondary",
  [FALLBACK]: "fallback",
};
const SEED = 1;
const TTL_SECONDS = 60;
const LATENCY_MS = 1;
const SETTLE_MS = 5000;
const MINUTE_MS = 60_000;
/** Longer than a call or a hold takes on its way through all servers. */
const PATIENCE_MS = 100_000;
/** Nobody who comes home by time takes so long. */
const HOME_LIMIT_MS = 900_000;

export function playRow(row: Row): Decided {
  return new Play(row).decided();
}

class Play {
  readonly #town: Town;
  readonly #phone: TownPhones;
  #lastEvent: SimulatedEvent | undefined;
  /** Where the last 200 to an INVITE came from. */
  #answeredAt = "";

  constructor(row: Row) {
    this.#town = new Town({
      seed: SEED,
      domains: [NAME],
      users: undefined,
      renewals: false,
      network: { latencyMs: [LATENCY_MS, LATENCY_MS], loss: 0, duplication: 0 },
      onEvent: (event) => this.#saw(event),
      onMessage: (message) => this.#carried(message),
    });
    this.#town.dns.records = [PRIMARY, SECONDARY].map((address) => ({
      type: "A",
      name: NAME,
      ttl: TTL_SECONDS,
      address,
    }));
    for (const [address, name] of Object.entries(PLACES)) {
      const own = address === FALLBACK;
      const role = own ? "fallback" : "working";
      this.#town.addServer({ name, address, port: 5060, role, location: own ? "own" : "shared" });
      this.#town.startServer(name);
    }
    this.#addPeer();
    const { accounts } = readConfiguration([fileOf(row)]);
    const place = { address: PHONE, port: 5060, answer: "auto", number: 0 } as const;
    const reached = accounts.map((account) => ({ ...account, domain: NAME }));
    this.#phone = this.#town.addPhones("phone", [PHONE], [simulatedPhone(reached, place)]);
    this.#start(this.#phone);
    this.#town.simulation.runFor(SETTLE_MS);
  }

  decided(): Decided {
    const { simulation } = this.#town;
    const { network } = simulation;
    const hold = this.#hold();
    const call = this.#call();
    const again = this.#call();
    simulation.runFor(MINUTE_MS);
    const registered = this.#registered();
    network.partition("both", [PRIMARY, SECONDARY]);
    const fallback = this.#call();
    simulation.runFor(SETTLE_MS);
    network.healAll();
    const home = this.#comesHome();
    simulation.runFor(MINUTE_MS);
    this.#town.server("primary").host.run(() => this.#town.server("primary").machine.refuseAll(0));
    return { hold, call, again, registered, fallback, home, busy: this.#call() };
  }

  /** Registered at every address at once, so that whoever takes the call can reach it. */
  #addPeer(): void {
    const servers = Object.keys(PLACES).map((address) =>
      defaultServer(address, { port: 5060, transport: "udp", expiresSeconds: MINUTE_MS / 1000 }),
    );
    const policy = { ...defaultPolicy(...servers), keepAliveMs: 0, refreshJitter: 0 };
    const account = defaultAccount(PEER_USER, policy, { domain: NAME });
    const place = { address: PEER, port: 5060, answer: "auto", number: 1 } as const;
    this.#start(this.#town.addPhones("peer", [PEER], [simulatedPhone([account], place)]));
  }

  #start({ host, machine }: TownPhones): void {
    host.run(() => {
      for (const phone of machine.phones) phone.start();
    });
  }

  /** With a call up the primary falls silent, and the phone puts the call on hold. */
  #hold(): string {
    const { simulation } = this.#town;
    const { host } = this.#phone;
    const call = this.#place();
    simulation.runUntilTrue(() => call?.state === "confirmed", simulation.now + PATIENCE_MS);
    simulation.runFor(SETTLE_MS);
    simulation.network.partition("primary", [PRIMARY]);
    const begun = simulation.now;
    this.#lastEvent = undefined;
    this.#answeredAt = "";
    host.run((now) => call?.hold(now));
    simulation.runUntilTrue(() => this.#lastEvent !== undefined, begun + PATIENCE_MS);
    const { event = "", at = begun, why } = this.#last ?? {};
    const where = event === "call.held" ? `by ${this.#answeredAt}` : String(why ?? "");
    const words = {
      "call.held": "held",
      "call.ended": "call ends",
      "call.reinvite-failed": "refused",
    };
    const word = words[event as keyof typeof words] ?? "nothing";
    host.run((now) => call?.hangUp(now));
    simulation.runFor(PATIENCE_MS);
    return `${word} ${where} ${seconds(at - begun)}`.replace("  ", " ");
  }

  /** Who answers a call, and when. */
  #call(): string {
    const { simulation } = this.#town;
    const begun = simulation.now;
    this.#answeredAt = "";
    this.#lastEvent = undefined;
    const call = this.#place();
    const done = (): boolean => call?.state === "confirmed" || call?.state === "terminated";
    simulation.runUntilTrue(done, begun + PATIENCE_MS);
    const took = seconds(simulation.now - begun);
    const answered = call?.state === "confirmed";
    const refusal = String(this.#last?.status ?? this.#last?.why ?? "");
    this.#phone.host.run((now) => call?.hangUp(now));
    simulation.runFor(SETTLE_MS);
    return answered ? `${this.#answeredAt} ${took}` : `refused ${refusal} ${took}`;
  }

  #place(): Call | undefined {
    const { host, machine } = this.#phone;
    let call: Call | undefined;
    host.run(() => {
      call = machine.phones[0]?.call(PEER_USER);
    });
    return call;
  }

  #registered(): string {
    const { now } = this.#town.simulation;
    const account = this.#phone.machine.phones[0]?.accounts[0];
    const places = account?.servers.routes.flatMap(({ index }) => {
      const registration = account.registration(index);
      const address = registration?.place?.target.address ?? "";
      return registration?.bound(now) === true ? (PLACES[address] ?? address) : [];
    });
    return places === undefined || places.length === 0 ? "nowhere" : places.join(", ");
  }

  #comesHome(): string {
    const { simulation } = this.#town;
    const begun = simulation.now;
    const account = this.#phone.machine.phones[0]?.accounts[0];
    const route = account?.servers.route(1);
    const home = (): boolean =>
      account?.workingServer === 1 &&
      route !== undefined &&
      (failbackModeOf(route) === "newRequests" || route.current === 0);
    const came = simulation.runUntilTrue(home, begun + HOME_LIMIT_MS);
    return came ? seconds(simulation.now - begun) : "never by time";
  }

  get #last(): Partial<SimulatedEvent> | undefined {
    return this.#lastEvent;
  }

  #saw(event: SimulatedEvent): void {
    if (event.node !== "phone") return;
    const told = ["call.held", "call.ended", "call.reinvite-failed"];
    if (told.includes(event.event)) this.#lastEvent ??= event;
  }

  #carried({ node, direction, peer, bytes }: SimulatedMessage): void {
    if (node !== "phone" || direction !== "in") return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    if (!text.startsWith("SIP/2.0 200") || !/^CSeq: \d+ INVITE/m.test(text)) return;
    this.#answeredAt = PLACES[peer.address] ?? peer.address;
  }
}

/** Tenths; a few packets are no time. */
function seconds(ms: number): string {
  const tenths = Math.round(ms / 100) / 10;
  return tenths === 0 ? "at once" : `${tenths} s`;
}
