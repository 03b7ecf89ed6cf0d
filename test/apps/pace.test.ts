/** Holding a play before its next deed, and letting virtual time pass at a pace. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { Hold } from "../../src/apps/scenario/hold.ts";
import { Pacer } from "../../src/apps/scenario/pacer.ts";
import { play } from "../../src/apps/scenario/play.ts";
import type { Scenario } from "../../src/apps/scenario/scenario.ts";
import { stageThrough } from "../../src/apps/scenario/stage-through.ts";
import { playInSimulator } from "../../src/apps/sim/scenarios.ts";
import { SimStage } from "../../src/apps/sim/stage.ts";

const SEED = 5;

function scenario(): Scenario {
  return loadScenarios("mid-call").scenarios[0] as Scenario;
}

/** A clock that only moves while somebody rests. */
class Resting {
  real = 0;
  rests = 0;
  whileResting: () => void = () => undefined;

  clock(): number {
    return this.real;
  }

  async rest(ms: number): Promise<void> {
    this.rests += 1;
    this.real += Math.max(1, ms);
    this.whileResting();
  }
}

test("held, a play waits before its next deed; a step lets one through; what was played is the same", async () => {
  const stage = new SimStage({ seed: SEED });
  const hold = new Hold();
  const deeds: string[] = [];
  hold.pause();
  const turn = async (): Promise<void> => {
    deeds.push(`wanted ${stage.records.length}`);
    await hold.turn();
    deeds.push("done");
  };
  const playing = play(scenario(), stageThrough(stage, { turn }));
  await new Promise(setImmediate);
  assert.equal(deeds.length, 1, "the first deed waits");
  hold.step();
  await new Promise(setImmediate);
  assert.equal(
    deeds.filter((deed) => deed === "done").length,
    1,
    "one deed, and the next one waits again",
  );
  assert.ok(hold.held);
  hold.resume();
  const records = await playing;
  const freely = await playInSimulator(scenario(), SEED);
  assert.deepEqual(records, freely.records);
});

test("at ten times real time a second of the clock is ten seconds of the play, and nothing else is changed", async () => {
  const stage = new SimStage({ seed: SEED });
  const host = new Resting();
  const pacer = new Pacer(stage, 10, host);
  const records = await play(
    scenario(),
    stageThrough(stage, { pass: (until) => pacer.pass(until) }),
  );
  const end = records.find((record) => record.event === "moment.reached" && record.name === "end");
  assert.ok(Math.abs(host.real * 10 - (end?.at ?? 0)) < 500, `${host.real} ms for ${end?.at} ms`);
  const freely = await playInSimulator(scenario(), SEED);
  const events = (all: readonly { event: string; node: string }[]): string[] =>
    all.map(({ event, node }) => `${node} ${event}`);
  assert.deepEqual(events(records), events(freely.records));
});

test("held, virtual time stands still; a step goes to the next event and no further", async () => {
  const stage = new SimStage({ seed: SEED });
  const host = new Resting();
  const pacer = new Pacer(stage, Number.POSITIVE_INFINITY, host);
  await stage.open(scenario().topology);
  await stage.startPhone("alice");
  pacer.held = true;
  const [before, count] = [stage.now(), stage.records.length];
  let stepped = 0;
  host.whileResting = () => {
    assert.equal(stage.now(), before);
    if (host.rests === 20) {
      stepped = stage.records.length;
      pacer.step();
    }
  };
  await pacer.pass(before + 60_000);
  assert.equal(stepped, count, "nothing happened while it was held");
  assert.ok(stage.records.length > count, "then something did");
  assert.ok(stage.now() < before + 1000, "and time went no further");
  assert.ok(pacer.held);
});

test("time passes at a pace wherever a second more is no whole number of microseconds", async () => {
  // Sums of these and a second, as doubles, lie a bit above the microsecond: past 2^17 ms they have a bit less.
  for (const start of [130_500.634, 130_500.683, 261_144.008]) {
    const stage = new SimStage({ seed: SEED });
    await stage.open(scenario().topology);
    while (stage.now() < start) await stage.pass(start);
    const until = stage.now() + 1000;
    let passes = 0;
    const pass = async (instant: number): Promise<void> => {
      passes += 1;
      assert.ok(passes < 1000, `it stands still at ${stage.now()} ms`);
      await stage.pass(instant);
    };
    await new Pacer(stageThrough(stage, { pass }), 100, new Resting()).pass(until);
    assert.ok(Math.abs(stage.now() - until) < 0.001);
  }
});
