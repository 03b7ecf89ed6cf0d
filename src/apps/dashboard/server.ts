/** The lab's page: what happens as server-sent events, a batch at a time, and the commands of whoever looks. */
import type { Context } from "hono";
import { MAX_WATCHERS } from "../pages/limits.ts";
import { eventStream, HTML, PageServer, SCRIPT, STYLE } from "../pages/server.ts";
import type { Feed } from "./feed.ts";
import type { Greeting, PageCommand } from "./protocol.ts";
import { type CommandScope, readCommand } from "./read-command.ts";

export interface DashboardParts {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly token: string;
  readonly feed: Feed;
  readonly scenarios: Greeting["scenarios"];
  scope(): CommandScope;
  /** @throws Error, in words for people, when it cannot be done. */
  obey(command: PageCommand): Promise<void>;
}

const FILES = {
  "/": ["lab.html", HTML],
  "/playground.html": ["index.html", HTML],
  "/page.js": ["page.js", SCRIPT],
  "/page.css": ["page.css", STYLE],
} as const;
/** News are gathered for so long, so that a burst is one message. */
const GATHER_MS = 40;

/** The server once it listens. */
export class Dashboard {
  readonly #feed: Feed;
  readonly #server: PageServer;

  private constructor(feed: Feed, server: PageServer) {
    this.#feed = feed;
    this.#server = server;
  }

  /** @throws Error with `code` if the address cannot be had. */
  static async open(parts: DashboardParts): Promise<Dashboard> {
    const { host, port, token, feed } = parts;
    const server = await PageServer.open({
      host,
      port,
      token,
      files: FILES,
      events: (context) => events(context, parts),
      obey: async (value) => {
        const wanted = readCommand(value, parts.scope());
        if (typeof wanted === "string") return wanted;
        await parts.obey(wanted);
        return undefined;
      },
    });
    return new Dashboard(feed, server);
  }

  /** `http://HOST:PORT/`. */
  get address(): string {
    return this.#server.address;
  }

  /** With the token behind the #, where no server and no log sees it. */
  get invitation(): string {
    return this.#server.invitation;
  }

  close(): void {
    this.#feed.close();
    this.#server.close();
  }
}

function events(context: Context, { feed, scenarios }: DashboardParts): Response {
  if (feed.watching >= MAX_WATCHERS) return context.json({ error: "too many pages" }, 503);
  const greeting: Greeting = { scenarios, guarded: true };
  return eventStream(context, async (stream) => {
    const watcher = feed.watch();
    stream.onAbort(() => watcher.close());
    await stream.writeSSE({ event: "greeting", data: JSON.stringify(greeting) });
    while (!watcher.closed) {
      for (const { kind, data } of await watcher.news()) {
        await stream.writeSSE({ event: kind, data: JSON.stringify(data) });
      }
      await stream.sleep(GATHER_MS);
    }
  });
}
