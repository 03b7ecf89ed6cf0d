/** What a stranger gets: one small answer, no state, no word about who exists (RFC 3261 §26.3.2.4, §8.2.7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../../../src/core/machine.ts";
import { TestPhone } from "./test-phone.ts";
import { type Host, Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const METHODS = ["INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "REFER", "BYE", "REGISTER"];

function guarded(): { town: Town; server: Host; stranger: TestPhone } {
  const town = new Town();
  const server = town.server({ users: users("alice: wonder\nbob: builder\n") });
  return { town, server, stranger: new TestPhone(town, "udp:10.0.9.1:5060", "mallory") };
}

/** The least of a request that is answered at all. */
function least(method: string, user: string): string {
  const uri = method === "REGISTER" ? "sip:example.com" : `sip:${user}@example.com`;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    "v:SIP/2.0/UDP h;branch=z9hG4bKa",
    "f:<sip:a@b>;tag=1",
    `t:<sip:${user}@example.com>`,
    "i:1",
    `CSeq:1 ${method}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** As phones send it. */
function usual(method: string): string {
  return least(method, "alice").replace(
    "\r\n\r\n",
    "\r\nContact: <sip:alice@192.0.2.44:5062;transport=udp>;expires=3600\r\nMax-Forwards: 70\r\n" +
      "User-Agent: Example-Phone 8.1.0.27\r\nSupported: path, outbound, replaces\r\n" +
      "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY, SUBSCRIBE, MESSAGE\r\n" +
      "Accept: application/sdp\r\nAllow-Events: talk, hold, conference, refer, check-sync\r\nContent-Length: 0\r\n\r\n",
  );
}

for (const method of METHODS) {
  test(`${method}: one answer, nothing repeated, nothing kept`, () => {
    const { town, server, stranger } = guarded();
    const written = town.store.writes.length;
    stranger.sendText(SERVER, least(method, "alice"));
    town.pass(10);
    assert.equal(stranger.texts.length, 1);
    assert.equal(server.deadline, NEVER, "a timer runs for a stranger");
    town.pass(60_000);
    assert.equal(stranger.texts.length, 1);
    assert.equal(town.store.writes.length, written);
  });

  test(`${method}: one answer of less than 500 bytes, and no larger than a usual request`, () => {
    const { town, stranger } = guarded();
    for (const [text, bound] of [
      [least(method, "alice"), 500],
      [usual(method), usual(method).length],
    ] as const) {
      stranger.sendText(SERVER, text);
      town.pass(10);
      const { length } = stranger.texts.at(-1) ?? "";
      assert.ok(length <= bound, `${length} bytes for ${text.length}`);
    }
  });

  test(`${method}: whether a user exists is not told`, () => {
    const { town, stranger } = guarded();
    const [known, unknown] = ["alice", "nemo5"].map((user) => {
      stranger.sendText(SERVER, least(method, user));
      town.pass(10);
      return (stranger.texts.at(-1) ?? "").replaceAll(user, "X").replace(/nonce="[^"]*"/g, "");
    });
    assert.equal(known, unknown);
  });
}

test("the ACK of an INVITE refused without state goes nowhere, even where everybody is let in", () => {
  const town = new Town();
  town.server();
  const bob = new TestPhone(town, "udp:10.0.2.1:5060", "bob");
  bob.register(SERVER);
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  alice.send(SERVER, "INVITE", "sip:bob@example.com", { maxForwards: 0, branch: "z9hG4bKx" });
  town.pass(10);
  const refused = alice.final("INVITE");
  assert.equal(refused.status, 483);
  alice.send(SERVER, "ACK", "sip:bob@example.com", {
    branch: "z9hG4bKx",
    cseq: 1,
    to: refused.headers.get("to") as string,
  });
  town.pass(10);
  assert.deepEqual(bob.requests, []);
});

test("a retransmitted INVITE that was refused gets the same To tag (§8.2.7)", () => {
  const { town, stranger } = guarded();
  for (let time = 0; time < 2; time += 1) {
    stranger.sendText(SERVER, least("INVITE", "alice"));
    town.pass(500);
  }
  const [first, second] = stranger.responses.map(({ headers }) => headers.get("to"));
  assert.equal(first, second);
});

test("a trunk whose certificate proves its domain calls our users from it, from no other, and nobody elsewhere (RFC 5922)", () => {
  const { town } = guarded();
  const trunk = new TestPhone(town, "udp:10.0.8.1:5060", "trunk");
  town.proven.set(trunk.place, ["trunk.example"]);
  const statusOf = (uri: string, from: string): number => {
    trunk.send(SERVER, "MESSAGE", uri, { from: `<sip:carol@${from}>;tag=t`, callId: from + uri });
    town.pass(10);
    return trunk.final("MESSAGE").status;
  };
  assert.equal(statusOf("sip:bob@example.com", "trunk.example"), 480);
  assert.equal(statusOf("sip:bob@example.com", "other.example"), 407);
  assert.equal(statusOf("sip:bob@example.com", "example.com"), 407);
  assert.equal(statusOf("sip:bob@elsewhere.example", "trunk.example"), 407);
});

test("credentials that a peer sent come back in no answer", () => {
  const { town, stranger } = guarded();
  for (const method of METHODS) {
    for (const name of ["Authorization", "Proxy-Authorization"]) {
      const secret = `${name}: Digest username="alice", realm="example.com", nonce="n0nce", uri="sip:x", response="5ecret"`;
      stranger.sendText(
        SERVER,
        least(method, "alice").replace("\r\n\r\n", `\r\n${secret}\r\n\r\n`),
      );
      town.pass(10);
      assert.equal(/5ecret|n0nce|wonder|builder/.test(stranger.texts.at(-1) ?? ""), false);
    }
  }
});
