/** Calls handed over from one phone to another (RFC 3515, RFC 3891, RFC 5589), through our server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { type Call, CallError, type Phone, StateError } from "../../src/index.ts";
import { patience, startPhone, startServer } from "./town.ts";

const USERS = { "2001": "one", "2002": "two", "2003": "three" };

async function threePhones(t: TestContext): Promise<[alice: Phone, bob: Phone, carol: Phone]> {
  const server = await startServer(t, { users: USERS });
  const phone = (user: keyof typeof USERS): Promise<Phone> =>
    startPhone(t, server, user, { password: USERS[user], answer: "auto" });
  return [await phone("2001"), await phone("2002"), await phone("2003")];
}

/** Both ends of an answered call. */
async function connected(caller: Phone, callee: Phone, to: string): Promise<[Call, Call]> {
  const called = once(callee, "call.answered", patience());
  const ours = caller.call(to);
  await Promise.all([called, ours.answered]);
  return [ours, callee.calls.at(-1) as Call];
}

test("a call is handed over to somebody who answers: the two talk, and it ends", async (t) => {
  const [alice, bob, carol] = await threePhones(t);
  const [ours, theirs] = await connected(alice, bob, "2002");
  const referred = once(theirs, "referred", patience());
  const called = once(carol, "call", patience());
  const heard = once(carol, "call.heard", patience());
  await ours.transfer("2003");
  assert.equal((await ours.ended).why, "transferred");
  assert.equal((await theirs.ended).why, "peer-hung-up");
  const [{ to, newCall }] = (await referred) as [{ to: string; newCall: number }];
  assert.equal(to, "sip:2003@example.com");
  const [atCarol] = (await called) as [Call];
  assert.equal(atCarol.peer, "sip:2002@example.com");
  await heard;
  const [atBob] = bob.calls;
  assert.equal(atBob?.id, newCall);
  assert.equal(atBob?.state, "answered");
  assert.deepEqual([alice.calls.length, carol.calls], [0, [atCarol]]);
});

test("handed over to nobody, a call goes on", async (t) => {
  const [alice, bob] = await threePhones(t);
  const [ours, theirs] = await connected(alice, bob, "2002");
  await assert.rejects(ours.transfer("2099"), (error) => {
    assert.ok(error instanceof CallError);
    assert.deepEqual([error.why, error.status], ["rejected", 404]);
    return true;
  });
  assert.deepEqual([ours.state, theirs.state], ["answered", "answered"]);
  await assert.rejects(ours.transfer("a b"), TypeError);
  await ours.hangup();
  await assert.rejects(ours.transfer("2003"), StateError);
});

test("two calls become one of the two others (Replaces)", async (t) => {
  const [alice, bob, carol] = await threePhones(t);
  const [ours, atBob] = await connected(alice, bob, "2002");
  const [second, atCarol] = await connected(alice, carol, "2003");
  await assert.rejects(ours.transfer(ours), StateError);
  const heard = once(carol, "call.heard", patience());
  await ours.transfer(second);
  assert.equal((await atCarol.ended).why, "replaced");
  assert.equal((await second.ended).why, "peer-hung-up");
  await Promise.all([heard, atBob.ended]);
  assert.deepEqual(
    [bob, carol].map(({ calls }) => calls.map(({ peer, state }) => `${peer} ${state}`)),
    [["sip:2003@example.com answered"], ["sip:2002@example.com answered"]],
  );
});
