/** Keys with a lamp in the makers' files (BLF): which account watches whom. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reading } from "./samples.ts";

const TWO = [1, 2].flatMap((account) => [
  `account.${account}.enable = 1`,
  `account.${account}.user_name = 200${account}`,
  `account.${account}.sip_server.1.address = pbx.example.com`,
]);

function yealink(...lines: readonly string[]): ReturnType<typeof reading> {
  return reading(["#!version:1.0.0.1", ...TWO, ...lines].join("\n"));
}

function polycom(attributes: string): ReturnType<typeof reading> {
  const own =
    'reg.1.address="4001" reg.2.address="4002" voIpProt.server.1.address="pbx.example.com"';
  return reading(`<polycomConfig>\n<all ${own} ${attributes}/>\n</polycomConfig>`);
}

function watched({ accounts }: ReturnType<typeof reading>): (readonly string[])[] {
  return accounts.map(({ colleagues }) => colleagues);
}

test("a BLF key belongs to the account of its line, and to the first where it names none", () => {
  const phone = yealink(
    "linekey.1.type = 15",
    "linekey.1.line = 1",
    "linekey.2.type = 16",
    "linekey.2.line = 2",
    "linekey.2.value = 2005",
    "linekey.3.type = 16",
    "linekey.3.line = 0",
    "linekey.3.value = sip:2006@pbx.example.com",
    "memorykey.1.type = 16",
    "memorykey.1.value = 2007",
  );
  assert.deepEqual(watched(phone), [["2006", "2007"], ["2005"]]);
  assert.deepEqual(
    phone.accounts.map(({ watchExpiresSeconds }) => watchExpiresSeconds),
    [1800, 1800],
  );
  const line = phone.readings.find(({ key }) => key === "linekey.1.line");
  assert.equal(line?.reason, "the key is no BLF key of an account here");
});

test("what is no user under a BLF key is told and left out", () => {
  for (const value of ["*21*;now", "- a", "2005, 2006"]) {
    const phone = yealink("linekey.1.type = 16", `linekey.1.value = ${value}`);
    assert.deepEqual(watched(phone), [[], []]);
    const [fault] = phone.faults.filter(({ key }) => key === "linekey.1.value");
    assert.equal(fault?.code, "bad-value");
  }
});

test("account.X.blf.subscribe_event = 1 asks for presence instead of calls", () => {
  const phone = yealink(
    "linekey.1.type = 16",
    "linekey.1.value = 2005",
    "account.1.blf.subscribe_event = 1",
    "account.1.blf.subscribe_period = 300",
  );
  const [first] = phone.accounts;
  assert.deepEqual([first?.colleagues, first?.presenceOf], [[], ["2005"]]);
  assert.equal(first?.watchExpiresSeconds, 300);
});

test("attendant.resourceList is watched by the registration of attendant.reg, the first unless it says so", () => {
  const list =
    'attendant.resourceList.1.address="4005" attendant.resourceList.2.address="4006@x.org"';
  assert.deepEqual(watched(polycom(list)), [["4005", "4006"], []]);
  assert.deepEqual(watched(polycom(`${list} attendant.reg="2"`)), [[], ["4005", "4006"]]);
});
