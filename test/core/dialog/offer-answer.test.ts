/** Offers, answers and refusals (RFC 3264, RFC 4566; R123, R124). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Answer,
  type Negotiated,
  OfferAnswer,
  type Refusal,
} from "../../../src/core/dialog/offer-answer.ts";
import { parseDescription } from "../../../src/core/dialog/session-description.ts";

const HERE = { address: "192.0.2.1", port: 4000 };
const THERE = { address: "192.0.2.2", port: 5000 };

function sdp(...lines: string[]): string {
  const head = ["v=0", "o=- 1 1 IN IP4 192.0.2.2", "s=-", "c=IN IP4 192.0.2.2", "t=0 0"];
  return `${[...head, ...lines].join("\r\n")}\r\n`;
}

const AUDIO = "m=audio 5000 RTP/AVP 8 0 96";
const EVENT = "a=rtpmap:96 telephone-event/8000";

function agreed(result: Negotiated | Refusal | Answer): Negotiated {
  if (result.kind === "answer") return result.negotiated;
  assert.equal(result.kind, "negotiated", JSON.stringify(result));
  return result as Negotiated;
}

function body(result: Answer | Refusal): string {
  assert.equal(result.kind, "answer", JSON.stringify(result));
  return (result as Answer).body;
}

function refusal(result: Negotiated | Answer | Refusal): string {
  assert.equal(result.kind, "refusal");
  const { status, warning, why } = result as Refusal;
  return `${status} ${warning} ${why}`;
}

const line = (text: string, start: string) =>
  text.split("\r\n").filter((one) => one.startsWith(start));

test("an offer says both laws and the keys, and where to send them", () => {
  assert.equal(
    new OfferAnswer(77).offer(HERE, "sendrecv"),
    [
      "v=0",
      "o=- 77 1 IN IP4 192.0.2.1",
      "s=-",
      "c=IN IP4 192.0.2.1",
      "t=0 0",
      "m=audio 4000 RTP/AVP 0 8 101",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:8 PCMA/8000",
      "a=rtpmap:101 telephone-event/8000",
      "a=fmtp:101 0-15",
      "a=ptime:20",
      "a=sendrecv",
      "",
    ].join("\r\n"),
  );
});

test("two of ours agree, each with the other's address", () => {
  const caller = new OfferAnswer(1);
  const callee = new OfferAnswer(2);
  const answer = callee.answer(THERE, caller.offer(HERE, "sendrecv"), "sendrecv");
  assert.equal(caller.offering, true);
  const atCaller = agreed(caller.answered(HERE, body(answer)));
  assert.deepEqual(atCaller, {
    kind: "negotiated",
    codec: "PCMU",
    payloadType: 0,
    telephoneEvent: 101,
    telephoneEventIn: 101,
    sends: true,
    receives: true,
    rtcpMux: false,
    remoteAddress: "192.0.2.2",
    remotePort: 5000,
    direction: "sendrecv",
  });
  const { remoteAddress, remotePort } = agreed(answer);
  assert.deepEqual([remoteAddress, remotePort], ["192.0.2.1", 4000]);
  assert.equal(caller.offering, false);
});

test("the offerer's first codec is taken, under the offerer's numbers (RFC 3264 §6.1)", () => {
  const answer = new OfferAnswer(1).answer(
    HERE,
    sdp("m=audio 5000 RTP/AVP 18 97 0 96", "a=rtpmap:97 pcma/8000/1", EVENT),
    "sendrecv",
  );
  const negotiated = agreed(answer);
  assert.equal(negotiated.codec, "PCMA");
  assert.equal(negotiated.payloadType, 97);
  assert.equal(negotiated.telephoneEvent, 96);
  assert.equal(negotiated.telephoneEventIn, 96);
  assert.deepEqual(line(body(answer), "m="), ["m=audio 4000 RTP/AVP 97 96"]);
});

test("a static number that the offer gives to something else is not G.711", () => {
  const offer = sdp("m=audio 5000 RTP/AVP 0", "a=rtpmap:0 G729/8000");
  assert.equal(
    refusal(new OfferAnswer(1).answer(HERE, offer, "sendrecv")),
    "488 305 no G.711 offered",
  );
});

test("every m-line is answered: one audio is taken, the others are refused with port 0 (R124)", () => {
  const answer = new OfferAnswer(1).answer(
    HERE,
    sdp(
      "m=video 6000 RTP/AVP 31 34",
      "m=audio 0 RTP/AVP 0",
      "m=audio 5002/2 RTP/SAVP 0",
      AUDIO,
      "m=audio 5006 RTP/AVP 0",
      "m=application 9 TCP/BFCP *",
    ),
    "sendrecv",
  );
  assert.deepEqual(line(body(answer), "m="), [
    "m=video 0 RTP/AVP 31 34",
    "m=audio 0 RTP/AVP 0",
    "m=audio 0 RTP/SAVP 0",
    "m=audio 4000 RTP/AVP 8",
    "m=audio 0 RTP/AVP 0",
    "m=application 0 TCP/BFCP *",
  ]);
});

test("an offer after such an answer keeps the m-lines and their order (R124)", () => {
  const session = new OfferAnswer(1);
  session.answer(HERE, sdp("m=video 6000 RTP/AVP 31", AUDIO), "sendrecv");
  const offer = session.offer(HERE, "sendonly");
  assert.deepEqual(line(offer, "m="), ["m=video 0 RTP/AVP 31", "m=audio 4000 RTP/AVP 0 8 101"]);
  const held = session.answered(
    HERE,
    sdp("m=video 0 RTP/AVP 31", "m=audio 5000 RTP/AVP 0", "a=recvonly"),
  );
  assert.equal(agreed(held).direction, "sendonly");
});

test("the version rises by one with each change and not without (R124)", () => {
  const session = new OfferAnswer(9);
  const versions = [
    session.offer(HERE, "sendrecv"),
    session.offer(HERE, "sendrecv"),
    session.offer(HERE, "sendonly"),
    session.offer(HERE, "sendrecv"),
  ].map((text) => line(text, "o=")[0]?.split(" ")[2]);
  assert.deepEqual(versions, ["1", "1", "2", "3"]);
});

for (const [offered, wish, expected] of [
  ["sendrecv", "sendrecv", "sendrecv"],
  ["sendonly", "sendrecv", "recvonly"],
  ["recvonly", "sendrecv", "sendonly"],
  ["inactive", "sendrecv", "inactive"],
  ["sendrecv", "sendonly", "sendonly"],
  ["sendonly", "sendonly", "inactive"],
] as const) {
  test(`offered ${offered}, wanting ${wish}: answered ${expected} (R124)`, () => {
    const answer = new OfferAnswer(1).answer(HERE, sdp(AUDIO, `a=${offered}`), wish);
    assert.equal(agreed(answer).direction, expected);
    assert.ok(body(answer).includes(`a=${expected}\r\n`));
    assert.equal(agreed(answer).sends, expected === "sendrecv" || expected === "sendonly");
    assert.equal(agreed(answer).receives, expected === "sendrecv" || expected === "recvonly");
  });
}

test("a direction of the session holds for its media, an address of zeros is a hold", () => {
  const held = new OfferAnswer(1).answer(HERE, sdp("a=sendonly", AUDIO), "sendrecv");
  assert.equal(agreed(held).direction, "recvonly");
  const zeros = new OfferAnswer(1).answer(HERE, sdp(AUDIO, "c=IN IP4 0.0.0.0"), "sendrecv");
  assert.equal(agreed(zeros).direction, "recvonly");
});

test("IPv6 is answered with IPv6, the other family is refused (R123)", () => {
  const six = { address: "2001:db8::1", port: 4000 };
  const offer = sdp(AUDIO, "c=IN IP6 2001:db8::2", "c=IN IP6 2001:db8::3");
  const answer = new OfferAnswer(1).answer(six, offer, "sendrecv");
  assert.equal(agreed(answer).remoteAddress, "2001:db8::2");
  assert.deepEqual(line(body(answer), "c="), ["c=IN IP6 2001:db8::1"]);
  assert.equal(
    refusal(new OfferAnswer(1).answer(HERE, offer, "sendrecv")),
    "488 301 no address of our family",
  );
  const named = sdp(AUDIO, "c=IN IP4 media.example");
  assert.match(refusal(new OfferAnswer(1).answer(HERE, named, "sendrecv")), /^488 301/);
});

test("what cannot be accepted is refused with 488 and its warning", () => {
  const answer = (...lines: string[]) =>
    refusal(new OfferAnswer(1).answer(HERE, sdp(...lines), "sendrecv"));
  assert.equal(answer(), "488 304 no audio offered");
  assert.equal(answer("m=video 1 RTP/AVP 0"), "488 304 no audio offered");
  assert.equal(answer("m=audio 1 RTP/SAVP 0"), "488 302 RTP/SAVP is not spoken here");
  assert.equal(answer("m=audio 1 RTP/AVP 18"), "488 305 no G.711 offered");
});

test("an answer that refuses audio, or has other m-lines, is a refusal and leaves the session", () => {
  const session = new OfferAnswer(1);
  session.answer(HERE, sdp(AUDIO), "sendrecv");
  const before = session.negotiated;
  session.offer(HERE, "sendonly");
  assert.equal(
    refusal(session.answered(HERE, sdp("m=audio 0 RTP/AVP 0"))),
    "488 304 audio was refused",
  );
  assert.match(refusal(session.answered(HERE, sdp(AUDIO, AUDIO))), /as many m= lines/);
  assert.match(refusal(session.answered(HERE, "")), /^400 399 SDP/);
  assert.equal(session.negotiated, before);
});

test("a refused offer of the peer changes nothing", () => {
  const session = new OfferAnswer(1);
  session.answer(HERE, sdp("m=video 1 RTP/AVP 31", AUDIO), "sendrecv");
  const before = session.negotiated;
  assert.match(refusal(session.answer(HERE, sdp(AUDIO), "sendrecv")), /vanished/);
  assert.equal(session.negotiated, before);
});

test("an answer repeats the timing of the offer (RFC 3264 §6)", () => {
  const offer = sdp(AUDIO).replace("t=0 0", "t=2873397496 2873404696");
  assert.deepEqual(line(body(new OfferAnswer(1).answer(HERE, offer, "sendrecv")), "t="), [
    "t=2873397496 2873404696",
  ]);
});

test("malformed SDP is a value with its line", () => {
  const fault = (text: string) => {
    const read = parseDescription(text);
    return read.kind === "bad-sdp" ? `${read.line}: ${read.why}` : "none";
  };
  assert.equal(fault(""), "1: does not begin with v=0");
  assert.equal(fault("v=1"), "1: does not begin with v=0");
  assert.equal(fault("v=0\r\ns=-\r\n"), "3: no o= line");
  assert.equal(fault("v=0\no=- 1 1 IN IP4\n"), "2: o= without its six fields");
  assert.equal(fault(sdp("m=audio x RTP/AVP 0")), "6: malformed m=");
  assert.equal(fault(sdp("m=audio 70000 RTP/AVP 0")), "6: malformed m=");
  assert.equal(fault(sdp("c=IN IP4")), "6: malformed c=");
  assert.equal(fault(sdp("nonsense")), "6: not a line of SDP");
  assert.equal(fault(sdp(...new Array<string>(17).fill(AUDIO))), "22: too many m= lines");
  const formats = new Array<number>(65).fill(0).join(" ");
  assert.equal(fault(sdp(`m=audio 1 RTP/AVP ${formats}`)), "6: too many formats");
});

test("bare line feeds, unknown lines and odd attributes are lived with", () => {
  const text = sdp("z=0 0", AUDIO, "a=rtpmap:", "a=rtpmap:8", "a=sendonly ", "a=x:y", EVENT);
  const negotiated = agreed(
    new OfferAnswer(1).answer(HERE, text.replaceAll("\r\n", "\n"), "sendrecv"),
  );
  assert.equal(negotiated.direction, "recvonly");
  assert.equal(negotiated.telephoneEvent, 96);
});
