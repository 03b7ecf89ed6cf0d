/** Figure 7 of RFC 3261 with Accepted of RFC 6026: every arrow and no other, then its timers as ladders. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { headerOf } from "../../support/script.ts";
import { incoming, outcome, Stage } from "./stage.ts";

/** State, event (a number: the TU answers so): what is sent, the next state, what the user hears. */
const FIGURE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Proceeding: {
    INVITE: "send 180",
    ACK: "",
    "183": "send 183",
    "200": "→ Accepted, send 200",
    "302": "→ Completed, send 302",
    "486": "→ Completed, send 486",
    "600": "→ Completed, send 600",
    "0.5 s": "",
    lost: "",
    end: "",
  },
  Completed: {
    INVITE: "send 404",
    ACK: "→ Confirmed",
    "183": "",
    "200": "",
    "302": "",
    "486": "",
    "600": "",
    "0.5 s": "send 404",
    lost: "",
    end: "→ Terminated, user: INVITE undelivered",
  },
  Confirmed: {
    INVITE: "",
    ACK: "",
    "183": "",
    "200": "",
    "302": "",
    "486": "",
    "600": "",
    "0.5 s": "",
    lost: "",
    end: "→ Terminated",
  },
  Accepted: {
    INVITE: "",
    ACK: "user: ACK",
    "183": "",
    "200": "send 200",
    "302": "",
    "486": "",
    "600": "",
    "0.5 s": "",
    lost: "",
    end: "→ Terminated",
  },
};

const WAY: Readonly<Record<string, number>> = {
  Proceeding: 180,
  Completed: 404,
  Confirmed: 404,
  Accepted: 200,
};

suite("INVITE server transaction, figure 7", () => {
  for (const [state, arrows] of Object.entries(FIGURE)) {
    for (const [event, expected] of Object.entries(arrows)) {
      test(`${state}, ${event}: ${expected || "nothing"}`, () => {
        const stage = new Stage({ tracing: true });
        const flow = stage.flow();
        stage.script.receive(flow.id, incoming("INVITE"));
        stage.respond(WAY[state] ?? 0);
        if (state === "Confirmed") stage.script.receive(flow.id, incoming("ACK", { toTag: "us" }));
        const happens = () => {
          if (event === "INVITE") stage.script.receive(flow.id, incoming("INVITE"));
          else if (event === "ACK") stage.script.receive(flow.id, incoming("ACK"));
          else if (event === "0.5 s") stage.script.until(500);
          else if (event === "lost") stage.script.lose(flow.id, "refused");
          else if (event === "end") stage.script.until(32_000);
          else stage.respond(Number(event));
        };
        // Timer G is not the business of the last row.
        let all = outcome(stage, happens);
        if (event === "end") all = all.replaceAll("send 404, ", "");
        assert.equal(all, expected);
      });
    }
  }
});

suite("INVITE server transaction in time", () => {
  test("says 100 by itself after 200 ms, and repeats it for a retransmission (R40)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE", { more: ["Timestamp: 54"] }));
    stage.script.until(500).receive(flow.id, incoming("INVITE"));
    stage.script.expect(`
      0.0 -1 ◀── INVITE sip:bob@example.com
      0.0 user: INVITE
      0.2 -1 ──▶ 100 Trying
      0.5 -1 ◀── INVITE sip:bob@example.com
      0.5 -1 ──▶ 100 Trying
    `);
    assert.equal(headerOf(stage.script.lastSent, "timestamp"), "54");
    assert.equal(headerOf(stage.script.lastSent, "to"), "<sip:bob@example.com>");
  });

  test("says no 100 once the user has spoken, and absorbs what comes before that (R40)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE")).receive(flow.id, incoming("INVITE"));
    stage.script.until(100);
    stage.respond(180);
    stage.script.until(1000).expect(`
      0.0 -1 ◀── INVITE sip:bob@example.com
      0.0 user: INVITE
      0.0 -1 ◀── INVITE sip:bob@example.com
      0.1 -1 ──▶ 180 Ringing
    `);
  });

  test("a lost ACK: the refusal is resent at T1 doubling to T2, and given up at 64·T1 (R40)", () => {
    const stage = new Stage();
    stage.script.receive(stage.flow().id, incoming("INVITE"));
    stage.respond(486);
    stage.script.finish().expect(`
      0.0 -1 ◀── INVITE sip:bob@example.com
      0.0 user: INVITE
      0.0 -1 ──▶ 486 Busy Here
      0.5 -1 ──▶ 486 Busy Here
      1.5 -1 ──▶ 486 Busy Here
      3.5 -1 ──▶ 486 Busy Here
      7.5 -1 ──▶ 486 Busy Here
      11.5 -1 ──▶ 486 Busy Here
      15.5 -1 ──▶ 486 Busy Here
      19.5 -1 ──▶ 486 Busy Here
      23.5 -1 ──▶ 486 Busy Here
      27.5 -1 ──▶ 486 Busy Here
      31.5 -1 ──▶ 486 Busy Here
      32.0 user: INVITE undelivered
    `);
    assert.equal(stage.layer.transactions, 0);
  });

  test("an ACK silences the refusal; Timer I then absorbs more of them for T4 (R40)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE"));
    stage.respond(486);
    stage.script.until(600).receive(flow.id, incoming("ACK", { toTag: "us" }));
    stage.script.until(5000).receive(flow.id, incoming("ACK", { toTag: "us" }));
    stage.script.finish().expect(`
      0.0 -1 ◀── INVITE sip:bob@example.com
      0.0 user: INVITE
      0.0 -1 ──▶ 486 Busy Here
      0.5 -1 ──▶ 486 Busy Here
      0.6 -1 ◀── ACK sip:bob@example.com
      5.0 -1 ◀── ACK sip:bob@example.com
    `);
    assert.equal(stage.script.now, 5600);
  });

  test("over TCP a refusal is sent once, Timer H still runs, and an ACK ends it at once (R40)", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.script.receive(flow.id, incoming("INVITE"));
    stage.respond(486);
    stage.script.until(31_000);
    assert.equal(stage.layer.transactions, 1);
    stage.script.receive(flow.id, incoming("ACK", { toTag: "us" }));
    assert.equal(stage.layer.transactions + stage.timers.size, 0);
    assert.equal(stage.script.sent.length, 1);
  });

  test("after a 2xx a retransmitted INVITE is absorbed until Timer L, then it is new (R56)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE"));
    stage.respond(200);
    stage.script.until(31_900).receive(flow.id, incoming("INVITE"));
    stage.respond(200);
    stage.script.until(32_000).receive(flow.id, incoming("INVITE"));
    stage.script.expect(`
      0.0 -1 ◀── INVITE sip:bob@example.com
      0.0 user: INVITE
      0.0 -1 ──▶ 200 OK
      31.9 -1 ◀── INVITE sip:bob@example.com
      31.9 -1 ──▶ 200 OK
      32.0 -1 ◀── INVITE sip:bob@example.com
      32.0 user: INVITE
    `);
  });
});
