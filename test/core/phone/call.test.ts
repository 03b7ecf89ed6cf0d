/** Calls from ring to BYE between two ends (RFC 3261 §13–§15; R13–R19). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { responseTo } from "../../../src/core/message/print.ts";
import { Bench, nothingLeft, turns } from "./call-bench.ts";

test("a call rings, is answered, talks both ways and is hung up", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  const caller = bench.alice.dial("bob");
  bench.run(1000);
  assert.equal(caller.state, "early");
  const callee = bench.bob.calls.current;
  assert.equal(callee?.state, "alerting");
  callee?.answer(bench.now);
  bench.run(2000);
  assert.equal(caller.state, "confirmed");
  assert.equal(callee?.state, "confirmed");
  caller.hangUp(bench.now);
  assert.equal(bench.alice.calls.idle, true);
  bench.run(50);
  assert.deepEqual(
    bench.alice.events,
    [
      "call.started direction=outgoing",
      "call.ringing status=180",
      "call.answered",
      "call.media codec=PCMU remote=192.0.2.2 4001",
      "call.heard",
      "call.ended why=hung-up",
      "idle",
    ].map((event) => event.replace("codec=PCMU", "direction=sendrecv codec=PCMU")),
  );
  assert.deepEqual(bench.bob.events, [
    "call.started direction=incoming",
    "call.ringing",
    "call.answered",
    "call.media direction=sendrecv codec=PCMU remote=192.0.2.1 4001",
    "call.heard",
    "call.ended why=peer-hung-up",
    "idle",
  ]);
  assert.deepEqual(bench.alice.methods, ["INVITE", "BYE"]);
  assert.equal(bench.alice.acks.length, 1);
  assert.deepEqual(bench.bob.statuses, [180, 200, 200]);
  nothingLeft(bench);
});

test("the callee may hang up as well, and its BYE has a number of its own", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  callee.hangUp(bench.now);
  bench.run(50);
  assert.deepEqual(turns(bench.bob.sent.map((sent) => sent.request)), ["BYE 1"]);
  assert.ok(bench.alice.events.includes("call.ended why=peer-hung-up"));
  nothingLeft(bench);
});

test("the same INVITE has one Call-ID, From and CSeq whatever attempt composes it (C16, I7)", () => {
  const bench = new Bench();
  bench.alice.script = () => true;
  bench.alice.dial("bob");
  bench.run(0);
  const { user } = bench.alice.lastSent;
  const [one, other] = [user.compose(bench.alice.place, 1), user.compose(bench.alice.place, 1)];
  for (const name of ["call-id", "from", "to", "cseq"]) {
    assert.equal(one.headers.get(name), other.headers.get(name));
  }
  assert.notEqual(one.headers.get("via"), other.headers.get("via"));
  assert.equal(one.uri, "sip:bob@lab.test");
  assert.equal(one.body, other.body);
});

test("a whole URI is called as it is", () => {
  const bench = new Bench();
  bench.alice.script = () => true;
  const call = bench.alice.dial("sip:carol@elsewhere.test;x=y");
  bench.run(0);
  assert.equal(bench.alice.lastSent.request.uri, "sip:carol@elsewhere.test;x=y");
  assert.equal(call.peer, "sip:carol@elsewhere.test;x=y");
});

test("busy is 486, and the caller is told so", () => {
  const bench = new Bench();
  bench.bob.mode = "busy";
  bench.alice.dial("bob");
  bench.run(100);
  assert.deepEqual(bench.bob.statuses, [486]);
  assert.ok(bench.alice.events.includes("call.ended why=rejected status=486"));
  nothingLeft(bench);
});

test("hanging up while it rings cancels, and the callee answers 487 (R18)", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  const caller = bench.alice.dial("bob");
  bench.run(1000);
  caller.hangUp(bench.now);
  assert.equal(caller.state, "cancelling");
  bench.run(100);
  assert.deepEqual(bench.bob.statuses, [180, 487]);
  assert.equal(bench.alice.events.at(-2), "call.ended why=hung-up");
  assert.ok(bench.bob.events.includes("call.ended why=cancelled"));
  nothingLeft(bench);
});

test("a cancelled INVITE without any final is given up after 64·T1 (R19)", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  const caller = bench.alice.dial("bob");
  bench.run(1000);
  bench.bob.mute = true;
  bench.alice.mute = true;
  caller.hangUp(bench.now);
  bench.run(31_999);
  assert.equal(caller.state, "cancelling");
  bench.run(1);
  assert.equal(caller.state, "terminated");
  assert.equal(bench.alice.sent[0]?.dropped, true);
});

test("a callee that says nothing further after its 180 is given up after three minutes", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  const caller = bench.alice.dial("bob");
  bench.run(100);
  bench.bob.mute = true;
  bench.alice.mute = true;
  bench.run(180_800);
  assert.equal(caller.state, "early");
  bench.run(200);
  assert.equal(caller.state, "cancelling");
  bench.run(32_000);
  assert.ok(bench.alice.events.includes("call.ended why=no-answer"));
});

test("a call that nobody takes rings once a minute and ends with 480", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  bench.alice.dial("bob");
  bench.run(190_000);
  assert.deepEqual(bench.bob.statuses, [180, 180, 180, 480]);
  assert.ok(bench.bob.events.includes("call.ended why=no-answer"));
  nothingLeft(bench);
});

test("an INVITE that finds nobody ends with the engine's reason", () => {
  const bench = new Bench();
  bench.alice.script = () => true;
  bench.alice.dial("bob");
  bench.run(10);
  bench.alice.lastSent.user.failed(bench.now, { why: "timeout" });
  assert.ok(bench.alice.events.includes("call.ended why=timeout"));
  nothingLeft(bench);
});

test("each repetition of the 2xx is acknowledged with the same ACK (R14)", () => {
  const bench = new Bench();
  bench.alice.mute = false;
  bench.connect();
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  const response = bench.bob.lastResponse;
  invite.user.repeated(bench.now, response, bench.alice.place, invite.request);
  assert.equal(bench.alice.acks.length, 2);
  assert.equal(bench.alice.acks[0], bench.alice.acks[1]);
  assert.equal(bench.alice.acks[0]?.headers.get("cseq"), "1 ACK");
  assert.notEqual(bench.alice.acks[0]?.headers.get("via"), invite.request.headers.get("via"));
});

test("the ACK carries the credentials of the INVITE (§13.2.2.4)", () => {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    sent.request.headers.add("proxy-authorization", 'Digest username="alice"');
    return false;
  };
  bench.connect();
  assert.deepEqual(bench.alice.acks[0]?.headers.all("proxy-authorization"), [
    'Digest username="alice"',
  ]);
});

test("a second fork's 2xx is acknowledged and ended, its repetition acknowledged only (§13.2.2.4)", () => {
  const bench = new Bench();
  bench.connect();
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  const other = responseTo(invite.request, 200, undefined, "other-fork");
  other.headers.add("contact", "<sip:bob@192.0.2.77>");
  bench.alice.script = () => true;
  invite.user.repeated(bench.now, other, bench.alice.place, invite.request);
  invite.user.repeated(bench.now, other, bench.alice.place, invite.request);
  assert.equal(bench.alice.acks.length, 3);
  assert.equal(bench.alice.acks[1]?.uri, "sip:bob@192.0.2.77");
  assert.deepEqual(bench.alice.methods, ["INVITE", "BYE"]);
  assert.equal(bench.alice.lastSent.request.uri, "sip:bob@192.0.2.77");
});

/** Alice's INVITE is given up, and its callee answers all the same: so often as `heard` is called. */
function answeredTooLate(): { bench: Bench; heard: () => void } {
  const bench = new Bench();
  bench.alice.script = () => true;
  bench.alice.dial("bob");
  bench.run(10);
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  invite.user.failed(bench.now, { why: "timeout" });
  const late = responseTo(invite.request, 200, undefined, "slow");
  late.headers.add("contact", "<sip:bob@192.0.2.2>");
  const heard = (): void => {
    invite.user.late(bench.now, late, bench.alice.place, invite.request);
  };
  return { bench, heard };
}

