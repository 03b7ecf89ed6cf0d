/** Digest authentication, both sides. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  algorithmNamed,
  type Challenge,
  challengesOf,
  chooseChallenge,
  credentialsFor,
  type DigestAnswer,
  parseChallenges,
  parseCredentials,
  printChallenge,
  printCredentials,
  provesSecret,
  secretOf,
} from "../../../src/core/message/digest.ts";
import { md5 } from "../../../src/core/message/hash-md5.ts";
import { sha256 } from "../../../src/core/message/hash-sha256.ts";
import { Headers } from "../../../src/core/message/headers.ts";
import type { Hash } from "../../../src/core/primitives.ts";

const HASH: Hash = { md5, sha256 };

/** The example of RFC 7616 §3.9.1. */
const EXAMPLE: DigestAnswer = {
  username: "Mufasa",
  password: "Circle of Life",
  method: "GET",
  uri: "/dir/index.html",
  count: 1,
  cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
};

function example(algorithm: string): Challenge {
  return {
    realm: "http-auth@example.org",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    algorithm,
    qop: ["auth", "auth-int"],
    stale: false,
  };
}

function answered(challenge: Challenge, answer: DigestAnswer = EXAMPLE): string {
  const credentials = credentialsFor(HASH, challenge, answer);
  assert.ok(credentials !== undefined);
  return credentials;
}

test("the examples of RFC 7616 §3.9.1 hold for MD5 and SHA-256 (R106)", () => {
  assert.equal(
    parseCredentials(answered(example("MD5")))?.response,
    "8ca523f5e9506fed4657c9700eebdbec",
  );
  assert.equal(
    parseCredentials(answered(example("SHA-256")))?.response,
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
  );
});

test("a server that offers no qop is answered as RFC 2069 has it", () => {
  const challenge = { ...example(""), qop: [], opaque: undefined };
  const credentials = answered(challenge);
  assert.doesNotMatch(credentials, /qop|cnonce|nc=|algorithm|opaque/);
  const secret = md5("Mufasa:http-auth@example.org:Circle of Life");
  const expected = md5(`${secret}:${challenge.nonce}:${md5("GET:/dir/index.html")}`);
  assert.equal(parseCredentials(credentials)?.response, expected);
});

test("what one side answers the other can prove, for each algorithm and qop", () => {
  for (const algorithm of ["", "MD5", "md5-sess", "SHA-256", "SHA-256-sess"]) {
    for (const qop of [[], ["auth"]]) {
      const text = answered({ ...example(algorithm), qop });
      const credentials = parseCredentials(text);
      const named = algorithmNamed(algorithm);
      assert.ok(credentials !== undefined && named !== undefined, text);
      const secret = secretOf(HASH, named, "Mufasa", credentials.realm, "Circle of Life");
      assert.equal(provesSecret(HASH, credentials, secret, "GET"), true, text);
      assert.equal(provesSecret(HASH, credentials, secret, "PUT"), false);
      const wrong = secretOf(HASH, named, "Mufasa", credentials.realm, "wrong");
      assert.equal(provesSecret(HASH, credentials, wrong, "GET"), false);
      assert.equal(printCredentials(credentials), text);
    }
  }
});

test("credentials end where their line does", () => {
  const line =
    'Digest username="u", realm="r", nonce="n", uri="sip:h", response="0a", qop=auth, nc=01';
  for (const behind of ["", '"', ", cnonce=9", "\r\nX: \\", '\r\nX: "']) {
    const text = `${line}${behind}`;
    assert.deepEqual(parseCredentials(`X: ${text}`, 3, 3 + line.length), parseCredentials(line));
    for (let end = 0; end < line.length; end += 1) {
      assert.deepEqual(parseCredentials(text, 0, end), parseCredentials(line.slice(0, end)));
    }
  }
});

test("credentials of an unknown algorithm or qop prove nothing", () => {
  const credentials = parseCredentials(answered(example("MD5")));
  assert.ok(credentials !== undefined);
  assert.equal(provesSecret(HASH, { ...credentials, algorithm: "X" }, "", "GET"), false);
  assert.equal(provesSecret(HASH, { ...credentials, qop: "auth-int" }, "", "GET"), false);
});

test("the strongest challenge that can be answered is chosen, the first of equals (R106)", () => {
  const offered = [example("MD5"), example("SHA-512-256"), example("SHA-256"), example("sha-256")];
  assert.equal(chooseChallenge(offered), offered[2]);
  assert.equal(chooseChallenge([example("SHA-512-256")]), undefined);
  assert.equal(chooseChallenge([{ ...example("MD5"), qop: ["auth-int"] }]), undefined);
  assert.equal(credentialsFor(HASH, { ...example("MD5"), qop: ["auth-int"] }, EXAMPLE), undefined);
});

test("nc counts in eight hexadecimal digits (R107)", () => {
  assert.equal(
    parseCredentials(answered(example("MD5"), { ...EXAMPLE, count: 255 }))?.nc,
    "000000ff",
  );
});

test("challenges stand in several lines or several in one, other schemes among them", () => {
  const headers = new Headers()
    .add(
      "www-authenticate",
      'Digest realm="a, \\"b\\"", nonce=n1 , qop="auth, auth-int",stale=TRUE',
    )
    .add(
      "www-authenticate",
      'Basic realm="x", Digest realm=r,nonce="n2",algorithm=SHA-256, Negotiate, NTLM ab=',
    )
    .add("www-authenticate", 'Digest realm="no nonce"')
    .add("www-authenticate", 'Digest realm="open');
  assert.deepEqual(challengesOf(headers, "www-authenticate"), [
    {
      realm: 'a, "b"',
      nonce: "n1",
      opaque: undefined,
      algorithm: "",
      qop: ["auth", "auth-int"],
      stale: true,
    },
    { realm: "r", nonce: "n2", opaque: undefined, algorithm: "SHA-256", qop: [], stale: false },
  ]);
  assert.deepEqual(challengesOf(headers, "proxy-authenticate"), []);
});

test("a printed challenge reads back", () => {
  const plain = { ...example(""), qop: [], opaque: undefined };
  for (const challenge of [{ ...example("SHA-256"), realm: 'a "b" \\c', stale: true }, plain]) {
    assert.deepEqual(parseChallenges(printChallenge(challenge)), [challenge]);
  }
});

test("credentials that lack a part are none", () => {
  const whole = answered(example("MD5"));
  for (const name of ["username", "realm", "nonce", "uri", "response"]) {
    assert.equal(parseCredentials(whole.replace(` ${name}=`, ` x-${name}=`)), undefined, name);
  }
  for (const text of ["", "Digest", "Basic QWxh", "Digest username", ","]) {
    assert.equal(parseCredentials(text), undefined, text);
  }
});
