/** A 2xx to an INVITE that nobody remembers (RFC 6026 §8.1, RFC 3261 §18.1.2). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cseqOf } from "../../../src/core/message/cseq.ts";
import type { Headers } from "../../../src/core/message/headers.ts";
import type { Response } from "../../../src/core/message/message.ts";
import { responseTo } from "../../../src/core/message/print.ts";
import { StrayAnswers } from "../../../src/core/phone/stray-answer.ts";
import { Bench, nothingLeft, only, scripted } from "./call-bench.ts";

/** Bob's 200 to an INVITE of alice's, which she has forgotten. */
function forgotten(): { bench: Bench; response: Response } {
  const bench = new Bench();
  bench.alice.dial("bob");
  bench.run(8);
  bench.alice.calls.dropAll();
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  const response = responseTo(invite.request, 200, undefined, "late");
  response.headers.add("contact", "<sip:bob@192.0.2.2>");
  return { bench, response };
}

test("a late 200 that nobody remembers is acknowledged and ended", () => {
  const { bench, response } = forgotten();
  new StrayAnswers().heard(bench.now, bench.alice, response, bench.alice.flow);
  assert.equal(bench.alice.acks.length, 1);
  assert.deepEqual(bench.alice.methods, ["INVITE", "BYE"]);
});

test("one that comes again is acknowledged again, and its end is said once", () => {
  const { bench, response } = forgotten();
  const strays = new StrayAnswers();
  for (let time = 0; time < 3; time += 1) {
    strays.heard(bench.now, bench.alice, response, bench.alice.flow);
  }
  assert.equal(bench.alice.acks.length, 3);
  assert.deepEqual(bench.alice.methods, ["INVITE", "BYE"]);
});

test("its end bears a number that no PRACK or re-INVITE before it can have borne (RFC 3261 §12.2.2)", () => {
  const { bench, response } = forgotten();
  new StrayAnswers().heard(bench.now, bench.alice, response, bench.alice.flow);
  assert.equal(cseqOf(bench.alice.lastSent.request.headers)?.number, 66);
});

test("one with another sent-by than ours is for somebody else (R45)", () => {
  for (const [part, other] of [
    ["192.0.2.1", "192.0.2.99"],
    [":5060", ":5062"],
  ] as const) {
    const { bench, response } = forgotten();
    const via = response.headers.get("via") as string;
    response.headers.set("via", via.replace(part, other));
    new StrayAnswers().heard(bench.now, bench.alice, response, bench.alice.flow);
    assert.equal(bench.alice.acks.length, 0);
    assert.deepEqual(bench.alice.methods, ["INVITE"]);
  }
});

test("one to a hold that was given up belongs to the call: it is acknowledged, and the call stays (swarm 250415)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const taken = scripted(bench);
  caller.hold(bench.now);
  const hold = only(taken);
  const response = responseTo(hold.request, 200);
  response.headers.add("contact", "<sip:bob@192.0.2.2>");
  // The server was frozen: nobody answered in the time of Timer B, and 32 s later somebody does.
  hold.user.failed(bench.now, { why: "timeout" });
  bench.alice.script = () => false;
  assert.equal(bench.alice.calls.strayed(bench.now, response, bench.alice.flow), true);
  bench.run(100);
  assert.deepEqual(bench.alice.methods, ["INVITE", "INVITE"]);
  assert.equal(cseqOf(bench.alice.acks.at(-1)?.headers as Headers)?.number, 2);
  assert.equal(caller.state, "confirmed");
  // What was not sent from here is not heard in a call, either (R45).
  const acknowledged = bench.alice.acks.length;
  const via = response.headers.get("via") as string;
  response.headers.set("via", via.replace("192.0.2.1", "192.0.2.99"));
  assert.equal(bench.alice.calls.strayed(bench.now, response, bench.alice.flow), true);
  bench.run(100);
  assert.equal(bench.alice.acks.length, acknowledged);
  // Of a call that is over and forgotten it would be ended.
  caller.hangUp(bench.now);
  bench.run(100_000);
  assert.equal(bench.alice.calls.strayed(bench.now, response, bench.alice.flow), false);
  nothingLeft(bench);
});
