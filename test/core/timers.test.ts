/** The timers of a machine against a plain list of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../../src/core/machine.ts";
import { Timer, type TimerOwner, Timers } from "../../src/core/timers.ts";
import { Prng } from "../../src/worlds/sim/prng.ts";

const TIMERS = 500;
const STEPS = 20_000;

interface Expected {
  readonly timer: Timer;
  readonly due: number;
}

test("timers ring earliest first, equal ones in the order they were set, however often they are moved and silenced", () => {
  const prng = new Prng(3, 1);
  const rung: Timer[] = [];
  const owner: TimerOwner = { rang: (_now, timer) => rung.push(timer) };
  const timers = new Timers();
  const all = Array.from({ length: TIMERS }, (_, number) => new Timer(String(number), owner));
  /** In the order they were set. */
  let expected: Expected[] = [];
  let now = 0;
  for (let step = 0; step < STEPS; step += 1) {
    const timer = prng.pick(all);
    const before = expected.find((one) => one.timer === timer);
    assert.equal(timers.dueOf(timer), before?.due ?? NEVER);
    expected = expected.filter((one) => one !== before);
    if (prng.chance(0.3)) timers.silence(timer);
    else {
      const due = now + Math.floor(prng.fraction() * 40);
      timers.set(timer, due);
      expected.push({ timer, due });
    }
    assert.equal(timers.size, expected.length);
    if (!prng.chance(0.02)) continue;
    now += 10;
    const due = expected.filter((one) => one.due <= now).sort((one, other) => one.due - other.due);
    expected = expected.filter((one) => one.due > now);
    timers.elapsed(now);
    assert.deepEqual(names(rung.splice(0)), names(due.map((one) => one.timer)));
    assert.equal(timers.deadline, Math.min(NEVER, ...expected.map((one) => one.due)));
  }
});

test("a timer that was silenced is silent, and its number serves another", () => {
  const owner: TimerOwner = { rang: () => assert.fail("it rang") };
  const timers = new Timers();
  const [one, other] = [new Timer("one", owner), new Timer("other", owner)];
  timers.set(one, 5);
  const { slot } = one;
  timers.silence(one);
  timers.silence(one);
  timers.set(other, 7);
  assert.equal(one.pending, false);
  assert.equal(other.slot, slot);
  timers.elapsed(6);
  assert.equal(timers.deadline, 7);
});

function names(timers: readonly Timer[]): string[] {
  return timers.map(({ name }) => name);
}
