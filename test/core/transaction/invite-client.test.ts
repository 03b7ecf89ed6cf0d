/** Figure 5 of RFC 3261 with Accepted of RFC 6026: every arrow and no other, then its timers as ladders. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { answerTo, headerOf } from "../../support/script.ts";
import { outcome, RFC_SPACING, Stage } from "./stage.ts";

/** Events down, states across: what is sent, the next state, what the user hears; "" is nothing at all. */
const FIGURE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Calling: {
    "100": "→ Proceeding, user: 100 to INVITE",
    "183": "→ Proceeding, user: 183 to INVITE",
    "200": "→ Accepted, user: 200 to INVITE",
    "302": "send ACK, → Completed, user: 302 to INVITE",
    "486": "send ACK, → Completed, user: 486 to INVITE",
    "603": "send ACK, → Completed, user: 603 to INVITE",
    lost: "→ Terminated, user: failed, refused",
    "0.5 s": "send INVITE",
    end: "→ Terminated, user: failed, timeout",
  },
  Proceeding: {
    "100": "user: 100 to INVITE",
    "183": "user: 183 to INVITE",
    "200": "→ Accepted, user: 200 to INVITE",
    "302": "send ACK, → Completed, user: 302 to INVITE",
    "486": "send ACK, → Completed, user: 486 to INVITE",
    "603": "send ACK, → Completed, user: 603 to INVITE",
    lost: "→ Terminated, user: failed, refused",
    "0.5 s": "",
    end: "",
  },
  Completed: {
    "100": "",
    "183": "",
    "200": "",
    "302": "send ACK",
    "486": "send ACK",
    "603": "send ACK",
    lost: "→ Terminated",
    "0.5 s": "",
    end: "→ Terminated",
  },
  Accepted: {
    "100": "",
    "183": "",
    "200": "user: 200 to INVITE",
    "302": "",
    "486": "",
    "603": "",
    lost: "",
    "0.5 s": "",
    end: "→ Terminated",
  },
};

const WAY: Readonly<Record<string, number | undefined>> = {
  Calling: undefined,
  Proceeding: 180,
  Completed: 404,
  Accepted: 200,
};

suite("INVITE client transaction, figure 5", () => {
  for (const [state, arrows] of Object.entries(FIGURE)) {
    for (const [event, expected] of Object.entries(arrows)) {
      test(`${state}, ${event}: ${expected || "nothing"}`, () => {
        const stage = new Stage({ tracing: true });
        const flow = stage.flow();
        stage.send(flow, "INVITE");
        const invite = stage.script.lastSent;
        const way = WAY[state];
        if (way !== undefined) stage.script.receive(flow.id, answerTo(invite, way));
        if (event === "end") {
          // Timer A is not this row's business.
          const end = () => void stage.script.until(state === "Proceeding" ? 1e7 : 32_000);
          const all = outcome(stage, end).replaceAll("send INVITE, ", "");
          assert.equal(all, expected);
          return;
        }
        const happens = () => {
          if (event === "lost") stage.script.lose(flow.id, "refused");
          else if (event === "0.5 s") stage.script.until(500);
          else stage.script.receive(flow.id, answerTo(invite, Number(event)));
        };
        assert.equal(outcome(stage, happens), expected);
      });
    }
  }
});

