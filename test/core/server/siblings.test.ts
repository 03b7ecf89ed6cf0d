/** Two servers that share one store are one system, whichever of them dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bob } from "./bob.ts";
import { TestPhone } from "./test-phone.ts";
import { type Host, Town } from "./town.ts";

const ONE = "udp:10.0.0.1:5060";
const TWO = "udp:10.0.0.2:5060";

interface Pair {
  readonly town: Town;
  readonly one: Host;
  readonly two: Host;
  readonly alice: TestPhone;
  readonly bob: TestPhone;
}

/** Two servers sharing one store; Bob is registered at the second, Alice calls through the first. */
function pair(bobTransport: "udp" | "tcp" = "udp"): Pair {
  const town = new Town();
  const at = (name: string, address: string): Host =>
    town.server({
      name,
      shared: true,
      listen: [
        { transport: "udp", address, port: 5060 },
        { transport: "tcp", address, port: 5060 },
        { transport: "ws", address, port: 5066 },
      ],
    });
  const one = at("one", "10.0.0.1");
  const two = at("two", "10.0.0.2");
  town.pass(6_000);
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(town, `${bobTransport}:10.0.2.1:5070`, "bob");
  bob.register(bobTransport === "udp" ? TWO : "tcp:10.0.0.2:5060");
  bob.answer = () => 200;
  alice.answer = () => 200;
  return { town, one, two, alice, bob };
}

/** The second server takes nothing in until it is let go, and then all at once. */
function muteTwo({ town, two }: Pair): () => void {
  const held: (() => void)[] = [];
  town.places.set(TWO, { came: (...packet) => held.push(() => two.came(...packet)) });
  return () => {
    town.places.set(TWO, two);
    for (const deliver of held) deliver();
  };
}

/** The phone of `pair`, which names the same Contact over another connection. */
class Reconnected extends TestPhone {
  override get contact(): string {
    return "sip:bob@10.0.2.1:5070;transport=tcp";
  }
}

function call({ town, alice }: Pair, to = ONE): void {
  alice.send(to, "INVITE", "sip:bob@example.com");
  town.pass(50);
}

test("a call to a phone registered at the other server arrives, by that server", () => {
  const all = pair();
  call(all);
  const { alice, bob } = all;
  assert.equal(alice.final("INVITE").status, 200);
  assert.equal(bob.last("INVITE").headers.all("via").length, 3);
  alice.sendInDialog(ONE, "ACK", alice.final("INVITE"));
  assert.equal(bob.heard.at(-1), "ACK");
  alice.sendInDialog(ONE, "INFO", alice.final("INVITE"));
  assert.equal(alice.final("INFO").status, 200);
  bob.sendInDialog(TWO, "BYE", bob.last("INVITE"));
  assert.equal(bob.final("BYE").status, 200);
});

test("so does one to a phone behind a connection that the other server holds (C36)", () => {
  const all = pair("tcp");
  call(all);
  const { alice, bob } = all;
  assert.equal(alice.final("INVITE").status, 200);
  alice.sendInDialog(ONE, "ACK", alice.final("INVITE"));
  assert.equal(bob.heard.at(-1), "ACK");
  bob.sendInDialog("tcp:10.0.0.2:5060", "BYE", bob.last("INVITE"));
  assert.equal(bob.final("BYE").status, 200);
});

test("when the other server has just died the call reaches the phone past it, at once", () => {
  const all = pair();
  all.two.kill();
  call(all);
  assert.equal(all.alice.final("INVITE").status, 200);
  assert.equal(all.bob.last("INVITE").headers.all("via").length, 2);
  all.alice.sendInDialog(ONE, "ACK", all.alice.final("INVITE"));
  assert.equal(all.bob.heard.at(-1), "ACK");
});

test("when the other server is mute the call goes past it after half a second, later calls at once", () => {
  const all = pair();
  const { town, alice, bob } = all;
  town.places.set(TWO, { came: () => undefined });
  call(all);
  assert.deepEqual(bob.requests, []);
  town.pass(600);
  assert.equal(alice.final("INVITE").status, 200);
  bob.received.length = 0;
  alice.send(ONE, "INVITE", "sip:bob@example.com", { callId: "second" });
  town.pass(20);
  assert.equal(bob.requests.length, 1);
});

