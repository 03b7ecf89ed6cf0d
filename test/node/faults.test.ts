/** Rules that drop, delay and refuse packets of a running driver. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { Driver } from "../../src/worlds/node/driver.ts";
import type { Packet, Verdict } from "../../src/worlds/node/faults.ts";
import { bytesOf, Recorder } from "./recorder.ts";

/** An echoing peer, and a machine connected to it whose rule is given. */
async function echoing(rule: (packet: Packet) => Verdict): Promise<{
  machine: Recorder;
  driver: Driver;
  captured: string[];
  end: () => Promise<void>;
}> {
  const peer = createSocket("udp4");
  peer.on("message", (bytes, from) => peer.send(bytes, from.port, from.address));
  peer.bind(0, "127.0.0.1");
  await once(peer, "listening");
  const machine = new Recorder();
  const captured: string[] = [];
  const driver = new Driver(machine, {
    rule,
    capture: (direction, { port }, bytes, transport) =>
      captured.push(
        `${direction} ${transport} ${port === peer.address().port} ${Buffer.from(bytes)}`,
      ),
  });
  driver.run(() =>
    machine.outbox.open(
      1,
      { transport: "udp", address: "127.0.0.1", port: peer.address().port },
      { from: 0, connected: true },
    ),
  );
  await machine.until("opened");
  const end = async (): Promise<void> => {
    peer.close();
    await driver.stop();
  };
  return { machine, driver, captured, end };
}

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
