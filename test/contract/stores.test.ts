/** What every store promises, asked of each of them; then what only some can promise. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import type { TraceEvent } from "../../src/core/vocabulary.ts";
import { LmdbStore } from "../../src/worlds/node/stores/lmdb-store.ts";
import { BadStoreName, openStore } from "../../src/worlds/node/stores/open-store.ts";
import type { Store, StoredEntry } from "../../src/worlds/node/stores/store.ts";
import { needs } from "../support/peers.ts";
import {
  increment,
  RedisServer,
  read,
  storeChild,
  temporaryFolder,
  write,
  written,
} from "../support/stores.ts";

const NOTHING = { kind: "stored", value: undefined, version: 0 };

const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));

interface Place {
  /** What the operator writes. */
  readonly name: string;
  readonly end: () => Promise<void>;
}

async function clusterPlace(): Promise<Place> {
  const announced = ["--cluster-announce-ip", "127.0.0.1"];
  const server = await RedisServer.start(() => ["--cluster-enabled", "yes", ...announced]);
  const { Redis } = await import("ioredis");
  const redis = new Redis(server.port, "127.0.0.1");
  await redis.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
  while (!(await redis.cluster("INFO")).includes("cluster_state:ok"));
  redis.disconnect();
  return { name: `redis://127.0.0.1:${server.port}`, end: () => server.end() };
}

const places: Record<string, { options: { skip?: string }; make: () => Promise<Place> }> = {
  memory: { options: {}, make: async () => ({ name: "memory", end: async () => undefined }) },
  lmdb: {
    options: {},
    make: async () => {
      const folder = temporaryFolder();
      return { name: join(folder.path, "new.folder"), end: async () => folder.remove() };
    },
  },
  redis: {
    options: needs("redis-server"),
    make: async () => {
      const server = await RedisServer.start();
      return { name: `redis://127.0.0.1:${server.port}`, end: () => server.end() };
    },
  },
  "redis cluster": { options: needs("redis-server"), make: clusterPlace },
};

for (const [kind, { options, make }] of Object.entries(places)) {
  describe(kind, options, () => {
    let place: Place;
    let store: Store;

    before(async () => {
      place = await make();
      store = await openStore(place.name);
    });

    after(async () => {
      await store.close();
      await place.end();
    });

    test("what was never written is nothing, version 0", async () => {
      deepEqual(await read(store, "aor/nobody"), NOTHING);
    });

    test("what was written is read, and each write raises the version", async () => {
      const first = await written(store, "aor/a", "one", 0);
      ok(first >= 1);
      deepEqual(await read(store, "aor/a"), { kind: "stored", value: "one", version: first });
      const second = await written(store, "aor/a", "two", first);
      ok(second > first);
      deepEqual(await read(store, "aor/a"), { kind: "stored", value: "two", version: second });
    });

    test("a write that expects another version is a conflict and changes nothing", async () => {
      const version = await written(store, "aor/b", "kept", 0);
      for (const wrong of [0, version - 1, version + 1]) {
        deepEqual(await write(store, "aor/b", "lost", wrong), { kind: "conflict" });
        deepEqual(await write(store, "aor/b", undefined, wrong), { kind: "conflict" });
      }
      deepEqual(await write(store, "aor/never", "lost", 7), { kind: "conflict" });
      deepEqual(await write(store, "aor/never", undefined, 7), { kind: "conflict" });
      deepEqual(await read(store, "aor/b"), { kind: "stored", value: "kept", version });
      deepEqual(await read(store, "aor/never"), NOTHING);
    });

    test("a removal leaves nothing, and no version comes twice", async () => {
      const first = await written(store, "aor/c", "one", 0);
      deepEqual(await write(store, "aor/c", undefined, first), { kind: "written", version: 0 });
      deepEqual(await read(store, "aor/c"), NOTHING);
      deepEqual(await write(store, "aor/c", undefined, 0), { kind: "written", version: 0 });
      const second = await written(store, "aor/c", "two", 0);
      ok(second > first);
      deepEqual(await write(store, "aor/c", "stale", first), { kind: "conflict" });
    });

    test("what has expired is nothing, and is written anew as such", async () => {
      const past = Math.floor(Date.now() / 1000) - 10;
      await written(store, "old/d", "over", 0, past);
      deepEqual(await read(store, "old/d"), NOTHING);
      deepEqual(await all(store, "old/"), []);
      deepEqual(await write(store, "old/d", undefined, 0), { kind: "written", version: 0 });
      const version = await written(store, "old/d", "new", 0, Number.MAX_SAFE_INTEGER);
      deepEqual(await read(store, "old/d"), { kind: "stored", value: "new", version });
    });

    test("every latin1 byte survives, in values and in keys, and so does the empty value", async () => {
      const key = `aor/${everyByte.slice(1)}`;
      const version = await written(store, key, everyByte, 0);
      deepEqual(await read(store, key), { kind: "stored", value: everyByte, version });
      const emptied = await written(store, key, "", version);
      deepEqual(await read(store, key), { kind: "stored", value: "", version: emptied });
    });

    test("a value of 100 kB is kept", async () => {
      const value = everyByte.repeat(400);
      const version = await written(store, "aor/large", value, 0);
      deepEqual(await read(store, "aor/large"), { kind: "stored", value, version });
    });

    test("a scan finds exactly the keys with its prefix, however many", async () => {
      const many = Array.from({ length: 1000 }, (_, index) => `scan/*[${index}]?`);
      await Promise.all(many.map((key) => written(store, key, `value of ${key}`, 0)));
      await Promise.all(["scan", "scan0", "Scan/x"].map((key) => written(store, key, "x", 0)));
      const found = await all(store, "scan/");
      deepEqual(found.map(({ key }) => key).sort(), many.toSorted());
      ok(found.every(({ key, value, version }) => value === `value of ${key}` && version > 0));
      equal((await all(store, "scan/*[99")).length, 11);
    });

    test("of many writers that expect the same version exactly one wins", async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => write(store, "aor/race", String(index), 0)),
      );
      equal(answers.filter(({ kind }) => kind === "written").length, 1);
      equal(answers.filter(({ kind }) => kind === "conflict").length, 49);
    });

    if (kind !== "memory") {
      test("three processes that count by compare-and-set lose no count", async () => {
        const children = [0, 1].map(() => storeChild(place.name, "increment", "count/a"));
        const exits = children.map((child) => once(child, "exit"));
        for (let count = 0; count < 100; count += 1) await increment(store, "count/a");
        deepEqual((await Promise.all(exits)).flat(), [0, null, 0, null]);
        const found = await read(store, "count/a");
        equal(found.kind === "stored" && found.value, "300");
      });
    }

    test("a closed store is answered for as unavailable", async () => {
      const other = kind === "memory" ? store : await openStore(place.name);
      await other.close();
      equal((await read(other, "aor/a")).kind, "unavailable");
      equal((await write(other, "aor/a", "x", 0)).kind, "unavailable");
    });
  });
}

