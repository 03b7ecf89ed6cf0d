/** 3xx to an INVITE, and calls that are refused without a call being made (RFC 3261 §8.1.3.4, §21.3). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { responseTo } from "../../../src/core/message/print.ts";
import { Bench, only, type Sent, scripted } from "./call-bench.ts";

/** Answers alice's INVITE with 302 to these Contacts. */
function redirect(bench: Bench, sent: Sent, contacts: string, status = 302): void {
  const response = responseTo(sent.request, status, undefined, `t${status}`);
  response.headers.add("contact", contacts);
  sent.user.final(bench.now, response, bench.alice.place, sent.request);
}

function dialling(to = "bob"): { bench: Bench; taken: Sent[]; first: Sent } {
  const bench = new Bench();
  const taken = scripted(bench);
  bench.alice.dial(to);
  bench.run(10);
  return { bench, taken, first: only(taken) };
}

test("302 is followed: the same call with the next CSeq to the Contact, without its headers", () => {
  const { bench, taken, first } = dialling();
  redirect(bench, first, "<sip:carol@lab.test;user=phone?Subject=x>");
  const { request } = taken[1] as Sent;
  assert.equal(request.uri, "sip:carol@lab.test;user=phone");
  assert.equal(request.headers.get("cseq"), "2 INVITE");
  for (const name of ["call-id", "from", "to"]) {
    assert.equal(request.headers.get(name), first.request.headers.get(name));
  }
  assert.deepEqual(bench.alice.events.slice(-1), [
    "call.redirected status=302 to=sip:carol@lab.test;user=phone",
  ]);
});

test("of several Contacts the best is tried first, the next when it refuses, none after 6xx", () => {
  const { bench, taken, first } = dialling();
  redirect(
    bench,
    first,
    "<sip:low@lab.test>;q=0.1, <sip:high@lab.test>;q=0.9, <sip:mid@lab.test>;q=0.5",
    300,
  );
  assert.equal(taken[1]?.request.uri, "sip:high@lab.test");
  redirect(bench, taken[1] as Sent, "<sip:high@lab.test>", 486);
  assert.equal(taken[2]?.request.uri, "sip:mid@lab.test");
  redirect(bench, taken[2] as Sent, "<sip:low@lab.test>", 603);
  assert.equal(taken.length, 3);
  assert.ok(bench.alice.events.includes("call.ended why=rejected status=603"));
});

test("an address is tried once, and five at most", () => {
  const { bench, taken, first } = dialling();
  redirect(bench, first, `<${first.request.uri}>`);
  assert.equal(taken.length, 1, "itself");
  assert.ok(bench.alice.events.includes("call.ended why=rejected status=302"));
  const chain = dialling();
  let last = chain.first;
  for (let hop = 1; hop < 10 && chain.bench.alice.calls.size > 0; hop += 1) {
    redirect(chain.bench, last, `<sip:hop${hop}@lab.test>`);
    last = chain.taken.at(-1) as Sent;
  }
  assert.equal(chain.taken.length, 6);
});

test("a Contact of another scheme, `*`, or what cannot be read is not followed", () => {
  for (const contacts of ["<tel:+4930123>", "<sips:carol@lab.test>", "*", "<sip:", "<http://x/>"]) {
    const { bench, taken, first } = dialling();
    redirect(bench, first, contacts);
    assert.equal(taken.length, 1, contacts);
    assert.ok(bench.alice.events.includes("call.ended why=rejected status=302"));
  }
});

test("a call that was hung up is redirected nowhere", () => {
  const { bench, taken, first } = dialling();
  first.user.provisional(
    bench.now,
    responseTo(first.request, 180, undefined, "x"),
    bench.alice.place,
  );
  bench.alice.calls.hangUpAll(bench.now);
  redirect(bench, first, "<sip:carol@lab.test>");
  assert.equal(taken.length, 1);
});

test("a busy phone says 486 and tells that it did", () => {
  const bench = new Bench();
  bench.bob.mode = "busy";
  bench.alice.dial("bob");
  bench.run(100);
  assert.equal(bench.bob.lastResponse.status, 486);
  assert.deepEqual(bench.bob.events, ["call.refused why=busy status=486"]);
});

test("a phone that is about to stop takes no call: 480", () => {
  const bench = new Bench();
  bench.bob.takesCalls = false;
  bench.alice.dial("bob");
  bench.run(100);
  assert.equal(bench.bob.lastResponse.status, 480);
  assert.deepEqual(bench.bob.events, ["call.refused why=stopping status=480"]);
});
