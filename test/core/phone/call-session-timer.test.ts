/** Session timers inside a call (RFC 4028; R120, I10). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call } from "../../../src/core/phone/call.ts";
import { Bench, holds, turns } from "./call-bench.ts";

/** Connects with a session interval that alice asks for. */
function withTimer(value: string): { bench: Bench; caller: Call; callee: Call } {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    if (sent.request.method === "INVITE" && !sent.request.headers.has("session-expires")) {
      sent.request.headers.add("session-expires", value);
    }
    return false;
  };
  const both = bench.connect();
  bench.alice.script = () => false;
  return { bench, ...both };
}

test("an interval below 90 s is answered 422 with the least (R120)", () => {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    sent.request.headers.add("session-expires", "60");
    return false;
  };
  bench.alice.dial("bob");
  bench.run(100);
  assert.equal(bench.bob.lastResponse.status, 422);
  assert.equal(bench.bob.lastResponse.headers.get("min-se"), "90");
});

test("the caller refreshes if it can, at half time, and each refresh begins the interval anew (R120)", () => {
  const { bench, callee } = withTimer("90");
  const [response] = bench.bob.responses.filter(({ status }) => status === 200);
  assert.equal(response?.headers.get("session-expires"), "90;refresher=uac");
  assert.equal(response?.headers.get("require"), "timer");
  bench.run(400_000);
  assert.equal(callee.state, "confirmed");
  const refreshes = bench.alice.sent.slice(1);
  assert.equal(refreshes.length, 8);
  assert.equal(refreshes[0]?.request.headers.get("session-expires"), "90;refresher=uac");
  assert.deepEqual(holds(bench.bob.events), []);
});

test("the callee refreshes if it is asked to (R120)", () => {
  const { bench, caller } = withTimer("100 ; refresher = UAS");
  bench.run(260_000);
  assert.equal(caller.state, "confirmed");
  assert.deepEqual(turns(bench.bob.sent.map((sent) => sent.request)).slice(0, 2), [
    "UPDATE 1",
    "UPDATE 2",
  ]);
  assert.equal(bench.bob.sent[0]?.request.headers.get("session-expires"), "100;refresher=uac");
});

test("refreshes that find nobody keep the call while audio flows, for as long as it does (I10)", () => {
  const { bench, caller, callee } = withTimer("90");
  bench.alice.script = (sent) => {
    bench.later(() => sent.user.failed(bench.now, { why: "timeout" }), 32_000);
    return true;
  };
  bench.run(1_000_000);
  assert.equal(caller.state, "confirmed");
  assert.equal(callee.state, "confirmed");
  assert.ok(bench.bob.events.includes("call.session-expired kept=true"));
  assert.deepEqual(bench.bob.methods, []);
});

test("without refresh and without audio the other side says BYE at min(32 s, a third) before the end (R120)", () => {
  const { bench, callee } = withTimer("90");
  const start = bench.now;
  bench.alice.script = () => true;
  bench.bob.script = () => true;
  bench.bob.world.deaf = true;
  bench.run(59_000 - (bench.now - start));
  assert.equal(callee.state, "confirmed");
  bench.run(2000);
  assert.ok(bench.bob.events.includes("call.ended why=session-expired"));
  assert.deepEqual(bench.bob.methods, ["BYE"]);
});
