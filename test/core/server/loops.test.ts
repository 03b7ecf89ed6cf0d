/** What comes by twice without going round in circles: a spiral (RFC 3261 §6, §16.3(4)). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPhone } from "./test-phone.ts";
import { type Host, Town } from "./town.ts";

const HERE = "udp:10.0.0.1:5060";
const THERE = "udp:10.0.0.2:5060";

/** Binds a user of that domain to a contact elsewhere. */
function forward(town: Town, to: string, user: string, domain: string, contact: string): void {
  const binder = new TestPhone(town, "udp:10.0.9.1:5060", user);
  const lines = [
    `REGISTER sip:${domain} SIP/2.0`,
    `Via: SIP/2.0/UDP ${binder.address};branch=z9hG4bK${user}${domain}`,
    `From: <sip:${user}@${domain}>;tag=1`,
    `To: <sip:${user}@${domain}>`,
    `Call-ID: ${user}@${domain}`,
    "CSeq: 1 REGISTER",
    `Contact: <${contact}>`,
    "Content-Length: 0\r\n\r\n",
  ];
  binder.sendText(to, lines.join("\r\n"));
  town.pass(10);
  assert.equal(binder.final("REGISTER").status, 200);
}

test("a call that spirals goes on through the same servers and is ended through them (R54)", () => {
  const town = new Town();
  const at = (name: string, domain: string, address: string): Host =>
    town.server({ name, domains: [domain], listen: [{ transport: "udp", address, port: 5060 }] });
  at("one", "one.example", "10.0.0.1");
  at("two", "two.example", "10.0.0.2");
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(town, "udp:10.0.2.1:5060", "bob");
  forward(town, HERE, "desk", "one.example", "sip:away@10.0.0.2");
  forward(town, THERE, "away", "two.example", "sip:bob@10.0.0.1");
  forward(town, HERE, "bob", "one.example", bob.contact);
  bob.answer = () => 200;
  alice.answer = () => 200;
  alice.send(HERE, "INVITE", "sip:desk@one.example");
  town.pass(20);
  const invite = bob.last("INVITE");
  assert.equal(invite.headers.all("via").length, 4);
  const answer = alice.final("INVITE");
  alice.sendInDialog(HERE, "ACK", answer);
  town.pass(20);
  assert.equal(bob.heard.at(-1), "ACK");
  bob.sendInDialog(HERE, "INFO", invite);
  town.pass(20);
  assert.equal(bob.final("INFO").status, 200);
  // One route a line, the first of them the same each time it comes by.
  const routes = invite.headers.all("record-route").reverse();
  assert.equal(routes[0], routes[2]);
  alice.send(HERE, "BYE", bob.contact, {
    callId: answer.headers.get("call-id") as string,
    from: answer.headers.get("from") as string,
    to: answer.headers.get("to") as string,
    lines: routes.map((route) => `Route: ${route}`),
  });
  town.pass(20);
  assert.equal(alice.final("BYE").status, 200);
});
