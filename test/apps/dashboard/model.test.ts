/** What the page makes of a trace: the same as everybody else makes of it, only while it grows. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { TraceHeader } from "../../../src/apps/dashboard/protocol.ts";
import { diffLines } from "../../../src/apps/dashboard/web/model/diff.ts";
import { Filter } from "../../../src/apps/dashboard/web/model/filter.ts";
import { KNOBS, readKnob, writeKnob } from "../../../src/apps/dashboard/web/model/knobs.ts";
import { groundOf, reasonOf, sentenceOf } from "../../../src/apps/dashboard/web/model/meaning.ts";
import { type Row, Trace } from "../../../src/apps/dashboard/web/model/trace.ts";
import { isIPv6 } from "../../../src/apps/dashboard/web/stand-ins/net.ts";
import { loadLab, loadScenarios } from "../../../src/apps/lab/catalogue.ts";
import { shownCast, withoutPasswords } from "../../../src/apps/lab/shown-cast.ts";
import type { Scenario } from "../../../src/apps/scenario/scenario.ts";
import { type PlayedInSimulator, playInSimulator } from "../../../src/apps/sim/scenarios.ts";
import { deliveries } from "../../../src/apps/trace/deliveries.ts";
import { Places } from "../../../src/apps/trace/record.ts";

let played: PlayedInSimulator;
let trace: Trace;

before(async () => {
  const scenario = loadScenarios("both-levels").scenarios[0] as Scenario;
  played = await playInSimulator(scenario, 1);
  trace = grown(1);
});

function headerOf({ scenario, epochMs }: PlayedInSimulator): TraceHeader {
  const state = { standing: "over", held: false, virtual: true } as const;
  return { id: "t1", title: scenario.title, epochMs, ...shownCast(scenario.topology), ...state };
}

/** Told in pieces of so many records. */
function grown(piece: number): Trace {
  const made = new Trace(headerOf(played));
  for (let at = 0; at < played.records.length; at += piece) {
    made.append(played.records.slice(at, at + piece), 0);
  }
  return made;
}

test("told record by record or at once, messages are joined as in the lab's own ladder", () => {
  const wanted = deliveries(played.records, new Places(played.records));
  for (const piece of [1, 7, 100_000]) {
    const one = grown(piece);
    const seen = one.rows.flatMap(({ delivery }) => (delivery === undefined ? [] : [delivery]));
    const view = (
      { at, from, to, again, arrivedAt }: (typeof wanted)[number],
      lost: boolean,
    ): string => `${at} ${from} ${to} ${again} ${arrivedAt} ${lost}`;
    assert.deepEqual(
      seen.map((delivery) => view(delivery, one.isLost(delivery))).sort(),
      wanted.map((delivery) => view(delivery, delivery.lost)).sort(),
      `in pieces of ${piece}`,
    );
  }
});

test("rows stand in order of time though records come late", () => {
  const made = new Trace(headerOf(played));
  const shuffled = [...played.records].sort((a, b) => (a.at % 7) - (b.at % 7));
  for (const record of shuffled) made.append([record], 0);
  const times = made.rows.map(({ at }) => at);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
});

test("outages are counted from the server's death to the next registration that serves", () => {
  const { outages, calls } = trace.outages;
  const told = outages.map(({ phone, from, to, why }) => `${phone} ${from} ${why} ${to}`);
  assert.deepEqual(told.slice(0, 4).sort(), [
    "alice primary killed secondary",
    "alice secondary killed fallback",
    "bob primary killed secondary",
    "bob secondary killed fallback",
  ]);
  const killed = played.records.find(({ event }) => event === "server.killed");
  const moved = played.records.find(
    (record) =>
      record.event === "registration.accepted" &&
      record.node === "alice" &&
      record.at > (killed?.at ?? 0),
  );
  const first = outages.find(({ phone }) => phone === "alice");
  assert.deepEqual([first?.since, first?.until], [killed?.at, moved?.at]);
  assert.deepEqual(
    calls.map(({ phone, until, since }) => [phone, (until ?? 0) - since < 1000]),
    [
      ["alice", true],
      ["alice", true],
      ["alice", true],
    ],
  );
});

