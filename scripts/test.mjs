// Runs the emitted tests with Node's own runner. `npm test -- PART` keeps the files whose path contains PART;
// `npm test -- PART --only "claim"` keeps the tests whose name matches.
import "./setup.mjs";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const args = process.argv.slice(2);
const only = args.indexOf("--only");
const pattern = only < 0 ? [] : ["--test-name-pattern", args.splice(only, 2)[1] ?? ""];

const files = readdirSync(join(root, "dist", "test"), { recursive: true })
  .map((name) => join("dist", "test", String(name)))
  .filter((name) => name.endsWith(".test.js"))
  .filter((name) => args.length === 0 || args.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${args.join(" ")}`);
  process.exit(2);
}
const runner = spawn(
  process.execPath,
  [
    "--test",
    "--test-concurrency=2",
    // Of a whole file, against one that hangs: real clocks take a minute and a half, on a starved machine five.
    "--test-timeout=600000",
    "--test-reporter=spec",
    ...pattern,
    ...files,
  ],
  { cwd: root, stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => runner.kill("SIGTERM"));
}
runner.on("exit", (status) => process.exit(status ?? 1));
