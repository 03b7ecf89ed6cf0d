/** UPDATE in early and confirmed dialogs, and the refresh by UPDATE (RFC 3311, RFC 4028; R62, R120). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { responseTo } from "../../../src/core/message/print.ts";
import type { Call } from "../../../src/core/phone/call.ts";
import { CALL_DEFAULTS } from "../../../src/core/redundancy/call-policy.ts";
import {
  answer,
  Bench,
  directionOf,
  inside,
  only,
  type Sent,
  scripted,
  turns,
} from "./call-bench.ts";

/** Alice's UPDATE with an offer. */
function offering(bench: Bench, cseq: number, direction = "sendrecv"): Request {
  const [invite] = bench.alice.sent;
  const update = inside(bench, "UPDATE", cseq, ["content-type", "application/sdp"]);
  update.headers.set("contact", "<sip:alice@192.0.2.99>");
  update.body = (invite as Sent).request.body.replace("a=sendrecv", `a=${direction}`);
  return update;
}

test("UPDATE in a confirmed dialog changes session and target, without ACK (R62)", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  bench.bob.arrive(offering(bench, 2, "sendonly"));
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.equal(directionOf(bench.bob.lastResponse.body), "recvonly");
  assert.equal(bench.bob.events.at(-1), "call.held by=peer");
  bench.bob.script = () => true;
  callee.hangUp(bench.now);
  assert.equal(bench.bob.lastSent.request.uri, "sip:alice@192.0.2.99");
});

test("UPDATE without offer is a sign of life, a bad offer leaves the session as it was", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  bench.bob.arrive(inside(bench, "UPDATE", 2));
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.equal(bench.bob.lastResponse.body, "");
  const bad = offering(bench, 3);
  bad.body = bad.body.replace("RTP/AVP", "RTP/SAVP");
  bench.bob.arrive(bad);
  assert.equal(bench.bob.lastResponse.status, 488);
  assert.equal(callee.state, "confirmed");
});

test("UPDATE with an offer while ours waits for its answer is 491 (R62)", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  bench.bob.script = () => true;
  callee.hold(bench.now);
  bench.bob.arrive(offering(bench, 2));
  assert.equal(bench.bob.lastResponse.status, 491);
  bench.bob.arrive(inside(bench, "UPDATE", 3));
  assert.equal(bench.bob.lastResponse.status, 200, "without offer there is no glare");
});

test("UPDATE with an offer before the INVITE's was answered is 500 with Retry-After 0–10 (R62)", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  bench.alice.dial("bob");
  bench.run(100);
  const [invite] = bench.alice.sent as [Sent];
  const to = bench.bob.lastResponse.headers.get("to") as string;
  const update: Request = {
    ...invite.request,
    method: "UPDATE",
    headers: invite.request.headers.copy(),
  };
  update.headers.set("to", to).set("cseq", "2 UPDATE");
  bench.bob.arrive(update);
  assert.equal(bench.bob.lastResponse.status, 500);
  const wait = Number(bench.bob.lastResponse.headers.get("retry-after"));
  assert.ok(wait >= 0 && wait <= 10);
  const bare: Request = { ...update, headers: update.headers.copy(), body: "" };
  bare.headers.set("cseq", "3 UPDATE");
  bench.bob.arrive(bare);
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.equal(bench.bob.calls.current?.state, "alerting");
});

/** Alice has called; bob has said 180 with this body and is played by the test. */
function early(body: (offer: string) => string): { bench: Bench; invite: Sent; caller: Call } {
  const bench = new Bench();
  const taken = scripted(bench);
  const caller = bench.alice.dial("bob");
  bench.run(10);
  const invite = only(taken);
  const response = responseTo(invite.request, 183, undefined, "one");
  response.headers.add("contact", "<sip:bob@192.0.2.2>");
  response.body = body(invite.request.body);
  invite.user.provisional(bench.now, response, bench.alice.place);
  return { bench, invite, caller };
}

/** A request of the callee's in that early dialog. */
function fromCallee(invite: Sent, method: string, cseq: number, body = ""): Request {
  const headers = invite.request.headers.copy();
  const from = headers.get("from") as string;
  headers
    .set("from", `${headers.get("to")};tag=one`)
    .set("to", from)
    .set("cseq", `${cseq} ${method}`)
    .set("contact", "<sip:bob@192.0.2.77>");
  return { kind: "request", method, uri: "sip:alice@192.0.2.1", headers, body };
}

test("the callee's UPDATE finds its early dialog: 491 before our offer is answered, then it is taken (R62)", () => {
  for (const [answered, status] of [
    [false, 491],
    [true, 200],
  ] as const) {
    const swap = (offer: string): string => offer.replaceAll("192.0.2.1", "192.0.2.2");
    const { bench, invite, caller } = early((offer) => (answered ? swap(offer) : ""));
    bench.alice.arrive(fromCallee(invite, "UPDATE", 1, swap(invite.request.body)));
    assert.equal(bench.alice.lastResponse.status, status);
    assert.equal(caller.state, "early");
  }
});

