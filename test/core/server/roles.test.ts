/** What the server answers by itself, by role (V1). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Response } from "../../../src/core/message/message.ts";
import type { Role } from "../../../src/core/server/own-answers.ts";
import { TestPhone } from "./test-phone.ts";
import { Town } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";

function phoneAt(role: Role): TestPhone {
  const town = new Town();
  town.server({ role });
  return new TestPhone(town, "udp:10.0.1.1:5060", "alice");
}

function ask(phone: TestPhone, method: string, uri: string, lines: string[] = []): Response {
  phone.send(SERVER, method, uri, { lines });
  phone.town.pass(10);
  return phone.final(method);
}

test("OPTIONS to the server says what it has", () => {
  const response = ask(phoneAt("working"), "OPTIONS", "sip:example.com");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("allow") ?? "", /INVITE.*REFER/);
  assert.equal(response.headers.get("accept"), "application/sdp");
  assert.equal(response.headers.get("supported"), "path, outbound, gruu");
  assert.equal(response.headers.get("allow-events"), "reg, message-summary, dialog, presence");
});

for (const role of ["working", "fallback"] as const) {
  test(`${role}: SUBSCRIBE and PUBLISH for what is not given are 489 with what is instead (V1)`, () => {
    for (const method of ["SUBSCRIBE", "PUBLISH"]) {
      const response = ask(phoneAt(role), method, "sip:bob@example.com", ["Event: conference"]);
      assert.equal(response.status, 489);
      assert.equal(
        response.headers.get("allow-events"),
        role === "working" ? "reg, message-summary, dialog, presence" : "",
      );
    }
  });
}

test("what the server would answer by itself and requires the unknown is 420 with its name (R7)", () => {
  const required = ["Require: 100rel, path", "Require: eventlist", "Expires: 60"];
  for (const [method, uri, event] of [
    ["OPTIONS", "sip:example.com", undefined],
    ["SUBSCRIBE", "sip:alice@example.com", "Event: message-summary"],
    ["PUBLISH", "sip:alice@example.com", "Event: presence"],
  ] as const) {
    const lines = event === undefined ? required : [event, ...required];
    const response = ask(phoneAt("working"), method, uri, lines);
    assert.equal(response.status, 420, method);
    assert.equal(response.headers.get("unsupported"), "100rel, eventlist");
  }
});

test("what is required of the called phone is not the server's business (R7)", () => {
  const phone = phoneAt("working");
  phone.register(SERVER);
  phone.answer = () => 200;
  const lines = ["Require: eventlist", "Event: message-summary"];
  assert.equal(ask(phone, "OPTIONS", "sip:alice@example.com", lines).status, 200);
});

test("fallback: what is more than basic calling is 501, and Allow says so (V1)", () => {
  for (const method of ["MESSAGE", "REFER", "NOTIFY", "FANCY"]) {
    const response = ask(phoneAt("fallback"), method, "sip:bob@example.com");
    assert.equal(response.status, 501);
    assert.doesNotMatch(response.headers.get("allow") ?? "", /REFER|MESSAGE/);
  }
});

test("fallback: phones register and call", () => {
  const phone = phoneAt("fallback");
  phone.register(SERVER);
  assert.equal(phone.final("REGISTER").status, 200);
  phone.answer = () => 200;
  assert.equal(ask(phone, "INVITE", "sip:alice@example.com").status, 200);
});

test("working: other methods go to the phone", () => {
  const phone = phoneAt("working");
  phone.register(SERVER);
  phone.answer = () => 200;
  assert.equal(ask(phone, "MESSAGE", "sip:alice@example.com").status, 200);
  assert.equal(ask(phone, "FANCY", "sip:alice@example.com").status, 200);
});

test("the server itself cannot be called, and does not know strange methods", () => {
  const phone = phoneAt("working");
  assert.equal(ask(phone, "INVITE", "sip:example.com").status, 404);
  assert.equal(ask(phone, "FANCY", "sip:example.com").status, 501);
});

test("refused on purpose, every request is 503, with Retry-After if wanted, until that ends", () => {
  const town = new Town();
  const host = town.server();
  const phone = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  host.run(() => host.server.refuseAll(30));
  assert.equal(ask(phone, "REGISTER", "sip:example.com").headers.get("retry-after"), "30");
  assert.equal(ask(phone, "INVITE", "sip:alice@example.com").status, 503);
  assert.equal(ask(phone, "OPTIONS", "sip:example.com").status, 503);
  host.run(() => host.server.refuseAll(undefined));
  assert.equal(ask(phone, "OPTIONS", "sip:example.com").status, 200);
});
