/** Tells a caller the messages in his box, the new ones first, and does what his keys say. */
import { parseUri } from "../../core/message/uri.ts";
import type { VoiceBox, VoiceMessage } from "./box.ts";
import type { Changed } from "./deposit.ts";
import { recordGreeting } from "./greeting.ts";
import { KEY_WAIT_MS } from "./limits.ts";
import { fromMuLaw } from "./speech.ts";
import type { Talk } from "./talk.ts";

/** @throws BoxError. */
export async function tellMessages(talk: Talk, box: VoiceBox, changed: Changed): Promise<void> {
  const messages = await box.list();
  // Whatever has become of the lamp meanwhile.
  changed(messages);
  await talk.call.answer();
  const fresh = messages.filter(({ heard }) => !heard);
  const old = messages.filter(({ heard }) => heard);
  await talk.say(...summary(talk, fresh.length, old.length));
  for (const message of [...fresh, ...old]) {
    const wish = await tell(talk, box, message, changed);
    if (wish === "end") return;
    if (wish === "greeting") await recordGreeting(talk, box);
  }
  if (messages.length > 0) await talk.say("no-more");
  await talk.say("greeting-menu");
  if ((await talk.key(KEY_WAIT_MS)) === "0") await recordGreeting(talk, box);
  await talk.say("goodbye");
}

function summary({ prompts }: Talk, fresh: number, old: number): string[] {
  if (fresh + old === 0) return ["no-messages"];
  const counted = (count: number, kind: string): string[] =>
    count === 0 ? [] : [...prompts.number(count), `${kind}-message${count === 1 ? "" : "s"}`];
  const both = fresh > 0 && old > 0 ? ["and"] : [];
  return ["you-have", ...counted(fresh, "new"), ...both, ...counted(old, "old")];
}

/** What is wanted after a message. */
type Wish = "next" | "greeting" | "end";

async function tell(
  talk: Talk,
  box: VoiceBox,
  { id, from, heard }: VoiceMessage,
  changed: Changed,
): Promise<Wish> {
  const samples = fromMuLaw(await box.audio(id));
  let told = heard;
  for (;;) {
    if (talk.forget().includes("*")) return "end";
    await talk.say(...talk.prompts.caller(parseUri(from)?.user ?? ""), samples);
    if (talk.over) return "end";
    if (!told) changed(await box.change((messages) => messages.map(heardOf(id))));
    told = true;
    await talk.say("menu");
    switch (await talk.key(KEY_WAIT_MS)) {
      case "1":
        break;
      case "3":
        changed(await box.remove(id));
        await talk.say("deleted");
        return "next";
      case "0":
        return "greeting";
      case "*":
        return "end";
      default:
        return talk.over ? "end" : "next";
    }
  }
}

function heardOf(id: string): (message: VoiceMessage) => VoiceMessage {
  return (message) => (message.id === id ? { ...message, heard: true } : message);
}
