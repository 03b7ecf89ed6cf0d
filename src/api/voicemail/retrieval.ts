/** Tells a caller the messages in his box, the new ones first, and does what his keys say. */
import { PCMU } from "../../core/media/g711.ts";
import { parseUri } from "../../core/message/uri.ts";
import type { VoiceBox, VoiceMessage } from "./box.ts";
import type { Changed } from "./deposit.ts";
import { KEY_WAIT_MS } from "./limits.ts";
import type { Talk } from "./talk.ts";

/** @throws BoxError. */
export async function tellMessages(talk: Talk, box: VoiceBox, changed: Changed): Promise<void> {
  const messages = await box.list();
  await talk.call.answer();
  const fresh = messages.filter(({ heard }) => !heard);
  const old = messages.filter(({ heard }) => heard);
  await talk.say(...summary(talk, fresh.length, old.length));
  for (const message of [...fresh, ...old]) {
    if (!(await tell(talk, box, message, changed))) return;
  }
  if (messages.length > 0) await talk.say("no-more");
  await talk.say("goodbye");
}

function summary({ prompts }: Talk, fresh: number, old: number): string[] {
  if (fresh + old === 0) return ["no-messages"];
  const counted = (count: number, kind: string): string[] =>
    count === 0 ? [] : [...prompts.number(count), `${kind}-message${count === 1 ? "" : "s"}`];
  const both = fresh > 0 && old > 0 ? ["and"] : [];
  return ["you-have", ...counted(fresh, "new"), ...both, ...counted(old, "old")];
}

/** False: no further one is wanted. */
async function tell(
  talk: Talk,
  box: VoiceBox,
  { id, from, heard }: VoiceMessage,
  changed: Changed,
): Promise<boolean> {
  const audio = await box.audio(id);
  const samples = new Int16Array(audio.length);
  PCMU.decode(audio, 0, audio.length, samples, 0);
  let told = heard;
  for (;;) {
    if (talk.forget().includes("*")) return false;
    await talk.say(...talk.prompts.caller(parseUri(from)?.user ?? ""), samples);
    if (talk.over) return false;
    if (!told) changed(await box.change((messages) => messages.map(heardOf(id))));
    told = true;
    await talk.say("menu");
    switch (await talk.key(KEY_WAIT_MS)) {
      case "1":
        break;
      case "3":
        changed(await box.remove(id));
        await talk.say("deleted");
        return !talk.over;
      case "*":
        return false;
      default:
        return !talk.over;
    }
  }
}

function heardOf(id: string): (message: VoiceMessage) => VoiceMessage {
  return (message) => (message.id === id ? { ...message, heard: true } : message);
}
