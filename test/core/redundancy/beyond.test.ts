/** What no maker's phone does, switched on in our own dialect: what it buys, in seconds of virtual time (redundancy.md §8). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  type Dialect,
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
  POLICY_DEFAULTS,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { type PlaceName, Rehearsal, type RehearsalOptions } from "./rehearsal.ts";

/** Our own defaults at a name with two targets, registered, the ladder at zero after so many seconds. */
function phone(
  change: Partial<RedundancyPolicy> = {},
  server: Partial<ServerPolicy> = {},
  options: RehearsalOptions = {},
  deaf: readonly PlaceName[] = [],
): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", { port: 5060, transport: "udp", ...server });
  const redundancy = { ...defaultPolicy(named), refreshJitter: 0, ...change };
  const stage = new Rehearsal([defaultAccount("2001", redundancy)], options);
  deaf.forEach((name) => {
    stage.server(name).habits = { OPTIONS: () => [] };
  });
  return stage.start().until(30).zero();
}

/** Dials, and tells after how many seconds the call was answered; it lasts for so many at the most. */
function answeredAfter(stage: Rehearsal, lasts = 60): number {
  const before = stage.simulation.now;
  const known = stage.events.length;
  stage.do(() => stage.phone.call("2099"));
  stage.zero().until(lasts);
  const answered = stage.events.slice(known).find(({ event }) => event === "call.answered");
  stage
    .do((now) => stage.phone.hangup(now))
    .zero()
    .until(1);
  return answered === undefined ? Number.NaN : ((answered.at as number) - before) / 1000;
}

test("the next call after a silent primary is answered within a second, and the one after it at once", () => {
  const stage = phone({ healthProbeMs: 3_600_000 }).cut("primary");
  const first = answeredAfter(stage);
  assert.ok(first >= 0.5 && first <= 1, `${first} s`);
  const second = answeredAfter(stage);
  assert.ok(second <= 0.1, `${second} s`);
});

test("a renewal that waits for a silent primary does not hold up the next call", () => {
  const stage = phone({ healthProbeMs: 0 }, { expiresSeconds: 50, overlapSeconds: 10 });
  stage.until(9.9).cut("primary").until(10.5);
  assert.equal(stage.sent.at(-1)?.method, "REGISTER");
  const first = answeredAfter(stage);
  assert.ok(first >= 0.5 && first <= 1, `${first} s`);
});

test("without a hedge it is answered after the 7.5 s of the retry counts", () => {
  const stage = phone({ hedgeMs: 0, healthProbeMs: 0 }).cut("primary");
  const after = answeredAfter(stage);
  assert.ok(after >= 7.5 && after <= 8, `${after} s`);
});

test("what two calls have found out stands for the next one, though the servers answer no probe", () => {
  const stage = phone({ healthProbeMs: 2_000 }, { failbackMode: "newRequests" }, {}, [
    "primary",
    "secondary",
  ]).cut("primary");
  const [first = 0, second = 0, third] = [1, 2, 3].map(() => answeredAfter(stage, 12));
  assert.ok(first >= 0.5 && second >= 0.5, `${first} s, ${second} s`);
  assert.ok(third !== undefined && third <= 0.1, `${third} s`);
});

test("a probe that knew costs the call nothing", () => {
  const stage = phone().cut("primary").until(60);
  const after = answeredAfter(stage);
  assert.ok(after <= 0.1, `${after} s`);
});

for (const expiresSeconds of [600, 3600, 86_400]) {
  test(`by default registered anew 38 s after a silent primary at the latest, the expiry ${expiresSeconds} s`, () => {
    const shown = { methods: [], events: ["registration.accepted"] };
    const stage = phone({}, { expiresSeconds }, shown).cut("primary").until(38);
    assert.equal(stage.take().length, 1);
    const probing = phone({ registrarProbeMs: 2000 }, { expiresSeconds }, shown).cut("primary");
    assert.equal(probing.until(10).take().length, 1);
    const plain = phone({ ...PLAIN }, { expiresSeconds }, shown)
      .cut("primary")
      .until(38);
    assert.deepEqual(plain.take(), []);
  });
}

test("back at the primary within the 120 s of the mode and a second, after three good probes", () => {
  const shown = { methods: [], events: ["server.failed-back"] };
  const stage = phone({}, {}, shown).cut("primary");
  stage.until(45).revive("primary").zero().until(121);
  assert.equal(stage.take().length, 1);
});

test("a server that never answers OPTIONS is no dead server: REGISTER finds out, and stays", () => {
  const shown = { methods: [], events: ["registration.accepted"] };
  const stage = phone({}, {}, shown, ["primary", "secondary"]).until(400);
  const targets = new Set(stage.take().map((line) => line.split(" ").at(-1)));
  assert.ok(!targets.has("target=secondary"), [...targets].join());
});

test("hedging: a 100 from the second ends nothing; its 482 shows that the first has the callee, who rings once (I7)", () => {
  const stage = phone(
    { hedgeMs: 500, healthProbeMs: 0 },
    { registerOnFailover: false },
    { methods: ["INVITE", "CANCEL"], events: ["call.ringing", "call.answered"] },
  );
  const primary = stage.server("primary");
  primary.habits = {
    INVITE: (request) => [
      { status: 180, afterMs: 900 },
      ...primary.yes(request).map((reply) => ({ ...reply, afterMs: 2000 })),
    ],
  };
  stage.server("secondary").habits = {
    INVITE: () => [{ status: 100 }, { status: 482, afterMs: 200 }],
  };
  stage.take();
  stage
    .do(() => stage.phone.call("2099"))
    .zero()
    .until(3);
  const lines = stage.take().map((line) => line.slice(line.indexOf(" ") + 1));
  assert.ok(!lines.some((line) => line.startsWith("CANCEL")), lines.join("\n"));
  assert.ok(
    lines.some((line) => line.startsWith("* call.answered")),
    lines.join("\n"),
  );
  const numbers = stage.sent.filter(({ method }) => method === "INVITE");
  const cseqs = new Set(numbers.map(({ text }) => /^CSeq: (\d+)/m.exec(text)?.[1]));
  assert.equal(cseqs.size, 1, "both legs count alike");
});

test("the makers' dialects have none of it", () => {
  for (const dialect of ["yealink", "polycom"] as readonly Dialect[]) {
    const policy = POLICY_DEFAULTS[dialect];
    for (const [field, value] of Object.entries(PLAIN)) {
      assert.equal(policy[field as keyof typeof PLAIN], value, `${dialect} ${field}`);
    }
  }
});
