/** `dialtone bench` as people run it, short: that it measures, not what. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inTurn, ratios, spreadOf } from "../../src/apps/bench/figures.ts";
import { printed, records } from "../../src/apps/bench/report.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");
const SHORT = ["--runs", "1", "--count", "200", "--users", "64"];
const FLOOR = ["--peers", "floor"];
/** CPU time of other processes is told by Linux alone. */
const linux = existsSync("/proc/self/schedstat") ? {} : { skip: "no /proc/self/schedstat" };

async function bench(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [PROGRAM, "bench", ...args]);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

test("register and parse are measured, one JSON object a line", linux, async () => {
  const { code, out, err } = await bench(
    "register",
    "parse",
    "--json",
    "--over",
    "udp",
    "tcp",
    ...SHORT,
    ...FLOOR,
  );
  assert.equal(code, 0, err);
  const records = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const series = new Set(records.map(({ what }) => what));
  assert.equal(series.size, 7, [...series].join("; "));
  for (const { event, node, us, name, ratio } of records) {
    assert.deepEqual([event, node], ["bench.measured", "bench"]);
    assert(typeof us === "number" && us > 0);
    assert.equal(typeof ratio, name === "dialtone" ? "undefined" : "number");
  }
  assert(records.some(({ name }) => name === "JS floor"));
});

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`${signal} ends it with status ${status}: what is broken off is not measured`, async () => {
    const child = spawn(process.execPath, [PROGRAM, "bench", "parse", ...SHORT, "--runs", "9"]);
    let told = "";
    child.stderr.on("data", (chunk) => (told += chunk));
    child.stdout.once("data", () => child.kill(signal));
    child.stdout.resume();
    const [code] = await once(child, "close");
    assert.deepEqual([code, told], [status, ""]);
  });
}

test("the memory of a registered phone is measured in bytes", async () => {
  const { code, out, err } = await bench("memory", "--json", "--phones", "500");
  assert.equal(code, 0, err);
  const told = out.trim().split("\n");
  const [alone, served] = told.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([told.length, alone?.name, served?.name], [2, "dialtone", "dialtone"]);
  // What its servers know of a phone is on top of what it is itself.
  assert(Number(served?.bytes) > Number(alone?.bytes) && Number(alone?.bytes) > 0, out);
});

test("connections are held and their memory is measured", linux, async () => {
  const { code, out, err } = await bench("connections", "--json", "--held", "50");
  assert.equal(code, 0, err);
  const { bytes, what } = JSON.parse(out.split("\n")[0] ?? "") as Record<string, unknown>;
  assert.equal(what, "50 TCP connections, each with a registered phone");
  assert.equal(typeof bytes, "number");
});

test("a benchmark that does not exist is wrong input: exit 2, all faults at once", async () => {
  const { code, out, err } = await bench("register", "speed", "size");
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(
    err,
    /NAME: 'speed' is no benchmark, write register, parse, connections, memory, simulator, failover\n.*'size'/,
  );
});

test("a peer that is not here is wrong input: exit 2, with those that are", async () => {
  const { code, out, err } = await bench("register", "--peers", "FLOOR", "nosuch");
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^[^\n]*--peers: 'nosuch' is no peer that is here, write a part of JS floor/);
  assert.doesNotMatch(err, /FLOOR/);
  const idle = await bench("parse", "--peers", "floor");
  assert.equal(idle.code, 2);
  assert.match(idle.err, /--peers: means nothing without register or failover; leave it out/);
});

test("a figure is the median of the runs, with the least and the most", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4 });
});

test("ratios are of runs that stood side by side, and stand first in the report", () => {
  assert.deepEqual(ratios([10, 30], [5, 10]), [2, 3]);
  const text = printed({
    bench: "register",
    what: "REGISTER",
    ours: { name: "dialtone", runs: [10, 30] },
    others: [{ name: "floor", runs: [5, 10] }],
    notes: ["load: some"],
  });
  assert.match(
    text,
    /^register: REGISTER, CPU in µs per operation, 2 runs in turn\n {2}2\.50 \(2\.00–3\.00\) best 2\.00 /,
  );
});

test("of rates the greatest is the best", () => {
  const outcome = {
    ...{ bench: "simulator", what: "a fleet", notes: [] },
    unit: { key: "eventsPerSecond", words: "events a second", digits: 0, rises: true },
    ours: { name: "dialtone", runs: [200, 300] },
    others: [{ name: "messages", runs: [100, 100] }],
  };
  assert.match(printed(outcome), /^ {2}2\.50 \(2\.00–3\.00\) best 3\.00 +of messages +100$/m);
  assert.equal(records(outcome)[1]?.ratioBest, 3);
});

test("a fleet that is asked for is played instead of the three", async () => {
  const { code, out } = await bench("simulator", "--phones", "20", "--hours", "0.02", "--json");
  assert.equal(code, 0);
  const told = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(told.every(({ what }) => what === "a fleet of 20 phones for 0.02 h, seed 7"));
  const keys = told.filter(({ name }) => name === "dialtone").flatMap((one) => Object.keys(one));
  assert.ok(keys.includes("eventsPerSecond") && keys.includes("bytes"));
});

test("contenders take turns, and not always the same is first", async () => {
  const order: string[] = [];
  const figures = await inTurn(["a", "b"], 2, async (name) => order.push(name));
  assert.deepEqual(order, ["a", "b", "b", "a"]);
  assert.deepEqual(figures.get("a"), [1, 4]);
});
