/**
 * A server that can do only so much (RFC 7339, R108 to R111): what gets done when far more is asked of it, by one
 * client with many requests, as an edge proxy is, and by a fleet of phones that all come at once.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Crowd } from "./crowd.ts";
import { type Rush, rush } from "./rush.ts";

/** REGISTERs a second that the server of these tests can do. */
const CAPACITY = 200;

suite("a server for 200 REGISTERs a second that is asked for more by one client", () => {
  for (const times of [0.5, 1.5, 3, 6]) {
    test(`${times} times as many, and it does nine tenths of what it can (R108, R109)`, () => {
      const run = new Crowd({ offered: CAPACITY * times, control: "oc", capacity: CAPACITY }).run(
        24,
      );
      assert.ok(run.goodput >= 0.9 * CAPACITY * Math.min(1, times), JSON.stringify(run));
    });
  }

  for (const [control, least, most] of [
    ["none", 0, 0.7],
    ["503", 0.5, 0.6],
  ] as const) {
    test(`does about half of it if twice as many come and the client keeps nothing back (${control})`, () => {
      const run = new Crowd({ offered: 2 * CAPACITY, control, capacity: CAPACITY }).run(24);
      const share = run.goodput / CAPACITY;
      assert.ok(share >= least && share <= most, JSON.stringify(run));
    });
  }
});

suite("a fleet that comes to a server all at once, ten times what it can do", () => {
  const plan: Rush = { phones: 600, capacity: 30, withinMs: 2_000 };
  /** Two REGISTERs each. */
  const leastSeconds = (2 * plan.phones) / plan.capacity;

  test("comes back one by one, and meanwhile the server is in time for everything else (R111)", () => {
    const { seconds99, secondsLate } = rush(plan, 300);
    assert.ok((seconds99 ?? 300) <= 3 * leastSeconds, `all registered after ${seconds99} s`);
    assert.ok(secondsLate < leastSeconds / 2, `${secondsLate} s late`);
  });

  test("keeps a server that knows nothing of overload late all the time", () => {
    const { secondsLate } = rush({ ...plan, heedless: true }, 300);
    assert.ok(secondsLate > (3 * leastSeconds) / 4, `${secondsLate} s late`);
  });
});
