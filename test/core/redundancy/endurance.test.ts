/** What must never get stuck, spin or ring twice, whatever comes together at a bad moment (redundancy.md §5, §10). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailbackMode, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { type PlaceName, Rehearsal } from "./rehearsal.ts";
import { type Habit, says } from "./scripted-server.ts";
import { calm, concurrent, failover, successive } from "./stages.ts";

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

test("a flow that breaks while the primary is being probed is made anew right after the probe (C11, C32)", () => {
  failover(
    { failbackSeconds: 60 },
    { skipKnownDead: false, keepAliveMs: 3000 },
    { methods: ["REGISTER"], events: ["registration.interrupted"] },
  )
    .kill("primary")
    .start()
    .until(59)
    .revive("primary")
    .cut("primary")
    .until(61)
    .kill("secondary")
    .until(64)
    .revive("secondary")
    .until(100)
    .expect(`
      0.0 REGISTER → primary
      0.0 REGISTER → secondary
      0.0 200 ← secondary
      60.0 REGISTER → primary
      60.5 REGISTER ↻ primary
      61.5 REGISTER ↻ primary
      63.0 * registration.interrupted server=1 target=secondary why=refused
      63.5 REGISTER ↻ primary
      67.5 REGISTER → secondary
      67.5 200 ← secondary
    `);
});

test("a probe in vain does not take a failed registration for a standing one (C21)", () => {
  const stage = failover(
    { failbackSeconds: 60 },
    { skipKnownDead: false, keepAliveMs: 3000 },
    { methods: ["REGISTER"] },
  );
  stage.kill("primary").start().until(59).revive("primary").cut("primary");
  stage.until(70).kill("secondary").until(150).revive("secondary");
  const before = stage.server("secondary").requests.length;
  stage.until(210);
  assert.ok(stage.server("secondary").requests.length > before, "it was asked again");
  assert.equal(stage.account.registration(1)?.state, "registered");
});

test("a server that hangs up after each 200 gets a REGISTER each 5 s and not as fast as the network goes", () => {
  const server = defaultServer("192.0.2.13", { port: 5060, transport: "tcp" });
  const stage = new Rehearsal([
    defaultAccount("2001", { ...defaultPolicy(server), ...calm({ keepAliveMs: 0 }) }),
  ]);
  stage.server("primary").hangsUp = true;
  stage.start().until(21);
  assert.deepEqual(
    stage.sent.map(({ at }) => at / 1000),
    [0, 0, 5, 10, 15, 20],
  );
});

test("an outbound proxy that refuses at once is not probed without a pause, whatever the interval", () => {
  const proxy = (address: string) => defaultServer(address, { port: 5060, transport: "udp" });
  const policy = {
    ...defaultPolicy("192.0.2.13"),
    proxies: [proxy("192.0.2.33"), proxy("192.0.2.34")],
    ...calm({ proxyProbeIntervalMs: 0, skipKnownDead: false }),
  };
  const stage = new Rehearsal([defaultAccount("2001", policy)], { methods: ["REGISTER"] });
  stage
    .kill("proxy1")
    .start()
    .until(21)
    .expect(`
    0.0 REGISTER → proxy1
    0.0 REGISTER → proxy2
    0.0 200 ← proxy2
    10.0 REGISTER → proxy1
    20.0 REGISTER → proxy1
  `);
});

test("Retry-After is kept by the next call, too, where a 503 is an answer (R50)", () => {
  const stage = concurrent({ failoverOn503: false }, { methods: ["INVITE"] }).start();
  stage.server("primary").habits = { INVITE: says(503, { "retry-after": "100" }) };
  stage
    .do(() => stage.phone.call("2099"))
    .until(3)
    .do(() => stage.phone.call("2099"))
    .until(5)
    .expect(`
      0.0 INVITE → primary
      0.0 503 ← primary
      3.0 INVITE → fallback
      3.0 200 ← fallback
    `);
});

/** A call has gone to the secondary, which has asked for credentials; the primary is there again. */
function challenged(server: Partial<ServerPolicy>): Rehearsal {
  const stage = failover(
    { registerOnFailover: false, ...server },
    { followChallenger: true, skipKnownDead: false, keepAliveMs: 0 },
    { methods: ["INVITE"] },
  ).start();
  const challenge = { "proxy-authenticate": 'Digest realm="x", nonce="n"' };
  stage.server("secondary").habits = {
    INVITE: (request) =>
      request.headers.has("proxy-authorization")
        ? [{ status: 486 }]
        : [{ status: 407, headers: challenge }],
  };
  stage.server("primary").habits = { INVITE: says(486) };
  stage
    .kill("primary")
    .do(() => stage.phone.call("2099"))
    .until(1)
    .revive("primary")
    .take();
  return stage;
}

