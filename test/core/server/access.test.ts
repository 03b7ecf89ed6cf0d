/** Who is let in: digest authentication and the policy of the proxy (RFC 3261 §22, RFC 7616). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request, Response } from "../../../src/core/message/message.ts";
import { type Answering, answerTo } from "./digest-answer.ts";
import { type Sending, TestPhone } from "./test-phone.ts";
import { type Host, Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const PEOPLE = "alice: wonder\nbob: builder\n";

function guarded(): { town: Town; server: Host; alice: TestPhone; bob: TestPhone } {
  const town = new Town();
  const server = town.server({ users: users(PEOPLE) });
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(town, "udp:10.0.2.1:5060", "bob");
  return { town, server, alice, bob };
}

function register(phone: TestPhone, sending: Sending = {}): Response {
  phone.send(SERVER, "REGISTER", "sip:example.com", {
    to: `<sip:${phone.user}@example.com>`,
    callId: "reg",
    ...sending,
  });
  phone.town.pass(10);
  return phone.final("REGISTER");
}

function registered(phone: TestPhone, how: Answering = {}, sending: Sending = {}): Response {
  const challenge = register(phone, sending);
  assert.equal(challenge.status, 401);
  const line = answerTo(challenge, "REGISTER", "sip:example.com", how);
  return register(phone, { ...sending, lines: [line] });
}

test("REGISTER is challenged, SHA-256 before MD5 (R27, R106)", () => {
  const { alice, town } = guarded();
  const challenge = register(alice);
  assert.equal(challenge.status, 401);
  const offered = challenge.headers.all("www-authenticate");
  assert.match(offered[0] ?? "", /realm="example\.com".*algorithm=SHA-256, qop="auth"$/);
  assert.match(offered[1] ?? "", /algorithm=MD5/);
  assert.equal(town.eventsNamed("request.refused")[0]?.why, "no credentials");
});

for (const algorithm of ["MD5", "SHA-256"] as const) {
  test(`credentials of ${algorithm} are taken`, () => {
    const { alice } = guarded();
    assert.equal(registered(alice, { algorithm }).status, 200);
  });
}

test("a wrong password is challenged again and told as an event without the password", () => {
  const { town, alice } = guarded();
  assert.equal(registered(alice, { password: "guess" }).status, 401);
  assert.equal(town.eventsNamed("request.refused").at(-1)?.why, "wrong password");
  assert.equal(JSON.stringify(town.events).includes("wonder"), false);
});

test("a user may register himself only: 403 for another's address, 404 for nobody's (R27, R28)", () => {
  const { alice } = guarded();
  const other = { to: "<sip:bob@example.com>" };
  assert.equal(registered(alice, {}, other).status, 403);
  const nobody = { to: "<sip:nobody@example.com>" };
  assert.equal(registered(alice, { count: 1 }, nobody).status, 404);
});

test("an address of another domain is 404, of a listening address or alias the same as of the domain", () => {
  const town = new Town();
  town.server({ domains: ["example.com", "alias.example"] });
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  const to = (host: string) => register(alice, { to: `<sip:alice@${host}>`, callId: host }).status;
  assert.equal(to("far.example"), 404);
  assert.equal(to("alias.example"), 200);
  assert.equal(to("10.0.0.1"), 200);
  assert.equal(town.eventsNamed("binding.added").length, 1);
  assert.equal(town.eventsNamed("binding.refreshed")[0]?.aor, "alice@example.com");
});

test("a nonce serves many requests with rising counts, a stale one is told so (R107)", () => {
  const { town, alice } = guarded();
  const challenge = register(alice);
  const again = (count: number): Response =>
    register(alice, { lines: [answerTo(challenge, "REGISTER", "sip:example.com", { count })] });
  assert.equal(again(1).status, 200);
  assert.equal(again(2).status, 200);
  const replayed = register(alice, {
    lines: [answerTo(challenge, "REGISTER", "sip:example.com", { count: 1 })],
  });
  assert.equal(replayed.status, 401);
  town.pass(3_700_000);
  const stale = again(3);
  assert.equal(stale.status, 401);
  assert.match(stale.headers.get("www-authenticate") ?? "", /stale=true/);
});

test("a retransmitted REGISTER with the same credentials is answered 200 again", () => {
  const { alice } = guarded();
  const line = answerTo(register(alice), "REGISTER", "sip:example.com", {});
  const sending = { cseq: 5, branch: "z9hG4bKsame", lines: [line] };
  assert.equal(register(alice, sending).status, 200);
  alice.received.length = 0;
  assert.equal(register(alice, sending).status, 200);
});

test("captured credentials admit the request they came with, and no other (R107, RFC 7616 §5.5)", () => {
  const { town, alice } = guarded();
  const line = answerTo(register(alice), "REGISTER", "sip:example.com", {});
  const sending = { cseq: 5, branch: "z9hG4bKsame", lines: [line] };
  assert.equal(register(alice, sending).status, 200);
  const thief = new TestPhone(town, "udp:10.0.6.6:5060", "alice");
  const refused = (from: TestPhone, other: Sending): void => {
    from.received.length = 0;
    const { status, headers } = register(from, { ...sending, ...other });
    assert.equal(status, 401);
    assert.match(headers.get("www-authenticate") ?? "", /stale=true/);
  };
  refused(thief, { callId: "stolen", cseq: 1 });
  refused(thief, {});
  refused(alice, { cseq: 6 });
  refused(alice, { lines: [line, "Expires: 0"] });
  refused(alice, { lines: [line, "Path: <sip:10.0.6.6;lr>"] });
  assert.equal(town.eventsNamed("binding.added").length, 1);
});

test("a retransmission comes within Timer F; later even the very same request is challenged", () => {
  const { town, alice } = guarded();
  const line = answerTo(register(alice), "REGISTER", "sip:example.com", {});
  const sending = { cseq: 5, branch: "z9hG4bKsame", lines: [line] };
  assert.equal(register(alice, sending).status, 200);
  town.pass(34_000);
  alice.received.length = 0;
  assert.equal(register(alice, sending).status, 401);
});

test("a phone of RFC 2069, without qop, is let in once a nonce", () => {
  const { alice } = guarded();
  const challenge = register(alice);
  const line = answerTo(challenge, "REGISTER", "sip:example.com", { qop: false });
  assert.equal(register(alice, { lines: [line] }).status, 200);
  const other = answerTo(challenge, "REGISTER", "sip:example.com", {
    qop: false,
    uri: "sip:example.com;x",
  });
  assert.equal(register(alice, { lines: [other] }).status, 401);
});

test("a digest of another resource is 400 (RFC 7616 §3.4.6)", () => {
  const { alice } = guarded();
  const how = { uri: "sip:bob@example.com" };
  assert.equal(registered(alice, how).status, 400);
});

test("an unknown extension in Require is 420 (R7)", () => {
  const { alice } = guarded();
  const response = register(alice, { lines: ["Require: path, magic"] });
  assert.equal(response.status, 420);
  assert.equal(response.headers.get("unsupported"), "magic");
});

test("… whose answer names no more than fits, and no Unsupported without a name", () => {
  const { alice } = guarded();
  const names = Array.from({ length: 60 }, (_, index) => `extension-${index}`);
  const told = register(alice, { lines: [`Require: ${names.join(", ")}`] });
  assert.equal(told.headers.get("unsupported"), names.slice(0, 10).join(", "));
  const long = register(alice, { lines: [`Require: ${"x".repeat(200)}`] });
  assert.equal(long.status, 420);
  assert.equal(long.headers.has("unsupported"), false);
});

test("a REGISTER for a domain not served is passed on to it for who has credentials, never stored (R26)", () => {
  const { town, alice } = guarded();
  const far = new TestPhone(town, "udp:10.0.9.1:5060", "far");
  far.answer = () => 200;
  const uri = "sip:10.0.9.1";
  const send = (lines: readonly string[]): Response => {
    alice.send(SERVER, "REGISTER", uri, { to: "<sip:alice@10.0.9.1>", callId: "far", lines });
    town.pass(10);
    return alice.final("REGISTER");
  };
  const challenge = send([]);
  assert.equal(challenge.status, 407);
  assert.deepEqual(far.heard, []);
  assert.equal(send([answerTo(challenge, "REGISTER", uri, {})]).status, 200);
  assert.deepEqual(far.heard, ["REGISTER"]);
  assert.equal(far.last("REGISTER").headers.has("proxy-authorization"), false);
  assert.deepEqual(town.eventsNamed("binding.added"), []);
  const bindings = town.store.writes.filter((key) => key.startsWith("aor/"));
  assert.deepEqual(bindings, []);
});

function invite(phone: TestPhone, to: string, sending: Sending = {}): Response {
  phone.send(SERVER, "INVITE", to, sending);
  phone.town.pass(10);
  return phone.final("INVITE");
}

test("INVITE is challenged with 407; with credentials it goes on, and they do not (RFC 3261 §22.3)", () => {
  const { alice, bob } = guarded();
  registered(bob, { user: "bob", password: "builder" });
  bob.answer = () => 200;
  const uri = "sip:bob@example.com";
  const challenge = invite(alice, uri);
  assert.equal(challenge.status, 407);
  assert.equal(bob.heard.includes("INVITE"), false);
  const answer = invite(alice, uri, { lines: [answerTo(challenge, "INVITE", uri, {})] });
  assert.equal(answer.status, 200);
  assert.equal(bob.last("INVITE").headers.has("proxy-authorization"), false);
});

test("the credentials that an ACK repeats do not reach the callee either (RFC 3261 §22.1, §22.3)", () => {
  const { alice, bob } = guarded();
  registered(bob, { user: "bob", password: "builder" });
  bob.answer = () => 200;
  const uri = "sip:bob@example.com";
  const line = answerTo(invite(alice, uri), "INVITE", uri, {});
  alice.sendInDialog(SERVER, "ACK", invite(alice, uri, { lines: [line] }), [line]);
  assert.equal(bob.last("ACK").headers.has("proxy-authorization"), false);
});

test("the requests of an admitted call are not challenged again, those that only claim to be are", () => {
  const { town, alice, bob } = guarded();
  registered(bob, { user: "bob", password: "builder" });
  bob.answer = () => 200;
  alice.answer = () => 200;
  const uri = "sip:bob@example.com";
  const line = answerTo(invite(alice, uri), "INVITE", uri, {});
  const answer = invite(alice, uri, { lines: [line] });
  alice.sendInDialog(SERVER, "ACK", answer);
  alice.sendInDialog(SERVER, "INFO", answer);
  assert.equal(alice.final("INFO").status, 200);
  bob.sendInDialog(SERVER, "BYE", bob.last("INVITE"));
  assert.equal(bob.final("BYE").status, 200);
  alice.send(SERVER, "INFO", "sip:bob@10.0.2.1:5060", {
    callId: "another",
    to: answer.headers.get("to") as string,
    lines: [`Route: ${answer.headers.get("record-route")}`],
  });
  town.pass(10);
  assert.equal(alice.final("INFO").status, 407);
});

test("a caller who proves to be somebody else than From says is 403", () => {
  const { alice } = guarded();
  const uri = "sip:bob@example.com";
  const from = "<sip:bob@example.com>;tag=1";
  const challenge = invite(alice, uri, { from });
  assert.equal(challenge.status, 407);
  const line = answerTo(challenge, "INVITE", uri, {});
  assert.equal(invite(alice, uri, { from, lines: [line] }).status, 403);
});

test("a caller of another domain is challenged unless strangers are accepted, and never relayed to strangers", () => {
  const from = "<sip:x@far.example>;tag=1";
  const { alice } = guarded();
  assert.equal(invite(alice, "sip:bob@example.com", { from }).status, 407);
  const town = new Town();
  town.server({ users: users(PEOPLE), acceptForeign: true });
  const stranger = new TestPhone(town, "udp:10.0.9.1:5060", "x");
  assert.equal(invite(stranger, "sip:bob@example.com", { from }).status, 480);
  assert.equal(invite(stranger, "sip:y@10.0.9.2:5060", { from }).status, 407);
  assert.equal(
    invite(stranger, "sip:bob@example.com", { from: "<sip:alice@example.com>;tag=1" }).status,
    407,
  );
});

test("an ACK that belongs to no admitted call is dropped", () => {
  const { town, alice, bob } = guarded();
  alice.send(SERVER, "ACK", "sip:bob@10.0.2.1:5060", { to: "<sip:bob@example.com>;tag=1" });
  town.pass(10);
  assert.deepEqual(bob.heard, []);
});

test("an open server says so in an event", () => {
  const town = new Town();
  town.server();
  assert.equal(town.eventsNamed("server.opened").length, 1);
});

/** What a callee learns from the INVITE of an authenticated caller: the routes with our word, and the dialog's name. */
function overheard(): { town: Town; callee: TestPhone; mallory: TestPhone; invited: Request } {
  const { town, alice, bob } = guarded();
  registered(bob, { user: "bob", password: "builder" });
  bob.answer = () => 200;
  const uri = "sip:bob@example.com";
  invite(alice, uri, { lines: [answerTo(invite(alice, uri), "INVITE", uri, {})] });
  const mallory = new TestPhone(town, "udp:10.0.9.1:5060", "mallory");
  return { town, callee: bob, mallory, invited: bob.last("INVITE") };
}

