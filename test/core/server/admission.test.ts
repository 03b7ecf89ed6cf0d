/** What one node has admitted its siblings take, by their shared secret: with credentials once, or as a guest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Response } from "../../../src/core/message/message.ts";
import { answerTo } from "./digest-answer.ts";
import { TestPhone } from "./test-phone.ts";
import { type Host, Town, users } from "./town.ts";

const ONE = "udp:10.0.0.1:5060";
const TWO = "udp:10.0.0.2:5060";
const URI = "sip:bob@example.com";

interface Pair {
  readonly town: Town;
  readonly two: Host;
  readonly bob: TestPhone;
}

/** Two nodes that ask for passwords; Bob is registered at the second. */
function pair(): Pair {
  const town = new Town();
  const at = (name: string, address: string): Host =>
    town.server({
      name,
      shared: true,
      users: users("alice: wonder\nbob: builder\n"),
      acceptForeign: true,
      listen: [{ transport: "udp", address, port: 5060 }],
    });
  at("one", "10.0.0.1");
  const two = at("two", "10.0.0.2");
  town.pass(6_000);
  const bob = new TestPhone(town, "udp:10.0.2.1:5070", "bob");
  const how = { user: "bob", password: "builder" };
  bob.register(TWO);
  bob.register(TWO, [answerTo(bob.final("REGISTER"), "REGISTER", "sip:example.com", how)]);
  assert.equal(bob.final("REGISTER").status, 200);
  bob.answer = () => 200;
  return { town, two, bob };
}

function invite(phone: TestPhone, from: string, lines: readonly string[] = []): Response {
  phone.send(ONE, "INVITE", URI, { from, lines });
  phone.town.pass(50);
  return phone.final("INVITE");
}

/** A call through both nodes, each of its requests let in without a password. */
function goesOn({ two, bob }: Pair, caller: TestPhone, answer: Response): void {
  assert.equal(answer.status, 200);
  assert.equal(bob.last("INVITE").headers.all("via").length, 3);
  caller.answer = () => 200;
  caller.sendInDialog(ONE, "ACK", answer);
  assert.equal(bob.heard.at(-1), "ACK");
  caller.sendInDialog(ONE, "INFO", answer);
  assert.equal(caller.final("INFO").status, 200);
  bob.sendInDialog(TWO, "UPDATE", bob.last("INVITE"));
  assert.equal(bob.final("UPDATE").status, 200);
  two.kill();
  bob.sendInDialog(ONE, "BYE", bob.last("INVITE"));
  assert.equal(bob.final("BYE").status, 200);
}

test("a call that one node admitted is challenged by no other, nor are its requests, also past a dead one", () => {
  const all = pair();
  const alice = new TestPhone(all.town, "udp:10.0.1.1:5060", "alice");
  const from = "<sip:alice@example.com>;tag=1";
  const line = answerTo(invite(alice, from), "INVITE", URI, {});
  goesOn(all, alice, invite(alice, from, [line]));
});

test("so is a guest's, who remains one at the other node", () => {
  const all = pair();
  const stranger = new TestPhone(all.town, "udp:10.0.9.1:5060", "x");
  const from = "<sip:x@far.example>;tag=1";
  const answer = invite(stranger, from);
  const routes = all.bob.last("INVITE").headers.all("record-route").join(", ");
  for (const tag of ["tbob", "made-up"]) {
    stranger.send(TWO, "INVITE", "sip:+1900@10.0.9.2:5060", {
      from,
      to: `<sip:bob@example.com>;tag=${tag}`,
      lines: [`Route: ${routes}`],
    });
    all.town.pass(50);
    assert.equal(stranger.final("INVITE").status, 407);
  }
  goesOn(all, stranger, answer);
});

const ASSERTED = "P-Asserted-Identity: <sip:director@example.com>";

for (const [who, domain, kept] of [
  ["a user", "example.com", false],
  ["a guest", "far.example", false],
  ["a trunk", "trunk.example", true],
] as const) {
  test(`who calls is for servers to say: the word of ${who} is ${kept ? "kept" : "taken off"} (RFC 3325 §5)`, () => {
    const { town, bob } = pair();
    const caller = new TestPhone(town, "udp:10.0.9.1:5060", "alice");
    if (kept) town.proven.set(caller.place, [domain]);
    const from = `<sip:alice@${domain}>;tag=1`;
    const lines = [ASSERTED, ASSERTED.replace("Asserted", "Preferred")];
    let answer = invite(caller, from, lines);
    if (answer.status === 407) {
      answer = invite(caller, from, [...lines, answerTo(answer, "INVITE", URI, {})]);
    }
    assert.equal(answer.status, 200);
    const told = (method: string): boolean[] =>
      ["p-asserted-identity", "p-preferred-identity"].map((name) =>
        bob.last(method).headers.has(name),
      );
    assert.deepEqual(told("INVITE"), [kept, kept]);
    caller.sendInDialog(ONE, "INFO", answer, lines);
    assert.deepEqual(told("INFO"), [false, false]);
  });
}

test("what one node tells the other about a request is not in what the phone gets", () => {
  const all = pair();
  const passed: string[] = [];
  const node = all.town.places.get(TWO);
  all.town.places.set(TWO, {
    came(to, from, bytes) {
      passed.push(Buffer.from(bytes).toString("latin1"));
      node?.came(to, from, bytes);
    },
  });
  invite(new TestPhone(all.town, "udp:10.0.9.1:5060", "x"), "<sip:x@far.example>;tag=1");
  const word = /^Route:.*adm=(\w+)/im.exec(passed.find((text) => text.startsWith("INVITE")) ?? "");
  assert.ok(word?.[1]);
  assert.equal(
    all.bob.texts.some((text) => text.includes(word?.[1] ?? "")),
    false,
  );
});
