/** A change of message counts at one node is told by all nodes of its store, with the next sign of life. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_MESSAGE_CHANGES } from "../../../src/core/server/limits.ts";
import { deposit, lamps, watcher } from "./messages.ts";
import { type Host, Town } from "./town.ts";

const ONE = "udp:10.0.0.1:5060";
const TWO = "udp:10.0.0.2:5060";

const KEY = "message-changes";

/** A sign of life, and what follows it. */
const BEAT_MS = 5_050;

/** Two nodes of one store, which have known each other for a while. */
function pair(): { town: Town; one: Host; two: Host } {
  const town = new Town();
  const at = (name: string, address: string): Host =>
    town.server({ name, listen: [{ transport: "udp", address, port: 5060 }], shared: true });
  const [one, two] = [at("one", "10.0.0.1"), at("two", "10.0.0.2")];
  // Some change has been told before.
  deposit(one, { new: 0, old: 0 }, "carol");
  town.pass(2 * BEAT_MS);
  return { town, one, two };
}

/** How often that was asked of the store while `ms` passed. */
function asked(town: Town, ms: number): (key: string) => number {
  const { reads, writes } = town.store;
  const from = reads.length;
  const wrote = writes.length;
  town.pass(ms);
  const all = [...reads.slice(from), ...writes.slice(wrote)];
  return (start) => all.filter((key) => key.startsWith(start)).length;
}

test("whoever subscribes at one node is told within 5 s what was changed at another, once", () => {
  const { town, one, two } = pair();
  const here = watcher(town, ONE);
  const there = watcher(town, TWO);
  deposit(one, { new: 2, old: 0 });
  assert.deepEqual(lamps(here), [0, 2]);
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(there), [0, 2]);
  deposit(two, { new: 0, old: 2 });
  assert.deepEqual(lamps(there), [0, 2, 0]);
  town.pass(4 * BEAT_MS);
  assert.deepEqual(lamps(here), [0, 2, 0]);
  assert.deepEqual(lamps(there), [0, 2, 0]);
});

test("the first change of all is told, too", () => {
  const town = new Town();
  const one = town.server({ shared: true });
  const listen = [{ transport: "udp", address: "10.0.0.2", port: 5060 }] as const;
  town.server({ name: "two", listen, shared: true });
  const there = watcher(town, TWO);
  town.pass(BEAT_MS);
  deposit(one, { new: 1, old: 0 });
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(there), [0, 1]);
});

test("it costs one reading with each sign of life, and a change one count more where it is watched", () => {
  const { town, one, two } = pair();
  for (let user = 0; user < 20; user += 1) watcher(town, TWO, `user${user}`);
  town.pass(2 * BEAT_MS);
  const idle = asked(town, 60_000);
  assert.equal(idle(KEY), 2 * 12);
  assert.equal(idle("messages/"), 0);
  deposit(one, { new: 1, old: 0 }, "user7");
  deposit(one, { new: 1, old: 0 }, "dave");
  deposit(two, { new: 1, old: 0 }, "user8");
  const busy = asked(town, BEAT_MS);
  // To see whether it is news, and to say it.
  assert.equal(busy("messages/user7@example.com"), 2);
  assert.equal(busy("messages/"), 2);
});

test("a node alone writes and reads nothing of it", () => {
  const town = new Town();
  const host = town.server();
  watcher(town, ONE);
  deposit(host, { new: 1, old: 0 });
  town.pass(60_000);
  const { reads, writes } = town.store;
  assert.deepEqual(
    [...reads, ...writes].filter((key) => key.startsWith(KEY)),
    [],
  );
});

test("a node that has missed more changes than are kept looks at the counts of all, and tells what is news", () => {
  const { town, one } = pair();
  deposit(one, { new: 4, old: 0 }, "bob");
  const alice = watcher(town, TWO);
  const bob = watcher(town, TWO, "bob");
  const carol = watcher(town, TWO, "carol");
  one.run((now) => {
    for (let index = 0; index <= MAX_MESSAGE_CHANGES; index += 1) {
      const user = index === 0 ? "alice" : `user${index}`;
      one.server.setMessages(now, user, { new: 1, old: 0 }, () => undefined);
    }
  });
  town.pass(BEAT_MS);
  const lines = (town.store.value(KEY) ?? "").split("\n");
  assert.equal(lines.length, 1 + MAX_MESSAGE_CHANGES);
  assert.deepEqual(lamps(alice), [0, 1]);
  assert.deepEqual(lamps(bob), [4]);
  assert.deepEqual(lamps(carol), [0]);
});

