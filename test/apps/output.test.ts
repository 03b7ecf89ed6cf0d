/** What the commands do when their output cannot be written, or is read no more. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

const CLI = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

const SERVER = "127.0.57.1";

/** Each says at least one line on its standard output, soon after its start. */
const COMMANDS: readonly (readonly string[])[] = [
  ["--help"],
  ["serve", "--listen", `udp:${SERVER}:0`, "--domain", "example.com", "--open"],
  ["phone", "--bind", SERVER, "--port", "0", "--config"],
  ["sim", "--scenario", "register-fallback"],
  ["sim", "--phones", "10"],
];

describe("an output that fails", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "dialtone-output-"));
    const account = `{ user: "2001", servers: [{ address: ${SERVER} }, { address: 127.0.57.2 }] }`;
    writeFileSync(join(folder, "phone.yaml"), `accounts:\n  - ${account}\n`);
  });

  after(() => rmSync(folder, { recursive: true }));

  function start(args: readonly string[], stdout: number | "pipe"): ChildProcess {
    const whole = args.at(-1) === "--config" ? [...args, join(folder, "phone.yaml")] : args;
    return spawn(process.execPath, [CLI, ...whole], { stdio: ["ignore", stdout, "pipe"] });
  }

  for (const args of COMMANDS) {
    const name = args.join(" ");
    test(`${name}: a full disk is named, and the end is exit 3`, async () => {
      const full = openSync("/dev/full", "w");
      const child = start(args, full);
      closeSync(full);
      const told = textOf(child);
      const [code] = await once(child, "exit");
      assert.match(await told, /^the output cannot be written \(.*ENOSPC.*\); make room/m);
      assert.equal(code, 3);
    });

    test(`${name}: a reader that has seen enough ends it without a word`, async () => {
      const child = start(args, "pipe");
      child.stdout?.destroy();
      const told = textOf(child);
      const [code, signal] = await once(child, "exit");
      assert.equal(await told, "");
      assert.equal(signal, null);
      assert.ok(code === 0 || code === 129, `exit ${code}`);
    });
  }
});

async function textOf(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stderr ?? []) text += String(chunk);
  return text;
}