test("the challenger is followed once, and then the primary has its turn again", () => {
  const stage = challenged({ failbackMode: "newRequests" });
  for (const at of [2, 3]) stage.do(() => stage.phone.call("2099")).until(at);
  stage.expect(`
    1.0 INVITE → secondary
    1.0 486 ← secondary
    2.0 INVITE → primary
    2.0 486 ← primary
  `);
});

test("the challenger is followed no more once requests have gone home", () => {
  const stage = challenged({ failbackMode: "duration", failbackSeconds: 60 }).until(70);
  stage
    .do(() => stage.phone.call("2099"))
    .until(72)
    .expect(`
    70.0 INVITE → primary
    70.0 486 ← primary
  `);
});

/** A call by way of one place, and others by way of the other; then the end of the first is challenged. */
function lastWords(failbackMode: FailbackMode, made: PlaceName): Rehearsal {
  const stage = failover(
    { registerOnFailover: false, failbackMode, failbackSeconds: 3600 },
    { followChallenger: true, skipKnownDead: false, keepAliveMs: 0 },
    { methods: ["INVITE", "BYE"] },
  ).start();
  const server = stage.server(made);
  // The end of each call is challenged anew, the beginning only once.
  const habit: Habit = (request) => {
    const nonce = request.method === "BYE" ? (request.headers.get("call-id") ?? "") : "invite";
    const given = request.headers.get("proxy-authorization") ?? "";
    if (given.includes(`nonce="${nonce}"`)) return server.yes(request);
    const challenge = `Digest realm="x", nonce="${nonce}", stale=true`;
    return [{ status: 407, headers: { "proxy-authenticate": challenge } }];
  };
  server.habits = { INVITE: habit, BYE: habit };
  if (made === "secondary") stage.kill("primary");
  stage.do(() => stage.phone.call("2099")).until(1);
  const first = stage.phone.callNumbered(1);
  if (made === "secondary") stage.revive("primary");
  else stage.kill("primary");
  // The first of these follows whoever has challenged the one before.
  for (const until of [2, 3]) {
    stage
      .do(() => stage.phone.call("2098"))
      .until(until - 0.5)
      .do((now) => stage.phone.callNumbered(until)?.hangUp(now))
      .until(until);
  }
  if (made === "primary") stage.revive("primary");
  stage.take();
  return stage
    .do((now) => first?.hangUp(now))
    .until(4)
    .do(() => stage.phone.call("2096"))
    .until(5);
}

test("who asks for credentials for the last word of a call, at a place left since, is not followed", () => {
  for (const [mode, made, used] of [
    ["duration", "primary", "secondary"],
    ["newRequests", "secondary", "primary"],
  ] as const) {
    lastWords(mode, made).expect(`
      3.0 BYE → ${made}
      3.0 407 ← ${made}
      3.0 BYE → ${made}
      3.0 200 ← ${made}
      4.0 INVITE → ${used}
      4.0 200 ← ${used}
    `);
  }
});

