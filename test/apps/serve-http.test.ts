/** The server's HTTP face: whoever asks for what cannot be is told so, also while the store is away. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { serveHttp } from "../../src/apps/serve/http.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";

/** Where the face of a server with this store is. */
async function faceOf(store: MemoryStore, t: TestContext): Promise<string> {
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
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("while the store is away lists and changes are answered 503, and nothing is said to be none", async (t) => {
  class Away extends MemoryStore {
    override scan(): never {
      throw new Error("the store is away");
    }
  }
  const base = await faceOf(new Away(), t);
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

test("a limit that is no number of entries is refused with 400, which says what one is", async (t) => {
  const base = await faceOf(new MemoryStore(), t);
  const headers = { connection: "close" };
  for (const list of ["registrations", "publications"]) {
    for (const limit of ["x", "", "0", "-1", "1.5", "1e3"]) {
      const answer = await fetch(`${base}/${list}?limit=${limit}`, { headers });
      assert.equal(answer.status, 400, limit);
      assert.deepEqual(await answer.json(), { error: "limit is a whole number, 1 to 10000" });
    }
    for (const limit of ["1", "99999"]) {
      const answer = await fetch(`${base}/${list}?limit=${limit}`, { headers });
      assert.deepEqual([answer.status, await answer.json()], [200, []]);
    }
  }
});
