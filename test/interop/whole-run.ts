/**
 * All of test/interop under one capture of the loopback interface, which Wireshark's dissectors judge when it is over:
 * `npm run interop`. Nothing else should speak on loopback meanwhile. Exit 1 if a test failed or a packet is wrong.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Capture } from "../support/capture.ts";
import { Household, KEY_LOG } from "../support/processes.ts";

const household = await Household.open(60);
try {
  const capture = await Capture.start(household, "127.0.0.0/8");
  const files = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(import.meta.dirname, name));
  const options = ["--test", "--test-concurrency=2", "--test-reporter=spec"];
  const tests = spawn(process.execPath, [...options, ...files], {
    stdio: "inherit",
    env: { ...process.env, [KEY_LOG]: household.keyLog, DIALTONE_PEERS: "required" },
  });
  const [status] = await once(tests, "exit");
  const { faults, ...counts } = await capture.dissect();
  console.log(`packets seen: ${JSON.stringify(counts)}; wrong: ${faults.length}`);
  for (const fault of faults) console.log(fault);
  process.exitCode = status === 0 && faults.length === 0 && counts.sip > 0 ? 0 : 1;
} finally {
  await household.close();
}
