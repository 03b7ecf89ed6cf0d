/** The stateful proxy of RFC 3261 §16, rule by rule, between scripted phones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPhone } from "./test-phone.ts";
import { Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";

/** Alice at one phone, Bob at as many as asked for, all registered at one open server. */
function talk(bobs = 1): { town: Town; alice: TestPhone; bob: TestPhone[] } {
  const town = new Town();
  town.server();
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  alice.register(SERVER);
  const bob: TestPhone[] = [];
  for (let index = 1; index <= bobs; index += 1) {
    const phone = new TestPhone(town, `udp:10.0.2.${index}:5060`, "bob");
    phone.send(SERVER, "REGISTER", "sip:example.com", {
      to: "<sip:bob@example.com>",
      callId: `reg-bob-${index}`,
    });
    bob.push(phone);
  }
  town.pass(10);
  for (const phone of [alice, ...bob]) phone.received.length = 0;
  return { town, alice, bob };
}

test("a call goes to the phone's contact, and each response comes back", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = () => 180;
  alice.send(SERVER, "INVITE", "sip:bob@example.com", { body: "v=0\r\n" });
  town.pass(10);
  const invite = bob[0]!.last("INVITE");
  assert.equal(invite.uri, "sip:bob@10.0.2.1:5060");
  assert.equal(invite.headers.get("max-forwards"), "69");
  assert.equal(invite.body, "v=0\r\n");
  assert.match(invite.headers.get("record-route") ?? "", /^<sip:10\.0\.0\.1:5060;lr;adm=\w+>$/);
  bob[0]!.reply(bob[0]!.responseTo(invite, 200), SERVER);
  town.pass(10);
  assert.deepEqual(alice.heard, ["100 INVITE", "180 INVITE", "200 INVITE"]);
  assert.equal(alice.final("INVITE").headers.all("via").length, 1);
  const names = town.events.map(({ event }) => event).filter((event) => event.startsWith("call."));
  assert.deepEqual(names, ["call.started", "call.ringing", "call.answered"]);
});

test("ACK and BYE of both sides find their way by the routes (R11, R14)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = () => 200;
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  const answer = alice.final("INVITE");
  alice.sendInDialog(SERVER, "ACK", answer);
  assert.equal(bob[0]!.last("ACK").headers.has("route"), false);
  alice.answer = () => 200;
  bob[0]!.sendInDialog(SERVER, "BYE", bob[0]!.last("INVITE"));
  assert.equal(alice.last("BYE").uri, "sip:alice@10.0.1.1:5060");
  assert.equal(bob[0]!.final("BYE").status, 200);
  assert.equal(town.eventsNamed("call.ended").length, 1);
});

test("all phones of a user ring, and the first 200 cancels the others", () => {
  const { town, alice, bob } = talk(3);
  for (const phone of bob) phone.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  for (const phone of bob) assert.deepEqual(phone.heard, ["INVITE"]);
  bob[1]!.reply(bob[1]!.responseTo(bob[1]!.last("INVITE"), 200), SERVER);
  town.pass(10);
  assert.deepEqual(bob[0]!.heard, ["INVITE", "CANCEL"]);
  assert.deepEqual(bob[1]!.heard, ["INVITE"]);
  assert.deepEqual(bob[2]!.heard, ["INVITE", "CANCEL"]);
  bob[0]!.reply(bob[0]!.responseTo(bob[0]!.last("INVITE"), 487), SERVER);
  town.pass(10);
  assert.equal(bob[0]!.last("ACK").headers.get("to")?.includes("tag=tbob"), true);
  assert.equal(alice.final("INVITE").status, 200);
});

test("a second 200 of another branch passes too, and so does a repeated one (R56)", () => {
  const { town, alice, bob } = talk(2);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  for (const phone of [bob[0]!, bob[1]!, bob[0]!]) {
    phone.reply(phone.responseTo(phone.last("INVITE"), 200), SERVER);
    town.pass(10);
  }
  assert.deepEqual(alice.heard, ["100 INVITE", "200 INVITE", "200 INVITE", "200 INVITE"]);
});

