/** What every request of a phone carries, and where it goes next when it was not answered (RFC 3261, RFC 3263 §4.3). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { dial, failover } from "../redundancy/callers.ts";
import { Rehearsal, type Sent } from "../redundancy/rehearsal.ts";
import { type Habit, SILENT, says } from "../redundancy/scripted-server.ts";
import * as registering from "../redundancy/stages.ts";

function header({ text }: Sent, name: string): string {
  return new RegExp(`^${name}: (.*)\\r$`, "m").exec(text)?.[1] ?? "";
}

function branch(sent: Sent): string {
  return /branch=([^;]+)/.exec(header(sent, "Via"))?.[1] ?? "";
}

function cseq(sent: Sent): number {
  return Number.parseInt(header(sent, "CSeq"), 10);
}

/** Asks for credentials once. */
function challenging(status: 401 | 407, yes: Habit): Habit {
  return (request: Request, now) => {
    const [asked, proof] =
      status === 401
        ? ["www-authenticate", "authorization"]
        : ["proxy-authenticate", "proxy-authorization"];
    if (request.headers.has(proof as string)) return yes(request, now);
    const challenge = 'Digest realm="x", nonce="n", qop="auth"';
    return [{ status, headers: { [asked as string]: challenge } }];
  };
}

/** A phone that registers, subscribes, calls, holds, hangs up and goes. */
function day(): readonly Sent[] {
  const policy = { ...defaultPolicy(defaultServer("192.0.2.13")), keepAliveMs: 0 };
  const stage = new Rehearsal([defaultAccount("2001", policy, { messageWaiting: true })]);
  stage.start().until(5);
  stage.do(() => stage.phone.call("2099")).until(6);
  stage.do((now) => stage.phone.hold(now)).until(7);
  stage.do((now) => stage.phone.hangup(now)).until(8);
  stage.do((now) => stage.phone.stop(now)).until(20);
  return stage.sent;
}

test("every request has Via with rport, Max-Forwards 70, To, From with a tag, Call-ID and CSeq (R1, R80)", () => {
  const sent = day();
  const methods = new Set(sent.map(({ method }) => method));
  assert.deepEqual([...methods].sort(), ["ACK", "BYE", "INVITE", "REGISTER", "SUBSCRIBE"]);
  for (const request of sent) {
    assert.match(header(request, "Via"), /^SIP\/2\.0\/UDP 192\.0\.2\.100:5060;(.*;)?rport(;|$)/);
    assert.equal(header(request, "Max-Forwards"), "70");
    assert.match(header(request, "To"), /^<sip:/);
    assert.match(header(request, "From"), /^<sip:2001@.*>;tag=.+/);
    assert.notEqual(header(request, "Call-ID"), "");
    assert.equal(header(request, "CSeq").split(" ")[1], request.method);
  }
});

test("each transaction has a branch of its own, which begins with the magic cookie (R2)", () => {
  const branches = day()
    .filter(({ method }) => method !== "ACK")
    .map(branch);
  for (const one of branches) assert.match(one, /^z9hG4bK.{8}/);
  assert.equal(new Set(branches).size, branches.length);
});

test("a response with a second Via is meant for somebody else and is dropped (R5)", () => {
  const stage = registering.successive();
  stage.server("primary").habits = {
    REGISTER: (request) => {
      const via = `${request.headers.get("via")}, SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKelse`;
      return stage
        .server("primary")
        .yes(request)
        .map((reply) => ({ ...reply, headers: { ...reply.headers, via } }));
    },
  };
  stage
    .start()
    .until(8)
    .expect(`
    0.0 REGISTER → primary
    0.0 200 ← primary
    0.5 REGISTER ↻ primary
    0.5 200 ← primary
    1.5 REGISTER ↻ primary
    1.5 200 ← primary
    3.5 REGISTER ↻ primary
    3.5 200 ← primary
    7.5 REGISTER → fallback
    7.5 200 ← fallback
  `);
});

for (const [method, status] of [
  ["REGISTER", 401],
  ["INVITE", 407],
] as const) {
  test(`${method} with credentials keeps Call-ID, From and To, raises CSeq by one, has a new branch (R6)`, () => {
    const stage = failover();
    const primary = stage.server("primary");
    primary.habits = { [method]: challenging(status, (request) => primary.yes(request)) };
    if (method === "INVITE") dial(stage);
    stage.until(600);
    const [bare, proven] = stage.sent.filter((one) => one.method === method) as [Sent, Sent];
    for (const name of ["Call-ID", "From", "To"]) {
      assert.equal(header(proven, name), header(bare, name));
    }
    assert.equal(cseq(proven), cseq(bare) + 1);
    assert.notEqual(branch(proven), branch(bare));
  });
}

test("REGISTER: the domain alone is asked, To is the address-of-record, one Call-ID, CSeq up by one each time (R20)", () => {
  const { sent } = registering
    .failover({ expiresSeconds: 120, overlapSeconds: 60 })
    .start()
    .until(400);
  assert.ok(sent.length > 5);
  for (const [index, one] of sent.entries()) {
    assert.match(one.text, /^REGISTER sip:dual\.pbx\.example\.com SIP\/2\.0\r\n/);
    assert.equal(header(one, "To"), "<sip:2001@dual.pbx.example.com>");
    assert.equal(header(one, "Call-ID"), header(sent[0] as Sent, "Call-ID"));
    assert.equal(cseq(one), cseq(sent[0] as Sent) + index);
  }
});

