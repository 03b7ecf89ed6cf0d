/**
 * The event package `message-summary` (RFC 3842): whether messages wait, and how many. The counts are told by whoever
 * keeps the messages, and are in the store, so that each node of a system knows them.
 */
import type { Inquiry } from "../inquiry.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { type Domains, hostText } from "./domains.ts";
import type { NotifierPackage } from "./notifier-subscription.ts";
import { replace } from "./replace.ts";
import type { Users } from "./users.ts";

/** Of which nobody counts more. */
export const MOST_MESSAGES = 999_999;

/** Voice messages in the box of a user. */
export interface Messages {
  readonly new: number;
  readonly old: number;
}

export interface MessageSummaryParts {
  readonly domains: Domains;
  readonly users: Users | undefined;
  /** The store was not there when the messages of a user were to be told. */
  unread(resource: string): void;
}

const KEY_PREFIX = "messages/";

const NONE: Messages = { new: 0, old: 0 };

/** RFC 3842 §3.4 recommends hours to days. */
const DEFAULT_EXPIRES = 3_600;

export class MessageSummaryPackage implements NotifierPackage {
  readonly name = "message-summary";
  readonly contentType = "application/simple-message-summary";
  readonly defaultExpires: number = DEFAULT_EXPIRES;
  readonly #parts: MessageSummaryParts;

  constructor(parts: MessageSummaryParts) {
    this.#parts = parts;
  }

  mayWatch(watcher: string | undefined, resource: string): boolean {
    return watcher === resource;
  }

  *whole(resource: string): Inquiry<string> {
    const summary = yield* this.known(resource);
    if (summary === undefined) this.#parts.unread(resource);
    return summary === "" ? this.summary(resource, NONE) : (summary ?? "");
  }

  /** Each body is the whole. */
  partial(resource: string): Inquiry<string> {
    return this.whole(resource);
  }

  /** What the store holds of a user, as a body; empty: nothing; undefined: it is not there. */
  *known(resource: string): Inquiry<string | undefined> {
    const read = (yield { kind: "store.read", key: this.#key(resource) }) as StoreAnswer;
    if (read.kind !== "stored") return undefined;
    return read.value === undefined ? "" : this.summary(resource, decoded(read.value));
  }

  /** @returns false if the store is not there. */
  keep(resource: string, messages: Messages): Inquiry<boolean> {
    return replace(this.#key(resource), () => `${messages.new} ${messages.old}`);
  }

  summary(resource: string, messages: Messages): string {
    const { domains, users } = this.#parts;
    const box = users?.get(resource)?.voicemail;
    const account =
      box === undefined || box.includes(":") ? box : `sip:${box}@${hostText(domains.canonical)}`;
    return [
      `Messages-Waiting: ${messages.new > 0 ? "yes" : "no"}`,
      ...(account === undefined ? [] : [`Message-Account: ${account}`]),
      `Voice-Message: ${messages.new}/${messages.old} (0/0)`,
      "",
    ].join("\r\n");
  }

  #key(resource: string): string {
    return KEY_PREFIX + this.#parts.domains.name(resource);
  }
}

function decoded(text: string): Messages {
  const match = /^(\d+) (\d+)$/.exec(text);
  return match === null ? NONE : { new: Number(match[1]), old: Number(match[2]) };
}