suite("INVITE client transaction in time", () => {
  test("over UDP it resends at T1, doubling without bound, and fails at 64·T1 (R36, R3)", () => {
    const stage = new Stage();
    stage.send(stage.flow(), "INVITE");
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.5 -1 ──▶ INVITE sip:bob@example.com
      1.5 -1 ──▶ INVITE sip:bob@example.com
      3.5 -1 ──▶ INVITE sip:bob@example.com
      7.5 -1 ──▶ INVITE sip:bob@example.com
      15.5 -1 ──▶ INVITE sip:bob@example.com
      31.5 -1 ──▶ INVITE sip:bob@example.com
      32.0 user: failed, timeout
    `);
    assert.equal(stage.layer.transactions, 0);
  });

  test("a fixed interval spaces resends evenly: 0, 0.5, 1.0, 1.5 s", () => {
    const stage = new Stage();
    const call = stage.send(stage.flow(), "INVITE", {
      ...RFC_SPACING,
      ...{ interval: 500, resends: 3 },
    });
    stage.script.until(1700).do((now) => call.abandon(now));
    stage.script.until(2600).expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.5 -1 ──▶ INVITE sip:bob@example.com
      1.0 -1 ──▶ INVITE sip:bob@example.com
      1.5 -1 ──▶ INVITE sip:bob@example.com
    `);
  });

  test("… and those beyond the policy's count double it: whoever stays silent is not flooded", () => {
    const stage = new Stage();
    stage.send(stage.flow(), "INVITE", { ...RFC_SPACING, interval: 100, resends: 2 });
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.1 -1 ──▶ INVITE sip:bob@example.com
      0.2 -1 ──▶ INVITE sip:bob@example.com
      0.4 -1 ──▶ INVITE sip:bob@example.com
      0.8 -1 ──▶ INVITE sip:bob@example.com
      1.6 -1 ──▶ INVITE sip:bob@example.com
      3.2 -1 ──▶ INVITE sip:bob@example.com
      6.4 -1 ──▶ INVITE sip:bob@example.com
      12.8 -1 ──▶ INVITE sip:bob@example.com
      25.6 -1 ──▶ INVITE sip:bob@example.com
      32.0 user: failed, timeout
    `);
  });

  test("over TCP nothing is resent, and Timer B still ends it; the mute connection is closed (C33)", () => {
    const stage = new Stage();
    stage.send(stage.flow({ transport: "tcp" }), "INVITE");
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      32.0 user: failed, timeout
      32.0 close -1
    `);
  });

  test("after a 1xx Timer B ends it no more: it rings for an hour (R37)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "INVITE");
    stage.script.until(700);
    stage.answer(flow, 180);
    stage.script.until(3_600_000);
    stage.answer(flow, 200);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.5 -1 ──▶ INVITE sip:bob@example.com
      0.7 -1 ◀── 180 Whatever
      0.7 user: 180 to INVITE
      3600.0 -1 ◀── 200 Whatever
      3600.0 user: 200 to INVITE
    `);
    assert.equal(stage.script.now, 3_632_000, "Timer M");
    assert.equal(stage.layer.transactions, 0);
  });

  test("a refusal is acknowledged each time it comes until Timer D, and told once (R38, C17)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "INVITE");
    stage.answer(flow, 503);
    stage.script.until(1000);
    stage.answer(flow, 503, 1);
    stage.script.until(31_000);
    stage.answer(flow, 503, 2);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.0 -1 ◀── 503 Whatever
      0.0 -1 ──▶ ACK sip:bob@example.com
      0.0 user: 503 to INVITE
      1.0 -1 ◀── 503 Whatever
      1.0 -1 ──▶ ACK sip:bob@example.com
      31.0 -1 ◀── 503 Whatever
      31.0 -1 ──▶ ACK sip:bob@example.com
    `);
    assert.equal(stage.script.now, 32_000, "Timer D");
    assert.equal(stage.layer.transactions, 0);
  });

  test("its ACK has the INVITE's one Via, CSeq number and Route, and the To of the response (R38, R2)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "INVITE", RFC_SPACING, ["Route: <sip:127.0.0.13;lr>"]);
    const invite = stage.script.lastSent;
    stage.answer(flow, 486);
    const ack = stage.script.lastSent;
    assert.equal(headerOf(ack, "via"), headerOf(invite, "via"));
    assert.equal(headerOf(ack, "cseq"), "1 ACK");
    assert.equal(headerOf(ack, "route"), "<sip:127.0.0.13;lr>");
    assert.equal(headerOf(ack, "to"), "<sip:bob@example.com>;tag=peer");
    assert.equal(headerOf(ack, "call-id"), headerOf(invite, "call-id"));
  });

  test("over TCP a refusal ends it at once: Timer D is 0 (R38)", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.send(flow, "INVITE");
    stage.answer(flow, 486);
    assert.equal(stage.layer.transactions, 0);
    assert.equal(stage.timers.size, 0);
  });

  test("further 2xx are told until Timer M, whoever sends them (R56)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "INVITE");
    stage.answer(flow, 200);
    stage.script.until(20_000);
    stage.answer(flow, 200);
    stage.script.until(32_000);
    stage.answer(flow, 200);
    stage.script.expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.0 -1 ◀── 200 Whatever
      0.0 user: 200 to INVITE
      20.0 -1 ◀── 200 Whatever
      20.0 user: 200 to INVITE
      32.0 -1 ◀── 200 Whatever
      32.0 user: stray 200
    `);
  });
});

suite("INVITE client transaction left behind", () => {
  test("it is silent at once, and a late 2xx is still told", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE");
    stage.script.until(7500).do((now) => call.abandon(now));
    stage.script.until(30_000);
    stage.answer(flow, 200);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.5 -1 ──▶ INVITE sip:bob@example.com
      1.5 -1 ──▶ INVITE sip:bob@example.com
      3.5 -1 ──▶ INVITE sip:bob@example.com
      7.5 -1 ──▶ INVITE sip:bob@example.com
      30.0 -1 ◀── 200 Whatever
      30.0 user: 200 to INVITE
    `);
    assert.equal(stage.script.now, 62_000);
  });

  test("a late 1xx is told, its CANCEL goes out, and the 487 is acknowledged", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE", { ...RFC_SPACING, interval: 3000 });
    stage.script.until(2000).do((now) => call.abandon(now));
    stage.script.until(31_000);
    stage.answer(flow, 180);
    stage.cancel(call, flow);
    stage.answer(flow, 200);
    stage.answer(flow, 487, 1);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      31.0 -1 ◀── 180 Whatever
      31.0 user: 180 to INVITE
      31.0 -1 ──▶ CANCEL sip:bob@example.com
      31.0 -1 ◀── 200 Whatever
      31.0 user: 200 to CANCEL
      31.0 -1 ◀── 487 Whatever
      31.0 -1 ──▶ ACK sip:bob@example.com
      31.0 user: 487 to INVITE
    `);
    assert.equal(stage.layer.transactions, 0);
  });

  test("a late 1xx gives it 64·T1 more, not eternity", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE");
    stage.script.until(400).do((now) => call.abandon(now));
    stage.script.until(31_000);
    stage.answer(flow, 180);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      31.0 -1 ◀── 180 Whatever
      31.0 user: 180 to INVITE
      63.0 user: failed, timeout
    `);
  });

  test("a user that listens on hears over another flow of datagrams, and its CANCEL and ACK go that way (R18)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE", RFC_SPACING, [], { listensOn: true });
    stage.script.until(400).lose(flow.id, "refused");
    stage.script.until(10_000);
    const other = stage.flow();
    stage.answer(other, 180);
    stage.cancel(call, flow);
    stage.answer(other, 200);
    stage.answer(other, 487, 1);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.4 -1 ✕ refused
      0.4 user: failed, refused
      10.0 -2 ◀── 180 Whatever
      10.0 user: 180 to INVITE
      10.0 -2 ──▶ CANCEL sip:bob@example.com
      10.0 -2 ◀── 200 Whatever
      10.0 user: 200 to CANCEL
      10.0 -2 ◀── 487 Whatever
      10.0 -2 ──▶ ACK sip:bob@example.com
      10.0 user: 487 to INVITE
    `);
    assert.equal(stage.layer.transactions, 0);
  });

  test("who listens on waits for 64·T1 when datagrams lose their flow or a mute connection is given up (R43)", () => {
    for (const [transport, cause, end] of [
      ["udp", "reset", "32.0 user: failed, timeout"],
      ["tcp", "timeout", "32.0 user: failed, timeout"],
      ["tcp", "reset", ""],
    ] as const) {
      const stage = new Stage();
      const flow = stage.flow({ transport });
      stage.send(flow, "INVITE", RFC_SPACING, [], { listensOn: true });
      stage.script.until(400).lose(flow.id, cause);
      assert.equal(stage.layer.transactions, end === "" ? 0 : 1);
      stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.4 -1 ✕ ${cause}
      0.4 user: failed, ${cause}
      ${end}
      `);
    }
  });

  test("one that rings and was left ends 64·T1 later if nobody says more", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE");
    stage.answer(flow, 180);
    stage.script.until(10_000).do((now) => call.abandon(now));
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.0 -1 ◀── 180 Whatever
      0.0 user: 180 to INVITE
      42.0 user: failed, timeout
    `);
  });

  test("a CANCEL bounds the wait for the INVITE's final response to 64·T1 (R19)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE");
    stage.answer(flow, 180);
    stage.script.until(60_000);
    stage.cancel(call, flow);
    stage.answer(flow, 200);
    stage.script.finish().expect(`
      0.0 -1 ──▶ INVITE sip:bob@example.com
      0.0 -1 ◀── 180 Whatever
      0.0 user: 180 to INVITE
      60.0 -1 ──▶ CANCEL sip:bob@example.com
      60.0 -1 ◀── 200 Whatever
      60.0 user: 200 to CANCEL
      92.0 user: failed, timeout
    `);
    assert.equal(stage.layer.transactions, 0);
  });
});
