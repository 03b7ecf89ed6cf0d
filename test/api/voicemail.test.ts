/** Voicemail at our server: messages left, told of, heard and deleted, over real sockets with real audio. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { VoiceBox } from "../../src/api/voicemail/box.ts";
import { STORE_PATIENCE } from "../../src/api/voicemail/deposit.ts";
import { MAX_MESSAGES } from "../../src/api/voicemail/limits.ts";
import type { StoreAnswer } from "../../src/core/vocabulary.ts";
import {
  type Call,
  type CallEnd,
  CallError,
  type Phone,
  type ServerEvent,
  SipServer,
  tone,
} from "../../src/index.ts";
import { MemoryStore } from "../../src/worlds/node/stores/memory-store.ts";
import type { Store, StoreQuestion } from "../../src/worlds/node/stores/store.ts";
import { hearTone, secondsOfTone } from "../support/tones.ts";
import { atTheEnd, patience, startPhone } from "./town.ts";

const USERS = {
  "2001": { password: "desk-2001", voicemail: "500" },
  "2002": { password: "hall-2002", voicemail: "500" },
};

/** With boxes that answer, and the port at which they do. */
async function officeWith(
  t: TestContext,
  store: Store,
  listen = "udp:127.0.0.1:0",
  domain: string | string[] = "example.com",
): Promise<[SipServer, number]> {
  const server = new SipServer({
    listen,
    domain,
    users: USERS,
    store,
  });
  atTheEnd(t, () => server.close());
  const opened = once(server, "voicemail.started", patience());
  await server.start(patience());
  const [{ port }] = (await opened) as [ServerEvent<"voicemail.started">];
  return [server, port];
}

/** A store without the entries whose key begins so. */
class Holey extends MemoryStore {
  readonly #missing: string;

  constructor(missing: string) {
    super();
    this.#missing = missing;
  }

