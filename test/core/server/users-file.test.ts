/** The users file: what is read, and what is told about a wrong one. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isKeyOf, unescapeUser } from "../../../src/core/message/uri.ts";
import type { Hash } from "../../../src/core/primitives.ts";
import { MAX_SECRETS } from "../../../src/core/server/limits.ts";
import { type User, Users } from "../../../src/core/server/users.ts";
import { readUsers } from "../../../src/core/server/users-file.ts";

const hash: Hash = {
  md5: (text) => createHash("md5").update(text, "latin1").digest("hex"),
  sha256: (text) => createHash("sha256").update(text, "latin1").digest("hex"),
};

function read(text: string) {
  return readUsers({ name: "users.yaml", text });
}

test("a user is a name with a password, or with a map of fields", () => {
  const { users, faults } = read(
    "alice: secret\nbob:\n  password: '007'\n  voicemail: 500\n  groups: [sales, night]\n",
  );
  assert.deepEqual(faults, []);
  assert.equal(users.size, 2);
  assert.equal(users.get("alice")?.password, "secret");
  assert.equal(users.get("bob")?.password, "007");
  assert.equal(users.get("bob")?.voicemail, "500");
  assert.deepEqual(users.members("sales"), ["bob"]);
  assert.equal(users.members("nobody"), undefined);
});

test("HA1 is computed from a password, or taken as given for its algorithm only", () => {
  const given = "0123456789ABCDEF0123456789abcdef";
  const { users } = read(`alice: secret\nbob: {ha1: ${given}}\n`);
  assert.equal(users.ha1(hash, "alice", "r", "MD5"), hash.md5("alice:r:secret"));
  assert.equal(users.ha1(hash, "alice", "r", "SHA-256"), hash.sha256("alice:r:secret"));
  assert.equal(users.ha1(hash, "bob", "r", "MD5"), given.toLowerCase());
  assert.equal(users.ha1(hash, "bob", "r", "SHA-256"), undefined);
  assert.equal(users.ha1(hash, "carol", "r", "MD5"), undefined);
});

test("every fault is told at once, with its line, its key and the remedy, and no password", () => {
  const { faults } = read(
    "alice: secret\nbob:\ncarol:\n  ha1: xyz\ndave:\n  password: hush\n  pasword: hush\n'e f': x\n",
  );
  assert.deepEqual(
    faults.map(({ line, key, wrong }) => `${line}: ${key}: ${wrong}`),
    [
      "2: bob: has no password",
      "4: carol.ha1: is wrong",
      "7: dave.pasword: is not a key of a user",
      "8: e f: is no user name",
    ],
  );
  assert.equal(JSON.stringify(faults).includes("hush"), false);
});

test("a file that is no YAML, or no map, is a fault and not an exception", () => {
  assert.equal(read("a: [b\n").faults.length > 0, true);
  assert.equal(read("- alice\n").faults[0]?.wrong, "is not a map of users");
  assert.equal(read("alice: a\nalice: b\n").faults.length, 1);
});

test("a user is found by his URI however his name is written, and digests it as he is named", () => {
  const bytes = Buffer.from("jürgen: secret\n20#1: hush\n50%: much\n").toString("latin1");
  const { users, faults } = readUsers({ name: "users.yaml", text: bytes });
  assert.deepEqual(faults, []);
  const plain: Hash = { md5: (text) => text, sha256: (text) => text };
  const named = Buffer.from("jürgen").toString("latin1");
  assert.equal(users.ha1(plain, named, "r", "MD5"), `${named}:r:secret`);
  assert.equal(users.ha1(plain, "j%C3%BCrgen", "r", "MD5"), "j%C3%BCrgen:r:secret");
  for (const part of ["j%C3%BCrgen", "20%231", "50%25"]) {
    assert.ok(users.get(unescapeUser(part)) !== undefined, part);
  }
  assert.ok(isKeyOf("j%C3%BCrgen", named) && !isKeyOf("j%C3%BCrgen", "jurgen"));
});

test("more users than secrets are kept: what was computed is computed anew, and everybody's is right", () => {
  const user = (number: number): User => {
    return { name: `u${number}`, password: "p", ha1: {}, voicemail: undefined, groups: [] };
  };
  const users = new Users(Array.from({ length: MAX_SECRETS + 1 }, (_, number) => user(number)));
  let digests = 0;
  const counting: Hash = {
    md5: (text) => {
      digests += 1;
      return text;
    },
    sha256: (text) => text,
  };
  const ask = (number: number): unknown => users.ha1(counting, `u${number}`, "r", "MD5");
  for (let number = 0; number < MAX_SECRETS; number += 1)
    assert.equal(ask(number), `u${number}:r:p`);
  ask(0);
  assert.equal(digests, MAX_SECRETS);
  assert.equal(ask(MAX_SECRETS), `u${MAX_SECRETS}:r:p`);
  assert.equal(ask(0), "u0:r:p");
  assert.equal(digests, MAX_SECRETS + 2);
});

test("voicemail is a user, a number or a SIP URI", () => {
  const wrong = ["tel:500", "500@example.com", "sip:500@", "<sip:500@example.com>", "5 00", ""];
  for (const box of wrong) {
    const { faults } = read(`alice: {password: secret, voicemail: "${box}"}\n`);
    assert.deepEqual(
      faults.map(({ key, remedy }) => `${key}: ${remedy}`),
      ["alice.voicemail: write a user or SIP URI"],
      box,
    );
  }
  for (const box of ["500", "*97", "carol", "sips:vm@example.net", "sip:vm.example.net;lr"]) {
    assert.deepEqual(read(`alice: {password: secret, voicemail: "${box}"}\n`).faults, [], box);
  }
});

test("phones ring 5 to 170 whole seconds before a box takes the call", () => {
  for (const wrong of ["4", "171", "20.5", "-20", "20 s", "soon", '""', "0x14"]) {
    const { faults } = read(`alice: {password: secret, voicemail-after: ${wrong}}\n`);
    assert.deepEqual(
      faults.map(({ key, remedy }) => `${key}: ${remedy}`),
      ["alice.voicemail-after: write 5 to 170, seconds"],
      wrong,
    );
  }
  const { users, faults } = read("alice: {password: secret, voicemail-after: 170}\n");
  assert.deepEqual([users.get("alice")?.voicemailAfter, faults], [170, []]);
});
