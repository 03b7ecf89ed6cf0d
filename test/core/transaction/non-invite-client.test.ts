/** Figure 6 of RFC 3261: every arrow and no other, then its timers as ladders. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { answerTo } from "../../support/script.ts";
import { outcome, RFC_SPACING, Stage } from "./stage.ts";

/** State, event: what is sent, the next state, what the user hears; "" is nothing at all. */
const FIGURE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Trying: {
    "100": "→ Proceeding, user: 100 to REGISTER",
    "200": "→ Completed, user: 200 to REGISTER",
    "301": "→ Completed, user: 301 to REGISTER",
    "401": "→ Completed, user: 401 to REGISTER",
    "503": "→ Completed, user: 503 to REGISTER",
    "600": "→ Completed, user: 600 to REGISTER",
    lost: "→ Terminated, user: failed, refused",
    "0.5 s": "send REGISTER",
    end: "→ Terminated, user: failed, timeout",
  },
  Proceeding: {
    "100": "user: 100 to REGISTER",
    "200": "→ Completed, user: 200 to REGISTER",
    "301": "→ Completed, user: 301 to REGISTER",
    "401": "→ Completed, user: 401 to REGISTER",
    "503": "→ Completed, user: 503 to REGISTER",
    "600": "→ Completed, user: 600 to REGISTER",
    lost: "→ Terminated, user: failed, refused",
    "0.5 s": "send REGISTER",
    end: "→ Terminated, user: failed, timeout",
  },
  Completed: {
    "100": "",
    "200": "",
    "301": "",
    "401": "",
    "503": "",
    "600": "",
    lost: "→ Terminated",
    "0.5 s": "",
    end: "→ Terminated",
  },
};

const WAY: Readonly<Record<string, number | undefined>> = {
  Trying: undefined,
  Proceeding: 100,
  Completed: 404,
};

suite("non-INVITE client transaction, figure 6", () => {
  for (const [state, arrows] of Object.entries(FIGURE)) {
    for (const [event, expected] of Object.entries(arrows)) {
      test(`${state}, ${event}: ${expected || "nothing"}`, () => {
        const stage = new Stage({ tracing: true });
        const flow = stage.flow();
        stage.send(flow, "REGISTER");
        const request = stage.script.lastSent;
        const way = WAY[state];
        if (way !== undefined) stage.script.receive(flow.id, answerTo(request, way));
        const happens = () => {
          if (event === "lost") stage.script.lose(flow.id, "refused");
          else if (event === "0.5 s") stage.script.until(500);
          else if (event === "end") stage.script.until(32_000);
          else stage.script.receive(flow.id, answerTo(request, Number(event)));
        };
        // Timer E is not the business of the last row.
        const all = outcome(stage, happens).replaceAll("send REGISTER, ", "");
        assert.equal(all, expected);
      });
    }
  }
});

