/** Everything that a phone or server of the public API tells, kept for a test to look at. */
import type { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import { PATIENCE_MS } from "./processes.ts";

export interface Told {
  /** Milliseconds of the process. */
  readonly at: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

export class Witness {
  readonly events: Told[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(source: Pick<EventEmitter, "on">) {
    source.on("event", (event: { readonly event: string }) => {
      this.events.push({ ...event, at: performance.now() });
      for (const listener of [...this.#listeners]) listener();
    });
  }

  all(name: string): Told[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** `call.ended why=hung-up` …: what is told of calls, without audio. */
  get calls(): string[] {
    return this.events
      .filter(({ event }) => /^call\.(?!media|heard|silenced)/.test(event))
      .map(({ event, why, status, by }) =>
        [event, ...Object.entries({ why, status, by }).flatMap(printed)].join(" "),
      );
  }

  /** The messages that went one way and begin so. */
  messages(direction: "sent" | "received", start: string): Told[] {
    return this.all(`message.${direction}`).filter((told) => textOf(told).startsWith(start));
  }

  /** Their texts. */
  texts(direction: "sent" | "received", start: string): string[] {
    return this.messages(direction, start).map(textOf);
  }

  /** Waits for the first event of that name, or for as many. */
  async until(name: string, count = 1): Promise<Told> {
    return await new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.all(name)[count - 1];
        if (found === undefined) return;
        this.#listeners.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`${count} × ${name} has not come; ${this.calls.join(", ")}`));
      }, PATIENCE_MS);
      this.#listeners.add(look);
      look();
    });
  }
}

function printed([name, value]: readonly [string, unknown]): string[] {
  return value === undefined ? [] : [`${name}=${String(value)}`];
}

function textOf({ data }: Told): string {
  return Buffer.from(String(data), "base64").toString("latin1");
}
