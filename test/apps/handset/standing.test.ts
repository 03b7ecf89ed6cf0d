/** What a handset shows, by the events of its phone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Handset } from "../../../src/apps/handset/standing.ts";
import type { TimedEvent } from "../../../src/worlds/node/driver.ts";

function told(event: string, fields: Readonly<Record<string, unknown>> = {}): TimedEvent {
  const stamped = { at: 0, time: "2026-11-21T10:00:00.000Z", node: "2001", event };
  return { ...stamped, account: "2001", ...fields } as TimedEvent;
}

function handset(): Handset {
  return new Handset([
    { name: "2001", servers: 2 },
    { name: "3001", servers: 1 },
  ]);
}

test("each line shows each server of its file: registered, lost and why, or away", () => {
  const shown = handset();
  const states = (): string[] =>
    shown.standing.accounts.flatMap(({ servers }) =>
      servers.map(({ state, target, why }) => `${state} ${target} ${why}`.trim()),
    );
  assert.deepEqual(states(), ["away", "away", "away"]);
  shown.saw(told("registration.accepted", { server: 1, target: "udp:192.0.2.1:5060" }));
  shown.saw(told("registration.failed", { server: 2, why: "rejected", status: 403 }));
  assert.deepEqual(states(), ["registered udp:192.0.2.1:5060", "lost  403", "away"]);
  shown.saw(told("registration.interrupted", { server: 1, why: "reset" }));
  assert.deepEqual(states(), ["lost udp:192.0.2.1:5060 reset", "lost  403", "away"]);
  shown.saw(told("registration.accepted", { server: 2, target: "udp:192.0.2.2:5060" }));
  shown.saw(told("registration.removed", { server: 1 }));
  assert.deepEqual(states(), ["away", "registered udp:192.0.2.2:5060", "away"]);
});

test("a call rings, talks, is held by either side and is gone; the others stay in their order", () => {
  const shown = handset();
  const calls = (): string[] => shown.standing.calls.map(({ call, state }) => `${call} ${state}`);
  shown.saw(told("call.started", { call: 1, peer: "2002", direction: "outgoing" }));
  shown.saw(told("call.ringing", { call: 1, status: 180 }));
  shown.saw(told("call.answered", { call: 1 }));
  // A second ring of another branch comes late: whoever talks does not ring.
  shown.saw(told("call.ringing", { call: 1, status: 180 }));
  shown.saw(told("call.started", { call: 2, peer: "2003", direction: "incoming" }));
  shown.saw(told("call.held", { call: 1, by: "peer" }));
  assert.deepEqual(calls(), ["1 held by peer", "2 trying"]);
  assert.equal(shown.standing.calls[0]?.answeredAt, Date.parse("2026-11-21T10:00:00Z"));
  shown.saw(told("call.resumed", { call: 1, by: "peer" }));
  shown.saw(told("call.held", { call: 1, by: "us" }));
  assert.deepEqual(calls(), ["1 held", "2 trying"]);
  shown.saw(told("call.ended", { call: 1, why: "hung-up" }));
  assert.deepEqual(calls(), ["2 trying"]);
  // An INVITE that never became a call ends without having begun.
  shown.saw(told("call.ended", { call: 9, why: "refused" }));
  assert.deepEqual(calls(), ["2 trying"]);
});

test("messages that wait and colleagues have lamps, one each for calls and presence", () => {
  const shown = handset();
  const box = "sip:500@example.com";
  shown.saw(told("message-waiting.changed", { waiting: true, new: 4, old: 1, box }));
  shown.saw(told("message-waiting.changed", { waiting: true, new: 3, old: 1 }));
  shown.saw(told("colleague.changed", { colleague: "2004", state: "busy" }));
  shown.saw(told("colleague.changed", { colleague: "2003", state: "ringing" }));
  shown.saw(told("colleague.changed", { colleague: "2004", state: "idle" }));
  shown.saw(told("presence.changed", { of: "2004", state: "open", activity: "" }));
  shown.saw(told("presence.changed", { of: "2003", state: "open", activity: "on-the-phone" }));
  const [first, second] = shown.standing.accounts;
  assert.deepEqual([first?.waiting, first?.messages, second?.waiting], [true, 3, false]);
  assert.deepEqual([first?.box, second?.box], [box, ""]);
  const lamps = shown.standing.lamps.map(({ who, state }) => `${who} ${state}`);
  assert.deepEqual(lamps, ["2003 ringing", "2003 on-the-phone", "2004 idle", "2004 open"]);
});

test("messages and renewals of subscriptions change nothing; the latest of all else is kept in words", () => {
  const shown = handset();
  assert.equal(shown.saw(told("message.sent", { data: "SU5WSVRF" })), false);
  assert.equal(shown.saw(told("subscription.accepted", { package: "dialog" })), false);
  for (let number = 1; number <= 60; number += 1) {
    assert.equal(shown.saw(told("server.probed", { server: number })), true);
  }
  const { notices } = shown.standing;
  assert.equal(notices.length, 40);
  assert.equal(notices[0]?.text, "account 2001, server 60");
});
