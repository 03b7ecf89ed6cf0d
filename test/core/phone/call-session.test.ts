/** What goes on inside a call: hold, glare, refreshes, plain requests, and failing signalling (R11–R17). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { responseTo } from "../../../src/core/message/print.ts";
import {
  answer,
  Bench,
  directionOf,
  holds,
  inside,
  only,
  type Sent,
  scripted,
  turns,
} from "./call-bench.ts";

const ACCEPT = "application/sdp, multipart/mixed, multipart/alternative";

test("hold and resume change the direction at both ends, and nothing else (R124)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  caller.hold(bench.now);
  bench.run(100);
  assert.equal(caller.held, true);
  assert.equal(directionOf(bench.alice.lastSent.request.body), "sendonly");
  assert.equal(directionOf(bench.bob.lastResponse.body), "recvonly");
  const received = bench.alice.events.length;
  bench.run(5000);
  assert.equal(bench.alice.events.length, received, "silence on hold is not missed");
  caller.resume(bench.now);
  bench.run(100);
  assert.equal(caller.held, false);
  assert.deepEqual(holds(bench.alice.events), ["call.held by=us", "call.resumed by=us"]);
  assert.deepEqual(holds(bench.bob.events), ["call.held by=peer", "call.resumed by=peer"]);
  assert.deepEqual(turns(bench.alice.sent.map((sent) => sent.request)), [
    "INVITE 1",
    "INVITE 2",
    "INVITE 3",
  ]);
  assert.equal(bench.alice.acks.length, 3);
});

test("both may hold each other; neither sends then", () => {
  const bench = new Bench();
  const { caller, callee } = bench.connect();
  caller.hold(bench.now);
  bench.run(100);
  callee.hold(bench.now);
  bench.run(100);
  assert.equal(directionOf(bench.alice.lastResponse.body), "inactive");
  assert.deepEqual(holds(bench.alice.events), ["call.held by=us", "call.held by=peer"]);
});

test("resume asked for while the hold is on its way follows it", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  caller.hold(bench.now);
  caller.resume(bench.now);
  bench.run(100);
  assert.deepEqual(holds(bench.alice.events), ["call.held by=us", "call.resumed by=us"]);
  assert.equal(caller.held, false);
});

test("hold before the ACK waits for it (§14.1)", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  bench.alice.dial("bob");
  bench.run(100);
  const callee = bench.bob.calls.current;
  callee?.answer(bench.now);
  callee?.hold(bench.now);
  assert.deepEqual(bench.bob.methods, []);
  bench.run(100);
  assert.deepEqual(bench.bob.methods, ["INVITE"]);
  assert.equal(callee?.held, true);
});

test("a refused re-INVITE leaves the session as it was (R16)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const taken = scripted(bench);
  caller.hold(bench.now);
  answer(bench, only(taken), 488);
  assert.equal(caller.state, "confirmed");
  assert.equal(caller.held, false);
  assert.ok(bench.alice.events.includes("call.reinvite-failed why=rejected status=488"));
  const before = bench.bob.calls.current?.recording.length;
  bench.run(1000);
  assert.equal(bench.bob.events.at(-1), "call.heard");
  assert.equal(bench.bob.calls.current?.recording.length, before);
});

test("481 to a re-INVITE ends the call without BYE (R13)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const taken = scripted(bench);
  caller.hold(bench.now);
  answer(bench, only(taken), 481);
  assert.equal(caller.state, "terminated");
  assert.ok(bench.alice.events.includes("call.ended why=481"));
  assert.equal(taken.length, 1);
});

test("after 491 the owner of the Call-ID waits 2.1–4 s, the other 0–2 s (R16)", () => {
  for (const [owner, low, high] of [
    [true, 2100, 4000],
    [false, 0, 2000],
  ] as const) {
    const bench = new Bench();
    const { caller, callee } = bench.connect();
    const end = owner ? bench.alice : bench.bob;
    const taken: Sent[] = [];
    end.script = (sent) => {
      taken.push(sent);
      return taken.length === 1;
    };
    (owner ? caller : callee).hold(bench.now);
    const { request, user } = only(taken);
    user.final(bench.now, responseTo(request, 491), end.place, request);
    const since = bench.now;
    while (taken.length === 1) bench.run(10);
    const waited = bench.now - since;
    assert.ok(waited >= low && waited <= high + 10, `${waited}`);
    bench.run(100);
    assert.equal((owner ? caller : callee).held, true);
  }
});

test("both INVITE at once: both are answered 491, and in the end both hold (R17)", () => {
  const bench = new Bench();
  const { caller, callee } = bench.connect();
  caller.hold(bench.now);
  callee.hold(bench.now);
  bench.run(50);
  assert.equal(bench.alice.lastResponse.status, 491);
  assert.equal(bench.bob.lastResponse.status, 491);
  bench.run(10_000);
  assert.equal(caller.held && callee.held, true);
});

test("an INVITE before the first is answered is 500 with Retry-After 0–10 (R17)", () => {
  const bench = new Bench();
  bench.bob.mode = "ring";
  bench.alice.dial("bob");
  bench.run(100);
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  const tag = bench.bob.lastResponse.headers.get("to") as string;
  const again: Request = { ...invite.request, headers: invite.request.headers.copy() };
  again.headers.set("to", tag).set("cseq", "2 INVITE");
  bench.bob.arrive(again);
  assert.equal(bench.bob.lastResponse.status, 500);
  const wait = Number(bench.bob.lastResponse.headers.get("retry-after"));
  assert.ok(wait >= 0 && wait <= 10);
});

test("a request with a lower CSeq is answered 500 (R12)", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.arrive(inside(bench, "OPTIONS", 9));
  bench.bob.arrive(inside(bench, "BYE", 8));
  assert.deepEqual(bench.bob.statuses.slice(-2), [200, 500]);
  assert.equal(bench.bob.calls.idle, false);
});

test("an unknown extension is answered 420 with its name (R7)", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.arrive(inside(bench, "OPTIONS", 2, ["require", "timer, 100rel, x, y"]));
  assert.equal(bench.bob.lastResponse.status, 420);
  assert.equal(bench.bob.lastResponse.headers.get("unsupported"), "x, y");
});

test("OPTIONS says what is understood, MESSAGE and PUBLISH are not", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.arrive(inside(bench, "OPTIONS", 2));
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.match(bench.bob.lastResponse.headers.get("allow") ?? "", /INVITE/);
  assert.equal(bench.bob.lastResponse.headers.get("accept"), ACCEPT);
  for (const [cseq, method] of [
    [3, "MESSAGE"],
    [4, "PUBLISH"],
  ] as const) {
    bench.bob.arrive(inside(bench, method, cseq));
    assert.equal(bench.bob.lastResponse.status, 405);
    assert.ok(bench.bob.lastResponse.headers.has("allow"));
  }
});

test("INFO: empty is a sign of life, dtmf-relay a key, a package 469, anything else 415", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.arrive(inside(bench, "INFO", 2));
  const key = inside(bench, "INFO", 3, ["content-type", "application/dtmf-relay"]);
  key.body = "Signal=5\r\nDuration=160\r\n";
  bench.bob.arrive(key);
  bench.bob.arrive(inside(bench, "INFO", 4, ["info-package", "x"]));
  const other = inside(bench, "INFO", 5, ["content-type", "text/plain"]);
  other.body = "hello";
  bench.bob.arrive(other);
  key.headers.set("cseq", "6 INFO");
  key.body = "Signal=hello";
  bench.bob.arrive(key);
  assert.deepEqual(bench.bob.statuses.slice(-5), [200, 200, 469, 415, 400]);
  assert.equal(bench.bob.events.at(-1), "call.key-pressed key=5");
});

test("a NOTIFY of no subscription and an INFO of no call are answered 481 (RFC 6665 §4.1.3, RFC 6086)", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.arrive(inside(bench, "NOTIFY", 2));
  const info = inside(bench, "INFO", 3);
  info.headers.set("to", "<sip:bob@192.0.2.2>");
  bench.bob.arrive(info);
  assert.deepEqual(bench.bob.statuses.slice(-2), [481, 481]);
});

test("a session description is found among the parts of a body, of a request and of an answer (RFC 5621)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const wrapped = (body: string): string =>
    `--b\r\nContent-Type: application/sdp\r\n\r\n${body}\r\n--b\r\nContent-Type: x/y\r\n\r\nz\r\n--b--\r\n`;
  const update = inside(bench, "INVITE", 2, ["content-type", "multipart/mixed;boundary=b"]);
  const offer = bench.alice.lastSent.request.body;
  update.body = wrapped(offer.replace("sendrecv", "sendonly"));
  bench.bob.arrive(update);
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.equal(directionOf(bench.bob.lastResponse.body), "recvonly");
  const taken = scripted(bench);
  caller.hold(bench.now);
  bench.run(100);
  const sent = only(taken);
  const agreed = responseTo(sent.request, 200);
  agreed.headers.add("content-type", 'multipart/mixed; boundary="b"');
  agreed.body = wrapped(bench.bob.lastResponse.body);
  sent.user.final(bench.now, agreed, bench.alice.place, sent.request);
  assert.equal(bench.alice.events.at(-1), "call.held by=us");
});

test("a body that need not be understood is passed over; one that must be is 415 (§20.11)", () => {
  const bench = new Bench();
  bench.connect();
  for (const [cseq, handling, status] of [
    [2, "required", 415],
    [3, "optional", 200],
  ] as const) {
    const again = inside(bench, "INVITE", cseq, ["content-type", "application/strange"]);
    again.headers.add("content-disposition", `render;handling=${handling}`);
    again.body = "whatever";
    bench.bob.arrive(again);
    assert.equal(bench.bob.lastResponse.status, status);
  }
  assert.match(bench.bob.lastResponse.body, /m=audio/);
});

test("a request of a dialog that nobody knows is answered 481", () => {
  const bench = new Bench();
  bench.connect();
  const bye = inside(bench, "BYE", 2);
  bye.headers.set("call-id", "nobody's");
  bench.bob.arrive(bye);
  assert.equal(bench.bob.lastResponse.status, 481);
});

test("a re-INVITE moves the target of later requests, and the audio (§12.2)", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  const [invite] = bench.alice.sent;
  assert.ok(invite);
  const moved = inside(bench, "INVITE", 2, ["contact", "<sip:alice@192.0.2.99>"]);
  moved.headers.add("content-type", "application/sdp");
  moved.body = invite.request.body.replace("c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.99");
  bench.bob.arrive(moved);
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.equal(
    bench.bob.events.at(-1),
    "call.media direction=sendrecv codec=PCMU remote=192.0.2.99 4001",
  );
  bench.bob.script = () => true;
  callee.hangUp(bench.now);
  assert.equal(bench.bob.lastSent.request.uri, "sip:alice@192.0.2.99");
});

test("a re-INVITE without offer gets ours, and its ACK brings the answer", () => {
  const bench = new Bench();
  bench.connect();
  bench.bob.arrive(inside(bench, "INVITE", 2));
  const offer = bench.bob.lastResponse.body;
  assert.equal(directionOf(offer), "sendrecv");
  const ack = inside(bench, "ACK", 2);
  ack.body = offer.replaceAll("192.0.2.2", "192.0.2.1").replace("sendrecv", "recvonly");
  bench.bob.calls.acknowledged(bench.now, ack);
  assert.match(bench.bob.events.at(-1) ?? "", /call.media direction=sendonly/);
});

test("a re-INVITE that cannot be accepted is refused and the call goes on (§14.2)", () => {
  const bench = new Bench();
  const { callee } = bench.connect();
  const strange = inside(bench, "INVITE", 2, ["content-type", "text/plain"]);
  strange.body = "hello";
  bench.bob.arrive(strange);
  const video = inside(bench, "INVITE", 3, ["content-type", "application/sdp"]);
  video.body = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 1 RTP/AVP 31\r\n";
  bench.bob.arrive(video);
  assert.deepEqual(bench.bob.statuses.slice(-2), [415, 488]);
  assert.equal(callee.state, "confirmed");
});

for (const [kind, conclude] of [
  ["silence", (bench: Bench, sent: Sent) => sent.user.failed(bench.now, { why: "timeout" })],
  ["408", (bench: Bench, sent: Sent) => answer(bench, sent, 408)],
] as const) {
  test(`hold that meets ${kind} changes nothing while the peer is heard (I10)`, () => {
    const bench = new Bench();
    const { caller } = bench.connect();
    const taken = scripted(bench);
    caller.hold(bench.now);
    conclude(bench, only(taken));
    assert.equal(caller.state, "confirmed");
    assert.equal(caller.held, false);
  });

  test(`hold that meets ${kind} ends a call in which nobody is heard (R13)`, () => {
    const bench = new Bench();
    const { caller } = bench.connect();
    bench.alice.world.deaf = true;
    bench.run(3000);
    const taken = scripted(bench);
    caller.hold(bench.now);
    conclude(bench, only(taken));
    assert.equal(caller.state, "ending");
    assert.equal(taken[1]?.request.method, "BYE");
  });
}

test("a held call outlives a resume that finds nobody: no audio was to be heard (I10)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  caller.hold(bench.now);
  bench.run(10_000);
  const taken = scripted(bench);
  caller.resume(bench.now);
  only(taken).user.failed(bench.now, { why: "timeout" });
  assert.equal(caller.state, "confirmed");
  assert.equal(caller.held, true);
});

test("hold ends the call where only registered servers may be spoken to (C40)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const taken = scripted(bench);
  caller.hold(bench.now);
  only(taken).user.failed(bench.now, { why: "not-registered" });
  assert.ok(bench.alice.events.includes("call.ended why=not-registered"));
});

test("a re-INVITE that gets no further than 100 is given up after 64·T1", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const taken = scripted(bench);
  caller.hold(bench.now);
  const sent = only(taken);
  sent.user.provisional(bench.now, responseTo(sent.request, 100), bench.alice.place);
  bench.run(32_000);
  assert.equal(sent.cancelled, true);
  assert.equal(caller.state, "confirmed");
  assert.ok(bench.alice.events.includes("call.reinvite-failed why=timeout"));
});

test("after an answer by another way the next request takes that way (redundancy.md §7)", () => {
  const bench = new Bench();
  const { caller } = bench.connect();
  const taken = scripted(bench);
  caller.hold(bench.now);
  const sent = only(taken);
  const { place } = bench.alice;
  const secondary = { ...place, flow: { ...place.flow, id: 77 } };
  const response = responseTo(sent.request, 200);
  response.headers.add("contact", "<sip:bob@192.0.2.2>");
  response.body = sent.request.body.replaceAll("192.0.2.1", "192.0.2.2");
  sent.user.final(bench.now, response, secondary, sent.request);
  caller.hangUp(bench.now);
  assert.equal(taken[1]?.way?.flow.id, 77);
});

test("a lost ACK of a re-INVITE ends no call that is heard (I10)", () => {
  const bench = new Bench();
  const { caller, callee } = bench.connect();
  caller.hold(bench.now);
  bench.run(7);
  bench.alice.mute = true;
  bench.run(40_000);
  assert.equal(bench.alice.acks.length, 12, "one for each time a 200 came");
  assert.deepEqual(bench.bob.methods, []);
  assert.equal(callee.state, "confirmed");
});
