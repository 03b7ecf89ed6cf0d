/**
 * Pages of ours over HTTP: their files, and commands from whoever shows the token. guard.ts says who is let in at all.
 * Everything that a page needs comes from here: the browser is told to load nothing from elsewhere.
 */
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { isBearer } from "../bearer.ts";
import { strangerIn } from "./guard.ts";
import { MAX_COMMAND_BYTES } from "./limits.ts";

export interface PageServerParts {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly token: string;
  /** What `scripts/page.mjs` makes, by path. */
  readonly files: Readonly<Record<string, PageFile>>;
  /** As server-sent events (WHATWG HTML §9.2). */
  events(context: Context): Response;
  /**
   * @param value what came as JSON; undefined if it was none.
   * @returns why it is no command.
   * @throws Error, in words for people, when it cannot be done.
   */
  obey(value: unknown): Promise<string | undefined>;
}

export type PageFile = readonly [file: string, type: string];

/** What pages of ours are sent as. */
export const HTML = "text/html; charset=utf-8";
export const SCRIPT = "text/javascript; charset=utf-8";
export const STYLE = "text/css; charset=utf-8";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "page");
/** A comment after so much silence tells a proxy, and us, that the line stands. */
const PULSE_MS = 15_000;
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

/** The server once it listens. */
export class PageServer {
  readonly #parts: PageServerParts;
  readonly #server: Server;

  private constructor(parts: PageServerParts, server: Server) {
    this.#parts = parts;
    this.#server = server;
  }

  /** @throws Error with `code` if the address cannot be had. */
  static async open(parts: PageServerParts): Promise<PageServer> {
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
    return new PageServer(parts, server);
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
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Server-sent events for as long as `tell` has some. */
export function eventStream(
  context: Context,
  tell: (stream: SSEStreamingApi) => Promise<void>,
): Response {
  return streamSSE(context, async (stream) => {
    const pulse = setInterval(() => void stream.write(":\n\n"), PULSE_MS);
    try {
      await tell(stream);
    } finally {
      clearInterval(pulse);
    }
  });
}

function application(parts: PageServerParts, port: () => number): Hono {
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
  for (const [path, file] of Object.entries(parts.files)) {
    app.get(path, (context) => sendFile(context, file));
  }
  app.get("/events", (context) => parts.events(context));
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

async function sendFile(context: Context, [file, type]: PageFile): Promise<Response> {
  try {
    const bytes = await readFile(join(FOLDER, file));
    context.header("content-type", type);
    return context.body(bytes);
  } catch {
    // Only a checkout that was compiled by hand has none.
    return context.text("The page is not built: `npm run build` makes it.\n", 503);
  }
}

async function command(context: Context, parts: PageServerParts): Promise<Response> {
  if (!isBearer(context.req.header("authorization"), parts.token)) {
    context.header("www-authenticate", "Bearer");
    return context.json({ error: "the token is missing or wrong" }, 401);
  }
  if (!/^application\/json\b/.test(context.req.header("content-type") ?? "")) {
    return context.json({ error: "send application/json" }, 415);
  }
  const value: unknown = await context.req.json().catch(() => undefined);
  try {
    const wrong = await parts.obey(value);
    if (wrong !== undefined) return context.json({ error: wrong }, 400);
  } catch (error) {
    return context.json({ error: error instanceof Error ? error.message : String(error) }, 409);
  }
  return context.json({ done: true });
}
