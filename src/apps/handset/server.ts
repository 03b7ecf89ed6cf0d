/** The handset's page (`dialtone phone --http`): how the phone stands, as server-sent events, and its keys. */
import type { Context } from "hono";
import type { TimedEvent } from "../../worlds/node/driver.ts";
import type { Control } from "../control.ts";
import { newToken } from "../pages/guard.ts";
import { MAX_WATCHERS } from "../pages/limits.ts";
import { eventStream, HTML, PageServer, SCRIPT, STYLE } from "../pages/server.ts";
import type { Handset } from "./standing.ts";

export interface HandsetPageParts {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Undefined: a new one. */
  readonly token: string | undefined;
  readonly handset: Handset;
  /** @returns why it was not obeyed. */
  obey(control: Control): string | undefined;
}

const FILES = {
  "/": ["handset.html", HTML],
  "/handset.js": ["handset.js", SCRIPT],
  "/handset.css": ["handset.css", STYLE],
} as const;

/** What the page's keys can ask for. The faults of `--control` are for who holds the process. */
const KEYS: ReadonlySet<string> = new Set([
  "call",
  "answer",
  "hangup",
  "hold",
  "resume",
  "transfer",
  "keys",
]);

/** The page once it is served. */
export class HandsetPage {
  readonly #parts: HandsetPageParts;
  readonly #watchers = new Set<() => void>();
  #server: PageServer | undefined;

  private constructor(parts: HandsetPageParts) {
    this.#parts = parts;
  }

  /** @throws Error with `code` if the address cannot be had. */
  static async open(parts: HandsetPageParts): Promise<HandsetPage> {
    const page = new HandsetPage(parts);
    const { host, port, token = newToken() } = parts;
    page.#server = await PageServer.open({
      host,
      port,
      token,
      files: FILES,
      events: (context) => page.#events(context),
      obey: async (value) => page.#obey(value),
    });
    return page;
  }

  /** `http://HOST:PORT/#TOKEN`: who has it may use the phone. */
  get invitation(): string {
    return this.#server?.invitation ?? "";
  }

  /** Every event of the phone passes here. */
  saw(event: TimedEvent): void {
    if (!this.#parts.handset.saw(event)) return;
    for (const wake of this.#watchers) wake();
  }

  close(): void {
    this.#server?.close();
  }

  #obey(value: unknown): string | undefined {
    const named = typeof value === "object" && value !== null && "do" in value;
    if (!named || typeof value.do !== "string" || !KEYS.has(value.do)) {
      return `say what to do: ${[...KEYS].join(", ")}`;
    }
    return this.#parts.obey(value as Control);
  }

  /** The standing now and after each change; who reads slowly misses what was in between, and nothing more. */
  #events(context: Context): Response {
    if (this.#watchers.size >= MAX_WATCHERS) return context.json({ error: "too many pages" }, 503);
    return eventStream(context, async (stream) => {
      let wake: () => void = () => undefined;
      let stale = true;
      const changed = (): void => {
        stale = true;
        wake();
      };
      this.#watchers.add(changed);
      stream.onAbort(() => {
        this.#watchers.delete(changed);
        wake();
      });
      while (this.#watchers.has(changed)) {
        if (stale) {
          stale = false;
          const data = JSON.stringify(this.#parts.handset.standing);
          await stream.writeSSE({ event: "standing", data });
        } else {
          await new Promise<void>((done) => {
            wake = done;
          });
        }
      }
    });
  }
}
