/** Which calls a box takes, when, and what it is told of them (RFC 4458, RFC 5806). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ServerConfiguration } from "../../../src/core/server/server.ts";
import { answerTo } from "./digest-answer.ts";
import { type Sending, TestPhone } from "./test-phone.ts";
import { Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const BOXES = "10.0.0.1:40500";
const PEOPLE = ["alice: wonder", 'bob: {password: wonder, voicemail: "500"}'].join("\n");

/** Alice, whose calls nobody takes when she is away, and bob, who has a box. */
class House {
  readonly town: Town = new Town();
  readonly alice: TestPhone;
  readonly bob: TestPhone;
  readonly box: TestPhone;
  #cseq = 100;
  /** The last INVITE. */
  #last: Sending = {};

  constructor(people: string = PEOPLE, configuration: Partial<ServerConfiguration> = {}) {
    const { town } = this;
    const { server } = town.server({ users: users(people), ...configuration });
    server.boxAgents = [{ address: "10.0.0.1", port: 40_500, word: "let-me-in" }];
    this.alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
    this.bob = new TestPhone(town, "udp:10.0.2.1:5060", "bob");
    this.box = new TestPhone(town, `udp:${BOXES}`, "voicemail");
    this.box.answer = ({ method }) => (method === "CANCEL" ? undefined : 200);
  }

