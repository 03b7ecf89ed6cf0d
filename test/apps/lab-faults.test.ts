/**
 * Scenarios on real processes: those whose faults only real sockets and real certificates can show to work, and the one
 * in which all that phones subscribe to and publish moves and returns.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { player } from "../support/lab-plays.ts";

const playScenario = player();

for (const name of [
  "connection-reset",
  "certificate-expired",
  "clock-skew",
  "subscriptions-follow",
]) {
  test(`${name} passes with real processes`, async () => {
    const played = await playScenario(name);
    assert.deepEqual(played?.verdict.failures, []);
  });
}
