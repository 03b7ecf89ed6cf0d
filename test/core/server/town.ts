/**
 * A little town in virtual time: servers as machines, phones as scripts, one store, and a network that delivers each
 * packet after a millisecond. What comes in at a phone is kept as text.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type {
  FlowId,
  Instant,
  Local,
  Machine,
  Opening,
  Peer,
  Target,
  TransportName,
  World,
} from "../../../src/core/machine.ts";
import type { Primitives } from "../../../src/core/primitives.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../../src/core/server/registration.ts";
import { type ServerConfiguration, SipServer } from "../../../src/core/server/server.ts";
import type { Users } from "../../../src/core/server/users.ts";
import { readUsers } from "../../../src/core/server/users-file.ts";
import type { Question, TraceEvent } from "../../../src/core/vocabulary.ts";
import { TestStore } from "./store.ts";

const LATENCY_MS = 1;

/** 2026-01-01, as seconds: instant 0 of every town. */
export const EPOCH = 1_767_225_600;

export function primitives(seed: number): Primitives {
  let state = seed;
  return {
    entropy: {
      uint32() {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state;
      },
    },
    hash: {
      md5: (text) => createHash("md5").update(text, "latin1").digest("hex"),
      sha256: (text) => createHash("sha256").update(text, "latin1").digest("hex"),
    },
    bytes: {
      toText: (bytes) => Buffer.from(bytes).toString("latin1"),
      fromText: (text) => Buffer.from(text, "latin1"),
    },
  };
}

export function users(text: string): Users {
  return readUsers({ name: "users.yaml", text }).users;
}

interface Due {
  readonly at: Instant;
  readonly deed: () => void;
}

/** Whoever listens at a place, `udp:127.0.0.1:5060`. */
export interface Inhabitant {
  /** Datagrams: bytes from a place. Connections: `from` is the other end's own name for itself. */
  came(to: string, from: string, bytes: Uint8Array): void;
  /** A connection from there has been opened, or has ended. */
  connected?(to: string, from: string): void;
  parted?(to: string, from: string): void;
}

export class Town {
  readonly store: TestStore = new TestStore();
  readonly events: TraceEvent[] = [];
  readonly places: Map<string, Inhabitant> = new Map<string, Inhabitant>();
  readonly hosts: Host[] = [];
  /** Domains that the certificates of peers prove, by the peers' places. */
  readonly proven: Map<string, readonly string[]> = new Map<string, readonly string[]>();
  now: Instant = 0;
  #due: Due[] = [];
  #lastPort = 40_000;

  server(configuration: Partial<ServerConfiguration> = {}): Host {
    const host = new Host(this, {
      name: "one",
      domains: ["example.com"],
      listen: [{ transport: "udp", address: "10.0.0.1", port: 5060 }],
      advertise: undefined,
      role: "working",
      users: undefined,
      acceptForeign: false,
      limits: DEFAULT_REGISTRAR_LIMITS,
      serviceRoute: "",
      shared: false,
      epochOffset: EPOCH * 1000,
      tracing: false,
      ...configuration,
    });
    this.hosts.push(host);
    host.run((now) => host.server.start(now));
    this.pass(5);
    return host;
  }

  later(deed: () => void, wait: number = LATENCY_MS): void {
    this.#due.push({ at: this.now + wait, deed });
  }

  freePort(): number {
    this.#lastPort += 1;
    return this.#lastPort;
  }

  /** Lets `ms` pass, doing all that becomes due in order. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      let at = Number.POSITIVE_INFINITY;
      for (const due of this.#due) at = Math.min(at, due.at);
      for (const host of this.hosts) at = Math.min(at, host.deadline);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      const ready = this.#due.filter((due) => due.at <= this.now);
      this.#due = this.#due.filter((due) => due.at > this.now);
      for (const { deed } of ready) deed();
      for (const host of this.hosts) host.wake();
    }
    this.now = end;
  }

  eventsNamed(name: string): TraceEvent[] {
    return this.events.filter(({ event }) => event === name);
  }
}

interface Line {
  readonly id: FlowId;
  readonly transport: TransportName;
  readonly local: string;
  readonly remote: string;
  /** Datagrams: hears that the far port is closed. */
  readonly connected: boolean;
}

export class Host implements World, Inhabitant {
  readonly town: Town;
  readonly server: SipServer;
  alive = true;
  readonly #machine: Machine;
  readonly #listeners = new Map<string, FlowId>();
  readonly #flows = new Map<FlowId, Line>();
  #lastArrival = 0;

  constructor(town: Town, configuration: ServerConfiguration) {
    this.town = town;
    this.server = new SipServer(configuration, primitives(town.hosts.length + 1));
    this.#machine = this.server;
  }

  get deadline(): Instant {
    return this.alive ? this.#machine.deadline : Number.POSITIVE_INFINITY;
  }

  run(deed: (now: Instant) => void): void {
    if (!this.alive) return;
    deed(this.town.now);
    this.#machine.deliver(this);
  }

