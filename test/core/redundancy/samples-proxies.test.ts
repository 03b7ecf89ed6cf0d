/** The makers' example configurations with outbound proxies, played through the failures they were written for. */
import { test } from "node:test";
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
    371.0 REGISTER → proxy1
    371.5 REGISTER ↻ proxy1
    372.5 REGISTER ↻ proxy1
    554.5 REGISTER → proxy1
    554.5 200 ← proxy1
    554.5 * server.failed-back from=1 to=1 toTarget=proxy1 mode=probe
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
