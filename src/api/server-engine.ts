/** A server machine on real sockets, with its store and its resolver: what the command and programs both run. */
import type { Ready } from "../core/inquiry.ts";
import { Domains } from "../core/server/domains.ts";
import { readPlace } from "../core/server/flow-token.ts";
import { type ServerConfiguration, SipServer as ServerMachine } from "../core/server/server.ts";
import { bareHost } from "../core/server/sight.ts";
import { Driver, type TimedEvent } from "../worlds/node/driver.ts";
import { LoadMeter } from "../worlds/node/load-meter.ts";
import { nodePrimitives } from "../worlds/node/primitives.ts";
import type { Resolver } from "../worlds/node/resolver.ts";
import type { Store } from "../worlds/node/stores/store.ts";
import type { TlsSettings } from "../worlds/node/tls.ts";
import { messageTracer } from "./message-event.ts";
import type { Voicemail } from "./voicemail/voicemail.ts";

/** But for its clock, which is the store's. */
export type EngineConfiguration = Omit<ServerConfiguration, "epochOffset">;

export interface EngineParts {
  readonly configuration: EngineConfiguration;
  readonly store: Store;
  readonly resolver: Resolver;
  readonly tls: TlsSettings | undefined;
  /** Every message as an event. */
  readonly trace: boolean;
  /** Told each event, inside the turn of the machine. */
  sink(event: TimedEvent): void;
}

export class ServerEngine {
  readonly machine: ServerMachine;
  readonly driver: Driver;
  readonly store: Store;
  readonly #sink: (event: TimedEvent) => void;
  #meter: LoadMeter | undefined;
  #voicemail: Promise<Voicemail> | undefined;
  #broken = false;

  constructor(parts: EngineParts) {
    const { configuration, store, resolver, tls, trace } = parts;
    this.store = store;
    this.#sink = parts.sink;
    const ready: Ready = (question) =>
      question.kind === "dns" ? undefined : store.atOnce?.(question);
    const atOnce = store.atOnce === undefined ? undefined : ready;
    const epochOffset = store.epochSeconds() * 1000 - performance.now();
    this.machine = new ServerMachine({ ...configuration, epochOffset }, nodePrimitives(), atOnce);
    this.driver = new Driver(this.machine, {
      node: configuration.name,
      sink: (event) => this.#saw(event),
      store: (question, answered) => store.ask(question, answered),
      resolve: (question, answered) => resolver.ask(question, answered),
      ...(tls === undefined ? {} : { tls }),
      ...(trace ? { capture: messageTracer((event) => this.driver.report(event)) } : {}),
    });
  }

  /** The start has thrown: nothing can be asked of the machine, and its sockets can only be closed. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Listens; `server.started` or `server.failed` follows.
   * @throws what the caller's own store does.
   */
  start(): void {
    try {
      this.driver.run((now) => this.machine.start(now));
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  /**
   * Takes nothing new and ends what is in flight, the calls of its boxes before all else, as they go through it;
   * `server.stopped` follows.
   */
  stop(): void {
    const leave = (): void => this.driver.run((now) => this.machine.stop(now));
    this.machine.boxAgents = [];
    if (this.#voicemail === undefined) leave();
    else void this.#voicemail.then((boxes) => boxes.hangUp()).then(leave);
  }

  /** Closes every socket at once. */
  async close(): Promise<void> {
    this.#meter?.stop();
    await (await this.#voicemail)?.stop();
    await this.driver.stop();
  }

  #saw(event: TimedEvent): void {
    if (event.event === "server.started") {
      this.#measure(String(event.listen));
      this.#keepBoxes(String(event.listen).split(" "));
    }
    this.#sink(event);
  }

  /** Only the working role has voicemail, and only where a user names a box of ours. */
  #keepBoxes(listen: readonly string[]): void {
    const { users, domains, role } = this.machine.configuration;
    const places = listen.map(readPlace);
    const here = new Domains(domains);
    for (const { transport, address, port } of places) {
      here.listening(transport, bareHost(address), port);
    }
    if (role === "fallback" || users?.hasBoxes((uri) => here.leadsHere(uri)) !== true) return;
    const open = places.filter(({ transport }) => transport === "udp" || transport === "tcp");
    this.#voicemail = this.#openBoxes(new Set(open.map(({ address }) => bareHost(address))));
  }

  /** Answers for users from now on. It is loaded only where it is needed: a server that is restarted is waited for. */
  async #openBoxes(addresses: ReadonlySet<string>): Promise<Voicemail> {
    const { machine, driver, store } = this;
    const { Voicemail } = await import("./voicemail/voicemail.ts");
    const boxes = new Voicemail({
      store,
      domain: machine.configuration.domains[0] as string,
      changed: (user, messages) =>
        new Promise((kept) => {
          driver.run((now) => machine.setMessages(now, user, messages, kept));
        }),
      report: (event) => driver.run(() => driver.report(event)),
    });
    machine.boxAgents = await boxes.start(addresses);
    return boxes;
  }

  /** Tells the machine from now on when it cannot keep up with what arrives. */
  #measure(listen: string): void {
    const datagrams = [...listen.matchAll(/\budp:(\S+)/g)].map(([, place]) => place as string);
    this.#meter = new LoadMeter(datagrams, (waitMs) =>
      this.driver.run((now) => this.machine.waited(now, waitMs)),
    );
    this.#meter.start();
  }
}
