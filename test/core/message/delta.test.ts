/** Seconds in headers. */
import assert from "node:assert/strict";
import test from "node:test";
import {
  decimalSeconds,
  MAX_DELTA,
  parseRetryAfter,
  retryAfterOf,
  secondsOf,
} from "../../../src/core/message/delta.ts";
import { Headers } from "../../../src/core/message/headers.ts";

test("seconds are capped at 2^32 - 1 however many digits come (RFC 3261 §20.19)", () => {
  assert.equal(decimalSeconds("3600"), 3600);
  assert.equal(decimalSeconds("4294967296"), MAX_DELTA);
  assert.equal(decimalSeconds("1".repeat(300)), MAX_DELTA);
  for (const text of ["", "-1", "1.5", "soon", " 1"])
    assert.equal(decimalSeconds(text), undefined, text);
});

test("a malformed header of seconds counts as absent", () => {
  const headers = new Headers().add("expires", "60").add("min-expires", "x");
  assert.equal(secondsOf(headers, "expires"), 60);
  assert.equal(secondsOf(headers, "min-expires"), undefined);
  assert.equal(secondsOf(headers, "x-none"), undefined);
});

test("Retry-After may carry a comment and a duration (R51)", () => {
  const comment = "I'm in a meeting; (back) soon";
  assert.deepEqual(parseRetryAfter("18000;duration=3600"), {
    seconds: 18_000,
    comment: "",
    duration: 3600,
  });
  assert.deepEqual(parseRetryAfter(`120 (${comment})`), {
    seconds: 120,
    comment,
    duration: undefined,
  });
  assert.deepEqual(parseRetryAfter("5 (a) ;x;duration=7"), {
    seconds: 5,
    comment: "a",
    duration: 7,
  });
  assert.deepEqual(parseRetryAfter("5"), { seconds: 5, comment: "", duration: undefined });
  for (const text of ["", "soon", "5 x", "5 (open", "Fri, 01 Jan 2010 16:00:00 GMT"]) {
    assert.equal(parseRetryAfter(text), undefined, text);
  }
  assert.equal(retryAfterOf(new Headers().add("retry-after", "9"))?.seconds, 9);
  assert.equal(retryAfterOf(new Headers()), undefined);
});
