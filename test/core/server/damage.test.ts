/** Nothing that a peer can send makes a server throw: the torture messages and damaged ones, from fixed seeds. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Prng } from "../../support/prng.ts";
import { TestPhone } from "./test-phone.ts";
import { Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const ROUNDS = 20_000;

function guardedTown(): { town: Town; stranger: TestPhone } {
  const town = new Town();
  town.server({ users: users("alice: x\nbob: y\n"), acceptForeign: true });
  return { town, stranger: new Deaf(town, "udp:10.0.6.6:5060", "stranger") };
}

/** Hears without looking. */
class Deaf extends TestPhone {
  override came(): void {
    this.texts.push("");
  }
}

test("the messages of RFC 4475 are answered or dropped, and the server goes on", () => {
  const { town, stranger } = guardedTown();
  const root = dirname(createRequire(import.meta.url).resolve("sip/package.json"));
  const folder = join(root, "test", "messages");
  const files = readdirSync(folder).filter((name) => name.endsWith(".dat"));
  assert.ok(files.length >= 49);
  for (const name of files) {
    stranger.sendText(SERVER, readFileSync(join(folder, name), "latin1"));
    town.pass(5);
  }
  town.pass(100_000);
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  alice.register(SERVER);
  assert.equal(alice.final("REGISTER").status, 401);
});

test(`${ROUNDS} damaged requests and responses raise nothing`, () => {
  const { town, stranger } = guardedTown();
  const open = new Town();
  open.server();
  const bob = new Deaf(open, "udp:10.0.2.1:5060", "bob");
  const random = new Prng(2026);
  const whole = samples();
  for (let round = 0; round < ROUNDS; round += 1) {
    const text = damaged(whole[round % whole.length] as string, random, round);
    stranger.sendText(SERVER, text);
    bob.sendText(SERVER, text);
    if (round % 10 === 0) {
      town.pass(5);
      open.pass(5);
    }
  }
  town.pass(300_000);
  open.pass(300_000);
  assert.ok(stranger.texts.length > 0);
  assert.ok(bob.texts.length > 0);
});

/** One of each kind of message that takes a way of its own through the server. */
function samples(): string[] {
  const made: string[] = [];
  const recorder = new Town();
  recorder.places.set(SERVER, {
    came: (_to, _from, bytes) => made.push(Buffer.from(bytes).toString("latin1")),
  });
  const phone = new TestPhone(recorder, "udp:10.0.2.1:5060", "bob");
  const digest =
    'Digest username="bob", realm="example.com", nonce="a.b.c", uri="sip:example.com", response="0", qop=auth, nc=00000001, cnonce="c"';
  phone.register(SERVER, ["Expires: 60", "Supported: path, outbound"]);
  phone.register(SERVER, [`Authorization: ${digest}`, "Path: <sip:edge;lr>"]);
  phone.send(SERVER, "INVITE", "sip:bob@example.com", { body: "v=0\r\n" });
  phone.send(SERVER, "INVITE", "sip:bob@example.com", {
    lines: [`Proxy-Authorization: ${digest}`, "Max-Breadth: 3"],
  });
  const route = "<sip:one*b*1*udp!10.0.2.1!5060*0000@10.0.0.1:5060;lr;adm=0>";
  phone.send(SERVER, "BYE", "sip:bob@10.0.2.1", { lines: [`Route: ${route}, <sip:10.0.9.9;lr>`] });
  phone.send(SERVER, "ACK", "sip:10.0.0.1;lr", { lines: ["Route: <sip:bob@10.0.2.1>"] });
  phone.send(SERVER, "CANCEL", "sip:bob@example.com");
  phone.send(SERVER, "OPTIONS", "sip:example.com", { maxForwards: 0 });
  phone.send(SERVER, "SUBSCRIBE", "sip:bob@example.com", { lines: ["Event: presence"] });
  recorder.pass(10);
  made.push(
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n" +
      "To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
  );
  return made;
}

/** The text with a few bytes changed, removed or doubled, and a branch of its own. */
function damaged(text: string, random: Prng, round: number): string {
  let made = text.replace(/branch=z9hG4bK\w*/, `branch=z9hG4bK${round}`);
  const faults = random.below(4);
  for (let fault = 0; fault < faults; fault += 1) {
    const at = random.below(made.length);
    const length = random.below(12);
    switch (random.below(4)) {
      case 0:
        made = made.slice(0, at) + made.slice(at + length);
        break;
      case 1:
        made = made.slice(0, at) + made.slice(at, at + length).repeat(3) + made.slice(at);
        break;
      case 2:
        made = `${made.slice(0, at)}${String.fromCharCode(random.below(256))}${made.slice(at + 1)}`;
        break;
      default:
        made = `${made.slice(0, at)}${';,<>@"%:\r\n ='.charAt(random.below(13))}${made.slice(at)}`;
    }
  }
  return made;
}
