/**
 * The boxes of a server: a phone of ours beside it, at each of its addresses, that answers for users who do not, and
 * tells them their messages. The server admits the calls and says in their Request-URI whose box is meant (RFC 4458).
 */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { parseUri, unescapeUser, uriParam } from "../../core/message/uri.ts";
import { hostText } from "../../core/server/domains.ts";
import type { Messages } from "../../core/server/message-summary.ts";
import {
  BOX_USER,
  type BoxAgent,
  CAUSE_PARAM,
  targetIn,
  WORD_PARAM,
} from "../../core/server/voicemail.ts";
import type { TraceEvent } from "../../core/vocabulary.ts";
import type { Store } from "../../worlds/node/stores/store.ts";
import type { Call } from "../call.ts";
import { CallError } from "../errors.ts";
import { Phone } from "../phone.ts";
import { BoxError, VoiceBox, type VoiceMessage } from "./box.ts";
import { type Changed, takeMessage } from "./deposit.ts";
import { Prompts } from "./prompts.ts";
import { tellMessages } from "./retrieval.ts";
import { Talk } from "./talk.ts";

export interface VoicemailParts {
  readonly store: Store;
  /** Our first domain: that of the boxes. */
  readonly domain: string;
  /** So many messages wait for a user now; resolves false if that cannot be remembered. */
  changed(user: string, messages: Messages): Promise<boolean>;
  report(event: TraceEvent): void;
}

/** Whose box a call is for, and what is to be done there. */
interface Errand {
  readonly user: string;
  readonly leaves: boolean;
}

/** A farewell takes no longer, milliseconds: the server has others to see off. */
const FAREWELL_MS = 1_000;

/** A count that cannot be remembered is told again so often, a second apart. */
const TELLINGS = 60;

export class Voicemail {
  readonly #parts: VoicemailParts;
  readonly #word = randomBytes(16).toString("hex");
  readonly #phones: Phone[] = [];
  /** Calls that are attended to, and counts that are being told. */
  readonly #errands = new Set<Promise<void>>();
  #leaving = false;

  constructor(parts: VoicemailParts) {
    this.#parts = parts;
  }

  /**
   * Begins to answer, at a free port of each address; where that cannot be, `voicemail.failed` says why.
   * @param addresses of the server, of those that it listens at without TLS: the box has no certificate.
   */
  async start(addresses: ReadonlySet<string>): Promise<readonly BoxAgent[]> {
    const agents: BoxAgent[] = [];
    const prompts = await this.#prompts();
    if (prompts === undefined) return agents;
    if (addresses.size === 0)
      this.#failed(new Error("the server listens to neither udp nor tcp"), {});
    for (const address of addresses) {
      const phone = new Phone({
        user: BOX_USER,
        servers: `udp:${hostText(address)}:5060`,
        bind: address,
        register: false,
      });
      phone.on("call", (call) => this.#attend(this.#called(call, prompts)));
      try {
        await phone.start();
      } catch (error) {
        this.#failed(error, { address });
        continue;
      }
      this.#phones.push(phone);
      const { port = 0 } = phone.address ?? {};
      agents.push({ address, port, word: this.#word });
      this.#parts.report({ event: "voicemail.started", address, port });
    }
    return agents;
  }

  /** Hangs up, and has what was said stored and told. */
  async hangUp(): Promise<void> {
    const stopped = this.stop();
    const settled = Promise.all([stopped, ...this.#errands]);
    await Promise.race([settled, delay(FAREWELL_MS, undefined, { ref: false })]);
    this.#leaving = true;
  }

  /** Hangs up and closes. */
  async stop(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.stop()));
  }

  /** What goes wrong ends this errand and nothing else: a store of a program's own may throw anything. */
  #attend(errand: Promise<void>): void {
    const attended = errand
      .catch((error: unknown) => this.#failed(error, {}))
      .finally(() => this.#errands.delete(attended));
    this.#errands.add(attended);
  }

  async #called(call: Call, prompts: Prompts): Promise<void> {
    const errand = this.#errandOf(call);
    if (errand === undefined) {
      call.refuse(404);
      return;
    }
    const { user, leaves } = errand;
    const box = new VoiceBox(this.#parts.store, `${user}@${this.#parts.domain}`);
    const talk = new Talk(call, prompts);
    const changed: Changed = (messages) => this.#attend(this.#tell(user, box, messages));
    try {
      if (leaves) await this.#take(talk, box, user, changed);
      else await tellMessages(talk, box, changed);
    } catch (error) {
      // Who hangs up before he is answered has said nothing.
      if (!(error instanceof CallError)) this.#failed(error, { user });
    } finally {
      if (call.state === "trying" || call.state === "ringing") call.refuse(480);
      else await call.hangup();
    }
  }

  async #take(talk: Talk, box: VoiceBox, user: string, changed: Changed): Promise<void> {
    const at = Math.floor(this.#parts.store.epochSeconds());
    const seconds = await takeMessage(talk, box, at, changed);
    if (seconds === undefined) return;
    this.#report({ event: "voice-message.left", user, from: talk.call.peer, seconds });
  }

  /**
   * Tells how many messages there are until what was told is what there is: another node tells what it has changed,
   * and the later word need not be the newer one.
   */
  async #tell(user: string, box: VoiceBox, messages: readonly VoiceMessage[]): Promise<void> {
    let told = counted(messages);
    for (let telling = 0; telling < TELLINGS && !this.#leaving; telling += 1) {
      if (await this.#parts.changed(user, told)) {
        const now = await countedIn(box);
        if (now === undefined || (now.new === told.new && now.old === told.old)) return;
        told = now;
      } else await delay(1_000, undefined, { ref: false });
    }
  }

  /** Undefined: the server has not sent it. */
  #errandOf({ invite }: Call): Errand | undefined {
    const uri = parseUri(invite?.uri ?? "");
    if (uri === undefined || uriParam(uri, WORD_PARAM) !== this.#word) return undefined;
    const target = targetIn(uri);
    if (target === undefined || target.user === "") return undefined;
    const leaves = uriParam(uri, CAUSE_PARAM) !== undefined;
    return { user: unescapeUser(target.user), leaves };
  }

  async #prompts(): Promise<Prompts | undefined> {
    try {
      return await Prompts.read();
    } catch (error) {
      this.#failed(error, {});
      return undefined;
    }
  }

  #failed(error: unknown, where: { readonly user?: string; readonly address?: string }): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#report({ event: "voicemail.failed", ...where, why });
  }

  /** Of a server that is gone nothing is told. */
  #report(event: TraceEvent): void {
    if (!this.#leaving) this.#parts.report(event);
  }
}

function counted(messages: readonly VoiceMessage[]): Messages {
  const old = messages.filter(({ heard }) => heard).length;
  return { new: messages.length - old, old };
}

/** Undefined: its store is not there now. */
async function countedIn(box: VoiceBox): Promise<Messages | undefined> {
  try {
    return counted(await box.list());
  } catch (error) {
    if (error instanceof BoxError) return undefined;
    throw error;
  }
}
