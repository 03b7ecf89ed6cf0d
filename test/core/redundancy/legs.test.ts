/** No leg of a call is left behind: ACK, CANCEL, BYE, challenges, hedging (redundancy.md §4, §8). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PASS } from "../../../src/core/network-rules.ts";
import { defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import { CALLS, dial, failover, servers } from "./callers.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { type Habit, says } from "./scripted-server.ts";

test("503 moves the call on, after its ACK (C17)", () => {
  const stage = failover();
  stage.server("primary").habits = { INVITE: says(503) };
  dial(stage).expect(`
    0.0 INVITE → primary
    0.0 503 ← primary
    0.0 ACK → primary
    0.0 INVITE → secondary
    0.0 200 ← secondary
    0.0 ACK → secondary
  `);
});

test("after a 1xx there is no failover any more, however long it takes (C16)", () => {
  const stage = failover({ inviteRetries: 0 });
  stage.server("primary").habits = {
    INVITE: (request) => [
      { status: 100 },
      { status: 180, afterMs: 100 },
      ...stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 60_000 })),
    ],
  };
  dial(stage)
    .until(70)
    .expect(`
    0.0 INVITE → primary
    0.0 100 ← primary
    0.1 180 ← primary
    60.0 200 ← primary
    60.0 ACK → primary
  `);
});

test("every attempt has the same Call-ID, From tag and CSeq, so that a callee rings once (I7)", () => {
  const { sent } = dial(failover({ inviteRetries: 0 }).cut("primary")).until(5);
  const attempts = sent.filter(({ method, again }) => method === "INVITE" && !again);
  const distinct = (name: string): number =>
    new Set(attempts.map(({ text }) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1])).size;
  assert.equal(attempts.length, 2);
  assert.deepEqual(
    [distinct("Call-ID"), distinct("From"), distinct("CSeq"), distinct("Via")],
    [1, 1, 1, 2],
  );
});

test("a target that rings late is told to stop (late 1xx → CANCEL)", () => {
  const stage = failover({ inviteRetries: 0 });
  stage.server("primary").habits = {
    INVITE: () => [{ status: 180, afterMs: 2000 }],
  };
  dial(stage)
    .until(5)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE → secondary
    0.5 200 ← secondary
    0.5 ACK → secondary
    2.0 180 ← primary
    2.0 CANCEL → primary
    2.0 200 ← primary
  `);
});

test("a target that rings late, while the next is being got ready, has the call: nothing went elsewhere yet (C16, R69)", () => {
  const stage = failover(
    { inviteRetries: 0, registerOnFailover: true },
    {},
    { methods: [...CALLS, "REGISTER"] },
  );
  stage.server("primary").habits = {
    INVITE: (request) => [
      { status: 180, afterMs: 1800 },
      ...stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 50_000 })),
    ],
  };
  stage.server("secondary").habits = {
    REGISTER: (request) =>
      stage
        .server("secondary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 3000 })),
  };
  dial(stage)
    .until(51)
    .expect(`
    0.0 INVITE → primary
    0.5 REGISTER → secondary
    1.0 REGISTER ↻ secondary
    1.8 180 ← primary
    2.0 REGISTER ↻ secondary
    3.5 200 ← secondary
    4.0 200 ← secondary
    5.0 200 ← secondary
    50.0 200 ← primary
    50.0 ACK → primary
  `);
});

test("a target that answers late is acknowledged and hung up (late 2xx → ACK, BYE)", () => {
  const stage = failover({ inviteRetries: 0 });
  stage.server("primary").habits = {
    INVITE: (request) =>
      stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 2000 })),
  };
  dial(stage)
    .until(5)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE → secondary
    0.5 200 ← secondary
    0.5 ACK → secondary
    2.0 200 ← primary
    2.0 ACK → primary
    2.0 BYE → primary
    2.0 200 ← primary
  `);
});

test("hanging up while nobody has answered sends nothing; whoever rings after all is cancelled (R18)", () => {
  const stage = failover();
  stage.server("primary").habits = { INVITE: () => [{ status: 180, afterMs: 2000 }] };
  dial(stage)
    .until(1)
    .do((now) => stage.phone.hangup(now));
  stage.until(5).expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    2.0 180 ← primary
    2.0 CANCEL → primary
    2.0 200 ← primary
    2.5 180 ← primary
  `);
});

test("a challenge is met where it was made, with the next CSeq, and the clock of that target begins anew (C20)", () => {
  const stage = failover({ inviteRetries: 0 });
  stage.server("primary").habits = {
    INVITE: (request) =>
      request.headers.has("proxy-authorization")
        ? stage
            .server("primary")
            .yes(request)
            .map((reply) => ({ ...reply, afterMs: 300 }))
        : [
            {
              status: 407,
              afterMs: 300,
              headers: { "proxy-authenticate": 'Digest realm="x", nonce="n"' },
            },
          ],
  };
  dial(stage)
    .until(2)
    .expect(`
    0.0 INVITE → primary
    0.3 407 ← primary
    0.3 ACK → primary
    0.3 INVITE → primary
    0.6 200 ← primary
    0.6 ACK → primary
  `);
  const numbers = stage.sent.filter(({ method }) => method === "INVITE");
  assert.deepEqual(
    numbers.map(({ text }) => /^CSeq: (\d+)/m.exec(text)?.[1]),
    ["1", "2"],
  );
});

test("hedging: the next attempt starts beside the first, and whoever answers first has the call (§8)", () => {
  const stage = failover({}, { hedgeMs: 200 });
  stage.server("primary").habits = { INVITE: () => [{ status: 180, afterMs: 1000 }] };
  dial(stage)
    .until(3)
    .expect(`
    0.0 INVITE → primary
    0.2 INVITE → secondary
    0.2 200 ← secondary
    0.2 ACK → secondary
    1.0 180 ← primary
    1.0 CANCEL → primary
    1.0 200 ← primary
  `);
});

test("hedging: a slow first target that is heard before the second has answered keeps the call", () => {
  const stage = failover({}, { hedgeMs: 200 });
  stage.server("primary").habits = {
    INVITE: (request) => [
      { status: 180, afterMs: 300 },
      ...stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 900 })),
    ],
  };
  stage.server("secondary").habits = { INVITE: () => [{ status: 180, afterMs: 400 }] };
  dial(stage)
    .until(3)
    .expect(`
    0.0 INVITE → primary
    0.2 INVITE → secondary
    0.3 180 ← primary
    0.6 180 ← secondary
    0.6 CANCEL → secondary
    0.6 200 ← secondary
    0.9 200 ← primary
    0.9 ACK → primary
  `);
});

test("hedging: with both silent each is left after its own patience", () => {
  const stage = failover(
    { inviteRetries: 1 },
    { hedgeMs: 200 },
    { methods: ["INVITE"], events: ["call.ended"] },
  );
  dial(stage.cut("primary", "secondary")).until(60);
  const ended = stage.take().at(-1);
  assert.equal(ended, "32.2 * call.ended why=timeout");
});

/** Hedged over connections: that to the secondary is there after a second only. */
function slowlyHedged(habit: Habit): Rehearsal {
  const stage = failover({ transport: "tcp" }, { hedgeMs: 200 });
  const { address } = stage.server("secondary");
  stage.simulation.network.fault("slow", (_now, { to }) =>
    to === address ? { kind: "delay", ms: 1000 } : PASS,
  );
  stage.server("primary").habits = { INVITE: habit };
  return dial(stage).until(7);
}

