/** The audio of a call: ports, early answers, keys, recordings, and a peer that is silent or elsewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isRtcp } from "../../../src/core/media/rtcp.ts";
import { responseTo } from "../../../src/core/message/print.ts";
import { Bench, nothingLeft } from "./call-bench.ts";

test("no port for audio: the caller does not call, the callee answers 500", () => {
  const bench = new Bench();
  bench.alice.world.full = true;
  bench.alice.dial("bob");
  bench.run(10);
  assert.deepEqual(bench.alice.methods, []);
  assert.ok(bench.alice.events.includes("call.ended why=no-media: in-use"));
  bench.alice.world.full = false;
  bench.bob.world.full = true;
  bench.alice.dial("bob");
  bench.run(100);
  assert.deepEqual(bench.bob.statuses, [500]);
  nothingLeft(bench);
});

test("audio before the answer: a 183 with SDP is heard, and the 200 settles it", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  const caller = bench.alice.dial("bob");
  bench.run(100);
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  const early = responseTo(invite.request, 183, undefined, "early");
  early.body = invite.request.body.replaceAll("192.0.2.1", "192.0.2.2");
  invite.user.provisional(bench.now, early, bench.alice.place);
  assert.ok(bench.alice.events.some((event) => event.startsWith("call.media")));
  bench.bob.calls.current?.answer(bench.now);
  bench.run(100);
  assert.equal(caller.state, "confirmed");
});

test("a stranger's address is sent audio after his ACK, and none if that does not come", () => {
  for (const acknowledged of [true, false]) {
    const bench = new Bench();
    bench.bob.amongStrangers = true;
    bench.alice.world.deaf = true;
    const caller = bench.alice.dial("bob");
    bench.run(8);
    bench.alice.mute = !acknowledged;
    bench.run(40_000);
    assert.deepEqual(bench.bob.statuses.slice(0, 1), [200]);
    const ended = bench.bob.events.find((event) => event.startsWith("call.ended"));
    assert.equal(ended, acknowledged ? undefined : "call.ended why=unacknowledged");
    const told = bench.bob.events.some((event) => event.startsWith("call.media"));
    assert.equal(told, acknowledged);
    caller.drop();
  }
});

test("keys go as telephone-events and come out at the other end (R127)", () => {
  const bench = new Bench();
  const { caller, callee } = bench.connect();
  assert.equal(caller.press("42#"), true);
  bench.run(1000);
  assert.deepEqual(
    bench.bob.events.filter((event) => event.startsWith("call.key-pressed")),
    ["call.key-pressed key=4", "call.key-pressed key=2", "call.key-pressed key=#"],
  );
  assert.equal(callee.press("x"), false);
});

test("what was heard can be kept, up to a bound", () => {
  const bench = new Bench();
  bench.bob.recordedSamples = 4000;
  const { callee } = bench.connect();
  bench.run(1000);
  assert.equal(callee.recording.length, 4000);
  assert.ok(callee.recording.some((sample) => Math.abs(sample) > 7000));
});

test("audio that stops is told once, and told again when it returns", () => {
  const bench = new Bench();
  bench.connect();
  bench.alice.world.deaf = true;
  bench.run(5000);
  assert.equal(bench.alice.events.at(-1), "call.silenced");
  bench.alice.world.deaf = false;
  bench.run(100);
  assert.equal(bench.alice.events.at(-1), "call.heard");
});

test("a flow that the world forgot is opened anew, and the call goes on", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  bench.alice.world.loseFlows("idle");
  bench.run(1500);
  assert.equal(caller.state, "confirmed");
  bench.bob.events.length = 0;
  bench.run(3000);
  assert.deepEqual(bench.bob.events, []);
});

test("a peer behind a NAT is heard from where its packets come", () => {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    sent.request.body = sent.request.body.replaceAll("192.0.2.1", "10.0.0.1");
    return false;
  };
  bench.connect();
  assert.ok(bench.bob.events.includes("call.heard"));
});

test("RTCP goes over the audio's port where the caller offers that, and is not offered (R125, RFC 5761)", () => {
  const bench = new Bench();
  bench.alice.script = ({ request }) => {
    assert.doesNotMatch(request.body, /rtcp-mux/);
    request.body = request.body.replace("a=sendrecv", "a=rtcp-mux\r\na=sendrecv");
    return false;
  };
  bench.connect();
  const [accepted] = bench.bob.responses.filter(({ status }) => status === 200);
  assert.match(accepted?.body ?? "", /^a=rtcp-mux\r$/m);
  const types: (number | undefined)[] = [];
  const { world } = bench.bob;
  const send = world.send.bind(world);
  world.send = (flow, bytes) => {
    if (isRtcp(bytes)) types.push(bytes[1], bytes.at(-7));
    send(flow, bytes);
  };
  bench.run(20_000);
  assert.ok(types.length >= 6 && types.every((type, at) => at % 2 === 1 || type === 200));
  assert.equal(bench.alice.calls.current?.state, "confirmed");
  bench.alice.calls.hangUpAll(bench.now);
  bench.run(60_000);
  assert.equal(types.at(-1), 203, "BYE");
  nothingLeft(bench);
});