  /** @returns the URI that leads to this very phone (RFC 5627). */
  register(phone: TestPhone, q = "1"): string {
    const uri = "sip:example.com";
    const sending: Sending = {
      to: `<sip:${phone.user}@example.com>`,
      callId: `r-${phone.place}`,
      contact: `<${phone.contact}>;q=${q};+sip.instance="<urn:x:${phone.place}>"`,
    };
    phone.send(SERVER, "REGISTER", uri, sending);
    this.town.pass(10);
    const line = answerTo(phone.final("REGISTER"), "REGISTER", uri, { user: phone.user });
    phone.send(SERVER, "REGISTER", uri, { ...sending, lines: [line, "Supported: gruu"] });
    this.town.pass(10);
    const { status, headers } = phone.final("REGISTER");
    assert.equal(status, 200);
    phone.received.length = 0;
    const own = headers.all("contact").find((contact) => contact.includes(phone.contact)) ?? "";
    return /;pub-gruu="([^"]*)"/.exec(own)?.[1] ?? "";
  }

  /** An INVITE with credentials. */
  call(phone: TestPhone, uri: string, sending: Sending = {}): void {
    this.#cseq += 2;
    const told = { callId: `c-${this.#cseq}`, ...sending };
    phone.send(SERVER, "INVITE", uri, { ...told, cseq: this.#cseq });
    this.town.pass(10);
    const line = answerTo(phone.final("INVITE"), "INVITE", uri, { user: phone.user });
    phone.received.length = 0;
    const lines = [line, ...(sending.lines ?? [])];
    this.#last = { ...told, cseq: this.#cseq + 1, branch: `z9hG4bKcall${this.#cseq}` };
    phone.send(SERVER, "INVITE", uri, { ...this.#last, lines });
    this.town.pass(10);
  }

  giveUp(phone: TestPhone, uri: string): void {
    phone.send(SERVER, "CANCEL", uri, this.#last);
    this.town.pass(10);
  }

  /** Bob's phone answers what it was asked last. */
  say(status: number, phone: TestPhone = this.bob): void {
    phone.reply(phone.responseTo(phone.last("INVITE"), status), SERVER);
    this.town.pass(10);
  }

  /** Request-URIs and reasons with which the box was called. */
  get diverted(): string[] {
    return this.box.requests
      .filter(({ method }) => method === "INVITE")
      .map(({ uri, headers }) => `${uri} ${headers.get("diversion") ?? "-"}`);
  }
}

function forBob(cause: number, reason: string): string[] {
  const target = "word=let-me-in;target=sip:bob%40example.com";
  const why = `<sip:bob@example.com>;reason=${reason}`;
  return [`sip:voicemail@${BOXES};${target};cause=${cause} ${why}`];
}

suite("a call that nobody takes goes to the box of who was called (RFC 4458 §2)", () => {
  test("at once where no phone is registered", () => {
    const house = new House();
    house.call(house.alice, "sip:bob@example.com");
    assert.deepEqual(house.diverted, forBob(404, "unavailable"));
    assert.equal(house.alice.final("INVITE").status, 200);
    assert.deepEqual(
      house.town.eventsNamed("call.diverted").map(({ from, status }) => [from, status]),
      [["sip:bob@example.com", undefined]],
    );
  });

  for (const [status, cause, reason] of [
    [486, 486, "user-busy"],
    [600, 486, "user-busy"],
    [603, 487, "deflection"],
    [480, 404, "unavailable"],
    [500, 404, "unavailable"],
  ] as const) {
    test(`after a ${status}, which the caller does not hear`, () => {
      const house = new House();
      house.register(house.bob);
      house.call(house.alice, "sip:bob@example.com");
      house.say(180);
      assert.deepEqual(house.diverted, []);
      house.say(status);
      assert.deepEqual(house.diverted, forBob(cause, reason));
      assert.equal(house.alice.final("INVITE").status, 200);
    });
  }

  test("after twenty seconds of ringing, and the phone rings no more", () => {
    const house = new House();
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(180);
    house.town.pass(19_900);
    assert.deepEqual(house.diverted, []);
    house.town.pass(200);
    assert.equal(house.bob.last("CANCEL").headers.has("reason"), false, "a missed call");
    house.say(487);
    assert.deepEqual(house.diverted, forBob(408, "no-answer"));
  });

  test("after as many seconds of ringing as the user wants", () => {
    const own = 'bob: {password: wonder, voicemail: "500", voicemail-after: 45}';
    const house = new House(["alice: wonder", own].join("\n"));
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(180);
    house.town.pass(44_900);
    assert.deepEqual(house.diverted, []);
    house.town.pass(200);
    house.say(487);
    assert.deepEqual(house.diverted, forBob(408, "no-answer"));
  });

  test("after four seconds without a word from the phone", () => {
    const house = new House();
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.town.pass(4_100);
    house.town.pass(40_000);
    assert.deepEqual(house.diverted, forBob(408, "no-answer"));
  });

  test("and a phone that answers in that very moment has the call: the box is cancelled", () => {
    const house = new House();
    house.box.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(180);
    house.town.pass(20_000);
    assert.equal(house.diverted.length, 1);
    house.say(200);
    assert.equal(house.alice.final("INVITE").status, 200);
    assert.deepEqual(house.box.heard, ["INVITE", "CANCEL"]);
  });

  test("and not where one of his phones answers", () => {
    const house = new House();
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(200);
    house.town.pass(60_000);
    assert.deepEqual(house.diverted, []);
  });

  test("when those of every q have let it go, the highest first", () => {
    const house = new House();
    const cell = new TestPhone(house.town, "udp:10.0.2.2:5060", "bob");
    house.register(house.bob, "1");
    house.register(cell, "0.5");
    house.call(house.alice, "sip:bob@example.com");
    house.say(486);
    assert.deepEqual(house.diverted, []);
    house.say(486, cell);
    assert.deepEqual(house.diverted, forBob(486, "user-busy"));
  });

  test("one who declines for all of his phones: those of a lower q stay quiet", () => {
    const house = new House();
    const cell = new TestPhone(house.town, "udp:10.0.2.2:5060", "bob");
    house.register(house.bob, "1");
    house.register(cell, "0.5");
    house.call(house.alice, "sip:bob@example.com");
    house.say(603);
    assert.deepEqual(cell.heard, []);
    assert.deepEqual(house.diverted, forBob(487, "deflection"));
  });

  test("and the refusal is told where the box takes nothing", () => {
    const house = new House();
    house.box.answer = () => 480;
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(486);
    assert.equal(house.diverted.length, 1);
    assert.equal(house.alice.final("INVITE").status, 486);
  });
});

suite("a call that is not for the box", () => {
  for (const status of [302, 407, 484]) {
    test(`${status} is for the caller to mend`, () => {
      const house = new House();
      house.register(house.bob);
      house.call(house.alice, "sip:bob@example.com");
      house.say(status);
      assert.deepEqual(house.diverted, []);
      assert.equal(house.alice.final("INVITE").status, status);
    });
  }

  test("482: another leg of it rings at a phone of his, whatever another one says", () => {
    const house = new House();
    const cell = new TestPhone(house.town, "udp:10.0.2.2:5060", "bob");
    house.register(house.bob);
    house.register(cell);
    house.call(house.alice, "sip:bob@example.com");
    house.say(482);
    house.say(486, cell);
    assert.deepEqual(house.diverted, []);
    assert.equal(house.alice.final("INVITE").status, 486);
  });

  test("one that the caller gives up", () => {
    const house = new House();
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(180);
    house.giveUp(house.alice, "sip:bob@example.com");
    house.say(487);
    house.town.pass(30_000);
    assert.deepEqual(house.diverted, []);
    assert.equal(house.alice.final("INVITE").status, 487);
  });

  test("one that takes the place of another (RFC 3891)", () => {
    const house = new House();
    const lines = ["Replaces: x;to-tag=1;from-tag=2"];
    house.call(house.alice, "sip:bob@example.com", { lines });
    assert.deepEqual(house.diverted, []);
    assert.equal(house.alice.final("INVITE").status, 480);
  });

  test("one for a certain phone of his (RFC 5627)", () => {
    const house = new House();
    const gruu = house.register(house.bob);
    house.call(house.alice, gruu);
    house.say(486);
    assert.deepEqual(house.diverted, []);
    assert.equal(house.alice.final("INVITE").status, 486);
  });

  test("one for who has no box", () => {
    const house = new House();
    house.register(house.bob);
    house.call(house.bob, "sip:alice@example.com");
    assert.deepEqual(house.diverted, []);
    assert.equal(house.bob.final("INVITE").status, 480);
  });

  test("any at all, in the fallback role", () => {
    const house = new House(PEOPLE, { role: "fallback" });
    house.call(house.alice, "sip:bob@example.com");
    assert.equal(house.alice.final("INVITE").status, 480);
    house.call(house.bob, "sip:500@example.com");
    assert.equal(house.bob.final("INVITE").status, 404);
    assert.deepEqual(house.diverted, []);
  });

  test("a request that is no INVITE", () => {
    const house = new House();
    house.call(house.alice, "sip:bob@example.com");
    house.box.received.length = 0;
    house.alice.send(SERVER, "MESSAGE", "sip:bob@example.com", { callId: "m" });
    house.town.pass(10);
    const line = answerTo(house.alice.final("MESSAGE"), "MESSAGE", "sip:bob@example.com", {});
    house.alice.send(SERVER, "MESSAGE", "sip:bob@example.com", { callId: "m", lines: [line] });
    house.town.pass(10);
    assert.equal(house.alice.final("MESSAGE").status, 480);
    assert.deepEqual(house.box.heard, []);
  });
});

suite("the number of a box", () => {
  test("tells who calls it his own messages, without a cause", () => {
    const house = new House();
    house.call(house.bob, "sip:500@example.com");
    const target = "word=let-me-in;target=sip:bob%40example.com";
    assert.deepEqual(house.diverted, [`sip:voicemail@${BOXES};${target} -`]);
  });

  test("tells nothing to who has no box, or does not say who he is", () => {
    const house = new House();
    house.call(house.alice, "sip:500@example.com");
    assert.equal(house.alice.final("INVITE").status, 403);
    house.call(house.bob, "sip:500@example.com", {
      from: "<sip:anonymous@anonymous.invalid>;tag=9",
    });
    assert.equal(house.bob.final("INVITE").status, 403);
    house.call(house.alice, "sip:501@example.com");
    assert.equal(house.alice.final("INVITE").status, 404);
    assert.deepEqual(house.diverted, []);
  });
});

suite("a box that is not ours", () => {
  test("is that of a user, called where he is registered, and told whose call it is", () => {
    const people = ["alice: wonder", "bob: {password: wonder, voicemail: carol}", "carol: wonder"];
    const house = new House(people.join("\n"));
    const carol = new TestPhone(house.town, "udp:10.0.3.1:5060", "carol");
    house.register(carol);
    house.call(house.alice, "sip:bob@example.com");
    const { uri, headers } = carol.last("INVITE");
    assert.equal(uri, carol.contact);
    assert.equal(headers.get("diversion"), "<sip:bob@example.com>;reason=unavailable");
    assert.deepEqual(house.diverted, []);
  });

  test("is elsewhere, and its URI says whose call it is and why", () => {
    const people = [
      "alice: wonder",
      "bob: {password: wonder, voicemail: 'sip:vm@10.0.9.9:5070;user=phone'}",
    ];
    const house = new House(people.join("\n"));
    const far = new TestPhone(house.town, "udp:10.0.9.9:5070", "vm");
    house.register(house.bob);
    house.call(house.alice, "sip:bob@example.com");
    house.say(486);
    assert.equal(
      far.last("INVITE").uri,
      "sip:vm@10.0.9.9:5070;user=phone;target=sip:bob%40example.com;cause=486",
    );
  });

  test("is elsewhere where only the address is ours: another port is another program", () => {
    const people = ["alice: wonder", "bob: {password: wonder, voicemail: 'sip:500@10.0.0.1:5080'}"];
    const house = new House(people.join("\n"));
    const beside = new TestPhone(house.town, "udp:10.0.0.1:5080", "500");
    house.call(house.alice, "sip:bob@example.com");
    assert.deepEqual(house.diverted, []);
    assert.equal(
      beside.last("INVITE").uri,
      "sip:500@10.0.0.1:5080;target=sip:bob%40example.com;cause=404",
    );
    house.call(house.bob, "sip:500@example.com");
    assert.equal(house.bob.final("INVITE").status, 404);
  });

  test("is told the latest diversion first (RFC 5806)", () => {
    const house = new House();
    const earlier = "<sip:carol@example.com>;reason=unconditional";
    house.call(house.alice, "sip:bob@example.com", { lines: [`Diversion: ${earlier}`] });
    assert.deepEqual(house.box.last("INVITE").headers.all("diversion"), [
      "<sip:bob@example.com>;reason=unavailable",
      earlier,
    ]);
  });

  test("is written at our own domain as if by its number alone", () => {
    const people = ["alice: wonder", "bob: {password: wonder, voicemail: 'sip:500@example.com'}"];
    const house = new House(people.join("\n"));
    house.call(house.alice, "sip:bob@example.com");
    assert.deepEqual(house.diverted, forBob(404, "unavailable"));
    house.box.received.length = 0;
    house.call(house.bob, "sip:500@example.com");
    assert.equal(house.diverted.length, 1);
  });
});

test("a row counts against Max-Breadth, and not the box behind it (RFC 5393 §5.3.3)", () => {
  const house = new House();
  house.register(house.bob);
  house.call(house.alice, "sip:bob@example.com", { lines: ["Max-Breadth: 1"] });
  assert.deepEqual(house.bob.heard, ["INVITE"]);
  house.say(486);
  assert.equal(house.diverted.length, 1);
});
