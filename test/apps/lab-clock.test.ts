/** The lab's clock, beside a system that sets its time of day meanwhile. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Child } from "../../src/apps/lab/child.ts";
import { wallClock } from "../../src/apps/lab/wall-clock.ts";

/** Answers each command as our processes do; `skew` of the command is how far its time of day was set. */
const PROCESS = `
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, skew } = JSON.parse(line);
    const at = performance.now();
    const time = new Date(Date.now() + skew).toISOString();
    console.log(JSON.stringify({ at, time, event: "command.obeyed", id }));
  });
`;

/** Two clocks that show whole milliseconds. */
const GIVE_MS = 2;

for (const [what, skew] of [
  ["back", -40],
  ["forward", 40],
] as const) {
  test(`a time of day that is set ${what} in the midst of a lab moves nothing`, async (t) => {
    const child = running(t);
    await obeys(child, 0);
    const day = Date.now.bind(Date);
    t.mock.method(Date, "now", () => day() + skew);
    for (let time = 0; time < 3; time += 1) await obeys(child, skew);
  });
}

/** What it answers lies between asking and hearing. */
async function obeys(child: Child, skew: number): Promise<void> {
  const asked = wallClock();
  const answer = await child.command({ do: "tell", skew });
  const heard = wallClock();
  const at = answer?.at ?? Number.NaN;
  assert.ok(at >= asked - GIVE_MS && at <= heard + GIVE_MS, `${at - asked} ms after it was asked`);
}

function running(t: TestContext): Child {
  const command = { program: process.execPath, args: ["-e", PROCESS] };
  const child = new Child("clock", command, { recorded: () => undefined, ended: () => undefined });
  t.after(() => child.kill());
  return child;
}
