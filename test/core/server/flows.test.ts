/** Phones behind connections and NAT, expiry, and the end of a server (RFC 5626, RFC 3327). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Removal } from "../../../src/core/server/register-desk.ts";
import { Bob } from "./bob.ts";
import { TestPhone } from "./test-phone.ts";
import { Town } from "./town.ts";

const UDP = "udp:10.0.0.1:5060";
const TCP = "tcp:10.0.0.1:5060";

function town(): Town {
  const made = new Town();
  made.server({
    listen: [
      { transport: "udp", address: "10.0.0.1", port: 5060 },
      { transport: "tcp", address: "10.0.0.1", port: 5060 },
    ],
  });
  return made;
}

/** A phone that knows itself by another address than its packets come from. */
class Hidden extends TestPhone {
  override get address(): string {
    return "192.168.1.5:5060";
  }
}

test("a phone behind a connection is called over it, and both sides' routes lead back (RFC 5626 §5.3)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(made, "tcp:10.0.2.1:41000", "bob");
  bob.register(TCP);
  bob.answer = () => 200;
  alice.answer = () => 200;
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(10);
  const invite = bob.last("INVITE");
  const routes = (invite.headers.get("record-route") ?? "").split(", ");
  assert.equal(routes.length, 2);
  assert.match(
    routes[0] ?? "",
    /^<sip:one\*\w+\*-\d+\*tcp!10\.0\.2\.1!41000\*\w{20}@10\.0\.0\.1:5060;transport=tcp;lr;/,
  );
  assert.match(routes[1] ?? "", /^<sip:10\.0\.0\.1:5060;lr;/);
  alice.sendInDialog(UDP, "ACK", alice.final("INVITE"));
  assert.equal(bob.heard.at(-1), "ACK");
  alice.sendInDialog(UDP, "INFO", alice.final("INVITE"));
  assert.equal(alice.final("INFO").status, 200);
  bob.sendInDialog(TCP, "BYE", invite);
  assert.equal(bob.final("BYE").status, 200);
  assert.equal(alice.last("BYE").uri, "sip:alice@10.0.1.1:5060");
});

test("phones behind NAT are reached where their packets come from, in the dialog too", () => {
  const made = town();
  const alice = new Hidden(made, "udp:10.0.1.1:6001", "alice");
  const bob = new Hidden(made, "udp:10.0.2.1:6002", "bob");
  alice.register(UDP);
  bob.register(UDP);
  alice.answer = () => 200;
  bob.answer = () => 200;
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(10);
  assert.equal(bob.last("INVITE").uri, "sip:bob@192.168.1.5:5060");
  alice.sendInDialog(UDP, "ACK", alice.final("INVITE"));
  assert.equal(bob.heard.at(-1), "ACK");
  bob.sendInDialog(UDP, "BYE", bob.last("INVITE"));
  assert.equal(bob.final("BYE").status, 200);
});

test("a phone that somebody else registered is called at its Contact", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  alice.send(UDP, "REGISTER", "sip:example.com", {
    to: "<sip:bob@example.com>",
    lines: ["Contact: <sip:bob@10.0.2.1:5060>;expires=60"],
  });
  made.pass(10);
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(10);
  assert.equal(bob.last("INVITE").uri, "sip:bob@10.0.2.1:5060");
});

test("a forged flow token is 403 (R99)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const forged = "<sip:one*b*1*udp!10.9.9.9!5060*0123456789abcdef@10.0.0.1:5060;lr>";
  alice.send(UDP, "OPTIONS", "sip:x@10.9.9.9", { lines: [`Route: ${forged}`] });
  made.pass(10);
  assert.equal(alice.final("OPTIONS").status, 403);
});

test("two flows of one instance are one phone: it rings once, on the newer flow (R101)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const first = new Bob(made, "tcp:10.0.2.1:41001", "bob");
  const second = new Bob(made, "tcp:10.0.2.1:41002", "bob");
  first.registerFlow(TCP, 1);
  made.pass(5_000);
  second.registerFlow(TCP, 2);
  assert.equal(second.final("REGISTER").headers.get("require"), "outbound");
  second.answer = () => 200;
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(100);
  assert.equal(alice.final("INVITE").status, 200);
  assert.deepEqual(first.requests, []);
});

test("the newer flow is the one registered last, however long the other was granted (RFC 5626 §5.3)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const first = new Bob(made, "tcp:10.0.2.1:41001", "bob");
  const second = new Bob(made, "tcp:10.0.2.1:41002", "bob");
  second.registerFlow(TCP, 2, { expires: 60 });
  for (const [newer, older, expires] of [
    [first, second, 600],
    [second, first, 60],
  ] as const) {
    made.pass(5_000);
    newer.registerFlow(TCP, newer === first ? 1 : 2, { expires });
    newer.answer = () => 486;
    alice.send(UDP, "INVITE", "sip:bob@example.com");
    made.pass(100);
    assert.equal(alice.final("INVITE").status, 486);
    assert.equal(
      newer.last("INVITE").headers.get("call-id"),
      alice.final("INVITE").headers.get("call-id"),
    );
    older.answer = undefined;
  }
});