for (const kind of ["memory", "lmdb"] as const) {
  test(`entries run out by the clock that the store was given (${kind})`, async (t) => {
    const { name, end } = await (places[kind] as (typeof places)[string]).make();
    t.after(end);
    let present = Date.now() / 1000 - 3_600;
    const store = await openStore(name, undefined, () => present);
    t.after(() => store.close());
    const version = await written(store, "aor/a", "one", 0, present + 600);
    deepEqual(await read(store, "aor/a"), { kind: "stored", value: "one", version });
    present += 601;
    deepEqual(await read(store, "aor/a"), NOTHING);
    deepEqual(await all(store, "aor/"), []);
  });
}

test("kill -9 right after the acknowledgement loses nothing, a hundred times (lmdb)", async () => {
  const acknowledged = await Promise.all([killed(50), killed(50)]);
  ok(Math.min(...acknowledged) > 1000, `${acknowledged.join(" and ")} acknowledged`);
});

test("a folder whose other process is frozen in the midst of a write is unavailable in time (lmdb)", async () => {
  const folder = temporaryFolder();
  const store = new LmdbStore(folder.path);
  await written(store, "aor/a", "one", 0);
  const child = storeChild(folder.path, "hold", "");
  await once(child.stdout ?? child, "data");
  const began = performance.now();
  equal((await write(store, "aor/b", "lost", 0)).kind, "unavailable");
  ok(performance.now() - began < 5_000);
  equal((await read(store, "aor/a")).kind, "stored");
  child.kill("SIGKILL");
  await once(child, "exit");
  await written(store, "aor/c", "two", 0);
  deepEqual(await read(store, "aor/b"), NOTHING);
  await store.close();
  folder.remove();
});

test(
  "a Redis that dies is unavailable at once, and used again when it is back",
  needs("redis-server"),
  async () => {
    const server = await RedisServer.start();
    const events: TraceEvent[] = [];
    let restored = (): void => undefined;
    const back = new Promise<void>((resolve) => {
      restored = resolve;
    });
    const store = await openStore(`redis://127.0.0.1:${server.port}`, (event) => {
      events.push(event);
      if (event.event === "store.restored") restored();
    });
    await written(store, "aor/a", "one", 0);
    await server.kill();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const began = performance.now();
      equal((await write(store, "aor/a", "two", 0)).kind, "unavailable");
      ok(performance.now() - began < 1000);
    }
    await server.begin();
    await back;
    await written(store, "aor/a", "three", 0);
    deepEqual(
      events.map(({ event }) => event),
      ["store.lost", "store.restored"],
    );
    await store.close();
    await server.end();
  },
);

