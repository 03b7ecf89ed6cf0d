/** Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3), and what belongs to none. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { responseTo } from "../../../src/core/message/print.ts";
import { answerTo, headerOf } from "../../support/script.ts";
import { incoming, outgoing, parsed, RFC_SPACING, Stage } from "./stage.ts";

suite("responses find their client transaction", () => {
  test("by branch and by the method of CSeq: a CANCEL's 200 is not the INVITE's (R42)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE");
    stage.answer(flow, 180);
    stage.cancel(call, flow);
    stage.script.take();
    stage.answer(flow, 200);
    stage.answer(flow, 487, 1);
    stage.script.expect(`
      0.0 -1 ◀── 200 Whatever
      0.0 user: 200 to CANCEL
      0.0 -1 ◀── 487 Whatever
      0.0 -1 ──▶ ACK sip:bob@example.com
      0.0 user: 487 to INVITE
    `);
  });

  test("whichever flow they come over (R42)", () => {
    const stage = new Stage();
    stage.send(stage.flow(), "OPTIONS");
    const other = stage.flow({ port: 5099 });
    stage.script.take();
    stage.answer(other, 200);
    stage.script.expect(`
      0.0 -2 ◀── 200 Whatever
      0.0 user: 200 to OPTIONS
    `);
  });

  test("but not with another sent-by than ours (R45)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.send(flow, "OPTIONS");
    const forged = answerTo(stage.script.lastSent, 200).replace("127.0.0.13:5070", "10.0.0.1:5070");
    stage.script.take();
    stage.script.receive(flow.id, forged).expect("0.0 -1 ◀── 200 Whatever");
  });

  test("a stray response to INVITE is told, any other is dropped (R57, R59)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, answerTo(incoming("INVITE", { branch: "z9hG4bKwho" }), 200));
    stage.script.receive(flow.id, answerTo(incoming("REGISTER", { branch: "z9hG4bKwho" }), 200));
    stage.script.expect(`
      0.0 -1 ◀── 200 Whatever
      0.0 user: stray 200
      0.0 -1 ◀── 200 Whatever
    `);
  });
});

suite("requests find their server transaction", () => {
  test("by branch, sent-by and method: each difference makes another (R42)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const others = [
      incoming("OPTIONS"),
      incoming("INFO"),
      incoming("OPTIONS", { branch: "z9hG4bKin2" }),
      incoming("OPTIONS", { host: "127.0.0.14" }),
      incoming("OPTIONS", { port: 5061 }),
    ];
    for (const text of others) stage.script.receive(flow.id, text);
    assert.equal(stage.begun.length, 5);
    for (const text of others) stage.script.receive(flow.id, text);
    assert.equal(stage.begun.length, 5, "each has come again");
    assert.equal(stage.layer.transactions, 5);
    for (const transaction of stage.begun) stage.respond(200, transaction);
    stage.script.finish();
    assert.equal(stage.layer.transactions, 0);
  });

  test("an ACK finds its INVITE; that of a 2xx has a branch of its own and is told (R42, R14)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE"));
    stage.respond(486);
    stage.script.take();
    stage.script.receive(flow.id, incoming("ACK", { toTag: "us" }));
    stage.script.receive(flow.id, incoming("ACK", { toTag: "us", branch: "z9hG4bKack" }));
    stage.script.expect(`
      0.0 -1 ◀── ACK sip:bob@example.com
      0.0 -1 ◀── ACK sip:bob@example.com
      0.0 user: ACK
    `);
  });

  test("without a real branch by the rules of RFC 2543 (R42)", () => {
    for (const params of ["", ";branch=1", ";branch=z9hG4bK"]) {
      const stage = new Stage();
      const flow = stage.flow();
      const via = `SIP/2.0/UDP 127.0.0.13:5060${params}`;
      const invite = incoming("INVITE", { via });
      stage.script.receive(flow.id, invite).receive(flow.id, invite);
      assert.equal(stage.begun.length, 1, "a retransmission");
      stage.script.receive(flow.id, incoming("INVITE", { via, cseq: 2 }));
      stage.script.receive(flow.id, incoming("INVITE", { via, callId: "other" }));
      stage.script.receive(flow.id, incoming("INVITE", { via, uri: "sip:carol@example.com" }));
      assert.equal(stage.begun.length, 4, "another CSeq, Call-ID or Request-URI is another INVITE");
      stage.respond(486, stage.begun[0]);
      stage.script.take();
      stage.script.receive(flow.id, incoming("ACK", { via, toTag: "other" }));
      stage.script.receive(flow.id, incoming("ACK", { via, toTag: "us" }));
      stage.script.until(700);
      stage.script.expect(`
        0.0 -1 ◀── ACK sip:bob@example.com
        0.0 user: ACK
        0.0 -1 ◀── ACK sip:bob@example.com
        0.2 -1 ──▶ 100 Trying
        0.2 -1 ──▶ 100 Trying
        0.2 -1 ──▶ 100 Trying
      `);
    }
  });

  test("a request that came by another way too is known as merged; in a dialog none is (R8)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE"));
    const first = stage.begun[0]?.request ?? outgoing("INVITE");
    assert.equal(stage.layer.isMerged(first), false);
    stage.script.receive(flow.id, incoming("INVITE", { branch: "z9hG4bKfork" }));
    const second = stage.begun[1]?.request ?? outgoing("INVITE");
    assert.equal(stage.layer.isMerged(second), true);
    assert.equal(stage.layer.isMerged(parsed(incoming("INVITE", { toTag: "x" }))), false);
    assert.equal(stage.layer.isMerged(parsed(incoming("INVITE", { cseq: 7 }))), false);
  });

  test("a request is merged as long as the transaction of the other one lives, and no longer (R8)", () => {
    const stage = new Stage();
    stage.script.receive(stage.flow().id, incoming("OPTIONS"));
    const [first] = stage.begun;
    assert.ok(first);
    const again = parsed(incoming("OPTIONS", { branch: "z9hG4bKfork" }));
    assert.equal(stage.layer.isMerged(again), true);
    first.respond(stage.script.now, responseTo(first.request, 200, undefined, "t"));
    stage.script.until(40_000);
    assert.equal(stage.layer.transactions, 0);
    assert.equal(stage.layer.isMerged(again), false);
  });
});

suite("CANCEL", () => {
  test("finds its INVITE, gets 200 and is told once, however often it comes (§9.2)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE"));
    stage.respond(180);
    stage.script.take();
    stage.script.receive(flow.id, incoming("CANCEL")).receive(flow.id, incoming("CANCEL"));
    assert.equal(headerOf(stage.script.lastSent, "to"), "<sip:bob@example.com>;tag=us");
    stage.script.expect(`
      0.0 -1 ◀── CANCEL sip:bob@example.com
      0.0 -1 ──▶ 200 OK
      0.0 user: INVITE cancelled
      0.0 -1 ◀── CANCEL sip:bob@example.com
      0.0 -1 ──▶ 200 OK
    `);
  });

  test("after the final response it gets 200 and changes nothing (§9.2)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("INVITE"));
    stage.respond(200);
    stage.script.take();
    stage.script.receive(flow.id, incoming("CANCEL")).expect(`
      0.0 -1 ◀── CANCEL sip:bob@example.com
      0.0 -1 ──▶ 200 OK
    `);
  });

  test("of nothing gets 481, with the same To tag each time (§9.2, §8.2.7)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.script.receive(flow.id, incoming("CANCEL"));
    const first = stage.script.lastSent;
    stage.script.receive(flow.id, incoming("CANCEL"));
    assert.match(first, /^SIP\/2.0 481 /);
    assert.equal(stage.script.lastSent, first);
    assert.equal(stage.layer.transactions, 0);
  });
});

suite("without a transaction", () => {
  test("a request that the user claims costs no transaction (§8.2.7)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.claims = (now, request, from) => {
      if (request.method !== "REGISTER") return false;
      stage.layer.respondStateless(now, request, from, responseTo(request, 200));
      return true;
    };
    stage.script.receive(flow.id, incoming("REGISTER")).receive(flow.id, incoming("REGISTER"));
    stage.script.receive(flow.id, incoming("OPTIONS", { branch: "z9hG4bKo" }));
    stage.script.expect(`
      0.0 -1 ◀── REGISTER sip:bob@example.com
      0.0 -1 ──▶ 200 OK
      0.0 -1 ◀── REGISTER sip:bob@example.com
      0.0 -1 ──▶ 200 OK
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
    `);
    assert.equal(stage.layer.transactions, 1);
  });

  test("an INVITE can be claimed, ACK and CANCEL cannot (§8.2.7)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    stage.claims = () => true;
    for (const method of ["INVITE", "ACK", "CANCEL"])
      stage.script.receive(flow.id, incoming(method));
    assert.equal(stage.layer.transactions, 0);
    assert.match(stage.script.sent.at(-1)?.text ?? "", /^SIP\/2\.0 481/);
  });

  test("beyond the limit a new request gets 503, one that is known is served", () => {
    const stage = new Stage({ maxServerTransactions: 2 });
    const flow = stage.flow();
    for (const branch of ["z9hG4bKa", "z9hG4bKb", "z9hG4bKc"]) {
      stage.script.receive(flow.id, incoming("OPTIONS", { branch }));
    }
    stage.respond(200, stage.begun[0]);
    stage.script.receive(flow.id, incoming("OPTIONS", { branch: "z9hG4bKa" }));
    stage.script.expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 user: OPTIONS
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 -1 ──▶ 503 Service Unavailable
      0.0 -1 ──▶ 200 OK
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 -1 ──▶ 200 OK
    `);
  });

  test("a request without a branch, one used twice, and an ACK in a transaction are our own bugs", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const bare = outgoing("OPTIONS");
    bare.headers.set("via", "SIP/2.0/UDP 127.0.0.1:5070");
    const send = (request = bare) =>
      stage.layer.request(0, request, flow, RFC_SPACING, stage.user());
    assert.throws(() => send(), { name: "AssertionFailure" });
    assert.throws(() => send(outgoing("ACK")), { name: "AssertionFailure" });
    const request = outgoing("OPTIONS");
    send(request);
    assert.throws(() => send(request), { name: "AssertionFailure" });
  });
});

suite("the end", () => {
  test("after stop no timer, flow or transaction is left, and nobody was told (I8)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const stream = stage.flow({ transport: "tcp" });
    stage.layer.bind({ transport: "udp", address: "127.0.0.1", port: 0 }, stage.listener());
    stage.send(flow, "INVITE");
    stage.send(stream, "REGISTER");
    stage.answer(stage.flow(), 100);
    for (const method of ["INVITE", "OPTIONS"]) stage.script.receive(flow.id, incoming(method));
    stage.respond(486, stage.begun[0]);
    stage.layer.reach(0, { transport: "tcp", address: "127.0.0.9", port: 5060 }, NOWHERE, {
      reached: () => assert.fail("told after the end"),
      unreached: () => assert.fail("told after the end"),
    });
    stage.script.take();
    stage.layer.stop();
    assert.equal(stage.layer.size, 0);
    assert.equal(stage.timers.size, 0);
    const closed = stage.script.take();
    assert.deepEqual(closed, [
      "0.0 close 1",
      "0.0 close -1",
      "0.0 close -2",
      "0.0 close -3",
      "0.0 close 2",
    ]);
  });
});

const NOWHERE = { from: 0, connected: false };
