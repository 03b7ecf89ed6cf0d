/** Blocks of loopback addresses: each lab has one of its own. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { Blocks } from "../../src/apps/lab/block.ts";
import { StageFault } from "../../src/apps/scenario/stage.ts";

/** Nobody else's tests are here. */
const FIRST = 210;

test("labs whose servers are still being started have different blocks; what one gives back another has", async () => {
  const taken: Awaited<ReturnType<Blocks["take"]>>[] = [];
  for (let lab = 0; lab < 4; lab += 1) {
    // Of its own, as if it were in another process: they know nothing of each other.
    taken.push(await new Blocks(FIRST).take(undefined, ["primary"]));
  }
  const names = taken.map(({ block }) => block.name);
  assert.equal(new Set(names).size, names.length, names.join(" "));
  for (const { release } of taken) release();
  const { block, release } = await new Blocks(FIRST).take(undefined, ["primary"]);
  release();
  assert.ok(names.includes(block.name));
});

test("a block that another lab has is refused by name, one with a port taken is passed over", async () => {
  const first = await new Blocks().take(FIRST + 20, []);
  await assert.rejects(new Blocks().take(FIRST + 20, []), (error: Error) => {
    assert.ok(error instanceof StageFault);
    assert.match(error.message, /^another lab has 127\.0\..*: EADDRINUSE$/);
    return true;
  });
  const { address, port } = first.block.server("primary", 0);
  first.release();
  const squatter = createSocket("udp4").unref();
  squatter.bind(port, address);
  await once(squatter, "listening");
  const second = await new Blocks(FIRST + 20).take(undefined, ["primary"]);
  assert.notEqual(second.block.name, first.block.name);
  second.release();
  squatter.close();
});
