/**
 * A process of its own that opens a store. `increment` adds to one counter many times; `fill` writes entries without end
 * and prints each version that was acknowledged, until it is killed; `hold` stops in the midst of a write to a folder.
 */
import { writeSync } from "node:fs";
import { open } from "lmdb";
import { openStore } from "../../src/worlds/node/stores/open-store.ts";
import { increment, written } from "./stores.ts";

const INCREMENTS = 100;

const [, , name = "", task = "", key = ""] = process.argv;
if (task === "hold") {
  open({ path: name, noSubdir: false }).transactionSync(() => {
    writeSync(1, "held\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
const store = await openStore(name);

async function fill(lane: number): Promise<void> {
  for (let count = 0, version = 0; ; count += 1) {
    // Every second write is the second version of an entry.
    const entry = `${key}/${lane}/${count >> 1}`;
    version = await written(store, entry, `value ${count}`, count % 2 === 0 ? 0 : version);
    writeSync(1, `${entry} ${version}\n`);
  }
}

if (task === "increment") {
  for (let count = 0; count < INCREMENTS; count += 1) await increment(store, key);
  await store.close();
} else {
  await Promise.all([fill(0), fill(1), fill(2)]);
}
