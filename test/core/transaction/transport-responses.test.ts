/** Flows under requests and responses, continued: what the second half of RFC 3261 §18 asks for. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { responseTo } from "../../../src/core/message/print.ts";
import { headerOf } from "../../support/script.ts";
import { incoming, outgoing, parsed, RFC_SPACING, Stage } from "./stage.ts";

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
    stage.script.expect(`
      0.0 open 1 udp:127.0.0.13:5070
      0.0 1 ──▶ 200 OK
      0.0 close 1
    `);
    assert.equal(stage.layer.size - stage.layer.transactions, 1, "the flow of the request");
  });

  test("there over the flow that is there already", () => {
    const stage = new Stage();
    const there = stage.flow({ port: 5070, listener: 7 });
    const flow = stage.flow({ port: 61_000, listener: 7 });
    const via = "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKin";
    stage.script.receive(flow.id, incoming("OPTIONS", { via })).take();
    stage.respond(200);
    stage.script.expect(`0.0 ${there.id} ──▶ 200 OK`);
  });

  test("to nobody whom its Via names: `maddr` is ignored (R47)", () => {
    for (const maddr of ["127.0.0.99", "224.0.1.75", "[::1]", "example.com"]) {
      const via = `SIP/2.0/UDP 127.0.0.13:5060;maddr=${maddr};branch=z9hG4bKin`;
      const { stage } = answered(via);
      stage.respond(200);
      stage.script.expect("0.0 -1 ──▶ 200 OK");
    }
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

  test("then to where the name of sent-by leads, one after the other (R73, RFC 3263 §5)", () => {
    const asked: string[] = [];
    const stage = new Stage({
      alternates: (now, via, found) => {
        asked.push(`${via.transport} ${via.host}:${via.port}`);
        const target = { transport: "tcp", address: "10.0.0.7", port: 5060 } as const;
        found(now, [target, { ...target, address: "10.0.0.8" }]);
      },
    });
    const flow = stage.flow({ transport: "tcp", port: 61_000 });
    const via = "SIP/2.0/TCP edge.example:5070;branch=z9hG4bKin";
    stage.script.receive(flow.id, incoming("OPTIONS", { via })).lose(flow.id, "reset").take();
    stage.respond(200);
    stage.script
      .lose(1, "refused")
      .lose(2, "timeout")
      .open(3, { transport: "tcp" })
      .expect(`
      0.0 open 1 tcp:127.0.0.13:5070
      0.0 1 ✕ refused
      0.0 open 2 tcp:10.0.0.7:5060
      0.0 2 ✕ timeout
      0.0 open 3 tcp:10.0.0.8:5060
      0.0 3 ──▶ 200 OK
    `);
    assert.deepEqual(asked, ["TCP edge.example:5070"]);
  });

  test("an answer given without state opens no connection: a stranger's Via sends us nowhere", () => {
    const stage = new Stage({ alternates: () => assert.fail("asked") });
    const flow = stage.flow({ transport: "tcp", port: 61_000 });
    const request = parsed(
      incoming("OPTIONS", { via: "SIP/2.0/TCP edge.example;branch=z9hG4bKin" }),
    );
    stage.script.lose(flow.id, "reset").take();
    stage.layer.respondStateless(0, request, flow, responseTo(request, 401));
    stage.script.expect("");
    assert.equal(stage.layer.size, 0);
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
