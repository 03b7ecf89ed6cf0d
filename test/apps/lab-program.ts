/**
 * Stands in for `cli.js` where the lab's handling of processes is tested and what they say is not: it starts, says
 * so, and ends when it is told to, or when its input ends. While it lives it holds a connection to LAB_WITNESS.
 */
import { writeSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const began = performance.now();
const { positionals, values } = parseArgs({ strict: false, allowPositionals: true });

function say(event: string, fields: Record<string, unknown> = {}): void {
  const line = {
    at: performance.now() - began,
    time: new Date().toISOString(),
    node: "self",
    event,
    ...fields,
  };
  writeSync(1, `${JSON.stringify(line)}\n`);
}

if (values.users !== undefined && process.env.LAB_PROGRAM === "refuse") {
  process.stderr.write("udp 127.0.0.13:5060 is taken\n");
  process.exit(3);
}
const { LAB_WITNESS } = process.env;
if (LAB_WITNESS !== undefined) connect(Number(LAB_WITNESS), "127.0.0.1").unref();
say(`${positionals[0] === "serve" ? "server" : "phone"}.started`, { pid: process.pid });
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ...command } = JSON.parse(line);
  say("command.obeyed", { do: command.do, id, line: JSON.stringify(command) });
  if (command.do === "call") say("call.started");
});
process.stdin.on("end", () => process.exit(0));
process.on("SIGTERM", () => {
  say("process.stopped");
  process.exit(0);
});