test("a flow that has failed, or says 430, is passed over for the next of the same phone (R93, R101)", () => {
  for (const how of ["lost", "430"]) {
    const made = town();
    const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
    const first = new Bob(made, "tcp:10.0.2.1:41001", "bob");
    const second = new Bob(made, "tcp:10.0.2.1:41002", "bob");
    first.registerFlow(TCP, 1);
    made.pass(5_000);
    second.registerFlow(TCP, 2);
    first.answer = () => 200;
    second.answer = () => 430;
    if (how === "lost") second.hangUp(TCP);
    alice.send(UDP, "INVITE", "sip:bob@example.com");
    made.pass(100);
    assert.equal(alice.final("INVITE").status, 200, how);
    assert.equal(first.requests.length, 1);
  }
});

/** Names this Contact, wherever it is. */
class Named extends Bob {
  named = "";

  override get contact(): string {
    return this.named;
  }
}

for (const [who, contact] of [
  ["that listens nowhere", "sip:bob@10.0.2.1:41000;transport=tcp"],
  ["that does not listen where it says", "sip:bob@10.0.2.1;transport=tcp"],
  // RFC 7118 §5: nobody can connect to that.
  ["in a browser", "sip:7ea9gjtn@06eabvt6k4rf.invalid;transport=ws"],
] as const) {
  test(`a phone ${who}, its only connection gone, is 480 at once (RFC 5626 §5.3.1, §11.1)`, () => {
    const made = town();
    const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
    const bob = new Named(made, "tcp:10.0.2.1:41000", "bob");
    bob.named = contact;
    bob.registerFlow(TCP, 1);
    bob.hangUp(TCP);
    alice.send(UDP, "INVITE", "sip:bob@example.com");
    made.pass(100);
    assert.deepEqual(alice.heard, ["100 INVITE", "480 INVITE"]);
  });
}

test("a Path is the route to the phone (R81)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const edge = new TestPhone(made, "udp:10.0.5.1:5060", "edge");
  edge.send(UDP, "REGISTER", "sip:example.com", {
    to: "<sip:bob@example.com>",
    lines: ["Path: <sip:10.0.5.1:5060;lr;ob>"],
  });
  made.pass(10);
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(10);
  assert.equal(edge.last("INVITE").headers.get("route"), "<sip:10.0.5.1:5060;lr;ob>");
});

test("a strict router in front of a Path gets the hops behind it as routes (R81, RFC 3261 §16.6)", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const edge = new TestPhone(made, "udp:10.0.5.1:5060", "edge");
  edge.send(UDP, "REGISTER", "sip:example.com", {
    to: "<sip:bob@example.com>",
    lines: [
      "Path: <sip:10.0.5.1;x=y>, <sip:in,side@p2.example;lr>;a=b",
      "Path: <sip:p3.example;lr>",
    ],
  });
  made.pass(10);
  alice.send(UDP, "MESSAGE", "sip:bob@example.com");
  made.pass(10);
  const { uri, headers } = edge.last("MESSAGE");
  assert.equal(uri, "sip:10.0.5.1;x=y");
  assert.deepEqual(headers.all("route"), [
    "<sip:in,side@p2.example;lr>;a=b",
    "<sip:p3.example;lr>",
    "<sip:edge@10.0.5.1:5060>",
  ]);
});

test("an expired binding is told, tidied away, and called no more", () => {
  const made = town();
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  bob.register(UDP, ["Expires: 60"]);
  bob.register(UDP, ["Expires: 90"]);
  made.pass(89_000);
  assert.equal(made.eventsNamed("binding.expired").length, 0);
  made.pass(2_000);
  const [expired] = made.eventsNamed("binding.expired");
  assert.equal(expired?.aor, "bob@example.com");
  assert.equal(made.store.value("aor/bob@example.com"), undefined);
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(10);
  assert.equal(alice.final("INVITE").status, 480);
});

test("a binding that ended while the store was away is told and tidied away when it is back", () => {
  const made = town();
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  bob.register(UDP, ["Expires: 60"]);
  made.pass(50_000);
  made.store.available = false;
  made.pass(15_000);
  made.store.available = true;
  assert.equal(made.eventsNamed("binding.expired").length, 0);
  made.pass(10_000);
  assert.equal(made.eventsNamed("binding.expired").length, 1);
  assert.equal(made.store.value("aor/bob@example.com"), undefined);
});

