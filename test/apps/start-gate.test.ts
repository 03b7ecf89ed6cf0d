/** How many processes of a lab start at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StartGate } from "../../src/apps/lab/start-gate.ts";

/** A start that is over when it is told so. */
function start(log: string[], name: string): { run: () => Promise<string>; over: () => void } {
  let over: () => void = () => undefined;
  const done = new Promise<void>((end) => {
    over = end;
  });
  const run = async (): Promise<string> => {
    log.push(name);
    await done;
    return name;
  };
  return { run, over };
}

test("no more start at a time than may, in turn, and what a play waits for goes first", async () => {
  const gate = new StartGate(2);
  const log: string[] = [];
  const starts = ["a", "b", "c", "d", "urgent"].map((name) => start(log, name));
  const ends = starts.map(({ run }, index) => gate.through(index === 4, run));
  assert.deepEqual(log, ["a", "b"]);
  starts[0]?.over();
  await ends[0];
  assert.deepEqual(log, ["a", "b", "urgent"]);
  for (const { over } of starts) over();
  assert.deepEqual(await Promise.all(ends), ["a", "b", "c", "d", "urgent"]);
  assert.deepEqual(log, ["a", "b", "urgent", "c", "d"]);
});

test("a start that fails lets the next one through", async () => {
  const gate = new StartGate(1);
  const failed = gate.through(false, () => Promise.reject(new Error("taken")));
  const next = gate.through(false, async () => "up");
  await assert.rejects(failed, /taken/);
  assert.equal(await next, "up");
  assert.equal(await gate.through(false, async () => "again"), "again");
});
