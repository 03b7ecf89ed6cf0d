/** Requests inside a dialog whose next hop fails go to the other targets of the same server (redundancy.md §7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { CALLS, dial, failover, ready, servers } from "./callers.ts";
import { Rehearsal } from "./rehearsal.ts";
import { type Reply, SILENT, says } from "./scripted-server.ts";

/** A phone that asks for a session of 90 s, at one name with two targets. */
function timed(): Rehearsal {
  const named = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    registerOnFailover: false,
    inviteRetries: 0,
    registerRetries: 0,
  });
  const redundancy = { ...defaultPolicy(named), keepAliveMs: 0, ...PLAIN, skipKnownDead: true };
  const calls = { sessionTimer: true, sessionExpiresSeconds: 90 };
  const account = defaultAccount("2001", redundancy, calls);
  return ready(new Rehearsal([account], { methods: [...CALLS, "UPDATE", "PRACK"] }));
}

/** What a 200 to INVITE or UPDATE says beside the usual. */
const AGREED = { "session-expires": "90;refresher=uac", allow: "INVITE, ACK, BYE, UPDATE" };

function agreeing(stage: Rehearsal, name: "primary" | "secondary"): void {
  const server = stage.server(name);
  const yes = (request: Parameters<typeof server.yes>[0]): ReturnType<typeof server.yes> =>
    server.yes(request).map((reply) => ({ ...reply, headers: { ...reply.headers, ...AGREED } }));
  server.habits = { INVITE: yes, UPDATE: yes };
}

/** In a call with a session timer for a second, when the primary is cut off. */
function cutInCall(stage: Rehearsal): Rehearsal {
  agreeing(stage, "primary");
  agreeing(stage, "secondary");
  return dial(stage)
    .until(1)
    .do(() => void stage.cut("primary"));
}

test("the refresh of a session finds the other target, and goes on there (R120)", () => {
  const stage = timed();
  cutInCall(stage)
    .until(100)
    .expect(`
    0.0 INVITE → primary
    0.0 200 ← primary
    0.0 ACK → primary
    45.0 UPDATE → primary
    45.5 UPDATE → secondary
    45.5 200 ← secondary
    90.5 UPDATE → secondary
    90.5 200 ← secondary
  `);
});

test("the PRACK of a 183 whose server dies finds the other target (R61)", () => {
  const stage = timed();
  const reliable = { require: "100rel", rseq: "3", contact: "<sip:callee@192.0.2.13:5060>" };
  stage.server("primary").habits = { INVITE: () => [{ status: 183, headers: reliable }] };
  stage.server("primary").habits.PRACK = () => [];
  dial(stage)
    .until(2)
    .expect(`
    0.0 INVITE → primary
    0.0 183 ← primary
    0.0 PRACK → primary
    0.5 PRACK → secondary
    0.5 200 ← secondary
  `);
  const [prack] = stage.sent.filter(({ method }) => method === "PRACK");
  assert.match(prack?.text ?? "", /^RAck: 3 1 INVITE\r$/m);
});

test("two PRACKs at once, the first challenged, never have one number (RFC 3261 §12.2.2, RFC 3262 §4)", () => {
  const stage = timed();
  const primary = stage.server("primary");
  const reliable = (rseq: number, afterMs: number): Reply => ({
    status: 183,
    afterMs,
    headers: { require: "100rel", rseq: `${rseq}`, contact: "<sip:callee@192.0.2.13:5060>" },
  });
  // Inside a dialog nobody is answered who did not ask outside one.
  const asks = (nonce: string, afterMs: number): Reply => ({
    status: 407,
    afterMs,
    headers: { "proxy-authenticate": `Digest realm="x", nonce="${nonce}", stale=true` },
  });
  const knows = (request: Request, nonce: string): boolean =>
    request.headers.get("proxy-authorization")?.includes(`nonce="${nonce}"`) === true;
  primary.habits = {
    INVITE: (request) =>
      knows(request, "old") ? [reliable(3, 0), reliable(4, 100)] : [asks("old", 0)],
    PRACK: (request) => (knows(request, "new") ? primary.yes(request) : [asks("new", 200)]),
  };
  dial(stage).until(2);
  const numbers = stage.sent
    .filter(({ method, again }) => method === "PRACK" && !again)
    .map(({ text }) => Number(/^CSeq: (\d+)/m.exec(text)?.[1]));
  assert.equal(numbers.length, 4);
  assert.equal(new Set(numbers).size, 4, numbers.join());
});