for (const [statuses, best] of [
  [[486, 300], 300],
  [[486, 603], 603],
  [[500, 486], 486],
  [[408, 486], 486],
  [[486, 484], 484],
] as const) {
  test(`of ${statuses.join(" and ")} the caller hears ${best} (R55)`, () => {
    const { town, alice, bob } = talk(2);
    bob.forEach((phone, index) => {
      phone.answer = ({ method }) => (method === "INVITE" ? statuses[index] : 200);
    });
    alice.send(SERVER, "INVITE", "sip:bob@example.com");
    town.pass(50);
    assert.deepEqual(alice.heard, ["100 INVITE", `${best} INVITE`]);
  });
}

test("a 603 cancels the phones that still ring (R55)", () => {
  const { town, alice, bob } = talk(2);
  bob[0]!.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  bob[1]!.reply(bob[1]!.responseTo(bob[1]!.last("INVITE"), 603), SERVER);
  town.pass(10);
  assert.deepEqual(bob[0]!.heard, ["INVITE", "CANCEL"]);
  assert.deepEqual(alice.heard, ["100 INVITE", "180 INVITE"]);
  bob[0]!.reply(bob[0]!.responseTo(bob[0]!.last("INVITE"), 487), SERVER);
  town.pass(10);
  assert.equal(alice.final("INVITE").status, 603);
});

test("the challenges of all branches come back together (R55)", () => {
  const { town, alice, bob } = talk(2);
  bob.forEach((phone, index) => {
    phone.answer = (request) => {
      const response = phone.responseTo(request, 401);
      response.headers.add("www-authenticate", `Digest realm="${index}", nonce="1"`);
      return response;
    };
  });
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(50);
  assert.deepEqual(alice.final("INVITE").headers.all("www-authenticate"), [
    'Digest realm="1", nonce="1"',
    'Digest realm="0", nonce="1"',
  ]);
});

test("a 503 of the callee is 500 to the caller (R52)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = () => 503;
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(50);
  assert.deepEqual(alice.heard, ["100 INVITE", "500 INVITE"]);
});

test("silence of the callee is 408 to an INVITE after Timer B (R3)", () => {
  const { town, alice } = talk();
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(31_000);
  assert.deepEqual(alice.heard, ["100 INVITE"]);
  town.pass(2_000);
  assert.equal(alice.final("INVITE").status, 408);
});

/** Registers another machine than its own. */
class ThirdParty extends TestPhone {
  override get contact(): string {
    return "sip:carol@10.0.3.9;transport=tcp";
  }
}

test("a callee whose port is closed counts as one that said 503: the caller hears 500 (R3, R52)", () => {
  const town = new Town();
  const [udp, tcp] = (["udp", "tcp"] as const).map((transport) => {
    return { transport, address: "10.0.0.1", port: 5060 };
  });
  town.server({ listen: [udp!, tcp!] });
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  new ThirdParty(town, "tcp:10.0.3.1:5060", "carol").register("tcp:10.0.0.1:5060");
  alice.send(SERVER, "INVITE", "sip:carol@example.com");
  town.pass(50);
  assert.deepEqual(alice.heard, ["100 INVITE", "500 INVITE"]);
});

test("silence of the callee is silence to any other request: never 408 (R59)", () => {
  const { town, alice } = talk();
  alice.send(SERVER, "MESSAGE", "sip:bob@example.com");
  town.pass(60_000);
  assert.deepEqual(alice.heard, ["100 MESSAGE"]);
});

test("provisional responses to non-INVITE do not pass (R58)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = () => 183;
  alice.send(SERVER, "MESSAGE", "sip:bob@example.com");
  town.pass(50);
  assert.deepEqual(alice.heard, []);
});

test("a ringing that never ends is cancelled by Timer C after three minutes, not before (R54)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(100_000);
  bob[0]!.reply(bob[0]!.responseTo(bob[0]!.last("INVITE"), 180), SERVER);
  town.pass(181_000);
  assert.equal(bob[0]!.heard.includes("CANCEL"), false);
  town.pass(6_000);
  assert.equal(bob[0]!.heard.includes("CANCEL"), true);
});

test("a phone that rings for longer than silent peers are remembered rings on, and hears CANCEL (R37)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
  const call = { cseq: 7, branch: "z9hG4bKpatient" };
  alice.send(SERVER, "INVITE", "sip:bob@example.com", call);
  town.pass(75_000);
  town.hosts[0]!.forgetPeers();
  town.pass(10);
  assert.deepEqual(alice.heard, ["100 INVITE", "180 INVITE"]);
  alice.send(SERVER, "CANCEL", "sip:bob@example.com", call);
  town.pass(10);
  assert.equal(bob[0]!.heard.includes("CANCEL"), true);
  bob[0]!.reply(bob[0]!.responseTo(bob[0]!.last("INVITE"), 487), SERVER);
  town.pass(10);
  assert.equal(alice.final("INVITE").status, 487);
});