test(
  "who shares a Redis goes by its clock, however wrong his own is",
  needs("redis-server"),
  async () => {
    const server = await RedisServer.start();
    const place = `redis://127.0.0.1:${server.port}`;
    const early = await openStore(place, undefined, () => Date.now() / 1000 - 300);
    const late = await openStore(place, undefined, () => Date.now() / 1000 + 300);
    for (const store of [early, late]) {
      ok(Math.abs(store.epochSeconds() - Date.now() / 1000) < 5, `${store.epochSeconds()}`);
    }
    await written(early, "aor/a", "one", 0, early.epochSeconds() + 60);
    const found = await read(late, "aor/a");
    equal(found.kind === "stored" ? found.value : undefined, "one");
    await early.close();
    await late.close();
    await server.end();
  },
);

test("a Redis that is frozen is unavailable in time", needs("redis-server"), async () => {
  const server = await RedisServer.start();
  const store = await openStore(`redis://127.0.0.1:${server.port}`);
  await written(store, "aor/a", "one", 0);
  server.signal("SIGSTOP");
  const began = performance.now();
  const answers = await Promise.all([read(store, "aor/a"), write(store, "aor/b", "x", 0)]);
  deepEqual(
    answers.map(({ kind }) => kind),
    ["unavailable", "unavailable"],
  );
  ok(performance.now() - began < 4000);
  server.signal("SIGCONT");
  await store.close();
  await server.end();
});

test("rediss:// speaks TLS and checks the certificate", needs("redis-server"), async () => {
  const folder = join(import.meta.dirname, "..", "..", "..", "test", "node", "certificates");
  const authority = join(folder, "authority.pem");
  const server = await RedisServer.start((port) => [
    ...["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"],
    ...[
      "--tls-cert-file",
      join(folder, "server.pem"),
      "--tls-key-file",
      join(folder, "server.key"),
    ],
    ...["--tls-ca-cert-file", authority],
  ]);
  const name = `rediss://127.0.0.1:${server.port}`;
  await rejects(openStore(name), /cannot be reached: .*certificate/);
  const child = storeChild(name, "increment", "count/tls", { NODE_EXTRA_CA_CERTS: authority });
  deepEqual(await once(child, "exit"), [0, null]);
  await server.end();
});

test("a cluster that cannot serve is refused in time", needs("redis-server"), async () => {
  const server = await RedisServer.start(() => ["--cluster-enabled", "yes"]);
  await rejects(openStore(`redis://127.0.0.1:${server.port}`), /cannot be reached/);
  await server.end();
});

test("a store that cannot be had is refused with the reason and without the password", async () => {
  await rejects(openStore("redis://user:secret@127.0.0.1:1"), (error: Error) => {
    ok(
      /redis:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/.test(error.message),
      error.message,
    );
    ok(!error.message.includes("secret"));
    return true;
  });
  await rejects(
    openStore("/proc/nowhere/store"),
    /the store folder \/proc\/nowhere\/store cannot be opened/,
  );
});

test("a name that is no store says what to write instead, and makes no folder", async () => {
  for (const name of [
    "",
    "Memory",
    "redis",
    "localhost:6379",
    "localhost:6379/0",
    "[::1]:6379",
    "redis:",
    "redis:localhost",
    "redis:/localhost",
    "redis:user:secret@localhost",
    "rediss-cluster:",
    "valkey:",
    "lmdb:folder",
    "file:folder",
    "memory:",
    "mysql://127.0.0.1/db",
    "redis://",
    "redis://:secret@host:99999",
    "redis://a:1,b:2/3",
  ]) {
    await rejects(openStore(name), (error: Error) => {
      ok(error instanceof BadStoreName);
      ok(error.message.includes("write memory, a folder, or redis://"));
      ok(!error.message.includes("secret"));
      return true;
    });
    ok(name === "" || !existsSync(name));
  }
});

/** Kills a writing process again and again, and compares what it was told with what is there. */
async function killed(rounds: number): Promise<number> {
  const folder = temporaryFolder();
  let acknowledged = 0;
  for (let round = 0; round < rounds; round += 1) {
    const child = storeChild(folder.path, "fill", `round${round}`);
    const last = new Map<string, number>();
    const enough = 3 + ((round * 7) % 60);
    const lines = createInterface({ input: child.stdout ?? process.stdin });
    lines.on("line", (line) => {
      const [key = "", version = "0"] = line.split(" ");
      last.set(key, Number(version));
      acknowledged += 1;
      if (last.size >= enough) child.kill("SIGKILL");
    });
    await Promise.all([once(child, "exit"), once(lines, "close")]);
    const store = new LmdbStore(folder.path);
    for (const [key, version] of last) {
      const found = await read(store, key);
      ok(found.kind === "stored" && found.version >= version, `${key} ${version}`);
    }
    await store.close();
  }
  folder.remove();
  return acknowledged;
}

async function all(store: Store, prefix: string): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for await (const entry of store.scan(prefix)) entries.push(entry);
  return entries;
}
