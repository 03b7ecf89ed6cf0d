/** The short way of a renewal: taken only where the long way would end in the same record and the same answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Request } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { type Binding, decodeBindings, encodeBindings } from "../../../src/core/server/binding.ts";
import { Records, StoredRecord } from "../../../src/core/server/records.ts";
import { type Registered, register } from "../../../src/core/server/registrar.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../../src/core/server/registration.ts";
import { renewalOf, type SoleBinding, writeOf } from "../../../src/core/server/renewal.ts";
import { conclude, TestStore } from "./store.ts";

const KEY = "aor/alice@example.com";
const HOLDER = "one b1 1 udp:127.0.0.1:5081 udp:127.0.0.1:5060 same";
const BOUND: Binding = {
  uri: "sip:alice@10.0.0.1:5060",
  parameters: ";q=0.5",
  flowKey: "",
  expires: 1_000_100,
  callId: "call-1",
  cseq: 7,
  holder: HOLDER,
  path: "",
  userAgent: "Phone",
};
const STORED = encodeBindings([BOUND]) as string;

function request(callId: string, cseq: number, lines: readonly string[]): Request {
  const head = [
    "REGISTER sip:example.com SIP/2.0",
    "Via: SIP/2.0/UDP 127.0.0.1:5081;branch=z9hG4bK1",
    "From: <sip:alice@example.com>;tag=1",
    "To: <sip:alice@example.com>",
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} REGISTER`,
  ];
  const message = parseMessage(`${[...head, ...lines].join("\r\n")}\r\n\r\n`);
  assert.equal(message.kind, "request", lines.join("\n"));
  return message as Request;
}

function renewal(
  lines: readonly string[],
  { callId = "call-1", cseq = 8, stored = STORED, now = 1_000_000 } = {},
): SoleBinding | undefined {
  const { headers } = request(callId, cseq, lines);
  const record = new StoredRecord(writeOf(KEY, decodeBindings(stored, 0), 1, new Records()), 2);
  return renewalOf(record, headers, { text: HOLDER }, now, DEFAULT_REGISTRAR_LIMITS);
}

const SAME = "Contact: <sip:alice@10.0.0.1:5060>;q=0.5";

test("an unchanged Contact renews the record with new times and numbers, and nothing else new", () => {
  const { binding, value } = renewal([`${SAME};expires=60`, "User-Agent: Phone"]) as SoleBinding;
  assert.deepEqual(binding, { ...BOUND, expires: 1_000_060, cseq: 8 });
  assert.equal(value, encodeBindings([binding]));
  assert.equal(renewal([SAME, "Expires: 90"])?.binding.expires, 1_000_090);
  assert.equal(renewal([SAME])?.binding.expires, 1_003_600);
  assert.equal(renewal([`${SAME};expires=99999`])?.binding.expires, 1_007_200);
});

test("a renewal stands for all of the time that was granted, from wherever in a second", () => {
  assert.equal(renewal([SAME, "Expires: 90"], { now: 999_999.1 })?.binding.expires, 1_000_090);
});

test("whatever differs in more than times and numbers goes the long way", () => {
  const others: readonly (readonly string[])[] = [
    ["Contact: <sip:alice@10.0.0.1:5061>;q=0.5"],
    ["Contact: <sip:alice@10.0.0.1:5060>"],
    ["Contact: <sip:alice@10.0.0.1:5060>;q=0.6"],
    ['Contact: "Alice" <sip:alice@10.0.0.1:5060>;q=0.5'],
    [`${SAME};expires=60;x`],
    [`${SAME};expires=1m`],
    [`${SAME};expires=0`],
    [`${SAME};expires=9`],
    [`${SAME}, <sip:alice@10.0.0.2>`],
    [SAME, "Contact: <sip:alice@10.0.0.2>"],
    [SAME, "Path: <sip:edge.example.com;lr>"],
    ["Contact: *", "Expires: 0"],
    [],
  ];
  for (const lines of others) assert.equal(renewal(lines), undefined, lines.join("\n"));
  assert.equal(renewal([SAME], { cseq: 7 }), undefined, "a retransmission");
  assert.equal(renewal([SAME], { cseq: 6 }), undefined, "an earlier one");
  assert.equal(renewal([SAME], { cseq: 1, callId: "call-2" })?.binding.callId, "call-2");
});

test("a record with another binding, a removed or expired one, a Path or a flow's key goes the long way", () => {
  const others: readonly (readonly Binding[])[] = [
    [BOUND, { ...BOUND, uri: "sip:alice@10.0.0.2" }],
    [{ ...BOUND, expires: -1_000_100 }],
    [{ ...BOUND, expires: 1_000_000 }],
    [{ ...BOUND, path: "<sip:edge.example.com;lr>" }],
    [{ ...BOUND, flowKey: "<urn:uuid:1> 1" }],
  ];
  for (const bindings of others) {
    const stored = encodeBindings(bindings) as string;
    assert.equal(renewal([SAME], { stored }), undefined, stored);
  }
  const parameters = ';reg-id=1;+sip.instance="<urn:uuid:1>"';
  const stored = encodeBindings([{ ...BOUND, parameters }]) as string;
  assert.equal(renewal([`Contact: <${BOUND.uri}>${parameters}`], { stored }), undefined);
});

/** Every way of writing a Contact that the short way could take for another. */
const contactLine = fc
  .record({
    display: fc.constantFrom("", "", '"Alice" ', "Alice "),
    uri: fc.constantFrom("sip:alice@10.0.0.1", "sip:alice@10.0.0.2;transport=tcp", "sip:a>b@c"),
    params: fc.constantFrom(
      "",
      "",
      ";q=0.5",
      ' ;x="a;expires=5;b"',
      ";Expires=70",
      ";EXPIRES=70",
      ';reg-id=1;+sip.instance="<urn:uuid:1>"',
      ";cisco-keep-alive",
    ),
    expires: fc.constantFrom(
      "",
      ";expires=60",
      ";expires=60",
      ";expires=0",
      ";expires=x",
      "; expires = 80",
    ),
    more: fc.constantFrom("", "", "", ", <sip:alice@10.0.0.3>;expires=50"),
  })
  .map(({ display, uri, params, expires, more }) => {
    return `Contact: ${display}<${uri}>${params}${expires}${more}`;
  });

