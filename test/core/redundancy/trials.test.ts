/** A trial of the way home, and what is waited for meanwhile. */
import { test } from "node:test";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal, ZONE } from "./rehearsal.ts";
import { calm, failover } from "./stages.ts";

test("a trial that fails puts off no retry: who is registered nowhere comes back to the secondary (999537)", () => {
  const policy = { backoff: { kind: "fixed", intervalMs: 45_000 }, keepAliveMs: 0 } as const;
  const server = { failbackMode: "DNSTTL", expiresSeconds: 60, overlapSeconds: 50 } as const;
  const stage = failover(server, policy, {
    methods: ["REGISTER"],
    events: ["registration.failed"],
  });
  stage.cut("primary").start().until(10).zero();
  stage
    .cut("secondary")
    .until(60)
    .revive("secondary")
    .until(100)
    .expect(`
    7.5 REGISTER → secondary
    8.0 REGISTER ↻ secondary
    9.0 REGISTER ↻ secondary
    11.0 REGISTER ↻ secondary
    15.0 REGISTER → primary
    15.5 REGISTER ↻ primary
    16.5 REGISTER ↻ primary
    18.5 REGISTER ↻ primary
    22.5 REGISTER ↻ primary
    26.5 REGISTER ↻ primary
    30.5 REGISTER ↻ primary
    34.5 REGISTER ↻ primary
    38.5 REGISTER ↻ primary
    42.5 REGISTER ↻ primary
    46.5 REGISTER ↻ primary
    47.0 * registration.failed server=1 target=secondary why=timeout status=undefined
    50.0 REGISTER → primary
    50.5 REGISTER ↻ primary
    51.5 REGISTER ↻ primary
    53.5 REGISTER ↻ primary
    92.0 REGISTER → secondary
    92.0 200 ← secondary
  `);
});

for (const ttl of [0, 3, 12]) {
  test(`DNSTTL, records of ${ttl} s and a silent primary: what has run out on the way there brings no later return`, () => {
    const zone = ZONE.replaceAll(/^dual +60/gm, `dual ${ttl}`);
    failover({ failbackMode: "DNSTTL" }, { keepAliveMs: 0 }, { zone, methods: ["REGISTER"] })
      .cut("primary")
      .start()
      .until(10)
      .revive("primary")
      .until(20)
      .expect(`
        0.0 REGISTER → primary
        0.5 REGISTER ↻ primary
        1.5 REGISTER ↻ primary
        3.5 REGISTER ↻ primary
        7.5 REGISTER → secondary
        7.5 200 ← secondary
        17.5 REGISTER → primary
        17.5 200 ← primary
      `);
  });
}

test("an outbound proxy is probed as often as the policy says, be it every two seconds", () => {
  const proxies = [defaultServer("192.0.2.33"), defaultServer("192.0.2.34")];
  const policy = { ...calm({ keepAliveMs: 0 }), proxies, proxyProbeIntervalMs: 2000 };
  const redundancy = { ...defaultPolicy("192.0.2.13"), ...policy };
  new Rehearsal([defaultAccount("2001", redundancy)], { methods: ["REGISTER"] })
    .kill("proxy1")
    .start()
    .until(5)
    .revive("proxy1")
    .until(7)
    .expect(`
      0.0 REGISTER → proxy1
      0.0 REGISTER → proxy2
      0.0 200 ← proxy2
      2.0 REGISTER → proxy1
      4.0 REGISTER → proxy1
      6.0 REGISTER → proxy1
      6.0 200 ← proxy1
    `);
});

for (const registerOnFailover of [true, false]) {
  test(`while the first proxy is probed in vain, the one in use has the calls (registerOnFailover ${registerOnFailover})`, () => {
    const place = { registerOnFailover } as const;
    const proxies = [defaultServer("192.0.2.33", place), defaultServer("192.0.2.34", place)];
    const policy = { ...calm({ keepAliveMs: 0 }), proxies, proxyProbeIntervalMs: 60_000 };
    const redundancy = { ...defaultPolicy("192.0.2.13"), ...policy, skipKnownDead: false };
    const stage = new Rehearsal([defaultAccount("2001", redundancy)], { methods: ["INVITE"] });
    stage.kill("proxy1").start().until(1).revive("proxy1").cut("proxy1").until(62);
    stage
      .do(() => stage.phone.call("2099"))
      .until(75)
      .expect(`
      62.0 INVITE → proxy2
      62.0 200 ← proxy2
    `);
  });
}

test("while the primary is tried for the way home, the secondary stays in service, and the call keeps it (§2.1)", () => {
  const server = { failbackMode: "duration", failbackSeconds: 60 } as const;
  const policy = { keepAliveMs: 0, skipKnownDead: false };
  const stage = failover(server, policy, { methods: ["INVITE", "REGISTER"] });
  stage.cut("primary").start().until(68);
  stage
    .do(() => stage.phone.call("2099"))
    .until(80)
    .expect(`
      0.0 REGISTER → primary
      0.5 REGISTER ↻ primary
      1.5 REGISTER ↻ primary
      3.5 REGISTER ↻ primary
      7.5 REGISTER → secondary
      7.5 200 ← secondary
      67.5 REGISTER → primary
      68.0 REGISTER ↻ primary
      68.0 INVITE → secondary
      68.0 200 ← secondary
      69.0 REGISTER ↻ primary
      71.0 REGISTER ↻ primary
    `);
});
