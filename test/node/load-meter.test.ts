/** How long what arrives waits, as this process can tell. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { LoadMeter, lostAt, namesOf } from "../../src/worlds/node/load-meter.ts";

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** The first wait that `isWanted` once the meter has started and `deed` is done. */
async function waitAfter(deed: () => void, isWanted: (waitMs: number) => boolean): Promise<number> {
  // The meter keeps no process alive by itself.
  const alive = setInterval(() => {}, 60_000);
  let meter: LoadMeter | undefined;
  const waitMs = await new Promise<number>((done) => {
    meter = new LoadMeter([], (told) => (isWanted(told) ? done(told) : deed()));
    meter.start();
    deed();
  });
  meter?.stop();
  clearInterval(alive);
  return waitMs;
}

test("a process that is busy for half a second tells of that wait", async () => {
  // On a machine that others keep busy it may have had too little of it to count.
  const waitMs = await waitAfter(
    () => block(500),
    (told) => told > 0,
  );
  assert.ok(waitMs >= 300, `${waitMs} ms`);
});

test("a process that was kept from running, and had nothing to do, tells of no wait", async () => {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const waitMs = await waitAfter(
    () => Atomics.wait(asleep, 0, 0, 1_000),
    () => true,
  );
  assert.equal(waitMs, 0);
});

test("datagrams that nobody fetched in time are counted, where the system tells", async () => {
  const receiver = createSocket({ type: "udp4", recvBufferSize: 4096 });
  receiver.bind(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address();
  const here = new Set(namesOf(`127.0.0.1:${port}`));
  const elsewhere = new Set(namesOf(`127.0.0.2:${port}`));
  assert.equal(lostAt(here), 0);
  const sender = createSocket("udp4");
  sender.connect(port, "127.0.0.1");
  await once(sender, "connect");
  for (let count = 0; count < 200; count += 1) sender.send(Buffer.alloc(1_000));
  await new Promise((done) => sender.send("last", done));
  const lost = lostAt(here);
  assert.equal(lostAt(new Set(namesOf(port))), lost);
  assert.equal(lostAt(elsewhere), 0);
  receiver.close();
  sender.close();
  assert.equal(lost > 0, existsSync("/proc/net/udp"), `${lost} lost`);
});
