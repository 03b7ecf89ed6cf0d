/** `dialtone lab` as people run it: real servers, phones and resolver. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { Blocks } from "../../src/apps/lab/block.ts";
import type { TraceRecord } from "../../src/apps/trace/record.ts";
import { findPeer, needs } from "../support/peers.ts";

const PROGRAM = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");
/** Those from 112 on, up to 160, no other test takes, neither as a lab's nor as a household's. */
const BLOCK = 112 + (process.pid % 45);
/** For seven processes that start in turn on a machine that others keep busy, milliseconds. */
const PATIENCE_MS = 180_000;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function lab(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [PROGRAM, "lab", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

function inFolder(run: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "dialtone-lab-test-"));
    try {
      await run(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child as number);
}

let capture = new Uint8Array();

test(
  "a call outlives its server: the outcome is one line, and the report can be read by people and machines",
  inFolder(async (folder) => {
    const file = join(folder, "call.pcap");
    const kept = ["--report", folder, "--pcap", file];
    const { code, stdout, stderr } = await lab("--scenario", "mid-call", "--exit", ...kept);
    assert.match(stdout, /^mid-call passed BYE through the secondary after /, stdout);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.match(readFileSync(join(folder, "junit.xml"), "utf8"), /tests="1" failures="0"/);
    assert.match(readFileSync(join(folder, "index.html"), "utf8"), /BYE fails over: refused/);
    const [report] = JSON.parse(readFileSync(join(folder, "lab.json"), "utf8"));
    assert.equal(report.records.at(-1).left, 0);
    capture = readFileSync(file);
  }),
);

test(
  "tshark finds nothing malformed in what was said",
  needs("tshark"),
  inFolder(async (folder) => {
    const file = join(folder, "call.pcap");
    writeFileSync(file, capture);
    const read = (filter: string): string =>
      execFileSync(findPeer("tshark") as string, ["-r", file, "-Y", filter], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    assert.match(read("sip"), /Request: BYE/);
    assert.equal(read("_ws.malformed || !sip"), "");
  }),
);

test(
  "an expectation not met: exit 1, its file and line, what was seen; --json tells it as an event",
  inFolder(async (folder) => {
    const file = join(folder, "hopeless.yaml");
    writeFileSync(
      file,
      `name: hopeless
title: Nobody calls
servers: { primary: working }
phones:
  alice:
    user: "1"
    files:
      alice.yaml: |
        accounts:
          - user: "\${user}"
            password: \${password}
            servers: [ { address: "\${primary}", port: \${primary.port}, transport: udp } ]
play:
  - start: alice
  - until: { event: registration.accepted, by: alice }
expect:
  - event: call.answered
    within: 1
`,
    );
    const { code, stdout } = await lab("--scenario", file, "--exit", "--json");
    assert.equal(code, 1);
    const records = stdout
      .trim()
      .split("\n")
      .map((line): TraceRecord => JSON.parse(line));
    for (const record of records) {
      assert.equal(typeof record.at, "number");
      assert.match(String(record.time), /^\d{4}-.*Z$/);
      assert.ok(record.node !== "" && record.event.includes("."));
    }
    const judged = records.at(-1) as TraceRecord & { failures: { where: string; seen: string }[] };
    assert.equal(judged.event, "scenario.judged");
    assert.deepEqual(
      judged.failures.map(({ where, seen }) => [where, seen]),
      [[`${file}:17`, "none"]],
    );
    assert.ok(records.some((record) => record.event === "registration.accepted"));
  }),
);

test(
  "over TLS in a domain of its own, as a seed shrinks to: the lab's good certificate is believed there, and no other",
  inFolder(async (folder) => {
    const file = join(folder, "own-domain.yaml");
    writeFileSync(
      file,
      `name: own-domain
title: A phone over TLS in a domain of its own
domain: swarm.test
servers: { primary: { role: working, tls: true } }
zone: |
  $ORIGIN swarm.test.
  $TTL 60
  s1 IN A \${primary}
phones:
  alice:
    user: "1"
    files:
      alice.yaml: |
        accounts:
          - user: "\${user}"
            password: \${password}
            domain: swarm.test
            servers: [ { address: s1.swarm.test, port: \${primary.tls}, transport: tls } ]
play:
  - start: alice
  - until: { event: registration.accepted, by: alice }
  - certificate: primary
    shown: stranger
  - reset: primary
    mark: cut
  - until: { event: connection.distrusted, by: alice }
expect:
  - event: registration.accepted
    by: alice
    since: cut
    never: true
`,
    );
    const { code, stdout, stderr } = await lab("--scenario", file, "--exit");
    assert.equal(code, 0, stdout + stderr);
  }),
);

test("a scenario that does not exist: exit 2, and the names of those that do", async () => {
  const { code, stderr } = await lab("--scenario", "nonsense", "--exit");
  assert.equal(code, 2);
  assert.match(stderr, /nonsense\.yaml:1: --scenario: cannot be read.*; name .*register-fallback/);
});

test("a port that is taken: exit 3, and its name", async () => {
  const { block, release } = await new Blocks().take(BLOCK, []);
  const { address, port } = block.server("primary", 0);
  release();
  const squatter = createSocket("udp4");
  squatter.bind(port, address);
  await once(squatter, "listening");
  try {
    const { code, stderr } = await lab(
      "--scenario",
      "mid-call",
      "--exit",
      "--block",
      String(BLOCK),
    );
    assert.equal(code, 3);
    const [first, second] = stderr.split("\n");
    assert.equal(first, `udp ${address}:${port} cannot be had: EADDRINUSE`);
    assert.match(second ?? "", /--block/);
  } finally {
    squatter.close();
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`the lab left up takes words on its input, and ${signal} ends it and all of its processes within 5 s`, async () => {
    const block = String(BLOCK + (signal === "SIGINT" ? 1 : 2));
    const child: ChildProcess = spawn(
      process.execPath,
      [PROGRAM, "lab", "--json", "--block", block],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const seen = new Set<string>();
    const lines = createInterface({ input: child.stdout as Readable });
    lines.on("line", (line) => {
      const record: TraceRecord = JSON.parse(line);
      seen.add(`${record.node} ${record.event}`);
    });
    const exited = once(child, "exit");
    const ended = new AbortController();
    void exited.then(([code]) => ended.abort(new Error(`the lab ended with ${code}`)));
    const happens = async (what: string): Promise<void> => {
      const patience = AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ended.signal]);
      while (!seen.has(what)) await once(lines, "line", { signal: patience });
    };
    try {
      await happens("carol registration.accepted");
      child.stdin?.write("call alice carol\n");
      await happens("carol call.answered");
      child.stdin?.write("hangup alice\nkill primary\n");
      await happens("primary server.killed");
      child.stdin?.write("revive primary\n");
      await happens("primary server.revived");
    } finally {
      const pids = childrenOf(child.pid as number);
      const began = performance.now();
      child.kill(signal);
      await exited;
      assert.ok(performance.now() - began < 5000);
      assert.deepEqual(pids.filter(alive), []);
    }
  });
}
