/** The bounds that a policy promises, for policies whose sums can be done by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bounds, boundsOf, type Surroundings } from "../../../src/core/redundancy/bounds.ts";
import type { RedundancyPolicy } from "../../../src/core/redundancy/policy.ts";
import { defaultPolicy, defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import { sample } from "./rehearsal.ts";

const IDEAL: Surroundings = {
  targets: () => 1,
  grantedSeconds: 7200,
  ttlSeconds: 60,
  retryAfterSeconds: 0,
  answerMs: 0,
  callsPerMinute: 1,
};

function policyOf(name: string): RedundancyPolicy {
  const [account] = sample(name);
  assert.ok(account !== undefined);
  return account.redundancy;
}

function bounds(policy: RedundancyPolicy, around: Partial<Surroundings> = {}): Bounds {
  return boundsOf(policy, { ...IDEAL, ...around });
}

test("B of Y1: renewal at 300 s, a round of 7.5 + 7.5 + 32 s, 30 s of back-off, and a round again", () => {
  assert.equal(
    bounds(policyOf("Y1-register-fallback.cfg")).registeredMs,
    300_000 + 47_000 + 30_000 + 47_000,
  );
});

test("B grows with the longest Retry-After, the surge and every further target", () => {
  const policy = policyOf("Y1-register-fallback.cfg");
  const plain = bounds(policy).registeredMs;
  assert.equal(bounds(policy, { retryAfterSeconds: 60 }).registeredMs, plain + 60_000);
  assert.equal(bounds({ ...policy, startSurgeMs: 5000 }).registeredMs, plain + 5000);
  const twice = bounds(policy, { targets: (hop) => (hop === 1 ? 2 : 1) }).registeredMs;
  assert.equal(twice, plain + 2 * 7500);
});

test("B counts the lifetime that is granted, not more than was asked for", () => {
  const policy = defaultPolicy(
    defaultServer("192.0.2.13", { expiresSeconds: 600, overlapSeconds: "half" }),
  );
  const asked = bounds(policy).registeredMs;
  assert.equal(bounds(policy, { grantedSeconds: 60 }).registeredMs, asked - 270_000);
});

test("F of Y1 is B, a probe in vain, a period of probes with its start, and the probe that succeeds", () => {
  const { registeredMs, homeMs } = bounds(policyOf("Y1-register-fallback.cfg"));
  assert.equal(homeMs, registeredMs + 7500 + 2 * 120_000 + 7500 + 500 + 7500);
});

test("F is infinite where the phone never returns by time, unless there is nowhere to return from", () => {
  const stay = { failbackMode: "duration", failbackSeconds: 0 } as const;
  const policy = defaultPolicy(defaultServer("pbx.example.com", stay));
  assert.equal(bounds(policy, { targets: () => 2 }).homeMs, Number.POSITIVE_INFINITY);
  assert.ok(Number.isFinite(bounds(policy).homeMs));
});

test("F waits for the TTL, the renewal or the duration, as the mode says: the spread of returns shortens it", () => {
  const at = (change: Parameters<typeof defaultServer>[1]): number =>
    bounds(defaultPolicy(defaultServer("pbx.example.com", change)), { targets: () => 2 }).homeMs;
  const none = at({ failbackMode: "newRequests" });
  assert.equal(at({ failbackMode: "DNSTTL" }), none + 60_000);
  assert.equal(at({ failbackMode: "registration" }), none + 540_000);
  assert.equal(at({ failbackMode: "duration", failbackSeconds: 120 }), none + 120_000);
});

test("S is finite whatever a file says, a back-off of 0 included", () => {
  const policy: RedundancyPolicy = {
    ...policyOf("Y1-register-fallback.cfg"),
    backoff: { kind: "fixed", intervalMs: 0 },
  };
  const { registersPerMinute } = bounds(policy);
  assert.ok(registersPerMinute > 60 && registersPerMinute < 5000, String(registersPerMinute));
});

test("C of Y1: the rounds of INVITE and of the REGISTERs before it, and Timer C of whoever is at work", () => {
  assert.equal(bounds(policyOf("Y1-register-fallback.cfg")).callMs, 47_000 + 47_000 + 181_000);
});

test("C of P1: 2.0 s at the first server, 3.5 s at the second and all of Timer B, and nothing to register", () => {
  const policy = policyOf("P1-fallback-register-both.xml");
  assert.equal(bounds(policy).callMs, 2000 + 3500 + 32_000 + 181_000);
});
