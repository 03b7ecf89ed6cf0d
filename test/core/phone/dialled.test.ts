/** What may be dialled (RFC 3261 §19.1.1, RFC 3966). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dialled } from "../../../src/core/phone/dialled.ts";

test("a user, a SIP URI with or without its scheme, and a telephone number can be dialled", () => {
  for (const [text, said] of [
    ["2099", "2099"],
    [" *97 ", "*97"],
    ["12#4", "12%234"],
    ["sip:2099@pbx.example.com;transport=tcp", "sip:2099@pbx.example.com;transport=tcp"],
    ["sips:2099@[2001:db8::1]:5061", "sips:2099@[2001:db8::1]:5061"],
    ["2099@pbx.example.com", "sip:2099@pbx.example.com"],
    ["tel:+49-30-123;ext=7", "tel:+49-30-123;ext=7"],
  ] as const) {
    assert.equal(dialled(text), said, text);
  }
});

test("nothing else can, least of all what would make a header of its own", () => {
  const bad = ["", " ", "sip:", "sip:x@", "sip:a b@c", "http://x", "<2099>", "a@", "@b", "tel:"];
  for (const text of [...bad, "2099\r\nX: y", "sip:2099@h\r\nX: y", "20\u010a99"]) {
    assert.equal(dialled(text), undefined, JSON.stringify(text));
  }
});
