/** Messages waiting (RFC 3842), told by whoever keeps them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessageSummary } from "../../../src/core/dialog/subscription-summary.ts";
import { Domains } from "../../../src/core/server/domains.ts";
import { MessageSummaryPackage } from "../../../src/core/server/message-summary.ts";
import { deposit, told, watcher } from "./messages.ts";
import { Town, users } from "./town.ts";

test("the first NOTIFY comes even when no message waits, then one for each change (R115)", () => {
  const town = new Town();
  const host = town.server();
  const phone = watcher(town, "udp:10.0.0.1:5060");
  assert.equal(deposit(host, { new: 2, old: 8 }), true);
  deposit(host, { new: 0, old: 10 });
  assert.deepEqual(
    told(phone).map((summary) => [summary?.waiting, summary?.voice?.new, summary?.voice?.old]),
    [
      [false, 0, 0],
      [true, 2, 8],
      [false, 0, 10],
    ],
  );
});

test("the box of a user is named as the account, if he has one (R115)", () => {
  const known = users("alice: {password: x, voicemail: '500'}\nbob: secret\n");
  const box = new MessageSummaryPackage({
    domains: new Domains(["example.com"]),
    users: known,
    unread: () => undefined,
  });
  const accountOf = (user: string): string | undefined =>
    parseMessageSummary(box.summary(user, { new: 1, old: 0 }))?.account;
  assert.equal(accountOf("alice"), "sip:500@example.com");
  assert.equal(accountOf("bob"), undefined);
});

test("the other node of a system knows the messages, too, and whoever subscribes there is told", () => {
  const town = new Town();
  const one = town.server({ shared: true });
  const two = { transport: "udp", address: "10.0.0.2", port: 5060 } as const;
  town.server({ name: "two", listen: [two], shared: true });
  deposit(one, { new: 3, old: 0 });
  const phone = watcher(town, "udp:10.0.0.2:5060");
  assert.equal(parseMessageSummary(phone.last("NOTIFY").body)?.voice?.new, 3);
});

test("a store that is away, and a fallback server, keep no messages", () => {
  const town = new Town();
  const host = town.server();
  town.store.available = false;
  assert.equal(deposit(host, { new: 1, old: 0 }), false);
  const fallback = new Town().server({ role: "fallback" });
  assert.equal(deposit(fallback, { new: 1, old: 0 }), false);
});

test("while its store is away a server says nothing of the messages, and not that there are none (C26)", () => {
  const town = new Town();
  const host = town.server();
  deposit(host, { new: 3, old: 0 });
  town.store.available = false;
  const phone = watcher(town, "udp:10.0.0.1:5060");
  assert.equal(phone.final("SUBSCRIBE").status, 200);
  assert.equal(phone.last("NOTIFY").body, "");
  town.store.available = true;
  deposit(host, { new: 4, old: 0 });
  assert.equal(parseMessageSummary(phone.last("NOTIFY").body)?.voice?.new, 4);
});
