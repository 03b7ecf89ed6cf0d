/** How often a registrar is asked whether it lives: the less, the more strain it shows. Times are seconds. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { LOSS_OFFER } from "../../../src/core/message/overload.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal } from "../redundancy/rehearsal.ts";
import { type Habit, type ScriptedServer, says } from "../redundancy/scripted-server.ts";

/** Longer than any of these tests takes. */
const DAY = 86_400;
const HOUR = 3600;

/** Our own defaults at one server over UDP; `habits` are in force from the first REGISTER on. */
function phone(habits: Record<string, Habit>, expiresSeconds = DAY): Rehearsal {
  const server = defaultServer("192.0.2.13", { port: 5060, transport: "udp", expiresSeconds });
  const redundancy = { ...defaultPolicy(server), refreshJitter: 0, t1Ms: 500 };
  const stage = new Rehearsal([defaultAccount("2001", redundancy)]);
  stage.server("primary").habits = habits;
  return stage.start();
}

/** OPTIONS that came in the next so many seconds, retransmissions left out. */
function asked(stage: Rehearsal, seconds: number): number {
  const { requests } = stage.server("primary");
  const before = requests.length;
  stage.zero().until(seconds);
  const fresh = requests.slice(before).filter(({ method }) => method === "OPTIONS");
  return new Set(fresh.map(({ headers }) => headers.get("call-id"))).size;
}

function after(waitMs: number): Habit {
  return () => [{ status: 200, afterMs: waitMs }];
}

/** As the server does by itself, but later, or with a report of its load in the place of the phone's offer to obey one. */
function registers(server: ScriptedServer, change: { afterMs?: number; report?: string }): Habit {
  const { afterMs = 0, report = LOSS_OFFER } = change;
  return (request: Request) => {
    const via = (request.headers.get("via") ?? "").replace(LOSS_OFFER, report);
    return server
      .yes(request)
      .map((reply) => ({ ...reply, afterMs, headers: { ...reply.headers, via } }));
  };
}

suite("a registrar that grants no pings", () => {
  test("is asked with each keep-alive where it answers in time", () => {
    const count = asked(phone({}), HOUR);
    assert.ok(count >= HOUR / 27 && count <= HOUR / 21, `${count} times an hour`);
  });

  test("is asked every second, fourth … sixteenth time where it answers late, and CRLFs hold the way open", () => {
    const stage = phone({ OPTIONS: after(900) });
    const count = asked(stage, HOUR);
    assert.ok(count >= 8 && count <= 13, `${count} times an hour`);
    assert.ok(stage.server("primary").pings.length > 100);
  });

  test("is asked as often as before once it answers in time again", () => {
    const stage = phone({ OPTIONS: after(900) });
    asked(stage, HOUR);
    stage.server("primary").habits = {};
    asked(stage, HOUR);
    const count = asked(stage, HOUR);
    assert.ok(count >= HOUR / 27, `${count} times an hour`);
  });

  test("is asked only after the second keep-alive where REGISTER was answered late", () => {
    const first = (afterMs: number): number => {
      const stage = phone({});
      const server = stage.server("primary");
      server.habits = { REGISTER: registers(server, { afterMs }) };
      stage.zero().do((now) => stage.phone.accounts[0]?.refreshDue(now, 1));
      stage.until(HOUR);
      const sent = stage.sent.filter(({ method, at }) => method === "OPTIONS" && at > 0);
      return (sent[0]?.at ?? 0) / 1000;
    };
    assert.ok(first(400) <= 28, `${first(400)} s`);
    assert.ok(first(900) > 40, `${first(900)} s`);
  });

  for (const [why, habit, report] of [
    ["it had refused REGISTER before", says(503), LOSS_OFFER],
    ["it said that it wants less (RFC 7339)", undefined, ';oc=40;oc-algo="loss";oc-validity=500'],
  ] as const) {
    test(`is left alone for minutes where ${why}`, () => {
      const stage = phone(habit === undefined ? {} : { REGISTER: habit });
      const server = stage.server("primary");
      server.habits = { REGISTER: registers(server, { report }) };
      stage.do((now) => stage.phone.accounts[0]?.refreshDue(now, 1));
      stage.until(60);
      server.habits = {};
      assert.equal(asked(stage, 240), 0);
      assert.ok(asked(stage, HOUR) > 0);
    });
  }
});

test("a registrar that never answers OPTIONS is asked once for each renewal, and not taken for dead", () => {
  const stage = phone({ OPTIONS: () => [] }, 600);
  const events = stage.events.length;
  const count = asked(stage, HOUR);
  assert.ok(count >= 4 && count <= 8, `${count} times an hour`);
  const interrupted = stage.events.slice(events).filter(({ event }) => /interrupted/.test(event));
  assert.deepEqual(interrupted, []);
});
