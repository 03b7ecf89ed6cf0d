/** A fleet comes home as a slope: probes and returns by time are spread (redundancy.md §8). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dialect, POLICY_DEFAULTS } from "../../../src/core/redundancy/policy-defaults.ts";
import { failover, successive } from "./stages.ts";

test("probes and returns by time come early by up to the spread, never late, and each phone at its own time", () => {
  const probes = new Set<number>();
  const returns = new Set<number>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const options = { methods: ["REGISTER"], seed };
    const below = successive({ returnSpread: 0.5, probeIntervalMs: 60_000 }, options);
    below.kill("primary").start().until(100);
    const probe = below.sent.filter(({ to }) => to === "primary")[1]?.at ?? 0;
    assert.ok(probe >= 30_000 && probe <= 60_000, `probe at ${probe}`);
    probes.add(Math.round(probe / 1000));
    const server = { failbackMode: "duration" as const, failbackSeconds: 60 };
    const away = failover(server, { returnSpread: 0.5 }, options);
    away.kill("primary").start().until(100);
    const back = away.sent.filter(({ to }) => to === "primary")[1]?.at ?? 0;
    assert.ok(back >= 30_000 && back <= 60_000, `return at ${back}`);
    returns.add(Math.round(back / 1000));
  }
  assert.ok(probes.size > 10 && returns.size > 10, "they differ");
});

test("our own dialect spreads returns unless told otherwise, the makers' dialects do not", () => {
  const shares = ["native", "yealink", "polycom"].map(
    (dialect) => POLICY_DEFAULTS[dialect as Dialect].returnSpread,
  );
  assert.deepEqual(shares, [0.2, 0, 0]);
});
