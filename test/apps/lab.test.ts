/** The parts of the lab: processes, addresses, keys, status, reports. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { test } from "node:test";
import { type Control, readControl } from "../../src/apps/control.ts";
import { loopbackBlock } from "../../src/apps/lab/addresses.ts";
import { Blocks } from "../../src/apps/lab/block.ts";
import { loadLab, loadTopology, scenarioNames } from "../../src/apps/lab/catalogue.ts";
import { crowd } from "../../src/apps/lab/crowd.ts";
import { type Cast, Keys, menuOf, parseLine } from "../../src/apps/lab/keys.ts";
import { junitOf, pageOf } from "../../src/apps/lab/report.ts";
import { LabStage } from "../../src/apps/lab/stage.ts";
import { StatusBoard } from "../../src/apps/lab/status.ts";
import { judge } from "../../src/apps/scenario/judge.ts";
import type { Scenario, Topology } from "../../src/apps/scenario/scenario.ts";
import { StageFault } from "../../src/apps/scenario/stage.ts";
import type { TraceRecord } from "../../src/apps/trace/record.ts";
import { fallbackTrace, happened, PLACES } from "./lab-traces.ts";

const PROGRAM = join(import.meta.dirname, "lab-program.js");
/** Whatever is waited for comes within this time or not at all, milliseconds. */
const PATIENCE_MS = 20_000;

const TOPOLOGY: Topology = {
  domain: "lab.test",
  zone: `$ORIGIN lab.test.\npbx 60 IN A \${primary}\n`,
  servers: [
    { name: "primary", role: "working", location: "shared", up: true },
    { name: "fallback", role: "fallback", location: "own", up: false },
  ],
  phones: [
    {
      name: "alice",
      user: "2001",
      password: "lab-2001",
      answer: "auto",
      files: [{ name: "alice.cfg", text: `server = \${primary}:\${primary.port}` }],
    },
  ],
};

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Every record wakes the stage. */
async function happens(stage: LabStage, event: string): Promise<void> {
  const until = stage.now() + PATIENCE_MS;
  const seen = (): boolean => stage.records.some((record) => record.event === event);
  while (!seen() && stage.now() < until) await stage.pass(until);
  assert.ok(seen(), event);
}

async function withStage(run: (stage: LabStage) => Promise<void>): Promise<LabStage> {
  const stage = new LabStage({ program: PROGRAM, blocks: new Blocks() });
  try {
    await stage.open(TOPOLOGY);
    await run(stage);
  } finally {
    await stage.close();
  }
  return stage;
}

function pidsOf(records: readonly TraceRecord[]): number[] {
  return records.flatMap((record) => (typeof record.pid === "number" ? [record.pid] : []));
}

test("a stage starts what is up, on its own clock, and leaves no process and no folder", async () => {
  const stage = await withStage(async (open) => {
    await open.startPhone("alice");
    await open.commandPhone("alice", { kind: "call", to: "alice" });
    await happens(open, "call.started");
    const obeyed = open.records.find((record) => record.event === "command.obeyed");
    assert.equal(obeyed?.line, '{"do":"call","to":"2001"}');
  });
  const { records } = stage;
  assert.deepEqual(
    records
      .filter((record) => record.event.endsWith(".started") && record.event !== "call.started")
      .map((record) => record.node),
    ["primary", "alice"],
  );
  assert.ok(records.every((record) => record.at >= 0 && record.at <= stage.now()));
  assert.deepEqual(pidsOf(records).filter(alive), []);
  assert.equal(records.at(-1)?.event, "stage.closed");
  assert.equal(records.at(-1)?.left, 0);
  assert.equal(pidsOf(records).length, 2);
});

test("kill ends a process at once, revive starts it again, and neither counts as a death", async () => {
  const stage = await withStage(async (open) => {
    await open.disturbServer("primary", { kind: "kill" });
    assert.deepEqual(pidsOf(open.records).filter(alive), []);
    await open.disturbServer("primary", { kind: "revive" });
    assert.equal(pidsOf(open.records).filter(alive).length, 1);
  });
  assert.equal(stage.records.filter((record) => record.event === "server.started").length, 2);
  assert.ok(!stage.records.some((record) => record.event === "process.died"));
});

test("a frozen process says nothing until it is revived, and is ended all the same", async () => {
  const stage = await withStage(async (open) => {
    await open.disturbServer("primary", { kind: "freeze" });
    await open.disturbServer("primary", { kind: "drop" });
    await open.pass(open.now() + 150);
    assert.ok(!open.records.some((record) => record.event === "command.obeyed"));
    await open.disturbServer("primary", { kind: "revive" });
    await happens(open, "command.obeyed");
    await open.disturbServer("primary", { kind: "freeze" });
  });
  assert.deepEqual(pidsOf(stage.records).filter(alive), []);
});

