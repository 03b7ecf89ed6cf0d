/** How long a box waits for a caller who says nothing, or holds it, on a clock of its own. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Call } from "../../src/api/call.ts";
import { Hearing } from "../../src/api/hearing.ts";
import { Postbox } from "../../src/api/postbox.ts";
import { Voice } from "../../src/api/voice.ts";
import { VoiceBox } from "../../src/api/voicemail/box.ts";
import { takeMessage } from "../../src/api/voicemail/deposit.ts";
import {
  CALLER_HELD_MS,
  CALLER_SILENCE_MS,
  MAX_WAITING_KEYS,
} from "../../src/api/voicemail/limits.ts";
import { Prompts } from "../../src/api/voicemail/prompts.ts";
import { Talk } from "../../src/api/voicemail/talk.ts";
import { SAMPLE_RATE } from "../../src/core/media/tones.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";

/** A caller without a phone: he hears all that is said, as fast as it can be said. */
class Caller {
  readonly call: Call;
  readonly #voice = new Voice();
  /** What the box has asked of the call: that it be answered, or be over. */
  deeds = 0;

  constructor() {
    this.call = new Call({
      ...{ id: 1, direction: "incoming", peer: "sip:2001@example.com", account: "voicemail" },
      ...{ voice: this.#voice, hearing: new Hearing(new Postbox()) },
      act: () => {
        this.deeds += 1;
        return undefined;
      },
    });
    this.deeds = 0;
  }

  tell(event: string, fields: Record<string, string> = {}): void {
    this.call.tell({ event, at: 0, time: "", node: "", ...fields });
  }

  async hear(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.#voice.read(new Int16Array(SAMPLE_RATE));
      await setImmediate();
    }
  }
}

async function called(t: TestContext): Promise<[Caller, Talk]> {
  const prompts = await Prompts.read();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const caller = new Caller();
  return [caller, new Talk(caller.call, prompts)];
}

test("of whom nothing was ever heard the box waits for no longer than for who has fallen silent", async (t) => {
  const [caller, talk] = await called(t);
  const box = new VoiceBox(new MemoryStore(), "2002@example.com");
  const taken = takeMessage(talk, box, 1, () => undefined);
  await setImmediate();
  caller.tell("call.answered");
  await caller.hear(20);
  t.mock.timers.tick(CALLER_SILENCE_MS);
  assert.equal(await taken, undefined);
});

test("who is heard is waited for", async (t) => {
  const [caller, talk] = await called(t);
  const box = new VoiceBox(new MemoryStore(), "2002@example.com");
  let over = false;
  void takeMessage(talk, box, 1, () => undefined).then(() => {
    over = true;
  });
  await setImmediate();
  caller.tell("call.answered");
  caller.tell("call.heard");
  await caller.hear(20);
  t.mock.timers.tick(CALLER_SILENCE_MS);
  await setImmediate();
  assert.equal(over, false);
  caller.tell("call.silenced");
  caller.tell("call.silenced");
  caller.tell("call.heard");
  t.mock.timers.tick(CALLER_SILENCE_MS);
  await setImmediate();
  assert.equal(over, false);
  caller.tell("call.silenced");
  t.mock.timers.tick(CALLER_SILENCE_MS);
  await setImmediate();
  assert.equal(over, true);
});

test("who holds the box is not waited for for ever", async (t) => {
  const [caller] = await called(t);
  caller.tell("call.held", { by: "peer" });
  caller.tell("call.held", { by: "peer" });
  t.mock.timers.tick(CALLER_HELD_MS - 1);
  caller.tell("call.resumed", { by: "peer" });
  t.mock.timers.tick(CALLER_HELD_MS);
  assert.equal(caller.deeds, 0);
  caller.tell("call.held", { by: "peer" });
  t.mock.timers.tick(CALLER_HELD_MS);
  assert.equal(caller.deeds, 1);
});

test("keys that nobody asks for are not kept without end", async (t) => {
  const [caller, talk] = await called(t);
  for (let pressed = 0; pressed < 2 * MAX_WAITING_KEYS; pressed += 1) {
    caller.tell("call.key-pressed", { key: "1" });
  }
  assert.equal(talk.forget().length, MAX_WAITING_KEYS);
});
