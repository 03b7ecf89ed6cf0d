/**
 * Real servers and real phones as simulated processes around one resolver: what scenarios, fleets and swarms
 * are all played in.
 */
import type { Instant, Local, LossCause, Peer } from "../../core/machine.ts";
import type { PhoneConfig } from "../../core/phone/phone-config.ts";
import { PhoneMachine } from "../../core/phone/phone-machine.ts";
import { DEFAULT_REGISTRAR_LIMITS, type RegistrarLimits } from "../../core/server/registration.ts";
import { type ServerConfiguration, SipServer } from "../../core/server/server.ts";
import type { Users } from "../../core/server/users.ts";
import type { Answer, Question, TraceEvent } from "../../core/vocabulary.ts";
import { nodePrimitives } from "../../worlds/node/primitives.ts";
import type { HostAddresses } from "../../worlds/sim/addresses.ts";
import type { NetworkOptions } from "../../worlds/sim/network.ts";
import { Prng } from "../../worlds/sim/prng.ts";
import { SimulatedDns } from "../../worlds/sim/simulated-dns.ts";
import type { SimulatedHost } from "../../worlds/sim/simulated-host.ts";
import { SimulatedStore } from "../../worlds/sim/simulated-store.ts";
import { type SimulatedEvent, Simulation } from "../../worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../worlds/sim/surroundings.ts";
import { labourOfServer } from "../../worlds/sim/workbench.ts";

/** Instant 0 of every simulation, so that equal seeds give equal traces. */
export const EPOCH_MS: number = Date.UTC(2026, 0, 1);

/** The first stream of chance that is a process's own; those below are the simulation's. */
const FIRST_PROCESS_STREAM = 100;

export interface TownOptions {
  readonly seed: number;
  /** Never empty; the first is the realm. */
  readonly domains: readonly string[];
  /** Undefined: everybody is let in. */
  readonly users: Users | undefined;
  /** Servers report renewals, too: by far most of all events. */
  readonly renewals: boolean;
  /** Servers with a capacity know nothing of their overload. */
  readonly heedless?: boolean;
  /** Told ten times a second how long the oldest of what waits at a server with a capacity has waited. */
  readonly onWait?: (now: Instant, waitMs: number) => void;
  /** Of what servers grant, and of the return of those they refuse (R111); as usual unless said otherwise. */
  readonly spread?: Pick<ServerConfiguration, "retryWithin"> &
    Pick<RegistrarLimits, "expirySpread">;
  readonly network?: NetworkOptions;
  readonly onEvent?: (event: SimulatedEvent) => void;
  readonly onReport?: (now: Instant, node: string, event: TraceEvent) => void;
  readonly onMessage?: (message: SimulatedMessage) => void;
  readonly onLost?: (node: string, peer: Peer, cause: LossCause) => void;
  readonly onLeft?: (peer: Peer) => void;
  readonly onStep?: (now: Instant) => void;
}

export interface ServerSpec {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Where it listens instead of UDP and TCP at that port. */
  readonly listen?: readonly Local[];
  readonly role: "working" | "fallback";
  /** Its clock is so far ahead. */
  readonly clockSkewSeconds?: number;
  /** `shared`: one location store for all servers that say so; `own`: lost when the process dies. */
  readonly location: "shared" | "own";
  /** REGISTERs a second that it can do; undefined: work takes no time. */
  readonly capacity?: number;
}

/** One server and the process it has now, if any. */
export class TownServer {
  readonly spec: ServerSpec;
  readonly host: SimulatedHost;
  machine: SipServer;
  store: SimulatedStore;

  constructor(spec: ServerSpec, host: SimulatedHost, machine: SipServer, store: SimulatedStore) {
    this.spec = spec;
    this.host = host;
    this.machine = machine;
    this.store = store;
  }
}

/** One process with a phone or a fleet of them. */
export interface TownPhones {
  readonly name: string;
  readonly host: SimulatedHost;
  readonly machine: PhoneMachine;
}

export class Town {
  readonly simulation: Simulation;
  readonly dns: SimulatedDns = new SimulatedDns([]);
  readonly shared: SimulatedStore = new SimulatedStore();
  readonly #options: TownOptions;
  readonly #servers = new Map<string, TownServer>();
  /** The same by address. */
  readonly #serversAt = new Map<string, TownServer>();
  /** How long each node waits for a silent resolver; others wait as the resolver's own default says. */
  readonly #dnsPatienceMs = new Map<string, number>();
  #processes = 0;

  constructor(options: TownOptions) {
    this.#options = options;
    const { seed, network, onEvent, onReport, onMessage, onLost, onLeft, onStep } = options;
    this.simulation = new Simulation({
      seed,
      answer: (_now, node, question) => this.#answer(node, question),
      ...(network === undefined ? {} : { network }),
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(onReport === undefined ? {} : { onReport }),
      ...(onMessage === undefined ? {} : { onMessage }),
      ...(onLost === undefined ? {} : { onLost }),
      ...(onLeft === undefined ? {} : { onLeft }),
      ...(onStep === undefined ? {} : { onStep }),
    });
  }