test("a late 2xx of an abandoned attempt is acknowledged and ended with BYE, even after the call is over", () => {
  const { bench, heard } = answeredTooLate();
  heard();
  assert.equal(bench.alice.acks.length, 1);
  assert.deepEqual(turns(bench.alice.sent.map((sent) => sent.request)), ["INVITE 1", "BYE 2"]);
  nothingLeft(bench);
});

test("… and again with its next repetition if the BYE found nobody: that ACK would have him stay in a call", () => {
  const { bench, heard } = answeredTooLate();
  heard();
  heard();
  assert.equal(bench.alice.sent.length, 2, "one BYE is on its way");
  bench.alice.lastSent.user.failed(bench.now, { why: "timeout" });
  heard();
  const numbers = turns(bench.alice.sent.map((sent) => sent.request));
  assert.deepEqual(numbers, ["INVITE 1", "BYE 2", "BYE 3"]);
  assert.equal(bench.alice.acks.length, 3);
  nothingLeft(bench);
});

test("a 2xx is resent at T1 doubling to T2 until the ACK; without it BYE follows after 64·T1 (R15, C35)", () => {
  const bench = new Bench();
  bench.alice.dial("bob");
  bench.run(3);
  bench.alice.mute = true;
  bench.alice.acks.length = 0;
  bench.run(1);
  bench.alice.mute = true;
  const times: number[] = [];
  const { responses } = bench.bob;
  for (let step = 0; step < 33_000; step += 100) {
    const before = responses.length;
    bench.run(100);
    if (responses.length > before) times.push(step + 100);
  }
  assert.deepEqual(times.slice(0, 6), [100, 600, 1600, 3600, 7600, 11_600]);
  assert.ok(bench.bob.methods.includes("BYE"));
  assert.ok(bench.bob.events.includes("call.ended why=unacknowledged"));
});

