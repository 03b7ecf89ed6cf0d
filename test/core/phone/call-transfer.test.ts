/** Calls handed over: REFER and its NOTIFYs (RFC 3515), Replaces (RFC 3891), both ends of each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { responseTo } from "../../../src/core/message/print.ts";
import {
  answer,
  Bench,
  type End,
  inside,
  nothingLeft,
  only,
  scripted,
  turns,
} from "./call-bench.ts";

/** Of what an end told, whatever is about handing over, and ends of calls. */
function told({ events }: End): string[] {
  return events.filter((event) => /transfer|referred|call\.ended/.test(event));
}

/** Answers bob's newest request, which the test has in its hands. */
function answered({ bob, now }: Bench, status: number, method: string): void {
  const sent = bob.sent.findLast(({ request }) => request.method === method);
  assert.ok(sent);
  const response = responseTo(sent.request, status, undefined, "carol");
  if (status < 200) sent.user.provisional(now, response, bob.place);
  else sent.user.final(now, response, bob.place, sent.request);
}

function states(requests: readonly Request[]): string[] {
  return requests
    .filter(({ method }) => method === "NOTIFY")
    .map(({ headers, body }) => `${body.trim()} ${headers.get("subscription-state")}`);
}

test("the peer calls whom it is told to, tells how that fares, and our call ends when that is answered", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  assert.equal(caller.transfer(bench.now, "carol"), true);
  assert.equal(caller.transfer(bench.now, "dave"), false, "one at a time");
  bench.run(200);
  const [refer] = bench.alice.sent.filter(({ request }) => request.method === "REFER");
  assert.equal(refer?.request.headers.get("refer-to"), "<sip:carol@lab.test>");
  assert.equal(refer?.request.headers.get("referred-by"), "<sip:alice@lab.test>");
  const placed = bench.bob.sent.find(({ request }) => request.method === "INVITE")?.request;
  assert.equal(placed?.uri, "sip:carol@lab.test");
  assert.equal(placed?.headers.get("referred-by"), "<sip:alice@lab.test>");
  assert.deepEqual(states(bench.bob.sent.map(({ request }) => request)), [
    "SIP/2.0 100 Trying active;expires=240",
    "SIP/2.0 200 OK terminated;reason=noresource",
  ]);
  assert.deepEqual(told(bench.alice), [
    "call.transferring to=carol",
    "call.transferred",
    "call.ended why=transferred",
  ]);
  assert.deepEqual(told(bench.bob), [
    "call.referred to=sip:carol@lab.test",
    "call.ended why=peer-hung-up",
  ]);
  bench.bob.calls.hangUpAll(bench.now);
  bench.run(40_000);
  nothingLeft(bench);
});

test("refused by whom the peer calls, or by the peer, our call goes on", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  bench.alice.mode = "busy";
  caller.transfer(bench.now, "carol");
  bench.run(200);
  const taken = scripted(bench);
  caller.transfer(bench.now, "dave");
  answer(bench, only(taken), 405);
  assert.deepEqual(told(bench.alice), [
    "call.transferring to=carol",
    "call.transfer-failed why=rejected status=486",
    "call.transferring to=dave",
    "call.transfer-failed why=rejected status=405",
  ]);
  assert.equal(caller.state, "confirmed");
});

test("a peer that tells nothing further is waited for as long as a phone may ring", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  bench.bob.script = () => true;
  caller.transfer(bench.now, "carol");
  bench.run(180_000);
  assert.deepEqual(told(bench.alice), ["call.transferring to=carol"]);
  bench.run(2000);
  assert.deepEqual(told(bench.alice).slice(1), ["call.transfer-failed why=no-news"]);
  assert.equal(caller.state, "confirmed");
});

test("a peer that hangs up tells nothing further, and nothing is left of the transfer", () => {
  const bench = new Bench();
  const { caller, callee } = bench.connect();
  bench.alice.mode = "ring";
  caller.transfer(bench.now, "carol");
  bench.run(100);
  callee.hangUp(bench.now);
  bench.run(100);
  assert.deepEqual(told(bench.alice), [
    "call.transferring to=carol",
    "call.ended why=peer-hung-up",
  ]);
  bench.bob.calls.hangUpAll(bench.now);
  bench.run(40_000);
  nothingLeft(bench);
});

for (const [referTo, status] of [
  [undefined, 400],
  ["<sip:carol@lab.test>, <sip:dave@lab.test>", 400],
  ["<sip:carol@lab.test?Replaces=%zz>", 400],
  ["<sip:carol@lab.test?Replaces=a%0d%0aVia:x>", 400],
  // 416 would speak of the Request-URI, and end the peer's dialog (RFC 5057 §5.1).
  ["<https://lab.test/carol>", 603],
  ["<tel:12>", 603],
  ["<sip:carol@lab.test;method=BYE>", 603],
] as const) {
  test(`REFER to ${referTo ?? "nobody"} is ${status}, and nobody is called`, () => {
    const bench = new Bench();
    bench.connect();
    const lines: [string, string][] = referTo === undefined ? [] : [["refer-to", referTo]];
    bench.bob.arrive(inside(bench, "REFER", 2, ...lines));
    assert.equal(bench.bob.lastResponse.status, status);
    assert.deepEqual(bench.bob.sent, []);
  });
}

