/** Provisional responses that must arrive, at both ends (RFC 3262; R61). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request, Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { printMessage, responseTo } from "../../../src/core/message/print.ts";
import { CALL_DEFAULTS } from "../../../src/core/redundancy/call-policy.ts";
import {
  answer,
  Bench,
  directionOf,
  nothingLeft,
  type Sent,
  scripted,
  turns,
} from "./call-bench.ts";

/** Bob rings reliably wherever the caller can take it. */
function ringing(change: (invite: Request) => void = () => undefined): Bench {
  const bench = new Bench();
  bench.bob.mode = "ring";
  bench.bob.callPolicy = { ...CALL_DEFAULTS, reliableProvisionals: "supported" };
  bench.alice.script = ({ request }) => {
    if (request.method === "INVITE") change(request);
    return false;
  };
  bench.alice.dial("bob");
  return bench;
}

/** Bob's responses above 100 and below 200. */
function provisionals(bench: Bench): Response[] {
  return bench.bob.responses.filter(({ status }) => status > 100 && status < 200);
}

test("a reliable 180 names RSeq, is acknowledged with PRACK, and repeated no more (R61)", () => {
  const bench = ringing();
  bench.run(5000);
  const [first, ...more] = provisionals(bench);
  assert.equal(first?.headers.get("require"), "100rel");
  const rseq = Number(first?.headers.get("rseq"));
  assert.ok(rseq >= 1 && rseq < 2 ** 31);
  assert.deepEqual(more, []);
  const [, prack] = bench.alice.sent;
  assert.equal(prack?.request.method, "PRACK");
  assert.equal(prack?.request.headers.get("rack"), `${rseq} 1 INVITE`);
  assert.equal(bench.bob.lastResponse.status, 200);
  bench.bob.calls.current?.answer(bench.now);
  bench.run(100);
  assert.equal(bench.alice.calls.current?.state, "confirmed");
  bench.alice.calls.hangUpAll(bench.now);
  bench.run(100);
  assert.deepEqual(turns(bench.alice.sent.map(({ request }) => request)), [
    "INVITE 1",
    "PRACK 2",
    "BYE 3",
  ]);
  bench.run(60_000);
  nothingLeft(bench);
});

test("without PRACK it is repeated at T1 doubling without end, and after 64·T1 the call is refused with 500 (R61)", () => {
  const bench = ringing();
  bench.alice.script = ({ request }) => request.method === "PRACK";
  const start = bench.now;
  bench.run(31_900);
  assert.equal(provisionals(bench).length, 7, "at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s");
  bench.run(32_100 - (bench.now - start));
  assert.equal(bench.bob.lastResponse.status, 500);
  assert.ok(bench.bob.events.includes("call.ended why=unacknowledged"));
});

test("each minute's 180 has the next RSeq", () => {
  const bench = ringing();
  bench.run(61_000);
  const numbers = provisionals(bench).map(({ headers }) => Number(headers.get("rseq")));
  assert.equal(numbers.length, 2);
  assert.equal(numbers[1], (numbers[0] ?? 0) + 1);
  assert.deepEqual(bench.alice.methods, ["INVITE", "PRACK", "PRACK"]);
});

test("a PRACK for another response is answered 481, one for an answered call that waits for it 200", () => {
  const bench = ringing();
  const taken: Sent[] = [];
  bench.alice.script = (sent) => {
    if (sent.request.method === "PRACK") taken.push(sent);
    return sent.request.method === "PRACK";
  };
  bench.run(100);
  const prack = taken[0]?.request as Request;
  const rack = prack.headers.get("rack") as string;
  const wrong: Request = { ...prack, headers: prack.headers.copy() };
  wrong.headers.set(
    "rack",
    rack.replace(/^\d+/, (digits) => String(Number(digits) + 1)),
  );
  bench.bob.arrive(wrong);
  assert.equal(bench.bob.lastResponse.status, 481);
  bench.bob.calls.current?.answer(bench.now);
  assert.equal(
    bench.bob.lastResponse.status,
    200,
    "an unacknowledged 180 says nothing that must be known",
  );
  bench.bob.arrive(prack);
  assert.equal(bench.bob.lastResponse.status, 200);
  assert.equal(provisionals(bench).length, 1);
});

