/** The makers' example configurations with outbound proxies, played through the failures they were written for. */
import { test } from "node:test";
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal, sample } from "./rehearsal.ts";

const EDGE = `
$ORIGIN example.com.
edge           60 IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.edge.example.com.
_sip._udp.edge 60 IN SRV 10 60 5060 one.edge
one.edge       60 IN A 192.0.2.33
`;

test("Y6: with the first proxy dead the phone goes through the next, and tries the first each 180 s", () => {
  const stage = new Rehearsal(sample("Y6-outbound-proxies.cfg"), {
    methods: ["INVITE", "REGISTER"],
    events: ["server.failed-back"],
  }).start();
  stage.until(10).cut("proxy1").zero();
  stage.do(() => stage.phone.call("2099")).until(20);
  stage.do((now) => stage.phone.hangup(now)).until(500);
  stage.revive("proxy1").until(600);
  stage.expect(`
    0.0 INVITE → proxy1
    0.5 INVITE ↻ proxy1
    1.5 INVITE ↻ proxy1
    3.5 INVITE ↻ proxy1
    7.5 INVITE → proxy2
    7.5 200 ← proxy2
    187.5 REGISTER → proxy1
    188.0 REGISTER ↻ proxy1
    189.0 REGISTER ↻ proxy1
    367.5 REGISTER → proxy1
    368.0 REGISTER ↻ proxy1
    369.0 REGISTER ↻ proxy1
    547.5 REGISTER → proxy1
    547.5 200 ← proxy1
    547.5 * server.failed-back from=1 to=1 toTarget=proxy1 mode=probe
  `);
});

test("P5: with the proxy and server 1 dead a call goes straight to server 2, which holds no registration", () => {
  const stage = new Rehearsal(sample("P5-outbound-proxy.xml"), { zone: EDGE, methods: ["INVITE"] });
  stage.start().until(10).cut("proxy1", "primary").zero();
  stage
    .do(() => stage.phone.call("2099"))
    .until(60)
    .expect(`
    0.0 INVITE → proxy1
    0.5 INVITE ↻ proxy1
    1.5 INVITE ↻ proxy1
    3.5 INVITE ↻ proxy1
    7.5 INVITE → fallback
    7.5 200 ← fallback
  `);
});

/** The first of three proxies has two addresses, and only the last proxy is alive. */
function edges(change: Partial<RedundancyPolicy>, hop: Partial<ServerPolicy> = {}): Rehearsal {
  const proxies = ["dual.pbx.example.com", "192.0.2.33", "192.0.2.34"].map((address) =>
    defaultServer(address, { port: 5060, transport: "udp", registerRetries: 0, ...hop }),
  );
  const own = { ...PLAIN, proxies, refreshJitter: 0, proxyProbeIntervalMs: 60_000, ...change };
  const account = defaultAccount("2001", { ...defaultPolicy("192.0.2.15"), ...own });
  const methods = ["REGISTER", "OPTIONS"];
  const stage = new Rehearsal([account], { methods, events: ["server.failed-back"] });
  return stage.cut("primary", "secondary", "proxy1").start();
}

test("from a later proxy each address of the earlier ones is tried in their order, each interval", () => {
  const stage = edges({}).until(70).revive("secondary").until(140);
  stage.expect(`
    0.0 REGISTER → primary
    0.5 REGISTER → secondary
    1.0 REGISTER → proxy1
    1.5 REGISTER → proxy2
    1.5 200 ← proxy2
    61.5 REGISTER → primary
    62.0 REGISTER → secondary
    62.5 REGISTER → proxy1
    121.5 REGISTER → primary
    122.0 REGISTER → secondary
    122.0 200 ← secondary
    122.0 * server.failed-back from=1 to=1 toTarget=secondary mode=probe
  `);
});

test("who has come back to another address of the first proxy goes home by its mode, counted from then on", () => {
  const byTime = { failbackMode: "duration", failbackSeconds: 120 } as const;
  const stage = edges({}, byTime).until(70).revive("secondary").until(130).zero().revive("primary");
  stage.until(130).expect(`
    112.0 REGISTER → primary
    112.0 200 ← primary
    112.0 * server.failed-back from=1 to=1 toTarget=primary mode=duration
  `);
});

test("where a return wants proof, each of those addresses gives its own", () => {
  const stage = edges({ goodProbes: 2 }).until(40).revive("proxy1").zero().until(40);
  stage.expect(`
    21.0 OPTIONS → primary
    21.5 OPTIONS → secondary
    22.0 OPTIONS → proxy1
    22.0 200 ← proxy1
    22.5 OPTIONS → proxy1
    22.5 200 ← proxy1
    22.5 REGISTER → proxy1
    22.5 200 ← proxy1
    22.5 * server.failed-back from=1 to=1 toTarget=proxy1 mode=probe
  `);
});