for (const [what, happens] of [
  ["spoiled", (town: Town) => town.store.spoil(KEY, "rubbish\n\n1 2 3")],
  ["spoiled in its lines", (town: Town) => town.store.spoil(KEY, `${KEY} 1\n\nrubbish\n1 2 3`)],
  ["older than what was read of them", (town: Town, before) => town.store.spoil(KEY, before)],
] as const satisfies readonly [string, (town: Town, before: string) => void][]) {
  test(`changes that are ${what} cost no change`, () => {
    const { town, one } = pair();
    const there = watcher(town, TWO);
    const before = town.store.value(KEY) as string;
    deposit(one, { new: 1, old: 0 }, "dave");
    town.pass(BEAT_MS);
    deposit(one, { new: 1, old: 0 });
    happens(town, before);
    town.pass(BEAT_MS);
    assert.deepEqual(lamps(there), [0, 1]);
    deposit(one, { new: 2, old: 0 });
    town.pass(BEAT_MS);
    assert.deepEqual(lamps(there), [0, 1, 2]);
  });
}

test("where the store has lost its data what is changed from then on is told, and lamps stay as they are till then", () => {
  const { town, one } = pair();
  const alice = watcher(town, TWO);
  const bob = watcher(town, TWO, "bob");
  deposit(one, { new: 1, old: 0 });
  deposit(one, { new: 1, old: 0 }, "bob");
  town.pass(BEAT_MS);
  town.store.empty();
  deposit(one, { new: 2, old: 0 });
  town.pass(2 * BEAT_MS);
  deposit(one, { new: 3, old: 0 });
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(alice), [0, 1, 2, 3]);
  assert.deepEqual(lamps(bob), [0, 1]);
});

test("the others know at once what is changed, even if the node dies then", () => {
  const { town, one } = pair();
  const alice = watcher(town, TWO);
  const bob = watcher(town, TWO, "bob");
  one.run((now) => {
    for (const user of ["alice", "carol", "bob"]) {
      one.server.setMessages(now, user, { new: 1, old: 0 }, () => undefined);
    }
  });
  town.pass(20);
  one.kill();
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(alice), [0, 1]);
  assert.deepEqual(lamps(bob), [0, 1]);
});

test("a change that could not be written for the others is written with the next sign of life", () => {
  const { town, one } = pair();
  const there = watcher(town, TWO);
  town.store.broken = KEY;
  assert.equal(deposit(one, { new: 1, old: 0 }), true);
  town.pass(3 * BEAT_MS);
  assert.deepEqual(lamps(there), [0]);
  town.store.broken = undefined;
  town.pass(2 * BEAT_MS);
  assert.deepEqual(lamps(there), [0, 1]);
});

test("… or before the node leaves", () => {
  const { town, one } = pair();
  const there = watcher(town, TWO);
  town.store.broken = KEY;
  deposit(one, { new: 1, old: 0 });
  town.store.broken = undefined;
  one.run((now) => one.server.stop(now));
  town.pass(BEAT_MS);
  assert.equal(one.server.state, "stopped");
  assert.deepEqual(lamps(there), [0, 1]);
});

test("changes that two nodes make at the same moment are both told", () => {
  const { town, one, two } = pair();
  const alice = watcher(town, TWO);
  const bob = watcher(town, ONE, "bob");
  for (const [host, user] of [
    [one, "alice"],
    [two, "bob"],
  ] as const) {
    host.run((now) => host.server.setMessages(now, user, { new: 1, old: 0 }, () => undefined));
  }
  town.pass(2 * BEAT_MS);
  assert.deepEqual(lamps(alice), [0, 1]);
  assert.deepEqual(lamps(bob), [0, 1]);
});

test("what a node could not read while its store was away it reads when that is back", () => {
  const { town, one } = pair();
  const there = watcher(town, TWO);
  deposit(one, { new: 1, old: 0 });
  town.store.available = false;
  town.pass(60_000);
  town.store.available = true;
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(there), [0, 1]);

  deposit(one, { new: 2, old: 0 });
  town.store.broken = "messages/alice@example.com";
  town.pass(2 * BEAT_MS);
  town.store.broken = undefined;
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(there), [0, 1, 2]);
});

test("who subscribes while the store is away is told the count when it is back", () => {
  const { town, one } = pair();
  deposit(one, { new: 3, old: 0 });
  town.pass(BEAT_MS);
  town.store.available = false;
  const there = watcher(town, TWO);
  assert.deepEqual(lamps(there), [undefined]);
  town.pass(2 * BEAT_MS);
  town.store.available = true;
  town.pass(BEAT_MS);
  assert.deepEqual(lamps(there), [undefined, 3]);
});

test("a count that its subscriber was too busy to take is told again when it is looked at again", () => {
  const { town, one } = pair();
  const there = watcher(town, TWO);
  there.answer = () => 503;
  deposit(one, { new: 1, old: 0 });
  town.pass(BEAT_MS);
  there.answer = () => 200;
  deposit(one, { new: 1, old: 0 });
  town.pass(2 * BEAT_MS);
  assert.deepEqual(lamps(there), [0, 1, 1]);
});
