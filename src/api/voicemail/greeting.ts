/** Records what a user's callers hear before the tone, in the place of our words. */
import type { VoiceBox } from "./box.ts";
import { MAX_GREETING_SECONDS } from "./limits.ts";
import { BEEP, LEAST_SAMPLES, spoken } from "./speech.ts";
import type { Talk } from "./talk.ts";

/** Who says nothing has his own greeting removed. @throws BoxError. */
export async function recordGreeting(talk: Talk, box: VoiceBox): Promise<void> {
  await talk.say("greeting-record");
  talk.forget();
  await talk.say(BEEP);
  const pieces: Int16Array[] = [];
  for await (const samples of spoken(talk, MAX_GREETING_SECONDS)) pieces.push(samples);
  // Who hangs up has not said that it is what he wanted.
  if (talk.over) return;
  talk.forget();
  const greeting = joined(pieces);
  const kept = greeting.length < LEAST_SAMPLES ? undefined : greeting;
  await box.keepGreeting(kept);
  if (kept === undefined) await talk.say("greeting-removed");
  else await talk.say("greeting-kept", kept);
}

function joined(pieces: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
