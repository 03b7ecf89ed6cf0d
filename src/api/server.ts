/** A registrar and call server as a program sees it: addresses, users and a store in, typed events out. */
import { EventEmitter } from "node:events";
import type { Instant } from "../core/machine.ts";
import { type Messages, MOST_MESSAGES } from "../core/server/message-summary.ts";
import type { Recall, Removal } from "../core/server/register-desk.ts";
import { Resolver } from "../worlds/node/resolver.ts";
import { readServers } from "../worlds/node/resolver-servers.ts";
import { BadStoreName, openStore } from "../worlds/node/stores/open-store.ts";
import type { Store } from "../worlds/node/stores/store.ts";
import { type BindingsOfUser, bindingsIn } from "./bindings.ts";
import { AddressError, ConfigurationError, StateError } from "./errors.ts";
import {
  type AnyEvent,
  type EventOf,
  isServerEvent,
  type ServerEventFields,
} from "./event-fields.ts";
import { shown } from "./option-values.ts";
import { Postbox } from "./postbox.ts";
import { type EngineConfiguration, ServerEngine } from "./server-engine.ts";
import { type SipServerOptions, serverConfiguration } from "./server-options.ts";
import { eventsOf, firstOf, type WaitOptions } from "./waiting.ts";

/** An event of a server, told apart by its `event`. */
export type ServerEvent<Name extends keyof ServerEventFields = keyof ServerEventFields> = EventOf<
  ServerEventFields,
  Name
>;

type ServerOwnEvents = { [Name in keyof ServerEventFields]: [event: ServerEvent<Name>] };

/** What listeners of a server are given. */
export interface ServerEvents extends ServerOwnEvents {
  /** Each event there is, in order. */
  event: [event: AnyEvent];
  /** The server was closed; nothing follows. */
  close: [];
}

const NO_STORE = "the store cannot be written now";

/** A registrar and call server (RFC 3261 §10, §16). */
export class SipServer extends EventEmitter<ServerEvents> {
  readonly #options: SipServerOptions;
  readonly #configuration: EngineConfiguration;
  readonly #resolver: Resolver;
  readonly #postbox = new Postbox();
  #engine: ServerEngine | undefined;
  #started = false;
  #closed: Promise<void> | undefined;
  #addresses: readonly string[] = [];