suite("non-INVITE client transaction in time", () => {
  test("over UDP it resends at T1 doubling to T2 = 4 s, and fails at 64·T1 (R39, R3)", () => {
    const stage = new Stage();
    stage.send(stage.flow(), "REGISTER");
    stage.script.finish().expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      0.5 -1 ──▶ REGISTER sip:bob@example.com
      1.5 -1 ──▶ REGISTER sip:bob@example.com
      3.5 -1 ──▶ REGISTER sip:bob@example.com
      7.5 -1 ──▶ REGISTER sip:bob@example.com
      11.5 -1 ──▶ REGISTER sip:bob@example.com
      15.5 -1 ──▶ REGISTER sip:bob@example.com
      19.5 -1 ──▶ REGISTER sip:bob@example.com
      23.5 -1 ──▶ REGISTER sip:bob@example.com
      27.5 -1 ──▶ REGISTER sip:bob@example.com
      31.5 -1 ──▶ REGISTER sip:bob@example.com
      32.0 user: failed, timeout
    `);
    assert.equal(stage.layer.transactions, 0);
  });

  test("in Proceeding it resends each T2 (R39)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "REGISTER");
    stage.answer(flow, 100);
    stage.script.until(9000).expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      0.0 -1 ◀── 100 Whatever
      0.0 user: 100 to REGISTER
      0.5 -1 ──▶ REGISTER sip:bob@example.com
      4.5 -1 ──▶ REGISTER sip:bob@example.com
      8.5 -1 ──▶ REGISTER sip:bob@example.com
    `);
  });

  test("a fixed interval spaces resends evenly: 0, 0.5, 1.0, 1.5 s", () => {
    const stage = new Stage();
    const sent = stage.send(stage.flow(), "REGISTER", {
      ...RFC_SPACING,
      ...{ interval: 500, resends: 3 },
    });
    stage.script.until(1700).do((now) => sent.abandon(now));
    stage.script.finish().expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      0.5 -1 ──▶ REGISTER sip:bob@example.com
      1.0 -1 ──▶ REGISTER sip:bob@example.com
      1.5 -1 ──▶ REGISTER sip:bob@example.com
      32.0 user: failed, timeout
    `);
  });

  test("… and those beyond the policy's count double it, up to T2", () => {
    const stage = new Stage();
    stage.send(stage.flow(), "REGISTER", { ...RFC_SPACING, interval: 1_000, resends: 1 });
    stage.script.until(16_000).expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      1.0 -1 ──▶ REGISTER sip:bob@example.com
      3.0 -1 ──▶ REGISTER sip:bob@example.com
      7.0 -1 ──▶ REGISTER sip:bob@example.com
      11.0 -1 ──▶ REGISTER sip:bob@example.com
      15.0 -1 ──▶ REGISTER sip:bob@example.com
    `);
  });

  test("left behind it is silent, and a late 200 is still told", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const sent = stage.send(flow, "REGISTER");
    stage.script.until(7500).do((now) => sent.abandon(now));
    stage.script.until(31_000);
    stage.answer(flow, 100);
    stage.answer(flow, 200);
    stage.script.finish().expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      0.5 -1 ──▶ REGISTER sip:bob@example.com
      1.5 -1 ──▶ REGISTER sip:bob@example.com
      3.5 -1 ──▶ REGISTER sip:bob@example.com
      7.5 -1 ──▶ REGISTER sip:bob@example.com
      31.0 -1 ◀── 100 Whatever
      31.0 user: 100 to REGISTER
      31.0 -1 ◀── 200 Whatever
      31.0 user: 200 to REGISTER
    `);
    assert.equal(stage.script.now, 36_000, "Timer K");
  });

  test("over TCP nothing is resent, and a final response ends it at once (R39)", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.send(flow, "OPTIONS");
    stage.script.until(20_000);
    stage.answer(flow, 200);
    stage.script.expect(`
      0.0 -1 ──▶ OPTIONS sip:bob@example.com
      20.0 -1 ◀── 200 Whatever
      20.0 user: 200 to OPTIONS
    `);
    assert.equal(stage.timers.size + stage.layer.transactions, 0);
  });

  test("a lost flow fails it at the same instant (R43, R53)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "REGISTER");
    stage.script
      .until(8)
      .lose(flow.id, "refused")
      .finish()
      .expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      0.0 -1 ✕ refused
      0.0 user: failed, refused
    `);
    assert.equal(stage.timers.size + stage.layer.size, 0);
  });

  test("a user that listens on hears of a 503 over another flow of datagrams, until 64·T1 (R50)", () => {
    for (const [status, end] of [
      [503, "10.0 -2 ◀── 503 Whatever\n10.0 user: 503 to REGISTER"],
      [undefined, "32.0 user: failed, timeout"],
    ] as const) {
      const stage = new Stage();
      const flow = stage.flow();
      stage.send(flow, "REGISTER", RFC_SPACING, [], { listensOn: true });
      stage.script.until(8).lose(flow.id, "refused").until(10_000);
      if (status !== undefined) stage.answer(stage.flow(), status);
      stage.script.finish().expect(`
      0.0 -1 ──▶ REGISTER sip:bob@example.com
      0.0 -1 ✕ refused
      0.0 user: failed, refused
      ${end}
      `);
      assert.equal(stage.timers.size + stage.layer.transactions, 0);
    }
  });

  test("on a flow that is gone already it fails, but not before it was handed over (R43)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.lose(flow.id, "reset");
    const sent = stage.send(flow, "REGISTER");
    assert.equal(sent.request.method, "REGISTER");
    stage.script.finish().expect(`
      0.0 -1 ✕ reset
      0.0 user: failed, closed
    `);
  });
});
