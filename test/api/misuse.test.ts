/** Calls and requests as plain JavaScript may ask for them: nothing is sent, and the error says what was wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Phone,
  type RequestHandler,
  type RequestOptions,
  SipServer,
  StateError,
} from "../../src/index.ts";
import { atTheEnd, patience, startPhone, startServer } from "./town.ts";

/** What the compiler would refuse. */
function plain<Wanted>(value: unknown): Wanted {
  return value as Wanted;
}

test("what is of the wrong kind is a TypeError that says what, and nothing is sent", async (t) => {
  const server = await startServer(t);
  const phone = await startPhone(t, server, "2001");
  for (const [to, shown] of [
    [undefined, "undefined"],
    [2002, "2002"],
    ["", '""'],
  ]) {
    const message = `${shown} cannot be dialled`;
    assert.throws(() => phone.call(plain(to)), { name: "TypeError", message });
  }
  const requests = [
    [{}, "undefined is no method"],
    [{ method: "OPTIONS", to: 2002 }, "2002 is no URI"],
    [{ method: "MESSAGE", body: { a: 1 } }, "body cannot be [object Object]: give text"],
    [{ method: "MESSAGE", headers: { subject: 5 } }, "the header subject cannot be 5: give text"],
  ] as const;
  for (const [request, message] of requests) {
    const sent = phone.request({ ...plain<RequestOptions>(request), ...patience() });
    await assert.rejects(sent, { name: "TypeError", message });
  }
  assert.throws(() => phone.handle("MESSAGE", plain(200)), {
    name: "TypeError",
    message: "the handler of MESSAGE cannot be 200: give a function",
  });
  await assert.rejects(Phone.fromFiles(plain(undefined)), {
    name: "TypeError",
    message: "undefined is no path of a file",
  });
});

test("a handler that gives no answer is answered for with 500, and the error says what it gave", async (t) => {
  const server = await startServer(t);
  const callee = await startPhone(t, server, "2002");
  const phone = await startPhone(t, server, "2001");
  const answers: [unknown, RegExp][] = [
    [undefined, /^INFO cannot be answered with undefined: give 200 to 699, or/],
    ["200", /^INFO cannot be answered with "200"/],
    [180, /^INFO cannot be answered with 180/],
    [{ status: 200, headers: { via: "x" } }, /^via is made by the phone/],
    [{ status: 200, body: 5 }, /^body cannot be 5/],
  ];
  const uncaught: string[] = [];
  // The runner's own listener would fail the test.
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error: Error) => uncaught.push(error.message));
  t.after(() => {
    process.removeAllListeners("unhandledRejection");
    for (const other of others) process.on("unhandledRejection", other);
  });
  for (const [answer] of answers) {
    callee.handle(
      "INFO",
      plain<RequestHandler>(() => answer),
    );
    const { status } = await phone.request({ method: "INFO", to: "2002", ...patience() });
    assert.equal(status, 500);
  }
  assert.equal(uncaught.length, answers.length);
  for (const [at, [, pattern]] of answers.entries()) assert.match(uncaught[at] ?? "", pattern);
});

test("keys are text; a call that is over says so when it is to be held", async (t) => {
  const server = await startServer(t);
  await startPhone(t, server, "2002", { answer: "auto" });
  const call = (await startPhone(t, server, "2001")).call("2002");
  await call.answered;
  assert.throws(() => call.sendDtmf(plain(1)), /^RangeError: 1 are no keys; give 0-9/);
  await call.hangup();
  const over = { name: StateError.name, message: "the call is over" };
  await assert.rejects(call.hold(), over);
  await assert.rejects(call.resume(), over);
});

test("events are kept from the moment they are asked for, not from when the loop begins", async (t) => {
  const server = await startServer(t);
  const phone = await startPhone(t, server, "2001");
  const [told, ended] = [phone.events(), server.events()];
  await phone.stop();
  const names: string[] = [];
  for await (const { event } of told) names.push(event);
  await server.close();
  for await (const { event } of ended) names.push(event);
  assert.deepEqual(names, ["registration.removed", "binding.removed", "server.stopped"]);
});

test("a user of other letters stands in URIs as its escaped UTF-8 (RFC 3261 §19.1.2), and is called by it", async (t) => {
  const listen = "udp:127.0.0.1:0";
  const server = new SipServer({ listen, domain: "example.com", open: true });
  atTheEnd(t, () => server.close());
  await server.start();
  const phone = await startPhone(t, server, "jürgen#1", { answer: "auto", trace: true });
  assert.equal(phone.registrations[0]?.account, "jürgen#1");
  const bindings = (await server.bindings().next()).value;
  assert.equal(bindings?.aor, "j%C3%BCrgen%231@example.com");
  const call = (await startPhone(t, server, "2001")).call("sip:j%c3%bcrgen%231@example.com");
  await call.answered;
  await call.hangup();
});
