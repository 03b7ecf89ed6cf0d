/** INVITE: from target to target and from server to server, and no leg left behind (redundancy.md §3, §4, §8). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  POLICY_DEFAULTS,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { type PlaceName, Rehearsal, type RehearsalOptions, sample } from "./rehearsal.ts";
import { says } from "./scripted-server.ts";

const PRIMARY = "192.0.2.13";
const SECONDARY = "192.0.2.14";
const FALLBACK = "192.0.2.15";
const CALLS = ["INVITE", "ACK", "BYE", "CANCEL"];

/** One name with two targets that share their registrations. */
function failover(
  server: Partial<ServerPolicy> = {},
  policy: Partial<RedundancyPolicy> = {},
  options: RehearsalOptions = {},
): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerOnFailover: false,
    ...server,
  });
  const redundancy = { ...defaultPolicy(named), keepAliveMs: 0, skipKnownDead: false, ...policy };
  const stage = new Rehearsal([defaultAccount("2001", redundancy)], { methods: CALLS, ...options });
  return ready(stage);
}

/** Literal addresses, registered at all of them. */
function servers(
  policy: Partial<RedundancyPolicy>,
  ...addresses: (string | ServerPolicy)[]
): Rehearsal {
  const redundancy = { ...defaultPolicy(...addresses), keepAliveMs: 0, ...policy };
  return ready(new Rehearsal([defaultAccount("2001", redundancy)], { methods: CALLS }));
}

function ready(stage: Rehearsal): Rehearsal {
  return stage.start().until(10).zero();
}

function dial(stage: Rehearsal): Rehearsal {
  return stage.do(() => stage.phone.call("2099"));
}

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

test("all levels: primary, secondary, fallback, and the call has failed when nobody is left (R6)", () => {
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

test("a call that finds its server dead makes the registrations follow (R2.4)", () => {
  const stage = servers({ skipKnownDead: false }, PRIMARY, SECONDARY).kill("primary");
  dial(stage).until(1);
  const registers = stage.sent.filter(({ method }) => method === "REGISTER");
  assert.deepEqual(
    registers.map(({ at, to }) => `${at} ${to}`),
    ["0 primary", "0 secondary", "0 primary"],
  );
  assert.ok(stage.events.some(({ event }) => event === "server.fell-back"));
});
