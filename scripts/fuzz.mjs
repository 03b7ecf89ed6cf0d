// The long fuzz run: `node scripts/fuzz.mjs [SLICES [MESSAGES [FIRST-SEED]]]`, by default 100 slices of 100,000
// messages from the seeds 1001 to 1100. Ends with status 1 at the first exception or leak, whose seed it names.
// Results: docs/limits.md.
import "./setup.mjs";
import { spawn } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const program = join(root, "dist", "test", "torture", "fuzz-program.js");
const run = spawn(process.execPath, ["--expose-gc", program, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => run.kill("SIGTERM"));
run.on("exit", (status) => process.exit(status ?? 1));
