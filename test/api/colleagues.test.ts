/** A colleague's calls and presence, from our own server to our own phone, on real sockets (RFC 4235, RFC 3856). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import type { Call, Phone } from "../../src/index.ts";
import { newPhone, patience, startPhone, startServer } from "./town.ts";

/** Resolves when the lamp shows that. */
async function shows(phone: Phone, state: string): Promise<void> {
  for (;;) {
    const [event] = await once(phone, "colleague.changed", patience());
    assert.equal(event.colleague, "2002");
    if (event.state === state) return;
  }
}

async function watched(t: TestContext): Promise<[watcher: Phone, colleague: Phone]> {
  const server = await startServer(t);
  const colleague = await startPhone(t, server, "2002");
  return [await startPhone(t, server, "2001", { colleagues: ["2002"] }), colleague];
}

test("the lamp of a colleague is off, blinks, is on, and off again", async (t) => {
  const [watcher, colleague] = await watched(t);
  await shows(watcher, "idle");
  const called = once(colleague, "call", patience());
  const ringing = shows(watcher, "ringing");
  const ours = watcher.call("2002");
  const [theirs] = (await called) as [Call];
  await ringing;
  const busy = shows(watcher, "busy");
  await Promise.all([theirs.answer(), ours.answered, busy]);
  const idle = shows(watcher, "idle");
  await ours.hangup();
  await idle;
});

test("a phone that publishes its presence is on the phone from answer to end, and gone when it stops (RFC 3903, RFC 4480)", async (t) => {
  const server = await startServer(t);
  const colleague = newPhone(t, server, "2002", { publishPresence: true });
  const published = once(colleague, "publication.accepted", patience());
  await colleague.start();
  await published;
  const watcher = await startPhone(t, server, "2001", { presenceOf: ["2002"] });
  const told: string[] = [];
  watcher.on("presence.changed", ({ state, activity = "" }) => void told.push(state + activity));
  const shows = async (wanted: string): Promise<void> => {
    while (told.at(-1) !== wanted) await once(watcher, "presence.changed", patience());
  };
  await shows("open");
  const called = once(colleague, "call", patience());
  const ours = watcher.call("2002");
  const [theirs] = (await called) as [Call];
  await Promise.all([theirs.answer(), ours.answered]);
  await shows("openon-the-phone");
  await ours.hangup();
  await shows("open");
  await colleague.stop();
  await shows("closed");
  assert.deepEqual(told, ["open", "openon-the-phone", "open", "closed"]);
});