  /** @throws ConfigurationError with every fault of the options at once. */
  constructor(options: SipServerOptions) {
    super();
    this.#options = options;
    this.#configuration = serverConfiguration(options);
    const { dns } = options;
    this.#resolver = new Resolver(
      dns === undefined ? {} : { servers: readServers([dns].flat()).servers },
    );
  }

  /** Of this node. */
  get name(): string {
    return this.#configuration.name;
  }

  /** Where it listens, with the real ports: `udp:127.0.0.1:5060`, as `servers` of a Phone takes it; empty before. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /**
   * Opens the store and listens; resolves when it takes requests. A store that was opened and then does not answer is
   * waited for (`server.waiting`), until `signal` is aborted.
   * @throws AddressError if an address cannot be had; ConfigurationError if the store's name is wrong; Error if the
   *   store cannot be opened, or no Redis server answers there; StateError if it was started or closed before; what
   *   the signal says if that is aborted.
   */
  async start(options: WaitOptions = {}): Promise<this> {
    options.signal?.throwIfAborted();
    if (this.#started || this.#closed !== undefined) {
      throw new StateError("a server can be started once");
    }
    this.#started = true;
    try {
      const engine = await this.#open();
      const isOutcome = (event: AnyEvent): event is AnyEvent =>
        isServerEvent(event, "server.started", "server.failed");
      const outcome = firstOf(this as EventEmitter, isOutcome, options);
      // Closing ends this wait, too, when the start itself throws.
      outcome.catch(() => undefined);
      engine.start();
      const event = await outcome;
      if (event.event === "server.failed") throw deafness(event);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  /** The users that are registered, each with where their phones are, in no promised order. */
  async *bindings(): AsyncGenerator<BindingsOfUser, void> {
    const store = this.#engine?.store;
    if (store !== undefined) yield* bindingsIn(store);
  }

  /**
   * Removes all bindings of a user; false if there was none.
   * @param recall what phones are told that have subscribed to their registration (RFC 3680): `deactivated` (default)
   *   register anew at once, those on `probation` after `retryAfterSeconds`, `rejected` not at all.
   * @throws Error if the store cannot be written: then they stand.
   */
  async removeBindings(user: string, recall?: Recall): Promise<boolean> {
    const engine = this.#engine;
    if (engine === undefined || this.#closed !== undefined) return false;
    const outcome = await new Promise<Removal>((resolve) => {
      engine.driver.run((now: Instant) =>
        engine.machine.removeBindings(now, user, resolve, recall),
      );
    });
    if (outcome === "unavailable") throw new Error(`the bindings of ${user} stand: ${NO_STORE}`);
    return outcome === "removed";
  }

  /**
   * So many voice messages wait for a user (RFC 3842): the lamps of his phones follow, whichever node they have
   * subscribed at. The boxes of this server say so themselves.
   * @throws Error if the store cannot be written, or the role is `fallback`; RangeError if a number is no count;
   *   StateError if the server does not run.
   */
  async setMessages(user: string, messages: Messages): Promise<void> {
    for (const count of [messages.new, messages.old]) {
      if (Number.isInteger(count) && count >= 0 && count <= MOST_MESSAGES) continue;
      throw new RangeError(`${shown(count)} messages cannot wait; give 0 to ${MOST_MESSAGES}`);
    }
    const engine = this.#engine;
    if (engine === undefined || this.#closed !== undefined) {
      throw new StateError("the server does not run");
    }
    const kept = await new Promise<boolean>((resolve) => {
      engine.driver.run((now: Instant) => engine.machine.setMessages(now, user, messages, resolve));
    });
    if (!kept) throw new Error(`the messages of ${user} cannot be kept: ${NO_STORE}`);
  }

  /** Every event from now on, for `for await`; it ends when the server is closed. */
  events(options: WaitOptions = {}): AsyncGenerator<ServerEvent, void> {
    return eventsOf(this as EventEmitter, options) as AsyncGenerator<ServerEvent, void>;
  }

  /** Takes nothing new, ends what is in flight, and closes everything; resolves within 5 s. */
  async close(): Promise<void> {
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    const engine = this.#engine;
    if (engine !== undefined) {
      const { machine, store } = engine;
      const over = (): boolean => ["stopped", "failed", "waiting"].includes(machine.state);
      if (!engine.broken) engine.stop();
      while (!engine.broken && !over()) {
        await new Promise<void>((told) => {
          this.once("server.stopped", () => told());
        });
      }
      await engine.close();
      // A store of the caller's own may have other users.
      if (this.#options.store === undefined || typeof this.#options.store === "string") {
        await store.close();
      }
    }
    this.#resolver.close();
    this.#postbox.put(() => this.emit("close"));
  }

  async #open(): Promise<ServerEngine> {
    const { tls, trace = false } = this.#options;
    const engine = new ServerEngine({
      ...{ configuration: this.#configuration, resolver: this.#resolver, tls, trace },
      store: await this.#openStore(),
      sink: (event) => this.#postbox.put(() => this.#tell(event)),
    });
    this.#engine = engine;
    return engine;
  }

  async #openStore(): Promise<Store> {
    const { store = "memory" } = this.#options;
    if (typeof store !== "string") return store;
    try {
      return await openStore(store, (event) => this.#engine?.driver.report(event));
    } catch (error) {
      throw error instanceof BadStoreName ? badStore(error.message) : error;
    }
  }

  #tell(event: AnyEvent): void {
    if (isServerEvent(event, "server.started")) this.#addresses = event.listen.split(" ");
    // The name is one of ServerEvents, or one that only listeners of `event` can know.
    (this as EventEmitter).emit(event.event, event);
    this.emit("event", event);
  }
}

function deafness({ transport, address, port, why }: AnyEvent): AddressError {
  const host = String(address).includes(":") ? `[${address}]` : String(address);
  return new AddressError(`${transport}:${host}:${port}`, String(why));
}

function badStore(wrong: string): ConfigurationError {
  const remedy = "give memory, a folder, redis://HOST:PORT or a store of your own";
  const where = { file: "options", line: 1, key: "store" } as const;
  return new ConfigurationError([{ ...where, severity: "error", wrong, remedy }]);
}
