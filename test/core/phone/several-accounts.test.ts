/** Accounts that share a phone and a number, each at a server of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import type { AccountPolicy } from "../../../src/core/redundancy/policy.ts";
import { defaultAccount, defaultPolicy } from "../../../src/core/redundancy/policy-defaults.ts";
import { type PlaceName, Rehearsal } from "../redundancy/rehearsal.ts";
import { calm } from "../redundancy/stages.ts";

const PHONE = "192.0.2.100";

/** The second one wants session timers; its calls are known by that. */
function stage(first: Partial<AccountPolicy>, second: Partial<AccountPolicy>): Rehearsal {
  const at = (address: string) => ({ ...defaultPolicy(address), ...calm() });
  return new Rehearsal([
    defaultAccount("100", at("192.0.2.13"), { index: 1, ...first }),
    defaultAccount("100", at("192.0.2.15"), { index: 2, sessionTimer: true, ...second }),
  ]);
}

/** Whether the account that takes a call from there is the second. */
function isSecond(rehearsal: Rehearsal, place: PlaceName, domain: string): boolean {
  const answers: Response[] = [];
  const server = rehearsal.server(place);
  server.heard = (text) => {
    const message = parseMessage(text);
    if (message.kind === "response" && message.status === 200) answers.push(message);
  };
  const offer =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.99\r\ns=-\r\nc=IN IP4 192.0.2.99\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";
  const invite = [
    `INVITE sip:100@${PHONE}:5060 SIP/2.0`,
    `Via: SIP/2.0/UDP ${server.address}:5060;branch=z9hG4bK-${place}`,
    `From: <sip:2002@${domain}>;tag=a`,
    `To: <sip:100@${domain}>`,
    `Call-ID: call-from-${place}`,
    "CSeq: 1 INVITE",
    `Contact: <sip:2002@${server.address}>`,
    "Supported: timer",
    "Content-Type: application/sdp",
    `Content-Length: ${offer.length}`,
    "",
    offer,
  ].join("\r\n");
  rehearsal.hostOf(place).run(() => server.ask(invite, PHONE));
  rehearsal.until(5.2);
  assert.equal(answers.length, 1);
  return answers[0]?.headers.has("session-expires") === true;
}

test("of two accounts with one number a call is for the one whose server brings it", () => {
  assert.equal(isSecond(stage({}, {}).start().until(5), "primary", "192.0.2.13"), false);
  assert.equal(isSecond(stage({}, {}).start().until(5), "fallback", "192.0.2.15"), true);
  // Whatever name the server has for itself.
  assert.equal(isSecond(stage({}, {}).start().until(5), "fallback", "pbx.example"), true);
});

test("… and at one server for the one whose domain it names", () => {
  const { redundancy } = defaultAccount("100", { ...defaultPolicy("192.0.2.13"), ...calm() });
  const shared = (): Rehearsal =>
    stage({ redundancy, domain: "one.example" }, { redundancy, domain: "two.example" })
      .start()
      .until(5);
  assert.equal(isSecond(shared(), "primary", "one.example"), false);
  assert.equal(isSecond(shared(), "primary", "two.example"), true);
});
