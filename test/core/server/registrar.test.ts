/** What a REGISTER does to the stored bindings: RFC 3261 §10.3, RFC 5626 §6. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { Records } from "../../../src/core/server/records.ts";
import { type Registered, register } from "../../../src/core/server/registrar.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../../src/core/server/registration.ts";
import { conclude, TestStore } from "./store.ts";

const KEY = "aor/alice@example.com";

const HERE = "one b1 1 udp:127.0.0.1:5081 udp:127.0.0.1:5060 same";

class Bench {
  readonly store = new TestStore();
  records = new Records();
  now = 1_000_000;
  serviceRoute = "";
  #cseq = 0;

  /** Sends a REGISTER with these extra header lines; CSeq rises unless one is given. */
  register(lines: string, { callId = "call-1", cseq = ++this.#cseq } = {}): Registered {
    return conclude(this.inquiry(lines, callId, cseq), this.store);
  }

  inquiry(lines: string, callId: string, cseq: number) {
    this.#cseq = cseq;
    const options = { limits: DEFAULT_REGISTRAR_LIMITS, serviceRoute: this.serviceRoute };
    const asked = request(lines, callId, cseq);
    return register(asked, KEY, { text: HERE }, options, this.records, () => this.now);
  }

  contacts(lines = ""): string[] {
    const { status, lines: answer } = this.register(lines, { callId: "query" });
    assert.equal(status, 200);
    return contactsIn(answer);
  }
}

