/** `dialtone sim` as a command: the heap it gives itself, a trace that is the same twice, a page that stands alone. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const CLI = join(import.meta.dirname, "../../src/apps/cli.js");
const FLEET = ["sim", "--seed", "5", "--phones", "6", "--hours", "0.1"];

async function sim(node: readonly string[], ...flags: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...node, CLI, ...FLEET, ...flags],
    {
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return stdout;
}

test("seed and what was drawn come first, then progress, then the figures and what they cost", async () => {
  const lines = (await sim([])).trimEnd().split("\n");
  assert.equal(lines[0], "seed 5");
  assert.match(lines[1] ?? "", /^6 phones for 6\.0 min; .* expires/);
  const first = lines.findIndex((line) => line.includes("6 served, "));
  const figures = lines.findIndex((line) => /REGISTERs, peak \d+\/s, p99/.test(line));
  assert.ok(first > 1 && figures > first, lines.join("\n"));
  assert.ok(lines.some((line) => /50 % again after .* 99 % after .* 100 % after/.test(line)));
  assert.match(lines.at(-1) ?? "", /^\d+ protocol events in .* a second; at most .* GB of memory$/);
});

test("equal seeds give the same bytes of trace; a process with too small a heap runs in one that has it", async () => {
  const [small, usual] = await Promise.all([
    sim(["--max-old-space-size=64"], "--json", "--trace"),
    sim([], "--json", "--trace"),
  ]);
  // The last line tells what the run cost, which is never the same.
  const trace = (text: string): string => text.trimEnd().split("\n").slice(0, -1).join("\n");
  assert.ok(trace(usual).split("\n").length > 50);
  assert.equal(trace(small), trace(usual));
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} ends a process that runs in another one with more heap, and that one with it`, async () => {
    const long = ["sim", "--phones", "50", "--hours", "168"];
    const child = spawn(process.execPath, ["--max-old-space-size=64", CLI, ...long], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill(signal);
    child.stdout.resume();
    // Closed when nobody holds the pipe any more.
    const [code, by] = await once(child, "close");
    assert.deepEqual([code, by], [null, signal]);
  });
}

test("--report writes the figures and a page that needs nothing else", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-fleet-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  await sim([], "--report", folder);
  const page = readFileSync(join(folder, "index.html"), "utf8");
  assert.doesNotMatch(page, /<script|<link|src=|url\(|@import/);
  assert.equal(page.match(/<svg/g)?.length, 2, "who was served, and REGISTERs at each server");
  assert.match(page, /protocol events in/);
  const json = JSON.parse(readFileSync(join(folder, "fleet.json"), "utf8")) as {
    readonly events: number;
    readonly cost: { readonly peakBytes: number };
  };
  assert.ok(json.events > 100 && json.cost.peakBytes > 1e6);
});
