/** REGISTER: what counts as failure, what comes after it, and how a registration is kept (redundancy.md §4, §5). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal, type RehearsalOptions } from "./rehearsal.ts";
import { SILENT, says } from "./scripted-server.ts";

const PRIMARY = "192.0.2.13";
const FALLBACK = "192.0.2.15";

function calm(change: Partial<RedundancyPolicy> = {}): Partial<RedundancyPolicy> {
  return { refreshJitter: 0, backoff: { kind: "fixed", intervalMs: 30_000 }, ...change };
}

/** One name with two targets. */
function failover(
  server: Partial<ServerPolicy> = {},
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", { port: 5060, transport: "udp", ...server });
  const redundancy = { ...defaultPolicy(named), ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

/** Two literal addresses, one registration at a time. */
function successive(
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const servers = defaultPolicy(PRIMARY, FALLBACK);
  const redundancy = { ...servers, registration: "successive" as const, ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

function concurrent(
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const redundancy = { ...defaultPolicy(PRIMARY, FALLBACK), ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

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

test("423 asks for the lifetime that the registrar wants (R25)", () => {
  const stage = failover({ expiresSeconds: 30 });
  stage.server("primary").habits = {
    REGISTER: (request) =>
      Number(request.headers.get("expires")) < 300
        ? [{ status: 423, headers: { "min-expires": "300" } }]
        : stage.server("primary").yes(request),
  };
  stage.start();
  assert.deepEqual(
    stage.sent.map(({ text }) => /^Expires: (\d+)/m.exec(text)?.[1]),
    ["30", "300"],
  );
});

test("renewal comes the overlap before the end, and at half the lifetime where that is too short", () => {
  const lifetimes: readonly [number, number | "half", number][] = [
    [600, 60, 540],
    [3600, 60, 3540],
    [300, 5, 295],
    [60, 60, 30],
    [40, 100, 20],
    [100, "half", 50],
  ];
  for (const [expiresSeconds, overlapSeconds, renewed] of lifetimes) {
    const stage = failover({ expiresSeconds, overlapSeconds })
      .start()
      .until(renewed + 1);
    const second = stage.sent[1];
    assert.equal(second?.at, renewed * 1000, `${expiresSeconds} s with overlap ${overlapSeconds}`);
  }
});

test("the lifetime that counts is the one granted", () => {
  const stage = failover({ expiresSeconds: 3600, overlapSeconds: 60 });
  stage.server("primary").habits = {
    REGISTER: (request) => [
      { status: 200, headers: { contact: `${request.headers.get("contact")};expires=90` } },
    ],
  };
  stage.start().until(31);
  assert.equal(stage.sent[1]?.at, 30_000);
});

test("jitter takes up to its share off the wait, never more and never adds (C22)", () => {
  const waits = new Set<number>();
  for (let seed = 1; seed <= 30; seed += 1) {
    const stage = failover(
      { expiresSeconds: 600, overlapSeconds: 100 },
      { refreshJitter: 0.2 },
      { seed },
    );
    const second = stage.start().until(501).sent[1];
    assert.ok(second !== undefined && second.at >= 400_000 && second.at <= 500_000);
    waits.add(Math.round(second.at / 10_000));
  }
  assert.ok(waits.size > 5, "the waits differ");
});

test("start-up waits a random part of the surge time", () => {
  const waits = new Set<number>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const stage = failover({}, { startSurgeMs: 60_000 }, { seed }).start().until(60);
    const first = stage.sent[0];
    assert.ok(first !== undefined);
    waits.add(Math.round(first.at / 6000));
  }
  assert.ok(waits.size > 4, "the waits differ");
});

test("an answer without our Contact is no registration", () => {
  const stage = failover({}, {}, { events: ["registration.failed"] });
  stage.server("primary").habits = { REGISTER: says(200, { contact: "<sip:other@192.0.2.9>" }) };
  stage.start().expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    0.0 * registration.failed server=1 target=primary why=rejected status=200
  `);
});

test("all down: every round ends in the back-off and begins at the top; it never ends (C7, C9, C21)", () => {
  const stage = successive({}, { methods: ["REGISTER"] })
    .kill("primary", "fallback")
    .start();
  stage.until(61).expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    30.0 REGISTER → primary
    30.0 REGISTER → fallback
    60.0 REGISTER → primary
    60.0 REGISTER → fallback
  `);
  stage.until(36_000).take();
  stage.until(36_031);
  assert.equal(stage.take().length, 2, "ten hours later it still tries");
});

test("all down, and only the fallback returns: the phone registers there within one back-off (C7)", () => {
  successive({}, { events: ["server.fell-back"] })
    .kill("primary", "fallback")
    .start()
    .until(40)
    .revive("fallback")
    .until(61)
    .expect(`
      0.0 REGISTER → primary
      0.0 REGISTER → fallback
      30.0 REGISTER → primary
      30.0 REGISTER → fallback
      60.0 REGISTER → primary
      60.0 REGISTER → fallback
      60.0 200 ← fallback
      60.0 * server.fell-back from=1 to=2
    `);
});

test("concurrent: one of two servers is success, and the other is tried again for ever (C8)", () => {
  const stage = concurrent({}, { events: ["server.fell-back"] })
    .kill("primary")
    .start();
  stage.until(61).expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    0.0 * server.fell-back from=1 to=2
    0.0 200 ← fallback
    30.0 REGISTER → primary
    60.0 REGISTER → primary
  `);
});

test("concurrent: with every server away the working one does not change back and forth", () => {
  concurrent({}, { methods: [], events: ["server.fell-back", "server.failed-back"] })
    .kill("primary", "fallback")
    .start()
    .until(100)
    .revive("primary")
    .until(130)
    .expect(`
      0.0 * server.fell-back from=1 to=2
      120.0 * server.failed-back from=2 to=1 mode=registration
    `);
});

test("concurrent: a server that is being tried is not taken for back before it has answered", () => {
  const stage = concurrent(
    { backoff: { kind: "fixed", intervalMs: 5000 } },
    { methods: ["INVITE"], events: ["server.fell-back", "server.failed-back"] },
  );
  stage.server("fallback").habits = {
    REGISTER: (request) => [
      { status: 200, headers: { contact: `${request.headers.get("contact")};expires=20` } },
    ],
  };
  stage
    .cut("primary")
    .start()
    .until(60)
    .expect(`
    7.5 * server.fell-back from=1 to=2
  `);
});

test("successive: at most one live binding is wanted; the probe that is answered ends the other (I5, C6)", () => {
  const stage = successive({ probeIntervalMs: 20_000 }, { events: ["server.failed-back"] });
  stage
    .kill("primary")
    .start()
    .until(10)
    .revive("primary")
    .until(30)
    .expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    0.0 200 ← fallback
    20.0 REGISTER → primary
    20.0 200 ← primary
    20.0 * server.failed-back from=2 to=1 mode=probe
    20.0 REGISTER 0 → fallback
    20.0 200 ← fallback
  `);
});

test("a binding whose flow breaks is registered again at once (C11, C32)", () => {
  const server = { port: 5060, transport: "tcp" as const };
  const stage = failover(server, {}, { events: ["registration.interrupted"] })
    .start()
    .until(10);
  stage
    .kill("primary")
    .until(11)
    .expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    10.0 * registration.interrupted server=1 target=primary why=reset
    10.0 REGISTER → secondary
    10.0 200 ← secondary
  `);
});

test("a closed port is noticed by the keep-alive, long before the renewal (C31)", () => {
  const stage = failover({}, { keepAliveMs: 30_000 }, { events: ["registration.interrupted"] });
  stage
    .start()
    .until(40)
    .kill("primary")
    .until(61)
    .expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    60.0 * registration.interrupted server=1 target=primary why=refused
    60.0 REGISTER → primary
    60.0 REGISTER → secondary
    60.0 200 ← secondary
  `);
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

test("a name that does not resolve is a failed server; the next one serves (C39)", () => {
  const policy = {
    ...defaultPolicy("gone.example.com", FALLBACK),
    registration: "successive" as const,
    ...calm(),
  };
  new Rehearsal([defaultAccount("2001", policy)], { events: ["server.unresolved"] })
    .start()
    .expect(`
    0.0 * server.unresolved server=1
    0.0 REGISTER → fallback
    0.0 200 ← fallback
  `);
});

test("a silent resolver does not stop renewals: what was resolved once serves on (C39)", () => {
  const stage = failover({ expiresSeconds: 600, overlapSeconds: 60 }).start().until(10);
  stage.dns.state = "silent";
  stage.until(600).expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    541.8 REGISTER → primary
    541.8 200 ← primary
  `);
});

test("stop removes every binding and leaves no timer, transaction or question (I8)", () => {
  for (const stage of [concurrent(), successive(), failover()]) {
    stage.start().until(100).zero();
    stage.do((now) => stage.phone.stop(now)).until(1);
    assert.ok(stage.take().every((line) => / 0 → |200 ←/.test(line)));
    assert.equal(stage.phone.atRest, true);
    stage.do(() => stage.machine.close());
    assert.equal(stage.machine.holdings, 0);
    assert.equal(stage.host.holdings, 0);
  }
});

test("stop while nothing answers ends within the patience of one attempt, and close ends all at once (I8)", () => {
  for (const make of [concurrent, successive, failover]) {
    const stage = make().cut("primary", "secondary", "fallback").start().until(3);
    stage.do((now) => stage.phone.stop(now));
    const before = stage.sent.length;
    stage.do(() => stage.machine.close()).until(200);
    assert.equal(stage.sent.length, before, "nothing is sent any more");
    assert.equal(stage.machine.holdings, 0);
  }
});
