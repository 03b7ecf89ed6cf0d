/** The rules of the simulated network on real packets. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { FaultBook } from "../../src/worlds/node/fault-book.ts";
import { echoing, echoingStream } from "./echoing.ts";
import { bytesOf, type Recorder } from "./recorder.ts";

/** Chance that takes turns. */
function turns(...fractions: number[]): { uint32(): number } {
  let turn = 0;
  return {
    uint32: () => {
      turn += 1;
      return Math.floor((fractions[(turn - 1) % fractions.length] as number) * 0x1_0000_0000);
    },
  };
}

function heard(machine: Recorder): string[] {
  return machine.facts.flatMap((fact) => (fact.fact === "received" ? [fact.text] : []));
}

test("a datagram hit by `duplicate` arrives twice, out and in; one that is not, once", async () => {
  const { machine, driver, captured, end } = await echoing();
  const book = new FaultBook(driver, turns(0.1, 0.9));
  book.set({ kind: "duplicate", share: 0.5 }, []);
  driver.run(() => machine.outbox.send(1, bytesOf("twice")));
  await machine.until("received", () => heard(machine).length === 2);
  deepEqual(captured.slice(0, 3), ["out udp true twice", "in udp true twice", "in udp true twice"]);
  await end();
});

test("a datagram hit by `reorder` comes behind the one sent after it", async () => {
  const { machine, driver, end } = await echoing();
  const book = new FaultBook(driver, turns(0, 0.9, 0.9, 0.9));
  book.set({ kind: "reorder", share: 0.5, ms: 80 }, []);
  driver.run(() => {
    machine.outbox.send(1, bytesOf("first"));
    machine.outbox.send(1, bytesOf("second"));
  });
  await machine.until("received", ({ text }) => text === "first");
  deepEqual(heard(machine), ["second", "first"]);
  await end();
});

test("a partition cuts off the peer that it names, both ways, and no other, until it is healed", async () => {
  const { machine, driver, end } = await echoing();
  const book = new FaultBook(driver, turns(0));
  book.set({ kind: "drop" }, ["127.0.0.99"]);
  driver.run(() => machine.outbox.send(1, bytesOf("other")));
  await machine.until("received", ({ text }) => text === "other");
  book.set({ kind: "drop" }, ["127.0.0.1"]);
  driver.run(() => machine.outbox.send(1, bytesOf("cut")));
  book.heal(["127.0.0.1"]);
  driver.run(() => machine.outbox.send(1, bytesOf("healed")));
  await machine.until("received", ({ text }) => text === "healed");
  deepEqual(heard(machine), ["other", "healed"]);
  book.heal();
  equal(driver.rule, undefined);
  await end();
});

test("a stream loses nothing and keeps its order: what is lost of it comes late, and the rest behind it", async () => {
  const { machine, driver, end } = await echoingStream();
  const book = new FaultBook(driver, turns(0, 0.9));
  book.set({ kind: "lose", share: 0.5 }, []);
  const began = driver.run((now) => {
    machine.outbox.send(1, bytesOf("first "));
    machine.outbox.send(1, bytesOf("second "));
    return now;
  });
  const { at } = await machine.until("received", () => heard(machine).join("") === "first second ");
  ok(at - began >= 190, `${at - began} ms`);
  await end();
});

test("a reset ends every connection for both sides at once, and datagram flows go on", async () => {
  const { machine, driver, ended, end } = await echoingStream();
  driver.run(() => machine.outbox.send(1, bytesOf("x")));
  await machine.until("received");
  driver.reset();
  equal((await machine.until("lost")).cause, "reset");
  equal(await ended, "ECONNRESET");
  await end();
  const datagrams = await echoing();
  datagrams.driver.reset();
  datagrams.driver.run(() => datagrams.machine.outbox.send(1, bytesOf("kept")));
  await datagrams.machine.until("received");
  await datagrams.end();
});

test("`refuse` resets a connection and is silence to datagrams", async () => {
  const stream = await echoingStream();
  new FaultBook(stream.driver, turns(0)).set({ kind: "refuse" }, []);
  stream.driver.run(() => stream.machine.outbox.send(1, bytesOf("x")));
  equal((await stream.machine.until("lost")).cause, "refused");
  await stream.end();
  const datagrams = await echoing();
  const book = new FaultBook(datagrams.driver, turns(0));
  book.set({ kind: "refuse" }, []);
  datagrams.driver.run(() => datagrams.machine.outbox.send(1, bytesOf("silent")));
  book.heal();
  datagrams.driver.run(() => datagrams.machine.outbox.send(1, bytesOf("kept")));
  await datagrams.machine.until("received");
  deepEqual(heard(datagrams.machine), ["kept"]);
  await datagrams.end();
});
