/** Granted lifetimes that differ (R30, R111). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_REGISTRAR_LIMITS } from "../../../src/core/server/registration.ts";
import { grantedSeconds } from "../../../src/core/server/spread.ts";
import { TestPhone } from "./test-phone.ts";
import { Town } from "./town.ts";

const SPREAD = { ...DEFAULT_REGISTRAR_LIMITS, expirySpread: 0.2 };

test("lifetimes spread evenly over the share, and none is longer than asked for (R30, R111)", () => {
  const counts = new Map<number, number>();
  for (let phone = 0; phone < 12_100; phone += 1) {
    const seconds = grantedSeconds(600, SPREAD, `call-${phone}`, 1);
    counts.set(seconds, (counts.get(seconds) ?? 0) + 1);
  }
  assert.equal(Math.min(...counts.keys()), 480);
  assert.equal(Math.max(...counts.keys()), 600);
  assert.equal(counts.size, 121);
  assert.ok(Math.max(...counts.values()) < 160, "100 each are to be expected");
});

test("one phone gets another lifetime each time, a retransmission the same (R111)", () => {
  const first = Array.from({ length: 20 }, (_, cseq) => grantedSeconds(600, SPREAD, "call", cseq));
  assert.deepEqual(
    first,
    first.map((_, cseq) => grantedSeconds(600, SPREAD, "call", cseq)),
  );
  assert.ok(new Set(first).size > 10);
});

test("nothing is granted that would have been refused as too brief (R31)", () => {
  for (let cseq = 0; cseq < 100; cseq += 1) {
    assert.equal(grantedSeconds(10, SPREAD, "call", cseq), 10);
    assert.ok(grantedSeconds(11, SPREAD, "call", cseq) >= 10);
  }
});

test("the registrar grants so, at the first REGISTER and at renewals, and says what it granted (R23, R111)", () => {
  const town = new Town();
  town.server({ limits: SPREAD });
  const phone = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  const granted: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    phone.register("udp:10.0.0.1:5060", ["Expires: 600"]);
    const contact = phone.final("REGISTER").headers.get("contact") ?? "";
    granted.push(Number(/expires=(\d+)/.exec(contact)?.[1]));
  }
  assert.ok(
    granted.every((seconds) => seconds >= 480 && seconds <= 600),
    granted.join(" "),
  );
  assert.ok(new Set(granted).size > 3, granted.join(" "));
});

test("a fleet that came within a minute lies evenly in time after some renewals (R111)", () => {
  const worst = (expirySpread: number): number => {
    const renewals = new Uint32Array(54);
    for (let phone = 0; phone < 5_000; phone += 1) {
      const limits = { ...DEFAULT_REGISTRAR_LIMITS, expirySpread };
      let at = (phone / 5_000) * 60;
      // A minute before the end of what was granted, until twenty rounds have passed; then one round is counted.
      for (let cseq = 1; at < 21 * 540; cseq += 1) {
        if (at >= 20 * 540) renewals[Math.floor((at - 20 * 540) / 10)]! += 1;
        at += grantedSeconds(600, limits, `call-${phone}`, cseq) - 60;
      }
    }
    return Math.max(...renewals) / (renewals.reduce((sum, one) => sum + one, 0) / renewals.length);
  };
  assert.ok(worst(0) > 8, "without, the march goes on for ever");
  assert.ok(worst(0.2) < 1.6, "with a fifth it is over");
});
