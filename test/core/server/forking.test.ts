/** Forking one after another (RFC 3261 §16.6, §16.7), and what is left of a fork when it is decided. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Response } from "../../../src/core/message/message.ts";
import { Bob } from "./bob.ts";
import { TestPhone } from "./test-phone.ts";
import { Town } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const STREAM = "tcp:10.0.0.1:5060";

/** Bob's phones, each registered with that q; an empty one: without. */
class House {
  readonly town: Town = new Town();
  readonly alice: TestPhone;
  readonly bob: readonly TestPhone[];

  constructor(...qs: readonly string[]) {
    this.town.server();
    this.alice = new TestPhone(this.town, "udp:10.0.1.1:5060", "alice");
    this.bob = qs.map((q, index) => {
      const phone = new TestPhone(this.town, `udp:10.0.2.${index + 1}:5060`, "bob");
      const contact = `<${phone.contact}>${q === "" ? "" : `;q=${q}`}`;
      phone.sendText(SERVER, registration(phone, contact, index));
      this.town.pass(10);
      assert.equal(phone.final("REGISTER").status, 200);
      phone.received.length = 0;
      return phone;
    });
  }

  call(method = "INVITE"): void {
    this.alice.send(SERVER, method, "sip:bob@example.com");
    this.town.pass(10);
  }

  /** Answers what the phone was asked last. */
  say(index: number, status: number): void {
    const phone = this.bob[index] as TestPhone;
    phone.reply(phone.responseTo(phone.last("INVITE"), status), SERVER);
    this.town.pass(10);
  }

  get heard(): string[] {
    return this.bob.map(({ heard }) => [...new Set(heard)].join(" "));
  }
}

