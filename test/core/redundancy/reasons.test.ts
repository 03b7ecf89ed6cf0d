/** Every decision is an event with its reason and the policy value that decided (redundancy.md §9). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal } from "./rehearsal.ts";

/** Our own defaults, registered for half a minute; times are exact. */
function phone(
  servers: readonly (ServerPolicy | string)[],
  change: Partial<RedundancyPolicy> = {},
): Rehearsal {
  const policy = { ...defaultPolicy(...servers), refreshJitter: 0, returnSpread: 0, ...change };
  return new Rehearsal([defaultAccount("2001", policy)]).start().until(30).zero();
}

function dual(change: Partial<ServerPolicy> = {}): ServerPolicy {
  return defaultServer("dual.pbx.example.com", { port: 5060, transport: "udp", ...change });
}

/** Targets as the events name them. */
const PRIMARY = "udp:192.0.2.13:5060";
const SECONDARY = "udp:192.0.2.14:5060";
const FALLBACK = "udp:192.0.2.15:5060";

/** Of the events of one kind, these fields. */
function told(stage: Rehearsal, kind: string, ...fields: readonly string[]): string[] {
  const events = stage.events.filter(({ event }) => event === kind);
  return events.map((event) => fields.map((name) => String(event[name])).join(" "));
}

function moves(stage: Rehearsal): string[] {
  return told(stage, "request.failed-over", "method", "from", "to", "why", "rule");
}

function talk(stage: Rehearsal, seconds: number): void {
  const from = stage.simulation.now;
  stage.do(() => stage.phone.call("2099"));
  stage.simulation.runUntil(from + seconds * 1000);
  stage.do((now) => stage.phone.hangup(now));
}

test("a registration that begins elsewhere, its own target known to be dead, fails over with what is known", () => {
  const stage = phone([dual()], { registrarProbeMs: 20_000 });
  stage.kill("primary").until(60);
  assert.deepEqual(moves(stage), [`REGISTER ${PRIMARY} ${SECONDARY} refused skipKnownDead=true`]);
  const order = ["server.suspected", "request.failed-over", "registration.accepted"];
  const kinds = stage.events.map(({ event }) => event).filter((kind) => order.includes(kind));
  assert.deepEqual(kinds, ["registration.accepted", ...order]);
});

test("that move is told once, and once more when the target has answered in between", () => {
  const stage = phone([dual({ failbackMode: "newRequests" })], { registrarProbeMs: 20_000 });
  stage.kill("primary").until(60);
  for (const _ of [1, 2, 3]) talk(stage, 5);
  assert.equal(moves(stage).length, 1, moves(stage).join("\n"));
  stage.revive("primary").zero().until(60);
  talk(stage, 5);
  assert.equal(moves(stage).length, 1, moves(stage).join("\n"));
  stage.kill("primary").zero().until(60);
  talk(stage, 5);
  assert.equal(moves(stage).length, 2, moves(stage).join("\n"));
});

test("a registrar that wants quiet is not asked whether it lives, and its binding stays (R50)", () => {
  const stage = phone([dual({ expiresSeconds: 3600 })], { registrarProbeMs: 20_000 });
  const asked = (): number => stage.sent.filter(({ method }) => method === "OPTIONS").length;
  assert.equal(asked(), 1);
  stage.do((now) => {
    const target = stage.account.servers.route(1).places[0]?.target;
    assert.ok(target !== undefined);
    stage.phone.health.hush(now, target, 60);
  });
  stage.until(59);
  assert.deepEqual(told(stage, "registration.interrupted", "target", "why"), []);
  assert.equal(asked(), 1);
  stage.until(81);
  assert.equal(asked(), 2);
});

test("calls that begin at the next server, since the first is known to be dead, fail over once", () => {
  const stage = phone(["192.0.2.13", "192.0.2.15"]).cut("primary");
  stage.do((now) => {
    const target = stage.account.servers.route(1).places[0]?.target;
    assert.ok(target !== undefined);
    stage.phone.health.failed(now, target, "timeout");
  });
  for (const _ of [1, 2]) talk(stage, 5);
  assert.deepEqual(moves(stage), [`INVITE ${PRIMARY} ${FALLBACK} timeout skipKnownDead=true`]);
});

test("what asked for quiet is left with that reason", () => {
  const away = dual({ failbackMode: "newRequests", registerOnFailover: false });
  const stage = phone([away]);
  stage.do((now) => {
    const target = stage.account.servers.route(1).places[0]?.target;
    assert.ok(target !== undefined);
    stage.phone.health.hush(now, target, 60);
  });
  for (const _ of [1, 2]) talk(stage, 5);
  const why = "503 with Retry-After";
  assert.deepEqual(moves(stage), [`INVITE ${PRIMARY} ${SECONDARY} ${why} failoverOn503=true`]);
});

