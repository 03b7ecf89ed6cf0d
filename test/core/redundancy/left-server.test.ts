/** Nothing is taken from a server that the account has left (onlySignalWithRegistered, C40). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import { failover } from "./callers.ts";
import type { PlaceName, Rehearsal } from "./rehearsal.ts";
import { says } from "./scripted-server.ts";

const CHAIN: Partial<ServerPolicy> = {
  registerOnFailover: true,
  dropRegistrationOnFailover: true,
  onlySignalWithRegistered: true,
};

let asked = 0;

/** The status that a request from a server is answered with. @param call the number of one that was asked before. */
function statusOf(
  stage: Rehearsal,
  from: PlaceName,
  method: string,
  to = "",
  call?: number,
): number {
  asked += 1;
  const callId = `left-${call ?? asked}`;
  const server = stage.server(from);
  const answers: string[] = [];
  server.heard = (text) => void answers.push(text);
  const request = [
    `${method} sip:2001@192.0.2.100 SIP/2.0`,
    `Via: SIP/2.0/UDP ${server.address};branch=z9hG4bK-left-${asked}`,
    "Max-Forwards: 70",
    "From: <sip:2099@pbx.example.com>;tag=caller",
    `To: <sip:2001@pbx.example.com>${to}`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:2099@${server.address}>`,
    "Content-Length: 0",
    "",
    "",
  ];
  stage.hostOf(from).run(() => server.ask(request.join("\r\n"), "192.0.2.100"));
  stage.simulation.runUntil(stage.simulation.now + 100);
  const final = answers.find(
    (text) => /^SIP\/2\.0 [2-6]/.test(text) && text.includes(`Call-ID: ${callId}\r`),
  );
  return Number(final?.split(" ")[1] ?? 0);
}

/** Left the primary, which then came back. */
function moved(server: Partial<ServerPolicy>): Rehearsal {
  const stage = failover({ ...server, failbackMode: "duration", failbackSeconds: 3600 });
  stage.kill("primary");
  stage
    .do(() => stage.phone.call("2099"))
    .until(1)
    .do((now) => stage.phone.hangup(now));
  return stage.until(2).revive("primary").until(3);
}

test("after a failover the server left behind is answered 480, the registered one is served", () => {
  const stage = moved(CHAIN);
  assert.equal(statusOf(stage, "primary", "OPTIONS"), 480);
  assert.equal(statusOf(stage, "primary", "INVITE"), 480);
  assert.equal(statusOf(stage, "secondary", "OPTIONS"), 200);
});

test("a call that the server left behind brought in vain rings when the registered one brings it (RFC 3261 §8.2.2.2)", () => {
  const stage = moved(CHAIN);
  for (const method of ["INVITE", "OPTIONS"]) {
    assert.equal(statusOf(stage, "primary", method), 480);
    assert.notEqual(statusOf(stage, "secondary", method, "", asked), 482);
  }
});

test("a call that the registered server has brought is merged with the leg of the one left behind", () => {
  const stage = moved(CHAIN);
  statusOf(stage, "secondary", "INVITE");
  assert.equal(statusOf(stage, "primary", "INVITE", "", asked), 482);
});

test("before any failover the standby is served as well: whoever calls may have failed over (I2)", () => {
  const stage = failover(CHAIN);
  assert.equal(statusOf(stage, "primary", "OPTIONS"), 200);
  assert.equal(statusOf(stage, "secondary", "OPTIONS"), 200);
});

test("what ends something is taken from anywhere, and strangers are no servers", () => {
  const stage = moved(CHAIN);
  assert.equal(statusOf(stage, "primary", "BYE", ";tag=gone"), 481);
  assert.equal(statusOf(stage, "proxy1", "OPTIONS"), 200);
});

test("without the whole chain of the three switches every server is served", () => {
  for (const missing of Object.keys(CHAIN)) {
    const stage = moved({ ...CHAIN, [missing]: false });
    assert.equal(statusOf(stage, "primary", "OPTIONS"), 200, `without ${missing}`);
  }
});

test("the other end hears of the end through a server in use, though the registration there has run out", () => {
  const stage = failover({ ...CHAIN, expiresSeconds: 60 }, { keepAliveMs: 0 });
  stage.do(() => stage.phone.call("2099")).until(1);
  stage.server("primary").habits = { REGISTER: says(500) };
  stage.server("secondary").habits = { REGISTER: says(500) };
  stage.until(70);
  assert.equal(stage.account.registration(1)?.bound(stage.simulation.now), false);
  stage.take();
  stage
    .do((now) => stage.phone.hangup(now))
    .until(71)
    .expect(`
    70.0 BYE → primary
    70.0 200 ← primary
  `);
});

test("the other end hears of the end by way of the server that was registered at instead (I10)", () => {
  const stage = failover(CHAIN);
  stage.do(() => stage.phone.call("2099")).until(1);
  const first = stage.phone.callNumbered(1);
  stage.kill("primary");
  stage.do(() => stage.phone.call("2098")).until(2);
  assert.equal(stage.account.registration(1)?.place?.target.address, "192.0.2.14");
  stage.take();
  stage
    .do((now) => first?.hangUp(now))
    .until(3)
    .expect(`
    2.0 BYE → secondary
    2.0 200 ← secondary
  `);
});

test("newRequests: a trial of the way back in vain voids nothing, and the call goes where we are registered", () => {
  const stage = failover(
    { ...CHAIN, failbackMode: "newRequests", registerRetries: 0, inviteRetries: 0 },
    {},
    { methods: ["REGISTER", "INVITE", "BYE"] },
  ).cut("primary");
  const dialled = (): Rehearsal => stage.do(() => stage.phone.call("2099"));
  dialled().until(5);
  stage
    .do((now) => stage.phone.hangup(now))
    .until(10)
    .take();
  dialled().until(12);
  assert.equal(stage.account.registration(1)?.bound(stage.simulation.now), true);
  stage
    .do((now) => stage.phone.hangup(now))
    .until(13)
    .expect(`
    10.0 REGISTER → primary
    10.5 INVITE → secondary
    10.5 200 ← secondary
    12.0 BYE → secondary
    12.0 200 ← secondary
  `);
});

test("a server that was left and answers an INVITE after all is told that nobody is there (RFC 3261 §13.2.2.4)", () => {
  const shown = { methods: ["INVITE", "ACK", "BYE"] };
  const stage = failover({ ...CHAIN, inviteRetries: 0 }, {}, shown);
  const primary = stage.server("primary");
  primary.habits = {
    REGISTER: () => [],
    INVITE: (request) => primary.yes(request).map((reply) => ({ ...reply, afterMs: 2000 })),
  };
  stage
    .do(() => stage.phone.call("2099"))
    .until(2.3)
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
