/** RFC 5626 as registrar and as edge, RFC 6223, RFC 3327: what a phone's flow is told, promised and used for. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { suite, test } from "node:test";
import { FlowTokens } from "../../../src/core/server/flow-token.ts";
import { Bob } from "./bob.ts";
import { TestPhone } from "./test-phone.ts";
import { primitives, Town, users } from "./town.ts";

const UDP = "udp:10.0.0.1:5060";
const TCP = "tcp:10.0.0.1:5060";
const EDGE_TCP = "tcp:10.0.0.2:5060";

const both = (address: string) => [
  { transport: "udp" as const, address, port: 5060 },
  { transport: "tcp" as const, address, port: 5060 },
];

function town(configuration: Parameters<Town["server"]>[0] = {}): Town {
  const made = new Town();
  made.server({ listen: both("10.0.0.1"), ...configuration });
  return made;
}

/** All his connections bear the Contact of the port he listens at, or would. */
class Listening extends Bob {
  override get contact(): string {
    return "sip:bob@10.0.2.1:5060;transport=tcp";
  }
}

suite("the registrar", () => {
  test("says Require: outbound, and by Flow-Timer how often the flow is to show life (R95, R100)", () => {
    for (const [place, to, seconds] of [
      ["tcp:10.0.2.1:41001", TCP, "120"],
      ["udp:10.0.2.1:5060", UDP, "30"],
    ] as const) {
      const { headers } = new Bob(town(), place, "bob").registerFlow(to, 1).final("REGISTER");
      assert.equal(headers.get("require"), "outbound");
      assert.equal(headers.get("flow-timer"), seconds);
    }
  });

  test("says neither to a phone that does not support outbound", () => {
    const bob = new Bob(town(), "tcp:10.0.2.1:41001", "bob");
    const { headers } = bob.registerFlow(TCP, 1, { supported: "path" }).final("REGISTER");
    assert.equal(headers.get("require"), undefined);
    assert.equal(headers.get("flow-timer"), undefined);
  });

  test("takes a reg-id of 1 to 2^31-1 for one, any other for none (RFC 5626 §4.2)", () => {
    const requires = (regId: number): string | undefined => {
      const bob = new Bob(town(), "tcp:10.0.2.1:41001", "bob");
      const answer = bob.registerFlow(TCP, regId).final("REGISTER");
      assert.equal(answer.status, 200);
      return answer.headers.get("require");
    };
    assert.equal(requires(2 ** 31 - 1), "outbound");
    assert.equal(requires(2 ** 31), undefined);
    assert.equal(requires(0), undefined);
  });

  test("replaces the binding of a flow made anew under its reg-id, and keeps that of another (R98, R100)", () => {
    const made = town();
    new Bob(made, "tcp:10.0.2.1:41001", "bob").registerFlow(TCP, 1);
    new Bob(made, "tcp:10.0.2.1:41002", "bob").registerFlow(TCP, 2);
    const again = new Bob(made, "tcp:10.0.2.1:41003", "bob").registerFlow(TCP, 1);
    const contacts = again.final("REGISTER").headers.all("contact");
    assert.deepEqual(
      contacts.map((contact) => /:(\d+);.*reg-id=(\d)/.exec(contact)?.slice(1)),
      [
        ["41002", "2"],
        ["41003", "1"],
      ],
    );
  });

  test("asks nobody to keep a flow alive who has not asked to, and tells who has how often (R102)", () => {
    const via = (asked: string, to = TCP) => {
      const place = to === TCP ? "tcp:10.0.2.1:41001" : "udp:10.0.2.1:5060";
      const bob = new Bob(town(), place, "bob").registerFlow(to, 1, { via: asked });
      return bob.final("REGISTER").headers.get("via") ?? "";
    };
    assert.doesNotMatch(via(""), /keep/);
    assert.match(via(";keep"), /;keep=120$/);
    assert.match(via(";keep;rport", UDP), /;keep=30;rport=/);
    assert.match(via(";keep=7"), /;keep=7$/);
    assert.match(via(";keepsake"), /;keepsake$/);
  });

  test("refuses a Path that the phone does not support only where that is wanted: 420 (R81)", () => {
    const answer = (pathNeedsSupport: boolean, supported: string) => {
      const bob = new Bob(town({ pathNeedsSupport }), "tcp:10.0.2.1:41001", "bob");
      const lines = ["Path: <sip:10.0.5.1;lr>"];
      return bob.registerFlow(TCP, 1, { supported, lines }).final("REGISTER");
    };
    assert.equal(answer(false, "timer").headers.get("path"), undefined);
    assert.equal(answer(false, "path").headers.get("path"), "<sip:10.0.5.1;lr>");
    assert.equal(answer(true, "path").status, 200);
    const refusal = answer(true, "timer");
    assert.equal(refusal.status, 420);
    assert.equal(refusal.headers.get("unsupported"), "path");
  });
});