test("the word of an admitted call opens no dialog: INVITE, SUBSCRIBE and MESSAGE without To tag are challenged", () => {
  const { town, mallory, invited } = overheard();
  const gateway = new TestPhone(town, "udp:10.0.9.2:5060", "gateway");
  const sending = {
    callId: invited.headers.get("call-id") as string,
    from: invited.headers.get("from") as string,
    lines: [`Route: ${invited.headers.get("record-route")}`, "Event: reg"],
  };
  for (const [method, uri] of [
    ["INVITE", "sip:+1900@10.0.9.2:5060"],
    ["MESSAGE", "sip:bob@example.com"],
    ["SUBSCRIBE", "sip:alice@example.com"],
  ] as const) {
    mallory.send(SERVER, method, uri, sending);
    town.pass(10);
    assert.equal(mallory.final(method).status, 407, method);
  }
  assert.deepEqual(gateway.heard, []);
});

test("the word of an admitted call is for its own dialog, and stands for nobody", () => {
  const { town, mallory, invited } = overheard();
  const statusOf = (method: string, from: string, to: string): number => {
    mallory.send(SERVER, method, "sip:bob@10.0.2.1:5060", {
      callId: invited.headers.get("call-id") as string,
      from: `<sip:alice@example.com>;tag=${from}`,
      to: `<sip:bob@example.com>;tag=${to}`,
      lines: [`Route: ${invited.headers.get("record-route")}`],
    });
    town.pass(10);
    return mallory.final(method).status;
  };
  assert.equal(statusOf("INFO", "other", "tbob"), 407);
  assert.equal(statusOf("REGISTER", "falice", "tbob"), 407);
  assert.equal(statusOf("PUBLISH", "falice", "tbob"), 407);
  assert.equal(statusOf("INFO", "tbob", "falice"), 200);
  assert.equal(statusOf("INFO", "falice", "tbob"), 200);
});

