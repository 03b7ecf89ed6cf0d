/** From, To, Contact and their kin. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Headers } from "../../../src/core/message/headers.ts";
import {
  contactsOf,
  NameAddr,
  nameAddrsOf,
  parseNameAddr,
  printNameAddr,
  tagOf,
} from "../../../src/core/message/name-addr.ts";

function contacts(...lines: string[]): "*" | NameAddr[] | undefined {
  const headers = new Headers();
  for (const line of lines) headers.add("contact", line);
  return contactsOf(headers);
}

test("the tag is found in any form, and only in the header's own parameters", () => {
  assert.equal(tagOf("<sip:a@b>;tag=x1"), "x1");
  assert.equal(tagOf("sip:a@b;tag=x1"), "x1");
  assert.equal(tagOf('"T;tag=no" <sip:a@b;tag=no>;x="tag=no" ; TAG = x1;y'), "x1");
  assert.equal(tagOf("<sip:a@b;tag=no>"), undefined);
  assert.equal(tagOf("<sip:a@b"), undefined);
});

test("a display name is a quoted string or words", () => {
  assert.equal(parseNameAddr('"A \\"B\\" <x>" <sip:a@b>')?.display, 'A "B" <x>');
  assert.equal(parseNameAddr("Bob van Dyke <sip:a@b>")?.display, "Bob van Dyke");
  assert.equal(parseNameAddr("Bob (Sales) <sip:a@b>")?.display, "Bob (Sales)");
  assert.equal(parseNameAddr("Bell, A. <sip:a@b>"), undefined);
});

test("without brackets the parameters are the header's, and a question mark is refused", () => {
  const value = parseNameAddr("sip:a@b;transport=tcp;expires=5");
  assert.deepEqual(
    [value?.uri, value?.params, value?.expires],
    ["sip:a@b", ";transport=tcp;expires=5", 5],
  );
  assert.equal(parseNameAddr("sip:a@b?Route=x"), undefined);
  assert.equal(parseNameAddr("tel:+1201;tag=1")?.uri, "tel:+1201");
});

test("what is no value is undefined", () => {
  for (const text of [
    "",
    " ",
    "<>",
    "<sip:a@b> x",
    "<a@b>",
    "<sip:a b>",
    "< sip:a@b>",
    '"x"',
    "<sip:a@b>;",
    "<sip:a@b>;=x",
  ]) {
    assert.equal(parseNameAddr(text), undefined, text);
  }
});

test("Contacts come from lists and lines, commas in quotes and brackets apart (R9)", () => {
  const list = contacts(
    '"A, B" <sip:a@b;x=1,2>;q=0.7, sip:c@d',
    "<sips:e@f>;expires=0",
  ) as NameAddr[];
  assert.deepEqual(
    list.map(({ uri }) => uri),
    ["sip:a@b;x=1,2", "sip:c@d", "sips:e@f"],
  );
  assert.deepEqual(
    list.map(({ q, expires }) => [q, expires]),
    [
      [0.7, undefined],
      [undefined, undefined],
      [undefined, 0],
    ],
  );
});

test("* stands alone (R22, R29)", () => {
  assert.equal(contacts("*"), "*");
  assert.equal(contacts("*", "<sip:a@b>"), undefined);
  assert.equal(contacts("*, <sip:a@b>"), undefined);
  assert.equal(contacts("<sip:a@b>", "*"), undefined);
  assert.deepEqual(contacts(), []);
});

test("a Contact's expires is capped, and 3600 if malformed (RFC 3261 §20.10)", () => {
  const list = contacts(
    "<sip:a@b>;expires=99999999999, <sip:a@b>;expires=soon, <sip:a@b>;expires",
  ) as NameAddr[];
  assert.deepEqual(
    list.map(({ expires }) => expires),
    [0xffff_ffff, 3600, 3600],
  );
});

test("a q outside 0..1 is none", () => {
  const list = contacts(
    "<sip:a@b>;q=1.5, <sip:a@b>;q=x, <sip:a@b>;q, <sip:a@b>;q=1.000",
  ) as NameAddr[];
  assert.deepEqual(
    list.map(({ q }) => q),
    [undefined, undefined, undefined, 1],
  );
});

test("instance and reg-id are told without quotes (R88, R89)", () => {
  const line = '<sip:a@b>;+sip.instance="<urn:uuid:0-1>";reg-id=2;expires=60';
  const [contact] = contacts(line) as NameAddr[];
  assert.equal(contact?.param("+sip.instance"), "<urn:uuid:0-1>");
  assert.equal(contact?.param("reg-id"), "2");
  assert.equal(contact?.expires, 60);
});

test("a list with one bad value is bad", () => {
  const headers = new Headers().add("route", "<sip:a;lr>, <sip:b;lr>").add("route", "<sip:c;lr>");
  assert.deepEqual(
    nameAddrsOf(headers, "route")?.map(({ uri }) => uri),
    ["sip:a;lr", "sip:b;lr", "sip:c;lr"],
  );
  headers.add("route", "<sip:d;lr>,");
  assert.equal(nameAddrsOf(headers, "route"), undefined);
});

test("any name survives printing and reading", () => {
  const byte = fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code));
  const names = fc.array(byte, { maxLength: 30 }).map((bytes) => bytes.join(""));
  fc.assert(
    fc.property(names, (name) => {
      const value = parseNameAddr(printNameAddr(name, "sip:a@b", ";tag=1"));
      assert.deepEqual([value?.display, value?.uri, value?.tag], [name, "sip:a@b", "1"]);
    }),
  );
  assert.equal(new NameAddr("", "sip:a@b", "").tag, undefined);
});