test("a phone that is mute to BYE does not make the server suspected that holds its registration", () => {
  const all = pair();
  const { town, alice, bob } = all;
  call(all);
  const own = town.places.get(bob.place)!;
  town.places.set(bob.place, { came: () => undefined });
  alice.sendInDialog(ONE, "BYE", alice.final("INVITE"));
  town.pass(1_700);
  town.places.set(bob.place, own);
  bob.received.length = 0;
  alice.send(ONE, "INVITE", "sip:bob@example.com", { callId: "second" });
  town.pass(50);
  assert.deepEqual(
    bob.requests
      .filter(({ method }) => method === "INVITE")
      .map(({ headers }) => headers.all("via").length),
    [3],
  );
});

test("a mute server that wakes up does not make the phone ring twice: 482 is its answer, not the caller's", () => {
  const all = pair();
  const { town, alice, bob } = all;
  const letGo = muteTwo(all);
  let rung = 0;
  bob.answer = ({ method }) => {
    if (method !== "INVITE") return 200;
    rung += 1;
    return rung === 1 ? 180 : 482;
  };
  call(all);
  town.pass(600);
  letGo();
  town.pass(50);
  assert.deepEqual(alice.heard, ["100 INVITE", "180 INVITE"]);
  const [invite] = bob.requests;
  bob.reply(bob.responseTo(invite!, 200), ONE);
  town.pass(50);
  assert.equal(alice.final("INVITE").status, 200);
});

test("a mute server that has woken up is not gone any more: it is asked again as soon as it has answered", () => {
  const all = pair();
  const { town, alice, bob } = all;
  const letGo = muteTwo(all);
  bob.answer = () => 180;
  call(all);
  town.pass(600);
  letGo();
  town.pass(50);
  bob.answer = () => 486;
  alice.send(ONE, "INVITE", "sip:bob@example.com", { callId: "second" });
  town.pass(50);
  assert.deepEqual(
    bob.requests
      .filter(({ method }) => method === "INVITE")
      .map(({ headers }) => headers.all("via").length),
    [2, 3, 3],
  );
});

test("nor is one whose heartbeat is overdue: its answer is a sign of life before the next one", () => {
  const all = pair("tcp");
  const { town, alice, bob, two } = all;
  const letGo = muteTwo(all);
  two.alive = false;
  town.pass(10_000);
  call(all);
  town.pass(9_000);
  two.alive = true;
  letGo();
  town.pass(50);
  alice.sendInDialog(ONE, "BYE", alice.final("INVITE"));
  assert.equal(bob.heard.at(-1), "BYE");
});

test("a call goes on through the server that is left when either one dies (I10)", () => {
  const first = pair();
  call(first);
  first.one.kill();
  first.alice.sendInDialog(TWO, "BYE", first.alice.final("INVITE"));
  assert.equal(first.alice.final("BYE").status, 200);

  const second = pair();
  call(second);
  second.two.kill();
  second.alice.sendInDialog(ONE, "BYE", second.alice.final("INVITE"));
  assert.equal(second.alice.final("BYE").status, 200);

  const third = pair();
  call(third);
  third.two.kill();
  third.bob.sendInDialog(ONE, "BYE", third.bob.last("INVITE"));
  assert.equal(third.bob.final("BYE").status, 200);
});

test("a phone whose connection died with its server gets the rest of its call over a new one (C34)", () => {
  const all = pair("tcp");
  call(all);
  const { town, alice, bob, two } = all;
  two.kill();
  town.places.delete(bob.place);
  const again = new Reconnected(town, "tcp:10.0.2.1:41009", "bob");
  again.send("tcp:10.0.0.1:5060", "REGISTER", "sip:example.com", { to: "<sip:bob@example.com>" });
  again.answer = () => 200;
  town.pass(10);
  const accepted = alice.final("INVITE");
  for (const method of ["UPDATE", "ACK", "BYE"]) {
    alice.sendInDialog(ONE, method, accepted);
    town.pass(600);
  }
  assert.deepEqual(
    again.requests.map(({ method }) => method),
    ["UPDATE", "ACK", "BYE"],
  );
  assert.equal(alice.final("BYE").status, 200);
});

test("a flow that is gone at the other server is passed over for the phone's flow here (RFC 5626 §5.3.1)", () => {
  const { town, alice } = pair();
  const here = new Bob(town, "tcp:10.0.2.2:41001", "carol");
  const there = new Bob(town, "ws:10.0.2.2:41002", "carol");
  here.registerFlow("tcp:10.0.0.1:5060", 1);
  town.pass(2_000);
  there.registerFlow("ws:10.0.0.2:5066", 2);
  there.hangUp("ws:10.0.0.2:5066");
  here.answer = () => 200;
  alice.send(ONE, "INVITE", "sip:carol@example.com");
  town.pass(50);
  assert.deepEqual(alice.heard, ["100 INVITE", "200 INVITE"]);
});

