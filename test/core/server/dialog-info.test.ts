/** The calls of a colleague (RFC 4235, R117). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Headers } from "../../../src/core/message/headers.ts";
import type { Request } from "../../../src/core/message/message.ts";
import { type CallChange, DialogInfoPackage } from "../../../src/core/server/dialog-info.ts";
import { Domains } from "../../../src/core/server/domains.ts";
import { TestPhone } from "./test-phone.ts";
import { primitives, Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";

/** Carol watches bob; alice calls him. */
class Desk {
  readonly town: Town = new Town();
  readonly alice: TestPhone;
  readonly bob: TestPhone;
  readonly carol: TestPhone;

  constructor(configuration: Parameters<Town["server"]>[0] = {}) {
    this.town.server(configuration);
    this.alice = new TestPhone(this.town, "udp:10.0.1.1:5060", "alice");
    this.bob = new TestPhone(this.town, "udp:10.0.1.2:5060", "bob");
    this.carol = new TestPhone(this.town, "udp:10.0.1.3:5060", "carol");
    this.bob.register(SERVER);
    this.carol.answer = () => 200;
  }

  watch(user = "bob", from?: string): void {
    this.carol.send(SERVER, "SUBSCRIBE", `sip:${user}@example.com`, {
      callId: `sub-${user}-${this.town.now}`,
      lines: ["Event: dialog"],
      ...(from === undefined ? {} : { from }),
    });
    this.town.pass(20);
  }

  call(answer: (method: string) => number | undefined): void {
    this.bob.answer = ({ method }) => answer(method);
    this.alice.send(SERVER, "INVITE", "sip:bob@example.com", { callId: "the-call" });
    this.town.pass(20);
  }

  bobSays(status: number): void {
    this.bob.reply(this.bob.responseTo(this.bob.last("INVITE"), status), SERVER);
    this.town.pass(20);
  }

  /** `0 full:`, `1 partial: recipient early sip:alice@example.com`. */
  get told(): string[] {
    return this.carol.requests.map(({ body }) => {
      const head = /version="(\d+)" state="(\w+)"/.exec(body);
      const dialogs = [
        ...body.matchAll(
          /<dialog id="\w{12}" direction="(\w+)"><state([^>]*)>(\w+)<\/state><remote><identity>([^<]*)</g,
        ),
      ].map(([, direction, why, state, remote]) => `${direction} ${state}${why} ${remote}`);
      return [`${head?.[1]} ${head?.[2]}:`, ...dialogs].join(" ");
    });
  }
}

test("a call is told from its beginning to its end, to whoever watches the callee (R117)", () => {
  const desk = new Desk();
  desk.watch();
  desk.call((method) => (method === "INVITE" ? 180 : 200));
  desk.bobSays(200);
  desk.alice.sendInDialog(SERVER, "BYE", desk.alice.final("INVITE"));
  desk.town.pass(20);
  const of = (state: string): string => `recipient ${state} sip:alice@example.com`;
  assert.deepEqual(desk.told, [
    "0 full:",
    `1 partial: ${of("trying")}`,
    `2 partial: ${of("early")}`,
    `3 partial: ${of("confirmed")}`,
    `4 partial: ${of("terminated")}`,
  ]);
});

test("a box takes it: the lamp of who was called goes dark, and the caller's stays lit", () => {
  const { hash } = primitives(1);
  const calls = new DialogInfoPackage({ domains: new Domains(["example.com"]), hash });
  const headers = new Headers()
    .add("call-id", "the-call")
    .add("from", "<sip:alice@example.com>;tag=1")
    .add("to", "<sip:bob@example.com>");
  const invite: Request = { kind: "request", method: "INVITE", uri: "sip:x", headers, body: "" };
  const states = (changes: readonly CallChange[]): string[] =>
    changes.map(({ resource, change }) => `${resource} ${/<state[^>]*>(\w+)/.exec(change)?.[1]}`);
  calls.begun(0, invite);
  calls.moved("the-call", "early");
  assert.deepEqual(states(calls.diverted("the-call")), ["bob terminated"]);
  assert.deepEqual(states(calls.moved("the-call", "confirmed")), ["alice confirmed"]);
  assert.deepEqual([calls.isTalking("alice"), calls.isTalking("bob")], [true, false]);
  assert.equal(calls.whole("bob", 1).includes("<dialog "), false);
  assert.deepEqual(states(calls.moved("the-call", "terminated")), ["alice terminated"]);
  assert.equal(calls.isTalking("alice"), false);
});

test("and to whoever watches the caller, who is its initiator (R117)", () => {
  const desk = new Desk();
  desk.watch("alice");
  desk.call(() => 200);
  assert.deepEqual(desk.told.at(-1), "2 partial: initiator confirmed sip:bob@example.com");
});

test("who begins to watch during a call is told of it as it stands (R117)", () => {
  const desk = new Desk();
  desk.call(() => 200);
  desk.watch();
  assert.deepEqual(desk.told, ["0 full: recipient confirmed sip:alice@example.com"]);
});

for (const [status, event] of [
  [486, "rejected"],
  [487, "cancelled"],
] as const) {
  test(`a call that ends in ${status} was ${event} (R117)`, () => {
    const desk = new Desk();
    desk.watch();
    desk.call((method) => (method === "INVITE" ? status : 200));
    assert.equal(
      desk.told.at(-1),
      `2 partial: recipient terminated event="${event}" code="${status}" sip:alice@example.com`,
    );
  });
}

test("nothing is told that would let a watcher take the call over", () => {
  const desk = new Desk();
  desk.watch();
  desk.call(() => 200);
  for (const { body } of desk.carol.requests) {
    assert.doesNotMatch(body, /the-call|tag|falice|tbob/);
  }
});

test("strangers may not watch", () => {
  const desk = new Desk({ users: users("bob: secret\n"), acceptForeign: true });
  desk.watch("bob", "<sip:carol@far.example>;tag=1");
  assert.equal(desk.carol.final("SUBSCRIBE").status, 403);
});

test("a call whose end nobody told of is forgotten when others begin, four hours later", () => {
  const desk = new Desk();
  desk.call(() => 200);
  desk.town.pass(4 * 3_600_000 + 1_000);
  desk.bob.register(SERVER);
  desk.alice.send(SERVER, "INVITE", "sip:bob@example.com", { callId: "another" });
  desk.town.pass(20);
  desk.watch();
  assert.equal(desk.told[0]?.match(/recipient/g)?.length, 1);
});