test("hedging: who has no connection yet when the first says 100 is not asked any more (C16)", () => {
  slowlyHedged(() => [
    { status: 100, afterMs: 500 },
    { status: 486, afterMs: 5000 },
  ]).expect(`
    0.0 INVITE → primary
    0.5 100 ← primary
    5.0 486 ← primary
    5.0 ACK → primary
  `);
});

test("hedging: nor when the first was merged at the callee (RFC 3261 §8.2.2.2)", () => {
  slowlyHedged(() => [{ status: 482, afterMs: 500 }]).expect(`
    0.0 INVITE → primary
    0.5 482 ← primary
    0.5 ACK → primary
  `);
});

const CHALLENGE = { "proxy-authenticate": 'Digest realm="x", nonce="n"' };

test("hedging: credentials for another than the one heard of bring nobody's turn (C16)", () => {
  const stage = servers({ hedgeMs: 200 }, "192.0.2.13", "192.0.2.14", "192.0.2.15");
  stage.server("primary").habits = {
    INVITE: () => [
      { status: 100, afterMs: 300 },
      { status: 486, afterMs: 5000 },
    ],
  };
  stage.server("secondary").habits = {
    INVITE: ({ headers }) =>
      headers.has("proxy-authorization") ? [] : [{ status: 407, afterMs: 200, headers: CHALLENGE }],
  };
  const { sent } = dial(stage).until(7);
  const invites = sent.filter(({ method, again }) => method === "INVITE" && !again);
  assert.deepEqual(
    invites.map(({ to }) => to),
    ["primary", "secondary", "secondary"],
  );
});

