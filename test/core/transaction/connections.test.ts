/** Connections whose peers begin what they do not end, and those that both sides open at once. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Target } from "../../../src/core/machine.ts";
import { headerOf } from "../../support/script.ts";
import { incoming, Stage } from "./stage.ts";

const HALF = incoming("OPTIONS").slice(0, -10);
const REST = incoming("OPTIONS").slice(-10);

suite("a message that has begun", () => {
  test("and is not whole after 30 s ends the connection, however busily it dribbles (slow loris)", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.layer.watch(flow, stage.flowUser());
    for (let at = 0; at < 29; at += 1) {
      stage.script.receive(flow.id, HALF.slice(at, at + 1)).until((at + 1) * 1000);
    }
    stage.script.take();
    stage.script.finish().expect(`
      30.0 close -1
      30.0 user: unreached, idle
    `);
    assert.equal(stage.timers.size, 0);
  });

  test("has its own 30 s behind each whole one", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tls" });
    stage.script
      .receive(flow.id, HALF)
      .until(20_000)
      .receive(flow.id, REST + HALF);
    stage.script.until(40_000).receive(flow.id, REST).until(100_000);
    assert.equal(stage.layer.flow(flow.id)?.id, flow.id);
    assert.equal(stage.begun.length, 1, "the second is a retransmission");
  });

  test("each connection has its own time, and one that is closed has none", () => {
    const stage = new Stage();
    const [first, second, third] = [1, 2, 3].map(() => stage.flow({ transport: "tcp" }));
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    stage.script.receive(first.id, HALF).until(10_000);
    stage.script.receive(second.id, HALF).receive(third.id, HALF);
    stage.script.until(20_000).lose(third.id, "reset").take();
    stage.script.finish().expect(`
      30.0 close -1
      40.0 close -2
    `);
    assert.equal(stage.timers.size, 0);
  });

  test("keeps little more than its bytes when they come one by one", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    const text = incoming("MESSAGE", { body: "x".repeat(20_000) });
    for (const byte of text) stage.layer.received(0, flow.id, Buffer.from(byte));
    assert.equal(stage.begun[0]?.request.body.length, 20_000);
  });
});

test("a thousand pings in one read are answered by one pong (R94)", () => {
  const stage = new Stage();
  const flow = stage.flow({ transport: "tcp" });
  stage.script.receive(flow.id, "\r\n\r\n".repeat(1000));
  assert.deepEqual(
    stage.script.sent.map(({ text }) => text),
    ["\r\n"],
  );
});

test("what follows a message that cannot be measured is neither read nor kept", () => {
  for (const text of [
    incoming("OPTIONS").replace("Content-Length: 0", "Content-Length: 99999999999"),
    incoming("OPTIONS").replace("Content-Length: 0", "Content-Length: -1"),
    incoming("OPTIONS").replace("Content-Length: 0", "Content-Length: 5\r\nContent-Length: 6"),
    `OPTIONS sip:a@b SIP/2.0\r\n${"X-Padding: endless\r\n".repeat(2000)}`,
    "\rOPTIONS sip:a@b SIP/2.0\r\n",
  ]) {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.script.receive(flow.id, text);
    assert.equal(stage.layer.flow(flow.id), undefined, text.slice(0, 60));
    assert.deepEqual([stage.layer.size, stage.timers.size, stage.script.sent.length], [0, 0, 0]);
  }
});

suite("both sides open a connection at once", () => {
  const target: Target = { transport: "tcp", address: "127.0.0.13", port: 5060 };

  test("each uses its own, reads both, and answers where it was asked", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    script.do((now) => layer.reach(now, target, { from: 0, connected: false }, stage.flowUser()));
    const theirs = stage.flow({ transport: "tcp", address: "127.0.0.13", port: 41_000 });
    script.open(1, { transport: "tcp" });
    script.receive(theirs.id, incoming("OPTIONS")).take();
    stage.respond(200);
    script.receive(1, incoming("MESSAGE", { branch: "z9hG4bKother" })).take();
    stage.respond(200);
    script.do((now) => layer.reach(now, target, { from: 0, connected: false }, stage.flowUser()));
    script.expect(`
      0.0 1 ──▶ 200 OK
      0.0 user: reached 1
    `);
    assert.deepEqual(
      script.sent.map(({ flow }) => flow),
      [theirs.id, 1],
    );
  });
});

suite("over IPv6", () => {
  const six = {
    transport: "tcp",
    address: "2001:db8::9",
    port: 41_000,
    localAddress: "2001:db8::1",
  };

  test("our Via has the address in brackets, and a peer's received has none (R123)", () => {
    const stage = new Stage();
    const flow = stage.flow({ ...six, transport: "udp", port: 5060, localPort: 5060 });
    stage.script.receive(flow.id, incoming("OPTIONS", { host: "[2001:db8::77]" }));
    stage.respond(200);
    const via = headerOf(stage.script.sent[0]?.text ?? "", "via");
    assert.match(via, /\[2001:db8::77\]:5060;branch=z9hG4bKin;received=2001:db8::9$/);
    const request = stage.begun[0]?.request;
    assert.ok(request);
    stage.layer.stampVia(request, flow);
    assert.match(request.headers.get("via") ?? "", /^SIP\/2\.0\/UDP \[2001:db8::1\]:5060;branch=/);
  });

  test("an answer whose connection is gone opens one to the address and the port of sent-by (R47)", () => {
    const stage = new Stage();
    const flow = stage.flow({ ...six, transport: "tcp" });
    stage.script.receive(flow.id, incoming("OPTIONS", { host: "[2001:db8::77]", port: 5070 }));
    stage.script.lose(flow.id, "reset").take();
    stage.respond(200);
    stage.script.expect("0.0 open 1 tcp:2001:db8::9:5070");
  });

  test("an address with a zone is written without it: a zone means nothing elsewhere (RFC 4007 §11.2)", () => {
    const stage = new Stage();
    const flow = stage.flow({ ...six, transport: "udp", localAddress: "fe80::1%eth0" });
    stage.script.receive(flow.id, incoming("OPTIONS"));
    const request = stage.begun[0]?.request;
    assert.ok(request);
    stage.layer.stampVia(request, flow);
    assert.match(request.headers.get("via") ?? "", / \[fe80::1\]:/);
  });
});