test("a called stranger's word leads back to the two ends of his call and nowhere else", () => {
  const town = new Town();
  town.server({ users: users(PEOPLE), acceptForeign: true });
  const bob = new TestPhone(town, "udp:10.0.2.1:5060", "bob");
  registered(bob, { user: "bob", password: "builder" });
  bob.answer = () => 200;
  const stranger = new TestPhone(town, "udp:10.0.9.1:5060", "x");
  stranger.answer = () => 200;
  const gateway = new TestPhone(town, "udp:10.0.9.2:5060", "gateway");
  const from = "<sip:x@far.example>;tag=1";
  const answer = invite(stranger, "sip:bob@example.com", { from });
  stranger.sendInDialog(SERVER, "INFO", answer);
  assert.equal(stranger.final("INFO").status, 200);
  bob.sendInDialog(SERVER, "BYE", bob.last("INVITE"));
  assert.equal(bob.final("BYE").status, 200);
  const routes = bob.last("INVITE").headers.all("record-route").join(", ");
  for (const [one, other] of [
    [from, "<sip:bob@example.com>;tag=made-up"],
    ["<sip:bob@example.com>;tag=made-up", from],
  ] as const) {
    stranger.send(SERVER, "INVITE", "sip:+1900@10.0.9.2:5060", {
      callId: answer.headers.get("call-id") as string,
      from: one,
      to: other,
      lines: [`Route: ${routes}`],
    });
    town.pass(10);
    assert.equal(stranger.final("INVITE").status, 407);
  }
  assert.deepEqual(gateway.heard, []);
});