function registration(phone: TestPhone, contact: string, index: number): string {
  return [
    "REGISTER sip:example.com SIP/2.0",
    `Via: SIP/2.0/UDP ${phone.address};branch=z9hG4bKr${index};rport`,
    "From: <sip:bob@example.com>;tag=1",
    "To: <sip:bob@example.com>",
    `Call-ID: reg-${index}`,
    "CSeq: 1 REGISTER",
    `Contact: ${contact}`,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

suite("why a phone is called no more (RFC 3326 §2, §3.1)", () => {
  const ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"';

  /** Two ring; what the second is told when it is cancelled. */
  function told(end: (house: House) => void): readonly string[] {
    const house = new House("", "");
    house.call();
    house.say(0, 180);
    house.say(1, 180);
    end(house);
    house.alice.town.pass(10);
    return (house.bob[1] as TestPhone).last("CANCEL").headers.all("reason");
  }

  test("because another one has answered: nobody has missed a call", () => {
    assert.deepEqual(
      told((house) => house.say(0, 200)),
      [ELSEWHERE],
    );
  });

  test("because another one has refused for all", () => {
    assert.deepEqual(
      told((house) => house.say(0, 603)),
      ['SIP;cause=603;text="Decline"'],
    );
  });

  test("for the caller's reasons, if he gives any", () => {
    const cancel = (lines: readonly string[]) => (house: House) => {
      const { cseq, via } = sentBy(house);
      house.alice.send(SERVER, "CANCEL", "sip:bob@example.com", { cseq, branch: via, lines });
    };
    assert.deepEqual(told(cancel([])), []);
    const two = [`Reason: ${ELSEWHERE}`, "Reason: Q.850;cause=26"];
    assert.deepEqual(told(cancel(two)), [ELSEWHERE, "Q.850;cause=26"]);
  });

  test("one that only had its time is told nothing", () => {
    const house = new House("1.0", "0.5");
    house.call();
    house.say(0, 180);
    house.town.pass(21_000);
    assert.deepEqual((house.bob[0] as TestPhone).last("CANCEL").headers.all("reason"), []);
  });
});

/** The number and branch of Alice's INVITE. */
function sentBy({ alice }: House): { cseq: number; via: string } {
  const { headers } = alice.responses.at(-1) as Response;
  const via = /branch=([^;]+)/.exec(headers.get("via") ?? "")?.[1] ?? "";
  return { cseq: Number.parseInt(headers.get("cseq") ?? "", 10), via };
}

suite("phones with a q", () => {
  test("are called from the highest down, equal ones and those without together", () => {
    const house = new House("0.5", "", "1.0", "0.5");
    house.call();
    assert.deepEqual(house.heard, ["", "INVITE", "INVITE", ""]);
    house.say(1, 486);
    assert.deepEqual(house.heard, ["", "INVITE ACK", "INVITE", ""]);
    house.say(2, 486);
    assert.deepEqual(house.heard, ["INVITE", "INVITE ACK", "INVITE ACK", "INVITE"]);
    house.say(0, 200);
    assert.equal(house.alice.final("INVITE").status, 200);
  });

  test("the best answer of all rows is the caller's (R55)", () => {
    const house = new House("0.9", "0.1");
    house.call();
    house.say(0, 486);
    house.say(1, 404);
    assert.deepEqual(house.alice.heard, ["100 INVITE", "486 INVITE"]);
  });

  test("a 6xx ends it: nobody else is called (R55)", () => {
    const house = new House("0.9", "0.1");
    house.call();
    house.say(0, 603);
    assert.deepEqual(house.alice.heard, ["100 INVITE", "603 INVITE"]);
    assert.deepEqual(house.heard, ["INVITE ACK", ""]);
  });

  test("one that rings for 20 s is cancelled, and the next one is called", () => {
    const house = new House("0.9", "0.1");
    house.call();
    house.say(0, 180);
    house.town.pass(19_000);
    assert.deepEqual(house.heard, ["INVITE", ""]);
    house.town.pass(1_100);
    assert.deepEqual(house.heard, ["INVITE CANCEL", "INVITE"]);
    house.say(0, 487);
    house.say(1, 200);
    assert.deepEqual(house.alice.heard, ["100 INVITE", "180 INVITE", "200 INVITE"]);
  });

  test("one that is silent has 4 s; should it answer after all it is cancelled", () => {
    const house = new House("0.9", "0.1");
    house.call();
    house.town.pass(4_100);
    assert.deepEqual(house.heard, ["INVITE", "INVITE"]);
    const sent = house.bob[0]?.requests.length;
    house.town.pass(10_000);
    assert.equal(house.bob[0]?.requests.length, sent, "nothing is sent again");
    house.say(0, 180);
    assert.equal(house.bob[0]?.heard.at(-1), "CANCEL");
    house.say(1, 486);
    assert.equal(house.alice.final("INVITE").status, 486);
  });

  test("the caller gone, nobody else is called", () => {
    const house = new House("0.9", "0.1");
    const call = { cseq: 7, branch: "z9hG4bKgone" };
    house.alice.send(SERVER, "INVITE", "sip:bob@example.com", call);
    house.town.pass(10);
    house.say(0, 180);
    house.alice.send(SERVER, "CANCEL", "sip:bob@example.com", call);
    house.town.pass(10);
    house.say(0, 487);
    house.town.pass(60_000);
    assert.equal(house.alice.final("INVITE").status, 487);
    assert.deepEqual(house.heard, ["INVITE CANCEL ACK", ""]);
  });

  test("get other requests in that order, too", () => {
    const house = new House("0.9", "0.1");
    (house.bob[0] as TestPhone).answer = () => 480;
    (house.bob[1] as TestPhone).answer = () => 200;
    house.call("MESSAGE");
    house.town.pass(20);
    assert.equal(house.alice.final("MESSAGE").status, 200);
    assert.deepEqual(house.heard, ["MESSAGE", "MESSAGE"]);
  });
});

test("when one answers, those not heard of yet are sent the INVITE no more, and CANCEL if they speak (R18)", () => {
  const house = new House("", "");
  house.call();
  house.say(0, 200);
  const sent = house.bob[1]?.requests.length;
  house.town.pass(20_000);
  assert.equal(house.bob[1]?.requests.length, sent);
  house.say(1, 180);
  assert.equal(house.bob[1]?.heard.at(-1), "CANCEL");
});

test("Retry-After of a callee's 503 goes with the 500 that the caller hears (R52)", () => {
  const house = new House("");
  const bob = house.bob[0] as TestPhone;
  bob.answer = (request) => {
    const response = bob.responseTo(request, 503);
    response.headers.add("retry-after", "17");
    return response;
  };
  house.call();
  assert.equal(house.alice.final("INVITE").status, 500);
  assert.equal(house.alice.final("INVITE").headers.get("retry-after"), "17");
});

/** A phone whose newer flow does not say more than that it rings, if that, and another one. */
function twoFlows(town: Town, rings: boolean): { readonly older: Bob; readonly newer: Bob } {
  const older = new Bob(town, "tcp:10.0.2.9:41001", "bob").registerFlow(STREAM, 1);
  town.pass(2_000);
  const newer = new Bob(town, "tcp:10.0.2.9:41002", "bob").registerFlow(STREAM, 2);
  newer.answer = ({ method }) => (rings && method === "INVITE" ? 180 : undefined);
  return { older, newer };
}

function streaming(): { readonly town: Town; readonly alice: TestPhone } {
  const town = new Town();
  town.server({
    listen: [
      { transport: "udp", address: "10.0.0.1", port: 5060 },
      { transport: "tcp", address: "10.0.0.1", port: 5060 },
    ],
  });
  return { town, alice: new TestPhone(town, "udp:10.0.1.1:5060", "alice") };
}

test("who rang until Timer C, and is silent to CANCEL, is not called over his other flow (§16.8)", () => {
  const { town, alice } = streaming();
  const { older, newer } = twoFlows(town, true);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(230_000);
  assert.equal(newer.heard.includes("CANCEL"), true);
  assert.equal(older.heard.includes("INVITE"), false);
  assert.equal(alice.final("INVITE").status, 408);
});

test("a 6xx ends it for who has not been heard yet, too, by whatever flow (R55)", () => {
  const { town, alice } = streaming();
  const { older } = twoFlows(town, false);
  const other = new Bob(town, "tcp:10.0.2.8:41001", "bob", "urn:uuid:2").registerFlow(STREAM, 1);
  other.answer = ({ method }) => (method === "INVITE" ? 603 : undefined);
  alice.send(SERVER, "INVITE", "sip:bob@example.com");
  town.pass(100_000);
  assert.equal(older.heard.includes("INVITE"), false);
  assert.equal(alice.final("INVITE").status, 603);
});