const step = fc.record({
  lines: fc
    .tuple(
      fc.array(contactLine, { minLength: 0, maxLength: 2 }),
      fc.constantFrom([], [], ["Expires: 40"], ["Expires: 0"], ["Expires: x"]),
      fc.constantFrom([], [], ["User-Agent: Phone"], ["Supported: outbound, path"]),
      fc.constantFrom([], [], [], ["Path: <sip:edge.example.com;lr>"]),
    )
    .map((parts) => parts.flat()),
  callId: fc.constantFrom("call-1", "call-1", "call-1", "call-2"),
  rise: fc.integer({ min: -1, max: 2 }),
  later: fc.integer({ min: 0, max: 30 }),
});

test("with the last record at hand a registrar answers and stores what it does without", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 12 }), (steps) => {
      const [swift, slow] = [new TestStore(), new TestStore()];
      const records = new Records();
      let now = 1_000_000;
      let cseq = 10;
      for (const { lines, callId, rise, later } of steps) {
        now += later;
        cseq += rise;
        const ask = (store: TestStore, known: Records): Registered => {
          const options = { limits: DEFAULT_REGISTRAR_LIMITS, serviceRoute: "" };
          const asked = request(callId, cseq, lines);
          return conclude(
            register(asked, KEY, { text: HOLDER }, options, known, () => now),
            store,
          );
        };
        const { record: _kept, ...one } = ask(swift, records);
        const { record: _made, ...other } = ask(slow, new Records());
        assert.deepEqual(one, other);
        assert.equal(swift.value(KEY), slow.value(KEY));
      }
    }),
    { numRuns: 2_000, seed: 20_261_121 },
  );
});
