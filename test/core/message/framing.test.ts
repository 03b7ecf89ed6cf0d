/** Messages and keep-alives out of a stream, however it is cut. */
import assert from "node:assert/strict";
import test from "node:test";
import { type FrameUser, StreamFramer } from "../../../src/core/message/framing.ts";
import { MAX_HEAD_BYTES, MAX_MESSAGE_BYTES } from "../../../src/core/message/limits.ts";
import type { Bytes } from "../../../src/core/primitives.ts";
import { Prng } from "../../support/prng.ts";

const BYTES: Bytes = {
  toText: (bytes) => Buffer.from(bytes).toString("latin1"),
  fromText: (text) => Buffer.from(text, "latin1"),
};

function message(name: string, body: string, length = `Content-Length: ${body.length}`): string {
  return `MESSAGE sip:${name} SIP/2.0\r\nSubject: a\r\n Content-Length: 7\r\n${length}\r\n\r\n${body}`;
}

/** Everything told, in order. */
function told(...chunks: string[]): string[] {
  const events: string[] = [];
  const user: FrameUser = {
    framed: (text) => events.push(text),
    pinged: () => events.push("ping"),
    ponged: () => events.push("pong"),
    faulted: (reason) => events.push(`fault: ${reason}`),
  };
  const framer = new StreamFramer(BYTES, user);
  for (const chunk of chunks) framer.feed(BYTES.fromText(chunk));
  return events;
}

const ONE = message("one", "");
const TWO = message("two", "body\r\n\r\n\xff\x00", "l : 10");
const THREE = message("three", "abc", "CONTENT-LENGTH:\r\n 3 ");

test("messages that come together are told one by one (R48)", () => {
  assert.deepEqual(told(ONE + TWO + THREE), [ONE, TWO, THREE]);
});

test("any cut of the stream gives the same messages (R48)", () => {
  const stream = ONE + TWO + THREE + ONE;
  for (let at = 0; at <= stream.length; at += 1) {
    assert.deepEqual(told(stream.slice(0, at), stream.slice(at)), [ONE, TWO, THREE, ONE]);
  }
  assert.deepEqual(told(...stream), [ONE, TWO, THREE, ONE]);
  const prng = new Prng(7);
  for (let round = 0; round < 200; round += 1) {
    const chunks: string[] = [];
    for (let at = 0; at < stream.length; ) {
      const next = at + 1 + prng.below(60);
      chunks.push(stream.slice(at, next));
      at = next;
    }
    assert.deepEqual(told(...chunks), [ONE, TWO, THREE, ONE]);
  }
});

test("CRLF CRLF is a ping and CRLF a pong, also between messages (R94)", () => {
  assert.deepEqual(told("\r\n\r\n"), ["ping"]);
  assert.deepEqual(told("\r\n"), ["pong"]);
  assert.deepEqual(told("\r\n\r\n\r\n\r\n"), ["ping", "ping"]);
  assert.deepEqual(told("\r", "\n\r", "\n"), ["ping"]);
  assert.deepEqual(told(`${ONE}\r\n\r\n${ONE}\r\n`, ONE), [ONE, "ping", ONE, "pong", ONE]);
  assert.deepEqual(told("\r\n", "\r\n"), ["pong", "pong"]);
});

test("a stream that cannot be followed is a fault, told once, and nothing is told after it (R48)", () => {
  const heads = [
    "Subject: x",
    "Content-Length: -1",
    "Content-Length: x",
    "l: 1\r\nContent-Length: 1",
  ];
  for (const head of heads) {
    const events = told(message("bad", "", head), ONE);
    assert.deepEqual(events, ["fault: no Content-Length that can be read"], head);
  }
  assert.deepEqual(told("\rX"), ["fault: CR alone between messages"]);
  const events = told(message("big", "", `Content-Length: ${MAX_MESSAGE_BYTES}`), ONE);
  assert.deepEqual(events, ["fault: message too large"]);
});

test("a head without end is a fault before it has filled the memory", () => {
  const chunk = "X: y\r\n".repeat(100);
  const events: string[] = [];
  const user: FrameUser = {
    framed: () => assert.fail("nothing is whole"),
    pinged: () => assert.fail("no ping"),
    ponged: () => assert.fail("no pong"),
    faulted: (reason) => events.push(reason),
  };
  const framer = new StreamFramer(BYTES, user);
  for (let fed = 0; fed < 2 * MAX_HEAD_BYTES; fed += chunk.length) {
    framer.feed(BYTES.fromText(chunk));
    assert.ok(framer.pending <= MAX_HEAD_BYTES + chunk.length);
  }
  assert.deepEqual(events, ["headers too large"]);
  assert.equal(framer.pending, 0);
  const padded = message("pad", "", `X: ${"y".repeat(MAX_HEAD_BYTES)}\r\nContent-Length: 0`);
  assert.deepEqual(told(padded), ["fault: headers too large"]);
});

test("a body waits for its last byte and keeps no other", () => {
  const framer = new StreamFramer(BYTES, {
    framed: () => undefined,
    pinged: () => undefined,
    ponged: () => undefined,
    faulted: (reason) => assert.fail(reason),
  });
  framer.feed(BYTES.fromText(TWO.slice(0, -1)));
  assert.equal(framer.pending, TWO.length - 1);
  framer.feed(BYTES.fromText(TWO.slice(-1) + ONE));
  assert.equal(framer.pending, 0);
});

test("a body that begins with a blank and holds no line end is no fold of the empty line (R48)", () => {
  const blank = message("blank", " ");
  assert.deepEqual(told(blank, blank), [blank, blank]);
  assert.deepEqual(told("MESSAGE sip:a SIP/2.0\r\n\r\n "), [
    "fault: no Content-Length that can be read",
  ]);
});
