/** Rules that drop, delay and refuse packets of a running driver. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { echoing } from "./echoing.ts";
import { bytesOf } from "./recorder.ts";

test("what a rule drops on the way out is captured but never sent", async () => {
  const { machine, driver, captured, end } = await echoing(({ bytes, direction }) =>
    direction === "out" && String(bytes) === "lost" ? "drop" : "pass",
  );
  driver.run(() => {
    machine.outbox.send(1, bytesOf("lost"));
    machine.outbox.send(1, bytesOf("kept"));
  });
  await machine.until("received");
  equal(machine.heard(1), "kept");
  deepEqual(captured, ["out udp true lost", "out udp true kept", "in udp true kept"]);
  await end();
});

test("what a rule drops on the way in is never told", async () => {
  const { machine, driver, captured, end } = await echoing(({ bytes, direction }) =>
    direction === "in" && String(bytes) === "lost" ? "drop" : "pass",
  );
  driver.run(() => {
    machine.outbox.send(1, bytesOf("lost"));
    machine.outbox.send(1, bytesOf("kept"));
  });
  await machine.until("received");
  equal(machine.heard(1), "kept");
  deepEqual(captured, ["out udp true lost", "out udp true kept", "in udp true kept"]);
  await end();
});

test("delays hold packets back in both directions", async () => {
  const { machine, driver, end } = await echoing(() => ({ delayMs: 30 }));
  const began = driver.run((now) => {
    machine.outbox.send(1, bytesOf("slow"));
    return now;
  });
  const { at } = await machine.until("received");
  ok(at - began >= 58, `${at - began} ms`);
  await end();
});

test("a refused packet loses the flow as a closed port would", async () => {
  const { machine, driver, end } = await echoing(() => "refuse");
  driver.run(() => machine.outbox.send(1, bytesOf("x")));
  equal((await machine.until("lost")).cause, "refused");
  equal(driver.flows, 0);
  await end();
});

test("a rule may be changed while the machine runs", async () => {
  const { machine, driver, end } = await echoing(() => "drop");
  driver.run(() => machine.outbox.send(1, bytesOf("lost")));
  driver.rule = undefined;
  driver.run(() => machine.outbox.send(1, bytesOf("kept")));
  await machine.until("received");
  equal(machine.heard(1), "kept");
  await end();
});
