/** Damaged DNS messages, from fixed seeds: each is read or refused, and none raises an exception. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, decode, encode, type Packet } from "dns-packet";
import { RecordCache } from "../../src/core/locate/record-cache.ts";
import type { RecordType } from "../../src/core/vocabulary.ts";
import { readAnswer } from "../../src/worlds/node/resolver-answer.ts";
import { decodeMessage } from "../../src/worlds/node/resolver-exchange.ts";
import { Prng } from "../support/prng.ts";

const NAME = "pbx.example.com";
const ROUNDS = 10_000;

const RECORDS: readonly Answer[] = [
  { type: "A", name: NAME, ttl: 60, data: "192.0.2.13" },
  { type: "AAAA", name: NAME, ttl: 60, data: "2001:db8::13" },
  { type: "CNAME", name: NAME, ttl: 60, data: "a.pbx.example.com" },
  {
    type: "SRV",
    name: NAME,
    ttl: 60,
    data: { priority: 1, weight: 2, port: 5060, target: "a.pbx.example.com" },
  },
  {
    type: "NAPTR",
    name: NAME,
    ttl: 60,
    data: {
      order: 1,
      preference: 2,
      flags: "s",
      services: "SIP+D2U",
      regexp: "",
      replacement: "_sip._udp.pbx.example.com",
    },
  },
  {
    type: "SOA",
    name: NAME,
    ttl: 60,
    data: { mname: "ns", rname: "root", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 },
  },
  { type: "NS", name: NAME, ttl: 60, data: "ns.example.com" },
  { type: "TXT", name: NAME, ttl: 60, data: "text" },
];

const TYPES: readonly RecordType[] = ["A", "AAAA", "SRV", "NAPTR"];

function whole(prng: Prng, type: RecordType): Buffer {
  const some = (): Answer[] => Array.from({ length: prng.below(4) }, () => prng.pick(RECORDS));
  const packet: Packet = {
    type: "response",
    id: 1,
    flags: prng.below(4) === 0 ? prng.below(0x1_0000) : 0,
    questions: [{ type, name: NAME, class: "IN" }],
    answers: some(),
    authorities: some(),
    additionals: some(),
  };
  return encode(packet);
}

for (const seed of [1, 2, 3, 4]) {
  test(`${ROUNDS} damaged DNS messages of seed ${seed} raise no exception`, () => {
    const prng = new Prng(seed);
    const cache = new RecordCache();
    let read = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const type = prng.pick(TYPES);
      let bytes = whole(prng, type);
      for (let blows = prng.below(4); blows > 0 && bytes.length > 0; blows -= 1) {
        const at = prng.below(bytes.length);
        if (prng.below(4) === 0) bytes = bytes.subarray(0, at);
        else bytes[at] = prng.below(256);
      }
      try {
        const packet = decodeMessage(bytes);
        if (packet === undefined) continue;
        const reading = readAnswer(packet, NAME, type);
        if (reading.kind !== "answer") continue;
        read += 1;
        cache.heard(round, NAME, type, reading.answer);
      } catch (error) {
        throw new Error(`round ${round}: ${bytes.toString("hex")}`, { cause: error });
      }
    }
    assert.ok(read > ROUNDS / 10, `${read} read`);
    assert.ok(cache.size <= 2048);
  });
}

test("the messages are ones that can be read when they are not damaged", () => {
  const packet = decode(whole(new Prng(1), "A"));
  assert.equal(packet.questions?.[0]?.name, NAME);
});