test("without a cache of records the way of a dialog is still its own: nothing is looked up for it (§12.2.1.1)", () => {
  const policy = defaultPolicy(defaultServer("192.0.2.13"));
  const redundancy = {
    ...policy,
    keepAliveMs: 0,
    ...PLAIN,
    proxies: [defaultServer("proxy.pbx.example.com", { port: 5060, transport: "udp" })],
    dns: { ...policy.dns, cache: false },
  };
  const zone = "$ORIGIN pbx.example.com.\nproxy 60 IN A 192.0.2.33\n";
  const stage = ready(
    new Rehearsal([defaultAccount("2001", redundancy)], { zone, methods: CALLS }),
  );
  dial(stage)
    .until(1)
    .do((now) => stage.phone.hangup(now))
    .expect(`
    0.0 INVITE → proxy1
    0.0 200 ← proxy1
    0.0 ACK → proxy1
    1.0 BYE → proxy1
    1.0 200 ← proxy1
  `);
});

test("a phone that stops registers nowhere for its last words, and takes all bindings with it", () => {
  const named = defaultServer("dual.pbx.example.com", {
    port: 5060,
    transport: "udp",
    failbackMode: "newRequests",
    registerOnFailover: true,
    dropRegistrationOnFailover: true,
  });
  const redundancy = { ...defaultPolicy(named), keepAliveMs: 0, ...PLAIN };
  const methods = [...CALLS, "REGISTER"];
  const stage = ready(new Rehearsal([defaultAccount("2001", redundancy)], { methods }));
  dial(stage.kill("primary")).until(1).revive("primary");
  stage.do(() => stage.phone.call("2098")).until(2);
  stage.expect(`
    0.0 INVITE → primary
    0.0 REGISTER → secondary
    0.0 200 ← secondary
    0.0 INVITE → secondary
    0.0 200 ← secondary
    0.0 ACK → secondary
    1.0 REGISTER → primary
    1.0 200 ← primary
    1.0 INVITE → primary
    1.0 200 ← primary
    1.0 ACK → primary
  `);
  stage
    .do((now) => stage.phone.stop(now))
    .until(3)
    .expect(`
    2.0 BYE → secondary
    2.0 BYE → primary
    2.0 REGISTER 0 → primary
    2.0 200 ← secondary
    2.0 200 ← primary
    2.0 200 ← primary
  `);
});

test("a PRACK that nobody answered goes nowhere else once the call is answered (RFC 3262 §3, I7)", () => {
  const stage = timed();
  const primary = stage.server("primary");
  const reliable = { require: "100rel", rseq: "1", contact: "<sip:callee@192.0.2.13:5060>" };
  primary.habits = {
    INVITE: (request) => [
      { status: 180, headers: reliable },
      ...primary.yes(request).map((reply) => ({ ...reply, afterMs: 200 })),
    ],
    PRACK: SILENT,
    BYE: SILENT,
  };
  dial(stage)
    .until(0.3)
    .do((now) => stage.phone.hangup(now))
    .until(0.6)
    .expect(`
    0.0 INVITE → primary
    0.0 180 ← primary
    0.0 PRACK → primary
    0.2 200 ← primary
    0.2 ACK → primary
    0.3 BYE → primary
    0.5 PRACK ↻ primary
  `);
});

/** The CSeq of each request of the phone that is no ACK and no retransmission. */
function numbers(stage: Rehearsal, ...methods: string[]): string[] {
  return stage.sent
    .filter(({ method, again }) => methods.includes(method) && !again)
    .map(({ text }) => /^CSeq: (.*)\r$/m.exec(text)?.[1] ?? "");
}

