/** SIP URIs: reading, printing, and when two are the same (R10). */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  addressOfRecord,
  escapeUser,
  parseUri,
  printUri,
  type SipUri,
  sameUriText,
  unescapeUser,
  uriParam,
  userPart,
} from "../../../src/core/message/uri.ts";

function uri(text: string): SipUri {
  const parsed = parseUri(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

test("each part of a URI is told as written, the host in lower case", () => {
  assert.deepEqual(uri("SIPS:Al%69ce:s3c@Example.COM:5061;transport=TCP;lr?subject=x&to=y"), {
    scheme: "sips",
    user: "Al%69ce",
    password: "s3c",
    host: "example.com",
    port: 5061,
    params: ";transport=TCP;lr",
    headers: "subject=x&to=y",
  });
  assert.equal(uriParam(uri("sip:a@b;Transport=tcp;lr"), "transport"), "tcp");
  assert.equal(uriParam(uri("sip:a@b;lr"), "lr"), "");
  assert.equal(uriParam(uri("sip:a@b;lr"), "maddr"), undefined);
});

test("what is no SIP URI is none", () => {
  const texts = [
    "",
    "sip",
    "sip:",
    "tel:+1201",
    "sip:@b",
    "sip:a@",
    "sip:a@b:",
    "sip:a@b:0",
    "sip:a@b:65536",
    "sip:a@b:x",
  ];
  for (const text of [
    ...texts,
    "sip:a b@c",
    "sip:a@b/c",
    "sip::x@b",
    "sip:a%4@b",
    'sip:a"@b',
    "sip:a@b>c",
    "http:a@b",
  ]) {
    assert.equal(parseUri(text), undefined, text);
  }
});

test("equal URIs of RFC 3261 §19.1.4 are equal (R10)", () => {
  const equal: [string, string][] = [
    ["sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com;security=on"],
    [
      "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ],
    [
      "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
      "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ],
  ];
  for (const [one, other] of equal) {
    assert.equal(sameUriText(one, other), true, `${one} ${other}`);
    assert.equal(sameUriText(other, one), true, `${other} ${one}`);
  }
});

test("different URIs of RFC 3261 §19.1.4 differ (R10)", () => {
  const different: [string, string][] = [
    ["SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"],
    ["sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"],
    ["sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"],
    ["sip:a@b", "sips:a@b"],
    ["sip:a:x@b", "sip:a:y@b"],
    ["sip:a@b", "sip:a:y@b"],
    ["sip:a@b;maddr=1.2.3.4", "sip:a@b"],
    ["sip:a%40b@c", "sip:ab@c"],
    ["tel:+1201", "tel:+1202"],
  ];
  for (const [one, other] of different) {
    assert.equal(sameUriText(one, other), false, `${one} ${other}`);
    assert.equal(sameUriText(other, one), false, `${other} ${one}`);
  }
  assert.equal(sameUriText("tel:+1201", "tel:+1201"), true);
});

test("an address-of-record is its user and host and nothing else (R28)", () => {
  const key = "sip:alice@example.com";
  for (const text of [
    "sip:alice@Example.com",
    "sip:%61lice@example.com:5070;user=phone?x=y",
    "sips:alice:pw@example.com",
  ]) {
    assert.equal(addressOfRecord(uri(text)), key);
  }
  assert.equal(addressOfRecord(uri("sip:Example.com;lr")), "sip:example.com");
  assert.notEqual(addressOfRecord(uri("sip:Alice@example.com")), key);
  assert.notEqual(addressOfRecord(uri("sip:a%00@b")), addressOfRecord(uri("sip:a%00%00@b")));
  assert.equal(addressOfRecord(uri("sip:a%4a%40@b")), "sip:aJ%40@b");
});

test("any text can be a user part, and comes back", () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const users = fc.array(byte, { minLength: 1, maxLength: 20 }).map((bytes) => bytes.join(""));
  fc.assert(
    fc.property(users, (user) => {
      const parsed = parseUri(`sip:${escapeUser(user)}@example.com`);
      assert.ok(parsed !== undefined);
      assert.equal(decodeURIComponentLatin1(parsed.user), user);
      assert.equal(unescapeUser(parsed.user), escapeUser(user));
    }),
  );
});

test("printing and reading a URI changes nothing", () => {
  for (const text of [
    "sip:b",
    "sips:a:p@b:1;x=y;lr?h=v",
    "sip:a;x=1/2?z@[2001:db8::1]:5060;maddr=[::1]",
  ]) {
    assert.equal(printUri(uri(text)), text);
  }
});

function decodeURIComponentLatin1(text: string): string {
  return text.replaceAll(/%([0-9A-F]{2})/g, (_, pair: string) =>
    String.fromCharCode(Number.parseInt(pair, 16)),
  );
}

test("a user is written as the grammar has it: UTF-8 and marks escaped, escapes left alone (§25.1)", () => {
  const users = {
    "2001": "2001",
    "*98;x=1": "*98;x=1",
    jürgen: "j%C3%BCrgen",
    "20#1": "20%231",
    "20%231": "20%231",
    "50%": "50%25",
    "€%zz": "%E2%82%AC%25zz",
    "\ud800": "%EF%BF%BD",
  };
  for (const [user, part] of Object.entries(users)) {
    assert.equal(userPart(user), part);
    assert.equal(uri(`sip:${part}@b`).user, part);
  }
});
