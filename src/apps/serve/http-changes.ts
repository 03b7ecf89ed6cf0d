/**
 * What can be changed over HTTP by whoever has the token: registrations are taken back, with word to the phones what to
 * do about it (RFC 3680), and messages are said to wait (RFC 3842).
 */
import type { Context, Hono } from "hono";
import { decodeBindings, isLive } from "../../core/server/binding.ts";
import { nameOfKey } from "../../core/server/domains.ts";
import { type Messages, MOST_MESSAGES } from "../../core/server/message-summary.ts";
import type { Recall, Removal } from "../../core/server/register-desk.ts";
import type { Store } from "../../worlds/node/stores/store.ts";
import { isBearer } from "../bearer.ts";

export interface HttpChanges {
  /** Removes all bindings of a user. */
  remove(user: string, recall: Recall): Promise<Removal>;
  /** False: this server knows of no messages, or its store is not there. */
  setMessages(user: string, messages: Messages): Promise<boolean>;
}

const EVENTS: readonly string[] = ["deactivated", "probation", "rejected"];

/** Seconds that may be asked for at most: a day. */
const LONGEST_WAIT = 86_400;

const NO_STORE = "the store cannot be written now: what was not removed stands";

export function addChanges(
  app: Hono,
  store: Store,
  token: string | undefined,
  changes: HttpChanges,
): void {
  const guarded = (change: (context: Context) => Promise<Response>) => (context: Context) =>
    refusal(context, token) ?? change(context);
  app.delete(
    "/registrations/:user",
    guarded(async (context) => {
      const recall = recallOf(context, 0);
      if (recall === undefined) return context.json({ error: WRONG_RECALL }, 400);
      const outcome = await changes.remove(context.req.param("user") ?? "", recall);
      if (outcome === "unavailable") return context.json({ error: NO_STORE }, 503);
      return outcome === "removed"
        ? context.body(null, 204)
        : context.json({ error: "no such binding" }, 404);
    }),
  );
  app.delete(
    "/registrations",
    guarded(async (context) => {
      const spread = numberOf(context, "spread", 0, LONGEST_WAIT);
      if (spread === undefined || recallOf(context, 0) === undefined) {
        return context.json({ error: WRONG_RECALL }, 400);
      }
      let removed = 0;
      let left = 0;
      for (const [index, user, count] of await registered(store)) {
        // Each comes back at a time of its own, the first soonest.
        const recall = recallOf(context, Math.round((index * spread) / count)) as Recall;
        const outcome = await changes.remove(user, recall);
        if (outcome === "removed") removed += 1;
        else if (outcome === "unavailable") left += 1;
      }
      return left === 0
        ? context.json({ removed })
        : context.json({ removed, left, error: NO_STORE }, 503);
    }),
  );
  app.put(
    "/messages/:user",
    guarded(async (context) => {
      const fresh = numberOf(context, "new", undefined, MOST_MESSAGES);
      const old = numberOf(context, "old", 0, MOST_MESSAGES);
      if (fresh === undefined || old === undefined) {
        return context.json({ error: "write ?new=N&old=N" }, 400);
      }
      const kept = await changes.setMessages(context.req.param("user") ?? "", { new: fresh, old });
      return kept ? context.body(null, 204) : context.json({ error: "cannot be kept here" }, 503);
    }),
  );
}

const WRONG_RECALL =
  "event is deactivated, probation or rejected; retry-after and spread are seconds, up to 86400";

/** Undefined: go on. */
function refusal(context: Context, token: string | undefined): Response | undefined {
  if (token === undefined) {
    return context.json({ error: "changes are off: start the server with DIALTONE_TOKEN" }, 403);
  }
  if (isBearer(context.req.header("authorization"), token)) return undefined;
  context.header("www-authenticate", "Bearer");
  return context.json({ error: "the token is missing or wrong" }, 401);
}

/** @param later seconds added to the time of return. */
function recallOf(context: Context, later: number): Recall | undefined {
  const event = context.req.query("event") ?? "deactivated";
  const wait = numberOf(context, "retry-after", 0, LONGEST_WAIT);
  if (!EVENTS.includes(event) || wait === undefined) return undefined;
  const known = event as Recall["event"];
  return known === "probation"
    ? { event: known, retryAfterSeconds: wait + later }
    : { event: known };
}

function numberOf(
  context: Context,
  name: string,
  otherwise: number | undefined,
  most: number,
): number | undefined {
  const text = context.req.query(name);
  if (text === undefined) return otherwise;
  return /^\d{1,9}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/** Everybody with a live binding: his place in the row, his name, and how long the row is. */
async function registered(store: Store): Promise<[index: number, user: string, count: number][]> {
  const present = store.epochSeconds();
  const users: string[] = [];
  for await (const { key, value } of store.scan("aor/")) {
    if (!decodeBindings(value, present).some(isLive)) continue;
    const name = nameOfKey(key);
    users.push(name.slice(0, name.lastIndexOf("@")));
  }
  return users.map((user, index) => [index, user, users.length]);
}
