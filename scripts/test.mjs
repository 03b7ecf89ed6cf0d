// Runs the emitted tests with Node's own runner. `npm test -- PART` keeps the files whose path contains PART;
// `npm test -- PART --only "claim"` keeps the tests whose name matches.
//
// Those on real sockets and with real processes mostly wait, those in virtual time mostly compute: they go side by
// side, the latter with a lower priority, so that nobody's clock suffers.
import "./setup.mjs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

const root = join(import.meta.dirname, "..");
const args = process.argv.slice(2);
const only = args.indexOf("--only");
const pattern = only < 0 ? [] : ["--test-name-pattern", args.splice(only, 2)[1] ?? ""];
/** Folders whose tests have nothing to do with the clock on the wall. */
const VIRTUAL = new Set(["core", "sim", "torture"]);

const files = readdirSync(join(root, "dist", "test"), { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.js"))
  .map((name) => ({
    path: join("dist", "test", name),
    virtual: VIRTUAL.has(name.split(/[/\\]/)[0]),
  }))
  .filter(({ path }) => args.length === 0 || args.some((part) => path.includes(part)))
  .sort((a, b) => (a.path < b.path ? -1 : 1));
if (files.length === 0) {
  console.error(`no test file matches ${args.join(" ")}`);
  process.exit(2);
}

const kept = mkdtempSync(join(tmpdir(), "dialtone-test-"));
process.on("exit", () => rmSync(kept, { recursive: true, force: true }));

/**
 * @param stdout of the runner: shown as it comes, or kept until the others are through.
 * @param failed the file that gets what failed.
 */
function lane(some, concurrency, stdout, failed) {
  return spawn(
    process.execPath,
    [
      "--test",
      `--test-concurrency=${concurrency}`,
      // Of a whole file, against one that hangs: real clocks take a minute and a half, on a starved machine five.
      "--test-timeout=600000",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      `--test-reporter=${new URL("failures.mjs", import.meta.url)}`,
      `--test-reporter-destination=${failed}`,
      ...pattern,
      ...some.map(({ path }) => path),
    ],
    { cwd: root, stdio: ["inherit", stdout, "inherit"] },
  );
}

const real = files.filter(({ virtual }) => !virtual);
const computed = files.filter(({ virtual }) => virtual);
const both = real.length > 0 && computed.length > 0;
const lanes = [];
const failed = [join(kept, "real"), join(kept, "computed")];
if (real.length > 0) lanes.push(lane(real, 2, "inherit", failed[0]));
if (computed.length > 0) lanes.push(lane(computed, 2, both ? "pipe" : "inherit", failed[1]));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const runner of lanes) runner.kill("SIGTERM");
  });
}
if (both) setPriority(lanes[1].pid, constants.priority.PRIORITY_BELOW_NORMAL);
const output = both ? buffer(lanes[1].stdout) : Buffer.of();
const ends = await Promise.all(lanes.map((runner) => once(runner, "exit")));
process.stdout.write(await output);
// The output of one lane ends thousands of lines above that of the other: what failed stands together, last of all.
const told = failed.map((file) => readFileSync(file, { encoding: "utf8", flag: "a+" })).join("");
if (told !== "") console.log(`\nfailed:\n${told}`);
process.exitCode = ends.every(([status]) => status === 0) ? 0 : 1;
