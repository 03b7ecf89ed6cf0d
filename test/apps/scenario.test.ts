/** Scenario files read, played on a stage whose future is known, and judged. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { judge } from "../../src/apps/scenario/judge.ts";
import { play } from "../../src/apps/scenario/play.ts";
import { readScenario } from "../../src/apps/scenario/read-scenario.ts";
import type { Scenario } from "../../src/apps/scenario/scenario.ts";
import type { Stage } from "../../src/apps/scenario/stage.ts";
import { verdictLines } from "../../src/apps/scenario/verdict.ts";
import type { TraceRecord } from "../../src/apps/trace/record.ts";
import { ALICE, FALLBACK, fallbackTrace, happened, message, request } from "./lab-traces.ts";

const SCENARIOS = join(import.meta.dirname, "..", "..", "..", "scenarios");

function scenario(text: string): Scenario {
  const { scenario: read, faults } = readScenario("small.yaml", text);
  assert.deepEqual(faults, []);
  assert.ok(read !== undefined);
  return read;
}

const SMALL = `
name: small
title: A small one
servers: { primary: working, fallback: fallback }
phones:
  alice: { user: "2001", files: { a.yaml: "accounts: [ { user: u, servers: [ { address: \${primary} } ] } ]" } }
play:
  - start: alice
    mark: started
  - until: { event: server.fell-back from=1 to=2, by: alice }
    within: 12
    mark: fallen-back
settle: 0
`;

const EXPECTED = `
expect:
  - message: REGISTER
    from: alice
    to: primary
    within: 1
    mark: first
  - message: REGISTER
    from: alice
    to: primary
    since: first
    at: [0, 0.5, 1.5, 3.5]
    only: true
    figure: REGISTER at
  - message: REGISTER
    to: fallback
    since: first
    between: [7.4, 7.6]
    figure: fallback at
  - event: registration.accepted target=fallback
    by: alice
    count: 1
  - event: server.failed-back
    never: true
sequence:
  alice:
    - request.failed-over from=primary to=fallback
    - registration.accepted target=fallback
    - server.fell-back from=1 to=2
`;

/** A stage whose future is known: time passes from record to record. */
class ScriptedStage implements Stage {
  readonly records: TraceRecord[] = [];
  readonly did: string[] = [];
  #now = 0;
  readonly #future: TraceRecord[];

