/** What must never get stuck, spin or ring twice, whatever comes together at a bad moment (redundancy.md §5, §10). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failover, successive } from "./stages.ts";

test("a removal on its way does not swallow the next REGISTER at that server (C7, C21, R21)", () => {
  const stage = successive({ keepAliveMs: 5000 }, { methods: ["REGISTER"] })
    .kill("primary")
    .start()
    .until(59)
    .revive("primary");
  const fallback = stage.server("fallback");
  fallback.habits = {
    REGISTER: (request) => (request.headers.get("expires") === "0" ? [] : fallback.yes(request)),
  };
  stage.until(62).kill("primary").take();
  stage.until(100).expect(`
    63.5 REGISTER 0 ↻ fallback
    65.0 REGISTER → primary
    67.5 REGISTER → fallback
    67.5 200 ← fallback
  `);
});

test("a call that waits for a probe is told when the server in use is lost meanwhile", () => {
  const stage = successive({ keepAliveMs: 0 }, { methods: ["REGISTER"], events: ["call.ended"] })
    .kill("primary")
    .start()
    .until(59);
  stage.revive("primary").cut("primary").until(61).kill("fallback").take();
  stage
    .do(() => stage.phone.call("2099"))
    .until(80)
    .expect(`
      61.0 REGISTER → fallback
      61.5 REGISTER ↻ primary
      63.5 REGISTER ↻ primary
      67.5 * call.ended why=transport
    `);
  assert.ok(stage.phone.idle);
});

test("hedging: who was heard while the next target was still being got ready keeps the call (I7)", () => {
  const stage = failover({}, { hedgeMs: 200 }, { methods: ["INVITE", "REGISTER"] }).start();
  stage.server("primary").habits = { INVITE: () => [{ status: 180, afterMs: 400 }] };
  const secondary = stage.server("secondary");
  secondary.habits = {
    REGISTER: (request) => secondary.yes(request).map((reply) => ({ ...reply, afterMs: 400 })),
  };
  stage.take();
  stage
    .do(() => stage.phone.call("2099"))
    .until(3)
    .expect(`
      0.0 INVITE → primary
      0.2 REGISTER → secondary
      0.4 180 ← primary
      0.6 200 ← secondary
    `);
});
