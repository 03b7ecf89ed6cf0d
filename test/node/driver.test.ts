/** The driver on real sockets: facts in order, the deadline kept, nothing told from inside a turn. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { NEVER } from "../../src/core/machine.ts";
import { Driver, type TimedEvent } from "../../src/worlds/node/driver.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";
import { Recorder } from "./recorder.ts";

test("the machine is woken at its deadline, not before, and not again", async () => {
  const machine = new Recorder();
  const driver = new Driver(machine);
  // A plain timer beside it: where the machine stands still both are late.
  const plain = pause(31).then(() => performance.now());
  const due = driver.run((now) => {
    machine.deadline = now + 30.4;
    return machine.deadline;
  });
  const { at } = await machine.until("elapsed");
  const late = at - (await plain);
  ok(at >= due && late < 200, `${at - due} ms after its time, ${late} ms after a plain timer`);
  equal(machine.facts.length, 1);
  await driver.stop();
});

test("a deadline that moves nearer in one turn is obeyed", async () => {
  const machine = new Recorder();
  const driver = new Driver(machine);
  const began = driver.run((now) => {
    machine.deadline = now + 60_000;
    return now;
  });
  driver.run((now) => {
    machine.deadline = now + 10;
  });
  const { at } = await machine.until("elapsed");
  ok(at - began < 1000);
  await driver.stop();
});

test("a deadline that is silenced rings nothing", async () => {
  const machine = new Recorder();
  const driver = new Driver(machine);
  driver.run((now) => {
    machine.deadline = now + 5;
  });
  driver.run(() => {
    machine.deadline = NEVER;
  });
  driver.run((now) => {
    machine.outbox.ask(1, { kind: "dns", name: "example.com", type: "SRV" });
    machine.deadline = now + 40;
  });
  await machine.until("elapsed");
  deepEqual(
    machine.facts.map((fact) => fact.fact),
    ["answered", "elapsed"],
  );
  await driver.stop();
});

test("an answer at hand is told after the machine has decided, in the order asked", async () => {
  const store = new MemoryStore();
  const machine = new Recorder();
  const driver = new Driver(machine, {
    store: (question, answered) => store.ask(question, answered),
    resolve: (question, answered) => answered({ kind: "silent", why: question.name }),
  });
  let deciding = true;
  machine.react = (fact, outbox) => {
    equal(deciding, false);
    if (fact.fact === "answered" && fact.asked === 1) {
      outbox.ask(3, { kind: "store.read", key: "aor/a" });
    }
  };
  driver.run(() => {
    machine.outbox.ask(1, {
      kind: "store.write",
      key: "aor/a",
      value: "v",
      ifVersion: 0,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
    machine.outbox.ask(2, { kind: "dns", name: "a.example", type: "A" });
    deciding = false;
  });
  deepEqual(
    machine.facts.map((fact) => fact.fact === "answered" && [fact.asked, fact.answer]),
    [
      [1, { kind: "written", version: 1 }],
      [2, { kind: "silent", why: "a.example" }],
      [3, { kind: "stored", value: "v", version: 1 }],
    ],
  );
  await store.close();
  await driver.stop();
});

test("an answer that comes later is told then", async () => {
  const machine = new Recorder();
  const driver = new Driver(machine, {
    resolve: (_question, answered) => {
      setImmediate(() => answered({ kind: "none", ttl: 30 }));
    },
  });
  driver.run(() => machine.outbox.ask(7, { kind: "dns", name: "b.example", type: "AAAA" }));
  equal(machine.facts.length, 0);
  const { asked, answer } = await machine.until("answered");
  deepEqual([asked, answer], [7, { kind: "none", ttl: 30 }]);
  await driver.stop();
});

test("questions that nobody was appointed to answer are answered so", async () => {
  const machine = new Recorder();
  const driver = new Driver(machine);
  driver.run(() => {
    machine.outbox.ask(1, { kind: "dns", name: "c.example", type: "NAPTR" });
    machine.outbox.ask(2, { kind: "store.read", key: "aor/c" });
  });
  const kinds = machine.facts.map((fact) => fact.fact === "answered" && fact.answer.kind);
  deepEqual(kinds, ["silent", "unavailable"]);
  await driver.stop();
});

test("events carry when, what time, and which node", async () => {
  const events: TimedEvent[] = [];
  const machine = new Recorder();
  const driver = new Driver(machine, { node: "edge-1", sink: (event) => events.push(event) });
  driver.run(() =>
    machine.outbox.report({ event: "server.suspected", target: "udp:127.0.0.13:5060" }),
  );
  const [event] = events;
  ok(event !== undefined);
  deepEqual(Object.keys(event), ["at", "time", "node", "event", "target"]);
  ok(event.at >= 0 && event.at < 60_000);
  ok(Math.abs(Date.parse(event.time) - Date.now()) < 60_000);
  equal(event.node, "edge-1");
  await driver.stop();
});

test("a machine that throws is reported as process.failed and takes its caller with it", async () => {
  const events: TimedEvent[] = [];
  const machine = new Recorder();
  machine.react = () => {
    throw new Error("a bug");
  };
  const driver = new Driver(machine, { sink: (event) => events.push(event) });
  throws(
    () => driver.run(() => machine.outbox.ask(1, { kind: "dns", name: "d.example", type: "A" })),
    /a bug/,
  );
  equal(events[0]?.event, "process.failed");
  ok(JSON.stringify(events[0]).includes("a bug"));
  await driver.stop();
});

test("after stop nothing is told and nothing is left to keep the process alive", async () => {
  const machine = new Recorder();
  let answer: () => void = () => undefined;
  const driver = new Driver(machine, {
    resolve: (_question, answered) => {
      answer = () => answered({ kind: "none", ttl: 1 });
    },
  });
  driver.run((now) => {
    machine.outbox.bind(1, { transport: "udp", address: "127.0.0.1", port: 0 });
    machine.outbox.bind(2, { transport: "udp", address: "127.0.0.1", port: 0 });
    machine.outbox.ask(1, { kind: "dns", name: "e.example", type: "A" });
    machine.deadline = now + 3_600_000;
  });
  equal(driver.flows, 2);
  await driver.stop();
  const told = machine.facts.length;
  answer();
  equal(machine.facts.length, told);
  equal(driver.flows, 0);
  // The system's handles are gone at the end of the turn after their sockets.
  await nextTurn();
  await nextTurn();
  const held = process
    .getActiveResourcesInfo()
    .filter((name) => /UDP|Timeout|Immediate/.test(name));
  deepEqual(held, []);
});