  override atOnce(question: StoreQuestion): StoreAnswer {
    if (!question.key.startsWith(this.#missing)) return super.atOnce(question);
    return { kind: "unavailable", why: "it is not there" };
  }
}

/** A store whose answers about boxes take their time. */
class Slow implements Store {
  readonly #store = new MemoryStore();
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get epochSeconds(): Store["epochSeconds"] {
    return this.#store.epochSeconds;
  }

  ask(question: StoreQuestion, answered: (answer: StoreAnswer) => void): void {
    const answer = this.#store.atOnce(question);
    setTimeout(() => answered(answer), question.key.startsWith("voice/") ? this.#ms : 0);
  }

  scan(prefix: string): ReturnType<Store["scan"]> {
    return this.#store.scan(prefix);
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}

/** A store that is away for the first count of messages that it is to keep. */
class Absent extends MemoryStore {
  #away = true;

  override atOnce(question: StoreQuestion): StoreAnswer {
    const counts = question.kind === "store.write" && question.key.startsWith("messages/");
    if (!counts || !this.#away) return super.atOnce(question);
    this.#away = false;
    return { kind: "unavailable", why: "it is away" };
  }
}

/** A store that is away from some moment on. */
class Gone extends MemoryStore {
  gone = false;
  #asked = 0;
  #give: () => void = () => undefined;
  /** It has been asked for as long as anybody would wait. */
  readonly given = new Promise<void>((resolve) => {
    this.#give = resolve;
  });

  override atOnce(question: StoreQuestion): StoreAnswer {
    if (!this.gone || !question.key.startsWith("voice/")) return super.atOnce(question);
    this.#asked += 1;
    if (this.#asked > STORE_PATIENCE) this.#give();
    return { kind: "unavailable", why: "it is gone" };
  }
}

/** A store that throws at every look at a box once a count of messages has been kept. */
class Throwing extends MemoryStore {
  #counted = false;

  override atOnce(question: StoreQuestion): StoreAnswer {
    this.#counted ||= question.kind === "store.write" && question.key.startsWith("messages/");
    if (this.#counted && question.key.startsWith("voice/box/")) throw new Error("it is broken");
    return super.atOnce(question);
  }
}

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.scan(prefix)) keys.push(key);
  return keys;
}

/** Waits for the tone, cutting the greeting short. */
async function invited(call: Call): Promise<void> {
  await call.answered;
  const heard = call.listen();
  await once(call, "heard", patience());
  call.sendDtmf("#");
  await hearTone(heard, 880, 0.2);
}

/** Says a tone of so many hertz for so long, and hangs up. */
async function leave(caller: Phone, callee: string, hertz: number, ms: number): Promise<void> {
  const call = caller.call(callee);
  await invited(call);
  await call.play(tone(hertz), { signal: AbortSignal.timeout(ms) });
  await call.hangup();
}

async function samplesOf(call: Call): Promise<Int16Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of call.listen()) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return Int16Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readInt16LE(2 * at));
}

/** The lamp of a phone: how many messages are new and old. */
async function lamp(phone: Phone, fresh: number, old: number): Promise<void> {
  for (;;) {
    const [told] = await once(phone, "message-waiting.changed", patience());
    if (told.new === fresh && told.old === old) return;
  }
}

test("a message lights the lamp, is heard, goes out, and is deleted", async (t) => {
  const store = new MemoryStore();
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const bob = await startPhone(t, server, "2002", { messageWaiting: true, answer: "busy" });
  const lit = lamp(bob, 1, 0);
  await leave(alice, "2002", 523, 3_000);
  await lit;
  const out = lamp(bob, 0, 1);
  const call = bob.call("500");
  await call.answered;
  await hearTone(call.listen(), 523, 2);
  await out;
  const gone = lamp(bob, 0, 0);
  call.sendDtmf("3");
  await gone;
  await call.hangup();
  assert.deepEqual(await keysOf(store, "voice/"), []);
});

test("callers hear the greeting that a user has recorded, until he takes it away", async (t) => {
  const store = new MemoryStore();
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const bob = await startPhone(t, server, "2002", { answer: "busy" });
  const box = new VoiceBox(store, "2002@example.com");
  const record = async (say: (call: Call) => Promise<unknown>): Promise<void> => {
    const call = bob.call("500");
    await call.answered;
    const heard = call.listen();
    await once(call, "heard", patience());
    call.sendDtmf("0");
    await hearTone(heard, 880, 0.2);
    await say(call);
    call.sendDtmf("#");
    await once(call, "ended", patience());
  };
  await record((call) => call.play(tone(660), { signal: AbortSignal.timeout(2_500) }));
  const call = alice.call("2002");
  await call.answered;
  await hearTone(call.listen(), 660, 1);
  await call.hangup();
  assert.ok(secondsOfTone((await box.greeting()) ?? new Int16Array(), 660) > 1);
  // As long as the tone, and too short for a greeting.
  await record((caller) => caller.play(new Int16Array(4_800)));
  assert.equal(await box.greeting(), undefined);
});

test("who hangs up at once, or says nothing, has left none", async (t) => {
  const store = new MemoryStore();
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const call = alice.call("2002");
  await invited(call);
  await call.hangup();
  const none = alice.call("2002");
  await none.answered;
  await none.hangup();
  const left: number[] = [];
  const kept = new Promise<void>((resolve) => {
    server.on("voice-message.left", ({ seconds }) => {
      left.push(seconds);
      if (seconds > 0) resolve();
    });
  });
  await leave(alice, "2002", 523, 2_500);
  await kept;
  assert.equal(left.length, 1);
  const box = new VoiceBox(store, "2002@example.com");
  const [message, ...others] = await box.list();
  assert.deepEqual(others, []);
  assert.equal(message?.from, "sip:2001@example.com");
  assert.equal(message?.heard, false);
});

test("a server without datagrams has boxes all the same: the box speaks UDP, who calls it TCP", async (t) => {
  const [server] = await officeWith(t, new MemoryStore(), "tcp:127.0.0.1:0");
  const alice = await startPhone(t, server, "2001");
  const kept = once(server, "voice-message.left", patience());
  await leave(alice, "2002", 523, 2_500);
  const [{ user, seconds }] = (await kept) as [ServerEvent<"voice-message.left">];
  assert.equal(user, "2002");
  assert.ok(seconds >= 1);
});

test("a box that is full says so and takes nothing", async (t) => {
  const store = new MemoryStore();
  const box = new VoiceBox(store, "2002@example.com");
  const one = { from: "sip:2001@example.com", at: 1, seconds: 1, heard: true };
  await box.change(() =>
    Array.from({ length: MAX_MESSAGES }, (_, id) => ({ ...one, id: `${id}` })),
  );
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const call = alice.call("2002");
  await call.answered;
  const [heard, [{ why }]] = await Promise.all([
    samplesOf(call),
    once(call, "ended", patience()) as Promise<[CallEnd]>,
  ]);
  assert.equal(why, "peer-hung-up");
  assert.ok(heard.length > 8_000, "it says something");
  assert.equal(secondsOfTone(heard, 880), 0);
  assert.equal((await box.list()).length, MAX_MESSAGES);
});

test("of two who speak at once to a box with room for one, one has left a message", async (t) => {
  const store = new MemoryStore();
  const box = new VoiceBox(store, "2002@example.com");
  const one = { from: "sip:2001@example.com", at: 1, seconds: 1, heard: true };
  const full = Array.from({ length: MAX_MESSAGES - 1 }, (_, id) => ({ ...one, id: `${id}` }));
  await box.change(() => full);
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const kept = once(server, "voice-message.left", patience());
  await Promise.all([leave(alice, "2002", 523, 2_500), leave(alice, "2002", 523, 2_500)]);
  await kept;
  assert.equal((await box.list()).length, MAX_MESSAGES);
});

test("without its store a box answers nobody", async (t) => {
  const [server] = await officeWith(t, new Holey("voice/"));
  const alice = await startPhone(t, server, "2001");
  await assert.rejects(alice.call("2002").answered, (error) => {
    assert.ok(error instanceof CallError);
    assert.equal(error.status, 480);
    return true;
  });
  await assert.rejects(alice.call("500").answered, CallError);
});

test("who calls the agent past the server, or by a word that he has guessed, is not let in", async (t) => {
  const [server, port] = await officeWith(t, new MemoryStore());
  const stranger = await startPhone(t, server, "2001");
  for (const word of ["", ";word=guessed"]) {
    const uri = `sip:voicemail@127.0.0.1:${port}${word};target=sip:2002%40example.com`;
    await assert.rejects(stranger.call(uri).answered, (error) => {
      assert.ok(error instanceof CallError);
      assert.equal(error.status, 404);
      return true;
    });
  }
});

test("a key ends a message and takes nothing of it, however slow the store is", async (t) => {
  const [server] = await officeWith(t, new Slow(1_500));
  const alice = await startPhone(t, server, "2001");
  const kept = once(server, "voice-message.left", patience());
  const call = alice.call("2002");
  await invited(call);
  await call.play(tone(523), { signal: AbortSignal.timeout(3_500) });
  call.sendDtmf("1");
  const [{ seconds }] = (await kept) as [ServerEvent<"voice-message.left">];
  assert.ok(seconds >= 3);
});

test("a server that is closed hangs up first, and keeps what was said to it", async (t) => {
  const store = new MemoryStore();
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const call = alice.call("2002");
  await invited(call);
  await call.play(tone(523), { signal: AbortSignal.timeout(1_500) });
  await server.close();
  assert.equal((await call.ended).why, "peer-hung-up");
  const [message] = await new VoiceBox(store, "2002@example.com").list();
  assert.ok((message?.seconds ?? 0) >= 1);
  assert.equal((await keysOf(store, "messages/")).length, 1);
});

test("of a server that is closed nothing is told, though its store was away when it hung up", async (t) => {
  const store = new Gone();
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const call = alice.call("2002");
  await invited(call);
  await call.play(tone(523), { signal: AbortSignal.timeout(1_500) });
  store.gone = true;
  await server.close();
  const late: string[] = [];
  server.on("event", ({ event }) => late.push(event));
  await store.given;
  await setImmediate();
  assert.deepEqual(late, []);
});

test("a lamp is lit that could not be lit at first", async (t) => {
  const [server] = await officeWith(t, new Absent());
  const alice = await startPhone(t, server, "2001");
  const bob = await startPhone(t, server, "2002", { messageWaiting: true, answer: "busy" });
  const lit = lamp(bob, 1, 0);
  await leave(alice, "2002", 523, 2_500);
  await lit;
});

test("a store of a program's own that throws ends no more than what it was asked for", async (t) => {
  const [server] = await officeWith(t, new Throwing());
  const alice = await startPhone(t, server, "2001");
  const bob = await startPhone(t, server, "2002", { messageWaiting: true, answer: "busy" });
  const failed = once(server, "voicemail.failed", patience());
  const lit = lamp(bob, 1, 0);
  await leave(alice, "2002", 523, 2_500);
  await lit;
  assert.equal((await failed)[0].why, "it is broken");
  await server.close();
});

test("a message that is deleted while it is spoken leaves nothing behind", async (t) => {
  const store = new MemoryStore();
  const [server] = await officeWith(t, store);
  const alice = await startPhone(t, server, "2001");
  const bob = await startPhone(t, server, "2002", { messageWaiting: true, answer: "busy" });
  const lit = lamp(bob, 1, 0);
  const call = alice.call("2002");
  await invited(call);
  const said = call.play(tone(523), { signal: AbortSignal.timeout(5_000) });
  await lit;
  const box = new VoiceBox(store, "2002@example.com");
  const [message] = await box.list();
  await box.remove(message?.id ?? "");
  await said;
  await server.close();
  assert.deepEqual(await keysOf(store, "voice/"), []);
});

test("a domain may be an address, of IPv6 too", async (t) => {
  await officeWith(t, new MemoryStore(), "udp:127.0.0.1:0", ["[::1]", "127.0.0.1"]);
});
