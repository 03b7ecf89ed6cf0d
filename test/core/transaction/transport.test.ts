/** Flows, and how messages go over them (RFC 3261 §18, RFC 3581, RFC 5626 §4.4.1). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Target } from "../../../src/core/machine.ts";
import type { Flow } from "../../../src/core/transaction/user.ts";
import { answerTo, headerOf } from "../../support/script.ts";
import { incoming, outgoing, RFC_SPACING, Stage } from "./stage.ts";

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

suite("a response goes", () => {
  const answered = (via: string, peer = {}) => {
    const stage = new Stage();
    const flow = stage.flow(peer);
    stage.script.receive(flow.id, incoming("OPTIONS", { via }));
    stage.script.take();
    return { stage, flow };
  };

  test("over UDP back to the source port where `rport` was asked for (R47, R80)", () => {
    const { stage } = answered("SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bKin", {
      port: 61_000,
    });
    stage.respond(200);
    stage.script.expect("0.0 -1 ──▶ 200 OK");
  });

  test("over UDP to the source address and the port of sent-by where it was not (R47)", () => {
    const { stage } = answered("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKin", {
      port: 61_000,
      listener: 7,
    });
    stage.respond(200);
    stage.script.open(1, { port: 5070, listener: 7 }).expect(`
      0.0 open 1 udp:127.0.0.13:5070
      0.0 1 ──▶ 200 OK
    `);
  });

  test("to `maddr` where that is an address (R47)", () => {
    const { stage } = answered("SIP/2.0/UDP 127.0.0.13:5060;maddr=127.0.0.99;branch=z9hG4bKin");
    stage.respond(200);
    stage.script.expect("0.0 open 1 udp:127.0.0.99:5060");
    const named = answered("SIP/2.0/UDP 127.0.0.13:5060;maddr=example.com;branch=z9hG4bKin");
    named.stage.respond(200);
    named.stage.script.expect("0.0 -1 ──▶ 200 OK");
  });

  test("over the connection of its request, whatever Via says (R47)", () => {
    const { stage } = answered("SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bKin", {
      transport: "tcp",
      port: 61_000,
    });
    stage.respond(200);
    stage.script.expect("0.0 -1 ──▶ 200 OK");
  });

  test("if that is gone, over a new one to `received` and the port of sent-by (R47)", () => {
    const { stage, flow } = answered("SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bKin", {
      transport: "tcp",
      port: 61_000,
    });
    stage.script.lose(flow.id, "closed");
    stage.respond(200);
    stage.script.open(1, { transport: "tcp", port: 5070 }).expect(`
      0.0 -1 ✕ closed
      0.0 open 1 tcp:127.0.0.13:5070
      0.0 1 ──▶ 200 OK
    `);
  });

  test("if there is no way at all, the user is told (R47)", () => {
    const tcp = answered("SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bKin", { transport: "tcp" });
    tcp.stage.script.lose(tcp.flow.id, "closed");
    tcp.stage.respond(200);
    tcp.stage.script.lose(1, "refused").expect(`
      0.0 -1 ✕ closed
      0.0 open 1 tcp:127.0.0.13:5070
      0.0 1 ✕ refused
      0.0 user: OPTIONS undelivered
    `);
    const ws = answered("SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKin", { transport: "ws" });
    ws.stage.script.lose(ws.flow.id, "closed");
    ws.stage.respond(200);
    ws.stage.script.expect(`
      0.0 -1 ✕ closed
      0.0 user: OPTIONS undelivered
    `);
  });
});

suite("a request above 1300 bytes", () => {
  const large = () => outgoing("MESSAGE", [], "x".repeat(1200));
  const sent = (stage: Stage) => {
    const flow = stage.flow();
    const transaction = stage.layer.request(0, large(), flow, RFC_SPACING, stage.user());
    stage.script.take();
    return transaction;
  };

  test("leaves over TCP, and its Via says so (R44)", () => {
    const stage = new Stage();
    const transaction = sent(stage);
    stage.script.open(1, { transport: "tcp" });
    assert.equal(headerOf(stage.script.lastSent, "via").slice(0, 11), "SIP/2.0/TCP");
    assert.equal(transaction.flow, 1);
    stage.answerOn(1, 200);
    stage.script.expect(`
      0.0 1 ──▶ MESSAGE sip:bob@example.com
      0.0 1 ◀── 200 Whatever
      0.0 user: 200 to MESSAGE
    `);
  });

  test("leaves over UDP after all where TCP is refused (R44)", () => {
    const stage = new Stage();
    sent(stage);
    stage.script
      .lose(1, "refused")
      .until(600)
      .expect(`
      0.0 1 ✕ refused
      0.0 -1 ──▶ MESSAGE sip:bob@example.com
      0.5 -1 ──▶ MESSAGE sip:bob@example.com
    `);
    assert.equal(headerOf(stage.script.lastSent, "via").slice(0, 11), "SIP/2.0/UDP");
  });

  test("fails with TCP where that falls silent, at the latest at Timer B (R43, R44)", () => {
    const first = new Stage();
    sent(first);
    first.script
      .until(3000)
      .lose(1, "timeout")
      .finish()
      .expect(`
      3.0 1 ✕ timeout
      3.0 user: failed, timeout
    `);
    const second = new Stage();
    sent(second);
    second.script.until(32_000).expect("32.0 user: failed, timeout");
    assert.equal(second.layer.transactions, 0);
  });

  test("given up before it left never leaves", () => {
    const stage = new Stage();
    const transaction = sent(stage);
    stage.script.do((now) => transaction.abandon(now)).open(1, { transport: "tcp" });
    stage.script.expect("");
    assert.equal(stage.layer.transactions, 0);
  });

  test("goes over UDP where the layer was told so", () => {
    const stage = new Stage({ largeOverTcp: false });
    stage.layer.request(0, large(), stage.flow(), RFC_SPACING, stage.user());
    stage.script.expect("0.0 -1 ──▶ MESSAGE sip:bob@example.com");
  });
});

suite("keeping flows alive", () => {
  test("a ping over a connection is answered, over WebSocket too (R94)", () => {
    for (const transport of ["tcp", "tls", "ws"] as const) {
      const stage = new Stage();
      stage.script.receive(stage.flow({ transport }).id, "\r\n\r\n").expect(`
        0.0 -1 ◀── "\\r\\n\\r\\n"
        0.0 -1 ──▶ "\\r\\n"
      `);
    }
  });

  test("a peer that has answered pings must go on: 10 s of silence end the flow (R94)", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    const flow = stage.flow({ transport: "tcp" });
    layer.watch(flow, stage.flowUser());
    const ping = () => script.do((now) => layer.keepAlive(now, flow));
    ping().until(1000).receive(flow.id, "\r\n").until(30_000);
    ping().until(30_500).receive(flow.id, "\r\n").until(60_000);
    ping()
      .finish()
      .expect(`
      0.0 -1 ──▶ "\\r\\n\\r\\n"
      1.0 -1 ◀── "\\r\\n"
      30.0 -1 ──▶ "\\r\\n\\r\\n"
      30.5 -1 ◀── "\\r\\n"
      60.0 -1 ──▶ "\\r\\n\\r\\n"
      70.0 close -1
      70.0 user: unreached, timeout
    `);
  });

  test("a peer that never answered one is not expected to", () => {
    const stage = new Stage();
    const flow = stage.flow({ transport: "tcp" });
    stage.script.do((now) => stage.layer.keepAlive(now, flow)).until(60_000);
    assert.equal(stage.layer.size, 1);
  });
});

suite("media flows", () => {
  test("go to their user byte for byte, with those that arrive through them", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    const flow = layer.nextFlow();
    layer.media(flow, {
      bound: (_, on, { port }) => script.note(`media: bound ${on} ${port}`),
      opened: (_, on) => script.note(`media: opened ${on}`),
      received: (_, on, bytes) => script.note(`media: ${bytes.length} bytes on ${on}`),
      lost: (_, on, cause) => script.note(`media: lost ${on}, ${cause}`),
    });
    script.bound(flow, { transport: "rtp", address: "127.0.0.1", port: 16_384 });
    const from = script.arrive({ transport: "rtp", listener: flow });
    script
      .receive(from, "\x80\0\r\n")
      .lose(from, "idle")
      .receive(from, "\x80")
      .lose(flow, "closed");
    script.expect(`
      0.0 media: bound 1 16384
      0.0 media: opened -1
      0.0 -1 ◀── \x80\0
      0.0 media: 4 bytes on -1
      0.0 -1 ✕ idle
      0.0 media: lost -1, idle
      0.0 -1 ◀── \x80
      0.0 1 ✕ closed
      0.0 media: lost 1, closed
    `);
    assert.equal(layer.size, 0);
  });
});

suite("Via for a flow", () => {
  test("has the local end, a new branch and rport; for a connection the port that listens", () => {
    const stage = new Stage();
    const { script, layer } = stage;
    layer.bind({ transport: "tcp", address: "::1", port: 5060 }, stage.listener());
    script.bound(1, { transport: "tcp", address: "::1", port: 5060 });
    const request = outgoing("OPTIONS");
    const branch = layer.stampVia(request, stage.flow());
    assert.equal(request.headers.get("via"), `SIP/2.0/UDP 127.0.0.1:5070;branch=${branch};rport`);
    assert.match(branch, /^z9hG4bK./);
    const v6 = stage.flow({
      transport: "tcp",
      localAddress: "::1",
      localPort: 40_000,
      listener: 1,
    });
    layer.stampVia(request, v6);
    assert.match(request.headers.get("via") ?? "", /^SIP\/2\.0\/TCP \[::1\]:5060;/);
    assert.equal(request.headers.all("via").length, 3);
  });
});
