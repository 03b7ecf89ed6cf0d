/** The way back: failback modes, idleness, proof before return, probes of better servers (redundancy.md §6). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RedundancyPolicy } from "../../../src/core/redundancy/policy.ts";
import { defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import { failover, stageOf } from "./failback-stages.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** Literal addresses, one registration at a time, quick to leave. */
function successive(policy: Partial<RedundancyPolicy>, ...addresses: string[]): Rehearsal {
  const servers = addresses.map((address) =>
    defaultServer(address, { registerRetries: 0, expiresSeconds: 3600 }),
  );
  return stageOf(servers, { registration: "successive", probeIntervalMs: 60_000, ...policy });
}

function callFor(stage: Rehearsal, seconds: number): void {
  const began = stage.do(() => stage.phone.call("2099")).simulation.now;
  stage.simulation.runUntil(began + seconds * 1000);
  stage.do((now) => stage.phone.hangup(now));
}

test("successive: once home, nothing is sent to a server left, though its own primary was due again (I3)", () => {
  const dual = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerRetries: 0,
    failbackMode: "duration",
    failbackSeconds: 60,
  });
  const working = defaultServer("192.0.2.15", { registerRetries: 0, expiresSeconds: 3600 });
  const policy = { registration: "successive", probeIntervalMs: 20_000 } as const;
  const stage = stageOf([working, dual], policy, { methods: ["REGISTER"] });
  stage.kill("fallback", "primary").start().until(5).revive("fallback", "primary").until(40);
  assert.equal(stage.account.workingServer, 1);
  stage.zero().until(300).expect("");
});

test("newRequests: every new request begins at the primary; no timer is needed", () => {
  const stage = failover({ failbackMode: "newRequests", registerOnFailover: false })
    .start()
    .cut("primary")
    .until(10);
  callFor(stage, 5);
  stage.until(20).revive("primary");
  callFor(stage, 5);
  stage.expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    10.0 INVITE → primary
    10.5 INVITE → secondary
    10.5 200 ← secondary
    20.0 INVITE → primary
    20.0 200 ← primary
    20.0 * server.failed-back from=1 to=1 toTarget=primary mode=newRequests
  `);
});

test("DNSTTL: the primary gets its chance when the address record of the server in use has run out", () => {
  failover({ failbackMode: "DNSTTL" })
    .cut("primary")
    .start()
    .until(20)
    .revive("primary")
    .until(70)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER → secondary
      0.5 200 ← secondary
      60.0 REGISTER → primary
      60.0 200 ← primary
      60.0 * server.failed-back from=1 to=1 toTarget=primary mode=DNSTTL
    `);
});

test("DNSTTL without re-registration: from then on new requests go to the primary", () => {
  const stage = failover({ failbackMode: "DNSTTL", registerOnFailover: false }).start();
  stage.cut("primary").until(10);
  callFor(stage, 5);
  stage.until(50);
  callFor(stage, 5);
  stage.until(65);
  callFor(stage, 5);
  stage.until(80).revive("primary").until(100);
  callFor(stage, 5);
  stage.until(200);
  callFor(stage, 5);
  stage.expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    10.0 INVITE → primary
    10.5 INVITE → secondary
    10.5 200 ← secondary
    50.0 INVITE → secondary
    50.0 200 ← secondary
    65.0 INVITE → primary
    65.5 INVITE → secondary
    65.5 200 ← secondary
    100.0 INVITE → secondary
    100.0 200 ← secondary
    200.0 INVITE → primary
    200.0 200 ← primary
    200.0 * server.failed-back from=1 to=1 toTarget=primary mode=DNSTTL
  `);
});

test("DNSTTL with a silent resolver: the primary is tried each 30 s and not without a pause", () => {
  const stage = failover({ failbackMode: "DNSTTL" }).cut("primary").start().until(10);
  stage.dns.state = "silent";
  const tries = stage.until(300).sent.filter(({ to }) => to === "primary").length;
  assert.ok(tries >= 5 && tries <= 11, `${tries} REGISTERs to the primary in five minutes`);
});

test("registration: the primary gets its chance when the registration is renewed", () => {
  failover({ failbackMode: "registration" })
    .cut("primary")
    .start()
    .until(20)
    .revive("primary")
    .until(545)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER → secondary
      0.5 200 ← secondary
      540.5 REGISTER → primary
      540.5 200 ← primary
      540.5 * server.failed-back from=1 to=1 toTarget=primary mode=registration
    `);
});

test("a return waits until no call is up, but not longer than idleWaitMax", () => {
  const stage = failover(
    { failbackMode: "duration", failbackSeconds: 100 },
    { idleWaitMaxMs: 300_000 },
  )
    .cut("primary")
    .start()
    .until(20)
    .revive("primary");
  callFor(stage, 1000);
  const back = stage.events.find(({ event }) => event === "server.failed-back");
  assert.equal(back?.at, 400_500);
});

test("with no bound a return waits for the end of the call, however long", () => {
  const stage = failover({ failbackMode: "duration", failbackSeconds: 100 }, { idleWaitMaxMs: 0 })
    .cut("primary")
    .start()
    .until(20)
    .revive("primary");
  callFor(stage, 1000);
  const back = stage.events.find(({ event }) => event === "server.failed-back");
  assert.equal(back?.at, 1_020_000);
});

