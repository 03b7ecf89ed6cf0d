/** One run of `dialtone serve`: from the first event to an orderly end. */
import type { Server } from "node:http";
import { ServerEngine } from "../../api/server-engine.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../core/server/registration.ts";
import type { Users } from "../../core/server/users.ts";
import type { TraceEvent } from "../../core/vocabulary.ts";
import type { TimedEvent } from "../../worlds/node/driver.ts";
import { FaultBook } from "../../worlds/node/fault-book.ts";
import { nodePrimitives } from "../../worlds/node/primitives.ts";
import type { Resolver } from "../../worlds/node/resolver.ts";
import type { Store } from "../../worlds/node/stores/store.ts";
import type { TlsSettings } from "../../worlds/node/tls.ts";
import { obeyedEvent, readControl, refusedEvent, unreadEvent } from "../control.ts";
import { EXIT, whyUnbound } from "../exit.ts";
import { eventPrinter } from "../output.ts";
import { obey } from "./faults.ts";
import type { ServeOptions } from "./options.ts";

/** After a signal the process is gone within 5 s, whatever hangs. */
const LAST_RESORT_MS = 4_800;

export class ServeSession {
  readonly #options: ServeOptions;
  readonly #store: Store;
  readonly #resolver: Resolver;
  readonly #engine: ServerEngine;
  readonly #faults: FaultBook;
  readonly #counts = new Map<string, number>();
  readonly #print: (event: TimedEvent) => void;
  #http: Server | undefined;
  #exitCode: number = EXIT.ok;
  #leaving = false;
  #gone: () => void = () => undefined;

  constructor(
    options: ServeOptions,
    users: Users | undefined,
    tls: TlsSettings | undefined,
    store: Store,
    resolver: Resolver,
  ) {
    this.#options = options;
    this.#store = store;
    this.#resolver = resolver;
    this.#print = eventPrinter(options.json);
    const { minExpires, maxExpires, expirySpread } = options;
    const defaultExpires = Math.min(DEFAULT_REGISTRAR_LIMITS.defaultExpires, maxExpires);
    const limits = { ...DEFAULT_REGISTRAR_LIMITS, minExpires, maxExpires, defaultExpires };
    this.#engine = new ServerEngine({
      configuration: {
        ...options,
        users,
        limits: { ...limits, expirySpread },
        shared: options.store !== "memory",
        renewals: options.json || options.http !== undefined,
        tracing: options.trace,
      },
      ...{ store, resolver, tls, trace: options.trace },
      sink: (event) => this.#saw(event),
    });
    this.#faults = new FaultBook(this.#engine.driver, nodePrimitives().entropy);
  }

  /** Resolves with the exit code when everything is closed. */
  async run(): Promise<number> {
    const gone = new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => this.#signalled());
    }
    process.on("SIGHUP", () => this.#leave());
    const unread = this.#options.control ? this.#readControl() : () => undefined;
    if (await this.#openHttp()) this.#engine.start();
    else this.#gone();
    await gone;
    unread();
    this.#http?.close();
    await this.#engine.close();
    this.#resolver.close();
    await this.#store.close();
    return this.#exitCode;
  }

  /** An event of the store or another part of the world. */
  report(event: TraceEvent): void {
    this.#engine.driver.report(event);
  }

  #saw(event: TimedEvent): void {
    this.#counts.set(event.event, (this.#counts.get(event.event) ?? 0) + 1);
    // Renewals are most of all events and news to nobody but programs.
    if (this.#options.json || event.event !== "binding.refreshed") this.#print(event);
    if (event.event === "server.stopped") this.#gone();
    if (event.event === "server.failed" && this.#engine.machine.state === "failed") {
      const { transport, address, port, why } = event;
      const host = String(address).includes(":") ? `[${address}]` : address;
      const remedy = `${whyUnbound(String(why))}; name another with --listen`;
      process.stderr.write(`${transport}:${host}:${port}: ${remedy}\n`);
      this.#exitCode = EXIT.missing;
      this.#gone();
    }
  }

  #signalled(): void {
    if (this.#leaving) process.exit(this.#exitCode);
    this.#leave();
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    setTimeout(() => process.exit(this.#exitCode), LAST_RESORT_MS).unref();
    setImmediate(() => this.#engine.stop());
  }

  #readControl(): () => void {
    return readControl(process.stdin, {
      obey: (control) => {
        const { driver } = this.#engine;
        const book = this.#faults;
        if (control.do === "stop") this.#leave();
        const wrong = control.do === "stop" ? undefined : obey(control, book, this.#engine);
        if (wrong !== undefined) process.stderr.write(`control: ${wrong}\n`);
        const answer = wrong === undefined ? obeyedEvent(control) : refusedEvent(control, wrong);
        driver.run(() => driver.report(answer));
      },
      refused: (why) => {
        process.stderr.write(`control: ${why}\n`);
        this.#engine.driver.run(() => this.#engine.driver.report(unreadEvent(why)));
      },
      ended: () => this.#leave(),
    });
  }

  /** False: the address is not to be had. */
  async #openHttp(): Promise<boolean> {
    const place = this.#options.http;
    if (place === undefined) return true;
    const { serveHttp } = await import("./http.ts");
    try {
      this.#http = await serveHttp(place, {
        store: this.#store,
        counts: this.#counts,
        token: process.env.DIALTONE_TOKEN,
        state: () => this.#engine.machine.state,
        changes: {
          remove: (user, recall) =>
            new Promise((done) => {
              this.#engine.driver.run((now) =>
                this.#engine.machine.removeBindings(now, user, done, recall),
              );
            }),
          setMessages: (user, messages) =>
            new Promise((done) => {
              this.#engine.driver.run((now) =>
                this.#engine.machine.setMessages(now, user, messages, done),
              );
            }),
        },
      });
      const bound = this.#http.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : place.port;
      this.#engine.driver.report({ event: "http.started", address: place.host, port });
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      process.stderr.write(`--http ${place.host}:${place.port} cannot be had: ${why}\n`);
      this.#exitCode = EXIT.missing;
      return false;
    }
  }
}
