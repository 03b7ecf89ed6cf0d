/** STUN on the SIP port (RFC 8489, RFC 5626 §8), by the test vectors of RFC 5769 and what a peer may send instead. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  isStun,
  printBindingAnswer,
  printBindingRequest,
  readStun,
  type StunMessage,
} from "../../../src/core/message/stun.ts";
import type { Entropy } from "../../../src/core/primitives.ts";

const ID = Buffer.from("b7e7a701bc34d686fa87dfae", "hex");

/** `192.0.2.1:5060`, `[2001:db8:0:0:0:0:0:1]:5060`. */
function mappedIn(message: StunMessage | undefined): string {
  const [port = 0, ...words] = message?.mapped ?? [];
  if (words.length > 2) return `[${words.map((word) => word.toString(16)).join(":")}]:${port}`;
  return `${words.flatMap((word) => [word >> 8, word & 255]).join(".")}:${port}`;
}

/** Draws the identifier of the samples. */
function chance(): Entropy {
  const words = [0, 4, 8].map((at) => ID.readUInt32LE(at));
  return { uint32: () => words.shift() ?? 0 };
}

function read(hex: string): StunMessage | undefined {
  return readStun(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
}

suite("STUN", () => {
  test("a Binding request is twenty bytes, and read again", () => {
    const request = printBindingRequest(chance());
    assert.equal(Buffer.from(request).toString("hex"), "000100002112a442b7e7a701bc34d686fa87dfae");
    assert.equal(isStun(request), true);
    const message = readStun(request) as StunMessage;
    const bytes = request;
    assert.deepEqual(message, { kind: "request", bytes, mapped: undefined, unknown: [] });
  });

  test("the sample answers of RFC 5769 are read, what is optional in them passed over", () => {
    const four = read(`0101 003c 2112a442 b7e7a701bc34d686fa87dfae
      8022 000b 7465737420766563746f7220 0020 0008 0001a147e112a643
      0008 0014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 8028 0004 c07d4c96`);
    assert.equal(mappedIn(four), "192.0.2.1:32853");
    const six = read(`0101 0048 2112a442 b7e7a701bc34d686fa87dfae
      8022 000b 7465737420766563746f7220
      0020 0014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
      0008 0014 a382954e4be67bf11784c97c8292c275bfe3ed41 8028 0004 c8fb0b4c`);
    assert.equal(mappedIn(six), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
  });

  test("an answer says where the request came from, for IPv4 and IPv6 (R96)", () => {
    const request = readStun(printBindingRequest(chance())) as StunMessage;
    for (const [address, port, mapped] of [
      ["192.0.2.1", 32_853, "192.0.2.1:32853"],
      ["2001:db8::1", 5060, "[2001:db8:0:0:0:0:0:1]:5060"],
      ["::1", 1, "[0:0:0:0:0:0:0:1]:1"],
      ["fe80::1%eth0", 9, "[fe80:0:0:0:0:0:0:1]:9"],
      ["::ffff:192.0.2.1", 65_535, "[0:0:0:0:0:ffff:c000:201]:65535"],
    ] as const) {
      const answer = printBindingAnswer(request, address, port);
      assert.equal(readStun(answer)?.kind, "success");
      assert.equal(mappedIn(readStun(answer)), mapped);
    }
    assert.equal(
      Buffer.from(printBindingAnswer(request, "192.0.2.1", 32_853)).toString("hex"),
      "0101000c2112a442b7e7a701bc34d686fa87dfae002000080001a147e112a643",
    );
  });

  test("MAPPED-ADDRESS of an older server serves where there is nothing better", () => {
    const message = read("0101 000c 2112a442 b7e7a701bc34d686fa87dfae 0001 0008 000113c4c0000201");
    assert.equal(mappedIn(message), "192.0.2.1:5060");
  });

  test("what must be understood and is not is answered 420, and never at length", () => {
    const attributes = Array.from({ length: 40 }, (_, n) => `00${(0x30 + n).toString(16)}0000`);
    const asked = read(`0001 00a0 2112a442 b7e7a701bc34d686fa87dfae ${attributes.join("")}`);
    assert.equal(asked?.unknown.length, 40);
    const answer = printBindingAnswer(asked as StunMessage, "192.0.2.1", 5060);
    assert.match(Buffer.from(answer).toString("hex"), /^0111.{36}0009000400000414000a0010/);
    assert.ok(answer.length <= 52);
  });

  test("neither SIP nor keep-alives nor scraps are STUN", () => {
    for (const text of [
      "",
      "\r\n\r\n",
      "INVITE sip:a SIP/2.0\r\n",
      "\0\0\0\0",
      "\x01".repeat(30),
    ]) {
      assert.equal(isStun(Buffer.from(text, "latin1")), false, JSON.stringify(text));
    }
  });

  test("no bytes make it throw, and no answer is much more than what was asked", () => {
    let state = 5769;
    const chance = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 20_000; round += 1) {
      const length = 4 * chance(12);
      const bytes = Buffer.from(Array.from({ length: 20 + length }, () => chance(4) * chance(64)));
      bytes.set([chance(2), [0x01, 0x11][chance(2)] as number, 0, length], 0);
      bytes.set([0x21, 0x12, 0xa4, 0x42], 4);
      const message = readStun(bytes);
      if (message?.kind !== "request") continue;
      const answer = printBindingAnswer(message, "2001:db8::1", 5060);
      assert.ok(answer.length <= 2.2 * bytes.length, bytes.toString("hex"));
    }
  });

  test("broken messages are dropped: a wrong length, an attribute beyond the end, another method", () => {
    for (const hex of [
      "0001 0004 2112a442 b7e7a701bc34d686fa87dfae",
      "0001 0003 2112a442 b7e7a701bc34d686fa87dfae 000000",
      "0101 0008 2112a442 b7e7a701bc34d686fa87dfae 0020 0008 0001a147",
      "0003 0000 2112a442 b7e7a701bc34d686fa87dfae",
    ]) {
      assert.equal(read(hex), undefined, hex);
    }
    const short = read("0101 0008 2112a442 b7e7a701bc34d686fa87dfae 0020 0004 0001a147");
    assert.equal(short?.mapped, undefined);
  });
});