test("a phone whose flow died with the other server is out of reach: 480, at the first call as at later ones", () => {
  const { town, two, alice } = pair();
  new Bob(town, "ws:10.0.2.2:41001", "carol").registerFlow("ws:10.0.0.2:5066", 1);
  two.kill();
  for (const callId of ["first", "second"]) {
    alice.received.length = 0;
    alice.send(ONE, "INVITE", "sip:carol@example.com", { callId });
    town.pass(50);
    assert.deepEqual(alice.heard, ["100 INVITE", "480 INVITE"], callId);
  }
});

test("… in a dialog too, whichever of three servers held flows that are gone: none of them asks another in a circle", () => {
  const all = pair();
  const { town, alice } = all;
  const three = "tcp:10.0.0.3:5060";
  const listen = [{ transport: "tcp", address: "10.0.0.3", port: 5060 } as const];
  town.server({ name: "three", shared: true, listen });
  town.pass(6_000);
  const first = new Bob(town, "ws:10.0.2.2:41001", "carol").registerFlow("ws:10.0.0.2:5066", 1);
  first.answer = () => 200;
  alice.send(ONE, "INVITE", "sip:carol@example.com");
  town.pass(50);
  const accepted = alice.final("INVITE");
  alice.sendInDialog(ONE, "ACK", accepted);
  town.pass(2_000);
  const second = new Bob(town, "tcp:10.0.2.2:41002", "carol").registerFlow(three, 2);
  town.pass(2_000);
  const third = new Bob(town, "tcp:10.0.2.2:41003", "carol").registerFlow("tcp:10.0.0.1:5060", 3);
  first.hangUp("ws:10.0.0.2:5066");
  second.hangUp(three);
  third.answer = () => 200;
  alice.sendInDialog(ONE, "BYE", accepted);
  town.pass(50);
  assert.equal(alice.final("BYE").status, 200);
  assert.equal(third.last("BYE").method, "BYE");
});

test("a phone may register at either server in turn: one address-of-record, one binding", () => {
  const { town, bob } = pair();
  bob.register(ONE);
  assert.equal(bob.final("REGISTER").status, 200);
  const contacts = bob.final("REGISTER").headers.all("contact");
  assert.equal(contacts.length, 1);
  assert.equal(town.eventsNamed("binding.refreshed")[0]?.node, "one");
});

test("an address at the other server's address is ours too", () => {
  const { town, alice, bob } = pair();
  bob.send(ONE, "REGISTER", "sip:10.0.0.2", { to: "<sip:bob@10.0.0.2>", callId: "reg-2" });
  town.pass(10);
  assert.equal(bob.final("REGISTER").status, 200);
  alice.send(ONE, "INVITE", "sip:bob@10.0.0.2:5060");
  town.pass(50);
  assert.equal(alice.final("INVITE").status, 200);
});

test("nobody is taken for gone because the store is: a call goes on through both servers (I10)", () => {
  const all = pair("tcp");
  call(all);
  const { town, alice, bob } = all;
  town.store.available = false;
  town.pass(60_000);
  alice.sendInDialog(ONE, "BYE", alice.final("INVITE"));
  town.pass(50);
  assert.equal(alice.final("BYE").status, 200);
  assert.equal(bob.heard.at(-1), "BYE");
});

test("a node that comes back in another life is found there, its old connections are not", () => {
  const all = pair("tcp");
  const { town, alice, bob } = all;
  all.two.kill();
  town.server({
    name: "two",
    shared: true,
    listen: [{ transport: "udp", address: "10.0.0.2", port: 5060 }],
  });
  town.pass(6_000);
  bob.received.length = 0;
  town.places.delete(bob.place);
  call(all);
  assert.equal(alice.final("INVITE").status, 480);
});

test("a store that was emptied is given the secret back: a node that starts anew is still one of us", () => {
  const all = pair();
  const { town, alice, bob } = all;
  const secret = town.store.value("secret");
  town.store.empty();
  town.pass(6_000);
  assert.equal(town.store.value("secret"), secret);
  all.two.kill();
  const listen = [{ transport: "udp", address: "10.0.0.2", port: 5060 }] as const;
  town.server({ name: "two", shared: true, listen });
  bob.register(TWO);
  town.pass(6_000);
  call(all);
  assert.equal(alice.final("INVITE").status, 200);
});

test("a node that leaves is not waited for", () => {
  const all = pair();
  const { town, alice } = all;
  all.two.run((now) => all.two.server.stop(now));
  town.pass(6_000);
  assert.equal(all.two.server.state, "stopped");
  call(all);
  assert.equal(alice.final("INVITE").status, 200);
});