test("where nothing is sent, since every server asked to be left alone, nobody is said to be silent", () => {
  const stage = phone(["192.0.2.13"]);
  stage.do((now) => {
    const target = stage.account.servers.route(1).places[0]?.target;
    assert.ok(target !== undefined);
    stage.phone.health.hush(now, target, 60);
  });
  talk(stage, 5);
  assert.deepEqual(told(stage, "call.ended", "why"), ["quiet"]);
});

for (const mode of ["DNSTTL", "registration", "duration"] as const) {
  test(`${mode}: a call that is in the way of the return is told once, and what decides how long`, () => {
    const server = dual({ failbackMode: mode, failbackSeconds: 120, expiresSeconds: 100 });
    const stage = phone([server], { ...PLAIN, idleWaitMaxMs: 900_000 });
    stage.kill("primary");
    talk(stage, 1);
    stage.do(() => stage.phone.call("2099")).revive("primary");
    stage.zero().until(600);
    const fields = ["server", "fromTarget", "toTarget", "mode", "why", "rule"] as const;
    const waits = told(stage, "server.failback-deferred", ...fields);
    const wanted = `1 ${SECONDARY} ${PRIMARY} ${mode} not-idle idleWaitMaxMs=900000`;
    assert.deepEqual(waits, [wanted]);
    assert.deepEqual(told(stage, "server.failed-back", "mode"), []);
    stage
      .do((now) => stage.phone.hangup(now))
      .zero()
      .until(120);
    assert.deepEqual(told(stage, "server.failed-back", "mode"), [mode]);
    assert.equal(told(stage, "server.failback-deferred", "mode").length, 1);
  });
}

test("a return by time names the value that set the time, others the mode", () => {
  for (const [mode, rule] of [
    ["duration", "servers.1.failbackSeconds=90"],
    ["DNSTTL", "servers.1.failbackMode=DNSTTL"],
  ] as const) {
    const stage = phone([dual({ failbackMode: mode, failbackSeconds: 90 })], PLAIN);
    stage.kill("primary");
    talk(stage, 1);
    stage.revive("primary").zero().until(120);
    assert.deepEqual(told(stage, "server.failed-back", "mode", "rule"), [`${mode} ${rule}`]);
  }
});

test("from server to server: the kind of registration decides, and on the way back the interval of the probes", () => {
  const stage = phone(["192.0.2.13", "192.0.2.15"], {
    ...PLAIN,
    registration: "successive",
    probeIntervalMs: 60_000,
  });
  stage.kill("primary");
  talk(stage, 1);
  stage.revive("primary").zero().until(120);
  assert.deepEqual(told(stage, "server.fell-back", "rule"), ["registration=successive"]);
  assert.deepEqual(told(stage, "server.failed-back", "mode", "rule"), [
    "probe probeIntervalMs=60000",
  ]);
});

test("with outbound proxies it is the proxy's line that decides", () => {
  const stage = phone(["192.0.2.13"], {
    ...PLAIN,
    proxies: [defaultServer("192.0.2.33"), defaultServer("192.0.2.34")],
    proxyProbeIntervalMs: 60_000,
  });
  stage.cut("proxy1");
  talk(stage, 20);
  stage.revive("proxy1").zero().until(120);
  assert.deepEqual(told(stage, "request.failed-over", "method", "why", "rule").slice(0, 1), [
    "INVITE timeout proxies.1.inviteRetries=3",
  ]);
  assert.deepEqual(told(stage, "server.failed-back", "mode", "rule"), [
    "probe proxyProbeIntervalMs=60000",
  ]);
});

test("silence is told with what ended it: the resends, or the end of the transaction (RFC 3261 Timer B)", () => {
  const failed = (stage: Rehearsal): string[] => {
    stage.cut("primary").cut("secondary");
    talk(stage, 90);
    return told(stage, "attempt.failed", "method", "target", "rule").filter((one) =>
      one.startsWith("INVITE"),
    );
  };
  const first = `INVITE ${PRIMARY}`;
  const last = `INVITE ${SECONDARY} t1Ms=500`;
  for (const [inviteRetries, rule] of [
    [3, "servers.1.inviteRetries=3"],
    [10, "t1Ms=500"],
  ] as const) {
    const stage = phone([dual({ inviteRetries, registerOnFailover: false })], PLAIN);
    assert.deepEqual(failed(stage), [`${first} ${rule}`, last]);
  }
});