/** How often the store is read for bob in each of some hours in which he renews well before he would expire. */
function readsByTheHour(made: Town, servers: readonly string[]): number[] {
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  return Array.from({ length: 6 }, () => {
    const before = made.store.reads.length;
    for (let renewal = 0; renewal < 30; renewal += 1) {
      bob.register(servers[Math.floor(renewal / 10) % servers.length] as string, ["Expires: 270"]);
      made.pass(120_000);
    }
    return made.store.reads.slice(before).filter((key) => key === "aor/bob@example.com").length;
  });
}

test("a binding that is renewed for hours is looked for once in each of its lifetimes, in every hour", () => {
  const hours = readsByTheHour(town(), [UDP]);
  assert.ok(Math.max(...hours) <= 3600 / 150, hours.join(" "));
  assert.equal(hours.at(-1), hours[1]);
});

test("looks of two servers at one binding, which comes and goes between them, do not add up either", () => {
  const made = town();
  made.server({ name: "two", listen: [{ transport: "udp", address: "10.0.0.2", port: 5060 }] });
  const hours = readsByTheHour(made, [UDP, "udp:10.0.0.2:5060"]);
  assert.ok(Math.max(...hours) <= (2 * 3600) / 120, hours.join(" "));
});

test("an operator may take a user's bindings away", () => {
  const made = town();
  const [host] = made.hosts;
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  bob.register(UDP);
  const told: Removal[] = [];
  const remove = (): void => {
    host!.run((now) => host!.server.removeBindings(now, "bob", (outcome) => told.push(outcome)));
    made.pass(10);
  };
  remove();
  remove();
  assert.deepEqual(told, ["removed", "none"]);
  assert.equal(made.eventsNamed("binding.removed").length, 1);
  // What is remembered of one that the phone itself has removed is none.
  bob.register(UDP);
  bob.register(UDP, ["Expires: 0"]);
  remove();
  made.store.available = false;
  remove();
  assert.deepEqual(told, ["removed", "none", "none", "unavailable"]);
});

test("an operator takes a binding away that another server writes at the same moment", () => {
  const made = town();
  const [host] = made.hosts;
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  bob.register(UDP);
  made.store.contested = true;
  const told: Removal[] = [];
  host!.run((now) => host!.server.removeBindings(now, "bob", (outcome) => told.push(outcome)));
  made.pass(10);
  assert.deepEqual(told, ["removed"]);
  assert.equal(made.eventsNamed("binding.removed").length, 1);
});

/** Alice has called Bob, who answers so to the INVITE: then the server is told to stop. */
function stopped(answer: number | undefined) {
  const made = town();
  const [host] = made.hosts;
  const alice = new TestPhone(made, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(made, "udp:10.0.2.1:5060", "bob");
  bob.register(UDP);
  bob.answer = ({ method }) => (method === "INVITE" ? answer : 200);
  alice.send(UDP, "INVITE", "sip:bob@example.com");
  made.pass(10);
  host!.run((now) => host!.server.stop(now));
  return { made, host: host!, alice, bob };
}

test("a server that stops takes nothing new, ends what is ringing, and is gone within 5 s", () => {
  const { made, host, alice, bob } = stopped(undefined);
  alice.send(UDP, "INVITE", "sip:bob@example.com", { callId: "late" });
  bob.register(UDP);
  made.pass(100);
  assert.equal(alice.final("INVITE").status, 503);
  assert.equal(bob.final("REGISTER").status, 503);
  assert.equal(host.server.state, "stopping");
  bob.reply(bob.responseTo(bob.last("INVITE"), 200), UDP);
  made.pass(100);
  assert.equal(alice.final("INVITE").status, 200);
  assert.equal(host.server.state, "stopped");
  assert.equal(host.deadline, Number.POSITIVE_INFINITY);
});

test("… who rings for longer is cancelled, and the caller asks another server: 503, also when nothing was heard", () => {
  for (const answered of [true, false]) {
    const { made, host, alice, bob } = stopped(180);
    made.pass(2_900);
    assert.equal(bob.heard.includes("CANCEL"), false);
    made.pass(200);
    assert.equal(bob.heard.includes("CANCEL"), true);
    if (answered) bob.reply(bob.responseTo(bob.last("INVITE"), 487), UDP);
    made.pass(1_000);
    assert.equal(alice.final("INVITE").status, 503);
    assert.equal(made.eventsNamed("call.refused")[0]?.status, 503);
    assert.equal(host.server.state, "stopped");
  }
});

test("… and one who answers at the last moment has the call", () => {
  const { made, alice, bob } = stopped(180);
  made.pass(3_010);
  bob.reply(bob.responseTo(bob.last("INVITE"), 200), UDP);
  made.pass(1_000);
  assert.equal(alice.final("INVITE").status, 200);
});

test("a store that is not there at the start is waited for", () => {
  const made = new Town();
  made.store.available = false;
  const host = made.server();
  assert.equal(made.eventsNamed("server.waiting").length, 1);
  made.store.available = true;
  made.pass(1_500);
  assert.equal(host.server.state, "running");
});
