/** Calls of the public API: two promises, events, audio in and out. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { readWav, SAMPLE_RATE, writeWav } from "../../src/core/index.ts";
import { AudioError, type Call, CallError, type Phone, StateError, tone } from "../../src/index.ts";
import { hearTone, secondsOfTone } from "../support/tones.ts";
import { patience, startPhone, startServer } from "./town.ts";

/** Samples of a tone. */
function toned(hertz: number, seconds: number): Int16Array {
  const samples = new Int16Array(seconds * SAMPLE_RATE);
  tone(hertz).read(samples);
  return samples;
}

async function twoPhones(t: TestContext): Promise<[caller: Phone, callee: Phone]> {
  const server = await startServer(t);
  return [await startPhone(t, server, "2001"), await startPhone(t, server, "2002")];
}

/** Both ends of an answered call. */
async function connected(caller: Phone, callee: Phone): Promise<[ours: Call, theirs: Call]> {
  const called = once(callee, "call", patience());
  const ours = caller.call("2002");
  const [theirs] = (await called) as [Call];
  await Promise.all([theirs.answer(), ours.answered]);
  return [ours, theirs];
}

test("a call is answered, and ends, and tells how it was", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const called = once(callee, "call", patience());
  const ours = caller.call("sip:2002@example.com");
  assert.deepEqual(
    [ours.direction, ours.peer, ours.account, ours.state],
    ["outgoing", "sip:2002@example.com", "2001", "trying"],
  );
  const [theirs] = (await called) as [Call];
  assert.deepEqual([theirs.direction, theirs.peer], ["incoming", "sip:2001@example.com"]);
  await once(ours, "ringing", patience());
  assert.equal(ours.state, "ringing");
  assert.deepEqual([caller.calls, callee.calls], [[ours], [theirs]]);
  const heard = [once(ours, "heard", patience()), once(theirs, "heard", patience())];
  await theirs.answer();
  await ours.answered;
  await Promise.all(heard);
  assert.equal(ours.state, "answered");
  const end = await ours.hangup();
  assert.equal(end.why, "hung-up");
  assert.ok(end.sent > 0 && end.received > 0, JSON.stringify(end));
  assert.equal((await theirs.ended).why, "peer-hung-up");
  assert.deepEqual([caller.calls, callee.calls], [[], []]);
});

test("what is played is heard: a WAV file, samples and a stream, one after the other", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [caller, callee] = await twoPhones(t);
  const [ours, theirs] = await connected(caller, callee);
  const spoken = join(folder, "spoken.wav");
  writeFileSync(spoken, writeWav(toned(440, 0.8)));
  const inputs = [
    [440, spoken],
    [600, toned(600, 0.8)],
    [800, Readable.from(oddPieces(toned(800, 0.8)))],
  ] as const;
  for (const [hertz, input] of inputs) {
    const heard = theirs.listen();
    assert.equal(await ours.play(input, patience()), true);
    await hearTone(heard, hertz, 0.3);
  }
  await assert.rejects(ours.play(Buffer.from("no audio")), AudioError);
  await assert.rejects(ours.play(join(folder, "absent.wav")), { code: "ENOENT" });
  await assert.rejects(ours.play(broken()), /the microphone is gone/);
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(320);
  throw new Error("the microphone is gone");
}

/** The bytes of samples, cut where no sample ends. */
function* oddPieces(samples: Int16Array): Generator<Buffer> {
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  for (let at = 0; at < bytes.length; at += 333) yield bytes.subarray(at, at + 333);
}

test("what is played stops with its signal, with the next, and with the call", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const [ours] = await connected(caller, callee);
  assert.equal(await ours.play(tone(440), { signal: AbortSignal.timeout(60) }), false);
  const first = ours.play(tone(440));
  const second = ours.play(toned(440, 0.1), { loop: true });
  assert.equal(await first, false);
  await ours.hangup();
  assert.equal(await second, false);
  assert.equal(await ours.play(tone()), false);
});

test("a call is recorded into a WAV file that is whole when the call is over", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-api-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [caller, callee] = await twoPhones(t);
  const [ours, theirs] = await connected(caller, callee);
  const file = join(folder, "heard.wav");
  const recorded = theirs.record(file);
  await ours.play(toned(1000, 0.8), patience());
  await ours.hangup();
  await recorded;
  const audio = readWav(readFileSync(file));
  assert.ok(audio.kind === "audio");
  assert.ok(secondsOfTone(audio.samples, 1000) >= 0.3, `${audio.samples.length} samples`);
  assert.equal((await theirs.listen().toArray()).length, 0);
  await assert.rejects(theirs.record(folder), { code: "EISDIR" });
});

test("keys are sent and heard, as telephone-events", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const [ours, theirs] = await connected(caller, callee);
  const keys: string[] = [];
  const all = new Promise<void>((resolve) => {
    theirs.on("key-pressed", ({ key }) => {
      keys.push(key);
      if (keys.length === 3) resolve();
    });
  });
  ours.sendDtmf("1#D");
  await all;
  assert.deepEqual(keys, ["1", "#", "D"]);
  assert.throws(() => ours.sendDtmf("x"), RangeError);
  assert.throws(() => ours.sendDtmf("0".repeat(100)), CallError);
  await ours.hangup();
  assert.throws(() => ours.sendDtmf("1"), CallError);
});

test("hold and resume resolve when the other side has agreed, and it is told", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const [ours, theirs] = await connected(caller, callee);
  const told = once(theirs, "held", patience());
  await ours.hold();
  assert.equal(ours.held, true);
  assert.equal((await told)[0].by, "peer");
  await ours.hold();
  await ours.resume();
  assert.equal(ours.held, false);
  await ours.hangup();
  await assert.rejects(ours.hold(), StateError);
});

test("a call that is not answered rejects with why, and with the status of a refusal", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const unknown = caller.call("2999");
  await assert.rejects(unknown.answered, (error) => {
    assert(error instanceof CallError);
    assert.deepEqual([error.why, error.status], ["rejected", 404]);
    return true;
  });

  callee.once("call", (call) => call.refuse(603));
  const declined = caller.call("2002");
  await assert.rejects(declined.answered, { why: "rejected", status: 603 });

  const abort = new AbortController();
  const reason = new Error("lunch");
  callee.once("call", () => abort.abort(reason));
  const given = caller.call("2002", { signal: abort.signal });
  await assert.rejects(given.answered, (error) => error === reason);
  assert.equal((await given.ended).why, "hung-up");

  const unheard = caller.call("2002");
  assert.equal((await unheard.ended).status, 486, "nobody listens for calls");
  assert.throws(() => caller.call("a b"), TypeError);
  assert.throws(() => caller.call("2002", { account: 7 }), StateError);
});

test("a caller who gives up is told to the callee, who can no longer answer", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const called = once(callee, "call", patience());
  const ours = caller.call("2002");
  const [theirs] = (await called) as [Call];
  await ours.hangup();
  assert.equal((await theirs.ended).why, "cancelled");
  await assert.rejects(theirs.answer(), { why: "cancelled" });
  await assert.rejects(ours.answer(), StateError);
  assert.throws(() => theirs.refuse(200), RangeError);
});

test("a phone that stops hangs up its calls", async (t) => {
  const [caller, callee] = await twoPhones(t);
  const [ours, theirs] = await connected(caller, callee);
  await caller.stop();
  assert.equal((await ours.ended).why, "hung-up");
  assert.equal((await theirs.ended).why, "peer-hung-up");
});
