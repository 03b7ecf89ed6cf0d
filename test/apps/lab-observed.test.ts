/** What phones of others have come to is read off their messages, whoever's trace these are from. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { base64OfText } from "../../src/api/base64.ts";
import { Observed } from "../../src/apps/lab/guests/observed.ts";
import type { TraceRecord } from "../../src/apps/trace/record.ts";

const BOB = "127.0.0.22:5060";
const SERVER = "127.0.0.13:5060";

/** A message on its way, told by both ends. */
function told(
  lines: readonly string[],
  way: "from bob" | "to bob",
  cseq: string,
  callId = "c1",
): TraceRecord[] {
  const text = [...lines, `Call-ID: ${callId}`, `CSeq: ${cseq}`, "", ""].join("\r\n");
  const data = base64OfText(text);
  const [source, target] = way === "from bob" ? [BOB, SERVER] : [SERVER, BOB];
  const common = { transport: "udp", data };
  return [
    { at: 1, node: "x", event: "message.sent", local: source, remote: target, ...common },
    { at: 2, node: "y", event: "message.received", local: target, remote: source, ...common },
  ];
}

function eventsOf(records: readonly TraceRecord[]): string[] {
  const events: string[] = [];
  const observed = new Observed(({ node, event, why, expires, direction }) => {
    const fields = Object.entries({ why, expires, direction }).filter(([, value]) => value);
    const shown = fields.map(([key, value]) => `${key}=${value}`);
    events.push([node, event, ...shown].join(" "));
  });
  observed.add("bob", "2002", "127.0.0.22");
  for (const record of records) observed.saw(record);
  return events;
}

const REGISTER = ["REGISTER sip:lab.test SIP/2.0", "To: <sip:2002@lab.test>"];
const INVITE = ["INVITE sip:2001@lab.test SIP/2.0", "To: <sip:2001@lab.test>"];
const BYE = ["BYE sip:2001@lab.test SIP/2.0", "To: <sip:2001@lab.test>;tag=1"];

test("a registration is told once, whoever saw the answer; a challenge is none", () => {
  const contact = "Contact: <sip:2002@127.0.0.22>;expires=60";
  assert.deepEqual(
    eventsOf([
      ...told(REGISTER, "from bob", "1 REGISTER"),
      ...told(["SIP/2.0 401 Unauthorized"], "to bob", "1 REGISTER"),
      ...told(REGISTER, "from bob", "2 REGISTER"),
      ...told(["SIP/2.0 200 OK", contact], "to bob", "2 REGISTER"),
      ...told(["SIP/2.0 200 OK", contact], "to bob", "3 REGISTER"),
      ...told(["SIP/2.0 403 Forbidden"], "to bob", "4 REGISTER"),
      ...told(["SIP/2.0 200 OK"], "to bob", "5 REGISTER"),
    ]),
    [
      "bob registration.accepted expires=60",
      "bob registration.accepted expires=60",
      "bob registration.failed why=rejected",
      "bob registration.removed",
    ],
  );
});

test("calls are told from the first INVITE to the BYE, in both directions", () => {
  assert.deepEqual(
    eventsOf([
      ...told(INVITE, "from bob", "1 INVITE"),
      ...told(["SIP/2.0 407 Proxy Authentication Required"], "to bob", "1 INVITE"),
      ...told(INVITE, "from bob", "2 INVITE"),
      ...told(["SIP/2.0 180 Ringing"], "to bob", "2 INVITE"),
      ...told(["SIP/2.0 200 OK"], "to bob", "2 INVITE"),
      ...told([INVITE[0] as string, BYE[1] as string], "to bob", "3 INVITE"),
      ...told(BYE, "to bob", "4 BYE"),
      ...told(INVITE, "to bob", "1 INVITE", "c2"),
      ...told(["SIP/2.0 486 Busy Here"], "from bob", "1 INVITE", "c2"),
    ]),
    [
      "bob call.started direction=outgoing",
      "bob call.answered",
      "bob call.ended why=peer-hung-up",
      "bob call.started direction=incoming",
      "bob call.ended why=failed",
    ],
  );
});

test("what is no call of a phone of others tells nothing", () => {
  const elsewhere = told(INVITE, "from bob", "1 INVITE").map((record) => ({
    ...record,
    local: "127.0.0.31:5060",
    remote: "127.0.0.13:5060",
  }));
  assert.deepEqual(eventsOf(elsewhere), []);
  assert.deepEqual(eventsOf(told(BYE, "to bob", "9 BYE", "unknown")), []);
});
