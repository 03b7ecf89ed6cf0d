/** Presence documents (RFC 3863, RFC 4480): what is read, what is left out, what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_PRESENCE_TEXT, MAX_PRESENCE_TUPLES } from "../../../src/core/dialog/limits.ts";
import {
  type PresenceDocument,
  parsePresence,
  printPresence,
} from "../../../src/core/dialog/subscription-presence.ts";

const FULL: PresenceDocument = {
  tuples: [
    { id: "a&b", basic: "open", contact: "sip:alice@10.0.1.1", notes: ["<here> & there"] },
    { id: "t2", basic: "", contact: "", notes: [] },
  ],
  activities: ["meeting", "on-the-phone"],
  notes: ['back "soon"'],
};

function tuples(...list: readonly string[]): string {
  return `<presence>${list.join("")}</presence>`;
}

test("what is printed is read as it was, markup in texts included", () => {
  assert.deepEqual(parsePresence(printPresence("sip:alice@example.com", FULL)), FULL);
});

test("activities are read wherever they stand; what else is said is left out", () => {
  const body = `<presence><tuple id="t"><status><basic> closed </basic><other>x</other></status>
<timestamp>2026-01-01T00:00:00Z</timestamp></tuple><person><activities>
<away/><note>a walk</note><unknown/><away/></activities>
<mood><happy/></mood></person></presence>`;
  assert.deepEqual(parsePresence(body), {
    tuples: [{ id: "t", basic: "closed", contact: "", notes: [] }],
    activities: ["away"],
    notes: ["a walk"],
  });
});

test("more tuples than are looked at, and texts that are too long, are left out", () => {
  const many = Array.from({ length: MAX_PRESENCE_TUPLES + 1 }, (_, id) => `<tuple id="${id}"/>`);
  assert.equal(parsePresence(tuples(...many))?.tuples.length, MAX_PRESENCE_TUPLES);
  const long = `<tuple id="t"><note>${"x".repeat(MAX_PRESENCE_TEXT + 1)}</note></tuple>`;
  assert.deepEqual(parsePresence(tuples(long))?.tuples[0]?.notes, []);
});

for (const body of [
  "",
  "open",
  "<presence>",
  "<tuple/>",
  "<presence/><presence/>",
  "<presence></tuple>",
]) {
  test(`${body === "" ? "nothing" : body} is no presence document`, () => {
    assert.equal(parsePresence(body), undefined);
  });
}
