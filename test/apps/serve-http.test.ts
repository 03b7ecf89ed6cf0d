/** The server's HTTP face while its store is away: whoever asks is told so. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { serveHttp } from "../../src/apps/serve/http.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";

test("while the store is away lists and changes are answered 503, and nothing is said to be none", async (t) => {
  class Away extends MemoryStore {
    override scan(): never {
      throw new Error("the store is away");
    }
  }
  const store = new Away();
  const place = { host: "127.0.0.1", port: 0 };
  const server = await serveHttp(place, {
    store,
    counts: new Map(),
    token: "t",
    state: () => "running",
    changes: { remove: async () => "unavailable", setMessages: async () => false },
  });
  t.after(async () => {
    server.close();
    await once(server, "close");
    await store.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const headers = { authorization: "Bearer t", connection: "close" };
  for (const [method, path] of [
    ["GET", "/registrations"],
    ["GET", "/publications"],
    ["DELETE", "/registrations"],
    ["DELETE", "/registrations/2001"],
    ["PUT", "/messages/2001?new=1"],
  ] as const) {
    const answer = await fetch(base + path, { method, headers });
    assert.equal(answer.status, 503, `${method} ${path}`);
    const { error } = (await answer.json()) as { error?: unknown };
    assert.equal(typeof error, "string");
  }
});