test("duration: the answer to a renewal sent before the return says nothing of it", () => {
  const server = {
    failbackMode: "duration",
    failbackSeconds: 91,
    registerOnFailover: false,
  } as const;
  const stage = failover(server).cut("primary");
  stage.server("secondary").habits = {
    REGISTER: (request) => {
      const contact = `${request.headers.get("contact")};expires=60`;
      return [{ status: 200, headers: { contact }, afterMs: 480 }];
    },
  };
  stage.start().until(20).revive("primary").until(90).take();
  stage
    .until(102)
    .do(() => stage.phone.call("2099"))
    .until(103)
    .expect(`
      98.9 REGISTER → secondary
      99.4 200 ← secondary
      102.0 INVITE → primary
      102.0 200 ← primary
      102.0 ACK → primary
    `);
});

test("a server that says 503 to a call is not dead: the working server stays, and no REGISTER is added (R50)", () => {
  const stage = concurrent({}, { methods: ["INVITE", "REGISTER"], events: ["server.fell-back"] });
  stage.server("primary").habits = { INVITE: says(503) };
  stage.start().until(1).take();
  stage
    .do(() => stage.phone.call("2099"))
    .until(3)
    .expect(`
      1.0 INVITE → primary
      1.0 503 ← primary
      1.0 INVITE → fallback
      1.0 200 ← fallback
    `);
});

test("a target that two servers share is tried once by a call, and as the last one has all of Timer B (C44, V8)", () => {
  const name = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerOnFailover: false,
  });
  const twice = { ...defaultPolicy(name, "192.0.2.14"), ...calm({ keepAliveMs: 0 }) };
  const stage = new Rehearsal([defaultAccount("2001", twice)], {
    methods: ["INVITE"],
    events: ["call.ended"],
  });
  stage
    .start()
    .until(1)
    .cut("primary", "secondary")
    .do(() => stage.phone.call("2099"));
  stage.until(60);
  const last = stage.sent.filter(({ method, again }) => method === "INVITE" && !again);
  assert.deepEqual(
    last.map(({ to }) => to),
    ["primary", "secondary"],
  );
  assert.equal(stage.take().at(-1), "40.5 * call.ended why=timeout");
});

test("mode registration: a phone that is never idle goes back after idleWaitMax", () => {
  const stage = failover(
    { failbackMode: "registration", expiresSeconds: 120 },
    { idleWaitMaxMs: 300_000, skipKnownDead: false, keepAliveMs: 0 },
    { methods: ["REGISTER"] },
  );
  stage.kill("primary").start().until(10);
  stage
    .do(() => stage.phone.call("2099"))
    .revive("primary")
    .until(290)
    .take();
  stage.until(305).expect(`
    300.0 REGISTER → primary
    300.0 200 ← primary
  `);
});

test("close ends a phone in whatever state it is and leaves nothing (I8)", () => {
  const nowhere = successive().kill("primary", "fallback").start().until(5);
  const below = successive().kill("primary").start().until(5);
  const proof = { goodProbes: 3, goodProbesMs: 10_000 };
  const probing = failover({}, proof).kill("primary").start().until(10);
  probing.revive("primary").cut("primary").until(121);
  for (const stage of [nowhere, below, probing]) {
    stage.do(() => stage.machine.close());
    assert.equal(stage.machine.holdings, 0);
  }
});

test("servers of one priority are drawn once: a phone does not wander between them with each look-up", () => {
  const zone = `
    $ORIGIN pbx.example.com.
    _sip._udp  120 IN SRV 10 50 5060 a
    _sip._udp  120 IN SRV 10 50 5060 b
    a           60 IN A 192.0.2.13
    b           60 IN A 192.0.2.14
  `.replaceAll(/^ +/gm, "");
  const drawn = new Set<string>();
  for (let seed = 1; seed <= 8; seed += 1) {
    const policy = { ...defaultPolicy(defaultServer("pbx.example.com")), ...calm() };
    const stage = new Rehearsal([defaultAccount("2001", policy)], { zone, seed });
    const asked = new Set(
      stage
        .start()
        .until(8000)
        .sent.map(({ to }) => to),
    );
    assert.equal(asked.size, 1, `seed ${seed}`);
    for (const place of asked) drawn.add(place);
  }
  assert.equal(drawn.size, 2, "both are drawn by some phone");
});