  constructor(future: readonly TraceRecord[]) {
    this.#future = future.toSorted((a, b) => a.at - b.at);
  }
  now(): number {
    return this.#now;
  }
  note(record: TraceRecord): void {
    this.records.push(record);
  }
  async open(): Promise<void> {
    this.did.push("open");
  }
  async startServer(name: string): Promise<number> {
    this.did.push(`start ${name}`);
    return this.#now;
  }
  async startPhone(name: string): Promise<number> {
    this.did.push(`start ${name}`);
    return this.#now;
  }
  async stopPhone(name: string): Promise<number> {
    this.did.push(`stop ${name}`);
    return this.#now;
  }
  async disturbServer(name: string, fault: { kind: string }): Promise<number> {
    this.did.push(`${this.#now}: ${fault.kind} ${name}`);
    return this.#now;
  }
  async disturbPhone(name: string, fate: { kind: string }): Promise<number> {
    this.did.push(`${this.#now}: ${fate.kind} ${name}`);
    return this.#now;
  }
  async disturbWay(ends: readonly string[], fault: { kind: string }): Promise<number> {
    this.did.push(`${fault.kind} ${ends.join(" - ")}`);
    return this.#now;
  }
  async disturbDns(fault: { kind: string }): Promise<number> {
    this.did.push(`dns ${fault.kind}`);
    return this.#now;
  }
  async commandPhone(name: string, command: { kind: string }): Promise<number> {
    this.did.push(`${name} ${command.kind}`);
    return this.#now;
  }
  async pass(until: number): Promise<void> {
    const next = this.#future[0];
    if (next === undefined || next.at > until) {
      this.#now = until;
      return;
    }
    this.#future.shift();
    this.#now = Math.max(this.#now, next.at);
    this.records.push(next);
  }
  async close(): Promise<void> {
    this.did.push("close");
    this.note({ at: this.#now, node: "stage", event: "stage.closed", left: 0 });
  }
}

test("every scenario in the folder can be read, is named as its file, and demands something", () => {
  const files = readdirSync(SCENARIOS).filter((file) => file.endsWith(".yaml"));
  assert.ok(files.length > 0);
  for (const file of files) {
    const { scenario: read, faults } = readScenario(
      file,
      readFileSync(join(SCENARIOS, file), "utf8"),
    );
    assert.deepEqual(faults, [], file);
    assert.equal(`${read?.name}.yaml`, file);
    assert.ok((read?.expectations.length ?? 0) > 0, file);
    assert.ok((read?.sequences.length ?? 0) > 0, file);
  }
});

test("all faults of a file are told at once, each with its line, its key and a remedy", () => {
  const { scenario: read, faults } = readScenario(
    "bad.yaml",
    `name: bad
title: Bad
colour: red
servers: { primary: master }
phones:
  alice: { user: "1", files: { a: "accounts: [ { user: u, servers: [ { address: \${secondary} } ] } ]" } }
play:
  - explode: primary
  - kill: nobody
  - at: 3
    since: never-marked
    kill: primary
expect:
  - event: Nonsense
    within: 1
  - message: REGISTER
sequence:
  alice: [ message.sent ]
`,
  );
  assert.equal(read, undefined);
  const told = faults.map((fault) => `${fault.line}: ${fault.key}: ${fault.wrong}`);
  assert.deepEqual(told, [
    "4: servers.primary: is master",
    `6: phones.alice.files.a: uses \${secondary}`,
    "8: play[1]: has not exactly one verb",
    "9: play[2].kill: is nobody",
    "11: play[3].since: names never-marked",
    "14: expect[1].event: is Nonsense",
    "16: expect[2]: demands nothing",
    "18: sequence.alice[1]: is message.sent",
    "3: colour: is not known here",
  ]);
  assert.ok(faults.every((fault) => fault.remedy !== "" && fault.file === "bad.yaml"));
});

test("a fault inside a provisioning file or a zone is told at its own line of the scenario", () => {
  const { faults } = readScenario(
    "inner.yaml",
    `name: inner
title: Inner
servers: { primary: working }
zone: |
  $ORIGIN pbx.lab.test.
  a 60 IN B 127.0.0.1
phones:
  alice:
    user: "1"
    files:
      phone.yaml: |
        accounts:
          - user: "1"
            servers:
              - { address: \${primary}, expires: soon }
play:
  - start: alice
`,
  );
  assert.deepEqual(
    faults.map((fault) => `${fault.line}: ${fault.key}`),
    ["6: zone: record", "15: phones.alice.files.phone.yaml: accounts.1.servers.1.expires"],
  );
});

test("text that is no YAML is a fault with its line, not an exception", () => {
  const { faults } = readScenario("broken.yaml", "name: x\ntitle: 'y");
  assert.ok(faults.length > 0);
  assert.equal(faults[0]?.line, 2);
});

test("a play that goes as expected passes and gives the instants as figures", async () => {
  const wanted = scenario(SMALL + EXPECTED);
  const stage = new ScriptedStage(fallbackTrace());
  const verdict = judge(wanted, await play(wanted, stage));
  assert.deepEqual(stage.did, ["open", "start alice", "close"]);
  assert.deepEqual(verdict.failures, []);
  assert.deepEqual(verdictLines(verdict), [
    "small passed REGISTER at 0.00 0.50 1.50 3.50 s; fallback at 7.50 s",
  ]);
});

test("the first expectation not met is told with its line and with what was seen", async () => {
  const wanted = scenario(SMALL + EXPECTED);
  const slow = fallbackTrace().map((record) =>
    record.at === 3600 ? { ...record, at: 4600 } : record,
  );
  const verdict = judge(wanted, await play(wanted, new ScriptedStage(slow)));
  assert.equal(verdict.passed, false);
  const line =
    (SMALL + EXPECTED).split("\n").findIndex((text) => text.includes("since: first")) - 2;
  assert.deepEqual(verdictLines(verdict).slice(1), [
    `  small.yaml:${line}: expected REGISTER from alice to primary at 0.00 0.50 1.50 3.50 s (± 0.25 s, no more) after first`,
    "  seen: at 0.00 0.50 1.50 4.50 s",
  ]);
});

test("a decision that is missing, wrong or too many breaks the sequence that both worlds must give", async () => {
  const wanted = scenario(SMALL + EXPECTED);
  const trace = fallbackTrace();
  const without = trace.filter((record) => record.event !== "request.failed-over");
  const more = [...trace, happened(7604, "alice", "call.started", { peer: "sip:2002@lab.test" })];
  const repeated = [
    ...trace,
    happened(7605, "alice", "server.fell-back", { account: 1, from: 1, to: 2 }),
  ];
  const failures = await Promise.all(
    [without, more, repeated].map(async (records) => {
      const stage = new ScriptedStage(records);
      await play({ ...wanted, settleMs: 1000 }, stage);
      return judge(wanted, stage.records).failures.map((failure) => failure.expected);
    }),
  );
  assert.deepEqual(failures, [
    ["alice: request.failed-over from=primary to=fallback as decision 1 of alice"],
    ["nothing more as decision 4 of alice"],
    [],
  ]);
});

test("a step that waits in vain ends the play and is the failure that is told", async () => {
  const wanted = scenario(SMALL + EXPECTED);
  const trace = fallbackTrace().filter((record) => record.event !== "server.fell-back");
  const verdict = judge(wanted, await play(wanted, new ScriptedStage(trace)));
  assert.equal(verdict.failures[0]?.where, "small.yaml:10");
  assert.match(
    verdict.failures[0]?.seen ?? "",
    /7\.60 s alice registration\.accepted target=fallback/,
  );
});

test("a process that died by itself or would not end fails any scenario", async () => {
  const wanted = scenario(SMALL);
  const trace = [
    ...fallbackTrace(),
    happened(100, "fallback", "process.died", { why: "exit 70" }),
    happened(200, "stage", "stage.closed", { left: 1, who: "primary" }),
  ];
  const verdict = judge(wanted, await play(wanted, new ScriptedStage(trace)));
  assert.deepEqual(
    verdict.failures.map((failure) => failure.seen),
    ["fallback died: exit 70", "1 left: primary"],
  );
});

test("a period is demanded of first sendings when resends do not count", async () => {
  const wanted = scenario(`${SMALL}expect:
  - message: OPTIONS
    from: alice
    to: fallback
    resends: false
    every: 2
    times: 2
    figure: every
`);
  const probes = [1000, 3000, 5100].flatMap((at, index) => {
    const probe = request("OPTIONS", `p${index}`);
    return [at, at + 500].flatMap((one) => message(one, undefined, ALICE, FALLBACK, probe));
  });
  const verdict = judge(
    wanted,
    await play(wanted, new ScriptedStage([...fallbackTrace(), ...probes])),
  );
  assert.deepEqual(verdict.failures, []);
  assert.equal(verdict.figures[0]?.text, "2.00 2.10 s");
});

test("a restart is an end in order, a pause, and a start", async () => {
  const wanted = scenario(SMALL.replace("start: alice", "restart: primary\n    seconds: 3"));
  const stage = new ScriptedStage(fallbackTrace());
  await play(wanted, stage);
  assert.deepEqual(stage.did, ["open", "0: stop primary", "3000: revive primary", "close"]);
  const fates = stage.records.filter(({ event }) => /server\.(halted|revived)/.test(event));
  assert.deepEqual(
    fates.map(({ at, event }) => [at, event]),
    [
      [0, "server.halted"],
      [3000, "server.revived"],
    ],
  );
});

test("times count from when a deed took effect, not from when the runner, who may be late, wanted it", async () => {
  const wanted = scenario(`${SMALL.replace("start: alice", "kill: primary")}expect:
  - event: server.killed
    at: 0.04
    give: 0
  - message: REGISTER
    to: primary
    since: started
    at: [0.06, 0.56]
    give: 0
`);
  class Slow extends ScriptedStage {
    override async disturbServer(): Promise<number> {
      await this.pass(90);
      return 40;
    }
  }
  const verdict = judge(wanted, await play(wanted, new Slow(fallbackTrace())));
  assert.deepEqual(verdict.failures, []);
});

test("the stage is closed even when it cannot be opened", async () => {
  const wanted = scenario(SMALL);
  class Refusing extends ScriptedStage {
    override async open(): Promise<void> {
      throw new Error("udp 127.0.0.13:5060 is taken");
    }
  }
  const stage = new Refusing([]);
  await assert.rejects(play(wanted, stage), /taken/);
  assert.deepEqual(stage.did, ["close"]);
});

test("the example in the guide is a scenario that can be read", () => {
  const guide = readFileSync(join(SCENARIOS, "..", "docs", "scenarios.md"), "utf8");
  const example = /```yaml\n(name: [\s\S]*?)```/.exec(guide)?.[1] ?? "";
  assert.deepEqual(readScenario("guide.yaml", example).faults, []);
});