function request(lines: string, callId: string, cseq: number): Request {
  const head = [
    "REGISTER sip:example.com SIP/2.0",
    "Via: SIP/2.0/UDP 127.0.0.1:5081;branch=z9hG4bK1",
    "From: <sip:alice@example.com>;tag=1",
    "To: <sip:alice@example.com>",
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} REGISTER`,
  ];
  const extra = lines === "" ? [] : lines.split("\n");
  const message = parseMessage(`${[...head, ...extra].join("\r\n")}\r\n\r\n`);
  assert.equal(message.kind, "request");
  return message as Request;
}

function contactsIn(lines: string): string[] {
  return lines
    .split("\r\n")
    .filter((line) => line.startsWith("Contact: "))
    .map((line) => line.slice(9));
}

test("a 200 lists every binding with its remaining lifetime (R34)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:alice@10.0.0.1>;q=0.7\nExpires: 100");
  bench.now += 40;
  const answer = bench.register("Contact: <sip:alice@10.0.0.2>;expires=200");
  assert.deepEqual(contactsIn(answer.lines), [
    "<sip:alice@10.0.0.1>;q=0.7;expires=60",
    "<sip:alice@10.0.0.2>;expires=200",
  ]);
});

test("the contact's own expires counts before the Expires header, that before the default (R30)", () => {
  const bench = new Bench();
  const answer = bench.register("Contact: <sip:a@h1>;expires=60, <sip:a@h2>\nExpires: 120");
  assert.deepEqual(contactsIn(answer.lines), ["<sip:a@h1>;expires=60", "<sip:a@h2>;expires=120"]);
  const other = new Bench().register("Contact: <sip:a@h1>");
  assert.deepEqual(contactsIn(other.lines), ["<sip:a@h1>;expires=3600"]);
});

test("a wish beyond the maximum is shortened (R30)", () => {
  const answer = new Bench().register("Contact: <sip:a@h>;expires=100000");
  assert.deepEqual(contactsIn(answer.lines), ["<sip:a@h>;expires=7200"]);
});

test("a malformed expires counts as 3600 (RFC 3261 §20.10)", () => {
  const answer = new Bench().register("Contact: <sip:a@h>;expires=soon");
  assert.deepEqual(contactsIn(answer.lines), ["<sip:a@h>;expires=3600"]);
});

test("a wish below the minimum is 423 with Min-Expires and stores nothing (R31)", () => {
  const bench = new Bench();
  const answer = bench.register("Contact: <sip:a@h1>;expires=100, <sip:a@h2>;expires=5");
  assert.equal(answer.status, 423);
  assert.equal(answer.lines, "Min-Expires: 10\r\n");
  assert.deepEqual(bench.contacts(), []);
});

test("expires=0 removes that contact only, compared by URI equality (R10, R22)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:alice@H1;transport=udp>, <sip:alice@h2>");
  const answer = bench.register("Contact: <sip:%61lice@h1;transport=UDP>;expires=0");
  assert.deepEqual(
    answer.changes.map(({ what }) => what),
    ["removed"],
  );
  assert.deepEqual(contactsIn(answer.lines), ["<sip:alice@h2>;expires=3600"]);
});

test("Contact * with Expires 0 removes all, with anything else it is 400 (R29)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h1>, <sip:a@h2>");
  assert.equal(bench.register("Contact: *").status, 400);
  assert.equal(bench.register("Contact: *\nExpires: 10").status, 400);
  assert.equal(bench.register("Contact: *, <sip:a@h1>\nExpires: 0").status, 400);
  assert.equal(bench.contacts().length, 2);
  assert.equal(bench.register("Contact: *\nExpires: 0").status, 200);
  assert.deepEqual(bench.contacts(), []);
});

test("within a Call-ID a lower CSeq fails and changes nothing (R32)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h>;expires=100", { cseq: 5 });
  const answer = bench.register("Contact: <sip:a@h>;expires=600", { cseq: 4 });
  assert.equal(answer.status, 500);
  assert.deepEqual(bench.contacts(), ["<sip:a@h>;expires=100"]);
});

test("another Call-ID replaces the binding whatever its CSeq (R32)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h>;expires=100", { cseq: 50 });
  const answer = bench.register("Contact: <sip:a@h>;expires=600", { callId: "reboot", cseq: 1 });
  assert.deepEqual(contactsIn(answer.lines), ["<sip:a@h>;expires=600"]);
  assert.deepEqual(
    answer.changes.map(({ what }) => what),
    ["refreshed"],
  );
});

test("a retransmission is answered from the stored binding and writes nothing", () => {
  const bench = new Bench();
  const first = bench.register("Contact: <sip:a@h>;expires=100", { cseq: 7 });
  const again = bench.register("Contact: <sip:a@h>;expires=100", { cseq: 7 });
  assert.equal(again.status, 200);
  assert.equal(again.lines, first.lines);
  assert.deepEqual(again.changes, []);
  assert.equal(bench.store.writes.length, 1);
});

test("a REGISTER overtaken by its successor's removal does not raise the dead (R32)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h>", { cseq: 1 });
  bench.register("Contact: <sip:a@h>;expires=0", { cseq: 3 });
  assert.equal(bench.register("Contact: <sip:a@h>", { cseq: 2 }).status, 500);
  assert.deepEqual(bench.contacts(), []);
  bench.now += 33;
  assert.equal(bench.register("Contact: <sip:a@h>", { cseq: 2 }).status, 200);
});

test("one bad contact among good ones and none is stored (R33)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h1>;expires=100", { cseq: 9 });
  const answer = bench.register("Contact: <sip:a@h2>, <sip:a@h1>", { cseq: 8 });
  assert.equal(answer.status, 500);
  assert.deepEqual(bench.contacts(), ["<sip:a@h1>;expires=100"]);
});

test("a store that is not there is answered 503, so that the phone tries another server", () => {
  const bench = new Bench();
  bench.store.available = false;
  assert.equal(bench.register("Contact: <sip:a@h>").status, 503);
});

test("two REGISTERs that race for one address-of-record both end up in it (R35)", () => {
  const bench = new Bench();
  let raced = false;
  const slow = bench.inquiry("Contact: <sip:a@h1>", "slow", 1);
  const answer = conclude(slow, bench.store, (question) => {
    if (question.kind !== "store.write" || raced) return;
    raced = true;
    bench.register("Contact: <sip:a@h2>", { callId: "quick", cseq: 1 });
  });
  assert.equal(raced, true);
  assert.deepEqual(contactsIn(answer.lines), [
    "<sip:a@h2>;expires=3600",
    "<sip:a@h1>;expires=3600",
  ]);
});

test("a REGISTER that comes after a newer one of its phone changes nothing, and is 500 (R35, R32)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h2>", { cseq: 2 });
  assert.equal(bench.register("Contact: <sip:a@h2>;expires=9999", { cseq: 1 }).status, 500);
  assert.equal(bench.register("Contact: *\nExpires: 0", { cseq: 1 }).status, 500);
  assert.deepEqual(bench.contacts(), ["<sip:a@h2>;expires=3600"]);
});

test("of two contacts in one REGISTER neither is stored when one cannot be (R35)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h1>");
  const { status } = bench.register("Contact: <sip:a@h2>, <sip:a@h3>;expires=1");
  assert.equal(status, 423);
  assert.deepEqual(bench.contacts(), ["<sip:a@h1>;expires=3600"]);
});

test("Record-Route of a REGISTER is ignored: it is neither stored nor given back (R35)", () => {
  const bench = new Bench();
  const answer = bench.register("Contact: <sip:a@h1>\nRecord-Route: <sip:edge.example;lr>");
  assert.equal(answer.status, 200);
  assert.equal(`${answer.lines}${bench.store.value(KEY)}`.includes("edge.example"), false);
});

test("whatever is wrong with a REGISTER, its status is never 6xx (R35)", () => {
  const wrong = [
    "Contact: *",
    "Contact: *\nExpires: 60",
    "Contact: *, <sip:a@h>\nExpires: 0",
    "Contact: <sip:a@h>;expires=1",
    "Contact: <<sip:a@h>",
  ];
  for (const lines of wrong) {
    const { status } = new Bench().register(lines);
    assert.ok(status >= 400 && status < 600, `${lines}: ${status}`);
  }
  const bench = new Bench();
  bench.store.available = false;
  assert.equal(bench.register("Contact: <sip:a@h>").status, 503);
});

test("a renewal is written without reading first, and reads when another node has written meanwhile", () => {
  const bench = new Bench();
  const other = new Bench();
  Object.assign(other, { store: bench.store });
  bench.register("Contact: <sip:a@h1>");
  const asked: string[] = [];
  const watched = (lines: string, cseq: number): Registered =>
    conclude(bench.inquiry(lines, "call-1", cseq), bench.store, ({ kind }) => asked.push(kind));
  watched("Contact: <sip:a@h1>", 2);
  assert.deepEqual(asked, ["store.write"]);
  other.register("Contact: <sip:a@h2>", { callId: "other" });
  asked.length = 0;
  const answer = watched("Contact: <sip:a@h1>", 3);
  assert.deepEqual(asked, ["store.write", "store.read", "store.write"]);
  assert.equal(contactsIn(answer.lines).length, 2);
});

test("an expired binding is listed and stored no more", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h1>;expires=60");
  bench.now += 60;
  assert.deepEqual(bench.contacts(), []);
  bench.register("Contact: <sip:a@h2>;expires=60", { callId: "other" });
  assert.equal(bench.store.value(KEY)?.includes("h1"), false);
});

test("a binding stands for all of the time that was granted, from wherever in a second (RFC 3261 §10.3)", () => {
  const bench = new Bench();
  bench.now += 0.9;
  const answer = bench.register("Contact: <sip:a@h1>;expires=60");
  assert.deepEqual(contactsIn(answer.lines), ["<sip:a@h1>;expires=60"]);
  bench.now += 59.9;
  // Not 0: a phone would take that for a removal.
  assert.deepEqual(bench.contacts(), ["<sip:a@h1>;expires=1"]);
  const [change] = bench.register("Contact: <sip:a@h1>;expires=60").changes;
  assert.equal(change?.what, "refreshed");
  bench.now += 61;
  assert.deepEqual(bench.contacts(), []);
});

test("no more bindings than the limit", () => {
  const bench = new Bench();
  for (let index = 0; index < 20; index += 1) bench.register(`Contact: <sip:a@h${index}>`);
  assert.equal(bench.register("Contact: <sip:a@one.more>").status, 403);
  assert.equal(bench.contacts().length, 20);
});

test("a phone that comes and goes is not refused for those it has removed: the oldest are forgotten", () => {
  const bench = new Bench();
  const come = (index: number, expires: number, cseq: number): Registered =>
    bench.register(`Contact: <sip:a@h${index}>;expires=${expires}`, { callId: `c${index}`, cseq });
  for (let index = 0; index < 200; index += 1) {
    assert.equal(come(index, 600, 1).status, 200);
    assert.equal(come(index, 0, 2).status, 200);
  }
  assert.deepEqual(bench.contacts(), []);
  assert.equal(bench.store.value(KEY)?.split("c199").length, 2);
  assert.equal(bench.store.value(KEY)?.includes("c119"), false);
  // One that was removed lately is still not brought back by a REGISTER that was overtaken.
  assert.equal(come(199, 600, 1).status, 500);
});

test("a Cisco keep-alive probe leaves the bindings alone (C5)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h>;expires=100");
  const answer = bench.register("Contact: <sip:a@h>;expires=0;cisco-keep-alive");
  assert.equal(answer.status, 200);
  assert.deepEqual(contactsIn(answer.lines), ["<sip:a@h>;expires=100"]);
});

test("Path is stored, and given back to a phone that supports it (R81)", () => {
  const bench = new Bench();
  const path = "<sip:edge.example.com;lr>";
  const answer = bench.register(`Contact: <sip:a@h>\nPath: ${path}\nSupported: path`);
  assert.equal(answer.lines.includes(`Path: ${path}\r\n`), true);
  assert.equal(bench.store.value(KEY)?.includes(path), true);
});

test("a Path that could be no Route is refused (R81)", () => {
  for (const path of ["garbage", "<sip:a;lr>, garbage", "<mailto:a@b>", "<sip:a;lr", ""]) {
    const bench = new Bench();
    const answer = bench.register(`Contact: <sip:a@h>\nPath: ${path}\nSupported: path`);
    assert.equal(answer.status, 400, path);
    assert.equal(bench.store.value(KEY), undefined);
  }
});

test("Service-Route goes with each 200 (R82)", () => {
  const bench = new Bench();
  bench.serviceRoute = "<sip:example.com;lr>";
  const answer = bench.register("Contact: <sip:a@h>");
  assert.equal(answer.lines.includes("Service-Route: <sip:example.com;lr>\r\n"), true);
});

const INSTANCE = '+sip.instance="<urn:uuid:1>"';

test("the key of an outbound contact is instance and reg-id, not the URI (R98, R100)", () => {
  const bench = new Bench();
  const supported = "\nSupported: outbound, path";
  bench.register(`Contact: <sip:a@old:1>;reg-id=1;${INSTANCE}${supported}`);
  bench.register(`Contact: <sip:a@old:2>;reg-id=2;${INSTANCE}${supported}`);
  const answer = bench.register(`Contact: <sip:a@new:1>;reg-id=1;${INSTANCE}${supported}`, {
    callId: "reboot",
  });
  assert.equal(answer.lines.includes("Require: outbound\r\n"), true);
  assert.deepEqual(contactsIn(answer.lines), [
    `<sip:a@old:2>;reg-id=2;${INSTANCE};expires=3600`,
    `<sip:a@new:1>;reg-id=1;${INSTANCE};expires=3600`,
  ]);
});

test("reg-id without instance, or without support for outbound, is ignored (R89)", () => {
  const bench = new Bench();
  bench.register("Contact: <sip:a@h1>;reg-id=1\nSupported: outbound");
  bench.register(`Contact: <sip:a@h2>;reg-id=1;${INSTANCE}`);
  bench.register(`Contact: <sip:a@h3>;reg-id=1;${INSTANCE}`);
  assert.equal(bench.contacts().length, 3);
});

test("two contacts with reg-id in one REGISTER are 400 (R100)", () => {
  const one = `<sip:a@h1>;reg-id=1;${INSTANCE}`;
  const two = `<sip:a@h2>;reg-id=2;${INSTANCE}`;
  const answer = new Bench().register(`Contact: ${one}, ${two}\nSupported: outbound`);
  assert.equal(answer.status, 400);
});
