/** Figure 8 of RFC 3261 as RFC 4320 narrows it: every arrow and no other, then its timers as ladders. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { incoming, outcome, Stage } from "./stage.ts";

/** State, event (a number: the TU answers so): what is sent, the next state, what the user hears. */
const FIGURE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Trying: {
    OPTIONS: "",
    "100": "",
    "180": "",
    "200": "→ Completed, send 200",
    "404": "→ Completed, send 404",
    "408": "→ Terminated",
    "3.5 s": "→ Proceeding, send 100",
    lost: "",
  },
  Proceeding: {
    OPTIONS: "send 100",
    "100": "send 100",
    "180": "",
    "200": "→ Completed, send 200",
    "404": "→ Completed, send 404",
    "408": "→ Terminated",
    "3.5 s": "",
    lost: "",
  },
  Completed: {
    OPTIONS: "send 302",
    "100": "",
    "180": "",
    "200": "",
    "404": "",
    "408": "",
    "3.5 s": "",
    lost: "",
  },
};

suite("non-INVITE server transaction, figure 8", () => {
  for (const [state, arrows] of Object.entries(FIGURE)) {
    for (const [event, expected] of Object.entries(arrows)) {
      test(`${state}, ${event}: ${expected || "nothing"}`, () => {
        const stage = new Stage({ tracing: true });
        const flow = stage.flow();
        stage.script.receive(flow.id, incoming("OPTIONS"));
        if (state === "Proceeding") stage.script.until(3500);
        if (state === "Completed") stage.respond(302);
        const happens = () => {
          if (event === "OPTIONS") stage.script.receive(flow.id, incoming("OPTIONS"));
          else if (event === "3.5 s") stage.script.until(stage.script.now + 3500);
          else if (event === "lost") stage.script.lose(flow.id, "idle");
          else stage.respond(Number(event));
        };
        assert.equal(outcome(stage, happens), expected);
      });
    }
  }
});

suite("non-INVITE server transaction in time", () => {
  test("repeats its final response until Timer J, over UDP 64·T1 (R41)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("OPTIONS"));
    stage.respond(200);
    stage.script.until(31_500).receive(flow.id, incoming("OPTIONS"));
    stage.script.until(32_000).receive(flow.id, incoming("OPTIONS"));
    stage.script.expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
      0.0 -1 ──▶ 200 OK
      31.5 -1 ◀── OPTIONS sip:bob@example.com
      31.5 -1 ──▶ 200 OK
      32.0 -1 ◀── OPTIONS sip:bob@example.com
      32.0 user: OPTIONS
    `);
  });

  test("over TCP its final response ends it: Timer J is 0 (R41)", () => {
    const stage = new Stage();
    stage.script.receive(stage.flow({ transport: "tcp" }).id, incoming("OPTIONS"));
    stage.respond(200);
    assert.equal(stage.layer.transactions + stage.timers.size, 0);
  });

  test("over UDP 100 comes when the client's Timer E reaches T2, no sooner and no later (R58)", () => {
    const stage = new Stage();
    stage.script.receive(stage.flow().id, incoming("OPTIONS"));
    stage.respond(100);
    stage.script.until(10_000).expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
      3.5 -1 ──▶ 100 Trying
    `);
  });

  test("over TCP 100 may come at any time, and comes after 3.5 s by itself (R58)", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.script.receive(flow.id, incoming("OPTIONS"));
    stage.respond(100);
    stage.script.receive(flow.id, incoming("OPTIONS", { branch: "z9hG4bKother" }));
    stage.script.until(10_000).expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
      0.0 -1 ──▶ 100 Trying
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
      3.5 -1 ──▶ 100 Trying
    `);
  });

  test("no provisional but 100 and no 408 is ever sent (R58, R59)", () => {
    const stage = new Stage();
    stage.script.receive(stage.flow().id, incoming("OPTIONS"));
    for (const status of [180, 183, 199, 408]) stage.respond(status);
    assert.deepEqual(stage.script.sent, []);
    assert.equal(stage.layer.transactions + stage.timers.size, 0);
  });
});