suite("a call to a phone with two flows", () => {
  function called(before: (made: Town, first: Bob, second: Bob) => void) {
    const made = town();
    const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
    const first = new Bob(made, "tcp:10.0.2.1:41001", "bob").registerFlow(TCP, 1);
    made.pass(5_000);
    const second = new Bob(made, "tcp:10.0.2.1:41002", "bob").registerFlow(TCP, 2);
    first.answer = () => 200;
    second.answer = () => 200;
    before(made, first, second);
    alice.send(UDP, "INVITE", "sip:bob@example.com");
    return { made, alice, first, second };
  }

  test("whose newer one is mute reaches him over the other within 3.5 s, and rings once (R101)", () => {
    const { made, alice, first, second } = called((_made, _first, mute) => {
      mute.answer = () => undefined;
    });
    made.pass(3_400);
    assert.deepEqual(first.requests, []);
    made.pass(200);
    assert.equal(alice.final("INVITE").status, 200);
    assert.equal(first.last("INVITE").uri, `${first.contact};ob`);
    assert.equal(second.last("INVITE").uri, `${second.contact};ob`);
  });

  test("goes first where keep-alives come from: a flow silent for longer than its Flow-Timer comes last", () => {
    const { made, alice, first, second } = called((town, kept) => {
      kept.came = answersOnly(kept);
      for (let minute = 0; minute < 3; minute += 1) {
        town.pass(60_000);
        kept.sendText(TCP, "\r\n\r\n");
      }
    });
    made.pass(100);
    assert.equal(alice.final("INVITE").status, 200);
    assert.deepEqual(second.requests, []);
    assert.equal(first.requests.length > 0, true);
  });

  test("whose newer one is gone is his at once, and the guess at where he may listen is not even made", () => {
    const { made, alice, first } = called((_made, _first, gone) => gone.hangUp(TCP));
    made.pass(20);
    assert.equal(alice.final("INVITE").status, 200);
    assert.equal(first.requests.length, 1);
  });
});

for (const [named, Phone, uri] of [
  ["where it listens", Listening, undefined],
  ["by its connection, which has another port now", Bob, undefined],
  ["by its GRUU", Bob, "sip:bob@example.com;gr=urn:uuid:1"],
] as const) {
  test(`a dialog that names the phone ${named} follows it onto the flow made since (R85, R98)`, () => {
    const made = town();
    const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
    const first = new Phone(made, "tcp:10.0.2.1:41001", "bob").registerFlow(TCP, 1);
    first.answer = () => 200;
    alice.send(UDP, "INVITE", "sip:bob@example.com");
    made.pass(20);
    const accepted = alice.final("INVITE");
    if (uri !== undefined) accepted.headers.set("contact", `<${uri}>`);
    alice.sendInDialog(UDP, "ACK", accepted);
    first.hangUp(TCP);
    const second = new Phone(made, "tcp:10.0.2.1:41002", "bob").registerFlow(TCP, 1);
    second.answer = () => 200;
    alice.sendInDialog(UDP, "BYE", accepted);
    made.pass(20);
    assert.equal(second.last("BYE").uri, uri ?? first.contact);
    assert.equal(alice.final("BYE").status, 200);
  });
}

test("a dialog whose flow is gone goes over the other flow of that phone, before it has made one anew (R93)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const other = new Bob(made, "tcp:10.0.2.1:41001", "bob").registerFlow(TCP, 1);
  const called = new Bob(made, "tcp:10.0.2.1:41002", "bob").registerFlow(TCP, 2);
  const desk = new Bob(made, "tcp:10.0.2.1:41003", "bob", "urn:uuid:2").registerFlow(TCP, 1);
  called.answer = () => 200;
  other.answer = () => 200;
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(20);
  const accepted = alice.final("INVITE");
  alice.sendInDialog(UDP, "ACK", accepted);
  called.hangUp(TCP);
  desk.received.length = 0;
  alice.sendInDialog(UDP, "BYE", accepted);
  made.pass(20);
  assert.equal(other.last("BYE").uri, called.contact);
  assert.equal(alice.final("BYE").status, 200);
  assert.deepEqual(desk.heard, []);
});

