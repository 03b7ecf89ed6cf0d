/** What the commands do with flags that mean nothing together, and with places that cannot be written. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { idleFlags } from "../../src/apps/idle-flags.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const CLI = join(ROOT, "dist", "src", "apps", "cli.js");
const FILE = join(ROOT, "examples", "provisioning", "Y1-register-fallback.cfg");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function dialtone(...args: string[]): Ended {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8", timeout: 60_000 });
}

/** The command line, and what is said of it. */
const IDLE: readonly (readonly [string, string])[] = [
  ["sim --swarm 2 --calls 5", "--calls: means nothing with --swarm; leave it out"],
  ["sim --scenario mid-call --swarm 2", "--scenario: means nothing with --swarm; leave it out"],
  ["sim --matrix --report out", "--report: means nothing with --matrix; leave it out"],
  ["sim --seeds 1..2 --seed 3", "--seed: means nothing with --seeds; leave it out"],
  ["sim --shrink 1 --json", "--json: means nothing with --shrink; leave it out"],
  [
    "sim --phones 3 --write out",
    "--write: means nothing without --matrix or --decisions or --shrink; add it, or leave this out",
  ],
  [
    "lab --scenario mid-call --exit --config a.cfg",
    "--scenario: means nothing with --config; leave it out",
  ],
  [
    "lab --scenario mid-call --exit --http 127.0.0.1:0",
    "--http: means nothing with --scenario and --exit; leave it out",
  ],
  ["lab --exit", "--exit: means nothing without --config or --scenario; add it, or leave this out"],
  ["lab --report out", "--report: means nothing without --scenario; add it, or leave this out"],
  ["lab --fault 503", "--fault: means nothing without --config; add it, or leave this out"],
  ["explain --schema --config a.cfg", "--config: means nothing with --schema; leave it out"],
  ["explain --config a.cfg --as native --json", "--json: means nothing with --as; leave it out"],
];

for (const [line, told] of IDLE) {
  test(`dialtone ${line}: a flag in vain is refused`, () => {
    const { status, stdout, stderr } = dialtone(...line.split(" "));
    assert.deepEqual(stderr.split("\n").slice(0, 1), [`command line: ${told}`]);
    assert.equal(stdout, "");
    assert.equal(status, 2);
  });
}

test("what is there by default, or means something, is not in vain", () => {
  const modes = [
    { by: ["a", "b"], takes: ["c"] },
    { by: ["a"], takes: ["d"] },
    { by: [], takes: [] },
  ];
  assert.deepEqual(idleFlags(["a", "b", "c"], modes), []);
  assert.deepEqual(idleFlags(["d", "a"], modes), []);
  assert.deepEqual(idleFlags([], modes), []);
  assert.equal(idleFlags(["c", "d"], modes).length, 2);
});

describe("places that cannot be written", () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "dialtone-test-"));
    writeFileSync(join(folder, "file"), "");
  });

  after(() => rmSync(folder, { recursive: true }));

  for (const command of [
    "sim --phones 2 --hours 0.01 --report",
    "sim --scenario register-fallback --report",
    "lab --scenario register-fallback --exit --report",
    `drill --config ${FILE} --report`,
  ]) {
    test(`dialtone ${command.replace(FILE, "FILE")} FILE: a file is no folder`, () => {
      const file = join(folder, "file");
      const { status, stdout, stderr } = dialtone(...command.split(" "), file);
      assert.equal(stderr, `${file}: cannot be written (it is no folder)\n`);
      assert.equal(stdout, "");
      assert.equal(status, 3);
    });
  }

  for (const command of [
    "sim --matrix --write",
    "sim --decisions --write",
    "sim --shrink 1 --write",
  ]) {
    test(`dialtone ${command} FOLDER: that is said before anything is played`, () => {
      const { status, stdout, stderr } = dialtone(...command.split(" "), folder);
      assert.match(stderr, /^.*: cannot be written \(EISDIR.*\)\n$/);
      assert.equal(stdout, "");
      assert.equal(status, 3);
    });
  }

  test("a file that nothing is written to in the end is not there", () => {
    const file = join(folder, "shrunk.yaml");
    assert.equal(dialtone("sim", "--shrink", "1", "--write", file).status, 0);
    assert.equal(existsSync(file), false);
    assert.deepEqual(readdirSync(folder), ["file"]);
  });
});

test("runs of a swarm have seeds that can be played again", () => {
  const { status, stderr } = dialtone("sim", "--swarm", "3", "--seed", "4294967294");
  assert.equal(
    stderr,
    "command line: --seed: with 3 runs it is at most 4294967293; write a smaller one\n",
  );
  assert.equal(status, 2);
});

test("an account that the files do not have is a wrong flag to the lab, too", () => {
  const { status, stderr } = dialtone("lab", "--config", FILE, "--account", "5");
  assert.equal(stderr, "command line: --account: 5 is not an enabled account; write one of 1\n");
  assert.equal(status, 2);
});

test("a benchmark over something else than a transport of its own is refused", () => {
  const { status, stderr } = dialtone("bench", "register", "--over", "sctp");
  assert.match(stderr, /--over.*'sctp' is invalid. Allowed choices are udp, tcp, tls/);
  assert.equal(status, 2);
});