test("a refresh that nobody answers goes nowhere else once a hold refreshes, too (RFC 3261 §12.2.2, I7)", () => {
  const stage = timed();
  cutInCall(stage)
    .until(45.2)
    .do((now) => stage.phone.callNumbered(1)?.hold(now))
    .until(60)
    .expect(`
    0.0 INVITE → primary
    0.0 200 ← primary
    0.0 ACK → primary
    45.0 UPDATE → primary
    45.2 INVITE → primary
    45.7 INVITE → secondary
    45.7 200 ← secondary
    45.7 ACK → secondary
  `);
  assert.deepEqual(numbers(stage, "UPDATE", "INVITE"), [
    "1 INVITE",
    "2 UPDATE",
    "3 INVITE",
    "3 INVITE",
  ]);
});

test("a PRACK that goes elsewhere after the next one counts anew (RFC 3261 §12.2.2, I7)", () => {
  const stage = timed();
  const primary = stage.server("primary");
  const reliable = (rseq: string) => ({
    require: "100rel",
    rseq,
    contact: "<sip:callee@192.0.2.13:5060>",
  });
  primary.habits = {
    INVITE: () => [
      { status: 180, headers: reliable("1") },
      { status: 183, headers: reliable("2"), afterMs: 200 },
    ],
    PRACK: SILENT,
  };
  dial(stage).until(1);
  assert.deepEqual(numbers(stage, "PRACK"), ["2 PRACK", "3 PRACK", "4 PRACK", "5 PRACK"]);
});

/** The account is home again, while a call that went by way of the secondary is up. */
function homeInCall(): Rehearsal {
  const server = {
    failbackMode: "newRequests",
    registerOnFailover: true,
    dropRegistrationOnFailover: true,
    ...{ expiresSeconds: 60, overlapSeconds: 30, registerRetries: 0, inviteRetries: 0 },
  } as const;
  const methods = ["REGISTER", "INVITE", "BYE"];
  const stage = failover(server, { refreshJitter: 0 }, { methods }).cut("primary");
  dial(stage)
    .until(5)
    .do(() => void stage.revive("primary"))
    .until(100);
  stage.take();
  return stage;
}

test("a hold and a BYE by way of the place left on the return do not take the account there again (I3)", () => {
  const stage = homeInCall();
  stage.do((now) => stage.phone.callNumbered(1)?.hold(now)).until(101);
  stage
    .do((now) => stage.phone.hangup(now))
    .until(141)
    .expect(`
    100.0 INVITE → secondary
    100.0 200 ← secondary
    101.0 BYE → secondary
    101.0 200 ← secondary
    120.5 REGISTER → primary
    120.5 200 ← primary
  `);
});

test("… nor is what stands at home forgotten where that place has died meanwhile", () => {
  const stage = homeInCall().cut("secondary");
  stage
    .do((now) => stage.phone.callNumbered(1)?.hold(now))
    .until(121)
    .expect(`
    100.0 INVITE → secondary
    100.5 INVITE → primary
    100.5 200 ← primary
    120.5 REGISTER → primary
    120.5 200 ← primary
  `);
});

/** A call is up through the primary, which then asks to be left alone. */
function hushed(stage: Rehearsal): Rehearsal {
  dial(stage).until(1);
  stage.server("primary").habits = { INVITE: says(503, { "retry-after": "60" }) };
  stage.do(() => stage.phone.call("2098")).until(2);
  stage.take();
  return stage.do((now) => stage.phone.callNumbered(1)?.hangUp(now)).until(3);
}

test("a BYE goes even to a server that asked to be left alone: nothing else ends the call (R50, I10)", () => {
  hushed(servers({}, "192.0.2.13")).expect(`
    2.0 BYE → primary
    2.0 200 ← primary
  `);
});

test("… and where the account would be registered first, though it cannot be (I10)", () => {
  hushed(servers({ registration: "successive" }, "192.0.2.13", "192.0.2.15")).expect(`
    2.0 BYE → primary
    2.0 200 ← primary
  `);
});

test("a BYE leaves a server alone that asked for it, if another one takes it", () => {
  hushed(timed()).expect(`
    2.0 BYE → secondary
    2.0 200 ← secondary
  `);
});
