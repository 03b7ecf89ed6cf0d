/** INVITE: from target to target and from server to server (redundancy.md §3, §4). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  POLICY_DEFAULTS,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { CALLS, dial, failover, ready, servers } from "./callers.ts";
import { type PlaceName, Rehearsal, sample } from "./rehearsal.ts";
import { SILENT, says } from "./scripted-server.ts";

const PRIMARY = "192.0.2.13";
const SECONDARY = "192.0.2.14";
const FALLBACK = "192.0.2.15";

test("silence is left after invite retry counts, spaced by Timer A", () => {
  dial(failover({ inviteRetries: 2 }).cut("primary"))
    .until(10)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE ↻ primary
    1.5 INVITE ↻ primary
    3.5 INVITE → secondary
    3.5 200 ← secondary
    3.5 ACK → secondary
  `);
});

test("the last target gets all of Timer B, and then the call has failed", () => {
  const stage = failover({ inviteRetries: 0 }, {}, { events: ["call.ended"] });
  dial(stage.cut("primary", "secondary"))
    .until(60)
    .expect(`
    0.0 INVITE → primary
    0.5 INVITE → secondary
    1.0 INVITE ↻ secondary
    2.0 INVITE ↻ secondary
    4.0 INVITE ↻ secondary
    8.0 INVITE ↻ secondary
    16.0 INVITE ↻ secondary
    32.0 INVITE ↻ secondary
    32.5 * call.ended why=timeout
  `);
});

test("who wants quiet for longer than a place is waited for does not follow it: that place has all of Timer B", () => {
  for (const [quietSeconds, strictLastTarget, end] of [
    [60, false, ["timeout", 32_000]],
    [60, true, ["timeout", 32_000]],
    [5, false, undefined],
  ] as const) {
    const stage = failover({}, { strictLastTarget }, { events: [] }).cut("primary");
    stage.do((now) => {
      const target = stage.account.servers.route(1).places[1]?.target;
      assert.ok(target !== undefined);
      stage.phone.health.hush(now, target, quietSeconds);
    });
    const began = stage.simulation.now;
    dial(stage).until(60);
    const ended = stage.events.find(({ event }) => event === "call.ended");
    assert.deepEqual(ended && [ended.why, ended.at - began], end);
  }
});

test("a server that is reached by the way that was tried is no further place: Timer B is waited for", () => {
  const second = { register: false, inviteRetries: 0 };
  const proxy = defaultServer(PRIMARY, { inviteRetries: 0 });
  const cases = [
    servers({ proxies: [proxy] }, SECONDARY, defaultServer(FALLBACK, second)),
    servers({}, proxy, defaultServer(PRIMARY, second)),
  ];
  for (const stage of cases) {
    dial(stage.cut("primary")).until(60);
    const ended = stage.events.find(({ event }) => event === "call.ended");
    assert.deepEqual([ended?.why, ended?.at], ["timeout", 42_000]);
  }
});

test("ICMP moves the call on at once, before anything would be resent", () => {
  dial(failover().kill("primary"))
    .until(5)
    .expect(`
    0.0 INVITE → primary
    0.0 INVITE → secondary
    0.0 200 ← secondary
    0.0 ACK → secondary
  `);
});

test("a connection that is refused moves the call on at once", () => {
  dial(failover({ transport: "tcp" }).kill("primary"))
    .until(5)
    .expect(`
    0.0 INVITE → secondary
    0.0 200 ← secondary
    0.0 ACK → secondary
  `);
});

test("any other final response is the answer", () => {
  for (const status of [404, 480, 486, 500, 603]) {
    const stage = failover({}, {}, { methods: ["INVITE"], events: ["call.ended"] });
    stage.server("primary").habits = { INVITE: says(status) };
    dial(stage).expect(`
      0.0 INVITE → primary
      0.0 ${status} ← primary
      0.0 * call.ended why=rejected status=${status}
    `);
  }
});

test("all levels: primary, secondary, fallback, and the call has failed when nobody is left (sequence R6)", () => {
  const named = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerOnFailover: false,
    inviteRetries: 1,
  });
  const stage = servers({ skipKnownDead: false }, named, defaultServer(FALLBACK));
  dial(stage.kill("primary", "secondary", "fallback"))
    .until(60)
    .expect(`
      0.0 INVITE → primary
      0.0 INVITE → secondary
      0.0 INVITE → fallback
    `);
  const ended = stage.events.find(({ event }) => event === "call.ended");
  assert.deepEqual([ended?.why, ended?.at], ["transport", 10_000]);
});

test("Polycom: INVITE goes to a server that holds no registration, when those above are dead", () => {
  const unregistered = defaultServer(FALLBACK, { register: false });
  const stage = servers({ ...POLICY_DEFAULTS.polycom }, defaultServer(PRIMARY), unregistered);
  dial(stage.kill("primary"))
    .until(3)
    .expect(`
    0.0 INVITE → primary
    0.0 INVITE → fallback
    0.0 200 ← fallback
    0.0 ACK → fallback
  `);
});

test("Yealink: INVITE leaves out a server where the phone is not registered", () => {
  const options = { methods: CALLS, events: ["call.ended"] };
  const stage = new Rehearsal(sample("Y2-invite-fallback.cfg"), options).kill("fallback");
  dial(ready(stage).kill("primary"))
    .until(3)
    .expect(`
    0.0 * call.ended why=transport
  `);
});

test("the same address is not tried twice in one go: by address and port, or by address alone (C44)", () => {
  const zone = `
$ORIGIN pbx.example.com.
_sip._udp 120 IN SRV 10 60 5060 a
_sip._udp 120 IN SRV 20 60 5062 a
_sip._udp 120 IN SRV 30 60 5060 a
_sip._udp 120 IN SRV 40 60 5060 b
a         120 IN A 192.0.2.13
b         120 IN A 192.0.2.14
`;
  for (const skipSameAddress of [true, false]) {
    const named = defaultServer("pbx.example.com", {
      transport: "naptr",
      registerOnFailover: false,
    });
    const policy = { ...defaultPolicy(named), skipSameAddress, srvTransports: "udp" as const };
    const stage = new Rehearsal([defaultAccount("2001", policy)], { zone, methods: ["INVITE"] });
    dial(ready(stage).cut("primary", "secondary")).until(60);
    const tried = stage.sent.filter(({ method, again }) => method === "INVITE" && !again).length;
    assert.equal(tried, skipSameAddress ? 2 : 3);
  }
});

test("shared health: a target known to be dead costs the next call nothing (§8)", () => {
  const stage = failover(
    { failbackMode: "newRequests", inviteRetries: 0 },
    { skipKnownDead: true },
  );
  stage.cut("primary");
  for (const at of [1, 2, 3]) {
    dial(stage)
      .until(at)
      .do((now) => stage.phone.hangup(now));
  }
  const invites = stage.sent.filter(({ method, again }) => method === "INVITE" && !again);
  assert.deepEqual(
    invites.map(({ at, to }) => `${at} ${to}`),
    ["0 primary", "500 secondary", "1000 primary", "1500 secondary", "2000 secondary"],
  );
});

test("who must register at the secondary first waits for no renewal that is silent at the primary", () => {
  const stage = failover(
    { registerOnFailover: true, expiresSeconds: 20, overlapSeconds: 10 },
    { skipKnownDead: false, refreshJitter: 0 },
    { methods: ["REGISTER", "INVITE"] },
  );
  dial(stage.until(8).cut("primary"))
    .until(20)
    .expect(`
    8.0 INVITE → primary
    8.5 INVITE ↻ primary
    9.5 INVITE ↻ primary
    10.0 REGISTER → primary
    10.5 REGISTER ↻ primary
    11.5 INVITE ↻ primary
    11.5 REGISTER ↻ primary
    13.5 REGISTER ↻ primary
    15.5 REGISTER → secondary
    15.5 200 ← secondary
    15.5 INVITE → secondary
    15.5 200 ← secondary
  `);
});

test("the next call goes where the last one was answered, but for mode newRequests (§3.3)", () => {
  for (const failbackMode of ["duration", "newRequests"] as const) {
    const stage = failover({ failbackMode, inviteRetries: 0 }, {}, { methods: ["INVITE"] }).cut(
      "primary",
    );
    dial(stage)
      .until(2)
      .do((now) => stage.phone.hangup(now));
    dial(stage).until(4);
    const third = stage.sent.filter(({ method }) => method === "INVITE")[2];
    const expected: PlaceName = failbackMode === "duration" ? "secondary" : "primary";
    assert.equal(third?.to, expected);
  }
});

test("an answer to what was sent before the move is no return while a call is up", () => {
  const timing = { expiresSeconds: 600, overlapSeconds: 60, registerRetries: 0 };
  const stage = failover(
    { failbackMode: "duration", failbackSeconds: 0, ...timing },
    { refreshJitter: 0 },
    { methods: ["REGISTER", "INVITE"], events: ["server.failed-back"] },
  );
  const primary = stage.server("primary");
  primary.habits = {
    REGISTER: SILENT,
    INVITE: (request) => [
      { status: 180 },
      ...primary.yes(request).map((reply) => ({ ...reply, afterMs: 30_000 })),
    ],
  };
  dial(stage.until(520)).until(560);
  dial(stage)
    .until(561)
    .expect(`
    520.0 INVITE → primary
    520.0 180 ← primary
    530.0 REGISTER → primary
    530.5 REGISTER → secondary
    530.5 200 ← secondary
    550.0 200 ← primary
    560.0 INVITE → secondary
    560.0 200 ← secondary
  `);
});

test("a call that finds its server dead makes the registrations follow (sequence R2, step 4)", () => {
  const stage = servers({ skipKnownDead: false }, PRIMARY, SECONDARY).kill("primary");
  dial(stage).until(1);
  const registers = stage.sent.filter(({ method }) => method === "REGISTER");
  assert.deepEqual(
    registers.map(({ at, to }) => `${at} ${to}`),
    ["0 primary", "0 secondary", "0 primary"],
  );
  assert.ok(stage.events.some(({ event }) => event === "server.fell-back"));
});

test("of four servers each is tried in its turn, and a call comes through by the last one left (P6)", () => {
  const four = ["192.0.2.13", "192.0.2.14", "192.0.2.15", "192.0.2.33"];
  const stage = servers({ skipKnownDead: false }, ...four);
  assert.equal(stage.sent.filter(({ method }) => method === "REGISTER").length, four.length);
  stage.kill("primary", "secondary", "fallback").take();
  dial(stage)
    .until(1)
    .expect(`
      0.0 INVITE → primary
      0.0 INVITE → secondary
      0.0 INVITE → fallback
      0.0 INVITE → proxy1
      0.0 200 ← proxy1
      0.0 ACK → proxy1
    `);
});