test("hanging up before the ACK waits for it (§15)", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  bench.alice.dial("bob");
  bench.run(100);
  const callee = bench.bob.calls.current;
  callee?.answer(bench.now);
  callee?.hangUp(bench.now);
  assert.deepEqual(bench.bob.methods, []);
  bench.run(100);
  assert.deepEqual(bench.bob.methods, ["BYE"]);
  assert.ok(bench.bob.events.includes("call.ended why=hung-up"));
  nothingLeft(bench);
});

test("an offer without a codec of ours is refused with 488 and its warning before anything rings", () => {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    sent.request.body = sent.request.body.replace(/RTP\/AVP .*/, "RTP/AVP 18");
    return false;
  };
  bench.alice.dial("bob");
  bench.run(100);
  assert.deepEqual(bench.bob.statuses, [488]);
  assert.equal(bench.bob.lastResponse.headers.get("warning"), '305 dialtone "no G.711 offered"');
  assert.ok(!bench.bob.events.includes("call.ringing"));
  nothingLeft(bench);
});

test("an INVITE without an offer is answered with ours, and the ACK brings the answer", () => {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    if (sent.request.method === "INVITE") {
      sent.request.body = "";
      sent.request.headers.remove("content-type");
    }
    return false;
  };
  bench.alice.mute = false;
  bench.alice.dial("bob");
  bench.run(100);
  const offer = bench.bob.lastResponse.body;
  assert.match(offer, /RTP\/AVP 0 8 101/);
  const call = bench.bob.calls.current;
  // Alice's ACK had no body: the offer stays unanswered, so the call ends.
  assert.equal(call, undefined);
  assert.ok(bench.bob.events.some((event) => event.startsWith("call.ended why=bad-answer")));
});

test("an answer that cannot be read is acknowledged, then the call is ended", () => {
  const bench = new Bench();
  bench.alice.script = (sent) => {
    if (sent.request.method !== "INVITE") return false;
    const response = responseTo(sent.request, 200, undefined, "tag");
    response.headers.add("contact", "<sip:bob@192.0.2.2>");
    response.body = "garbage";
    bench.later(() => sent.user.final(bench.now, response, bench.alice.place, sent.request));
    return true;
  };
  bench.alice.dial("bob");
  bench.run(8);
  assert.equal(bench.alice.acks.length, 1);
  assert.deepEqual(bench.alice.methods, ["INVITE", "BYE"]);
  assert.ok(bench.alice.events.some((event) => event.startsWith("call.ended why=bad-answer")));
});

test("dropping ends everything without a word (I8)", () => {
  const bench = new Bench();
  bench.connect();
  const sent = bench.alice.sent.length;
  bench.alice.calls.dropAll();
  bench.bob.calls.dropAll();
  bench.run(50);
  assert.equal(bench.alice.sent.length, sent);
  nothingLeft(bench);
});

test("a leg with another number does not ring when its call was up and is over; after a refusal it does (I7)", () => {
  for (const [refused, status] of [
    [false, 482],
    [true, 180],
  ] as const) {
    const bench = new Bench();
    bench.bob.mode = "ring";
    const caller = bench.alice.dial("bob");
    bench.run(100);
    const callee = bench.bob.calls.current;
    if (refused) callee?.refuse(bench.now, 486);
    else callee?.answer(bench.now);
    bench.run(100);
    caller.hangUp(bench.now);
    bench.run(100);
    const [invite] = bench.alice.sent;
    assert.ok(invite);
    invite.request.headers.set("cseq", "2 INVITE");
    bench.bob.arrive(invite.request);
    bench.run(100);
    assert.equal(bench.bob.lastResponse.status, status);
  }
});