test("a registrar that was silent is not asked again at once; another one is (R24)", () => {
  const stage = registering.successive({}, { methods: ["REGISTER"] }).cut("primary", "fallback");
  const first = stage
    .start()
    .until(100)
    .sent.filter(({ again }) => !again);
  const toPrimary = first.filter(({ to }) => to === "primary").map(({ at }) => at);
  assert.deepEqual(
    first.slice(0, 3).map(({ to, at }) => `${to} ${at}`),
    // 7.5 s of patience with the first, 32 s with the last, and the back-off.
    ["primary 0", "fallback 7500", "primary 69500"],
  );
  assert.ok(
    toPrimary.every((at, index) => index === 0 || at - (toPrimary[index - 1] ?? 0) > 30_000),
  );
});

test("a probe of a better server is given up long before Timer F (R60)", () => {
  const stage = registering.successive({ probeIntervalMs: 60_000 }, { methods: ["REGISTER"] });
  stage.cut("primary").start().until(100);
  const probe = stage.sent.filter(({ to, at }) => to === "primary" && at > 60_000);
  assert.deepEqual(
    probe.map(({ at }) => at - (probe[0]?.at ?? 0)),
    [0, 500, 1500, 3500],
    "four sends, then no more",
  );
});

test("503, an ICMP error and silence are failures: the next target has its turn (R69)", () => {
  for (const [what, make] of [
    ["503", (stage: Rehearsal) => (stage.server("primary").habits = { INVITE: says(503) })],
    ["ICMP", (stage: Rehearsal) => stage.kill("primary")],
    ["silence", (stage: Rehearsal) => stage.cut("primary")],
  ] as const) {
    const stage = failover();
    make(stage);
    dial(stage).until(40);
    assert.ok(
      stage.sent.some(({ to, method }) => to === "secondary" && method === "INVITE"),
      what,
    );
  }
});

test("after a 100 silence is no failure any more, nor is any answer but 503 (R69)", () => {
  const habits: readonly Habit[] = [says(100), says(486), says(404), says(500)];
  for (const INVITE of habits) {
    const stage = failover();
    stage.server("primary").habits = { INVITE };
    dial(stage).until(300);
    assert.ok(stage.sent.every(({ to, method }) => to !== "secondary" || method !== "INVITE"));
  }
});

test("the next try is the same request but for Via: a new branch, a transaction of its own (R70)", () => {
  const stage = failover({ inviteRetries: 0 });
  stage.server("primary").habits = { INVITE: SILENT };
  dial(stage).until(5);
  const [first, next] = stage.sent.filter(({ method, again }) => method === "INVITE" && !again);
  const bare = ({ text }: Sent): string => text.replace(/^Via: .*\r\n/m, "");
  assert.ok(first !== undefined && next !== undefined);
  assert.deepEqual([first.to, next.to], ["primary", "secondary"]);
  assert.equal(bare(next), bare(first));
  assert.notEqual(branch(next), branch(first));
});

test("a REGISTER that was only ever answered 100 goes on after the whole of Timer F, not before (R69, deviation)", () => {
  const stage = registering.successive({}, { methods: ["REGISTER"] });
  stage.server("primary").habits = { REGISTER: says(100) };
  const elsewhere = stage
    .start()
    .until(40)
    .sent.find(({ to }) => to === "fallback");
  assert.equal(elsewhere?.at, 32_000);
});

test("while a REGISTER has no answer no other is sent to that registrar, whatever happens meanwhile (R21)", () => {
  const stage = registering.concurrent({ keepAliveMs: 0 });
  for (const name of ["primary", "fallback"] as const) {
    const server = stage.server(name);
    server.habits = {
      REGISTER: (request) => server.yes(request).map((reply) => ({ ...reply, afterMs: 3000 })),
      INVITE: says(503),
    };
  }
  stage.start().until(0.5);
  // A call that is refused everywhere raises doubts about both servers.
  dial(stage).until(2.9);
  const first = stage.sent.filter(({ method, again }) => method === "REGISTER" && !again);
  assert.deepEqual(
    first.map(({ to, at }) => `${to} ${at}`),
    ["primary 0", "fallback 0"],
  );
});

for (const [strange, plain] of [
  [499, 400],
  [699, 600],
] as const) {
  test(`an unknown ${strange} ends a call just as ${plain} does (R4)`, () => {
    const course = (status: number): string => {
      const stage = failover();
      stage.server("primary").habits = { INVITE: says(status) };
      dial(stage).until(60);
      const ended = stage.events.find(({ event }) => event === "call.ended");
      assert.equal(ended?.status, status);
      const sent = stage.sent.map(({ method, to }) => `${method} ${JSON.stringify(to)}`).join();
      return `${ended?.why} after ${sent}`;
    };
    assert.equal(course(strange), course(plain));
  });
}

test("an unknown 199 before the answer is to a caller what 183 is (R4)", () => {
  const course = (status: number): string => {
    const stage = failover();
    const primary = stage.server("primary");
    primary.habits = {
      INVITE: (request) => [{ status }, ...primary.yes(request)],
    };
    dial(stage).until(20);
    const events = stage.events.filter(({ event }) => event.startsWith("call."));
    return events.map(({ event }) => event).join(" ");
  };
  assert.match(course(183), /call\.ringing.*call\.answered/);
  assert.equal(course(199), course(183));
});