test("… and so does its ACK, though nobody tells that its first way leads nowhere (RFC 3261 §16.11)", () => {
  const made = new Town();
  const configuration = { name: "one", shared: true, listen: both("10.0.0.1") };
  const server = made.server(configuration);
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const first = new Listening(made, "tcp:10.0.2.1:41001", "bob").registerFlow(TCP, 1);
  first.answer = () => 200;
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(20);
  server.kill();
  made.places.delete(first.place);
  made.server(configuration);
  const second = new Listening(made, "tcp:10.0.2.1:41002", "bob").registerFlow(TCP, 1);
  alice.sendInDialog(UDP, "ACK", alice.final("INVITE"));
  made.pass(100);
  assert.equal(second.last("ACK").uri, first.contact);
});

/** Pongs are no messages. */
function answersOnly(phone: Bob): Bob["came"] {
  const came = phone.came.bind(phone);
  return (to, from, bytes) => {
    if (bytes.length > 4) came(to, from, bytes);
  };
}

suite("the edge, between a phone and a registrar elsewhere", () => {
  function edged() {
    const made = town();
    const edge = made.server({ name: "edge", domains: ["edge.example"], listen: both("10.0.0.2") });
    const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
    const bob = new Bob(made, "tcp:10.0.2.1:41001", "bob");
    bob.answer = () => 200;
    return { made, edge, alice, bob };
  }
  const there = { domain: "10.0.0.1" };

  test("adds a Path with a sealed token and ob, which the registrar keeps and gives back (R81, R99)", () => {
    const { bob } = edged();
    const { headers, status } = bob.registerFlow(EDGE_TCP, 1, there).final("REGISTER");
    assert.equal(status, 200);
    assert.equal(headers.get("require"), "outbound");
    assert.equal(headers.get("flow-timer"), undefined);
    assert.match(
      headers.get("path") ?? "",
      /^<sip:edge\*\w+\*-\d+\*tcp!10\.0\.2\.1!41001\*\w{20}@10\.0\.0\.2:5060;lr;ob;adm=\w+>$/,
    );
  });

  test("adds none for a phone that does not know Path: with reg-id that is 439 (R81, R92, R100)", () => {
    const { bob } = edged();
    bob.registerFlow(EDGE_TCP, 1, { ...there, supported: "outbound" });
    assert.equal(bob.final("REGISTER").status, 439);
  });

  for (const [param, status] of [
    ["ob", 200],
    ["OB", 200],
    ["ob-served", 439],
    ["obscure=1", 439],
  ] as const) {
    test(`that says ;${param} in its Path: ${status} (RFC 5626 §6)`, () => {
      const { made } = edged();
      const other = new TestPhone(made, "udp:10.0.5.1:5060", "other");
      other.send(UDP, "REGISTER", "sip:10.0.0.1", {
        to: "<sip:bob@10.0.0.1>",
        lines: [
          'Contact: <sip:bob@10.0.2.1>;reg-id=1;+sip.instance="<urn:uuid:1>"',
          "Via: SIP/2.0/TCP 10.0.2.1;branch=z9hG4bKbob",
          "Supported: path, outbound",
          `Path: <sip:10.0.5.1:5060;lr;${param}>`,
        ],
      });
      made.pass(10);
      assert.equal(other.final("REGISTER").status, status);
    });
  }

  test("carries calls over the phone's connection, and keeps the dialog there (R99)", () => {
    const { made, alice, bob } = edged();
    alice.answer = () => 200;
    bob.registerFlow(EDGE_TCP, 1, there);
    alice.send(UDP, "INVITE", "sip:bob@10.0.0.1");
    made.pass(30);
    assert.equal(alice.final("INVITE").status, 200);
    alice.sendInDialog(UDP, "ACK", alice.final("INVITE"));
    made.pass(20);
    assert.deepEqual(bob.heard.slice(1), ["INVITE", "ACK"]);
    assert.equal(bob.last("INVITE").headers.get("route"), undefined);
    bob.sendInDialog(EDGE_TCP, "BYE", bob.last("INVITE"));
    made.pass(20);
    assert.equal(bob.final("BYE").status, 200);
  });

  test("says 430 for a dead flow, and the registrar takes the other flow of that phone (R93, R99, R101)", () => {
    const { made, alice, bob } = edged();
    const other = new Bob(made, "tcp:10.0.2.1:41002", "bob");
    other.answer = () => 200;
    other.registerFlow(EDGE_TCP, 2, there);
    made.pass(5_000);
    bob.registerFlow(EDGE_TCP, 1, there);
    bob.hangUp(EDGE_TCP);
    alice.send(UDP, "INVITE", "sip:bob@10.0.0.1");
    made.pass(50);
    assert.equal(alice.final("INVITE").status, 200);
    assert.equal(other.last("INVITE").uri, `${other.contact};ob`);
    assert.deepEqual(
      made.eventsNamed("request.refused").map(({ node, status }) => [node, status]),
      [["edge", 430]],
    );
  });

  test("says 430, too, when the flow breaks under the request (R99)", () => {
    const { made, bob } = edged();
    bob.registerFlow(EDGE_TCP, 1, there);
    bob.answer = () => undefined;
    const registrar = new TestPhone(made, "udp:10.0.5.1:5060", "registrar");
    const path = bob.final("REGISTER").headers.get("path") as string;
    registrar.send("udp:10.0.0.2:5060", "INVITE", bob.contact, { lines: [`Route: ${path}`] });
    made.pass(20);
    assert.deepEqual(registrar.heard, ["100 INVITE"]);
    bob.hangUp(EDGE_TCP);
    assert.equal(registrar.final("INVITE").status, 430);
  });

  test("says 430 after its own restart, too: the token names another life (R99)", () => {
    const { made, edge, alice, bob } = edged();
    bob.registerFlow(EDGE_TCP, 1, there);
    edge.kill();
    made.server({ name: "edge", domains: ["edge.example"], listen: both("10.0.0.2") });
    const direct = new TestPhone(made, "udp:10.0.5.1:5060", "registrar");
    const path = bob.final("REGISTER").headers.get("path") as string;
    direct.send("udp:10.0.0.2:5060", "INVITE", `${bob.contact};ob`, { lines: [`Route: ${path}`] });
    alice.send(UDP, "INVITE", "sip:bob@10.0.0.1");
    made.pass(50);
    assert.equal(direct.final("INVITE").status, 430);
    assert.equal(alice.final("INVITE").status, 480);
    assert.equal(bob.requests.length, 0);
  });

  test("asks the registrar for no credentials: a Path of ours is known to nobody else (R99)", () => {
    const { made, bob, edge } = edged();
    bob.registerFlow(EDGE_TCP, 1, there);
    edge.kill();
    const known = users("users:\n  - { name: carol, password: x }\n");
    const listen = both("10.0.0.2");
    made.server({ name: "edge", domains: ["edge.example"], listen, users: known });
    const path = bob.final("REGISTER").headers.get("path") as string;
    const send = (route: string): number => {
      const registrar = new TestPhone(made, `udp:10.0.5.1:${made.freePort()}`, "registrar");
      const lines = [`Route: ${route}`];
      registrar.send("udp:10.0.0.2:5060", "OPTIONS", bob.contact, { lines });
      made.pass(50);
      return registrar.final("OPTIONS").status;
    };
    assert.equal(send(path), 430);
    assert.equal(send(path.replace(/adm=\w+/, "adm=0123456789abcdef")), 407);
    assert.equal(send(path.replace("41001", "41002")), 403);
  });
});

test("a flow token is sealed by HMAC-SHA-256 and opens for nobody who changed a character (R99)", () => {
  const { hash } = primitives(1);
  const tokens = new FlowTokens(hash, "secret");
  const token = { node: "one", boot: "b1", flow: -7, source: "tcp:2001:db8::1:41000" };
  const text = tokens.encode(token);
  const key = createHash("sha256").update("secret:flow").digest("hex");
  const stem = "one*b1*-7*tcp!2001!db8!!1!41000";
  const mac = createHmac("sha256", key).update(stem).digest("hex").slice(0, 20);
  assert.equal(text, `${stem}*${mac}`);
  assert.deepEqual(tokens.decode(text), token);
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === "0" ? "1" : "0";
    assert.equal(tokens.decode(text.slice(0, at) + other + text.slice(at + 1)), undefined);
  }
  assert.equal(new FlowTokens(hash, "other").decode(text), undefined);
});
