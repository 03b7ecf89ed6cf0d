/** Parameters: found, listed, changed. */
import assert from "node:assert/strict";
import test from "node:test";
import { paramList, paramOf, withoutParam, withParam } from "../../../src/core/message/params.ts";

const PARAMS = ';Tag=one;q="a;tag=\\"no\\";b" ; flag;x = y';

test("a parameter is found by name in any case, outside quotes", () => {
  assert.equal(paramOf(PARAMS, "tag"), "one");
  assert.equal(paramOf(PARAMS, "q"), 'a;tag="no";b');
  assert.equal(paramOf(PARAMS, "flag"), "");
  assert.equal(paramOf(PARAMS, "x"), "y");
  assert.equal(paramOf(PARAMS, "b"), undefined);
  assert.equal(paramOf("", "b"), undefined);
  assert.equal(paramOf(';a="1";tag=2', "tag"), "2");
  assert.equal(paramOf(';a=";tag=2"', "tag"), undefined);
});

test("all parameters are listed in order", () => {
  assert.deepEqual(paramList(PARAMS), [
    ["tag", "one"],
    ["q", 'a;tag="no";b'],
    ["flag", ""],
    ["x", "y"],
  ]);
});

test("a parameter is replaced where it stands, or added at the end", () => {
  assert.equal(withParam(";a=1;b;c=3", "b", "2"), ";a=1;b=2;c=3");
  assert.equal(withParam(";a=1;A=2;c", "a", "9"), ";a=9;c");
  assert.equal(withParam(";a=1", "lr"), ";a=1;lr");
  assert.equal(withParam("", "a", "1"), ";a=1");
});

test("a parameter is taken out wherever and however often it stands", () => {
  assert.equal(withoutParam(";a=1;b=2;a", "a"), ";b=2");
  assert.equal(withoutParam(";b=2", "a"), ";b=2");
  assert.equal(withoutParam(";a", "a"), "");
});