test("a process that dies by itself is noted with its last words", async () => {
  const stage = await withStage(async (open) => {
    const [pid] = pidsOf(open.records);
    process.kill(pid as number, "SIGKILL");
    await happens(open, "process.died");
  });
  const died = stage.records.find((record) => record.event === "process.died");
  assert.equal(died?.node, "primary");
  assert.equal(died?.why, "SIGKILL");
});

test("a program that will not start is a missing resource, told in its own words", async () => {
  process.env.LAB_PROGRAM = "refuse";
  const stage = new LabStage({ program: PROGRAM, blocks: new Blocks() });
  try {
    await assert.rejects(stage.open(TOPOLOGY), (error: unknown) => {
      assert.ok(error instanceof StageFault);
      assert.match(error.message, /primary does not start: udp 127\.0\.0\.13:5060 is taken/);
      return true;
    });
  } finally {
    delete process.env.LAB_PROGRAM;
    await stage.close();
  }
});

test("an address that is taken is named, and another block is used where any will do", async () => {
  const blocks = new Blocks();
  const probe = await blocks.take(undefined, ["primary"]);
  probe.release();
  const { address, port } = probe.block.server("primary", 0);
  const squatter = createSocket("udp4");
  squatter.bind(port, address);
  await once(squatter, "listening");
  try {
    const number = Number(address.split(".")[2]);
    const refused = blocks.take(number, ["primary"]);
    await assert.rejects(refused, new RegExp(`udp ${address}:${port} cannot be had: EADDRINUSE`));
    const other = await blocks.take(undefined, ["primary"]);
    assert.notEqual(other.block.name, probe.block.name);
  } finally {
    squatter.close();
  }
});

test("no two phones of a block share an address, nor one with the resolver", () => {
  const block = loopbackBlock(0);
  const addresses = Array.from({ length: 100 }, (_, index) => block.phone(index).address);
  assert.equal(new Set([...addresses, block.resolver.address]).size, 101);
  assert.equal(block.server("primary", 5).address, "127.0.0.13");
});

interface Launched {
  readonly lab: ReturnType<typeof spawn>;
  /** Children that run. */
  readonly pids: readonly number[];
  /** When the last of them has gone: each holds a connection as long as it lives. */
  readonly deserted: Promise<unknown>;
}

/** Runs a program that opens a stage with two children and stays; resolves once they run. */
async function launched(): Promise<Launched> {
  const witness = createServer();
  witness.listen(0, "127.0.0.1");
  await once(witness, "listening");
  const held: Promise<unknown>[] = [];
  const met = new Promise<void>((all) => {
    witness.on("connection", (socket) => {
      held.push(new Promise<void>((gone) => socket.on("error", () => gone()).on("close", gone)));
      if (held.length === 2) all();
    });
  });
  const { port } = witness.address() as AddressInfo;
  // Whoever is killed outright leaves his folder behind.
  const folder = mkdtempSync(join(tmpdir(), "dialtone-lab-test-"));
  const lab = spawn(process.execPath, [join(import.meta.dirname, "lab-holder.js"), PROGRAM], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, LAB_WITNESS: String(port), TMPDIR: folder },
  });
  const lines = createInterface({ input: lab.stdout as Readable });
  const [line] = (await once(lines, "line")) as [string];
  await met;
  const deserted = Promise.all(held).finally(() => {
    witness.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { pids: line.split(" ").map(Number), lab, deserted };
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`no child outlives a lab that is ended by ${signal}`, async () => {
    const { pids, lab, deserted } = await launched();
    assert.equal(pids.filter(alive).length, 2);
    lab.kill(signal);
    await once(lab, "exit");
    await deserted;
  });
}

test("no child outlives a lab that crashes", async () => {
  const { lab, deserted } = await launched();
  lab.kill("SIGUSR2");
  await once(lab, "exit");
  await deserted;
});

test("control lines come one at a time whatever way the input is cut; what is no command is refused", async () => {
  const obeyed: Control[] = [];
  const refused: string[] = [];
  const input = Readable.from([
    '{"do":"ca',
    'll","to":"1"}\n{"do":7}\nnonsense\n',
    '{"do":"stop"}\n',
  ]);
  await new Promise<void>((ended) => {
    readControl(input, {
      obey: (control) => obeyed.push(control),
      refused: (why) => refused.push(why),
      ended,
    });
  });
  assert.deepEqual(obeyed, [{ do: "call", to: "1" }, { do: "stop" }]);
  assert.deepEqual(refused, ['no command: {"do":7}', "no command: nonsense"]);
});

const CAST: Cast = {
  servers: ["primary", "secondary"],
  phones: ["alice", "bob", "carol"],
  scenarios: ["mid-call", "register-fallback"],
  stateOf: (server) => (server === "primary" ? "up" : "frozen"),
};