test("proof before return: so many good probes over so long, the last when the return is due; one in vain begins the count anew", () => {
  const stage = failover(
    { failbackMode: "duration", failbackSeconds: 60 },
    { goodProbes: 3, goodProbesMs: 20_000 },
  )
    .cut("primary")
    .start()
    .until(30)
    .revive("primary")
    .until(45)
    .cut("primary")
    .until(80)
    .revive("primary")
    .until(250);
  stage.expect(`
    0.0 REGISTER → primary
    0.5 REGISTER → secondary
    0.5 200 ← secondary
    40.5 OPTIONS → primary
    40.5 200 ← primary
    50.5 OPTIONS → primary
    80.5 OPTIONS → primary
    80.5 200 ← primary
    90.5 OPTIONS → primary
    90.5 200 ← primary
    100.5 OPTIONS → primary
    100.5 200 ← primary
    100.5 REGISTER → primary
    100.5 200 ← primary
    100.5 * server.failed-back from=1 to=1 toTarget=primary mode=duration
  `);
});

test("successive: a probe each interval whatever the patience of the last one; renewals go on meanwhile", () => {
  const stage = successive({}, "192.0.2.13", "192.0.2.15").cut("primary").start();
  stage.until(240).revive("primary").until(250);
  const probes = stage.sent.filter(({ to, again }) => to === "primary" && !again);
  assert.deepEqual(
    probes.map(({ at }) => at),
    [0, 60_500, 120_500, 180_500, 240_500, 240_500],
  );
});

test("successive: with the first server away the one between is probed, too; one step is better than none", () => {
  const stage = successive({}, "192.0.2.13", "192.0.2.14", "192.0.2.15");
  stage
    .cut("primary", "secondary")
    .start()
    .until(50)
    .revive("secondary")
    .until(70)
    .expect(`
    0.0 REGISTER → primary
    0.5 REGISTER → secondary
    1.0 REGISTER → fallback
    1.0 200 ← fallback
    61.0 REGISTER → primary
    61.5 REGISTER → secondary
    61.5 200 ← secondary
    61.5 * server.failed-back from=3 to=2 mode=probe
    61.5 REGISTER 0 → fallback
    61.5 200 ← fallback
    61.5 REGISTER → secondary
    61.5 200 ← secondary
  `);
  stage
    .until(100)
    .revive("primary")
    .until(130)
    .expect(`
    121.0 REGISTER → primary
    121.0 200 ← primary
    121.0 * server.failed-back from=2 to=1 mode=probe
    121.0 REGISTER 0 → secondary
    121.0 200 ← secondary
    121.0 REGISTER → primary
    121.0 200 ← primary
  `);
});

test("successive: proof before return asks by OPTIONS, which makes no binding", () => {
  const proof = { goodProbes: 3, goodProbesMs: 20_000 };
  const stage = successive(proof, "192.0.2.13", "192.0.2.15").cut("primary").start();
  stage
    .until(30)
    .revive("primary")
    .until(70)
    .expect(`
    0.0 REGISTER → primary
    0.5 REGISTER → fallback
    0.5 200 ← fallback
    40.5 OPTIONS → primary
    40.5 200 ← primary
    50.5 OPTIONS → primary
    50.5 200 ← primary
    60.5 OPTIONS → primary
    60.5 200 ← primary
    60.5 REGISTER → primary
    60.5 200 ← primary
    60.5 * server.failed-back from=2 to=1 mode=probe
    60.5 REGISTER 0 → fallback
    60.5 200 ← fallback
    60.5 REGISTER → primary
    60.5 200 ← primary
  `);
});

test("concurrent: the working server is back with the first REGISTER that it answers; no probe is sent", () => {
  const servers = [defaultServer("192.0.2.13", { registerRetries: 0 }), "192.0.2.15"];
  stageOf(servers, { registration: "concurrent" })
    .cut("primary")
    .start()
    .until(20)
    .revive("primary")
    .until(40)
    .expect(`
      0.0 REGISTER → primary
      0.0 REGISTER → fallback
      0.0 200 ← fallback
      30.5 REGISTER → primary
      30.5 200 ← primary
      30.5 * server.failed-back from=2 to=1 mode=registration
    `);
});

test("Y6: outbound proxies are always successive; the first is probed by REGISTER each interval", () => {
  const proxy = { throughProxy: false, registerRetries: 0 };
  const redundancy = {
    proxies: [defaultServer("192.0.2.33", proxy), defaultServer("192.0.2.34", proxy)],
    proxyProbeIntervalMs: 180_000,
  };
  const stage = stageOf(["192.0.2.13"], redundancy).cut("proxy1").start().until(200);
  stage
    .revive("proxy1")
    .until(370)
    .expect(`
    0.0 REGISTER → proxy1
    0.5 REGISTER → proxy2
    0.5 200 ← proxy2
    180.5 REGISTER → proxy1
    360.5 REGISTER → proxy1
    360.5 200 ← proxy1
    360.5 * server.failed-back from=1 to=1 toTarget=proxy1 mode=probe
  `);
});

test("P5: with the proxy dead, a server that bypasses it takes the call without a registration", () => {
  const servers = [
    defaultServer("192.0.2.13"),
    defaultServer("192.0.2.15", { throughProxy: false, register: false }),
  ];
  const proxies = [defaultServer("192.0.2.33", { throughProxy: false, inviteRetries: 0 })];
  const stage = stageOf(servers, { proxies }).start().until(10).kill("proxy1");
  callFor(stage, 5);
  stage.expect(`
    0.0 REGISTER → proxy1
    0.0 200 ← proxy1
    10.0 INVITE → proxy1
    10.0 REGISTER → proxy1
    10.0 INVITE → fallback
    10.0 200 ← fallback
  `);
});
