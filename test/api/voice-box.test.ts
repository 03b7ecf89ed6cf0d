/** The list of messages that several nodes and phones are at, and what is stored of each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BoxError, VoiceBox, type VoiceMessage } from "../../src/api/voicemail/box.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";

const NAME = "2001@example.com";

function message(id: string): VoiceMessage {
  return { id, from: "sip:2002@example.com", at: 1, heard: false };
}

test("of many that are at a box nobody's change is lost", async () => {
  const store = new MemoryStore();
  const boxes = Array.from({ length: 12 }, () => new VoiceBox(store, NAME));
  await Promise.all(
    boxes.map((box, id) => box.change((others) => [...others, message(String(id))])),
  );
  const kept = await new VoiceBox(store, NAME).list();
  assert.deepEqual(
    kept.map(({ id }) => Number(id)).sort((one, other) => one - other),
    [...boxes.keys()],
  );
});

test("a piece that is written twice is there once, and all go with the message", async () => {
  const store = new MemoryStore();
  const box = new VoiceBox(store, NAME);
  await box.keep("m", 0, Uint8Array.of(0, 127, 255));
  await box.keep("m", 0, Uint8Array.of(0, 127, 255));
  await box.keep("m", 1, Uint8Array.of(9));
  await box.change(() => [message("m"), message("n")]);
  assert.deepEqual([...(await box.audio("m"))], [0, 127, 255, 9]);
  assert.deepEqual(
    (await box.remove("m")).map(({ id }) => id),
    ["n"],
  );
  assert.deepEqual([...(await box.audio("m"))], []);
});

test("names in any letters come back as they were", async () => {
  const box = new VoiceBox(new MemoryStore(), NAME);
  const odd = { ...message("m"), from: "sip:zo\u00eb\u2713@example.com" };
  await box.change(() => [odd]);
  assert.deepEqual(await box.list(), [odd]);
});

test("what is no box is told, and stays as it is", async () => {
  for (const rubbish of ["{", "{}", "[1]", '[{"id":"x"}]']) {
    const store = new MemoryStore();
    const key = `voice/box/${NAME}`;
    store.ask(
      { kind: "store.write", key, value: rubbish, ifVersion: 0, expiresAt: 253_402_300_799 },
      () => undefined,
    );
    const box = new VoiceBox(store, NAME);
    await assert.rejects(box.list(), BoxError);
    await assert.rejects(
      box.change(() => [message("m")]),
      BoxError,
    );
    store.ask({ kind: "store.read", key }, (answer) => {
      assert.equal(answer.kind === "stored" && answer.value, rubbish);
    });
  }
});