test("hedging: CSeq never goes back, be it for who was there first and has no connection yet (RFC 3261 §22.2)", () => {
  const addresses = ["192.0.2.13", "192.0.2.14", "192.0.2.15"];
  const stage = servers(
    { hedgeMs: 200, skipKnownDead: false },
    ...addresses.map((address) => defaultServer(address, { port: 5060, transport: "tcp" })),
  );
  stage.simulation.network.fault("slow", (_now, { to }) =>
    to === addresses[0] ? { kind: "delay", ms: 1000 } : PASS,
  );
  stage.kill("primary").until(0.1).revive("primary");
  stage.server("secondary").habits = {
    INVITE: ({ headers }) =>
      headers.has("proxy-authorization")
        ? [{ status: 503 }]
        : [{ status: 407, headers: CHALLENGE }],
  };
  stage.server("fallback").habits = { INVITE: () => [] };
  const { sent } = dial(stage).until(7);
  const invites = sent.filter(({ method, again }) => method === "INVITE" && !again);
  assert.deepEqual(
    invites.map(({ to, text }) => `${to} ${/^CSeq: (\d+)/m.exec(text)?.[1]}`),
    ["secondary 1", "secondary 2", "fallback 2", "primary 2"],
  );
});

test("482 from the next target means that the first has reached the callee: it is waited for (RFC 3261 §8.2.2.2)", () => {
  const stage = failover({ inviteRetries: 0 });
  const late = { afterMs: 3000 };
  stage.server("primary").habits = {
    INVITE: (request) => [
      { status: 180, ...late },
      ...stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 5000 })),
    ],
  };
  stage.server("secondary").habits = {
    INVITE: () => [{ status: 100 }, { status: 482, afterMs: 50 }],
  };
  dial(stage)
    .until(8)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE → secondary
    0.5 100 ← secondary
    0.6 482 ← secondary
    0.6 ACK → secondary
    3.0 180 ← primary
    5.0 200 ← primary
    5.0 ACK → primary
  `);
});

test("482 with nobody before it is the answer", () => {
  const stage = failover({}, {}, { events: ["call.ended"] });
  stage.server("primary").habits = { INVITE: () => [{ status: 482 }] };
  dial(stage)
    .until(1)
    .expect(`
    0.0 INVITE → primary
    0.0 482 ← primary
    0.0 ACK → primary
    0.0 * call.ended why=rejected status=482
  `);
});

test("an answer that comes when the INVITE is long forgotten is acknowledged and hung up all the same", () => {
  const stage = failover({ inviteRetries: 0 });
  stage.server("primary").habits = {
    INVITE: (request) =>
      stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, afterMs: 40_000 })),
  };
  dial(stage)
    .until(2)
    .do((now) => stage.phone.hangup(now));
  stage.until(39).take();
  stage.until(50).expect(`
    40.0 200 ← primary
    40.0 ACK → primary
    40.0 BYE → primary
    40.0 200 ← primary
  `);
});