test("a callee that has not answered can neither invite nor end the call (R17)", () => {
  const { bench, invite, caller } = early(() => "");
  bench.alice.arrive(fromCallee(invite, "INVITE", 1, invite.request.body));
  assert.equal(bench.alice.lastResponse.status, 491);
  bench.alice.arrive(fromCallee(invite, "BYE", 2));
  assert.equal(bench.alice.lastResponse.status, 481);
  bench.alice.arrive(fromCallee(invite, "OPTIONS", 3));
  assert.equal(bench.alice.lastResponse.status, 200);
  assert.equal(caller.state, "early");
});

/** Both phones in a call whose caller asks for a session of 90 s. */
function timed(): { bench: Bench; caller: Call; callee: Call } {
  const bench = new Bench();
  bench.alice.callPolicy = { ...CALL_DEFAULTS, sessionTimer: true, sessionExpiresSeconds: 90 };
  return { bench, ...bench.connect() };
}

test("a session timer that is configured is asked for, and refreshed by UPDATE where the peer allows it (R120)", () => {
  const { bench, caller, callee } = timed();
  assert.equal(bench.alice.sent[0]?.request.headers.get("session-expires"), "90;refresher=uac");
  bench.run(100_000);
  assert.deepEqual(turns(bench.alice.sent.map(({ request }) => request)), [
    "INVITE 1",
    "UPDATE 2",
    "UPDATE 3",
  ]);
  assert.equal(bench.alice.lastSent.request.body, "");
  assert.equal(bench.bob.lastResponse.headers.get("session-expires"), "90;refresher=uac");
  assert.equal(caller.state, "confirmed");
  assert.equal(callee.state, "confirmed");
});

test("a peer that refuses UPDATE after all is refreshed by INVITE (R120)", () => {
  const { bench } = timed();
  bench.alice.script = (sent) => {
    if (sent.request.method === "UPDATE") answer(bench, sent, 405);
    return sent.request.method === "UPDATE";
  };
  bench.run(46_000);
  assert.deepEqual(bench.alice.methods, ["INVITE", "UPDATE", "INVITE"]);
  bench.run(45_000);
  assert.deepEqual(bench.alice.methods, ["INVITE", "UPDATE", "INVITE", "INVITE"]);
});

test("422 to a refresh is met once with the interval it names (R120)", () => {
  const { bench } = timed();
  const taken = scripted(bench);
  bench.run(46_000);
  const refuse = (sent: Sent, least: number): void => {
    const response = responseTo(sent.request, 422);
    response.headers.add("min-se", String(least));
    sent.user.final(bench.now, response, bench.alice.place, sent.request);
  };
  refuse(taken[0] as Sent, 200);
  assert.equal(taken[1]?.request.headers.get("session-expires"), "200;refresher=uac");
  assert.equal(taken[1]?.request.headers.get("min-se"), "200");
  refuse(taken[1] as Sent, 300);
  assert.equal(taken.length, 2);
});

test("422 to the INVITE is met once with the interval it names, as the same call (R120)", () => {
  const bench = new Bench();
  bench.alice.callPolicy = { ...CALL_DEFAULTS, sessionTimer: true, sessionExpiresSeconds: 90 };
  const taken = scripted(bench);
  bench.alice.dial("bob");
  bench.run(10);
  const first = only(taken);
  const response = responseTo(first.request, 422);
  response.headers.add("min-se", "600");
  first.user.final(bench.now, response, bench.alice.place, first.request);
  const second = taken[1]?.request as Request;
  assert.equal(second.headers.get("session-expires"), "600;refresher=uac");
  assert.equal(second.headers.get("min-se"), "600");
  assert.equal(second.headers.get("cseq"), "2 INVITE");
  assert.equal(second.headers.get("call-id"), first.request.headers.get("call-id"));
  const again = responseTo(second, 422);
  again.headers.add("min-se", "700");
  taken[1]?.user.final(bench.now, again, bench.alice.place, second);
  assert.ok(bench.alice.events.includes("call.ended why=rejected status=422"));
});

test("a refresh by UPDATE that finds nobody keeps the call while audio flows (redundancy.md §7, I10)", () => {
  const { bench, caller, callee } = timed();
  bench.alice.script = (sent) => {
    bench.later(() => sent.user.failed(bench.now, { why: "timeout" }), 32_000);
    return true;
  };
  bench.run(600_000);
  assert.equal(caller.state, "confirmed");
  assert.equal(callee.state, "confirmed");
});

test("481 to the refresh ends the call without BYE (R13)", () => {
  const { bench, caller } = timed();
  const taken = scripted(bench);
  bench.run(46_000);
  answer(bench, only(taken), 481);
  assert.equal(caller.state, "terminated");
  assert.equal(taken.length, 1);
});

test("a callee that wants a timer itself brings it in, and refreshes for a caller that cannot (R120)", () => {
  for (const [able, said] of [
    [true, "1800;refresher=uac"],
    [false, "1800;refresher=uas"],
  ] as const) {
    const bench = new Bench();
    bench.bob.callPolicy = { ...CALL_DEFAULTS, sessionTimer: true };
    bench.alice.script = ({ request }) => {
      if (!able) request.headers.remove("supported");
      return false;
    };
    bench.connect();
    const [accepted] = bench.bob.responses.filter(({ status }) => status === 200);
    assert.equal(accepted?.headers.get("session-expires"), said);
    assert.equal(accepted?.headers.get("require"), able ? "timer" : undefined);
  }
});