test("a REFER that comes round by another server is answered alike and calls nobody again; another has to wait", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.script = () => true;
  const refer = (cseq: number): number => {
    bench.bob.arrive(inside(bench, "REFER", cseq, ["refer-to", "<sip:carol@lab.test>"]));
    return bench.bob.lastResponse.status;
  };
  assert.deepEqual([refer(2), refer(2), refer(3)], [202, 202, 491]);
  bench.run(10);
  assert.deepEqual(bench.bob.methods, ["NOTIFY", "INVITE"]);
  answered(bench, 404, "INVITE");
  answered(bench, 200, "NOTIFY");
  answered(bench, 200, "NOTIFY");
  assert.equal(refer(4), 202);
});

test("one NOTIFY at a time, with the newest of what there is to tell", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.script = () => true;
  bench.bob.arrive(inside(bench, "REFER", 2, ["refer-to", "<sip:carol@lab.test;method=INVITE>"]));
  bench.run(10);
  answered(bench, 180, "INVITE");
  answered(bench, 183, "INVITE");
  answered(bench, 200, "NOTIFY");
  answered(bench, 486, "INVITE");
  answered(bench, 200, "NOTIFY");
  const requests = bench.bob.sent.map(({ request }) => request);
  assert.deepEqual(turns(requests), ["NOTIFY 1", "INVITE 1", "NOTIFY 2", "NOTIFY 3"]);
  assert.equal(requests[0]?.headers.get("event"), "refer;id=2");
  assert.deepEqual(states(requests), [
    "SIP/2.0 100 Trying active;expires=240",
    "SIP/2.0 183 Session Progress active;expires=240",
    "SIP/2.0 486 Busy Here terminated;reason=noresource",
  ]);
});

test("NOTIFY of a transfer that nobody asked for is 481, of another event 489 while one is under way", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  const notify = (cseq: number, event: string): number => {
    const request = inside(
      bench,
      "NOTIFY",
      cseq,
      ["event", event],
      ["subscription-state", "active"],
    );
    bench.bob.arrive(request);
    return bench.bob.lastResponse.status;
  };
  assert.equal(notify(2, "refer"), 481);
  bench.bob.script = () => true;
  callee.transfer(bench.now, "carol");
  assert.equal(notify(3, "dialog"), 489);
  assert.equal(notify(4, "refer;id=1"), 200);
});

test("Replaces takes the place of an answered call, which ends; of no other (RFC 3891 §3)", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  const [first] = bench.alice.sent;
  assert.ok(first);
  const to = /tag=(\w+)/.exec(bench.bob.lastResponse.headers.get("to") ?? "")?.[1];
  const from = /tag=(\w+)/.exec(first.request.headers.get("from") ?? "")?.[1];
  const callId = first.request.headers.get("call-id");
  const invite = (replaces: string): number => {
    const { request } = first;
    const again: Request = { ...request, headers: request.headers.copy() };
    again.headers.set("call-id", `${replaces}-anew`).set("replaces", replaces);
    again.headers.set("from", `<sip:carol@lab.test>;tag=carol${bench.bob.responses.length}`);
    bench.bob.arrive(again);
    bench.run(20);
    return bench.bob.lastResponse.status;
  };
  assert.equal(invite(`${callId};to-tag=${to}`), 400);
  assert.equal(invite(`${callId};to-tag=${to};from-tag=another`), 481);
  assert.equal(invite(`${callId};to-tag=${to};from-tag=${from};early-only`), 486);
  assert.equal(callee.state, "confirmed");
  assert.equal(invite(`${callId};to-tag=${to};from-tag=${from}`), 200);
  assert.deepEqual(told(bench.bob), ["call.ended why=replaced"]);
  assert.equal(bench.bob.lastSent.request.method, "BYE");
});

test("two calls are made one of their peers; one that is over is nobody's to be put in the place of", () => {
  const bench = new Bench();
  const { caller: first } = bench.connect();
  assert.equal(bench.alice.calls.transfer(bench.now), false, "there is one call only");
  const second = bench.alice.dial("bob");
  bench.run(100);
  const placed = bench.alice.lastSent.request.headers.get("call-id") ?? "";
  bench.alice.script = () => true;
  assert.equal(bench.alice.calls.transfer(bench.now), true);
  const { headers, method } = bench.alice.lastSent.request;
  assert.equal(method, "REFER");
  assert.notEqual(headers.get("call-id"), placed);
  const named = /^<sip:bob@lab\.test\?Replaces=(.*)>$/.exec(headers.get("refer-to") ?? "")?.[1];
  const [replaced = "", ...tags] = decodeURIComponent(named ?? "").split(";");
  assert.equal(replaced, placed);
  assert.match(tags.join(), /^to-tag=\w+,from-tag=\w+$/);
  answer(bench, bench.alice.lastSent, 405);
  second.hangUp(bench.now);
  assert.equal(second.state, "ending");
  assert.equal(first.transfer(bench.now, second), false);
});

test("REFER outside a call, or before it is answered, is 403", () => {
  const bench = new Bench();
  bench.connect();
  const outside = inside(bench, "REFER", 1, ["refer-to", "<sip:carol@lab.test>"]);
  outside.headers.set("to", "<sip:bob@lab.test>");
  bench.bob.arrive(outside);
  assert.equal(bench.bob.lastResponse.status, 403);
  assert.deepEqual(bench.bob.sent, []);
});
