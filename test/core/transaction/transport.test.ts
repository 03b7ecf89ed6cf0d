/** Flows, and how messages go over them (RFC 3261 §18, RFC 3581, RFC 5626 §4.4.1). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Target } from "../../../src/core/machine.ts";
import type { Flow } from "../../../src/core/transaction/user.ts";
import { answerTo, headerOf } from "../../support/script.ts";
import { incoming, Stage } from "./stage.ts";

const UDP: Target = { transport: "udp", address: "127.0.0.13", port: 5060 };
const TCP: Target = { transport: "tcp", address: "127.0.0.13", port: 5060 };
const ANYWHERE = { from: 0, connected: false };
const CONNECTED = { from: 0, connected: true };

suite("reaching a target", () => {
  test("opens a flow once for all who ask, and at once for those who ask later", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    script.do((now) => layer.reach(now, UDP, CONNECTED, stage.flowUser("a")));
    script.do((now) => layer.reach(now, UDP, CONNECTED, stage.flowUser("b")));
    script.until(10).open(1);
    script.do((now) => layer.reach(now, UDP, CONNECTED, stage.flowUser("c")));
    script.expect(`
      0.0 open 1 udp:127.0.0.13:5060
      0.0 a: reached 1
      0.0 b: reached 1
      0.0 c: reached 1
    `);
  });

  test("that refuses tells all who wait; the next who asks tries again", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    for (const name of ["a", "b"]) {
      script.do((now) => layer.reach(now, TCP, ANYWHERE, stage.flowUser(name)));
    }
    script.lose(1, "refused");
    script.do((now) => layer.reach(now, TCP, ANYWHERE, stage.flowUser("c")));
    script.expect(`
      0.0 open 1 tcp:127.0.0.13:5060
      0.0 1 ✕ refused
      0.0 a: unreached, refused
      0.0 b: unreached, refused
      0.0 open 2 tcp:127.0.0.13:5060
    `);
  });

  test("uses a flow that its peer began, unless errors are to be heard", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    stage.flow();
    script.do((now) => layer.reach(now, UDP, ANYWHERE, stage.flowUser()));
    script.do((now) => layer.reach(now, UDP, CONNECTED, stage.flowUser()));
    script.do((now) => layer.reach(now, UDP, { from: 9, connected: false }, stage.flowUser()));
    script.expect(`
      0.0 user: reached -1
      0.0 open 1 udp:127.0.0.13:5060
      0.0 open 2 udp:127.0.0.13:5060
    `);
  });

  test("over TLS a connection serves only the domain that its certificate was checked against", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    const tls = (domain: string): Target => ({ ...TCP, transport: "tls", domain });
    const reach = (domain: string) => {
      script.do((now) => layer.reach(now, tls(domain), ANYWHERE, stage.flowUser(domain)));
    };
    reach("a.example");
    script.open(1, { transport: "tls" });
    reach("b.example");
    reach("a.example");
    script.expect(`
      0.0 open 1 tls:127.0.0.13:5060
      0.0 a.example: reached 1
      0.0 open 2 tls:127.0.0.13:5060
      0.0 a.example: reached 1
    `);
  });

  test("a flow that ends tells every transaction and every watcher, once", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    const flow = stage.flow();
    const watcher = stage.flowUser("watcher");
    const gone = stage.flowUser("gone");
    for (const user of [watcher, watcher, gone]) assert.equal(layer.watch(flow, user), true);
    layer.unwatch(flow, gone);
    stage.send(flow, "REGISTER");
    stage.send(flow, "INVITE");
    script.take();
    script.lose(flow.id, "refused").expect(`
      0.0 -1 ✕ refused
      0.0 user: failed, refused
      0.0 user: failed, refused
      0.0 watcher: unreached, refused
    `);
    assert.equal(layer.watch(flow, watcher), false, "it has ended already");
    assert.equal(layer.size, 0);
  });

  test("a flow that nobody uses any more is closed after a while, one that is watched is not", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    let flow: Flow | undefined;
    const user = {
      reached: (_: number, reached: Flow) => {
        flow = reached;
      },
      unreached: () => undefined,
    };
    script.do((now) => layer.reach(now, UDP, CONNECTED, user)).open(1);
    assert.ok(flow);
    layer.watch(flow, user);
    script.finish().until(1_000_000).take();
    assert.equal(layer.size, 1);
    layer.unwatch(flow, user);
    script.finish().expect("1000.0 close 1");
    assert.equal(layer.size, 0);
  });

  test("a peer's flow of datagrams that the world forgets is opened anew for who waits over it", () => {
    const stage = new Stage();
    const { script } = stage;
    const flow = stage.flow();
    const call = stage.send(flow, "INVITE");
    stage.answer(flow, 180);
    script.until(75_000).take();
    script.lose(flow.id, "idle").open(1);
    stage.cancel(call, flow);
    stage.answerOn(1, 200);
    stage.answerOn(1, 487, 1);
    script.expect(`
      75.0 -1 ✕ idle
      75.0 open 1 udp:127.0.0.13:5060
      75.0 1 ──▶ CANCEL sip:bob@example.com
      75.0 1 ◀── 200 Whatever
      75.0 user: 200 to CANCEL
      75.0 1 ◀── 487 Whatever
      75.0 1 ──▶ ACK sip:bob@example.com
      75.0 user: 487 to INVITE
    `);
    script.finish();
    assert.equal(stage.layer.size, 0);
  });

  test("is let go where nobody waits, as one is that has failed", () => {
    for (const [cause, waits] of [
      ["idle", false],
      ["failed", true],
    ] as const) {
      const stage = new Stage();
      const flow = stage.flow();
      if (waits) stage.send(flow, "INVITE");
      stage.script.lose(flow.id, cause);
      assert.equal(stage.layer.size, 0);
    }
  });

  test("one that is no more than a listener says where it listens, or that it cannot", () => {
    const stage = new Stage();
    const local = { transport: "udp", address: "127.0.0.1", port: 0 } as const;
    stage.layer.bind(local, stage.listener());
    stage.layer.bind({ ...local, port: 5060 }, stage.listener());
    stage.script
      .bound(1, { ...local, port: 40_000 })
      .lose(2, "in-use")
      .expect(`
      0.0 bind 1 udp:127.0.0.1:0
      0.0 bind 2 udp:127.0.0.1:5060
      0.0 user: listening 1 at 40000
      0.0 2 ✕ in-use
      0.0 user: deaf 2, in-use
    `);
  });
});

suite("a request that comes in", () => {
  const received = (via: string, peer = {}) => {
    const stage = new Stage();
    stage.script.receive(stage.flow(peer).id, incoming("OPTIONS", { via }));
    stage.respond(200);
    return headerOf(stage.script.lastSent, "via");
  };

  test("has `received` where sent-by is a name or another address (R46)", () => {
    const via = "SIP/2.0/UDP 127.0.0.13:5060;branch=z9hG4bKin";
    assert.equal(received(via), via);
    const named = "SIP/2.0/UDP pc33.example.com;branch=z9hG4bKin";
    assert.equal(received(named), `${named};received=127.0.0.13`);
    const other = "SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bKin";
    assert.equal(received(other, { transport: "tcp" }), `${other};received=127.0.0.13`);
  });

  test("has `rport` filled and `received` always where it asks for it (R80)", () => {
    const via = received("SIP/2.0/UDP 127.0.0.13:5060;rport;branch=z9hG4bKin", { port: 61_000 });
    assert.match(via, /;rport=61000/);
    assert.match(via, /;received=127\.0\.0\.13/);
  });

  test("that is malformed gets one 400, and costs nothing (R48)", () => {
    const stage = new Stage();
    const text = incoming("OPTIONS").replace("CSeq: 1", "CSeq: one");
    stage.script
      .receive(stage.flow().id, text)
      .finish()
      .expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 -1 ──▶ 400 Bad Request
    `);
    assert.equal(stage.layer.transactions, 0);
    assert.ok(stage.script.lastSent.length < text.length + 60);
  });

  test("that is too short for its Content-Length gets 400; such a response and a bad ACK nothing (R48)", () => {
    const stage = new Stage();
    const flow = stage.flow();
    const cut = (text: string) => text.replace("Content-Length: 0", "Content-Length: 10");
    stage.script.receive(flow.id, cut(incoming("OPTIONS")));
    stage.script.receive(flow.id, cut(incoming("ACK")));
    stage.send(flow, "INFO");
    stage.script.receive(flow.id, cut(answerTo(stage.script.lastSent, 200)));
    stage.script.expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 -1 ──▶ 400 Bad Request
      0.0 -1 ◀── ACK sip:bob@example.com
      0.0 -1 ──▶ INFO sip:bob@example.com
      0.0 -1 ◀── 200 Whatever
    `);
  });

  test("in a datagram ends where Content-Length says (R48)", () => {
    const stage = new Stage();
    stage.script.receive(stage.flow().id, `${incoming("MESSAGE", { body: "hello" })}, and more`);
    assert.equal(stage.begun[0]?.request.body, "hello");
  });

  test("of line noise and keep-alives over UDP nothing comes", () => {
    const stage = new Stage();
    const flow = stage.flow();
    for (const text of ["\r\n\r\n", "\r\n", "\0", "", "\0\0\0\0", "GET / HTTP/1.1\r\n\r\n", "x"]) {
      stage.script.receive(flow.id, text);
    }
    assert.deepEqual(stage.script.sent, []);
    assert.equal(stage.layer.size, 1);
  });
});

suite("a stream", () => {
  const both = incoming("OPTIONS") + incoming("MESSAGE", { branch: "z9hG4bK2", body: "hello" });

  test("gives its messages however it is cut, with keep-alives between them (R48)", () => {
    for (const size of [1, 7, 100, 10_000]) {
      const stage = new Stage();
      const flow = stage.flow({ transport: "tcp" });
      const text = `\r\n\r\n${both}`;
      for (let at = 0; at < text.length; at += size) {
        stage.script.receive(flow.id, text.slice(at, at + size));
      }
      const methods = stage.begun.map(({ request }) => request.method);
      assert.deepEqual(methods, ["OPTIONS", "MESSAGE"], `cut in ${size}`);
      assert.equal(stage.begun[1]?.request.body, "hello");
    }
  });

  test("that cannot be followed any more is closed (R48)", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.layer.watch(flow, stage.flowUser());
    stage.script.receive(flow.id, incoming("OPTIONS").replace("Content-Length: 0\r\n", "") + both);
    stage.script.expect(`
      0.0 -1 ◀── OPTIONS sip:bob@example.com
      0.0 close -1
      0.0 user: unreached, failed
    `);
  });

  test("that was closed at one message is not read for the next", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tls" });
    stage.claims = (now) => {
      stage.layer.close(now, flow);
      return true;
    };
    stage.script.receive(flow.id, both);
    assert.equal(stage.begun.length, 0);
    assert.equal(stage.layer.size, 0);
  });

  test("of WebSocket messages needs no Content-Length (R105)", () => {
    const stage = new Stage();
    const text = incoming("MESSAGE", { body: "hello" }).replace("Content-Length: 5\r\n", "");
    stage.script.receive(stage.flow({ transport: "wss" }).id, text);
    assert.equal(stage.begun[0]?.request.body, "hello");
  });
});
