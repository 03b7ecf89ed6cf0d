/** Overload control in Via parameters (RFC 7339 §4, RFC 7415). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  LOSS_OFFER,
  MAX_VALIDITY_MS,
  mayTell,
  offeredIn,
  reportIn,
  withReport,
} from "../../../src/core/message/overload.ts";

test("an offer is `oc` without a value, with its algorithms or without (R108)", () => {
  assert.deepEqual(offeredIn(`;branch=z9hG4bK1${LOSS_OFFER}`), ["loss"]);
  assert.deepEqual(offeredIn(';rport;oc;oc-algo="loss,rate";branch=z9hG4bK1'), ["loss", "rate"]);
  assert.deepEqual(offeredIn(";oc;branch=z9hG4bK1"), ["loss"]);
  assert.equal(offeredIn(";branch=z9hG4bK1;rport"), undefined);
  assert.equal(offeredIn(";ocean;branch=z9hG4bK1"), undefined);
  assert.deepEqual(offeredIn(' ; OC ; OC-Algo = "loss"'), ["loss"]);
});

test("a report is read in whatever case and with whatever blanks (RFC 3261 §7.3.1)", () => {
  for (const params of [
    ';branch=z9hG4bK1;OC=20;OC-ALGO="LOSS";Oc-Validity=500;oC-sEq=1',
    ';branch=z9hG4bK1; oc=20; oc-algo="loss"; oc-validity=500; oc-seq=1',
    "; branch = z9hG4bK1 ; oc = 20 ; oc-algo = loss ; oc-validity = 500 ; oc-seq = 1.0",
  ]) {
    const report = { algorithm: "loss", value: 20, validityMs: 500, sequence: 1 };
    assert.deepEqual(reportIn(params), report, params);
    assert.ok(mayTell(params));
  }
  assert.equal(reportIn(";branch=z9hG4bKoc=1;oc"), undefined);
});

test("a report comes back as it was written (R108)", () => {
  const report = {
    algorithm: "loss",
    value: 20,
    validityMs: 500,
    sequence: 1_282_321_615.782,
  } as const;
  const params = withReport(`;branch=z9hG4bK1;rport=5062${LOSS_OFFER}`, report);
  assert.equal(
    params,
    ';branch=z9hG4bK1;rport=5062;oc=20;oc-algo="loss";oc-validity=500;oc-seq=1282321615.782',
  );
  assert.deepEqual(reportIn(params), report);
});

test("what is not said has its default, and nobody is silenced for longer than a minute (R108)", () => {
  assert.deepEqual(reportIn(";oc=5"), {
    algorithm: "loss",
    value: 5,
    validityMs: 500,
    sequence: 0,
  });
  assert.equal(reportIn(";oc=5;oc-validity=99999999")?.validityMs, MAX_VALIDITY_MS);
});

for (const params of [
  ";branch=z9hG4bK1",
  ";oc",
  ";oc=",
  ";oc=-1",
  ";oc=101",
  ";oc=7;oc-algo=window",
  ";oc=7;oc-seq=1e9",
  ";oc=7;oc-seq=now",
]) {
  test(`no report is read in ${params}`, () => assert.equal(reportIn(params), undefined));
}
