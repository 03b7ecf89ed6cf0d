/** A play that failed while the machine withheld processors says nothing: it is played again, and told of. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Blocks } from "../../src/apps/lab/block.ts";
import {
  type Machine,
  MachineWatch,
  triedUntilFair,
  type Withheld,
  withheldText,
} from "../../src/apps/lab/machine-watch.ts";
import { junitOf, pageOf } from "../../src/apps/lab/report.ts";
import { playAll, type RunOptions, type Spoilt } from "../../src/apps/lab/run.ts";
import { canMeasure, waitedMs } from "../../src/apps/processor-time.ts";
import { readScenario } from "../../src/apps/scenario/read-scenario.ts";
import type { Scenario } from "../../src/apps/scenario/scenario.ts";
import type { Stage } from "../../src/apps/scenario/stage.ts";
import { PROGRAM } from "../support/lab-plays.ts";

const TEXT = `
name: registers
title: A phone registers
servers: { primary: working }
phones:
  alice:
    user: "2001"
    files:
      alice.cfg: |
        #!version:1.0.0.1
        account.1.enable = 1
        account.1.user_name = \${user}
        account.1.auth_name = \${user}
        account.1.password = \${password}
        account.1.sip_server.1.address = \${primary}
        account.1.sip_server.1.port = \${primary.port}
play:
  - start: alice
  - until: { event: registration.accepted target=primary, by: alice }
    within: 4
`;
const STALL: Withheld = { waited: 280, stolen: 20, late: 3 };

function scenarioOf(text: string): Scenario {
  const { scenario, faults } = readScenario("registers.yaml", text);
  assert.deepEqual(faults, []);
  return scenario as Scenario;
}

/** The server hangs from before the phone starts. */
function hanging(stage: Stage): Stage {
  const startPhone = async (name: string): Promise<number> => {
    await stage.disturbServer("primary", { kind: "freeze" });
    return await stage.startPhone(name);
  };
  return new Proxy(stage, {
    get: (target, key) => {
      const value: unknown = key === "startPhone" ? startPhone : Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Plays it: with a server that hangs in so many plays, on a machine that stalls in so many. */
async function played(hung: number, stalled: number, more: Partial<RunOptions> = {}) {
  let plays = 0;
  const told: Spoilt[] = [];
  const [one] = await playAll([scenarioOf(TEXT)], {
    program: PROGRAM,
    blocks: new Blocks(200),
    jobs: 1,
    keepGoing: false,
    stages: new Set(),
    played: () => undefined,
    spoilt: (spoilt) => told.push(spoilt),
    through: (stage) => {
      plays += 1;
      return plays <= hung ? hanging(stage) : stage;
    },
    watchMachine: () => ({ end: () => (plays <= stalled ? STALL : undefined) }),
    ...more,
  });
  assert.ok(one !== undefined);
  assert.deepEqual(told, one.spoilt ?? []);
  return { plays, passed: one.verdict.passed, one };
}

describe("a play that failed while the machine stood still", { concurrency: 2 }, () => {
  test("is played again, and what it said is kept beside the outcome", async () => {
    const { plays, passed, one } = await played(1, 2);
    assert.deepEqual([plays, passed, one.spoilt?.length], [2, true, 1]);
    assert.equal(one.spoilt?.[0]?.verdict.passed, false);
    assert.equal(one.spoilt?.[0]?.withheld, STALL);
    assert.match(
      junitOf([one]),
      /failures="0".*<system-out>played again, since its processes waited 0\.28 s/s,
    );
    assert.match(pageOf([one]), /<p class="warn">played again, since its processes waited 0\.28 s/);
  });

  test("is no excuse for the one after it", async () => {
    const { plays, passed, one } = await played(9, 1);
    assert.deepEqual([plays, passed, one.spoilt?.length], [2, false, 1]);
  });

  test("counts as failed when it never was better, after three plays or as many as were asked for", async () => {
    const { plays, passed, one } = await played(9, 9);
    assert.deepEqual([plays, passed, one.spoilt?.length], [3, false, 2]);
    const once = await played(9, 9, { plays: 1 });
    assert.deepEqual([once.plays, once.passed, once.one.spoilt], [1, false, undefined]);
  });

  test("where it did not, a failure is a failure, and what passed has passed", async () => {
    const failed = await played(9, 0);
    assert.deepEqual([failed.plays, failed.passed, failed.one.spoilt], [1, false, undefined]);
    const { plays, passed } = await played(0, 9);
    assert.deepEqual([plays, passed], [1, true]);
  });
});

test("what is tried is tried again while it is not good and the machine stood still, three times at most", async () => {
  const tried = async (goodAt: number, stalls: number): Promise<[number, number]> => {
    let tries = 0;
    const told: number[] = [];
    const attempt = async (): Promise<number> => {
      tries += 1;
      return tries;
    };
    const watch = () => ({ end: () => (tries <= stalls ? STALL : undefined) });
    const good = (result: number): boolean => result >= goodAt;
    const result = await triedUntilFair(attempt, good, (spoilt) => told.push(spoilt), watch);
    return [result, told.length];
  };
  assert.deepEqual(await tried(1, 9), [1, 0]);
  assert.deepEqual(await tried(2, 9), [2, 1]);
  assert.deepEqual(await tried(9, 9), [3, 2]);
  assert.deepEqual(await tried(9, 1), [2, 1]);
  assert.deepEqual(await tried(9, 0), [1, 0]);
});

describe("the watch over the machine", () => {
  let now = 0;
  let stolen = 0;
  const waited = new Map<number, number>();
  const machine: Machine = { now: () => now, waited: () => new Map(waited), stolen: () => stolen };
  const second = (lasted = 1000): void => {
    now += lasted;
    mock.timers.tick(1000);
  };

  beforeEach(() => mock.timers.enable({ apis: ["setInterval"] }));
  afterEach(() => mock.timers.reset());

  test("tells its worst second", () => {
    const watch = new MachineWatch(machine);
    waited.set(1, 0);
    second();
    second();
    waited.set(1, 60);
    stolen += 50;
    second();
    waited.set(1, 119);
    second();
    assert.deepEqual(watch.end(), { waited: 60, stolen: 50, late: 0 });
  });

  test("what adds up over seconds is nothing, nor what a process waited for while it was being started", () => {
    const watch = new MachineWatch(machine);
    for (let ms = 0; ms < 500; ms += 50) {
      waited.set(1, ms);
      second();
    }
    waited.set(2, 400);
    second();
    waited.set(2, 800);
    second();
    assert.equal(watch.end(), undefined);
  });

  test("notices where nothing is told of processes, by its own lateness", () => {
    waited.clear();
    const watch = new MachineWatch(machine);
    second(1400);
    const withheld = watch.end();
    assert.deepEqual(withheld, { waited: 0, stolen: 0, late: 400 });
    assert.equal(
      withheldText(STALL),
      "its processes waited 0.28 s for processors within one second, and others than this machine had 0.02 s of them",
    );
    assert.equal(
      withheldText({ waited: 0, stolen: 0, late: 400 }),
      "the machine stood still for 0.40 s",
    );
  });
});

test("a process that has to wait for a processor is seen to", {
  skip: !canMeasure() && "this system does not tell",
}, async () => {
  const busy = "const end = Date.now() + 20_000; while (Date.now() < end);";
  const crowd: ChildProcess[] = [];
  for (let one = 0; one < 3 * availableParallelism(); one += 1) {
    crowd.push(spawn(process.execPath, ["-e", busy], { stdio: "ignore" }));
  }
  const ended = crowd.map((child) => once(child, "exit"));
  const waits = (): number =>
    crowd.reduce((sum, { pid = 0 }) => sum + (waitedMs(process.pid).get(pid) ?? 0), 0);
  try {
    await Promise.all(crowd.map((child) => once(child, "spawn")));
    const deadline = performance.now() + 15_000;
    while (waits() < 300 && performance.now() < deadline) await setImmediate();
    assert.ok(waits() >= 300, "three busy processes for each processor have waited");
  } finally {
    for (const child of crowd) child.kill("SIGKILL");
    await Promise.all(ended);
  }
});
