/**
 * Kamailio as a registrar and call server with digest authentication, all in memory. It can crash, freeze and start
 * again, and says over its control socket which bindings it holds.
 */
import {
  type KamailioSettings,
  kamailioConfiguration,
  listenersOf,
  tlsConfiguration,
} from "../../src/apps/lab/guests/kamailio-config.ts";
import { KamailioProcess } from "./kamailio-process.ts";
import type { Household, Running } from "./processes.ts";

/** What it holds for a user. */
export interface HeldBinding {
  readonly contact: string;
  /** Seconds left; not above 0 if it has run out and is only not yet swept away. */
  readonly expires: number;
}

export class Kamailio {
  readonly settings: KamailioSettings;
  readonly #server: KamailioProcess;

  constructor(household: Household, name: string, settings: KamailioSettings) {
    this.#server = new KamailioProcess(household, name);
    this.settings = settings;
  }

  get name(): string {
    return this.#server.name;
  }

  /** `udp:127.0.0.13:5060`, as the phone's events name it. */
  get target(): string {
    return `udp:${this.settings.address}:5060`;
  }

  get process(): Running {
    return this.#server.process;
  }

  async start(): Promise<void> {
    const { settings } = this;
    const { tls } = settings;
    const { folder, socket } = this.#server;
    const files = { "kamailio.cfg": kamailioConfiguration(settings, folder, socket) };
    await this.#server.start({
      files: { ...files, ...(tls === undefined ? {} : { "tls.cfg": tlsConfiguration(tls) }) },
      listen: listenersOf(settings),
      megabytes: tls === undefined ? 4 : 16,
    });
  }

  /** Its port is closed when this resolves. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** It keeps its port and says nothing. */
  freeze(): void {
    this.process.signal("SIGSTOP");
  }

  thaw(): void {
    this.process.signal("SIGCONT");
  }

  /** What it really holds for a user, not run out. */
  async bindings(user: string): Promise<HeldBinding[]> {
    const dump = (await this.#server.ask("ul.dump")) ?? "";
    const record = dump.split(/^\s*AoR: /m).find((part) => part.split("\n")[0] === user) ?? "";
    return [...record.matchAll(/Address: (\S+)\s+Expires: (-?\w+)/g)]
      .map((match) => ({ contact: match[1] as string, expires: Number(match[2]) }))
      .filter(({ expires }) => expires > 0);
  }
}
