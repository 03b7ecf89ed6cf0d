/**
 * The boxes of a server: a phone of ours beside it, at each of its addresses, that answers for users who do not, and
 * tells them their messages. The server admits the calls and says in their Request-URI whose box is meant (RFC 4458).
 */
import { randomBytes } from "node:crypto";
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
import { VoiceBox, type VoiceMessage } from "./box.ts";
import { takeMessage } from "./deposit.ts";
import { Prompts } from "./prompts.ts";
import { tellMessages } from "./retrieval.ts";
import { Talk } from "./talk.ts";

export interface VoicemailParts {
  readonly store: Store;
  /** Our first domain: that of the boxes. */
  readonly domain: string;
  /** So many messages wait for a user now. */
  changed(user: string, messages: Messages): void;
  report(event: TraceEvent): void;
}

/** Whose box a call is for, and what is to be done there. */
interface Errand {
  readonly user: string;
  readonly leaves: boolean;
}

export class Voicemail {
  readonly #parts: VoicemailParts;
  readonly #word = randomBytes(16).toString("hex");
  readonly #phones: Phone[] = [];

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
        domain: this.#parts.domain,
        servers: `udp:${hostText(address)}:5060`,
        bind: address,
        register: false,
      });
      phone.on("call", (call) => void this.#called(call, prompts));
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

  /** Hangs up and closes. */
  async stop(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.stop()));
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
    const changed = (messages: readonly VoiceMessage[]): void => {
      const old = messages.filter(({ heard }) => heard).length;
      this.#parts.changed(user, { new: messages.length - old, old });
    };
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

  async #take(
    talk: Talk,
    box: VoiceBox,
    user: string,
    changed: (messages: readonly VoiceMessage[]) => void,
  ): Promise<void> {
    const at = Math.floor(this.#parts.store.epochSeconds());
    const seconds = await takeMessage(talk, box, at, changed);
    if (seconds === undefined) return;
    this.#parts.report({ event: "voice-message.left", user, from: talk.call.peer, seconds });
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
    this.#parts.report({ event: "voicemail.failed", ...where, why });
  }
}