test("a digit kills a server that is up and revives one that is not; a letter before it chooses the fault", () => {
  const keys = new Keys(CAST);
  assert.deepEqual(keys.pressed("1"), {
    kind: "fault",
    server: "primary",
    fault: { kind: "kill" },
  });
  assert.deepEqual(keys.pressed("2"), {
    kind: "fault",
    server: "secondary",
    fault: { kind: "revive" },
  });
  assert.equal(keys.pressed("f"), undefined);
  assert.deepEqual(keys.pressed("1"), {
    kind: "fault",
    server: "primary",
    fault: { kind: "freeze" },
  });
  assert.equal(keys.pressed("3"), undefined);
  assert.deepEqual(keys.pressed("c"), { kind: "call", from: "alice", to: "bob" });
  assert.deepEqual(keys.pressed("c"), { kind: "call", from: "alice", to: "carol" });
  assert.deepEqual(keys.pressed("p"), { kind: "menu" });
  assert.deepEqual(keys.pressed("b"), { kind: "play", scenario: "register-fallback" });
  assert.equal(keys.pressed("b"), undefined);
  assert.deepEqual(keys.pressed("\u0003"), { kind: "quit" });
});

test("every scenario has a letter of its own, one of those that keyboards have", () => {
  const names = scenarioNames();
  for (const [index, entry] of menuOf(names).split(" · ").entries()) {
    assert.match(entry, /^[a-zA-Z] [a-z-]+$/);
    const keys = new Keys({ ...CAST, scenarios: names });
    keys.pressed("p");
    assert.deepEqual(keys.pressed(entry.charAt(0)), { kind: "play", scenario: names[index] });
  }
  assert.equal(menuOf(names).split(" · ").length, names.length);
});

test("without a terminal the same is said in words", () => {
  assert.deepEqual(parseLine("freeze primary", CAST), {
    kind: "fault",
    server: "primary",
    fault: { kind: "freeze" },
  });
  assert.deepEqual(parseLine("call bob alice", CAST), { kind: "call", from: "bob", to: "alice" });
  assert.deepEqual(parseLine("play mid-call", CAST), { kind: "play", scenario: "mid-call" });
  assert.equal(parseLine("kill alice", CAST), undefined);
  assert.equal(parseLine("answer-503 primary soon", CAST), undefined);
  assert.deepEqual(parseLine("quit", CAST), { kind: "quit" });
});

test("the status tells where each phone is registered and how each server stands", () => {
  const board = new StatusBoard(["alice"], ["primary", "fallback"]);
  for (const record of [...PLACES, happened(0, "fallback", "server.started"), ...fallbackTrace()]) {
    board.add(record);
  }
  assert.deepEqual(board.lines("plain", 100), [
    " [1] primary    frozen",
    " [2] fallback   up",
    " ☎   alice      registered 2: fallback  current target fallback",
  ]);
});

test("a server stands well again after a reset or a good certificate, and badly after an expired one", () => {
  const board = new StatusBoard([], ["primary"]);
  const after = (how: string): string => {
    board.add(happened(0, "primary", "server.disturbed", { how }));
    return board.stateOf("primary");
  };
  assert.equal(after("expired certificate"), "expired certificate");
  assert.equal(after("good certificate"), "up");
  assert.equal(after("drop"), "drop");
  assert.equal(after("heal"), "up");
  assert.equal(after("reset"), "up");
});

test("the lab's own topology has three phones, and --phones adds more like them", () => {
  const { scenarios, faults } = loadLab();
  assert.deepEqual(faults, []);
  const lab = scenarios[0] as Scenario;
  assert.equal(crowd(lab, 2).topology.phones.length, 3);
  const more = crowd(lab, 5);
  assert.deepEqual(
    more.topology.phones.map((phone) => `${phone.name} ${phone.user}`),
    ["alice 2001", "bob 2002", "carol 2003", "phone-4 3001", "phone-5 3002"],
  );
  assert.equal(more.steps.length, 5);
});

test("what stays up is one topology: all of them is refused, under the flag that asked", () => {
  const { scenarios, faults } = loadTopology("all");
  assert.deepEqual(scenarios, []);
  assert.deepEqual(
    faults.map(({ key, remedy }) => `${key}: ${remedy.split(" all-down")[0]}`),
    ["--topology: name a scenario file, or one of"],
  );
  assert.deepEqual(loadTopology("storm").faults, []);
});

test("reports are well formed whatever stands in the trace", () => {
  const scenario: Scenario = {
    name: "a<b",
    file: "x.yaml",
    title: "T & t",
    topology: TOPOLOGY,
    steps: [],
    settleMs: 0,
    expectations: [],
    sequences: [],
  };
  const records = [...fallbackTrace(), happened(8000, "alice", "process.died", { why: '"<&>"' })];
  const played = [{ scenario, verdict: judge(scenario, records), records, epochMs: 0 }];
  assert.match(junitOf(played), /tests="1" failures="1"/);
  assert.match(junitOf(played), /seen: alice died: &quot;&lt;&amp;&gt;&quot;/);
  const page = pageOf(played);
  assert.match(page, /a&lt;b/);
  assert.ok(!page.includes('"<&>"'));
  assert.match(page, /REGISTER/);
});

test("nothing of a stage is left in the temporary folder", async () => {
  const stage = await withStage(async () => undefined);
  assert.ok(!existsSync(stage.folder));
});