test("a caller's CANCEL reaches every ringing phone; the 487 comes back", () => {
  const { town, alice, bob } = talk(2);
  for (const phone of bob) phone.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
  const call = { cseq: 7, branch: "z9hG4bKcancelled" };
  alice.send(SERVER, "INVITE", "sip:bob@example.com", call);
  town.pass(10);
  alice.send(SERVER, "CANCEL", "sip:bob@example.com", call);
  town.pass(10);
  for (const phone of bob) {
    assert.deepEqual(phone.heard, ["INVITE", "CANCEL"]);
    phone.reply(phone.responseTo(phone.last("INVITE"), 487), SERVER);
  }
  town.pass(10);
  assert.equal(alice.final("CANCEL").status, 200);
  assert.equal(alice.final("INVITE").status, 487);
});

test("a CANCEL that comes before any 1xx is kept until one does (R18)", () => {
  const { town, alice, bob } = talk();
  const call = { cseq: 7, branch: "z9hG4bKcancelled" };
  alice.send(SERVER, "INVITE", "sip:bob@example.com", call);
  town.pass(10);
  alice.send(SERVER, "CANCEL", "sip:bob@example.com", call);
  town.pass(10);
  assert.deepEqual(bob[0]!.heard, ["INVITE"]);
  bob[0]!.reply(bob[0]!.responseTo(bob[0]!.last("INVITE"), 180), SERVER);
  town.pass(10);
  assert.deepEqual(bob[0]!.heard, ["INVITE", "CANCEL"]);
});

test("Max-Forwards 0 is 483, and OPTIONS is answered instead (R54)", () => {
  const { town, alice, bob } = talk();
  alice.send(SERVER, "INVITE", "sip:bob@example.com", { maxForwards: 0 });
  town.pass(10);
  assert.equal(alice.final("INVITE").status, 483);
  alice.send(SERVER, "OPTIONS", "sip:bob@example.com", { maxForwards: 0 });
  town.pass(10);
  assert.equal(alice.final("OPTIONS").status, 200);
  assert.deepEqual(bob[0]!.heard, []);
});

test("Max-Forwards is a number: 00 is spent too, and what is no number is 400", () => {
  const { town, alice, bob } = talk();
  const statusOf = (method: string, hops: string): number => {
    const branch = `z9hG4bK${method}${hops.length}`;
    alice.sendText(
      SERVER,
      `${method} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP ${alice.address};branch=${branch}\r\n` +
        `From: <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: ${branch}\r\n` +
        `CSeq: 1 ${method}\r\nMax-Forwards: ${hops}\r\nContent-Length: 0\r\n\r\n`,
    );
    town.pass(10);
    return alice.final(method).status;
  };
  assert.equal(statusOf("INVITE", "00"), 483);
  assert.equal(statusOf("MESSAGE", "000"), 483);
  assert.equal(statusOf("OPTIONS", "00"), 200);
  assert.equal(statusOf("MESSAGE", "many"), 400);
  assert.equal(statusOf("INFO", "-1"), 400);
  assert.deepEqual(bob[0]!.heard, []);
});

test("a request that comes back unchanged is a loop, 482; with another URI it is a spiral (R54)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = () => undefined;
  alice.send(SERVER, "MESSAGE", "sip:bob@example.com");
  town.pass(10);
  const first = bob[0]!.last("MESSAGE");
  const vias = first.headers.all("via").map((via) => `Via: ${via}`);
  const again = (uri: string, branch: string): void => {
    alice.send(SERVER, "MESSAGE", uri, {
      cseq: 2,
      branch,
      to: first.headers.get("to") as string,
      lines: vias,
    });
    town.pass(10);
  };
  again("sip:bob@example.com", "z9hG4bKloop");
  assert.equal(alice.final("MESSAGE").status, 482);
  alice.received.length = 0;
  again("sip:alice@example.com", "z9hG4bKspiral");
  assert.equal(alice.heard.includes("MESSAGE"), true);
});

