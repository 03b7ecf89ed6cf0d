/** The server's HTTP face: health, metrics, registrations to read, and changes for whoever has the token. */
import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { bindingsIn } from "../../api/bindings.ts";
import { decodePublications, PUBLICATIONS_PREFIX } from "../../core/server/publications.ts";
import type { Store } from "../../worlds/node/stores/store.ts";
import type { HostPort } from "../flag-values.ts";
import { addChanges, type HttpChanges } from "./http-changes.ts";

export interface HttpParts {
  readonly store: Store;
  /** How often each event has been reported, by name. */
  readonly counts: ReadonlyMap<string, number>;
  /** Without it nothing can be changed. */
  readonly token: string | undefined;
  /** One word: `running`, `stopping` and so on. */
  state(): string;
  readonly changes: HttpChanges;
}

/** Addresses-of-record in one answer, unless fewer are asked for. */
const MAX_LISTED = 10_000;

/** @throws Error if the address cannot be had. */
export async function serveHttp(place: HostPort, parts: HttpParts): Promise<Server> {
  const app = application(parts);
  return await new Promise((resolve, reject) => {
    const { host: hostname, port } = place;
    const server = serve({ fetch: app.fetch, hostname, port }, () => resolve(server)) as Server;
    server.once("error", reject);
  });
}

function application(parts: HttpParts): Hono {
  const registry = metricsOf(parts);
  const app = new Hono();
  app.get("/health", (context) => {
    const state = parts.state();
    return context.json({ state }, state === "running" ? 200 : 503);
  });
  app.get("/metrics", async (context) => {
    context.header("content-type", registry.contentType);
    return context.body(await registry.metrics());
  });
  app.get("/registrations", async (context) => {
    const limit = limitOf(context);
    if (limit === undefined) return context.json({ error: WRONG_LIMIT }, 400);
    return context.json(await listRegistrations(parts.store, limit));
  });
  app.get("/publications", async (context) => {
    const limit = limitOf(context);
    if (limit === undefined) return context.json({ error: WRONG_LIMIT }, 400);
    return context.json(await listPublications(parts.store, limit));
  });
  addChanges(app, parts.store, parts.token, parts.changes);
  // Nothing here fails but what asks the store.
  app.onError((error, context) => context.json({ error: error.message }, 503));
  return app;
}

const WRONG_LIMIT = `limit is a whole number, 1 to ${MAX_LISTED}`;

/** Undefined: what was asked for is none. */
function limitOf(context: Context): number | undefined {
  const text = context.req.query("limit") ?? String(MAX_LISTED);
  const asked = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return asked > 0 ? Math.min(asked, MAX_LISTED) : undefined;
}

async function listRegistrations(store: Store, limit: number): Promise<unknown[]> {
  const listed: unknown[] = [];
  for await (const entry of bindingsIn(store)) {
    listed.push(entry);
    if (listed.length >= limit) break;
  }
  return listed;
}

/** Without the entity-tags, by which they could be changed. */
async function listPublications(store: Store, limit: number): Promise<unknown[]> {
  const listed: unknown[] = [];
  const present = store.epochSeconds();
  for await (const { key, value } of store.scan(PUBLICATIONS_PREFIX)) {
    const live = decodePublications(value).filter(({ expires }) => expires > present);
    if (live.length === 0) continue;
    const publications = live.map(({ expires, document }) => ({ expires, ...document }));
    listed.push({ aor: key.slice(PUBLICATIONS_PREFIX.length), publications });
    if (listed.length >= limit) break;
  }
  return listed;
}

function metricsOf(parts: HttpParts): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Counter({
    name: "dialtone_events_total",
    help: "Events by name: bindings, calls, refusals",
    labelNames: ["event"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [event, count] of parts.counts) this.inc({ event }, count);
    },
  });
  new Gauge({
    name: "dialtone_running",
    help: "1 while requests are taken",
    registers: [registry],
    collect() {
      this.set(parts.state() === "running" ? 1 : 0);
    },
  });
  return registry;
}