test("a user calls as himself only: 403 for a colleague under any spelling, another domain, a number", () => {
  const { alice } = guarded();
  const uri = "sip:bob@example.com";
  const statusAs = (address: string): number => {
    const from = `<${address}>;tag=1`;
    const line = answerTo(invite(alice, uri, { from }), "INVITE", uri, {});
    return invite(alice, uri, { from, lines: [line] }).status;
  };
  assert.equal(statusAs("sip:bob@example.com."), 403);
  assert.equal(statusAs("sip:alice@other.example"), 403);
  assert.equal(statusAs("tel:+911"), 403);
  assert.equal(statusAs("sip:alice@example.com."), 480);
  // Nobody's address (RFC 3323 §4.1.1.3).
  assert.equal(statusAs("sip:anonymous@anonymous.invalid"), 480);
});

test("a trailing dot makes no stranger of a user, where strangers are accepted", () => {
  const town = new Town();
  town.server({ users: users(PEOPLE), acceptForeign: true });
  const mallory = new TestPhone(town, "udp:10.0.9.1:5060", "mallory");
  for (const host of ["example.com.", "EXAMPLE.com.", "10.0.0.1.", "example.com.."]) {
    const from = `<sip:alice@${host}>;tag=1`;
    assert.equal(invite(mallory, "sip:bob@example.com", { from }).status, 407, host);
  }
});