  get servers(): Iterable<TownServer> {
    return this.#servers.values();
  }

  /** @throws RangeError when there is none of that name. */
  server(name: string): TownServer {
    const server = this.#servers.get(name);
    if (server === undefined) throw new RangeError(`no server ${name}`);
    return server;
  }

  serverAt(address: string): TownServer | undefined {
    return this.#serversAt.get(address);
  }

  /** Puts up a machine on which the server can be started. */
  addServer(spec: ServerSpec): TownServer {
    const store = spec.location === "shared" ? this.shared : new SimulatedStore();
    const machine = this.#newServer(spec);
    const host = this.simulation.addHost(spec.name, [spec.address], machine);
    host.kill();
    const server = new TownServer(spec, host, machine, store);
    this.#servers.set(spec.name, server);
    this.#serversAt.set(spec.address, server);
    return server;
  }

  /** Starts a new process; what the last one alone knew is gone. */
  startServer(name: string): void {
    const server = this.server(name);
    const machine = this.#newServer(server.spec);
    server.machine = machine;
    if (server.spec.location === "own") server.store = new SimulatedStore();
    server.host.restart(machine);
    const { capacity } = server.spec;
    if (capacity !== undefined) {
      const { heedless, onWait } = this.#options;
      const told = (now: Instant, waitMs: number): void => {
        onWait?.(now, waitMs);
        if (heedless !== true) machine.waited(now, waitMs);
      };
      server.host.labours({ ...labourOfServer(capacity), told });
    }
    server.host.run((now) => machine.start(now));
  }

  /**
   * Puts up a machine with these phones, none of them started.
   * @param addresses of that machine; the phones say on which of them they listen.
   */
  addPhones(
    name: string,
    addresses: HostAddresses,
    configs: Iterable<PhoneConfig>,
    dnsPatienceMs?: number,
  ): TownPhones {
    const machine = new PhoneMachine(this.#primitives());
    if (dnsPatienceMs !== undefined) this.#dnsPatienceMs.set(name, dnsPatienceMs);
    const host = this.simulation.addHost(name, addresses, machine);
    for (const config of configs) machine.add(config);
    return { name, host, machine };
  }

  /** Starts a new process with these phones in the place of one that died; none of them is started. */
  bootPhones({ name, host }: TownPhones, configs: Iterable<PhoneConfig>): TownPhones {
    const machine = new PhoneMachine(this.#primitives());
    host.restart(machine);
    for (const config of configs) machine.add(config);
    return { name, host, machine };
  }

  #newServer(spec: ServerSpec): SipServer {
    const { domains, users, renewals } = this.#options;
    const listen = spec.listen ?? ordinaryPorts(spec);
    const configuration: ServerConfiguration = {
      name: spec.name,
      domains,
      listen,
      advertise: undefined,
      role: spec.role,
      users,
      acceptForeign: false,
      limits: { ...DEFAULT_REGISTRAR_LIMITS, ...this.#options.spread },
      serviceRoute: "",
      shared: spec.location === "shared",
      epochOffset: EPOCH_MS + (spec.clockSkewSeconds ?? 0) * 1000,
      renewals,
      tracing: false,
      ...this.#options.spread,
    };
    if (spec.capacity === undefined) return new SipServer(configuration, this.#primitives());
    return new SipServer(configuration, this.#primitives(), (question) =>
      this.#ready(spec, question),
    );
  }

  /** A server whose work takes time has its store at hand, or its answers would wait with the packets. */
  #ready({ name }: ServerSpec, question: Question): Answer | undefined {
    if (question.kind === "dns") return undefined;
    const server = this.server(name);
    server.host.answeredAtOnce();
    return server.store.ask(question);
  }

  /** Node's digests and bytes, which are the pure ones and faster, and chance of its own for each process. */
  #primitives(): ReturnType<typeof nodePrimitives> {
    const stream = FIRST_PROCESS_STREAM + this.#processes;
    this.#processes += 1;
    return { ...nodePrimitives(), entropy: new Prng(this.#options.seed, stream) };
  }

  #answer(node: string, question: Question): { afterMs: number; answer: Answer } {
    if (question.kind === "dns") return this.dns.ask(question, this.#dnsPatienceMs.get(node), node);
    const store = this.#servers.get(node)?.store;
    if (store === undefined) {
      return { afterMs: 0, answer: { kind: "unavailable", why: "no store" } };
    }
    return { afterMs: 0, answer: store.ask(question) };
  }
}

function ordinaryPorts({ address, port }: ServerSpec): Local[] {
  return (["udp", "tcp"] as const).map((transport) => ({ transport, address, port }));
}