test("Max-Breadth is shared out among the branches, and too little of it is 440 (R63)", () => {
  const { town, alice, bob } = talk(3);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  assert.equal(bob[2]!.last("INVITE").headers.get("max-breadth"), "20");
  alice.send(SERVER, "INVITE", "sip:bob@example.com", {
    callId: "narrow",
    lines: ["Max-Breadth: 2"],
  });
  town.pass(10);
  assert.equal(alice.final("INVITE").status, 440);
});

test("Proxy-Require is 420 with Unsupported", () => {
  const { town, alice } = talk();
  alice.send(SERVER, "INVITE", "sip:bob@example.com", { lines: ["Proxy-Require: magic, more"] });
  town.pass(10);
  assert.equal(alice.final("INVITE").headers.get("unsupported"), "magic, more");
});

test("… which names no more than fits: whoever forges the source gets somebody else no long answer", () => {
  const { town, alice } = talk();
  const names = Array.from({ length: 60 }, (_, index) => `extension-${index}`);
  const lines = [`Proxy-Require: ${names.join(", ")}`];
  alice.send(SERVER, "INVITE", "sip:bob@example.com", { lines });
  town.pass(10);
  assert.equal(alice.final("INVITE").headers.get("unsupported"), names.slice(0, 10).join(", "));
});

test("an unknown scheme is 416, an unregistered user 480", () => {
  const { town, alice } = talk();
  alice.send(SERVER, "INVITE", "tel:+123");
  town.pass(10);
  assert.equal(alice.final("INVITE").status, 416);
  alice.send(SERVER, "INVITE", "sip:carol@example.com");
  town.pass(10);
  assert.equal(alice.final("INVITE").status, 480);
});

test("a request from a strict router is put right (RFC 3261 §16.4)", () => {
  const { town, alice, bob } = talk();
  bob[0]!.answer = () => 200;
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  const route = (alice.final("INVITE").headers.get("record-route") ?? "").slice(1, -1);
  alice.send(SERVER, "BYE", route, {
    to: alice.final("INVITE").headers.get("to") as string,
    lines: ["Route: <sip:bob@10.0.2.1:5060>"],
  });
  town.pass(10);
  const bye = bob[0]!.last("BYE");
  assert.equal(bye.uri, "sip:bob@10.0.2.1:5060");
  assert.equal(bye.headers.has("route"), false);
});

test("a strict router ahead finds itself in the Request-URI (RFC 3261 §16.6(6))", () => {
  const { town, alice } = talk();
  const strict = new TestPhone(town, "udp:10.0.3.1:5060", "router");
  alice.send(SERVER, "OPTIONS", "sip:far@elsewhere.example", {
    lines: ["Route: <sip:10.0.0.1:5060;lr>, <sip:10.0.3.1:5060>"],
  });
  town.pass(10);
  const options = strict.last("OPTIONS");
  assert.equal(options.uri, "sip:10.0.3.1:5060");
  assert.equal(options.headers.get("route"), "<sip:far@elsewhere.example>");
});

test("a response that nobody waits for is dropped (R57)", () => {
  const { town, alice, bob } = talk();
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(10);
  const stray = bob[0]!.responseTo(bob[0]!.last("INVITE"), 200);
  stray.headers.set(
    "via",
    (stray.headers.get("via") ?? "").replace("branch=z9hG4bK", "branch=z9hG4bKx"),
  );
  bob[0]!.reply(stray, SERVER);
  town.pass(10);
  assert.deepEqual(alice.heard, ["100 INVITE"]);
});

test("a group rings all its members", () => {
  const town = new Town();
  town.server({
    users: users("bob: {password: x, groups: [sales]}\ncarol: {password: x, groups: [sales]}\n"),
    acceptForeign: true,
  });
  const caller = new TestPhone(town, "udp:10.0.9.1:5060", "stranger");
  caller.send(SERVER, "INVITE", "sip:sales@example.com", { from: "<sip:x@far.example>;tag=1" });
  town.pass(10);
  assert.equal(caller.final("INVITE").status, 480);
  caller.send(SERVER, "INVITE", "sip:nobody@example.com", { from: "<sip:x@far.example>;tag=1" });
  town.pass(10);
  assert.equal(caller.final("INVITE").status, 404);
});