test("a phone's state over time is where it was registered, and what its calls did", () => {
  const spans = trace.phones.spansOf("alice")?.list ?? [];
  const places = spans
    .map(({ state }) => state.current)
    .filter((name, index, all) => name !== all[index - 1]);
  assert.deepEqual(places, ["primary", "secondary", "", "fallback", "primary", ""]);
  assert.ok(spans.some(({ state }) => state.call === "in a call"));
  const primary = trace.servers.spansOf("primary").list.map(({ state }) => state);
  assert.deepEqual(primary.slice(0, 3), ["down", "up", "down"]);
});

test("a decision is told in words, with its reason and the line of the file that caused it", () => {
  const record = {
    at: 1,
    node: "alice",
    event: "request.failed-over",
    method: "REGISTER",
    from: "udp:127.0.0.13:5060",
    to: "udp:127.0.0.14:5060",
    why: "timeout",
    rule: "registerRetries=2 (/tmp/lab/alice.cfg:10)",
  };
  assert.equal(
    sentenceOf(record, trace),
    "alice sends its REGISTER to secondary instead of primary",
  );
  assert.match(reasonOf(record), /nobody answered/);
  const lab = loadLab().scenarios[0] as Scenario;
  const ground = groundOf(record, shownCast(lab.topology).phones);
  assert.deepEqual(
    [ground?.value, ground?.file, ground?.line],
    ["registerRetries=2", "alice.cfg", 10],
  );
  assert.equal(
    ground?.excerpt.find(({ number }) => number === 10)?.text,
    "account.1.sip_server.1.retry_counts = 2",
  );
});

test("the filter: words in any order, -word, text:word, lost and retransmission", () => {
  const count = (text: string): number => {
    const filter = new Filter(text);
    return trace.rows.filter((row) => filter.takes(row, trace)).length;
  };
  const all = (wanted: (row: Row) => boolean): number => trace.rows.filter(wanted).length;
  const isInvite = ({ delivery }: Row): boolean => delivery?.seen.method === "INVITE";
  assert.equal(count(""), trace.rows.length);
  assert.equal(count("INVITE udp"), all(isInvite));
  assert.equal(
    count("invite udp -ok"),
    all((row) => isInvite(row) && row.delivery?.seen.status !== 200),
  );
  assert.equal(
    count("lost udp"),
    all(({ delivery }) => delivery !== undefined && trace.isLost(delivery)),
  );
  assert.ok(count("text:user-agent") > 0);
  assert.equal(count("text:user-agent -udp"), 0);
});

test("two messages differ by the lines that are new and gone", () => {
  const lines = diffLines("a\nb\nc", "a\nc\nd").map(({ kind, text }) => `${kind} ${text}`);
  assert.deepEqual(lines, ["same a", "gone b", "same c", "new d"]);
});

test("a slider reads and writes its key in every dialect, where it stands and where it does not", () => {
  const { phones } = shownCast((loadLab().scenarios[0] as Scenario).topology);
  for (const knob of KNOBS) {
    for (const { name, files } of phones) {
      const keys = { alice: "yealink", bob: "native", carol: "polycom" } as const;
      if (knob.keys[keys[name as keyof typeof keys]] === undefined) continue;
      const value = knob.least + knob.step;
      const written = writeKnob(knob, files, value);
      assert.equal(readKnob(knob, written), value, `${knob.name} of ${name}`);
      assert.deepEqual(writeKnob(knob, written, value), written, "and once only");
    }
  }
});

test("no password leaves with the provisioning files, placeholders do", () => {
  const secret = [
    "account.1.password = hunter2",
    "password: hunter2",
    'reg.1.auth.password="hunter2" reg.1.address="1"',
    `account.1.password = \${password}`,
  ];
  const shown = secret.map(withoutPasswords);
  assert.ok(!shown.join("\n").includes("hunter2"));
  assert.equal(shown[2], 'reg.1.auth.password=•••• reg.1.address="1"');
  assert.equal(shown[3], secret[3]);
});

test("the page's own isIPv6 knows addresses as Node does", async () => {
  const node = await import("node:net");
  const texts = [
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "1:2:3:4:5:6:7:8",
    "::ffff:192.0.2.1",
    "1:2:3:4:5:6:192.0.2.1",
  ];
  const wrong = [
    "",
    ":",
    "1:2",
    "1::2::3",
    "::g",
    "12345::",
    "1:2:3:4:5:6:7:8:9",
    "::1.2.3",
    "1.2.3.4",
    ":::",
    "1:2:3:4:5:6:7::8",
  ];
  for (const text of [...texts, ...wrong]) assert.equal(isIPv6(text), node.isIPv6(text), text);
});