  wake(): void {
    if (this.deadline <= this.town.now) this.run((now) => this.#machine.elapsed(now));
  }

  /** The process is gone without a word; its ports are closed. */
  kill(): void {
    this.alive = false;
    for (const place of this.#listeners.keys()) this.town.places.delete(place);
    for (const { local, remote, transport } of this.#flows.values()) {
      this.town.places.delete(local);
      if (transport !== "udp") this.town.places.get(remote)?.parted?.(remote, local);
    }
  }

  /** The world forgets who has sent datagrams and been silent since, as it does after a minute. */
  forgetPeers(): void {
    for (const { id, transport } of [...this.#flows.values()]) {
      if (id > 0 || transport !== "udp") continue;
      this.#flows.delete(id);
      this.run((now) => this.#machine.lost(now, id, "idle"));
    }
  }

  bind(flow: FlowId, local: Local): void {
    const place = `${local.transport}:${local.address}:${local.port}`;
    assert.equal(this.town.places.has(place), false);
    this.town.places.set(place, this);
    this.#listeners.set(place, flow);
    this.#soon((now) => this.#machine.bound(now, flow, local));
  }

  open(flow: FlowId, target: Target, opening: Opening): void {
    const { transport, address, port } = target;
    const remote = `${transport}:${address}:${port}`;
    const shared = [...this.#listeners].find(([, id]) => id === opening.from)?.[0];
    const own = [...this.#listeners.keys()][0]?.split(":")[1] ?? "10.0.0.1";
    const local =
      shared !== undefined && transport === "udp"
        ? shared
        : `${transport}:${own}:${this.town.freePort()}`;
    if ((transport !== "udp" || opening.connected) && !this.town.places.has(remote)) {
      this.#soon((now) => this.#machine.lost(now, flow, "refused"));
      return;
    }
    if (local !== shared) this.town.places.set(local, this);
    this.#flows.set(flow, { id: flow, transport, local, remote, connected: opening.connected });
    this.town.places.get(remote)?.connected?.(remote, local);
    this.#soon((now) => {
      if (this.#flows.has(flow)) this.#machine.opened(now, flow, this.#peer(flow, opening.from));
    });
  }

  send(flow: FlowId, bytes: Uint8Array): void {
    const line = this.#flows.get(flow);
    if (line === undefined) return;
    this.town.later(() => {
      const there = this.town.places.get(line.remote);
      if (there !== undefined) there.came(line.remote, line.local, bytes);
      else if (line.connected && this.#flows.delete(flow)) {
        this.#soon((now) => this.#machine.lost(now, flow, "refused"));
      }
    });
  }

  close(flow: FlowId): void {
    for (const [place, id] of this.#listeners) {
      if (id !== flow) continue;
      this.#listeners.delete(place);
      this.town.places.delete(place);
    }
    this.#flows.delete(flow);
  }

  ask(asked: number, question: Question): void {
    const answer =
      question.kind === "dns"
        ? ({ kind: "none", ttl: 60 } as const)
        : this.town.store.answer(question);
    this.#soon((now) => this.#machine.answered(now, asked, answer), 0);
  }

  report(event: TraceEvent): void {
    this.town.events.push({ node: this.server.configuration.name, ...event });
  }

  came(to: string, from: string, bytes: Uint8Array): void {
    let line = [...this.#flows.values()].find(
      ({ local, remote }) => local === to && remote === from,
    );
    if (line === undefined) {
      this.connected(to, from);
      line = [...this.#flows.values()].at(-1) as Line;
    }
    const { id } = line;
    this.run((now) => this.#machine.received(now, id, bytes));
  }

  connected(to: string, from: string): void {
    const listener = this.#listeners.get(to);
    if (listener === undefined) return;
    this.#lastArrival -= 1;
    const id = this.#lastArrival;
    const transport = to.slice(0, to.indexOf(":")) as TransportName;
    this.#flows.set(id, { id, transport, local: to, remote: from, connected: false });
    this.run((now) => this.#machine.opened(now, id, this.#peer(id, listener)));
  }

  parted(to: string, from: string): void {
    const line = [...this.#flows.values()].find(
      ({ local, remote }) => local === to && remote === from,
    );
    if (line === undefined) return;
    this.#flows.delete(line.id);
    this.#soon((now) => this.#machine.lost(now, line.id, "reset"));
  }

  #soon(deed: (now: Instant) => void, wait = LATENCY_MS): void {
    this.town.later(() => this.run(deed), wait);
  }

  #peer(flow: FlowId, listener: FlowId): Peer {
    const { transport, local, remote } = this.#flows.get(flow) as Line;
    const [, localAddress = "", localPort] = local.split(":");
    const [, address = "", port] = remote.split(":");
    const ports = { port: Number(port), localPort: Number(localPort) };
    const domains = this.town.proven.get(remote);
    const peer = { transport, address, localAddress, ...ports, listener };
    return domains === undefined ? peer : { ...peer, domains };
  }
}