test("an INVITE without offer that requires 100rel gets the offer in the 180, the PRACK answers it, the 200 is bare (R61)", () => {
  const bench = ringing((invite) => {
    invite.headers.remove("content-type").add("require", "100rel");
    invite.body = "";
  });
  bench.run(8);
  const taken = scripted(bench);
  bench.run(92);
  const [offer] = provisionals(bench);
  assert.equal(directionOf(offer?.body ?? ""), "sendrecv");
  const callee = bench.bob.calls.current;
  callee?.answer(bench.now);
  assert.equal(bench.bob.lastResponse.status, 180, "no 200 before the description is acknowledged");
  const prack = taken[0]?.request as Request;
  prack.headers.add("content-type", "application/sdp");
  prack.body = (offer?.body ?? "").replaceAll("192.0.2.2", "192.0.2.1");
  bench.bob.arrive(prack);
  const [accepted] = bench.bob.responses
    .filter(({ headers }) => headers.get("cseq") === "1 INVITE")
    .slice(-1);
  assert.equal(accepted?.status, 200);
  assert.equal(accepted?.body, "");
  assert.ok(bench.bob.events.some((event) => event.startsWith("call.media")));
});

test("100rel that is required and not allowed by the policy is answered 420 (R7)", () => {
  const bench = ringing((invite) => invite.headers.add("require", "100rel"));
  bench.bob.callPolicy = { ...CALL_DEFAULTS, reliableProvisionals: "never" };
  bench.run(100);
  assert.equal(bench.bob.lastResponse.status, 420);
  assert.equal(bench.bob.lastResponse.headers.get("unsupported"), "100rel");
});

test("as shipped, 180 is reliable only where the caller requires it", () => {
  for (const [required, reliable] of [
    [false, false],
    [true, true],
  ]) {
    const bench = ringing((invite) => {
      if (required) invite.headers.add("require", "100rel");
    });
    bench.bob.callPolicy = CALL_DEFAULTS;
    bench.run(100);
    assert.equal(provisionals(bench)[0]?.headers.has("rseq"), reliable);
  }
});

/** A reliable provisional response of a callee made by hand. */
function reliably(sent: Sent, status: number, rseq: number, tag: string, body = ""): Response {
  const response = responseTo(sent.request, status, undefined, tag);
  response.headers
    .add("contact", "<sip:bob@192.0.2.2>")
    .add("require", "100rel")
    .add("rseq", String(rseq));
  if (body !== "") response.headers.add("content-type", "application/sdp");
  response.body = body;
  return parseMessage(printMessage(response)) as Response;
}

test("the caller acknowledges each reliable response once and in order, per fork (R61)", () => {
  const bench = new Bench();
  const taken = scripted(bench);
  bench.alice.dial("bob");
  bench.run(10);
  const [invite] = taken as [Sent];
  const hear = (status: number, rseq: number, tag: string): void =>
    invite.user.provisional(bench.now, reliably(invite, status, rseq, tag), bench.alice.place);
  hear(180, 7, "one");
  hear(180, 7, "one");
  hear(183, 9, "one");
  hear(180, 40, "two");
  hear(183, 8, "one");
  const racks = taken.slice(1).map(({ request }) => request.headers.get("rack"));
  assert.deepEqual(racks, ["7 1 INVITE", "40 1 INVITE", "8 1 INVITE"]);
  assert.deepEqual(turns(taken.map(({ request }) => request)), [
    "INVITE 1",
    "PRACK 2",
    "PRACK 2",
    "PRACK 3",
  ]);
  assert.deepEqual(
    taken.slice(1).map(({ request }) => /tag=(.*)$/.exec(request.headers.get("to") ?? "")?.[1]),
    ["one", "two", "one"],
  );
});

test("an answer in a reliable 183 starts the audio, and the bare 200 leaves it as it is (R61)", () => {
  const bench = new Bench();
  const taken = scripted(bench);
  const caller = bench.alice.dial("bob");
  bench.run(10);
  const [invite] = taken as [Sent];
  const sdp = invite.request.body.replaceAll("192.0.2.1", "192.0.2.2");
  invite.user.provisional(bench.now, reliably(invite, 183, 1, "one", sdp), bench.alice.place);
  assert.ok(bench.alice.events.some((event) => event.startsWith("call.media")));
  const accepted = responseTo(invite.request, 200, undefined, "one");
  accepted.headers.add("contact", "<sip:bob@192.0.2.2>");
  invite.user.final(bench.now, accepted, bench.alice.place, invite.request);
  assert.equal(caller.state, "confirmed");
  caller.hangUp(bench.now);
  assert.deepEqual(turns(taken.map(({ request }) => request)), ["INVITE 1", "PRACK 2", "BYE 3"]);
  answer(bench, taken[2] as Sent, 200);
  assert.equal(caller.state, "terminated");
});
