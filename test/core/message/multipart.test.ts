/** Bodies of several parts (RFC 2046 §5.1, RFC 5621): the wanted one is found, those that must be known are heeded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openMultipart } from "../../../src/core/message/multipart.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";

const SDP = "application/sdp";

/** The type and body that a message with this one comes to. */
function opened(type: string, lines: readonly string[], extra = ""): [string | undefined, string] {
  const body = lines.join("\r\n");
  const head = `INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>`;
  const rest = `Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Type: ${type}\r\n${extra}Content-Length: ${body.length}`;
  const message = parseMessage(`${head}\r\n${rest}\r\n\r\n${body}`);
  assert(message.kind === "request");
  openMultipart(message, SDP);
  return [message.headers.get("content-type"), message.body];
}

test("the part of the wanted type takes the place of the whole, whatever stands around it", () => {
  const parts = [
    ...["before", "--x-1 ", "Content-Type: application/isup;version=x", "", "\x01\x02"],
    ...["--x-1", "content-TYPE :", " Application/SDP; charset=utf-8", "", "v=0", "--x-12", ""],
    ...["--x-1--", "after", "--x-1", `Content-Type: ${SDP}`, "", "v=9"],
  ];
  assert.deepEqual(opened('multipart/mixed;a=b; boundary="x-1"', parts), [
    SDP,
    "v=0\r\n--x-12\r\n",
  ]);
  assert.deepEqual(opened("Multipart/Mixed;boundary=x-1", parts), [SDP, "v=0\r\n--x-12\r\n"]);
});

test("of alternatives the last that is understood is taken, also from parts within parts", () => {
  const inner = [
    "--b",
    `Content-Type: ${SDP}`,
    "",
    "v=1",
    "--b",
    `Content-Type: ${SDP}`,
    "",
    "v=2",
  ];
  const alternative = ["Content-Type: multipart/alternative;boundary=b", "", ...inner, "--b--"];
  assert.deepEqual(opened("multipart/mixed;boundary=a", ["--a", ...alternative, "--a--"]), [
    SDP,
    "v=2",
  ]);
});

test("a message stays as it is where there is no such part, or another must be understood", () => {
  const sdp = ["--a", `Content-Type: ${SDP}`, "", "v=0"];
  const must = [
    "--a",
    "Content-Type: x/y",
    "Content-Disposition: signal;handling=required",
    "",
    "z",
  ];
  for (const [type, lines, extra] of [
    ["multipart/mixed;boundary=a", [...sdp, ...must, "--a--"]],
    ["multipart/mixed;boundary=a", ["--a", "Content-Type: x/y", "", "z", "--a--"]],
    ["multipart/mixed;boundary=a", ["--a", `Content-Type: ${SDP}`]],
    ["multipart/mixed;boundary=a", []],
    ["multipart/mixed", sdp],
    ["multipart/mixed;boundary=a", [...sdp, "--a--"], "Content-Encoding: gzip\r\n"],
    ["text/plain", [...sdp, "--a--"]],
  ] as const) {
    assert.deepEqual(opened(type, lines, extra), [type, lines.join("\r\n")]);
  }
});
