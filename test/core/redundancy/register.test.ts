/** REGISTER: what counts as failure, and where it goes next (redundancy.md §4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal } from "./rehearsal.ts";
import { SILENT, says } from "./scripted-server.ts";
import { calm, FALLBACK, failover } from "./stages.ts";

test("a closed port is left at once: ICMP is told before a second REGISTER would go out", () => {
  failover()
    .kill("primary")
    .start()
    .until(5)
    .expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
  `);
});

test("silence is left after the resends of the retry count, and the last target gets all of Timer F", () => {
  failover({ registerRetries: 1 })
    .cut("primary", "secondary")
    .start()
    .until(40)
    .expect(`
    0.0 REGISTER → primary
    0.5 REGISTER ↻ primary
    1.5 REGISTER → secondary
    2.0 REGISTER ↻ secondary
    3.0 REGISTER ↻ secondary
    5.0 REGISTER ↻ secondary
    9.0 REGISTER ↻ secondary
    13.0 REGISTER ↻ secondary
    17.0 REGISTER ↻ secondary
    21.0 REGISTER ↻ secondary
    25.0 REGISTER ↻ secondary
    29.0 REGISTER ↻ secondary
    33.0 REGISTER ↻ secondary
  `);
});

test("a retry count of 0 gives a target one send and T1", () => {
  failover({ registerRetries: 0 })
    .cut("primary")
    .start()
    .until(5)
    .expect(`
    0.0 REGISTER → primary
    0.5 REGISTER → secondary
    0.5 200 ← secondary
  `);
});

test("a fixed spacing takes the place of Timer E", () => {
  failover({ registerRetries: 2, retryIntervalMs: 300 })
    .cut("primary")
    .start()
    .until(5)
    .expect(`
    0.0 REGISTER → primary
    0.3 REGISTER ↻ primary
    0.6 REGISTER ↻ primary
    0.9 REGISTER → secondary
    0.9 200 ← secondary
  `);
});

test("strictLastTarget: the last target of each name gets all of Timer F, not only that of the whole list", () => {
  const servers = [
    defaultServer("dual.pbx.example.com", { port: 5060, transport: "udp", registerRetries: 0 }),
    defaultServer(FALLBACK),
  ] as const;
  for (const strictLastTarget of [true, false]) {
    const policy = defaultPolicy(...servers);
    const redundancy = {
      ...policy,
      registration: "successive" as const,
      ...calm({ strictLastTarget }),
    };
    const stage = new Rehearsal([defaultAccount("2001", redundancy)]);
    stage.cut("primary", "secondary").start().until(60);
    const first = stage.sent.find(({ to }) => to === "fallback");
    assert.equal(first?.at, strictLastTarget ? 32_500 : 1000);
  }
});

test("every attempt has the same Call-ID, From tag and CSeq, and a branch of its own", () => {
  const { sent } = failover({ registerRetries: 0 }).cut("primary").start().until(5);
  const header = (name: string): string[] =>
    sent.map(({ text }) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "");
  const distinct = (name: string): number => new Set(header(name)).size;
  assert.equal(sent.length, 2);
  assert.deepEqual(
    [distinct("Call-ID"), distinct("From"), distinct("CSeq"), distinct("Via")],
    [1, 1, 1, 2],
  );
});

test("503 fails the request and leaves the health of the target alone (R50)", () => {
  const stage = failover({}, {}, { events: ["server.suspected"] });
  stage.server("primary").habits = { REGISTER: says(503) };
  stage.start().expect(`
    0.0 REGISTER → primary
    0.0 503 ← primary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
  `);
});

test("503 with Retry-After: nothing at all is sent there until then (C24)", () => {
  const stage = failover({ expiresSeconds: 60, overlapSeconds: 50, failbackMode: "newRequests" });
  stage.server("primary").habits = { REGISTER: says(503, { "retry-after": "35" }) };
  stage
    .start()
    .until(31)
    .expect(`
    0.0 REGISTER → primary
    0.0 503 ← primary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
    10.0 REGISTER → secondary
    10.0 200 ← secondary
    20.0 REGISTER → secondary
    20.0 200 ← secondary
    30.0 REGISTER → secondary
    30.0 200 ← secondary
  `);
  stage.server("primary").habits = {};
  stage.until(41).expect(`
    40.0 REGISTER → primary
    40.0 200 ← primary
  `);
});

for (const registration of ["successive", "concurrent"] as const) {
  test(`Retry-After heard by a call, its only server: the renewal comes when that is over, ${registration}`, () => {
    const only = defaultServer("192.0.2.13", { expiresSeconds: 60, overlapSeconds: "half" });
    const redundancy = { ...defaultPolicy(only), ...calm(), registration };
    const events = ["registration.failed"];
    const stage = new Rehearsal([defaultAccount("2001", redundancy)], { events });
    stage.server("primary").habits = { INVITE: says(503, { "retry-after": "35" }) };
    stage
      .start()
      .until(20)
      .do(() => stage.phone.call("2099"))
      .until(59)
      .expect(`
      0.0 REGISTER → primary
      0.0 200 ← primary
      20.0 INVITE → primary
      20.0 503 ← primary
      20.0 ACK → primary
      30.0 * registration.failed server=1 target=primary why=quiet status=undefined
      55.0 REGISTER → primary
      55.0 200 ← primary
    `);
  });
}

for (const registration of ["successive", "concurrent"] as const) {
  test(`a REGISTER that was not sent counts for no failure: the back-off begins with the next, ${registration}`, () => {
    const only = defaultServer("192.0.2.13", { expiresSeconds: 60, overlapSeconds: "half" });
    const backoff = { kind: "rfc5626", baseMs: 1000, maxMs: 64_000 } as const;
    const redundancy = { ...defaultPolicy(only), ...calm({ backoff }), registration };
    const stage = new Rehearsal([defaultAccount("2001", redundancy)]);
    stage.server("primary").habits = { INVITE: says(503, { "retry-after": "35" }) };
    stage
      .start()
      .until(20)
      .do(() => stage.phone.call("2099"));
    stage.until(50).take();
    stage.server("primary").habits = { REGISTER: says(500) };
    const sent = (): number => stage.take().filter((line) => line.includes("REGISTER →")).length;
    stage.until(55.9);
    assert.equal(sent(), 1);
    // One failure: 1 to 2 s; after two it would be 2 to 4 s.
    stage.until(57.01);
    assert.equal(sent(), 1);
  });
}

test("failoverOn503 off: a 503 is the answer, and REGISTER is tried again as the back-off says", () => {
  const stage = failover({}, { failoverOn503: false });
  stage.server("primary").habits = { REGISTER: says(503) };
  stage
    .start()
    .until(31)
    .expect(`
    0.0 REGISTER → primary
    0.0 503 ← primary
    30.0 REGISTER → primary
    30.0 503 ← primary
  `);
});

test("a refusal is an answer; 403 waits for the back-off and does not hammer (C23)", () => {
  const stage = failover();
  stage.server("primary").habits = { REGISTER: says(403) };
  stage
    .start()
    .until(95)
    .expect(`
    0.0 REGISTER → primary
    0.0 403 ← primary
    30.0 REGISTER → primary
    30.0 403 ← primary
    60.0 REGISTER → primary
    60.0 403 ← primary
    90.0 REGISTER → primary
    90.0 403 ← primary
  `);
});

test("redundancy_with_reg_fail: any final refusal but 401, 407 and 423 moves on (C19)", () => {
  const stage = failover({}, { failoverOnRegisterRefusal: true });
  stage.server("primary").habits = { REGISTER: says(404) };
  stage.start().expect(`
    0.0 REGISTER → primary
    0.0 404 ← primary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
  `);
});

test("a configured status moves on as well", () => {
  const stage = failover({}, { failoverStatuses: [480] });
  stage.server("primary").habits = { REGISTER: says(480) };
  stage.start().expect(`
    0.0 REGISTER → primary
    0.0 480 ← primary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
  `);
});

test("when all refuse, the refusal is told and the wait it asks for is kept", () => {
  const stage = failover({}, {}, { events: ["registration.failed"] });
  for (const name of ["primary", "secondary"] as const) {
    stage.server(name).habits = { REGISTER: says(503, { "retry-after": "50" }) };
  }
  stage
    .start()
    .until(49)
    .expect(`
    0.0 REGISTER → primary
    0.0 503 ← primary
    0.0 REGISTER → secondary
    0.0 503 ← secondary
    0.0 * registration.failed server=1 target=secondary why=rejected status=503
  `);
  for (const name of ["primary", "secondary"] as const) stage.server(name).habits = {};
  stage.until(51).expect(`
    50.0 REGISTER → primary
    50.0 200 ← primary
  `);
});

test("the answer to a challenge goes to the target that challenged, with the next CSeq (C20)", () => {
  const stage = failover({}, {}, {});
  let challenged = 0;
  stage.server("secondary").habits = {
    REGISTER: (request) => {
      if (request.headers.has("authorization")) return stage.server("secondary").yes(request);
      challenged += 1;
      return [{ status: 401, headers: { "www-authenticate": 'Digest realm="x", nonce="n"' } }];
    },
  };
  stage
    .kill("primary")
    .start()
    .expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → secondary
    0.0 401 ← secondary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
  `);
  assert.equal(challenged, 1);
  const numbers = stage.sent.map(({ text }) => /^CSeq: (\d+)/m.exec(text)?.[1]);
  assert.deepEqual(numbers, ["1", "1", "2"]);
});

test("credentials never go to a target that did not ask for them (I7)", () => {
  const stage = failover({ registerRetries: 0, expiresSeconds: 60, overlapSeconds: "half" });
  stage.server("primary").habits = {
    REGISTER: (request) =>
      request.headers.has("authorization")
        ? stage.server("primary").yes(request)
        : [{ status: 401, headers: { "www-authenticate": 'Digest realm="x", nonce="n"' } }],
  };
  stage.start().until(10).cut("primary").until(100);
  const strangers = stage.sent.filter(({ to }) => to === "secondary");
  assert.ok(strangers.length > 0);
  for (const { text } of strangers) assert.doesNotMatch(text, /^Authorization:/m);
});

test("a target that challenges for ever is believed after three rounds", () => {
  const stage = failover({}, {}, { methods: ["REGISTER"], events: ["registration.failed"] });
  let nonce = 0;
  stage.server("primary").habits = {
    REGISTER: () => {
      nonce += 1;
      const challenge = `Digest realm="x", nonce="${nonce}", stale=true`;
      return [{ status: 401, headers: { "www-authenticate": challenge } }];
    },
  };
  stage.start().until(20);
  assert.equal(stage.sent.length, 4);
  assert.equal(
    stage.take().at(-1),
    "0.0 * registration.failed server=1 target=primary why=rejected status=401",
  );
});

test("a connected but mute server costs as much as UDP silence, and its connection is dropped (C12, C15, C33)", () => {
  const stage = failover({ transport: "tcp", registerRetries: 1 });
  stage.server("primary").habits = { "*": SILENT };
  stage
    .start()
    .until(40)
    .expect(`
    0.0 REGISTER → primary
    1.5 REGISTER → secondary
    1.5 200 ← secondary
  `);
});
