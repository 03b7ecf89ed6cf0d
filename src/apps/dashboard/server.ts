/**
 * The page over HTTP: its files, what happens as server-sent events (WHATWG HTML §9.2), and commands. guard.ts says
 * who is let in. Everything that a page needs comes from here: the browser is told to load nothing from elsewhere.
 */
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { streamSSE } from "hono/streaming";
import { isBearer } from "../bearer.ts";
import type { Feed } from "./feed.ts";
import { strangerIn } from "./guard.ts";
import { MAX_COMMAND_BYTES, MAX_WATCHERS } from "./limits.ts";
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

/** What `scripts/page.mjs` makes. */
const FOLDER = join(import.meta.dirname, "..", "..", "..", "page");
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["lab.html", "text/html; charset=utf-8"],
  "/playground.html": ["index.html", "text/html; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
};
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
/** News are gathered for so long, so that a burst is one message. */
const GATHER_MS = 40;
/** A comment after so much silence tells a proxy, and us, that the line stands. */
const PULSE_MS = 15_000;

/** The server once it listens. */
export class Dashboard {
  readonly #parts: DashboardParts;
  readonly #server: Server;

  private constructor(parts: DashboardParts, server: Server) {
    this.#parts = parts;
    this.#server = server;
  }

  /** @throws Error with `code` if the address cannot be had. */
  static async open(parts: DashboardParts): Promise<Dashboard> {
    const port = { value: parts.port };
    const app = application(parts, () => port.value);
    const server = await new Promise<Server>((resolve, reject) => {
      const { host: hostname } = parts;
      const listening = serve({ fetch: app.fetch, hostname, port: parts.port }, (info) => {
        port.value = info.port;
        resolve(listening);
      }) as Server;
      listening.once("error", reject);
    });
    return new Dashboard(parts, server);
  }

  /** `http://HOST:PORT/`. */
  get address(): string {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const { host } = this.#parts;
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  }

  /** With the token behind the #, where no server and no log sees it. */
  get invitation(): string {
    return `${this.address}#${this.#parts.token}`;
  }

  close(): void {
    this.#parts.feed.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function application(parts: DashboardParts, port: () => number): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const { host, origin } = context.req.header();
    const why = strangerIn(host, origin, port(), parts.host);
    if (why !== undefined) return context.json({ error: why }, 403);
    context.header("content-security-policy", POLICY);
    context.header("x-content-type-options", "nosniff");
    context.header("referrer-policy", "no-referrer");
    context.header("cross-origin-resource-policy", "same-origin");
    context.header("cache-control", "no-store");
    return await next();
  });
  for (const [path, [file, type]] of Object.entries(FILES)) {
    app.get(path, (context) => sendFile(context, file, type));
  }
  app.get("/events", (context) => events(context, parts));
  app.post(
    "/command",
    bodyLimit({
      maxSize: MAX_COMMAND_BYTES,
      onError: (context) => context.json({ error: "the command is too long" }, 413),
    }),
    (context) => command(context, parts),
  );
  return app;
}

async function sendFile(context: Context, file: string, type: string): Promise<Response> {
  try {
    const bytes = await readFile(join(FOLDER, file));
    context.header("content-type", type);
    return context.body(bytes);
  } catch {
    // Only a checkout that was compiled by hand has none.
    return context.text("The page is not built: `npm run build` makes it.\n", 503);
  }
}

function events(context: Context, { feed, scenarios }: DashboardParts): Response {
  if (feed.watching >= MAX_WATCHERS) return context.json({ error: "too many pages" }, 503);
  const greeting: Greeting = { scenarios, guarded: true };
  return streamSSE(context, async (stream) => {
    const watcher = feed.watch();
    stream.onAbort(() => watcher.close());
    const pulse = setInterval(() => void stream.write(":\n\n"), PULSE_MS);
    await stream.writeSSE({ event: "greeting", data: JSON.stringify(greeting) });
    while (!watcher.closed) {
      for (const { kind, data } of await watcher.news()) {
        await stream.writeSSE({ event: kind, data: JSON.stringify(data) });
      }
      await stream.sleep(GATHER_MS);
    }
    clearInterval(pulse);
  });
}

async function command(context: Context, parts: DashboardParts): Promise<Response> {
  if (!isBearer(context.req.header("authorization"), parts.token)) {
    context.header("www-authenticate", "Bearer");
    return context.json({ error: "the token is missing or wrong" }, 401);
  }
  if (!/^application\/json\b/.test(context.req.header("content-type") ?? "")) {
    return context.json({ error: "send application/json" }, 415);
  }
  const value: unknown = await context.req.json().catch(() => undefined);
  const wanted = readCommand(value, parts.scope());
  if (typeof wanted === "string") return context.json({ error: wanted }, 400);
  try {
    await parts.obey(wanted);
  } catch (error) {
    return context.json({ error: error instanceof Error ? error.message : String(error) }, 409);
  }
  return context.json({ done: true });
}
